"""What the UI shows of the way of columns: which columns of other assets each column of a table is computed from.

Here: contracts' sources -> Dagster's column lineage, and the same as a table to read: the open-source UI draws none.
Both stand in definitions: each materialization has its metadata twice, and there they were three quarters of the event
log. Not here: the sources (contracts/sources), the way back to the feeds (warehouse/lineage).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dagster import AssetKey, MetadataValue, TableColumnDep, TableColumnLineage

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.contracts.sources import INDICATORS, WORDS, Source, outer_sources
from kinerja_pipeline.orchestration.deployment import Deployment

KEY = "dagster/column_lineage"
MEASURE, SUMS = ("kpi", "measure"), ("numerator", "denominator", "evidence_count")
"""Where the indicators are counted, and what is counted there: everything that rests on indicators comes by it."""
Room = Callable[[str], str]
"""The room whose asset a published table comes from."""


def column_lineage(deployment: Deployment, table: str, room: Room) -> dict[str, MetadataValue[Any]]:
    """The metadata of an asset that says which columns each column is computed from. Columns of the table
    itself are followed to other assets; words are no columns."""
    sources = outer_sources(deployment.contracts, deployment.contracts.outgoing[table])
    return _told({column: _deps(found, room) for column, found in sources.items()})


def counted_lineage(deployment: Deployment) -> dict[str, MetadataValue[Any]]:
    """The same of what is counted for the indicators of all regions."""
    deps = _deps(deployment.counted_columns, lambda _: "facts")
    return _told(dict.fromkeys(SUMS, deps))


def passed_on(contract: Contract, room: str) -> dict[str, MetadataValue[Any]]:
    """The same of a published table that is the asset of `room`, column by column; the region is put before it."""
    key = AssetKey([room, contract.name])
    return _told({name: [] if name == "region" else [TableColumnDep(key, name)] for name in contract.names})


def sources_table(contract: Contract) -> MetadataValue[Any]:
    """Every column with its sources as its page names them, and what the words among them mean."""
    lines = ["| column | computed from |", "|---|---|"]
    lines += [f"| `{c.name}` | {', '.join(_shown(source) for source in c.sources)} |" for c in contract.columns]
    used = [word for word in WORDS if any(word in c.sources for c in contract.columns)]
    return MetadataValue.md("\n".join([*lines, "", *(f"- *{word}*: {WORDS[word]}" for word in used)]))


def _shown(source: str) -> str:
    return f"*{source}*" if source in WORDS else f"`{source}`"


def _told(deps: dict[str, list[TableColumnDep]]) -> dict[str, MetadataValue[Any]]:
    return {KEY: MetadataValue.column_lineage(TableColumnLineage(deps))}


def _deps(sources: Iterable[Source], room: Room) -> list[TableColumnDep]:
    found: set[tuple[str, str, str]] = set()
    for source in sources:
        if source == INDICATORS:
            found |= {(*MEASURE, name) for name in SUMS}
        elif source.kind != "origin":
            found.add(("validated" if source.kind == "feed" else room(source.name), source.name, source.column))
    return [TableColumnDep(AssetKey([place, name]), column) for place, name, column in sorted(found)]
