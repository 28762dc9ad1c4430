"""The views of sql/views: read from their files, made in the warehouse, made anew when a file has changed.

Here: one text per view for both databases, in which order they are made, and what their head comments say. Not here:
tables (contracts/tables), questions about the tables (warehouse/queries).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from importlib import resources
from pathlib import Path

import sqlalchemy as sa

MARK = "kinerja view"
"""What tells our views from those that somebody else made in the same schema: they are left alone."""


@dataclass(frozen=True, slots=True)
class View:
    """One file of sql/views. `grain` is its first comment ("One row per ..."), `audience` the one after "For:"."""

    name: str
    grain: str
    audience: str
    sql: str
    needs: frozenset[str]


def sql_folder() -> Path:
    """The SQL files: inside the installed package, or at the top of the checkout they are edited in."""
    inside = Path(str(resources.files("kinerja_pipeline"))) / "sql"
    return inside if inside.is_dir() else inside.parent.parent / "sql"


@cache
def load_views() -> tuple[View, ...]:
    """Every view, after those that it reads."""
    files = sorted((sql_folder() / "views").glob("*.sql"))
    names = {file.stem for file in files}
    views = {file.stem: _view(file, names) for file in files}
    order = TopologicalSorter({name: sorted(view.needs) for name, view in views.items()}).static_order()
    return tuple(views[name] for name in order)


def _view(file: Path, names: set[str]) -> View:
    text = file.read_text(encoding="utf-8")
    comments, body = head_and_body(text)
    told, _, audience = " ".join(comments).partition("For: ")
    needs = frozenset(re.findall(r"\w+", body)) & names - {file.stem}
    return View(file.stem, told.strip(), audience.strip(), body, needs)


def head_and_body(text: str) -> tuple[list[str], str]:
    """The comment lines at the top of an SQL file without their dashes, and what follows."""
    lines = text.splitlines()
    count = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    return [line.removeprefix("--").strip() for line in lines[:count]], "\n".join(lines[count:]).strip()


def are_current(connection: sa.Connection, schema: str | None) -> bool:
    """Whether the database has the views exactly as the files have them."""
    return _made(connection, schema) == dict.fromkeys((view.name for view in load_views()), _digest(load_views()))


def drop_views(connection: sa.Connection, schema: str | None) -> None:
    """Drops the views that `create_views` made, those of earlier versions too: tables can change under no view."""
    made = [_named(connection, name, schema) for name in _made(connection, schema)]
    if made and connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"DROP VIEW {', '.join(made)}")
    elif made:
        for name in made:
            connection.exec_driver_sql(f"DROP VIEW {name}")


def create_views(connection: sa.Connection, schema: str | None) -> None:
    """Makes every view in `schema`, over the tables of that schema.

    On PostgreSQL a view reads with the rights of who asks it: it shows nobody more than the tables would.
    """
    views = load_views()
    digest = _digest(views)
    if schema is None:
        for view in views:
            run_script(connection, f"CREATE VIEW {view.name} AS\n-- {MARK} {digest}\n-- {view.grain}\n{view.sql}")
        return
    before = connection.execute(sa.text("SELECT current_setting('search_path')")).scalar_one()
    _search(connection, schema)
    for view in views:
        name = _named(connection, view.name, schema)
        run_script(connection, f"CREATE VIEW {name} WITH (security_invoker = true) AS\n{view.sql}")
        comment = f"{view.grain} ({MARK} {digest})".replace("'", "''")
        run_script(connection, f"COMMENT ON VIEW {name} IS '{comment}'")
    _search(connection, before)


def run_script(connection: sa.Connection, script: str) -> None:
    """Any number of statements without parameters, as they are: a percent sign means itself."""
    connection.exec_driver_sql(script, execution_options={"no_parameters": True})


def _search(connection: sa.Connection, path: str) -> None:
    connection.execute(sa.text("SELECT set_config('search_path', :path, true)"), {"path": path})


def _named(connection: sa.Connection, name: str, schema: str | None) -> str:
    quote = connection.dialect.identifier_preparer.quote
    return quote(name) if schema is None else f"{quote(schema)}.{quote(name)}"


def _digest(views: Iterable[View]) -> str:
    """One for all: a view that is made anew takes those that read it along."""
    text = "\n".join(f"{view.name}\n{view.grain}\n{view.sql}" for view in views)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _made(connection: sa.Connection, schema: str | None) -> Mapping[str, str]:
    """Our views in the database, by name: the digest of the files that they were made from."""
    if schema is None:
        query = sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'view'")
    else:
        query = sa.text(
            "SELECT c.relname, coalesce(obj_description(c.oid, 'pg_class'), '') FROM pg_class AS c "
            "JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind = 'v' AND n.nspname = :schema"
        ).bindparams(schema=schema)
    marks = {name: re.search(rf"{MARK} (\w+)", text) for name, text in connection.execute(query)}
    return {name: mark.group(1) for name, mark in marks.items() if mark is not None}
