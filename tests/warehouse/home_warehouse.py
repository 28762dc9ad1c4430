"""The warehouse of a test's home, asked by the database's own driver: a SQLite file, or with `--warehouse postgresql` a
database of a server that this test run has started."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import os
import shutil
import sqlite3
import uuid
from pathlib import Path

import psycopg
import sqlalchemy as sa

from kinerja_pipeline.home import Home

SERVER = "KINERJA_TEST_SERVER"
"""Names the address of the server's maintenance database; where it is not set, homes have SQLite files."""


def is_on_postgresql() -> bool:
    return SERVER in os.environ


def address(home: Home) -> str:
    """What `KINERJA_WAREHOUSE_URL` says for this home; a database is made when it is first asked for, still empty."""
    if not is_on_postgresql():
        return f"sqlite:///{home.warehouse}"
    if not home.root.is_dir():
        # Nothing is written for a home that is not there; whoever tries would be seen by the next.
        return _url("postgres").render_as_string(hide_password=False)
    place = home.root / ".database"
    if not place.exists():
        place.write_text(_new_database("template1"), encoding="utf-8")
    return _url(place.read_text(encoding="utf-8")).render_as_string(hide_password=False)


def copied(home: Home, root: Path) -> Home:
    """A home like another, with a warehouse of its own."""
    # Readers of the old home make and remove these two beside an unchanged warehouse.
    shutil.copytree(home.root, root, ignore=shutil.ignore_patterns("warehouse.db-*"))
    place = root / ".database"
    if place.exists():
        place.write_text(_new_database(place.read_text(encoding="utf-8")), encoding="utf-8")
    return Home(root)


def lose(home: Home) -> None:
    """As if the database's machine had burnt."""
    (home.root / ".database" if is_on_postgresql() else home.warehouse).unlink()


def is_begun(home: Home) -> bool:
    """Whether anybody made so much as a file, or anything in the database."""
    return has_table(home, "alembic_version") if is_on_postgresql() else home.warehouse.exists()


def has_table(home: Home, name: str) -> bool:
    if is_on_postgresql():
        return query(home, f"SELECT to_regclass('{name}') IS NOT NULL") == [(True,)]
    return home.warehouse.exists() and bool(query(home, f"SELECT 1 FROM sqlite_master WHERE name = '{name}'"))


def query(home: Home, sql: str) -> list[tuple[object, ...]]:
    """What an analyst reads, with nothing of the product in between; values as SQLite gives them."""
    if not is_on_postgresql():
        with contextlib.closing(sqlite3.connect(home.warehouse)) as connection:
            return connection.execute(sql).fetchall()
    with _connected(home) as connection:
        return [tuple(_plain(value) for value in row) for row in connection.execute(sql.encode())]


def texts(home: Home) -> dict[str, list[str]]:
    """The different values of every column of every table and view, as text, by `table.column`."""
    listed = (
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema IN ('reporting', 'public')"
        if is_on_postgresql()
        else "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type IN ('table', 'view')"
    )
    return {
        f"{table}.{column}": [
            str(cell)
            for (cell,) in query(home, f'SELECT DISTINCT CAST("{column}" AS TEXT) FROM "{table}"')
            if cell is not None
        ]
        for table, column in query(home, listed)
    }


def change(home: Home, sql: str) -> None:
    """What somebody does behind the product's back."""
    if not is_on_postgresql():
        with contextlib.closing(sqlite3.connect(home.warehouse)) as opened, opened:
            opened.execute(sql)
        return
    with _connected(home) as connection:
        connection.execute(sql.encode())


def _plain(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return int(value) if value == int(value) else float(value)
    return value


def _connected(home: Home) -> psycopg.Connection[tuple[object, ...]]:
    url = sa.make_url(address(home)).set(drivername="postgresql")
    options = "-c search_path=reporting,public -c timezone=UTC"
    return psycopg.connect(url.render_as_string(hide_password=False), options=options)


def _url(database: str) -> sa.URL:
    return sa.make_url(os.environ[SERVER]).set(drivername="postgresql", database=database)


def _new_database(template: str) -> str:
    name = f"home_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(_url("postgres").render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return name
