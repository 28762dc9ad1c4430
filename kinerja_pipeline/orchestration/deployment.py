"""What every room's assets are built from: contracts, policies, and the partitions that follow from them.

Here: one value made once per code location, and partition keys to values. Not here: run-time resources
(orchestration/resources) and any asset.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from dagster import (
    AssetExecutionContext,
    AssetKey,
    DimensionPartitionMapping,
    IdentityPartitionMapping,
    MonthlyPartitionsDefinition,
    MultiPartitionKey,
    MultiPartitionMapping,
    MultiPartitionsDefinition,
    MultiToSingleDimensionPartitionMapping,
    PartitionMapping,
    StaticPartitionsDefinition,
    TimeWindowPartitionMapping,
)
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph, AssetNode

from kinerja_pipeline.contracts.model import Contract, Contracts
from kinerja_pipeline.contracts.sources import Source
from kinerja_pipeline.facts.periods import period_end_month
from kinerja_pipeline.policies.dated import Policies
from kinerja_pipeline.policies.indicators import CompiledIndicator, compiled, indicator_sources
from kinerja_pipeline.policies.loader import policy_version
from kinerja_pipeline.policies.model import Policy


@dataclass(frozen=True)
class Deployment:
    """Contracts and policies of one deployment; partitions are its regions, and months from the first any knows."""

    contracts: Contracts
    policies: Policies

    @cached_property
    def region(self) -> StaticPartitionsDefinition:
        return StaticPartitionsDefinition(list(self.policies))

    @cached_property
    def region_month(self) -> MultiPartitionsDefinition:
        first = min(p.first_month for p in self.policies.values())
        # One month ahead of the clock: the running month is a partition too, so that operators see it fill.
        month = MonthlyPartitionsDefinition(start_date=first, fmt="%Y-%m", end_offset=1)
        return MultiPartitionsDefinition({"region": self.region, "month": month})

    @cached_property
    def of_region(self) -> PartitionMapping:
        """A region-month that needs what the region has."""
        return MultiToSingleDimensionPartitionMapping("region")

    def window(self, before: int) -> PartitionMapping:
        """A region-month that needs the same region's months from `before` earlier up to itself."""
        months = TimeWindowPartitionMapping(start_offset=-before, allow_nonexistent_upstream_partitions=True)
        return MultiPartitionMapping(
            {
                "region": DimensionPartitionMapping("region", IdentityPartitionMapping()),
                "month": DimensionPartitionMapping("month", months),
            }
        )

    def policy(self, region: str, period: str) -> Policy:
        """The policy that rules a period of a region: a month's own, a longer period's that of its last day."""
        return self.policies.in_force(region, period_end_month(period))

    def indicators(self, policy: Policy) -> tuple[CompiledIndicator, ...]:
        """The compiled indicators of one of the deployment's policies."""
        return self.compiled_indicators[policy_version(policy)]

    @cached_property
    def compiled_indicators(self) -> Mapping[str, tuple[CompiledIndicator, ...]]:
        """The indicators of every version of every region's policy; raises PolicyError when a declaration is wrong."""
        every = [policy for region in self.policies for policy in self.policies.versions(region)]
        return {policy_version(policy): compiled(policy, self.contracts) for policy in every}

    def check(self) -> None:
        """Raises PolicyError when an indicator of any version of any region's policy cannot be computed."""
        _ = self.compiled_indicators

    @cached_property
    def replaced_tables(self) -> tuple[str, ...]:
        """The tables that a publication replaces; to the ledger and the restatements it only adds."""
        return tuple(name for name in self.contracts.outgoing if name not in ("publication", "restatement"))

    @cached_property
    def counted_columns(self) -> frozenset[Source]:
        """The columns that any indicator of any version of any region's policy is computed from."""
        every = [i for compiled_by in self.compiled_indicators.values() for i in compiled_by]
        return frozenset().union(*(indicator_sources(i.declared, self.contracts) for i in every))

    @cached_property
    def event_feeds(self) -> tuple[Contract, ...]:
        return tuple(c for c in self.contracts.incoming.values() if c.is_event)

    @cached_property
    def dated_feeds(self) -> tuple[Contract, ...]:
        """The dated feeds, each after those it refers to; those that nothing refers to come last of their like, for
        policies add rules that ask registers (validated/policy_rules)."""
        left = {c.name: c for c in self.contracts.incoming.values() if not c.is_event}
        asked = {r.reference[0] for c in left.values() for r in c.rules if r.reference}
        ordered: list[Contract] = []
        while left:
            ready = [
                c
                for c in left.values()
                if not {r.reference[0] for r in c.rules if r.reference} & (left.keys() - {c.name})
            ]
            assert ready, f"these feeds refer to each other in a circle: {', '.join(left)}"
            ordered += sorted(ready, key=lambda c: c.name not in asked)
            for contract in ready:
                del left[contract.name]
        return tuple(ordered)


def looking_back(graph: AssetGraph) -> frozenset[AssetKey]:
    """The assets of a region-month that read other months, and all that is made from them: what has to run again where
    only an earlier month changed. Assets made by one function come together."""
    nodes = [graph.get(key) for key in graph.materializable_asset_keys]
    looking = [node for node in nodes if any(map(_reads_earlier, node.partition_mappings.values()))]
    found = {key for node in looking for key in _made_with(node)}
    while more := {key for node in nodes if node.parent_keys & found for key in _made_with(node)} - found:
        found |= more
    return frozenset(found)


def _made_with(node: AssetNode) -> AbstractSet[AssetKey]:
    return node.execution_set_asset_keys


def _reads_earlier(mapping: PartitionMapping) -> bool:
    if not isinstance(mapping, MultiPartitionMapping):
        return False
    windows = (m.partition_mapping for m in mapping.downstream_mappings_by_upstream_dimension.values())
    return any(isinstance(w, TimeWindowPartitionMapping) and w.start_offset < 0 for w in windows)


def partition_key(region: str, month: str) -> MultiPartitionKey:
    """Dagster's key of a region and month ('2026-03')."""
    return MultiPartitionKey({"region": region, "month": month})


def region_month_of(context: AssetExecutionContext) -> tuple[str, str]:
    """The region and month ('2026-03') that a run works on."""
    key = context.partition_key
    assert isinstance(key, MultiPartitionKey)
    dimensions = key.keys_by_dimension
    return dimensions["region"], dimensions["month"]
