"""Completeness of what is delivered: who should have been recorded on a day and was, and which files came in time.

Here: expected against received, lateness and device downtime, by unit and day. Not here: what a day means for a person
(facts/attendance); rows rejected (the tallies). A gap is the unit's infrastructure, never a person's absence.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from kinerja_pipeline.facts.attendance import BY_PERMIT, UNSCHEDULED
from kinerja_pipeline.facts.periods import add_months, month_start
from kinerja_pipeline.policies.model import Policy

FEED_DAY_SCHEMA: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(("feed", "unit_id"), pl.String),
    "date": pl.Date,
    "period": pl.String,
    **dict.fromkeys(("expected_count", "received_count"), pl.Int64),
    "due_date": pl.Date,
    "is_late": pl.Boolean,
    "downtime_minutes": pl.Int64,
}
TAPS = "attendance_log"
ALL = "all"
"""The unit_id of a feed's files, which name no unit."""


class Expected(NamedTuple):
    """What attendance was expected and came of some person-days.

    people: one row per unit and day: unit_id, date, expected_count, received_count.
    devices: one row per unit, day and device that knows somebody who was expected: unit_id, date, device_id.
    """

    people: pl.DataFrame
    devices: pl.DataFrame


def expected(days: pl.DataFrame, device_pins: pl.DataFrame) -> Expected:
    """Of attendance_day rows: expected are people who were scheduled, had no whole permit and were known to a device;
    received those of them with a tap. Counts of the parts of a month add up: a person has one row a day. `device_pins`
    say who holds a PIN when (facts/periods.in_force)."""
    # A part is a stretch of people: the other people's PINs, two hundred times as many, are left out of the join.
    first, last = (pl.lit(nip, pl.String) for nip in (days["nip"].min(), days["nip"].max()))
    own = device_pins.filter(pl.col("nip").is_between(first, last))
    scheduled = days.filter(~pl.col("status_code").is_in([*UNSCHEDULED, *BY_PERMIT])).drop_nulls("unit_id")
    known = (
        scheduled.select("nip", "unit_id", "tap_count", date="work_date")
        .join(own.select("nip", "device_id", "valid_from", "valid_to"), on="nip")
        .filter(pl.col("date").is_between("valid_from", "valid_to"))
    )
    people = known.group_by("unit_id", "date").agg(
        pl.col("nip").n_unique().cast(pl.Int64).alias("expected_count"),
        pl.col("nip").filter(pl.col("tap_count") > 0).n_unique().cast(pl.Int64).alias("received_count"),
    )
    return Expected(people, known.select("unit_id", "date", "device_id").unique())


def feed_day(
    parts: Iterable[Expected],
    outages: pl.DataFrame,
    arrivals: pl.DataFrame,
    policy: Policy,
    month: str,
    as_of: dt.date,
    today: dt.date,
) -> pl.DataFrame:
    """One row per unit and day of `month` on which attendance was expected, and one per feed whose files the policy
    expects (unit_id `all`, on the day by which they were due).

    Of attendance, expected and received are as `expected` counts them in the parts of the month. downtime_minutes are
    those of the day on which devices that know these people were down (several devices add up, overlapping reports of
    one do not; who ended none is down until `as_of`); is_late says that the first taps of one of these devices came
    after the policy's day, or none had come when that was over. Of files: expected by the policy, and received by that
    day.

    `arrivals` are when things first came (validated/judge). *Null when*: is_late and due_date without a deadline in the
    policy, is_late while nobody knows yet; downtime_minutes of files.
    """
    return (
        pl.concat(
            [_units(parts, outages, arrivals, policy, month, as_of, today), _files(arrivals, policy, month, today)]
        )
        .with_columns(period=pl.lit(month))
        .select(list(FEED_DAY_SCHEMA))
        .cast(FEED_DAY_SCHEMA)  # type: ignore[arg-type]
        .sort("feed", "unit_id", "date")
    )


def due_day(policy: Policy, feed: str, month: str) -> dt.date | None:
    """The last day on which a month's files are in time; None where the policy expects none."""
    expected = next((rules for name, rules in policy.deliveries.items() if name == feed), None)
    return month_start(add_months(month, 1)).replace(day=expected.due_day) if expected else None


def _after(day: dt.date, policy: Policy) -> dt.datetime:
    """The instant at which the local day is over."""
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), policy.zone).astimezone(dt.UTC)


def _units(
    parts: Iterable[Expected],
    outages: pl.DataFrame,
    arrivals: pl.DataFrame,
    policy: Policy,
    month: str,
    as_of: dt.date,
    today: dt.date,
) -> pl.DataFrame:
    counted = list(parts)
    people = (
        pl.concat(part.people for part in counted)
        .group_by("unit_id", "date")
        .agg(pl.col("expected_count", "received_count").sum())
    )
    heard = arrivals.filter((pl.col("feed") == TAPS) & pl.col("device_id").is_not_null())
    devices = (
        pl.concat(part.devices for part in counted)
        .unique()
        .join(_down_minutes(outages, as_of), on=["device_id", "date"], how="left")
        .join(heard.select("device_id", "date", "received_at"), on=["device_id", "date"], how="left")
        .group_by("unit_id", "date")
        .agg(
            pl.col("_minutes").fill_null(0).sum().alias("downtime_minutes"),
            pl.col("received_at").max().alias("_last"),
        )
    )
    due = due_day(policy, TAPS, month)
    is_late = pl.lit(None, dtype=pl.Boolean)
    if due is not None:
        is_overdue = pl.lit(True if today > due else None, dtype=pl.Boolean)
        is_late = (
            pl.when(pl.col("_last").is_not_null()).then(pl.col("_last") >= _after(due, policy)).otherwise(is_overdue)
        )
    return people.join(devices, on=["unit_id", "date"], how="left").select(
        pl.lit(TAPS).alias("feed"),
        "unit_id",
        "date",
        "expected_count",
        "received_count",
        pl.lit(due, dtype=pl.Date).alias("due_date"),
        is_late.alias("is_late"),
        pl.col("downtime_minutes").cast(pl.Int64),
    )


def _down_minutes(outages: pl.DataFrame, as_of: dt.date) -> pl.DataFrame:
    """One row per device and day: the whole minutes it was down, however many reports say so."""
    over = dt.datetime.combine(as_of + dt.timedelta(days=1), dt.time())
    told = outages.select(
        "device_id", "started_at", pl.min_horizontal(pl.col("ended_at").fill_null(pl.lit(over)), pl.lit(over))
    ).sort("device_id", "started_at")
    # Each report counts from where the ones before it end.
    before = pl.col("ended_at").cum_max().shift().over("device_id")
    single = told.with_columns(started_at=pl.max_horizontal("started_at", before)).filter(
        pl.col("ended_at") > pl.col("started_at")
    )
    last = (pl.col("ended_at") - pl.duration(microseconds=1)).dt.date()
    each = single.with_columns(date=pl.date_ranges(pl.col("started_at").dt.date(), last)).explode("date")
    midnight = pl.col("date").cast(pl.Datetime("us"))
    inside = pl.min_horizontal("ended_at", midnight + pl.duration(days=1)) - pl.max_horizontal("started_at", midnight)
    return each.group_by("device_id", "date").agg((inside.sum().dt.total_seconds() // 60).alias("_minutes"))


def _files(arrivals: pl.DataFrame, policy: Policy, month: str, today: dt.date) -> pl.DataFrame:
    rows = []
    files = arrivals.filter(pl.col("device_id").is_null())
    for feed, expected in policy.deliveries.items():
        due = due_day(policy, feed, month)
        assert due is not None
        in_time = files.filter((pl.col("feed") == feed) & (pl.col("received_at") < _after(due, policy))).height
        is_short = in_time < expected.files
        rows.append(
            {
                "feed": feed,
                "unit_id": ALL,
                "date": due,
                "expected_count": expected.files,
                "received_count": in_time,
                "due_date": due,
                "is_late": None if is_short and today <= due else is_short,
            }
        )
    schema = {name: kind for name, kind in FEED_DAY_SCHEMA.items() if name != "period"}
    return pl.DataFrame(rows, schema=schema)
