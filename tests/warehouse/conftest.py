"""Tiny outgoing frames: a row names only what a test is about, the rest is null."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import polars as pl
import pytest
import sqlalchemy as sa
from analyst_world import publish_world

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.contracts.tables import warehouse_schema
from kinerja_pipeline.warehouse.database import open_warehouse
from kinerja_pipeline.warehouse.publish import Published, Versions, publish

FrameOf = Callable[..., pl.DataFrame]
Publish = Callable[..., list[Published]]
RowsOf = Callable[..., list[tuple[object, ...]]]

_NOW = dt.datetime(2026, 4, 6, 2, 30, tzinfo=dt.UTC)
_DTYPES = {
    "string": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "boolean": pl.Boolean,
    "date": pl.Date,
    "timestamp": pl.Datetime("us", "UTC"),
}
_DEFAULTS = {
    "task_outcome": {
        "period": "2026-03",
        "task_type": "routine",
        "status_code": "open",
        "opened_at": dt.datetime(2026, 3, 2, 0, 30, tzinfo=dt.UTC),
    },
    "kpi": {
        "subject_kind": "unit",
        "subject_id": "dinkes",
        "period_kind": "month",
        "period": "2026-03",
        "aspect_code": "time",
        "status_code": "computed",
        "actual": 80.0,
        "evidence_count": 5,
        "policy_version": "2026.1",
    },
    "region": {
        "label_id": "Manokwari",
        "label_en": "Manokwari",
        "time_zone": "Asia/Jayapura",
        "policy_version": "2026.1",
    },
}


@pytest.fixture
def frame_of() -> FrameOf:
    """frame_of("kpi", {"indicator_id": "a"}, ...): an outgoing frame of Manokwari with all columns of its contract."""

    def build(table: str, *rows: dict[str, object]) -> pl.DataFrame:
        columns = {c.name: _DTYPES[c.kind] for c in load_contracts().outgoing[table].columns}
        filled = [{"region": "manokwari", **_DEFAULTS.get(table, {}), **row} for row in rows]
        return pl.DataFrame(filled, schema=columns, strict=False)

    return build


@pytest.fixture
def publish_to(engine: sa.Engine) -> Publish:
    """publish_to(kpi=frame, ...): publishes frames of Manokwari, March 2026 unless said otherwise."""

    def run(month: str = "2026-03", region: str = "manokwari", **frames: pl.DataFrame) -> list[Published]:
        versions = Versions(code="1.0", policy="2026.1")
        return publish(engine, load_contracts(), region, month, frames, versions=versions, now=_NOW, run_id="run-1")

    return run


@pytest.fixture
def rows_of(engine: sa.Engine) -> RowsOf:
    """rows_of("kpi", "indicator_id", "actual"): what a reader sees, sorted."""

    def read(table: str, *columns: str) -> list[tuple[object, ...]]:
        schema = warehouse_schema(engine.dialect.name)
        name = f"{schema}.{table}" if schema else table
        with engine.connect() as connection:
            found = connection.exec_driver_sql(f"SELECT {', '.join(columns)} FROM {name}")
            return sorted((tuple(row) for row in found), key=repr)

    return read


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """The analysts' world, published on either database; nobody writes to it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('world')}/warehouse.db"
    else:
        url = request.getfixturevalue("shared_postgresql_url")
    engine = open_warehouse(url)
    publish_world(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def sqlite_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """The analysts' world in an SQLite file, for what is the same on both databases; nobody writes to it."""
    engine = open_warehouse(f"sqlite:///{tmp_path_factory.mktemp('world')}/warehouse.db")
    publish_world(engine)
    yield engine
    engine.dispose()
