#!/usr/bin/env python3
"""Checks an example's results.json: check-results.py FILE EXAMPLE."""

import json
import math
import sys


def main(path: str, example: str) -> None:
    with open(path, encoding="utf-8") as file:
        results = json.load(file)
    expect(results["example"] == example, f"`example` is {results['example']!r}")
    expect(isinstance(results["config"], dict), "`config` is no object")
    expect(results["seconds"] >= 0, f"`seconds` is {results['seconds']}")
    expect(results["table"], "`table` is empty")
    for row in results["table"]:
        expect(row.keys() >= {"model", "metric", "mean", "std_error", "n"}, f"incomplete row {row}")
        expect(row["n"] >= 1, f"a row of no samples: {row}")
        expect(row["mean"] is not None and math.isfinite(row["mean"]), f"no mean: {row}")
    print(f"{path}: {len(results['table'])} rows")


def expect(condition: object, message: str) -> None:
    if not condition:
        sys.exit(f"check-results: {sys.argv[1]}: {message}")


if __name__ == "__main__":
    main(*sys.argv[1:])
