"""Validated's assets: believed rows, their quarantine, and the tally that adds up, by feed.

Here: binding, checks and metadata. Not here: the split (validated/split), what it reads (validated/judge).
"""

import datetime as dt
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import polars as pl
from dagster import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetDep,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    MaterializeResult,
    PartitionMapping,
    multi_asset,
)

from kinerja_pipeline.contracts.model import TAPS_OF_EMPLOYEES, Contract
from kinerja_pipeline.facts.periods import add_months, month_end
from kinerja_pipeline.landing.deliveries import deliveries
from kinerja_pipeline.landing.freshness import month_due
from kinerja_pipeline.landing.landed import DATED
from kinerja_pipeline.orchestration import checks
from kinerja_pipeline.orchestration.basis import note_registers
from kinerja_pipeline.orchestration.checks import Partitions
from kinerja_pipeline.orchestration.deployment import Deployment, region_month_of
from kinerja_pipeline.orchestration.faults import retrying
from kinerja_pipeline.orchestration.metadata import counts, definition_metadata, team
from kinerja_pipeline.orchestration.plots import rejected_by_feed, rejected_share
from kinerja_pipeline.orchestration.preview import preview
from kinerja_pipeline.orchestration.resources import Clock, HomeResource, RegionLock
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.model import Policy
from kinerja_pipeline.validated.aside import laid_aside
from kinerja_pipeline.validated.evidence import Borne, blocked, borne, document, judged, standing
from kinerja_pipeline.validated.judge import (
    Judged,
    asked_columns,
    corrections_of,
    first_arrivals,
    judge_dated,
    judge_margin,
    judge_month,
    judge_year_before,
)
from kinerja_pipeline.validated.owners import Owners, owners
from kinerja_pipeline.validated.policy_rules import JUDGING
from kinerja_pipeline.validated.samples import samples
from kinerja_pipeline.validated.split import ConservationError, Split, conserved
from kinerja_pipeline.validated.usual import MONTHS, rows_by_feed, volume

CORRECTION = "correction"
MARGIN, YEAR_BEFORE, ARRIVAL = "attendance_margin", "measurement_year_before", "arrival"
VALIDATION = "validation"
"""The lake's room for what Great Expectations said of each feed and partition."""
EVENT_TALLY, DATED_TALLY = "event_tally", "dated_tally"
Result = MaterializeResult[None] | AssetCheckResult


def validated_assets(deployment: Deployment) -> list[AssetsDefinition]:
    return [_dated(deployment), _events(deployment)]


def _dated(deployment: Deployment) -> AssetsDefinition:
    feeds = deployment.dated_feeds
    register = AssetSpec(
        ["validated", CORRECTION],
        group_name="validated",
        kinds={"polars", "parquet"},
        deps=[["landing", name] for name in deployment.contracts.incoming],
        description="One row per correction of the region's register (corrections/<region>.yaml) and landed row that "
        "it means: what was replaced or dropped, why, by whom and when.",
    )
    specs = [register, *_feed_specs(feeds, None), _tally_spec(DATED_TALLY, feeds, None)]

    @multi_asset(
        name="validated_dated",
        specs=specs,
        check_specs=_check_specs(feeds, DATED_TALLY, deployment.region),
        partitions_def=deployment.region,
        can_subset=False,
    )
    @retrying
    def validated_dated(
        context: AssetExecutionContext, home: HomeResource, lock: RegionLock
    ) -> Iterator[MaterializeResult[None] | AssetCheckResult]:
        region = context.partition_key
        policy = deployment.policies[region]
        corrections = corrections_of(home.home, policy, deployment.contracts.incoming)
        home.lake.write(corrections, "validated", CORRECTION, region)
        yield MaterializeResult(asset_key=["validated", CORRECTION], metadata=_told(corrections))
        ledger = deliveries(home.home, region)
        with laid_aside(home.home.lake) as aside:
            splits = judge_dated(home.home, policy, feeds, corrections, aside)
            kept = _kept(home.lake, splits, DATED_TALLY, region, None, corrections, ledger)
            yield from _conserving(DATED_TALLY, kept)
        note_registers(home.home, policy, deployment.contracts)

    return validated_dated


def _events(deployment: Deployment) -> AssetsDefinition:
    feeds, partitions = deployment.event_feeds, deployment.region_month
    margin = AssetSpec(
        ["validated", MARGIN],
        group_name="validated",
        kinds={"polars", "parquet"},
        deps=_deps(deployment.contracts.incoming["attendance_log"], deployment.of_region),
        description="Believed taps of the neighbour months, up to 36 hours away: shifts cross midnight and month ends.",
    )
    year_before = AssetSpec(
        ["validated", YEAR_BEFORE],
        group_name="validated",
        kinds={"polars", "parquet"},
        deps=_deps(deployment.contracts.incoming["indicator_measurement"], deployment.of_region),
        description="Believed measurements of the same month last year, which growth is counted against.",
    )
    arrival = AssetSpec(
        ["validated", ARRIVAL],
        group_name="validated",
        kinds={"polars", "parquet"},
        deps=[AssetDep(["landing", c.name], partition_mapping=deployment.of_region) for c in feeds],
        description="When the month's files, and the first taps of every device and day, came.",
    )
    specs = [
        *_feed_specs(feeds, deployment.of_region),
        margin,
        year_before,
        arrival,
        _tally_spec(EVENT_TALLY, feeds, deployment.of_region),
    ]

    @multi_asset(
        name="validated",
        specs=specs,
        check_specs=_check_specs(feeds, EVENT_TALLY, partitions),
        partitions_def=partitions,
        can_subset=False,
    )
    @retrying
    def validated(
        context: AssetExecutionContext, home: HomeResource, clock: Clock, lock: RegionLock
    ) -> Iterator[MaterializeResult[None] | AssetCheckResult]:
        region, month = region_month_of(context)
        policy, lake = deployment.policy(region, month), home.lake
        asked = asked_columns(policy, feeds)
        references = {name: lake.read("validated", name, region, columns=asked[name]) for name in asked}
        # An answer may come months before its round counts, and under another version of the policy.
        rounds = deployment.policies.rounds(region)
        corrections = lake.read("validated", CORRECTION, region) if lake.has("validated", CORRECTION, region) else None
        computed = _computed_rounds(lake, region)
        ledger = deliveries(home.home, region)
        with laid_aside(home.home.lake) as aside:
            splits = judge_month(home.home, policy, month, feeds, references, computed, rounds, corrections, aside)
            kept = _kept(lake, splits, EVENT_TALLY, region, month, corrections, ledger)
            yield from _conserving(EVENT_TALLY, kept)
        yield from _looked_at(lake, policy, month, feeds, clock.local_today(policy.zone))
        taps = deployment.contracts.incoming["attendance_log"]
        near = judge_margin(home.home, policy, month, taps, references, corrections)
        lake.write(near, "validated", MARGIN, region, month)
        yield MaterializeResult(asset_key=["validated", MARGIN], metadata={"dagster/row_count": len(near)})
        measured = deployment.contracts.incoming["indicator_measurement"]
        before = judge_year_before(home.home, policy, month, measured, references, corrections)
        lake.write(before, "validated", YEAR_BEFORE, region, month)
        yield MaterializeResult(asset_key=["validated", YEAR_BEFORE], metadata={"dagster/row_count": len(before)})
        came = first_arrivals(home.home, policy, month, deployment.contracts.incoming["attendance_log"])
        lake.write(came, "validated", ARRIVAL, region, month)
        yield MaterializeResult(asset_key=["validated", ARRIVAL], metadata={"dagster/row_count": len(came)})

    return validated


def _computed_rounds(lake: Lake, region: str) -> dict[str, list[str]]:
    """The appraisal rounds that earlier runs have computed, with the deliveries that their answers came from.

    No dependency of the graph: what a run computes must not wait for what it computes later.
    """
    months = lake.months("facts", "appraisal_round", region)
    rounds = lake.read("facts", "appraisal_round", region, months).to_dicts() if months else []
    return {row["round_id"]: row["delivery_ids"] for row in rounds}


def _deps(contract: Contract, of_region: PartitionMapping | None) -> list[AssetDep]:
    """What a feed's rows are judged from: its landed files, and the registers that its references name."""
    referred = {r.reference[0] for r in contract.rules if r.reference} - {contract.name}
    # Rules are added that ask the registers.
    referred |= set(JUDGING.get(contract.name, ()))
    keys = [["landing", contract.name], *(["validated", name] for name in sorted({*referred, CORRECTION}))]
    return [AssetDep(key, partition_mapping=of_region) for key in keys]


def _feed_specs(feeds: Iterable[Contract], of_region: PartitionMapping | None) -> Iterator[AssetSpec]:
    for contract in feeds:
        for room, text in (
            ("validated", f"Rows believed. {contract.description}"),
            ("quarantine", f"Rows of {contract.name} not believed, as delivered, each with its reasons."),
        ):
            yield AssetSpec(
                [room, contract.name],
                group_name=room,
                kinds={"polars", "parquet"},
                deps=_deps(contract, of_region),
                description=text,
                owners=team(contract),
                metadata=definition_metadata(contract) if room == "validated" else None,
            )


def _tally_spec(name: str, feeds: Iterable[Contract], of_region: PartitionMapping | None) -> AssetSpec:
    return AssetSpec(
        ["validated", name],
        group_name="validated",
        kinds={"polars", "parquet"},
        deps=[AssetDep(["landing", c.name], partition_mapping=of_region) for c in feeds],
        description="One row per delivery and rule that failed, and one `all` per delivery: landed = valid + "
        f"rejected + superseded. Feeds: {', '.join(c.name for c in feeds)}.",
    )


def _check_specs(feeds: Iterable[Contract], tally: str, partitions: Partitions) -> list[AssetCheckSpec]:
    specs = [checks.conservation_check_spec(AssetKey(["validated", tally]), partitions)]
    for contract in feeds:
        key = _key(contract)
        specs += [
            checks.contract_check_spec(contract, key, partitions),
            *checks.rule_check_specs(contract, key, partitions),
            *([checks.volume_check_spec(contract, key, partitions)] if contract.is_event else []),
            *([checks.taps_check_spec(contract, key, partitions)] if contract.bound(TAPS_OF_EMPLOYEES) else []),
        ]
    return specs


def _key(contract: Contract) -> AssetKey:
    return AssetKey(["validated", contract.name])


def _told(corrections: pl.DataFrame) -> dict[str, int]:
    by_action = dict(corrections["action"].value_counts().iter_rows())
    told = {"replaced": by_action.get("replace", 0), "dropped": by_action.get("drop", 0)}
    return {"dagster/row_count": len(corrections), **told}


def _corrected(corrections: pl.DataFrame | None, feed: Contract, month: str | None) -> dict[str, int]:
    """How many rows of the partition a person corrected; said only where there are some."""
    if corrections is None:
        return {}
    own = corrections.filter(pl.col("feed") == feed.name, pl.col("_month").is_in([month or DATED]))
    return {"corrected rows": len(own)} if len(own) else {}


class _Feed(NamedTuple):
    """One feed's split, and the lines of its tally that still count."""

    contract: Contract
    split: Split
    standing: pl.DataFrame

    @property
    def blocks(self) -> list[Borne]:
        return [each for each in borne(self.contract, self.standing) if each.rule.is_blocking and not each.is_met]


def _conserving(tally: str, results: Iterable[Result]) -> Iterator[Result]:
    """Rows that went missing are a fault of the program, and to be seen like any other."""
    try:
        yield from results
    except ConservationError as error:
        yield checks.lost_check(AssetKey(["validated", tally]), str(error))
        raise


def _kept(
    lake: Lake,
    splits: Iterable[Judged],
    tally_name: str,
    region: str,
    month: str | None,
    corrections: pl.DataFrame | None,
    ledger: pl.DataFrame,
) -> Iterator[Result]:
    """Writes each feed's split and its judgement to the lake and says what became of it.

    Where a blocking rule is broken, the rows that were believed before stay, the new ones are kept in the quarantine
    alone, and Blocked is raised when every feed has been looked at. Registers refer to each other: of them none is
    written then.
    """
    tallies, start, partition = [], time.perf_counter(), month or DATED
    stopped: dict[str, tuple[Contract, Sequence[Borne]]] = {}
    names = dict(ledger.select("delivery_id", "file_name").iter_rows())
    feeds: Iterable[_Feed] = (_Feed(c, s, standing(s.tally, ledger, c.name, partition)) for c, s in splits)
    if month is None:
        feeds = list(feeds)
        stopped = {f.contract.name: (f.contract, f.blocks) for f in feeds if f.blocks}
    for feed in feeds:
        contract, result, now = feed
        stopped |= {contract.name: (contract, feed.blocks)} if feed.blocks else {}
        is_believed = contract.name not in stopped if month else not stopped
        lake.write(result.rejected, "quarantine", contract.name, region, month)
        if is_believed:
            parts = conserved(result.valid_parts(), result.tally, contract.name)
            looked_at = next(parts)
            written = lake.write_parts(chain([looked_at], parts), len, "validated", contract.name, region, month)
            believed = sum(written)
        judgement = judged(contract, result)
        kept = document(contract, result, judgement, region, month, now)
        lake.write_document(kept, VALIDATION, contract.name, region, month)
        tallies.append(result.tally)
        seconds, start = time.perf_counter() - start, time.perf_counter()
        yield MaterializeResult(
            asset_key=["quarantine", contract.name],
            metadata={**counts(len(result.rejected), seconds), **rejected_share(result.tally)},
        )
        if is_believed:
            yield MaterializeResult(
                asset_key=_key(contract),
                metadata={
                    **counts(believed, seconds),
                    **_corrected(corrections, contract, month),
                    **preview(contract, looked_at),
                },
            )
        # By themselves: checks inside a MaterializeResult have Dagster look up the last materialization twice.
        is_standing = pl.col("_delivery_id").is_in(now["delivery_id"].unique().implode())
        shown = samples(contract, result.rejected.filter(is_standing), names)
        yield checks.contract_check(contract, _key(contract), judgement, result.tally, shown, now)
        yield from checks.rule_checks(contract, _key(contract), borne(contract, now), shown)
    tally = pl.concat(tallies)
    yield checks.conservation_check(AssetKey(["validated", tally_name]), tally, _landed(ledger, month))
    if stopped:
        raise blocked(region, month, stopped)
    lake.write(tally, "validated", tally_name, region, month)
    yield MaterializeResult(
        asset_key=["validated", tally_name], metadata={"dagster/row_count": len(tally), **rejected_by_feed(tally)}
    )


def _looked_at(
    lake: Lake,
    policy: Policy,
    month: str,
    feeds: Iterable[Contract],
    today: dt.date,
) -> Iterator[AssetCheckResult]:
    """What is asked of feeds as a whole, once their rows are believed: nothing here keeps a month from being published.
    A register of PINs that the region does not have is not asked whose taps they are."""
    before = [add_months(month, -n) for n in range(MONTHS + 1)]
    rows = {
        m: rows_by_feed(lake.read("validated", EVENT_TALLY, policy.region, m))
        for m in before
        if lake.has("validated", EVENT_TALLY, policy.region, m)
    }
    for contract in feeds:
        name, key = contract.name, _key(contract)
        earlier = {m: found.get(name, 0) for m, found in rows.items() if m != month}
        is_complete = today > (month_due(contract, policy, month) or month_end(month))
        found = volume(contract, month, rows[month].get(name, 0), earlier, is_complete)
        yield checks.volume_check(contract, key, month, found)
        if contract.bound(TAPS_OF_EMPLOYEES):
            found_of = _owners(lake, name, policy.region, month) if "device_pin" in policy.feeds else None
            yield checks.taps_check(contract, key, found_of)


def _owners(lake: Lake, taps: str, region: str, month: str) -> Owners:
    registers = {
        "device_pin": ["device_id", "pin", "nip", "valid_from", "valid_to"],
        "employee": ["nip", "assignment_code", "valid_from", "valid_to"],
    }
    read = (lake.read("validated", name, region, columns=columns) for name, columns in registers.items())
    return owners(lake.scan("validated", taps, region, month), *read)


def _landed(ledger: pl.DataFrame, month: str | None) -> pl.DataFrame:
    """How many rows of the partition each delivery has by the ledger."""
    each = ledger.filter(pl.col("status_code") == "landed").explode("months").unnest("months", separator="_")
    own = each.filter(pl.col("months_name") == (month or DATED))
    return own.select("feed", "delivery_id", ledger_count="months_row_count").unique(["feed", "delivery_id"])
