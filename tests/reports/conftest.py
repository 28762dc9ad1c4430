"""The published world of the reports, made once; and a browser, started once, in which pages are looked at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from report_world import february, march, of_warehouse, published

from kinerja_pipeline.reports.figures import Figures

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("reports") / "warehouse.db", march(), february())


@pytest.fixture(scope="session")
def shown(warehouse: Path) -> Figures:
    return of_warehouse(warehouse)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The machine's Chromium, else the one that Playwright has fetched."""
    with sync_playwright() as playwright:
        program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
        own = playwright.chromium.executable_path
        if program is None and not Path(own).exists():
            pytest.fail(
                "Pages are looked at in a browser: install Chromium (on Debian: apt-get install chromium), "
                "or let Playwright fetch it: .venv/bin/playwright install chromium --only-shell"
            )
        started = playwright.chromium.launch(executable_path=program)
        yield started
        started.close()
