"""Links in the documentation lead somewhere."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from links import ROOT, broken, links, pages, repository

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "https://git.example/tap"
ON_PYPI = ["README.md", "packages/afas-sandbox/README.md"]


def test_each_link_leads_to_a_file_and_a_heading() -> None:
    assert len(list(pages(ROOT))) > len(ON_PYPI)
    assert broken(ROOT, repository()) == []


@pytest.mark.parametrize("name", ON_PYPI)
def test_what_pypi_shows_links_by_the_whole_address(name: str) -> None:
    assert [link for link in links(ROOT / name) if not link.startswith("https://")] == []


def test_both_packages_name_one_repository() -> None:
    for folder in (ROOT, ROOT / "packages/afas-sandbox"):
        urls = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]["urls"]
        assert urls.keys() == {"Homepage", "Documentation", "Source", "Issues", "Changelog"}
        assert all(url.startswith(repository()) for url in urls.values())


@pytest.mark.parametrize(
    "link",
    [
        "other.md",
        "other.md#what-it-does-and-why",
        "#here",
        "#a-b",
        "other.md#twice-1",
        f"{ADDRESS}/blob/main/docs/other.md#twice",
        "https://elsewhere.example/gone",
    ],
)
def test_a_link_that_leads_somewhere_is_none_of_the_broken(tmp_path: Path, link: str) -> None:
    write_pages(tmp_path, link)
    assert broken(tmp_path, ADDRESS) == []


@pytest.mark.parametrize(
    "link",
    [
        "gone.md",
        "../other.md",
        "other.md#gone",
        "other.md#twice-2",
        "#not-a-heading",
        f"{ADDRESS}/blob/main/gone.md",
        f"{ADDRESS}/blob/main/docs/other.md#gone",
    ],
)
def test_a_broken_link_is_found(tmp_path: Path, link: str) -> None:
    write_pages(tmp_path, link)
    assert broken(tmp_path, ADDRESS) == [f"docs/page.md: {link}"]


def write_pages(root: Path, link: str) -> None:
    docs = root / "docs"
    docs.mkdir()
    (docs / "other.md").write_text("# Other\n## What it `does`, and why\n## Twice\n## Twice\n", "utf-8")
    code = "```sh\n# Not a heading\necho '[no](link.md)'\n```\n\n`[no](x.md)`\n"
    text = f"# Page\n\nSee [the\nother one]({link}).\n\n{code}\n## Here\n### [A b](other.md)\n"
    (docs / "page.md").write_text(text, "utf-8")
