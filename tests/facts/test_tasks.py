"""What became of tasks, and what a month counts of them. Office hours 07:30-16:00, break 12-13; zone WIT."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from facts_world import ANI, day, employee_frame, local, make_policy, utc

from kinerja_pipeline.facts import tasks as of_tasks
from kinerja_pipeline.facts.tasks import task_outcome, task_outcome_parts, task_window
from kinerja_pipeline.policies.model import Tasks

POLICY = make_policy()
TIMES = ("opened_at", "due_at", "first_response_at", "completed_at")
SCHEMA: dict[str, Any] = {
    "task_id": pl.String,
    "nip": pl.String,
    "unit_id": pl.String,
    "task_type": pl.String,
    "service_code": pl.String,
    "requester_key": pl.String,
    **{name: pl.Datetime("us") for name in TIMES},
    "status_code": pl.String,
    "quantity_planned": pl.Float64,
    "quantity_done": pl.Float64,
    "quality_score": pl.Float64,
    "cost_planned": pl.Float64,
    "cost_spent": pl.Float64,
}


def task(task_id: str = "t1", opened: str = "2026-04-06 08:00", **values: Any) -> dict[str, Any]:
    row = dict.fromkeys(SCHEMA) | {
        "task_id": task_id,
        "nip": ANI,
        "task_type": "service_request",
        "opened_at": opened,
        "status_code": "completed" if "completed_at" in values else "open",
    }
    row |= values
    return row | {name: local(str(row[name])) if row[name] else None for name in TIMES}


def outcomes(*tasks: dict[str, Any], month: str = "2026-04", employees: pl.DataFrame | None = None) -> pl.DataFrame:
    if employees is None:
        employees = employee_frame(
            [(ANI, "U1", None, "2020-01-01", "2026-04-14"), (ANI, "U2", None, "2026-04-15", None)]
        )
    return task_outcome(pl.DataFrame(list(tasks), schema=SCHEMA), employees, POLICY, month)


def of(frame: pl.DataFrame, column: str, task_id: str = "t1") -> Any:
    return frame.filter(pl.col("task_id") == task_id)[column].item()


def test_a_task_in_full() -> None:
    done = task(
        due_at="2026-04-07 23:59:59",
        first_response_at="2026-04-06 09:30",
        completed_at="2026-04-07 10:00",
        service_code="ktp",
        requester_key="k1",
        quantity_planned=4.0,
        quantity_done=3.0,
        quality_score=88.5,
        cost_planned=200.0,
        cost_spent=250.0,
    )
    assert outcomes(done).row(0, named=True) == {
        "task_id": "t1",
        "period": "2026-04",
        "nip": ANI,
        "unit_id": "U1",
        "task_type": "service_request",
        "service_code": "ktp",
        "opened_at": utc("2026-04-05 23:00"),
        "due_at": utc("2026-04-07 14:59:59"),
        "first_response_at": utc("2026-04-06 00:30"),
        "completed_at": utc("2026-04-07 01:00"),
        "status_code": "completed",
        "first_response_hours": 1.5,
        "is_repeat": False,
        "duration_hours": 9.5,  # 8 h less the break on Monday, 2.5 h on Tuesday
        "is_on_time": True,
        "quantity_share": 0.75,
        "quality_score": 88.5,
        "cost_share": 1.25,
        "quantity_planned": 4.0,
        "quantity_done": 3.0,
        "cost_planned": 200.0,
        "cost_spent": 250.0,
    }


@pytest.mark.parametrize(
    ("opened", "completed", "hours"),
    [
        ("2026-04-06 12:15", "2026-04-06 12:45", 0.0),  # within the break
        ("2026-04-06 11:30", "2026-04-06 13:30", 1.0),
        ("2026-04-06 05:00", "2026-04-06 20:00", 7.5),
        ("2026-04-02 15:00", "2026-04-06 08:30", 2.0),  # over Good Friday and the weekend
        ("2026-04-10 07:30", "2026-04-10 16:30", 7.5),  # Friday, break of 90 minutes
        ("2026-04-11 09:00", "2026-04-12 09:00", 0.0),  # a weekend
        ("2026-04-30 15:00", "2026-05-04 08:00", 1.5),  # Labour Day is between
    ],
)
def test_duration_counts_working_time_only(opened: str, completed: str, hours: float) -> None:
    assert of(outcomes(task(opened=opened, completed_at=completed)), "duration_hours") == pytest.approx(hours)


def test_a_completion_far_in_the_future_has_no_duration_and_does_not_hang() -> None:
    done = outcomes(task(completed_at="9999-12-31 00:00"), task("t2", completed_at="2026-04-06 09:00"))
    assert of(done, "duration_hours") is None
    assert of(done, "duration_hours", "t2") == 1.0


STANDARD = POLICY.model_copy(update={"tasks": Tasks(standard_hours={"service_request": 7.5, "project": 0.1})})


@pytest.mark.parametrize(
    ("opened", "due"),
    [
        ("2026-04-06 08:00", "2026-04-07 08:00"),
        ("2026-04-06 12:15", "2026-04-07 13:00"),  # 3 h, then 4.5 h to the break: used up when work begins again
        ("2026-04-06 05:00", "2026-04-07 07:30"),  # a whole day: until the next begins
        ("2026-04-02 15:00", "2026-04-06 15:00"),  # over Good Friday and the weekend
        ("2026-04-11 09:00", "2026-04-14 07:30"),  # a weekend
        ("2026-04-30 15:30", "2026-05-04 15:30"),  # into another month
    ],
)
def test_without_a_due_time_a_task_is_due_when_its_standard_of_working_hours_is_used_up(opened: str, due: str) -> None:
    """And done by then is the same as done in no more hours than the standard."""
    tick = dt.timedelta(seconds=1)
    at = dt.datetime.fromisoformat(due)
    rows = [task(f"t{n}", opened, completed_at=str(at + n * tick)) for n in (-1, 0, 1)]
    done = task_outcome(pl.DataFrame(rows, schema=SCHEMA), employee_frame([]), STANDARD, "2026-04")
    assert set(done["due_at"]) == {utc(str(at - dt.timedelta(hours=9)))}
    assert [of(done, "is_on_time", f"t{n}") for n in (-1, 0, 1)] == [True, True, False]
    assert [of(done, "duration_hours", f"t{n}") <= 7.5 for n in (-1, 0, 1)] == [True, True, False]


def test_a_delivered_due_time_wins_over_the_standard_and_other_types_have_none() -> None:
    rows = [
        task("told", due_at="2026-04-08 12:00"),
        task("routine", task_type="routine"),
        task("project", task_type="project"),
        task("cancelled", status_code="cancelled", completed_at="2026-04-06 09:00"),
    ]
    alone = [task_outcome(pl.DataFrame([r], schema=SCHEMA), employee_frame([]), STANDARD, "2026-04") for r in rows]
    done = task_outcome(pl.DataFrame(rows, schema=SCHEMA), employee_frame([]), STANDARD, "2026-04")
    assert of(done, "due_at", "told") == utc("2026-04-08 03:00")
    assert of(done, "due_at", "routine") is None
    assert of(done, "due_at", "project") == utc("2026-04-05 23:06")
    assert of(done, "is_on_time", "cancelled") is None
    assert done.equals(pl.concat(alone).sort("task_id")), "a due time rests on nothing but its own task"


def test_on_time_is_null_without_promise_while_open_and_when_cancelled() -> None:
    due = {"due_at": "2026-04-08 12:00"}
    done = outcomes(
        task("on_time", completed_at="2026-04-08 12:00", **due),
        task("late", completed_at="2026-04-08 12:01", **due),
        task("unpromised", completed_at="2026-04-08 12:00"),
        task("open", **due),
        task("cancelled", completed_at="2026-04-08 12:01", status_code="cancelled", **due),
    )
    expected = {"on_time": True, "late": False, "unpromised": None, "open": None, "cancelled": None}
    assert {name: of(done, "is_on_time", name) for name in expected} == expected
    assert of(done, "duration_hours", "cancelled") is None


def test_what_was_not_planned_is_not_computable() -> None:
    done = outcomes(task(quantity_planned=0.0, quantity_done=3.0, cost_spent=5.0))
    assert (of(done, "quantity_share"), of(done, "cost_share")) == (None, None)


def test_the_unit_is_the_tasks_own_or_that_of_the_opening_day() -> None:
    done = outcomes(
        task("before", opened="2026-04-14 08:00"),
        task("after", opened="2026-04-15 08:00"),
        task("own", opened="2026-04-15 08:00", unit_id="U9"),
        task("unknown", nip="199901012015011001"),
    )
    assert [of(done, "unit_id", name) for name in ("before", "after", "own", "unknown")] == ["U1", "U2", "U9", None]


def test_an_employee_who_has_left_has_no_unit() -> None:
    left = employee_frame([(ANI, "U1", None, "2020-01-01", "2026-04-05")])
    assert of(outcomes(task(), employees=left), "unit_id") is None


def test_a_repeat_is_the_same_request_within_thirty_days_seen_across_months() -> None:
    same = {"service_code": "ktp", "requester_key": "k1"}
    done = outcomes(
        task("march", opened="2026-03-08 08:00", **same),
        task("day30", opened="2026-04-07 08:00", **same),
        task("other_service", opened="2026-04-08 08:00", service_code="kk", requester_key="k1"),
        task("other_person", opened="2026-04-08 08:00", service_code="ktp", requester_key="k2"),
        task("anonymous", opened="2026-04-08 08:00", service_code="ktp"),
    )
    expected = {"day30": True, "other_service": False, "other_person": False, "anonymous": None}
    assert {name: of(done, "is_repeat", name) for name in expected} == expected
    assert "march" not in done["task_id"]
    a_second_more = outcomes(task("a", "2026-03-08 07:59:59", **same), task("b", "2026-04-07 08:00", **same))
    assert of(a_second_more, "is_repeat", "b") is False


def test_outcomes_in_parts_are_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = [f"2026-{month:02d}-{number % 28 + 1:02d} 0{number % 9}:00" for month in (3, 4) for number in range(60)]
    names = [f"t{number * 37 % 120:03d}" for number in range(120)]
    # Some ask for a service again, also across the month's end; some say neither who nor what.
    asked = [
        {"requester_key": f"k{number % 23}" if number % 5 else None, "service_code": [None, "ktp", "kk"][number % 3]}
        for number in range(120)
    ]
    done = [{"completed_at": at.replace("2026-04", "2026-05")} if at > "2026-04-20" else {} for at in opened]
    rows = [task(*row[:2], **row[2], **row[3]) for row in zip(names, opened, asked, done, strict=True)]
    staff = employee_frame([(ANI, "U1", None, "2020-01-01", "2026-04-14"), (ANI, "U2", None, "2026-04-15", None)])
    whole = outcomes(*rows, employees=staff)
    monkeypatch.setattr(of_tasks, "TASKS_AT_ONCE", 14)
    monkeypatch.setattr(of_tasks, "SAMPLED", 2)
    parts = list(task_outcome_parts(pl.LazyFrame(rows, schema=SCHEMA), staff, POLICY, "2026-04"))
    assert len(parts) > 3
    assert pl.concat(parts).equals(whole)
    assert whole["task_id"].to_list() == sorted(name for name, at in zip(names, opened, strict=True) if at > "2026-04")
    # Asked before, told another way.
    known = [r for r in rows if r["requester_key"] and r["service_code"]]
    before = {
        r["task_id"]: any(
            (other["opened_at"], other["task_id"]) < (r["opened_at"], r["task_id"])
            and r["opened_at"] - other["opened_at"] <= dt.timedelta(days=30)
            and (other["requester_key"], other["service_code"]) == (r["requester_key"], r["service_code"])
            for other in known
        )
        for r in known
    }
    assert {True, False} == {before[name] for name in whole["task_id"] if name in before}
    assert whole["is_repeat"].to_list() == [before.get(name) for name in whole["task_id"]]


def test_a_month_without_tasks_is_an_empty_table() -> None:
    assert outcomes().height == 0
    assert outcomes().schema == outcomes(task()).schema


# ---- the month's window --------------------------------------------------------------------------------------------

FLAGS = ("is_due", "is_opened", "is_completed", "is_backlog", "is_on_time")


def window(one: dict[str, Any], month: str = "2026-04", as_of: str = "2026-05-10") -> tuple[Any, ...]:
    until = day(as_of)
    assert until is not None
    outcome = outcomes(one, month=one["opened_at"].strftime("%Y-%m"))
    return task_window(outcome, month, "Asia/Jayapura", until).select(FLAGS).row(0)


def test_a_task_opened_earlier_and_due_in_the_month_counts_there() -> None:
    late = task(opened="2026-03-20 08:00", due_at="2026-04-02 16:00", completed_at="2026-04-05 08:00")
    assert window(late) == (True, False, True, False, False)
    assert window(late, month="2026-03") == (False, True, False, True, False)


def test_an_overdue_open_task_is_not_on_time() -> None:
    overdue = task(due_at="2026-04-08 16:00")
    assert window(overdue) == (True, True, False, True, False)
    assert window(overdue, as_of="2026-04-08") == (True, True, False, True, False)
    assert window(overdue, as_of="2026-04-07") == (False, True, False, True, None)  # not yet due


def test_a_task_completed_after_the_month_is_backlog_at_its_end() -> None:
    done_in_may = task(due_at="2026-06-01 16:00", completed_at="2026-05-02 08:00")
    assert window(done_in_may) == (False, True, False, True, True)
    assert window(done_in_may, month="2026-05") == (False, False, True, False, True)


def test_cancelled_tasks_are_neither_due_nor_backlog() -> None:
    cancelled = task(due_at="2026-04-08 16:00", status_code="cancelled")
    assert window(cancelled) == (False, True, False, False, None)


def test_the_months_bounds_are_local_midnights() -> None:
    first_minute = task(opened="2026-04-01 00:00", due_at="2026-04-30 23:59:59")
    assert window(first_minute)[:2] == (True, True)
    assert window(first_minute, month="2026-03")[:2] == (False, False)
    assert window(first_minute, month="2026-05")[:2] == (False, False)


def test_nothing_is_counted_before_the_month_begins() -> None:
    assert window(task(), month="2026-05", as_of="2026-04-20")[:3] == (False, False, False)


def test_the_window_keeps_every_row() -> None:
    frame = outcomes(task("a"), task("b"))
    assert task_window(frame, "2026-04", POLICY.zone, dt.date(2026, 4, 30)).height == 2
