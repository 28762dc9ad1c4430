"""In a browser the pages show their plots, run nothing, and ask nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from report_world import policy
from test_validation_page import kept

from kinerja_pipeline.reports.figures import Figures
from kinerja_pipeline.reports.page import page
from kinerja_pipeline.reports.telling import Links
from kinerja_pipeline.reports.validation import validation_page


@dataclass
class Looked:
    """A page in the browser, what it asked for, and what went wrong."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    refused: dict[str, str | None] = field(default_factory=dict)

    def ask(self, script: str) -> Any:
        return self.page.evaluate(script)


@pytest.fixture
def looked(browser: Browser) -> Iterator[Looked]:
    """A window of a small screen; everything that it says or asks for is noted."""
    window = browser.new_page(viewport={"width": 1000, "height": 800})
    seen = Looked(window)
    window.on("request", lambda request: seen.requests.append(request.url))
    window.on("requestfailed", lambda request: seen.refused.update({request.url: request.failure}))
    window.on("console", lambda message: seen.complaints.append(message.text))
    window.on("pageerror", lambda error: seen.complaints.append(str(error)))
    yield seen
    window.close()


def open_page(looked: Looked, folder: Path, html: str) -> str:
    file = folder / "page.html"
    file.write_text(html, encoding="utf-8")
    looked.page.goto(file.as_uri())
    return file.as_uri()


@pytest.mark.parametrize(("language", "audience"), [("id", "officials"), ("en", "everyone")])
def test_a_report_shows_its_plots_without_an_error_or_a_request(
    looked: Looked, tmp_path: Path, shown: Figures, language: Any, audience: Any
) -> None:
    address = open_page(looked, tmp_path, page(shown, policy(), language, audience, Links("laporan.xlsx")))
    assert (looked.requests, looked.complaints) == ([address], [])
    plots = looked.ask(
        "[...document.querySelectorAll('svg.chart')].map(e => [e.getBoundingClientRect(), e.getBBox()])"
        ".map(([shown, drawn]) => [shown.width, shown.height, drawn.x, drawn.x + drawn.width])"
    )
    assert len(plots) == {"officials": 6, "everyone": 6}[audience]
    for width, height, left, right in plots:
        assert width > 500
        assert height > 20
        assert left >= 0, "a name is cut off at the left"
        assert right <= 720, "a value is cut off at the right"
    fields = looked.ask("[...document.querySelectorAll('.heat td.l0')].map(e => getComputedStyle(e).backgroundColor)")
    assert set(fields) == {"rgb(253, 243, 227)"}
    assert looked.ask("document.documentElement.scrollWidth") <= 1000, "the page itself must not scroll sideways"
    assert looked.ask("[...document.querySelectorAll('section h2')].every(e => e.offsetHeight > 0)")


def test_the_page_prints_on_a4_with_its_colours_and_without_its_links(
    looked: Looked, tmp_path: Path, shown: Figures
) -> None:
    open_page(looked, tmp_path, page(shown, policy(), "id"))
    looked.page.emulate_media(media="print")
    assert looked.ask("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert looked.ask("getComputedStyle(document.querySelector('.l0')).printColorAdjust") == "exact"
    printed = looked.page.pdf(prefer_css_page_size=True)
    # 595 x 842 points are A4.
    assert b"/MediaBox [0 0 594.95996 841.91998]" in printed or b"/MediaBox [0 0 595 842]" in printed
    assert looked.complaints == []


def test_what_gets_into_a_page_as_markup_runs_nothing_and_asks_nobody(
    looked: Looked, tmp_path: Path, shown: Figures
) -> None:
    """The second line: should escaping ever fail, the page's own policy stands."""
    attack = "<img src='http://127.0.0.1:9/x.png' onerror='document.title=1'><script>document.title='run'</script>"
    html = page(shown, policy(), "id").replace("</main>", f"{attack}</main>")
    address = open_page(looked, tmp_path, html)
    assert [asked for asked in looked.requests if asked not in looked.refused] == [address]
    assert looked.refused == {"http://127.0.0.1:9/x.png": "csp"}, "refused before it left the browser"
    assert looked.ask("document.title").startswith("Laporan kinerja: Salor")


def test_the_validation_page_switches_its_language_without_an_error_or_a_request(
    looked: Looked, tmp_path: Path
) -> None:
    back = "../../../monthly/salor/2026-03/laporan.html"
    address = open_page(looked, tmp_path, validation_page(kept("2026-03", ["off", "a" * 41]), [], {}, back))
    assert looked.page.get_by_text("Laporan bulan ini").is_visible()
    looked.page.get_by_text("English").click()
    assert looked.page.get_by_text("Report of this month").is_visible()
    assert not looked.page.get_by_text("Laporan bulan ini").is_visible()
    assert (looked.requests, looked.complaints) == ([address], [])
