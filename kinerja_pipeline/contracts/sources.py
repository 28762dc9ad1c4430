"""Where a published column comes from: what its page names, as columns of feeds and tables and as words.

Here: the words that stand for what is no column, names -> sources, a table's own columns followed. Not here: checking a
page (contracts/model), views, indicators and the way back to the feeds (warehouse/lineage).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Literal, NamedTuple

from kinerja_pipeline.contracts.model import ORIGINS, Contract, Contracts

WORDS: Mapping[str, str] = {
    "policy": "what the region's policy declares: numbers, codes, names, hours, the time zone",
    "contract": "what the contract pages declare: rules, tolerances, versions",
    "delivery": "the delivered files themselves: name, bytes, arrival, and what became of their rows",
    "program": "a fixed code of the program, or what it counts of its own work",
    "run": "the run: its region and month, its number, the day and the time at which it computes",
    "indicators": "the columns of facts that the declared indicators name",
}
"""What each word means; in any other than English the dictionary says it."""
assert set(WORDS) == set(ORIGINS)

Kind = Literal["feed", "table", "view", "indicator", "origin"]


class Source(NamedTuple):
    """A column of a feed, table or view; an indicator, or one of the words, has no column."""

    kind: Kind
    name: str
    column: str = ""

    @property
    def text(self) -> str:
        return f"{self.name}.{self.column}" if self.column else self.name


INDICATORS = Source("origin", "indicators")


def resolved(contracts: Contracts, names: Iterable[str]) -> tuple[Source, ...]:
    """What a page's `transformSourceObjects` names; `table.*` stands for every column of a published table. A name that
    a feed and a table share means the feed: what is published under it is computed from nothing else."""
    found = []
    for name in names:
        table, _, column = name.partition(".")
        feed = contracts.incoming.get(table)
        if not column:
            found.append(Source("origin", name))
        elif column == "*":
            found += [Source("table", table, each) for each in contracts.outgoing[table].names]
        elif feed is not None and column in feed.names:
            found.append(Source("feed", table, column))
        else:
            found.append(Source("table", table, column))
    return tuple(found)


def direct_sources(contracts: Contracts, contract: Contract) -> dict[str, tuple[Source, ...]]:
    """Each column of a published table with what it is computed from, other columns of the table among it."""
    return {c.name: resolved(contracts, c.sources) for c in contract.columns}


def outer_sources(contracts: Contracts, contract: Contract) -> dict[str, frozenset[Source]]:
    """The same with the table's own columns followed to what they are computed from: other tables, feeds, words."""
    direct = direct_sources(contracts, contract)

    @cache
    def outside(column: str) -> frozenset[Source]:
        found: set[Source] = set()
        for source in direct[column]:
            is_own = source.kind == "table" and source.name == contract.name
            found |= outside(source.column) if is_own else {source}
        return frozenset(found)

    return {column: outside(column) for column in direct}
