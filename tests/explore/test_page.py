"""The report as a page: it can be passed on, works by itself, and says the same in both languages."""

from __future__ import annotations

import html
import re
import shutil
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from afas_sandbox import amsterdam
from afas_sandbox.data import dataset
from harness.command import without_waiting
from harness.planted import PLANTS, made
from tap_afas.connection import Connection
from tap_afas.explore.check import check
from tap_afas.explore.html_report import to_html
from tap_afas.explore.html_words import WORDS
from tap_afas.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from afas_sandbox import Row, Sandbox
    from tap_afas.explore.findings import Report

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_AA = 4.5


def _check(sandbox: Sandbox, streams: dict[str, Any] | None = None) -> Report:
    settings = {"base_url": sandbox.base_url, "token": sandbox.token, "streams": streams or {}}
    with without_waiting():
        return check(Connection(Settings.from_config(settings)), sorted(sandbox.connectors))


@pytest.fixture
def company(sandbox: Sandbox) -> Report:
    sandbox.load([*dataset(scale=0.05, now=amsterdam())][:40])
    return _check(sandbox)


@pytest.mark.parametrize("name", PLANTS)
def test_no_value_of_a_row_is_on_it(sandbox: Sandbox, name: str) -> None:
    plant = PLANTS[name]
    sandbox.load([plant.table], **plant.options)
    sandbox.faults = plant.faults
    connector = plant.table.connector
    report = _check(sandbox, {connector.id: plant.settings} if plant.settings else None)
    page = html.unescape(re.sub(r"<style>.*?</style>|<script>.*?</script>", "", to_html(report, "en"), flags=re.DOTALL))
    values = {str(value) for row in plant.table.rows for value in row if value is not None}
    # Short numbers stand on any page, and the word is AFAS' own.
    told = {value for value in values if len(value) > 4 and value in page} - {"(vervangen)", "(replaced)"}
    assert told == set()


def test_its_size_and_that_it_needs_nothing_else(company: Report) -> None:
    page = to_html(company, "nl")
    assert len(company.connectors) == 40
    assert len(page.encode()) < 1024 * 1024
    assert not re.search(r"https?:", page)
    assert {found[0] for found in re.findall(r"(?:href|src)=\"(.)", page)} == {"#"}
    assert "default-src 'none'" in page


def test_both_languages_and_every_finding(company: Report) -> None:
    for language in WORDS:
        page = to_html(company, language)
        assert f'<html lang="{language}">' in page
        for words in WORDS.values():
            assert html.escape(words["nothing_to_do"]) in page
        for one in company.connectors:
            for finding in one.findings:
                assert page.count(f"<code>{finding.code}</code>") >= 2


def test_what_afas_tells_is_no_markup(sandbox: Sandbox) -> None:
    evil = "<script>alert(1)</script>\u202e\x1b[31m"
    rows: list[Row] = [(number,) for number in range(30)]
    sandbox.load([made("Zaken", "Id:int", rows, evil)])
    page = to_html(_check(sandbox), "en")
    assert page.count("<script>") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert not set(page) & {"\u202e", "\x1b"}


def test_a_date_of_birth_is_no_chart(sandbox: Sandbox) -> None:
    rows: list[Row] = [(number, f"{1950 + number % 50}-03-0{1 + number % 9}T00:00:00.000") for number in range(200)]
    sandbox.load([made("Mensen", "Id:int Geboortedatum:day:Geboortedatum", rows)])
    report = _check(sandbox)
    assert "Geboortedatum" in report.connectors[0].masks
    assert "<svg" not in to_html(report, "en")


def _colours() -> Iterator[tuple[str, dict[str, str]]]:
    style = (resources.files("tap_afas.explore") / "page.css").read_text("utf-8")
    for scheme, block in zip(("light", "dark"), re.findall(r":root \{(.*?)\}", style, re.DOTALL), strict=True):
        yield scheme, dict(re.findall(r"--(\w+): (#\w+)", block))


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) > 4 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(("scheme", "colours"), list(_colours()))
@pytest.mark.parametrize("ground", ["paper", "panel"])
@pytest.mark.parametrize("ink", ["ink", "soft", "link", "error", "warning", "note", "sound"])
def test_contrast(scheme: str, colours: dict[str, str], ground: str, ink: str) -> None:
    light, dark = sorted((_luminance(colours[ground]), _luminance(colours[ink])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= _AA, scheme


@pytest.fixture
def page(company: Report, tmp_path: Path) -> Iterator[Any]:
    """The page in a browser."""
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright (`uv sync --group browser`)")
    if _CHROMIUM is None:
        pytest.skip("needs Chromium")
    path = tmp_path / "report.html"
    path.write_text(to_html(company, "nl"), "utf-8")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page()
        said: list[str] = []
        opened.on("console", lambda message: said.append(message.text))
        opened.on("pageerror", lambda error: said.append(str(error)))
        opened.goto(path.as_uri())
        yield opened
        assert said == []
        browser.close()


def _shown(page: Any) -> list[str]:
    shown: list[str] = page.eval_on_selector_all(
        "article", "all => all.filter(one => one.checkVisibility()).map(one => one.querySelector('h2').textContent)"
    )
    return shown


@pytest.mark.slow
def test_in_a_browser(page: Any, company: Report) -> None:
    names = sorted(one.connector for one in company.connectors)
    assert sorted(_shown(page)) == names

    page.fill("#search", "sáles order")
    found = _shown(page)
    assert found
    assert all("sales" in name.lower() for name in found)
    page.fill("#search", "no such thing")
    assert _shown(page) == []
    assert page.text_content("#shown") == "Geen connector heeft dat."
    page.fill("#search", "")

    page.select_option("#problem", "personal_data")
    assert sorted(_shown(page)) == sorted(
        one.connector for one in company.connectors if any(found.code == "personal_data" for found in one.findings)
    )
    page.select_option("#problem", "")

    page.select_option("#sort", "by_name")
    assert [name.lower() for name in _shown(page)] == sorted(map(str.lower, names))
    page.select_option("#sort", "by_rows")
    rows = {one.connector: one.rows_read for one in company.connectors}
    assert [rows[name] for name in _shown(page)] == sorted(rows.values(), reverse=True)

    # By keyboard alone, and in the other language.
    page.focus("article summary")
    page.keyboard.press("Enter")
    assert page.eval_on_selector("article details", "one => one.open")
    assert page.is_visible("text=Elke keer helemaal gelezen >> nth=0") or page.is_visible(
        "text=Gelezen naar wat >> nth=0"
    )
    page.click("[data-language=en]")
    assert page.eval_on_selector("html", "one => one.lang") == "en"
    assert page.text_content("#shown") == "40 of 40 shown"
    assert page.title().startswith("GetConnectors of ")
    assert not page.is_visible("text=Elke keer helemaal gelezen >> nth=0")

    page.click("#open")
    assert page.eval_on_selector_all("article > details", "all => all.every(one => one.open)")
    target = page.get_attribute("article:last-of-type .link", "href")
    page.click("#open")
    page.goto(page.url.partition("#")[0] + target)
    assert page.eval_on_selector(f"[id='{target[1:]}'] details", "one => one.open")


@pytest.mark.slow
def test_it_is_dark_where_the_reader_has_it_so(page: Any) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    light = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    assert (light, page.evaluate(ground)) == ("rgb(255, 255, 255)", "rgb(13, 17, 23)")
