"""The published world of the reports, made once; and a browser in which pages are looked at."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from analyst_world import Frames
from playwright.sync_api import Browser, Error, sync_playwright
from report_world import february, march, of_warehouse, publish_months

from kinerja_pipeline.reports.figures import Figures

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Callable[..., Path]:
    """published(march, february): the file of a warehouse that holds these rows."""

    def of(*months: Frames) -> Path:
        file = tmp_path_factory.mktemp("reports") / "warehouse.db"
        shutil.copy(migrated_sqlite, file)
        return publish_months(file, *months)

    return of


@pytest.fixture(scope="session")
def warehouse(published: Callable[..., Path]) -> Path:
    return published(march(), february())


@pytest.fixture(scope="session")
def shown(warehouse: Path) -> Figures:
    return of_warehouse(warehouse)


@pytest.fixture(scope="session")
def empty(published: Callable[..., Path]) -> Figures:
    """A month, still open, of which nothing but its status is published."""
    status = {**march()["period_status"][0], "status_code": "open"}
    return of_warehouse(published({table: [] for table in march()} | {"period_status": [status]}))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's Chromium, else the one that Playwright has fetched. As long as it is open, Playwright's event loop
    counts as running in this thread, and nothing else can run one: so it is closed with the module."""
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=program)
        except Error as error:
            pytest.fail(
                "Pages are looked at in a browser, and none starts: install Chromium (Debian: apt install chromium), "
                f"or let Playwright fetch one (.venv/bin/playwright install --only-shell chromium).\n{error.message}"
            )
        yield started
        started.close()
