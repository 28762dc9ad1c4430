"""Whether a feed's files came as often as its contract says, by region.

Here: cadence + ledger -> what was due, what came last, in words. Not here: which unit's taps were late
(facts/feed_day), alarms, Dagster.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import polars as pl

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.facts.feed_day import due_day
from kinerja_pipeline.facts.periods import add_months, month_end, month_of, month_start
from kinerja_pipeline.policies.model import Policy


class Freshness(NamedTuple):
    """What was asked of a feed, and what was found: `last_month` is the last month that has rows (of an event feed),
    `received` the local day of the last file. `due` is None where nothing is asked yet, or ever."""

    feed: str
    is_overdue: bool
    asked: str | None
    due: dt.date | None
    last_month: str | None
    received: dt.date | None


def month_due(contract: Contract, policy: Policy, month: str) -> dt.date | None:
    """The last day on which rows of `month` are in time: the region's own deadline where its policy names one, else the
    contract's. Where rows come for several months at once, they are due after the last of these."""
    if (own := due_day(policy, contract.name, month)) is not None:
        return own
    if contract.cadence is None:
        return None
    months, days = contract.cadence
    last = add_months(month, -int(month[5:]) % months)
    return month_end(last) + dt.timedelta(days=days)


def freshness(contract: Contract, policy: Policy, ledger: pl.DataFrame, today: dt.date) -> Freshness:
    """What the region's `ledger` (landing/deliveries) says of a feed on a day. A feed that the region does not have, of
    which nothing ever came (unless the region's policy names a deadline), or whose contract names no cadence, is never
    overdue."""
    own = ledger.filter(pl.col("feed") == contract.name, pl.col("status_code") == "landed")
    received: dt.date | None = own.select(pl.col("received_at").dt.convert_time_zone(policy.time_zone).max()).item()
    received = received and received.date() if isinstance(received, dt.datetime) else None
    last = _last_month(own, contract)
    is_expected = contract.name in policy.feeds and (received is not None or contract.name in policy.deliveries)
    if not is_expected:
        return Freshness(contract.name, False, None, None, last, received)
    if contract.is_event:
        asked = _last_due_month(contract, policy, today)
        if asked is None:
            return Freshness(contract.name, False, None, None, last, received)
        due = month_due(contract, policy, asked)
        # A month that stayed empty before others came is seen by its volume; here is asked what is late now.
        is_overdue = last is None or last < min(_span(contract, policy, asked))
        return Freshness(contract.name, is_overdue, asked, due, last, received)
    if contract.cadence is None or received is None:
        return Freshness(contract.name, False, None, None, None, received)
    again = add_months(month_of(received), contract.cadence.months)
    due = month_start(again) + dt.timedelta(days=received.day - 1 + contract.cadence.latency_days)
    return Freshness(contract.name, today > due, None, due, None, received)


def sentence(found: Freshness, contract: Contract, policy: Policy, today: dt.date) -> str:
    """What was found, and what to do where files are overdue."""
    if contract.name not in policy.feeds:
        return f"The region has no {contract.name}: nothing is expected."
    came = f"the last file came on {found.received}" if found.received else "no file has come yet"
    if found.last_month:
        came += f", the last rows are of {found.last_month}"
    if found.due is None:
        return f"{came[0].upper()}{came[1:]}; nothing is due yet."
    if not found.is_overdue:
        what = f"rows of {found.asked}" if found.asked else "the next file"
        return f"In time: {came}; {what} {'were' if found.asked else 'is'} due by {found.due}."
    what = f"rows of {found.asked}" if found.asked else "a file"
    days = (today - found.due).days
    late = f"by {found.due}, {days} day{'' if days == 1 else 's'} ago"
    return (
        f"Overdue: {what} should have come {late}; {came}. Ask {contract.owner or 'the supplier'} for the file and put "
        f"it into landing/{policy.region}/; if it is there, `kinerja status` says why it was refused."
    )


def _last_due_month(contract: Contract, policy: Policy, today: dt.date) -> str | None:
    """The last month of the region whose rows should be there, None before the first."""
    month = month_of(today)
    while month >= policy.first_month:
        due = month_due(contract, policy, month)
        if due is None:
            return None
        if today > due:
            return month
        month = add_months(month, -1)
    return None


def _span(contract: Contract, policy: Policy, month: str) -> set[str]:
    """The months for which one delivery in time is enough."""
    has_own = due_day(policy, contract.name, month) is not None
    months = 1 if has_own or contract.cadence is None else contract.cadence.months
    return {add_months(month, -n) for n in range(months)}


def _months(landed: pl.DataFrame) -> list[str]:
    """The months that landed rows are of, without those that only hold rows whose date nobody believes."""
    dated = landed.drop_nulls(["first_event_date", "last_event_date"])
    months = dated.select("first_event_date", "last_event_date", "months").explode("months").unnest("months")
    text = pl.col("name")
    first, last = (pl.col(f"{end}_event_date").dt.strftime("%Y-%m") for end in ("first", "last"))
    return months.filter(text.is_between(first, last))["name"].unique().sort().to_list()


def _last_month(landed: pl.DataFrame, contract: Contract) -> str | None:
    return max(_months(landed), default=None) if contract.is_event else None
