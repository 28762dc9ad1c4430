"""The cookbook: named questions to the warehouse (sql/queries), run read-only, personal values hidden.

Here: a question's text and parameters, one run of it, its answer as a table, CSV or JSON. Not here: views
(warehouse/views), which columns are personal (warehouse/personal).
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from kinerja_pipeline.contracts.tables import warehouse_schema
from kinerja_pipeline.plain import csv_cell
from kinerja_pipeline.warehouse.database import reading_published
from kinerja_pipeline.warehouse.personal import CONFIDENTIAL, RESTRICTED, Classified, classified
from kinerja_pipeline.warehouse.personal import classified_relations as relations
from kinerja_pipeline.warehouse.views import are_current, head_and_body, sql_folder

ALL = "all"
"""What a parameter says that restricts nothing."""
HIDDEN = "•••"
_LATEST = "latest "
_NIP = re.compile(r"(?<![0-9A-Za-z])[0-9]{18}(?![0-9A-Za-z])")
_PERIOD = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2]|Q[1-4]|S[12]))?")

Value = str | int
Parameters = Mapping[str, Value]


class QueryError(Exception):
    """The question cannot be asked like this; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class Query:
    """One file of sql/queries: the question in Indonesian and English, its parameters with defaults, its SQL."""

    name: str
    question_id: str
    question_en: str
    defaults: Parameters
    sql: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What one run of a question gave; `hidden` names the columns in which personal values are hidden."""

    query: Query
    parameters: Parameters
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    hidden: tuple[str, ...]

    def table(self) -> Table:
        table = Table(title=f"{self.query.question_id}\n{self.told()}", title_justify="left")
        for i, column in enumerate(self.columns):
            is_number = any(isinstance(row[i], int | float) and not isinstance(row[i], bool) for row in self.rows)
            table.add_column(column, justify="right" if is_number else "left", overflow="fold")
        for row in self.rows:
            table.add_row(*map(_shown, row))
        return table

    def told(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.parameters.items())

    def csv(self) -> str:
        """As a file for a spreadsheet: a text that it would take for a formula begins with an apostrophe."""
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(map(csv_cell, row) for row in self.rows)
        return text.getvalue()

    def json(self) -> str:
        lines = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return json.dumps(lines, ensure_ascii=False, indent=2, default=str)


@cache
def load_queries() -> Mapping[str, Query]:
    """Every question by name."""
    files = sorted((sql_folder() / "queries").glob("*.sql"))
    return {file.stem: _query(file) for file in files}


def _query(file: Path) -> Query:
    comments, body = head_and_body(file.read_text(encoding="utf-8"))
    told = dict(line.split(": ", 1) for line in comments if line.startswith(("id: ", "en: ")))
    defaults: dict[str, Value] = {}
    for line in comments:
        if line.startswith(":"):
            name, _, value = line[1:].partition(" = ")
            defaults[name] = int(value) if value.isdigit() else value
    return Query(file.stem, told["id"], told["en"], defaults, body)


def named_query(name: str) -> Query:
    """Raises QueryError, with the nearest names, for one that is not in the cookbook."""
    queries = load_queries()
    if name not in queries:
        near = get_close_matches(name, queries, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}? " if near else ""
        raise QueryError(f"There is no query '{name}'; {hint}`kinerja query` lists them.")
    return queries[name]


def ask(url: str, query: Query, given: Mapping[str, str], *, with_names: bool = False) -> Answer:
    """Runs the question on the warehouse at `url` with the parameters `given`; the others keep their defaults.

    Parameters are bound, never written into the SQL, and the database is told that the transaction only reads. Without
    `with_names` whoever a row is about is numbered in place of named (`•1`), and what is said of them is hidden.
    """
    parameters = _parameters(query, given)
    try:
        with reading_published(url) as connection:
            _read_only(connection)
            if not are_current(connection, warehouse_schema(connection.dialect.name)):
                raise QueryError("The warehouse's views are those of another version; run `kinerja migrate` first.")
            bound = _resolved(connection, parameters)
            found = connection.execute(sa.text(query.sql).bindparams(*_bindings(bound)))
            columns = tuple(found.keys())
            rows = [tuple(_plain(column, value) for column, value in zip(columns, row, strict=True)) for row in found]
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise QueryError(f"The query {query.name} could not be run: {cause}") from error
    if with_names:
        return Answer(query, bound, columns, tuple(rows), ())
    kinds = classified(query.sql, relations())
    hidden = _hidden(columns, kinds)
    return Answer(query, bound, columns, tuple(_masked(columns, kinds, hidden, rows)), hidden)


def _parameters(query: Query, given: Mapping[str, str]) -> dict[str, Value]:
    parameters = dict(query.defaults)
    for name, value in given.items():
        if name not in parameters:
            known = ", ".join(parameters) or "no parameters"
            raise QueryError(f"The query {query.name} has no parameter '{name}'; it takes {known}.")
        if name == "period" and not _PERIOD.fullmatch(value):
            raise QueryError(f"'{value}' is not a period; write 2026-03, 2026-Q1, 2026-S1 or 2026.")
        if isinstance(parameters[name], int):
            if not re.fullmatch(r"[0-9]{1,9}", value):
                raise QueryError(f"'{value}' is not a whole number; {name} of {query.name} is one.")
            parameters[name] = int(value)
        else:
            parameters[name] = value
    return parameters


def _read_only(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        return
    connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    # An analyst's account sees the masked twins of tables and views, by the same names.
    connection.exec_driver_sql(
        "SELECT set_config('search_path', "
        "CASE WHEN has_schema_privilege(to_regnamespace('reporting'), 'USAGE') IS NOT FALSE "
        "THEN 'reporting' ELSE 'reporting_masked' END, true)"
    )


def _resolved(connection: sa.Connection, parameters: Parameters) -> dict[str, Value]:
    """With `latest month` turned into the last published one, of the region asked for."""
    region = parameters.get("region", ALL)
    regions = connection.execute(sa.text("SELECT region FROM region ORDER BY region")).scalars().all()
    if region != ALL and region not in regions:
        raise QueryError(f"Nothing is published of a region '{region}'; published are {', '.join(regions)}.")
    bound = dict(parameters)
    for name, value in parameters.items():
        if isinstance(value, str) and value.startswith(_LATEST):
            last = connection.execute(
                sa.text(
                    "SELECT max(period) FROM period_status "
                    "WHERE period_kind = :kind AND (:region = 'all' OR region = :region)"
                ).bindparams(*_bindings({"kind": value.removeprefix(_LATEST), "region": region}))
            ).scalar_one()
            bound[name] = last or ""
    return bound


def _bindings(parameters: Parameters) -> list[sa.BindParameter[Any]]:
    # The types are told, for PostgreSQL cannot guess them from a text alone.
    return [
        sa.bindparam(name, value, type_=sa.BigInteger() if isinstance(value, int) else sa.String())
        for name, value in parameters.items()
    ]


def _plain(column: str, value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)
    # SQLite has no booleans.
    return bool(value) if column.startswith(("is_", "has_")) and isinstance(value, int) else value


def _hidden(columns: Sequence[str], kinds: Classified) -> tuple[str, ...]:
    """Restricted columns; where there are some, a row is about a person, and confidential columns too."""
    found = {kinds.get(column, RESTRICTED) for column in columns}
    secret = {RESTRICTED, CONFIDENTIAL} if RESTRICTED in found else {RESTRICTED}
    return tuple(column for column in columns if kinds.get(column, RESTRICTED) in secret)


def _masked(
    columns: Sequence[str], kinds: Classified, hidden: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    numbers: dict[str, dict[Any, int]] = {}

    def mask(column: str, value: Any) -> Any:
        if value is None:
            return None
        if column not in hidden:
            # A file's name or a reason can quote a number that no classification knows of.
            return _NIP.sub(HIDDEN, value) if isinstance(value, str) else value
        if kinds.get(column, RESTRICTED) == CONFIDENTIAL:
            return HIDDEN
        # A superior who is listed too has one number.
        known = numbers.setdefault("nip" if column.endswith("nip") else column, {})
        return f"•{known.setdefault(value, len(known) + 1)}"

    return [tuple(mask(column, value) for column, value in zip(columns, row, strict=True)) for row in rows]


def _shown(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "ya" if value else "tidak"
        case int():
            return f"{value:,}"
        case _:
            return str(value)
