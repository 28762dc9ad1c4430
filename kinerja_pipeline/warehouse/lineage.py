"""The way of a column from the feeds to the reports: what it is computed from, and on which delivered columns it rests.

Here: pages, views and indicators -> one graph of columns, and ways through it. Not here: what pages name
(contracts/sources), reading SQL (warehouse/columns), showing it (warehouse/dictionary, orchestration/column_lineage).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kinerja_pipeline.contracts.model import Contract, Contracts
from kinerja_pipeline.contracts.sources import INDICATORS, Source, direct_sources
from kinerja_pipeline.policies.indicators import indicator_sources
from kinerja_pipeline.policies.model import Policy
from kinerja_pipeline.warehouse.columns import ROWS, read_by, selected
from kinerja_pipeline.warehouse.views import View

KEPT: Mapping[str, str] = {
    "performance_rating.result_rating": "The official rating of the results is kept; the published one is "
    "computed from indicators and only recommended.",
    "task_record.approver_nip": "Kept for whoever checks a task; no figure is computed from it.",
    "task_record.evidence": "Kept for whoever looks for a task's evidence; no figure is computed from it.",
}
"""Delivered columns from which nothing is published and of which no rule asks, and why they are taken in."""


@dataclass(frozen=True)
class Lineage:
    """`direct` has every published column, view column and indicator with what it is computed from; delivered columns
    and words are computed from nothing."""

    direct: Mapping[Source, frozenset[Source]]
    _ends: dict[Source, frozenset[Source]] = field(default_factory=dict, repr=False, compare=False)

    def rests_on(self, source: Source) -> frozenset[Source]:
        """The delivered columns, and the words, at which every way back from `source` ends."""
        if source not in self._ends:
            before = self.direct.get(source)
            ends = frozenset({source}) if before is None else frozenset().union(*map(self.rests_on, before))
            self._ends[source] = ends
        return self._ends[source]

    def used_by(self, feed: str) -> dict[str, set[Source]]:
        """Per column of a feed: the published columns and the indicators that are computed from it at once."""
        found: dict[str, set[Source]] = {}
        for column, before in self.direct.items():
            for source in before:
                is_computed = column.kind in ("table", "indicator") and column.column != ROWS
                if is_computed and (source.kind, source.name) == ("feed", feed):
                    found.setdefault(source.column, set()).add(column)
        return found


def lineage(contracts: Contracts, views: Iterable[View], policies: Iterable[Policy]) -> Lineage:
    """The graph of a deployment. `views` come after those that they read; an indicator that regions declare in several
    ways stands for all of them."""
    direct: dict[Source, frozenset[Source]] = {}
    relations: dict[str, tuple[str, ...]] = {}
    for table in contracts.outgoing.values():
        relations[table.name] = table.names
        for column, sources in direct_sources(contracts, table).items():
            direct[Source("table", table.name, column)] = frozenset(sources)
        direct[Source("table", table.name, ROWS)] = frozenset(Source("table", table.name, c) for c in table.key)
    for view in views:
        made: dict[str, Iterable[tuple[str, str]]] = dict(selected(view.sql, relations))
        relations[view.name] = tuple(made)
        made[ROWS] = [(name, ROWS) for name in read_by(view.sql)]
        for column, columns in made.items():
            direct[Source("view", view.name, column)] = frozenset(
                Source("table" if name in contracts.outgoing else "view", name, each) for name, each in columns
            ) or frozenset({Source("origin", "program")})  # a text that the view states itself
    for policy in policies:
        for name, declared in policy.indicators.items():
            if declared.is_active:
                key = Source("indicator", name)
                direct[key] = direct.get(key, frozenset()) | indicator_sources(declared, contracts)
    direct[INDICATORS] = frozenset(source for source in direct if source.kind == "indicator")
    return Lineage(direct)


def asked_of(feed: Contract) -> dict[str, list[str]]:
    """Per column what the contract itself does with it: its key, its month, and the rules that it states or refers
    by."""
    found: dict[str, list[str]] = {}
    for column in feed.key:
        found.setdefault(column, []).append("key")
    if feed.month_from:
        found.setdefault(feed.month_from, []).append("month")
    for rule in feed.rules:
        if rule.what in ("row", "reference"):
            for column in rule.columns:
                found.setdefault(column, []).append(rule.name)
    return found
