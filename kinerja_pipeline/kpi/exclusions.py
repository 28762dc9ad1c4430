"""Whom rules about results leave out: people on study or long leave, and people who have just moved.

Here: who, and the reason. Not here: the rules (kpi/follow_up_people); what happened to those left out stays published.
"""

from __future__ import annotations

import polars as pl

from kinerja_pipeline.facts.periods import add_months, month_end, month_start
from kinerja_pipeline.policies.follow_up import Exclusions

EXCLUDED_SCHEMA = {"nip": pl.String, "excluded_reason": pl.String}

DAY_COLUMNS = ("nip", "status_code")
"""What is looked at of the month's days, of which there are a million in a large region."""


def excluded(days: pl.LazyFrame, employees: pl.DataFrame, rules: Exclusions, month: str) -> pl.DataFrame:
    """One row per employee whom results of `month` do not describe, with the first reason that holds: study,
    long_leave, just_moved.

    `days` are the month's attendance_day rows (DAY_COLUMNS are enough): study, and leave or sickness, on the policy's
    share of the scheduled days (not `off`, not `holiday`). Just moved is who began to work in another unit (`utama`
    assignment) in the last moved_months months, this one included; who is new to the region has moved from nowhere.
    """
    status = pl.col("status_code")
    # Streaming, for they are nearly as many as the month has.
    shares = (
        days.filter(~status.is_in(["off", "holiday"]))
        .group_by("nip")
        .agg(
            (status == "study").mean().alias("_study"),
            status.is_in(["leave", "sick"]).mean().alias("_leave"),
        )
        .collect(engine="streaming")
    )
    away = (
        pl.when(pl.col("_study").round(9) >= rules.study_share)
        .then(pl.lit("study"))
        .when(pl.col("_leave").round(9) >= rules.leave_share)
        .then(pl.lit("long_leave"))
    )
    absent = shares.select("nip", away.alias("_away"))
    found = absent.join(_moved(employees, rules, month), on="nip", how="full", coalesce=True)
    return found.select("nip", pl.coalesce("_away", "_moved").alias("excluded_reason")).drop_nulls("excluded_reason")


def _moved(employees: pl.DataFrame, rules: Exclusions, month: str) -> pl.DataFrame:
    since = month_start(add_months(month, 1 - rules.moved_months))
    main = employees.filter(pl.col("assignment_code") == "utama").sort("nip", "valid_from")
    moves = main.with_columns(_before=pl.col("unit_id").shift(1).over("nip", order_by="valid_from"))
    recent = moves.filter(
        (pl.col("_before") != pl.col("unit_id")) & pl.col("valid_from").is_between(since, month_end(month))
    )
    return recent.select("nip", pl.lit("just_moved").alias("_moved")).unique()


def unless_excluded(rows: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Follow-up rows about employees, those of excluded people with status `excluded` and the reason."""
    reason = pl.col("excluded_reason")
    return (
        rows.join(people, left_on="subject_id", right_on="nip", how="left", maintain_order="left")
        .with_columns(
            status_code=pl.when(reason.is_not_null()).then(pl.lit("excluded")).otherwise("status_code"),
            reason=pl.coalesce(reason, "reason"),
        )
        .drop("excluded_reason")
    )
