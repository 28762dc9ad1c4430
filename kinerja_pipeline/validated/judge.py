"""A region's landed rows -> validated tables: which frames a split needs, and where they come from.

Here: reading landed rows and references, splitting feed by feed. Not here: the split itself (validated/split), Dagster.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import polars as pl

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.facts.periods import add_months, month_end, month_start
from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.deliveries import deliveries
from kinerja_pipeline.landing.landed import landed_parts, scan_landed
from kinerja_pipeline.policies.model import Policy
from kinerja_pipeline.validated.corrections import corrected, register_path, resolved
from kinerja_pipeline.validated.parsing import cleaned, parsed
from kinerja_pipeline.validated.policy_rules import Rounds, with_policy_rules
from kinerja_pipeline.validated.split import Aside, Split, split

_NO_DATE = pl.lit(None, dtype=pl.Date)
MARGIN = dt.timedelta(hours=36)
"""Attendance of a month reads this much of its neighbours: shifts cross midnight and month ends."""


class Judged(NamedTuple):
    """One feed's split."""

    contract: Contract
    split: Split


def corrections_of(home: Home, policy: Policy, feeds: Mapping[str, Contract]) -> pl.DataFrame:
    """The landed rows that the region's register of corrections means. Raises CorrectionError."""
    region = policy.region
    return resolved(
        register_path(home.corrections, region),
        feeds,
        policy.time_zone,
        lambda feed: scan_landed(home, region, feed, None),
        deliveries(home, region),
    )


def asked_columns(policy: Policy, feeds: Iterable[Contract]) -> dict[str, list[str]]:
    """The columns of each register that rules of the feeds ask for."""
    rules = (rule for page in feeds for rule in with_policy_rules(page, policy).rules)
    asked: dict[str, set[str]] = {}
    for table, columns in (rule.reference for rule in rules if rule.reference is not None):
        asked.setdefault(table, set()).update(columns)
    return {table: sorted(columns) for table, columns in sorted(asked.items())}


def _landed_parts(
    home: Home, policy: Policy, feed: Contract, month: str | None, register: pl.DataFrame | None
) -> Iterator[pl.DataFrame]:
    """The landed rows as the register says they must read."""
    for rows in landed_parts(home, policy.region, feed.name, month):
        yield rows if register is None else corrected(rows, feed, register)


def judge_dated(
    home: Home,
    policy: Policy,
    feeds: Sequence[Contract],
    corrections: pl.DataFrame | None = None,
    aside: Aside = pl.DataFrame.lazy,
) -> Iterator[Judged]:
    """Splits the dated feeds of a region in order, each checked against those before it.

    A reference to a feed that the policy does not declare is not checked. `corrections` are those of corrections_of;
    `aside` is as `split` takes it.
    """
    references: dict[str, pl.DataFrame] = {}
    asked = asked_columns(policy, feeds)
    for page in feeds:
        contract = with_policy_rules(page, policy)
        landed = _landed_parts(home, policy, contract, None, corrections)
        ledger = deliveries(home, policy.region, contract.name)
        result = split(landed, contract, zone=policy.time_zone, references=references, deliveries=ledger, aside=aside)
        if contract.name in policy.feeds and contract.name in asked:
            references[contract.name] = pl.concat(result.valid_parts(asked[contract.name]))
        yield Judged(contract, result)


def judge_month(
    home: Home,
    policy: Policy,
    month: str,
    feeds: Iterable[Contract],
    references: Mapping[str, pl.DataFrame],
    computed_rounds: Mapping[str, Iterable[str]] | None = None,
    rounds: Rounds | None = None,
    corrections: pl.DataFrame | None = None,
    aside: Aside = pl.DataFrame.lazy,
) -> Iterator[Judged]:
    """Splits the event feeds of a region and month against the region's validated dated feeds, by the rules of their
    contracts and those that the policy adds. `references` hold at least the columns of asked_columns; `computed_rounds`
    and `rounds` are as `with_policy_rules` takes them, `aside` as `split` does."""
    declared = {name: frame for name, frame in references.items() if name in policy.feeds}
    for page in feeds:
        contract = with_policy_rules(page, policy, computed_rounds, rounds)
        landed = _landed_parts(home, policy, contract, month, corrections)
        ledger = deliveries(home, policy.region, contract.name)
        result = split(
            landed,
            contract,
            zone=policy.time_zone,
            references=declared,
            deliveries=ledger,
            month=month,
            aside=aside,
        )
        yield Judged(contract, result)


def judge_margin(
    home: Home,
    policy: Policy,
    month: str,
    contract: Contract,
    references: Mapping[str, pl.DataFrame],
    corrections: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The valid rows of the neighbour months within 36 hours of `month`, from the landed rows themselves, so that a
    month does not depend on whether its neighbours have been computed."""
    declared = {name: frame for name, frame in references.items() if name in policy.feeds}
    ledger = deliveries(home, policy.region, contract.name)
    first = dt.datetime.combine(month_start(month), dt.time()) - MARGIN
    last = dt.datetime.combine(month_end(month), dt.time()) + dt.timedelta(days=1) + MARGIN
    assert contract.month_from is not None
    at = parsed(contract.column(contract.month_from), policy.time_zone)
    parts = []
    for neighbour in (add_months(month, -1), add_months(month, 1)):
        landed = _landed_parts(home, policy, contract, neighbour, corrections)
        near = pl.concat(part.filter(at.is_between(first, last)) for part in landed)
        result = split(near, contract, zone=policy.time_zone, references=declared, deliveries=ledger, month=neighbour)
        parts.append(result.valid)
    return pl.concat(parts)


def first_arrivals(home: Home, policy: Policy, month: str, taps: Contract) -> pl.DataFrame:
    """When the rows of `month` first came: one row per file and feed that has any, and one per device and day with taps
    where the policy says by when these are due. A later export that repeats a day does not make it late, and a file of
    which the month holds nothing but rows without a date to believe is no file of the month."""
    months = pl.col("months").list.eval(pl.element().struct.field("name"))
    files = (
        deliveries(home, policy.region)
        .filter(
            pl.col("status_code") == "landed",
            months.list.contains(month),
            pl.col("first_event_date") <= month_end(month),
            pl.col("last_event_date") >= month_start(month),
        )
        .select("feed", "delivery_id", "received_at")
    )
    told = files.select("feed", pl.lit(None, dtype=pl.String).alias("device_id"), _NO_DATE.alias("date"), "received_at")
    if taps.name not in policy.deliveries:
        return told
    at = parsed(taps.column("tapped_at"), policy.time_zone)
    days = [cleaned(taps.column("device_id")), at.dt.date().alias("date"), pl.col("_delivery_id").alias("delivery_id")]
    first = (
        pl.concat(part.select(days).unique() for part in landed_parts(home, policy.region, taps.name, month))
        .unique()
        .drop_nulls()
        .join(files.filter(pl.col("feed") == taps.name), on="delivery_id")
        .group_by("feed", "device_id", "date")
        .agg(pl.col("received_at").min())
        .sort("device_id", "date")
    )
    return pl.concat([told, first.select(told.columns)])


def judge_year_before(
    home: Home,
    policy: Policy,
    month: str,
    contract: Contract,
    references: Mapping[str, pl.DataFrame],
    corrections: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The valid rows of the same month a year before, from the landed rows themselves, so that growth does not depend
    on whether that month has been computed."""
    declared = {name: frame for name, frame in references.items() if name in policy.feeds}
    before = add_months(month, -12)
    landed = _landed_parts(home, policy, contract, before, corrections)
    ledger = deliveries(home, policy.region, contract.name)
    return split(landed, contract, zone=policy.time_zone, references=declared, deliveries=ledger, month=before).valid
