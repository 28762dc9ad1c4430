"""The published world of the reports, made once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from analyst_world import Frames
from report_world import february, march, of_warehouse, publish_months

from kinerja_pipeline.reports.figures import Figures


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
