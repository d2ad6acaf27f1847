#!/usr/bin/env python3
"""Checks the Markdown pages of the repository: check-links.py PAGE...

Links within it lead to files and headings that are there, images say what is seen on them, the book's summary names
each of its pages, and each page with Rust code is among those whose code runs as tests of the crate `hnn`.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BOOK = ROOT / "docs" / "src"
TESTED = ROOT / "crates" / "hnn" / "src" / "lib.rs"

LINK = re.compile(r"(!?)\[((?:[^\[\]]|!?\[[^\]]*\])*)\]\(([^)\s]*)[^)]*\)")
FENCE = re.compile(r"^```(\S*).*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def prose(page: pathlib.Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: pathlib.Path) -> set[str]:
    """The names by which GitHub and mdBook know the headings of a page."""
    found: set[str] = set()
    for heading in HEADING.findall(prose(page)):
        text = LINK.sub(r"\2", heading).lower()
        name = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        count, anchor = 0, name
        while anchor in found:
            count += 1
            anchor = f"{name}-{count}"
        found.add(anchor)
    return found


def in_book(page: pathlib.Path) -> bool:
    return page.resolve().parent == BOOK


def broken_links(page: pathlib.Path) -> list[str]:
    faults = []
    # (Within the text of a link there may be an image, which is one, too.)
    todo = [prose(page)]
    while todo:
        for image, text, target in LINK.findall(todo.pop()):
            todo.append(text)
            if image and not text.strip():
                faults.append(f"the image {target} has no alternative text: say what is seen on it")
            if "://" in target:
                continue
            path, _, anchor = target.partition("#")
            file = page.parent / path if path else page
            if not file.exists():
                faults.append(f"{target} is not there")
            elif in_book(page) and BOOK not in file.resolve().parents:
                faults.append(f"{target} is no part of the built book: name the file instead of a link to it")
            elif anchor and file.suffix == ".md" and anchor not in anchors(file):
                faults.append(f"{target} is no heading of {file.name}")
    return faults


def untested_code(page: pathlib.Path) -> list[str]:
    """A page whose code no test runs."""
    languages = [info.split(",") for info in FENCE.findall(page.read_text(encoding="utf-8"))]
    runs = any(words[0] == "rust" and "ignore" not in words for words in languages)
    path = page.resolve().relative_to(ROOT)
    if not runs or f'/{path}")' in TESTED.read_text(encoding="utf-8"):
        return []
    return [f"its code runs in no test: name it in `mod pages` of {TESTED.relative_to(ROOT)}"]


def unnamed(page: pathlib.Path) -> list[str]:
    """A page of the book that its summary leaves out."""
    if not in_book(page) or page.name == "SUMMARY.md":
        return []
    named = f"]({page.name})" in (BOOK / "SUMMARY.md").read_text(encoding="utf-8")
    return [] if named else ["SUMMARY.md does not name it"]


def main() -> None:
    pages = [pathlib.Path(name) for name in sys.argv[1:]]
    checks = (broken_links, untested_code, unnamed)
    faults = [f"{page}: {fault}" for page in pages for check in checks for fault in check(page)]
    if faults:
        sys.exit("\n".join(faults))
    print(f"{len(pages)} pages: every local link leads to a file or heading, all Rust code is tested")


if __name__ == "__main__":
    main()
