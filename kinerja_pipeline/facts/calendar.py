"""Which local days are holidays or Ramadan, and the hours each schedule of the policy has on them.

Here: the calendar and the schedules laid on it. Not here: persons, shift rosters, taps (facts/attendance).
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import holidays
import polars as pl

from kinerja_pipeline.facts.periods import LAST_DATE, month_start
from kinerja_pipeline.policies.model import Policy, Schedule, WeeklyHours, WorkingDay

DayType = Literal["normal", "friday", "ramadan", "shift", "holiday", "off"]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = {
    "schedule_id": pl.String,
    "_from": pl.Date,
    "is_ramadan": pl.Boolean,
    "weekday": pl.String,
    "_in": pl.Int64,
    "_out": pl.Int64,
    "_break_from": pl.Int64,
    "_break_to": pl.Int64,
}


def calendar_days(policy: Policy, start: dt.date, end: dt.date) -> pl.DataFrame:
    """One row per local day from `start` to `end`: work_date, is_holiday, holiday_name, is_ramadan, weekday.

    National holidays and cuti bersama come from `holidays` by the policy's categories, with Indonesian names whatever
    the machine's language; the region's own days off are added. *Null when*: holiday_name on a day that is no holiday;
    *edge*: several names on one day are joined by "; ".
    """
    names = _holiday_names(policy, start, end)
    named = pl.DataFrame(
        {"work_date": list(names), "holiday_name": list(names.values())},
        schema={"work_date": pl.Date, "holiday_name": pl.String},
    )
    ramadan = [pl.col("work_date").is_between(span.start, span.end) for span in policy.calendar.ramadan]
    numbers = pl.col("work_date").dt.weekday().cast(pl.Int64)
    return (
        pl.DataFrame({"work_date": pl.date_range(start, end, eager=True)})
        .join(named, on="work_date", how="left", maintain_order="left")
        .select(
            "work_date",
            pl.col("holiday_name").is_not_null().alias("is_holiday"),
            "holiday_name",
            pl.any_horizontal(pl.lit(False), *ramadan).alias("is_ramadan"),
            numbers.replace_strict(dict(enumerate(WEEKDAYS, start=1)), return_dtype=pl.String).alias("weekday"),
        )
    )


def schedule_days(policy: Policy, start: dt.date, end: dt.date) -> pl.DataFrame:
    """One row per schedule and local day: day_type, is_rostered, flexible_minutes, scheduled_in, scheduled_out,
    break_from, break_to, by the hours in force that month.

    Times are local wall clock; a shift that ends at or before its start ends on the next day. day_type is `normal`,
    `friday`, `ramadan` (Fridays of Ramadan too), `shift` (any day of a rostered schedule), `holiday` or `off`.
    *Null when*: the times on `holiday` and `off`. *Edge*: a rostered schedule knows no holidays, the roster decides;
    a break that does not start within the shift does not exist; a holiday on a weekend is `holiday`.
    """
    weekly = pl.DataFrame(_weekly_hours(policy), schema=_HOURS, orient="row")
    schedules = pl.DataFrame(
        [
            (name, schedule.is_rostered, schedule.flexible_minutes, since, until)
            for name, schedule in policy.schedules.items()
            for _, since, until in _hours_in_force(schedule)
        ],
        schema={
            "schedule_id": pl.String,
            "is_rostered": pl.Boolean,
            "flexible_minutes": pl.Int64,
            "_from": pl.Date,
            "_until": pl.Date,
        },
        orient="row",
    )
    is_free = pl.col("is_holiday") & ~pl.col("is_rostered")
    midnight = pl.col("work_date").cast(pl.Datetime("us"))
    return (
        calendar_days(policy, start, end)
        .join(schedules, how="cross", maintain_order="left_right")
        .filter(pl.col("work_date").is_between("_from", "_until"))
        .join(weekly, on=["schedule_id", "_from", "is_ramadan", "weekday"], how="left", maintain_order="left")
        .select(
            "schedule_id",
            "work_date",
            pl.when(is_free)
            .then(pl.lit("holiday"))
            .when(pl.col("_in").is_null())
            .then(pl.lit("off"))
            .when("is_rostered")
            .then(pl.lit("shift"))
            .when("is_ramadan")
            .then(pl.lit("ramadan"))
            .when(pl.col("weekday") == "fri")
            .then(pl.lit("friday"))
            .otherwise(pl.lit("normal"))
            .alias("day_type"),
            "is_rostered",
            "flexible_minutes",
            *(
                pl.when(~is_free).then(midnight + pl.duration(minutes=pl.col(minutes))).alias(name)
                for name, minutes in (
                    ("scheduled_in", "_in"),
                    ("scheduled_out", "_out"),
                    ("break_from", "_break_from"),
                    ("break_to", "_break_to"),
                )
            ),
        )
    )


def _holiday_names(policy: Policy, start: dt.date, end: dt.date) -> dict[dt.date, str]:
    names: dict[dt.date, str] = {}
    categories = tuple(policy.calendar.holiday_categories)
    if categories and start <= end:
        years = range(start.year, end.year + 1)
        national = holidays.country_holidays("ID", years=years, language="id", categories=categories)
        names = {day: name for day, name in national.items() if start <= day <= end}
    for off in policy.calendar.days_off:
        if start <= off.date <= end:
            names[off.date] = "; ".join(filter(None, (names.get(off.date), off.label)))
    return names


def _hours_in_force(schedule: Schedule) -> list[tuple[WeeklyHours, dt.date, dt.date]]:
    """The schedule's hours, each with the first and the last day on which they hold."""
    starts = [dt.date.min, *(month_start(change.valid_from) for change in schedule.changes)]
    ends = [*(start - dt.timedelta(days=1) for start in starts[1:]), LAST_DATE]
    return list(zip([schedule, *schedule.changes], starts, ends, strict=True))


def _weekly_hours(policy: Policy) -> list[tuple[Any, ...]]:
    """Minutes after midnight of every schedule's working days, inside and outside Ramadan."""
    rows: list[tuple[Any, ...]] = []
    for schedule_id, schedule in policy.schedules.items():
        for hours, since, _ in _hours_in_force(schedule):
            for is_ramadan in (False, True):
                week = hours.ramadan if is_ramadan and hours.ramadan is not None else hours.week
                rows += [(schedule_id, since, is_ramadan, weekday, *_spans(day)) for weekday, day in week.items()]
    return rows


def _spans(day: WorkingDay) -> tuple[int, int, int | None, int | None]:
    """Start, end, and the break's start and end, if there is one."""
    begin, end, pause = _minutes(day.start), _minutes(day.end), _minutes(day.break_start)
    end += 24 * 60 if end <= begin else 0
    pause += 24 * 60 if pause < begin and end > 24 * 60 else 0
    has_break = day.break_minutes > 0 and begin <= pause < end
    return (begin, end, pause, min(pause + day.break_minutes, end)) if has_break else (begin, end, None, None)


def _minutes(time: dt.time) -> int:
    return time.hour * 60 + time.minute
