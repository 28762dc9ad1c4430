"""What a supplier or an operator wrote stays a text wherever analysts meet it: tables, files, pages, the terminal."""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from rich.console import Console

from kinerja_pipeline.cli.frame import new_console
from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.contracts.tables import warehouse_tables
from kinerja_pipeline.plain import csv_cell
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.policies.terms import Labels
from kinerja_pipeline.warehouse.bulk import insert_rows
from kinerja_pipeline.warehouse.database import migrate, open_warehouse
from kinerja_pipeline.warehouse.dictionary import dictionary as told
from kinerja_pipeline.warehouse.dictionary import html, markdown
from kinerja_pipeline.warehouse.explore import explored
from kinerja_pipeline.warehouse.masking import export_masked
from kinerja_pipeline.warehouse.outgoing import outgoing_schema
from kinerja_pipeline.warehouse.queries import Answer, load_queries

HOSTILE = (
    "=cmd|' /C calc'!A0",
    "+62;1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "'); DROP TABLE kpi; --",
    '" OR 1=1 --\\N',
    "[/b][link=http://127.0.0.1]x[/link]:smile:",
    "\x1b[2J\x1b]0;x\x07\u202egnp",
    "| a | [b](javascript:alert(1)) `c`",
    "{{7*7}} %s ${x} \\",
)
OUTGOING = load_contracts().outgoing
_VALUES: dict[str, Any] = {
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "date": pl.Series(["2026-03-02"]).str.to_date("%Y-%m-%d")[0],
    "timestamp": pl.Series(["2026-03-02 01:00:00"]).str.to_datetime("%Y-%m-%d %H:%M:%S", time_zone="UTC")[0],
}


def hostile_rows(table: str) -> pl.DataFrame:
    """A row per hostile text, which stands in every text column; what must differ from row to row does."""
    page, rows = OUTGOING[table], []
    for number, text in enumerate(HOSTILE):
        values = {**_VALUES, "string": text, "integer": number}
        keyed = {c.name: f"{text}{number}" for c in page.columns if c.kind == "string" and c.key_position is not None}
        rows.append({c.name: keyed.get(c.name, values[c.kind]) for c in page.columns})
    return pl.DataFrame(rows, schema=dict(outgoing_schema(page)), strict=False)


def test_a_hostile_text_in_any_column_of_any_table_is_stored_as_it_is(engine: sa.Engine) -> None:
    migrate(engine)
    metadata = warehouse_tables(OUTGOING, engine.dialect.name)
    tables = {table.name: table for table in metadata.sorted_tables}
    with engine.connect() as connection:
        for name in OUTGOING:
            rows = hostile_rows(name)
            insert_rows(connection, tables[name], rows)
            texts = [c.name for c in OUTGOING[name].columns if c.kind == "string"]
            found = connection.execute(sa.select(*(tables[name].c[t] for t in texts))).all()
            assert sorted(map(tuple, found)) == sorted(rows.select(texts).rows()), name
        connection.rollback()


@pytest.mark.parametrize("text", HOSTILE)
def test_an_answer_shows_a_hostile_text_and_obeys_none(text: str) -> None:
    answer = Answer(next(iter(load_queries().values())), {}, ("name", "n"), ((text, -5.5),), ())
    [_, [cell, number]] = list(csv.reader(io.StringIO(answer.csv())))
    assert (cell if cell == text else cell[1:], number) == (text, "-5.5")
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    shown = printed(answer.table())
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert all(word in shown for word in re.findall("[A-Za-z]{4,}", text))


def printed(*what: Any) -> str:
    """What reaches the terminal, without colours of our own."""
    console: Console = new_console()
    console.file, console.width = io.StringIO(), 200
    for each in what:
        console.print(each)
    return console.file.getvalue()


def test_numbers_and_dashes_stay_what_they_are_in_a_csv_file() -> None:
    for value in ("-5", "+62", "-1.234,5", "-", "2026-03", "a=b", "", None, -5.5, True):
        assert csv_cell(value) == value


def test_what_is_printed_keeps_its_lines_and_says_what_it_cannot_show() -> None:
    assert printed("[/b] :smile:\nb\x1b[31m\u202e") == "[/b] :smile:\nb\\x1b[31m\\u202e\n"


@pytest.fixture(scope="module")
def hostile_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The masked copy of a warehouse whose indicators are called like attacks."""
    folder = tmp_path_factory.mktemp("hostile")
    engine = open_warehouse(f"sqlite:///{folder}/warehouse.db")
    migrate(engine)
    tables = {table.name: table for table in warehouse_tables(OUTGOING, "sqlite").sorted_tables}
    with engine.begin() as connection:
        insert_rows(connection, tables["task_outcome"], hostile_rows("task_outcome"))
    file = folder / "kinerja.db"
    export_masked(engine.url.render_as_string(), file, "0123456789abcdef" * 2)
    engine.dispose()
    return file


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(f"{name}={value}" for name, value in attrs)))


def markup_of(page: str) -> list[tuple[str, tuple[str, ...]]]:
    tags = _Tags()
    tags.feed(page)
    return tags.found


def test_the_pages_of_explore_show_hostile_rows_and_run_nothing(hostile_copy: Path) -> None:
    with asyncio.Runner() as runner, explored(hostile_copy, "id") as datasette:
        page = runner.run(datasette.client.get("/kinerja/task_outcome")).text
    assert "&lt;script&gt;alert(1)" in page
    found = markup_of(page)
    assert not [1 for tag, attributes in found if any(a.startswith("onerror") for a in attributes)]
    assert not [a for _, attributes in found for a in attributes if a.lower().startswith(("href=javascript", "src=x"))]
    assert "alert(1)</script>" not in page


def test_the_dictionary_tells_a_hostile_policy_and_becomes_nothing_else() -> None:
    policies = dict(load_policies())
    clean = {tag for tag, _ in markup_of(html(told(policies, "en"), "en"))}
    policy, texts = policies["salor"], itertools.cycle(HOSTILE)
    assert len(policy.indicators) > len(HOSTILE)
    hostile = {
        name: one.model_copy(update={"labels": Labels(id=text, en=text), "source": text})
        for (name, one), text in zip(policy.indicators.items(), texts, strict=False)
    }
    policies["salor"] = policy.model_copy(update={"indicators": hostile})
    found = told(policies, "en")
    page, plain = html(found, "en"), markdown(found, "en")
    assert {tag for tag, _ in markup_of(page)} == clean
    assert not [a for _, attributes in markup_of(page) for a in attributes if "javascript:" in a]
    assert not [mark for mark in ("<script", "<img", "](javascript:", "\x1b", "\u202e") if mark in plain]
