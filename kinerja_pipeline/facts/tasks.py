"""Tasks: what became of every task, and what a month counts of it.

Here: on time, how long, how much, repeats, and which tasks are due, opened, completed or open in a month. Not here:
indicators (kpi/).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import polars as pl

from kinerja_pipeline.facts.by_people import stretches
from kinerja_pipeline.facts.calendar import schedule_days
from kinerja_pipeline.facts.periods import day_instants, in_force, month_bounds, utc
from kinerja_pipeline.policies.model import Policy

Rows = TypeVar("Rows", pl.DataFrame, pl.LazyFrame)
REPEAT_WITHIN = dt.timedelta(days=30)
LONGEST = dt.timedelta(days=3660)
"""The calendar is laid out this far beyond the last opening; a completion after it has no duration."""
SLOWEST = dt.timedelta(days=60)
"""A service standard of n hours is reached within n days and these; on hours so short that it is not, it promises
nothing."""
_INSTANTS = ("opened_at", "due_at", "first_response_at", "completed_at")
TASKS_AT_ONCE, SAMPLED = 1_000_000, 1_000
"""About so many outcomes are made together; one name in so many is looked at to tell where they end."""
TASK_COLUMNS = (
    *("task_id", "nip", "unit_id", "task_type", "service_code", "requester_key", *_INSTANTS, "status_code"),
    *("quantity_planned", "quantity_done", "quality_score", "cost_planned", "cost_spent"),
)
"""What is looked at of tasks."""


def task_outcome(tasks: pl.DataFrame, employees: pl.DataFrame, policy: Policy, month: str) -> pl.DataFrame:
    """One row per task opened in `month`, with what became of it.

    `tasks` may reach further back: repeats (same requester, same service, within 30 days before) are only seen among
    the tasks given. unit_id is the task's own, else that of the employee's `utama` assignment on the opening day.
    due_at is the delivered one, else the last moment at which no more working hours than the policy's standard for the
    type have passed since the opening (DOMAIN section 9). first_response_hours are calendar hours; duration_hours are
    working hours of the policy's default schedule (DOMAIN section 6), unrounded. cost_share is the share of the planned
    cost that was spent.

    *Null when*: due_at without a delivered one and without a standard; is_on_time without due_at, while open, or
    cancelled; duration_hours unless completed and not cancelled; is_repeat without requester or service; quantity_share
    and cost_share without a value or a plan above 0.
    """
    return pl.concat(task_outcome_parts(tasks.lazy(), employees, policy, month))


def task_outcome_parts(
    tasks: pl.LazyFrame, employees: pl.DataFrame, policy: Policy, month: str
) -> Iterator[pl.DataFrame]:
    """The outcomes in parts that follow one another by task_id; `tasks` are read part by part."""
    (start, end), opened_at = month_bounds(month), pl.col("opened_at")
    # As moments, so that a file of another month is not read for them.
    inside = opened_at >= _midnight(start), opened_at < _midnight(end + dt.timedelta(days=1))
    opened, repeats = tasks.select(TASK_COLUMNS).filter(*inside), _repeats(tasks).filter(*inside).drop("opened_at")
    assigned, hours = _assigned(employees), _working_hours(opened, policy, start)
    names = opened.select("task_id").gather_every(SAMPLED).collect(engine="streaming").to_series()
    for stretch in stretches(names, TASKS_AT_ONCE // SAMPLED):
        part, named = opened.filter(stretch.holds("task_id")).collect(), repeats.filter(stretch.holds("task_id"))
        yield _outcomes(part.join(named, on="task_id", how="left"), assigned, hours, policy, month)


def _outcomes(
    tasks: pl.DataFrame, assigned: pl.DataFrame, hours: _WorkingHours, policy: Policy, month: str
) -> pl.DataFrame:
    is_known = pl.col("requester_key").is_not_null() & pl.col("service_code").is_not_null()
    is_done = pl.col("completed_at").is_not_null() & (pl.col("status_code") != "cancelled")
    counted = tasks.pipe(_with_unit, assigned).pipe(_with_working_time, hours, policy)
    return counted.select(
        "task_id",
        pl.lit(month).alias("period"),
        "nip",
        "unit_id",
        "task_type",
        "service_code",
        *(utc(pl.col(column), policy.zone, month).alias(column) for column in _INSTANTS),
        "status_code",
        _hours(pl.col("first_response_at") - pl.col("opened_at")).alias("first_response_hours"),
        pl.when(is_known).then(pl.col("is_repeat").fill_null(False)).alias("is_repeat"),
        pl.when(is_done).then("duration_hours").alias("duration_hours"),
        pl.when(is_done).then(pl.col("completed_at") <= pl.col("due_at")).alias("is_on_time"),
        _share("quantity_done", "quantity_planned").alias("quantity_share"),
        "quality_score",
        _share("cost_spent", "cost_planned").alias("cost_share"),
        "quantity_planned",
        "quantity_done",
        "cost_planned",
        "cost_spent",
    ).sort("task_id")


def task_window(outcomes: Rows, month: str, zone: ZoneInfo | str, as_of: dt.date) -> Rows:
    """`outcomes` (of several months) with what `month` counts of each task, as things stood at its end or on `as_of`.

    is_due: to be done in the month, due by then, not cancelled. is_opened, is_completed: in the month and by then.
    is_backlog: opened, not cancelled, and not completed by then. is_on_time becomes false for a due task that was still
    open then: an overdue open task stays in the denominator (DOMAIN section 9).
    """
    start, end = month_bounds(month)
    begin, over = day_instants(start, min(end, as_of), ZoneInfo(zone) if isinstance(zone, str) else zone)
    is_live = pl.col("status_code") != "cancelled"

    def is_within(column: str) -> pl.Expr:
        return ((pl.col(column) >= begin) & (pl.col(column) < over)).fill_null(False)

    is_open = pl.col("completed_at").is_null() | (pl.col("completed_at") >= over)
    is_due = is_within("due_at") & is_live
    return outcomes.with_columns(
        is_due=is_due,
        is_opened=is_within("opened_at"),
        is_completed=is_within("completed_at") & is_live,
        is_backlog=(pl.col("opened_at") < over) & is_live & is_open,
        is_on_time=pl.when(is_due & is_open).then(False).otherwise("is_on_time"),
    )


def _repeats(tasks: pl.LazyFrame) -> pl.DataFrame:
    """task_id, opened_at and `is_repeat` of the tasks that are repeats. Only those are compared whose requester asked
    for the service more than once, as a number for both tells; that two of them share a number does no harm."""
    pair = ("requester_key", "service_code")
    number = pl.col("requester_key").hash(0) ^ pl.col("service_code").hash(1)
    asked = tasks.drop_nulls(pair).select(*pair, "opened_at", "task_id", number.alias("_pair"))
    numbers = asked.select("_pair").collect(engine="streaming").to_series().sort()
    several = numbers.filter(numbers == numbers.shift()).unique().to_frame()
    previous = pl.col("opened_at").shift(1).over(pair, order_by=["opened_at", "task_id"])
    return (
        asked.join(several.lazy(), on="_pair", how="semi")
        .collect(engine="streaming")
        .filter(pl.col("opened_at") - previous <= pl.lit(REPEAT_WITHIN))
        .select("task_id", "opened_at", is_repeat=pl.lit(True))
    )


def _assigned(employees: pl.DataFrame) -> pl.DataFrame:
    main = employees.filter(pl.col("assignment_code") == "utama").select("nip", "unit_id", "valid_from", "valid_to")
    return in_force(main, ["nip"]).rename({"unit_id": "_unit"}).sort("valid_from")


def _with_unit(tasks: pl.DataFrame, assigned: pl.DataFrame) -> pl.DataFrame:
    return (
        tasks.with_columns(_opened_on=pl.col("opened_at").dt.date())
        .sort("_opened_on")
        .join_asof(
            assigned,
            left_on="_opened_on",
            right_on="valid_from",
            by="nip",
            strategy="backward",
            check_sortedness=False,  # both are sorted above; with `by` the check can only warn
        )
        .with_columns(unit_id=pl.coalesce("unit_id", pl.when(pl.col("_opened_on") <= pl.col("valid_to")).then("_unit")))
        .drop("_opened_on", "_unit", "valid_from", "valid_to")
    )


class _WorkingHours(NamedTuple):
    """The stretches of working time from the first opening on, and how far they reach."""

    stretches: pl.DataFrame
    last: dt.datetime


def _working_hours(opened: pl.LazyFrame, policy: Policy, start: dt.date) -> _WorkingHours:
    """Working hours around the tasks opened in a month that begins with `start`."""
    opened_at, completed_at = pl.col("opened_at"), pl.col("completed_at")
    times = opened.select(opened_at.min(), _last=opened_at.max(), _done=completed_at.max())
    first, latest, done = times.collect(engine="streaming").row(0)
    first, latest = first or _midnight(start), latest or _midnight(start)
    longest = dt.timedelta(days=max(policy.tasks.standard_hours.values(), default=0)) + SLOWEST
    last = max(min(done or latest, latest + LONGEST), latest + longest)
    day = dt.timedelta(days=1)
    return _WorkingHours(_working_stretches(policy, first.date() - 2 * day, last.date() + day), last)


def _with_working_time(tasks: pl.DataFrame, hours: _WorkingHours, policy: Policy) -> pl.DataFrame:
    """`tasks` with duration_hours, the working time between opening and completion, and with due_at where the policy's
    standard says it: both read from a running total."""
    timed = tasks.with_row_index("_task")
    instants = pl.concat(
        [
            timed.select("_task", pl.lit(False).alias("_is_end"), pl.col("opened_at").alias("_at")),
            timed.select("_task", pl.lit(True).alias("_is_end"), pl.col("completed_at").alias("_at")),
        ]
    ).filter(pl.col("_at") < hours.last + dt.timedelta(days=1))
    elapsed = pl.min_horizontal(pl.col("_at") - pl.col("_start"), pl.col("_length"))
    totals = (
        instants.sort("_at")
        .join_asof(hours.stretches, left_on="_at", right_on="_start", strategy="backward")
        .select("_task", "_is_end", (pl.col("_before") + elapsed).fill_null(dt.timedelta(0)).alias("_total"))
    )
    at_start = totals.filter(~pl.col("_is_end"))
    worked = (
        totals.filter("_is_end")
        .join(at_start, on="_task", suffix="_at_start")
        .select("_task", _hours(pl.col("_total") - pl.col("_total_at_start")).alias("duration_hours"))
    )
    promised = _promised(timed.join(at_start, on="_task"), hours.stretches, policy)
    return (
        timed.join(worked, on="_task", how="left", maintain_order="left")
        .join(promised, on="_task", how="left", maintain_order="left")
        .with_columns(due_at=pl.coalesce("due_at", "_promised"))
        .drop("_task", "_promised")
    )


def _promised(opened: pl.DataFrame, stretches: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """_task, _promised: when tasks without a due time are due by the standard of their type. A standard that is used up
    at a stretch's end ends where the next begins: whoever is done before has worked no longer."""
    standard = policy.tasks.standard_hours
    hours = pl.col("task_type").replace_strict(
        list(standard), list(standard.values()), default=None, return_dtype=pl.Float64
    )
    allowed = (hours * 3_600_000_000).round().cast(pl.Int64).cast(pl.Duration("us"))
    within = pl.duration(hours=24 * hours) + pl.lit(SLOWEST)
    spent = pl.col("_until") - pl.col("_before")
    return (
        opened.filter(pl.col("due_at").is_null())
        .with_columns(_until=pl.col("_total") + allowed, _latest=pl.col("opened_at") + within)
        .drop_nulls("_until")
        .sort("_until")
        .join_asof(stretches, left_on="_until", right_on="_before", strategy="backward", coalesce=False)
        .with_columns(_promised=pl.col("_start") + spent)
        .filter(spent < pl.col("_length"), pl.col("_promised") <= pl.col("_latest"))
        .select("_task", "_promised")
    )


def _working_stretches(policy: Policy, start: dt.date, end: dt.date) -> pl.DataFrame:
    """One row per unbroken stretch of the default schedule's working time, with the working time before it."""
    days = schedule_days(policy, start, end).filter(
        pl.col("schedule_id") == policy.attendance.default_schedule, pl.col("scheduled_in").is_not_null()
    )
    until_break = days.select(
        pl.col("scheduled_in").alias("_start"), pl.coalesce("break_from", "scheduled_out").alias("_end")
    )
    after_break = days.filter(pl.col("break_to").is_not_null()).select(
        pl.col("break_to").alias("_start"), pl.col("scheduled_out").alias("_end")
    )
    return (
        pl.concat([until_break, after_break])
        .sort("_start")
        .select("_start", (pl.col("_end") - pl.col("_start")).alias("_length"))
        .with_columns(_before=pl.col("_length").cum_sum() - pl.col("_length"))
    )


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time())


def _hours(duration: pl.Expr) -> pl.Expr:
    return duration.dt.total_microseconds() / 3_600_000_000


def _share(numerator: str, denominator: str) -> pl.Expr:
    return pl.when(pl.col(denominator) > 0).then(pl.col(numerator) / pl.col(denominator))
