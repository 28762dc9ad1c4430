"""Frames reach tables as they are, whichever way they go, and leave nothing behind. The driver's way is the oracle."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path

import adbc_driver_sqlite.dbapi as arrow
import polars as pl
import pytest
import sqlalchemy as sa

from kinerja_pipeline.alerts.fault import kind_of
from kinerja_pipeline.warehouse.bulk import insert_rows, stage
from kinerja_pipeline.warehouse.database import open_warehouse, writing

UTC = pl.Datetime("us", "UTC")
ROWS = pl.DataFrame(
    {
        # Digits with a zero in front, what SQL or a format would take for its own, an empty text beside a null.
        "text": ["0123", "'); --", "1e5", "\\N", "", None, " Wamena, Papua – 😀 "],
        "whole": [0, -1, 2**63 - 1, -(2**63), 1, None, 7],
        "number": [0.1, -2.5, 1e300, 5e-324, 3.0, None, 0.0],
        "flag": [True, False, None, True, False, True, False],
        "day": [dt.date(2026, 3, 31), dt.date(1, 1, 1), dt.date(9999, 12, 31), None, None, None, None],
        "moment": [dt.datetime(2026, 3, 31, 23, 59, 59, 999_999, dt.UTC), *[None] * 6],
    },
    schema={
        "text": pl.String,
        "whole": pl.Int64,
        "number": pl.Float64,
        "flag": pl.Boolean,
        "day": pl.Date,
        "moment": UTC,
    },
)


def table_in(metadata: sa.MetaData, name: str) -> sa.Table:
    kinds = (sa.String, sa.BigInteger, sa.Double, sa.Boolean, sa.Date, sa.DateTime)
    return sa.Table(name, metadata, *(sa.Column(c, kind()) for c, kind in zip(ROWS.columns, kinds, strict=True)))


@pytest.fixture
def plain(tmp_path: Path) -> sa.Engine:
    return open_warehouse(f"sqlite:///{tmp_path}/ware house %.db")


def as_stored(engine: sa.Engine, table: str) -> list[tuple[object, ...]]:
    """Value and storage class of every cell, as SQLite itself tells them."""
    cells = ", ".join(f"typeof({name}), {name}" for name in ROWS.columns)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(f"SELECT {cells} FROM {table} ORDER BY rowid")]


def test_staged_rows_are_stored_as_the_drivers_own_tuples_are(plain: sa.Engine) -> None:
    metadata = sa.MetaData()
    by_driver, staged, nothing = (table_in(metadata, name) for name in ("by_driver", "staged", "no_rows"))
    metadata.create_all(plain)
    with writing(plain) as connection:
        insert_rows(connection, by_driver, ROWS)
        names = stage(connection, [ROWS, ROWS.clear(), ROWS.head(2)])
        insert_rows(connection, staged, ROWS, names[0])
        insert_rows(connection, nothing, ROWS.clear(), names[1])
        insert_rows(connection, staged, ROWS.head(2), names[2])
    assert None not in names
    assert as_stored(plain, "staged") == [*(own := as_stored(plain, "by_driver")), *own[:2]]
    assert as_stored(plain, "no_rows") == []


def test_staging_leaves_no_file_and_can_be_done_again_over_what_a_killed_one_left(plain: sa.Engine) -> None:
    metadata = sa.MetaData()
    table = table_in(metadata, "staged")
    metadata.create_all(plain)
    left = beside(plain)
    left.mkdir()
    (left / "rows.db").write_bytes(b"x" * 10**6)
    (left / "rows.db-journal").touch()
    for _ in range(2):
        with writing(plain) as connection:
            insert_rows(connection, table, ROWS, stage(connection, [ROWS])[0])
            assert not left.exists()
    assert len(as_stored(plain, "staged")) == 2 * len(ROWS)


def beside(engine: sa.Engine) -> Path:
    file = Path(str(engine.url.database))
    return file.with_name(f".{file.name}.tmp")


def test_a_full_disk_is_told_in_the_databases_own_words_and_leaves_nothing(
    plain: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    connect = arrow.connect

    def full(uri: str) -> arrow.Connection:
        modes.append(Path(uri).parent.stat().st_mode & 0o777)
        connection = connect(uri)
        with connection.cursor() as cursor:
            # SQLite's own limit: from here on it says that the disk is full.
            cursor.execute("PRAGMA max_page_count = 2")
        return connection

    monkeypatch.setattr(arrow, "connect", full)
    with pytest.raises(sqlite3.OperationalError, match="disk is full") as told, writing(plain) as connection:
        stage(connection, [pl.concat([ROWS] * 100)])
    assert kind_of(told.value) == "database"
    assert modes == [0o700]
    assert not beside(plain).exists()


def test_a_server_needs_no_staging(migrated: sa.Engine) -> None:
    with migrated.begin() as connection:
        names = stage(connection, [ROWS])
    assert (names == [None]) == (migrated.dialect.name == "postgresql")
