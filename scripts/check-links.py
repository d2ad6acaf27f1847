#!/usr/bin/env python3
"""Checks that the files that Markdown pages link to are there: check-links.py PAGE..."""

import pathlib
import re
import sys

LINK = re.compile(r"\[[^\]]*\]\(([^)\s#]+)[^)]*\)")


def broken_links(page: pathlib.Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    local = (target for target in LINK.findall(text) if "://" not in target)
    return [target for target in local if not (page.parent / target).exists()]


def main() -> None:
    pages = [pathlib.Path(name) for name in sys.argv[1:]]
    broken = [f"{page}: {target} is not there" for page in pages for target in broken_links(page)]
    if broken:
        sys.exit("\n".join(broken))
    print(f"{len(pages)} pages, every local link leads to a file")


if __name__ == "__main__":
    main()
