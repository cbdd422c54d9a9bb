"""Which links in Markdown pages lead nowhere: files and headings of this repository that don't exist.

A page links by a relative path. What PyPI shows as well, the README of a package, links by the repository's address.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]]*\]\(\s*([^)\s]+)\s*\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def repository() -> str:
    """The address of this repository, as the package names it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    address: str = project["urls"]["Source"]
    return address


def pages(root: Path) -> Iterator[Path]:
    """The Markdown files below a folder, without those of hidden folders; `.github` counts."""
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name == ".github" or not name.startswith(".")]
        yield from (Path(folder, name) for name in files if name.endswith(".md"))


def links(page: Path) -> list[str]:
    """Where the links of a page lead, as they are written; not what is shown as code."""
    return _LINK.findall(_CODE.sub("`code`", _FENCE.sub("", page.read_text("utf-8"))))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in _HEADING.findall(_FENCE.sub("", page.read_text("utf-8"))):
        shown = _LINK.sub(lambda link: link[0][1:].partition("]")[0], heading)
        anchor = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        same = sum(one == anchor or re.fullmatch(rf"{re.escape(anchor)}-\d+", one) is not None for one in found)
        found.add(f"{anchor}-{same}" if same else anchor)
    return found


def broken(root: Path, address: str) -> list[str]:
    """The links of a repository's pages that lead to no file or no heading of it.

    Args:
        root: Where the repository lies.
        address: Of the repository; a link below its `blob/main/` is one to a file.

    Returns:
        `page: link` for each.
    """
    found = []
    for page in pages(root):
        for link in links(page):
            path, _, anchor = link.partition("#")
            if path.startswith(f"{address}/blob/main/"):
                target = root / path.removeprefix(f"{address}/blob/main/")
            elif _ELSEWHERE.match(path):
                continue
            else:
                target = page.parent / path if path else page
            if not target.exists() or (anchor and anchor not in anchors(target)):
                found.append(f"{page.relative_to(root).as_posix()}: {link}")
    return sorted(found)
