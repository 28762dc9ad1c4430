"""Whole frames into tables inside SQLAlchemy's transaction, by the fastest way that each database has.

Here: COPY on PostgreSQL; on SQLite rows laid down beside it by Arrow's driver, or its own driver's tuples. Not here:
what is written, and when (warehouse/publish).
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

_SLICE = 50_000
_BESIDE = "beside"


def stage(connection: sa.Connection, frames: Sequence[pl.DataFrame]) -> list[str | None]:
    """Lays frames down for `insert_rows`, each under the name that comes back in its place; None where there is nothing
    to gain by it. To be called once in a transaction that writes, at whose end the connection is closed.

    SQLite has no bulk load, and a row of twenty values takes Python's driver four times as long to hand over as SQLite
    to keep, index and all. So the rows become tables of a file of their own, in C, which the transaction reads. Raises
    sqlite3.OperationalError where that file cannot be written.
    """
    if connection.dialect.name != "sqlite" or not any(map(len, frames)):
        return [None] * len(frames)
    import adbc_driver_sqlite.dbapi as arrow  # Late: readers never write.

    warehouse = Path(str(connection.engine.url.database)).absolute()
    # Only who holds the transaction is here, so what a killed one left may go (`kinerja doctor` finds it in a home).
    folder = warehouse.with_name(f".{warehouse.name}.tmp")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700)
        file = str(folder / "rows.db")
        with arrow.connect(file) as writer, writer.cursor() as cursor:
            for number, frame in enumerate(frames):
                cursor.adbc_ingest(f"part_{number}", _as_text(frame), mode="create")
            writer.commit()
        # That driver has a SQLite of its own, which has closed the file: two in one process break each other's locks.
        connection.exec_driver_sql(f"ATTACH ? AS {_BESIDE}", (file,))
    except arrow.Error as error:
        # In the words and the class of the database's own driver, by which a full disk is known.
        raise sqlite3.OperationalError(str(error).splitlines()[0]) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    # Within a transaction nothing can be detached; so the connection, which only then goes, goes with it.
    connection.detach()
    return [f"{_BESIDE}.part_{number}" for number in range(len(frames))]


def insert_rows(connection: sa.Connection, table: sa.Table, rows: pl.DataFrame, staged: str | None = None) -> None:
    """Adds the rows to the table; `staged` says where `stage` has laid them down."""
    if rows.is_empty():
        return
    preparer = connection.dialect.identifier_preparer
    target = preparer.format_table(table)
    columns = ", ".join(preparer.quote(c) for c in rows.columns)
    if staged is not None:
        connection.exec_driver_sql(f"INSERT INTO {target} ({columns}) SELECT {columns} FROM {staged}")
        return
    text = _as_text(rows)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(rows.columns))
        for part in text.iter_slices(_SLICE):
            connection.exec_driver_sql(f"INSERT INTO {target} ({columns}) VALUES ({marks})", part.rows())
        return
    driver: Any = connection.connection.driver_connection
    copy_rows = f"COPY {target} ({columns}) FROM STDIN (FORMAT csv, NULL '\\N')"
    with driver.cursor() as cursor, cursor.copy(copy_rows) as copy:
        for part in text.iter_slices(_SLICE):
            # Texts are quoted and nulls are not, so that a text '\N' stays a text.
            copy.write(part.write_csv(include_header=False, quote_style="non_numeric", null_value="\\N").encode())


def _as_text(rows: pl.DataFrame) -> pl.DataFrame:
    """Days and instants in the one text format that SQLite sorts by time and PostgreSQL reads as UTC."""
    return rows.with_columns(_text(name, kind) for name, kind in rows.schema.items())


def _text(name: str, kind: pl.DataType) -> pl.Expr:
    if kind == pl.Date:
        return pl.col(name).dt.strftime("%Y-%m-%d")
    if isinstance(kind, pl.Datetime):
        return pl.col(name).dt.strftime("%Y-%m-%d %H:%M:%S%.6f")
    return pl.col(name)
