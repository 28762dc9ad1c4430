"""Opening the warehouse and bringing its tables up to date.

Here: engines for SQLite and PostgreSQL that behave alike, transactions for reading and for writing, migrations.
Not here: what is written (warehouse/publish) and what the tables are (contracts/tables).
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.contracts.tables import warehouse_schema, warehouse_tables
from kinerja_pipeline.warehouse import access
from kinerja_pipeline.warehouse.views import are_current, create_views, drop_views, load_views, sql_folder

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

BUSY_SECONDS = 60
"""How long a SQLite connection waits for the writer before it."""

_MIGRATION_LOCK = "kinerja:migrate"


class WarehouseError(Exception):
    """The warehouse cannot be used; the message says which one and what to do."""


class NothingPublished(WarehouseError):
    """There is no warehouse yet, or none in which anything was published."""

    def __init__(self) -> None:
        super().__init__("Nothing is published yet; run `kinerja run --all` or `kinerja demo` first.")


def open_warehouse(url: str) -> sa.Engine:
    """The engine of the warehouse at `url` (sqlite:///file or postgresql://...); a missing SQLite file is made, empty.

    Raises WarehouseError for an address that is neither.
    """
    try:
        address = sa.make_url(url)
    except ArgumentError as error:
        raise WarehouseError(
            "KINERJA_WAREHOUSE_URL is not a database address; write sqlite:////path/warehouse.db "
            "or postgresql://user@host/database"
        ) from error
    match address.get_backend_name():
        case "sqlite":
            return _sqlite(address)
        case "postgresql" | "postgres":
            return _postgresql(address)
        case other:
            raise WarehouseError(
                f"The warehouse runs on SQLite or PostgreSQL, not on {other}; change KINERJA_WAREHOUSE_URL"
            )


def _sqlite(address: sa.URL) -> sa.Engine:
    if not address.database or address.database == ":memory:":
        raise WarehouseError("A SQLite warehouse is a file; write sqlite:////path/warehouse.db")
    path = Path(address.database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite has no roles: the file is the operator's. Its -wal and -shm files inherit the mode.
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise WarehouseError(f"{path} cannot be opened: {error.strerror}; name a folder you may write to") from error
    engine = sa.create_engine(address, connect_args={"timeout": BUSY_SECONDS})

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        # The driver must not open transactions of its own; `_begin` does.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        connection.execute("PRAGMA journal_mode = WAL")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # A writer takes its place in the queue at once; a reader takes a snapshot and waits for nobody.
        is_writing = connection.get_execution_options().get("is_writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")

    return engine


def _postgresql(address: sa.URL) -> sa.Engine:
    options = f"{address.query.get('options', '')} -c timezone=UTC".strip()
    return sa.create_engine(address.set(drivername="postgresql+psycopg"), connect_args={"options": options})


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that writes: committed at the end, rolled back on any error. On SQLite there is one at a time."""
    with _connected(engine) as opened:
        connection = opened.execution_options(is_writing=True)
        with connection.begin():
            yield connection


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One snapshot for any number of queries: all tables as they stood at the first, whoever publishes meanwhile."""
    with _connected(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def reading_published(url: str) -> Iterator[sa.Connection]:
    """One snapshot of the warehouse at `url`, for those who only look: opening an SQLite warehouse would make the file,
    so a missing one stays missing. Raises NothingPublished, WarehouseError."""
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        raise NothingPublished
    engine = open_warehouse(url)
    try:
        with reading(engine) as connection:
            if not is_migrated(connection):
                raise NothingPublished
            yield connection
    finally:
        engine.dispose()


def _connected(engine: sa.Engine) -> sa.Connection:
    """A connection; WarehouseError, which never shows a password, when there is none to be had."""
    try:
        return engine.connect()
    except SQLAlchemyError as error:
        raise WarehouseError(
            f"The warehouse {_shown(engine.url)} cannot be reached: {_first_line(error)}. "
            "Check KINERJA_WAREHOUSE_URL and the database."
        ) from error


def check_warehouse(url: str) -> None:
    """Raises WarehouseError when the warehouse at `url` cannot be opened: better before hours of work than after."""
    engine = open_warehouse(url)
    _connected(engine).close()
    engine.dispose()


def lock(connection: sa.Connection, name: str) -> None:
    """Holds `name` until the transaction ends; others wait for it. (On SQLite the transaction itself is the lock.)"""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def is_migrated(connection: sa.Connection) -> bool:
    """Whether anything was ever published here."""
    return sa.inspect(connection).has_table("publication", schema=warehouse_schema(connection.dialect.name))


def is_up_to_date(engine: sa.Engine) -> bool:
    """Whether tables, views and rights are as this version makes them: `migrate` would do nothing."""
    schema = warehouse_schema(engine.dialect.name)
    with _connected(engine) as connection:
        heads = _scripts(_migrations(schema)).get_current_head()
        is_done = _revision(connection, schema) == heads and are_current(connection, schema)
        return is_done and access.is_current(connection)


def damage(engine: sa.Engine) -> str | None:
    """What SQLite finds broken in its file, None when nothing is; a PostgreSQL server looks after its own files."""
    if engine.dialect.name != "sqlite":
        return None
    try:
        with _connected(engine) as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    except SQLAlchemyError as error:
        return _first_line(error)
    return None if found == "ok" else str(found)


def migrate(engine: sa.Engine, roles: access.Roles | None = None) -> list[str]:
    """Runs the revisions of sql/migrations that this warehouse has not seen, in order, and makes the views of sql/views
    anew if the tables or a view's file have changed: all in one transaction, nothing when nothing has changed.

    With `roles` (PostgreSQL only) it also makes the roles and says anew who may read what; where that was done once,
    every later migration keeps it so, whoever runs it.

    Returns a line for each thing done. Raises WarehouseError when the warehouse was migrated by a newer version of the
    program.
    """
    schema = warehouse_schema(engine.dialect.name)
    config = _migrations(schema)
    heads = _scripts(config).get_current_head()
    if roles is not None:
        _check_roles(engine, roles)
    try:
        if roles is None and is_up_to_date(engine):
            return []
        with writing(engine) as connection:
            lock(connection, _MIGRATION_LOCK)
            if schema is not None and not sa.inspect(connection).has_schema(schema):
                connection.execute(sa.schema.CreateSchema(schema))
            access.become_publisher(connection)
            revision = _revision(connection, schema)
            _check_known(config, revision)
            access.drop_masked(connection)
            drop_views(connection, schema)
            if revision != heads:
                config.attributes["connection"] = connection
                _upgrade(config)
                _comment(connection)
            create_views(connection, schema)
            done = [*_applied(config, revision), f"{len(load_views())} views made"]
            done += access.establish(connection, roles) if roles is not None else []
            return [*done, *access.refresh(connection)]
    except SQLAlchemyError as error:
        raise WarehouseError(
            f"{_shown(engine.url)} cannot be brought up to date, nothing was changed: {_first_line(error)}"
        ) from error


def _check_roles(engine: sa.Engine, roles: access.Roles) -> None:
    if engine.dialect.name != "postgresql":
        raise WarehouseError(
            "SQLite has no roles: the file is the operator's. Give analysts a copy with `kinerja export --masked`."
        )
    if wrong := [region for region in roles.regions if not access.is_region_name(region)]:
        raise WarehouseError(f"No role can be called after the region '{wrong[0]}'; give it a shorter, plain id.")


def _shown(address: sa.URL) -> str:
    """The address without secrets: options after the question mark may hold a password too."""
    return address.set(query={}).render_as_string(hide_password=True)


def _first_line(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0]


# Alembic is loaded where something may have to be migrated: readers never do, and it takes a tenth of `kinerja status`.
def _migrations(schema: str | None) -> Config:
    from alembic.config import Config

    folder = sql_folder() / "migrations"
    # Alembic's own progress lines are for developers; what people need to know is raised as WarehouseError.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["schema"] = schema
    return config


def _scripts(config: Config) -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(config)


def _upgrade(config: Config) -> None:
    from alembic import command

    command.upgrade(config, "head")


def _revision(connection: sa.Connection, schema: str | None) -> str | None:
    from alembic.runtime.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"version_table_schema": schema})
    return context.get_current_revision()


def _applied(config: Config, revision: str | None) -> list[str]:
    """The revisions after `revision`, oldest first."""
    steps = _scripts(config).iterate_revisions("head", revision or "base")
    return [f"revision {step.revision}: {step.doc.partition('. ')[0].rstrip('.')}" for step in reversed(list(steps))]


def _check_known(config: Config, revision: str | None) -> None:
    known = {script.revision for script in _scripts(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise WarehouseError(
            f"The warehouse is at revision {revision}, which this version of kinerja does not know: "
            "it was migrated by a newer version. Update kinerja; nothing was changed."
        )


def _comment(connection: sa.Connection) -> None:
    """Table and column comments as the contracts word them; only revisions that change tables bring them up to date."""
    if not connection.dialect.supports_comments:
        return
    for table in warehouse_tables(load_contracts().outgoing, connection.dialect.name).sorted_tables:
        statements: list[Any] = [sa.schema.SetTableComment(table)]
        statements += [sa.schema.SetColumnComment(column) for column in table.columns]
        for statement in statements:
            connection.execute(statement)
