"""Looking around in the analysts' copy with a browser: Datasette, told by the contracts what it shows.

Here: contracts, views and the cookbook -> Datasette's metadata, and its server. Not here: the copy itself
(warehouse/masking), the descriptions (warehouse/dictionary), the questions (warehouse/queries).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from kinerja_pipeline.contracts.model import Contract, load_contracts
from kinerja_pipeline.contracts.words import Language
from kinerja_pipeline.warehouse.dictionary import described_table, described_view
from kinerja_pipeline.warehouse.personal import classified_relations
from kinerja_pipeline.warehouse.pseudonyms import NO_NAME
from kinerja_pipeline.warehouse.queries import ALL, Query, Value, load_queries
from kinerja_pipeline.warehouse.views import load_views

SETTINGS: Mapping[str, Any] = {
    # A facet or a question over some million rows takes longer than the fifth of a second that Datasette grants.
    "facet_time_limit_ms": 2000,
    "sql_time_limit_ms": 10000,
    "default_facet_size": 20,
    "allow_download": False,
}
_FACETS = ("region", "period_kind", "period", "unit_id", "feed", "indicator_id", "survey_code", "employment_status")
"""What people filter by, besides columns with a closed list of codes."""
_MOST_FACETS = 6
_TEXTS: Mapping[Language, Mapping[str, str]] = {
    "id": {
        "title": "Kinerja: salinan untuk analis",
        "about": "Tanpa nama; setiap NIP diganti nama samaran yang sama di semua tabel. Hanya dapat dibaca.",
        "for": "Untuk",
        "parameters": "Isian yang kosong berarti",
    },
    "en": {
        "title": "Kinerja: the analysts' copy",
        "about": "No names; each NIP is replaced by a pseudonym, the same in every table. Read-only.",
        "for": "For",
        "parameters": "What is left empty means",
    },
}


class ExploreError(Exception):
    """The file is not shown; the message says why and what to do."""


def check_masked(file: Path) -> None:
    """Raises ExploreError for a file that is no copy of a warehouse, or one with NIPs or names in it."""
    instead = "Make one with `kinerja export --masked`, or name none to have one made."
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            query = "SELECT count(*) FROM employee WHERE nip NOT LIKE 'p%' OR name <> ?"
            [(named,)] = connection.execute(query, [NO_NAME]).fetchall()
    except sqlite3.Error:
        raise ExploreError(f"{file} is no copy of the warehouse. {instead}") from None
    if named:
        raise ExploreError(f"{file} has people's names or NIPs in it. {instead}")


def metadata(database: str, language: Language) -> dict[str, Any]:
    """What Datasette is told of the copy that it calls `database`: tables, views and columns in words, by what people
    filter them, and the cookbook as canned queries whose empty parameters mean their defaults."""
    texts = _TEXTS[language]
    tables = {name: _table(contract, language) for name, contract in load_contracts().outgoing.items()}
    views = {}
    for view in load_views():
        columns = list(classified_relations()[view.name])
        told, audience = described_view(view, language)
        views[view.name] = {"description": f"{told} {texts['for']}: {audience}", "facets": _facets(columns, ())}
    queries = {name: _canned(query, language) for name, query in load_queries().items()}
    return {
        "title": texts["title"],
        "description": texts["about"],
        "databases": {
            database: {
                "description": texts["about"],
                "tables": {**tables, **views, "alembic_version": {"hidden": True}},
                "queries": queries,
            }
        },
    }


def _table(contract: Contract, language: Language) -> dict[str, Any]:
    told, columns = described_table(contract, language)
    coded = [c.name for c in contract.columns if c.codes or c.kind == "boolean"]
    return {
        "description": f"{told} ({contract.grain})",
        "columns": columns,
        "facets": _facets(contract.names, coded),
        **({"sort_desc": "period"} if "period" in contract.names else {}),
    }


def _facets(columns: Mapping[str, Any] | list[str] | tuple[str, ...], coded: list[str] | tuple[str, ...]) -> list[str]:
    usual = [name for name in _FACETS if name in columns]
    return list(dict.fromkeys([*usual, *coded]))[:_MOST_FACETS]


def _canned(query: Query, language: Language) -> dict[str, Any]:
    questions = {"id": query.question_id, "en": query.question_en}
    defaults = ", ".join(f"{name} = {value}" for name, value in query.defaults.items())
    return {
        "title": questions[language],
        "description": f"{_TEXTS[language]['parameters']}: {defaults}." if defaults else "",
        "sql": with_defaults(query),
        "hide_sql": True,
        "params": list(query.defaults),
    }


def with_defaults(query: Query) -> str:
    """The question's SQL for SQLite, in which a parameter that is empty or missing stands for its default."""

    def given(found: re.Match[str]) -> str:
        name = found[1]
        return _or_default(name, query.defaults[name]) if name in query.defaults else found[0]

    return re.sub(r"(?<!:):(\w+)", given, query.sql)


def _or_default(name: str, default: Value) -> str:
    said = f"nullif(trim(:{name}), '')"
    if isinstance(default, int):
        return f"CAST(coalesce({said}, '{default}') AS integer)"
    if default.startswith("latest "):
        region = f"coalesce(nullif(trim(:region), ''), '{ALL}')"
        latest = (
            f"SELECT max(period) FROM period_status WHERE period_kind = '{default.removeprefix('latest ')}' "
            f"AND ({region} = '{ALL}' OR region = {region})"
        )
        return f"coalesce({said}, ({latest}))"
    return f"coalesce({said}, '{default}')"


@contextmanager
def explored(copy: Path, language: Language) -> Iterator[Any]:
    """Datasette's application over the copy, which it can only read."""
    from datasette.app import Datasette

    datasette = Datasette(
        files=[], immutables=[str(copy)], metadata=metadata(copy.stem, language), settings=dict(SETTINGS), cors=False
    )
    try:
        yield datasette
    finally:
        datasette.executor.shutdown()


def serve(copy: Path, language: Language, host: str, port: int, *, opens_browser: bool) -> None:
    """Shows the copy at http://host:port until Ctrl-C."""
    import asyncio
    import webbrowser

    import rich
    import uvicorn

    # Datasette prints every mistaken query with all its variables; the page says what was wrong.
    rich.reconfigure(quiet=True)
    with explored(copy, language) as datasette:
        asyncio.run(datasette.invoke_startup())
        if opens_browser:
            webbrowser.open(f"http://{host}:{port}/{copy.stem}")
        uvicorn.run(datasette.app(), host=host, port=port, log_level="warning", lifespan="on")
