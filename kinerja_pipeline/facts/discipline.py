"""Discipline: counters of unexcused days, and the early-warning threshold they reach (PP 94/2021).

Here: counting over months and years. Not here: a sanction; it needs a hearing, and a person decides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import polars as pl

from kinerja_pipeline.facts.periods import add_months, month_start
from kinerja_pipeline.policies.model import Policy


def covered_from(months: Iterable[str], month: str) -> dt.date:
    """First day of the unbroken stretch of `months` up to `month`."""
    covered = set(months)
    first = month
    while add_months(first, -1) in covered:
        first = add_months(first, -1)
    return month_start(first)


def absence_runs(days: pl.DataFrame, month: str, is_start_known: bool) -> pl.DataFrame:
    """One row per person absent in `month`: the longest run that touches it, and whether the days before are known."""
    start = month_start(month)
    is_absent = pl.col("status_code") == "absent"
    concerned = days.filter(is_absent & (pl.col("work_date") >= start)).select("nip").unique()
    is_first = pl.col("nip").ne_missing(pl.col("nip").shift())
    is_new = is_first | (pl.col("_absent") != pl.col("_absent").shift())
    return (
        days.filter(~pl.col("status_code").is_in(["off", "holiday"]))
        .join(concerned, on="nip", how="semi")
        .select("nip", "work_date", is_absent.alias("_absent"))
        .sort("nip", "work_date")
        .with_columns(_stretch=is_new.cum_sum(), _is_first=is_first)
        .filter("_absent")
        .group_by("nip", "_stretch")
        .agg(pl.len().cast(pl.Int64).alias("_run"), pl.col("work_date").max().alias("_until"), pl.any("_is_first"))
        .filter(pl.col("_until") >= start)
        .group_by("nip")
        .agg(pl.col("_run").max(), (is_start_known | ~pl.col("_is_first").any()).alias("_is_run_known"))
    )


def unexcused_days(days: pl.DataFrame, policy: Policy, counted_from: dt.date) -> pl.DataFrame:
    """One row per person: days absent since `counted_from`, and as many more as the late minutes since then make up
    where the policy says how many minutes make a day; `_lost` how many days since then were not recorded. Null where
    nothing has been recorded of the person since then."""
    is_absent = pl.col("status_code") == "absent"
    count = is_absent.sum().cast(pl.Int64)
    if minutes := policy.attendance.late_minutes_per_unexcused_day:
        count = count + pl.col("late_minutes").sum() // minutes
    counted = days.filter(pl.col("work_date") >= counted_from)
    return counted.group_by("nip").agg(
        pl.when(is_any_recorded()).then(count).alias("_unexcused"),
        (pl.col("status_code") == "not_recorded").sum().cast(pl.Int64).alias("_lost"),
    )


def joined_after(days: pl.DataFrame, covered: dt.date) -> pl.DataFrame:
    """One row per person: whether their first day of all comes after the first of `covered`. Nothing of such a person
    is lacking before it: there were no days."""
    return days.group_by("nip").agg((pl.col("work_date").min() > covered).alias("_has_joined"))


def is_any_recorded() -> pl.Expr:
    """Whether anything is known of a person's days; no day to work on is known too. Not recorded is not present."""
    status = pl.col("status_code")
    return (status != "not_recorded").all() | (~status.is_in(["not_recorded", "off", "holiday"])).any()


def threshold_reached(policy: Policy, month: str) -> pl.Expr:
    """The gravest threshold in force that either counter reaches."""
    reached = pl.lit(None, dtype=pl.String)
    for threshold in policy.discipline:
        if not threshold.is_in_force(month):
            continue
        counter = pl.col("unexcused_year_count" if threshold.counter == "year" else "unexcused_run_count")
        reached = pl.when(counter >= threshold.days).then(pl.lit(threshold.code)).otherwise(reached)
    return reached
