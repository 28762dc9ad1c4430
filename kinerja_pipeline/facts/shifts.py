"""Shifts: which hours each active employee works on which day, when taps can belong to them, which permits cover them.

Here: assignments, rosters and permits laid on the days, and the windows of shifts. Not here: taps and what they mean
(facts/attendance), the hours of a schedule (facts/calendar).
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from kinerja_pipeline.facts.calendar import schedule_days
from kinerja_pipeline.facts.periods import in_force
from kinerja_pipeline.policies.model import Policy

STRETCH = 1 << 42
"""Microseconds (50 days) that each person has in the order of taps: person and instant are compared as one integer."""
ASSIGNED = ("unit_id", "schedule_id", "employment_status")
"""What an assignment says of a person's days."""


def person_days(
    employees: pl.DataFrame, rosters: pl.DataFrame, policy: Policy, start: dt.date, end: dt.date
) -> pl.DataFrame:
    """One row per active employee and day with the shift in force, in the order of person and day; `_row` numbers the
    rows as `_person` of `employees` does the people, by NIP. Days without working time have no scheduled_in."""
    main = employees.filter(pl.col("assignment_code") == "utama")
    own = pl.col("employment_status").replace_strict(
        policy.attendance.schedule_by_employment, default=None, return_dtype=pl.String
    )
    assigned = (
        in_force(main.select("nip", *ASSIGNED, "valid_from", "valid_to", "_person"), ["nip"])
        .filter((pl.col("valid_from") <= end) & (pl.col("valid_to") >= start))
        .sort("nip", "valid_from")
        .select(
            "nip",
            "unit_id",
            pl.coalesce("schedule_id", own).fill_null(policy.attendance.default_schedule).alias("schedule_id"),
            "employment_status",
            _dates("valid_from", start, "valid_to", end).alias("work_date"),
            "_person",
        )
        .explode("work_date")
    )
    hours = schedule_days(policy, start, end)
    rostered = [name for name, schedule in policy.schedules.items() if schedule.is_rostered]
    is_rostered = pl.col("schedule_id").is_in(rostered)
    is_off = is_rostered & (pl.col("_shift").fill_null("off") == "off")
    planned = rosters.select("nip", "work_date", pl.col("schedule_id").alias("_shift"))
    return (
        assigned.join(
            planned.filter(pl.col("work_date").is_between(start, end)).unique(["nip", "work_date"], keep="last"),
            on=["nip", "work_date"],
            how="left",
            maintain_order="left",
        )
        .with_columns(
            schedule_id=pl.when(is_rostered & ~is_off).then("_shift").otherwise("schedule_id"),
            _is_off=is_off,
        )
        .join(hours, on=["schedule_id", "work_date"], how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col("_is_off")).then(pl.lit("off")).otherwise("day_type").alias("day_type"),
            *(
                pl.when(~pl.col("_is_off")).then(pl.col(name)).alias(name)
                for name in ("scheduled_in", "scheduled_out", "break_from", "break_to")
            ),
        )
        .drop("_shift", "_is_off", "is_rostered")
        .with_row_index("_row")
    )


def permit_days(permits: pl.DataFrame, policy: Policy, first: dt.date, last: dt.date) -> pl.DataFrame:
    """One row per person (`_person`, as the permits name them) and day with a permit: the status of the latest permit
    for the whole day and for each half."""
    kinds = pl.DataFrame(
        {"kind_code": list(policy.permits), "_status": [permit.status for permit in policy.permits.values()]},
        schema={"kind_code": pl.String, "_status": pl.String},
    )
    status = pl.col("_status")

    def latest(part: str) -> pl.Expr:
        return status.filter(pl.col("part") == part).drop_nulls().last()

    return (
        permits.select("permit_id", "_person", "kind_code", "part", "start_date", "end_date")
        .filter((pl.col("end_date") >= first) & (pl.col("start_date") <= last))
        .join(kinds, on="kind_code", how="left")
        .sort("start_date", "permit_id")
        .with_columns(work_date=_dates("start_date", first, "end_date", last))
        .explode("work_date")
        .group_by("_person", "work_date", maintain_order=True)
        .agg(
            latest("whole").alias("_whole"),
            latest("first_half").alias("_first"),
            latest("second_half").alias("_second"),
            status.is_null().any().alias("_is_kind_unknown"),
        )
    )


def shift_windows(shifts: pl.DataFrame, origin: dt.datetime, policy: Policy) -> pl.DataFrame:
    """One row per shift: where its window opens, turns from in to out, and closes, in the tap order of all people.

    *Edge*: windows that overlap meet halfway between the earlier out and the later in; neither grows by it, and no
    instant between them is lost.
    """
    before = pl.duration(minutes=policy.attendance.before_minutes)
    after = pl.duration(minutes=policy.attendance.after_minutes)
    came, left = pl.col("scheduled_in"), pl.col("scheduled_out")

    def neighbour(column: str, step: int) -> pl.Expr:
        other = pl.col(column).shift(step)
        return pl.when(pl.col("_person").shift(step) == pl.col("_person")).then(other)

    previous_out, next_in = neighbour("scheduled_out", 1), neighbour("scheduled_in", -1)
    since, until = previous_out + (came - previous_out) / 2, left + (next_in - left) / 2
    opens = pl.max_horizontal(came - before, pl.min_horizontal(since, previous_out + after))
    closes = pl.min_horizontal(left + after, pl.max_horizontal(until, next_in - before))
    # A shift without a neighbour: both halves of the inner pair are null, and nulls drop out of min and max.
    return (
        shifts.filter(came.is_not_null())
        .select(
            "_row",
            position(opens, origin).alias("_at"),
            position(came + (left - came) / 2, origin).alias("_turns"),
            position(closes, origin).alias("_closes"),
        )
        .sort("_at")
    )


def position(instant: pl.Expr, origin: dt.datetime) -> pl.Expr:
    """Person and instant as one integer: sorted once, and windows of different people never overlap."""
    offset = (instant - pl.lit(origin, dtype=pl.Datetime("us"))).dt.total_microseconds().clip(0, STRETCH - 1)
    return pl.col("_person") * STRETCH + offset


def instant(column: str, origin: dt.datetime) -> pl.Expr:
    return pl.lit(origin, dtype=pl.Datetime("us")) + pl.duration(microseconds=pl.col(column) % STRETCH)


def _dates(first: str, not_before: dt.date, last: str, not_after: dt.date) -> pl.Expr:
    """The dates from column `first` to column `last` within the bounds, as a list."""
    return pl.date_ranges(pl.max_horizontal(first, not_before), pl.min_horizontal(last, not_after))
