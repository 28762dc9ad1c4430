"""The wrong rows planted in every region, each kind with the one rule it must trip.

Here: the kinds, how each is made from a good row, and how many a file can bear. Not here: writing them (formats).
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from kinerja_pipeline.demo.rows import DAMAGE, Row

Spoil = Callable[[Row, int], list[Row]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of wrong row. `loses_month` says that its month cannot be read (or is wrong), so that it lands in the
    month of its delivery; `readers` names the formats in which it can happen."""

    name: str
    feed: str
    rule: str
    spoil: Spoil
    count: int = 1
    rows: int = 1
    loses_month: bool = False
    readers: Collection[str] = ("attlog", "csv", "xlsx", "jsonl", "parquet")


def _changed(**values: str | int | None) -> Spoil:
    return lambda row, number: [row | values]


def _new_task(row: Row, number: int) -> Row:
    return row | {"task_id": f"{str(row['task_id'])[:3]}-X{number:05d}", "unit_id": None, "_cancelled_at": None}


def _task(**values: str | int | None) -> Spoil:
    return lambda row, number: [_new_task(row, number) | values]


def _open_task(row: Row, number: int) -> Row:
    return _new_task(row, number) | {"first_response_at": None, "completed_at": None, "status_code": "open"}


def _completed_before_opened(row: Row, number: int) -> list[Row]:
    opened = row["opened_at"]
    assert isinstance(opened, dt.datetime)
    early = opened - dt.timedelta(days=2)
    return [_new_task(row, number) | {"status_code": "completed", "completed_at": early, "first_response_at": None}]


def _task_told_twice(row: Row, number: int) -> list[Row]:
    one = _new_task(row, number)
    return [one | {"quantity_planned": 11}, one | {"quantity_planned": 12}]


def _clock_reset(row: Row, number: int) -> list[Row]:
    return [row | {"tapped_at": dt.datetime.combine(dt.date(2000, 1, 1), dt.time(0, number % 60, number * 7 % 60))}]


def _rounded(row: Row, number: int) -> list[Row]:
    return [row | {"nip": f"{str(row['nip'])[:15]}000", "supervisor_nip": None, DAMAGE: None}]


def _nip_as_number(row: Row, number: int) -> list[Row]:
    return [row | {"supervisor_nip": None, "valid_from": dt.date(2020, 1, number % 28 + 1), DAMAGE: "nip_as_number"}]


def _other_start(**values: str | None) -> Spoil:
    return lambda row, number: [row | {"valid_from": dt.date(2020, 2, number % 28 + 1)} | values]


def _permit(**values: str | None) -> Spoil:
    return lambda row, number: [row | {"permit_id": f"X-{number:05d}"} | values]


def _end_before_start(row: Row, number: int) -> list[Row]:
    start = row["start_date"]
    assert isinstance(start, dt.date)
    return [row | {"permit_id": f"X-{number:05d}", "end_date": start - dt.timedelta(days=1)}]


def _answer(score: int | str) -> Spoil:
    """A respondent of whose answers one is wrong; the others are good."""

    def spoil(row: Row, number: int) -> list[Row]:
        element = [name for name in row if name.startswith("=")][number % 4]
        return [row | {"response_id": f"X-{number:05d}", element: score}]

    return spoil


def _rated_twice(row: Row, number: int) -> list[Row]:
    one = row | {"subject_id": f"X-{number}"}
    return [one | {"predicate": "baik"}, one | {"predicate": "sangat_baik"}]


def _trained(**values: str) -> Spoil:
    return lambda row, number: [row | {"programme_id": f"X-{number}"} | values]


def _trained_twice(row: Row, number: int) -> list[Row]:
    one = row | {"programme_id": f"X-{number}"}
    return [one | {"hours": 6}, one | {"hours": 60}]


KINDS: tuple[Kind, ...] = (
    Kind("clock_reset", "attendance_log", "tapped_at__month", _clock_reset, count=4, loses_month=True),
    Kind("unknown_pin", "attendance_log", "pin__unknown", lambda row, n: [row | {"pin": f"99{n:04d}"}], count=3),
    Kind("cut_line", "attendance_log", "line__unreadable", _changed(**{DAMAGE: "cut"}), 2, loses_month=True,
         readers=("attlog",)),
    Kind("short_row", "attendance_log", "row__short", _changed(**{DAMAGE: "short"}), 2, loses_month=True,
         readers=("csv",)),
    Kind("unreadable_date", "task_record", "opened_at__unreadable", _task(opened_at="31/02/2026"), 2, loses_month=True),
    Kind("completed_before_opened", "task_record", "completed_at__before__opened_at", _completed_before_opened, 3),
    Kind("task_type_outside_list", "task_record", "task_type__code", _task(task_type="lain-lain"), 2),
    Kind("missing_task_type", "task_record", "task_type__missing", _task(task_type=None), 2),
    Kind("quality_above_scale", "task_record", "quality_score__range", _task(quality_score=812), 2),
    Kind("task_of_rounded_nip", "task_record", "nip__unknown", lambda row, n: [_new_task(row, n) | {
        "nip": f"{str(row['nip'])[:15]}000"}], 2),
    Kind("approver_with_exponent", "task_record", "approver_nip__pattern", _task(approver_nip="1.99001E+17")),
    Kind("task_told_twice", "task_record", "key__conflict", _task_told_twice, rows=2,
         readers=("csv", "xlsx", "jsonl")),
    Kind("short_task_row", "task_record", "row__short", lambda row, n: [_open_task(row, n) | {DAMAGE: "short"}],
         loses_month=True, readers=("csv",)),
    Kind("cut_task_line", "task_record", "line__unreadable", _task(**{DAMAGE: "cut"}), loses_month=True,
         readers=("jsonl",)),
    Kind("score_above_scale", "feedback_response", "score__above__scale_max", _answer(5), 2),
    Kind("unreadable_score", "feedback_response", "score__unreadable", _answer("lumayan"), 2),
    Kind("nip_rounded", "employee", "nip__rounded", _rounded),
    Kind("nip_as_number", "employee", "nip__numeric", _nip_as_number, readers=("xlsx", "jsonl")),
    Kind("status_outside_list", "employee", "employment_status__code", _other_start(employment_status="honorer")),
    Kind("missing_name", "employee", "name__missing", _other_start(name=None)),
    Kind("pin_of_unknown_nip", "device_pin", "nip__unknown", lambda row, n: [row | {
        "pin": f"88{n:04d}", "nip": f"{str(row['nip'])[:15]}000"}]),
    Kind("end_before_start", "leave_permit", "end_date__before__start_date", _end_before_start),
    Kind("permit_part_outside_list", "leave_permit", "part__code", _permit(part="sebentar")),
    Kind("unreadable_work_date", "shift_roster", "work_date__unreadable", _changed(work_date="2026-02-30")),
    Kind("measurement_without_value", "indicator_measurement", "value__missing_without__numerator",
         lambda row, n: [row | {"indicator_id": f"x_{n}", "numerator": None, "denominator": None, "value": None}]),
    Kind("predicate_outside_list", "performance_rating", "predicate__code", lambda row, n: [row | {
        "subject_id": f"X-{n}", "predicate": "cukup"}]),
    Kind("rated_twice", "performance_rating", "key__conflict", _rated_twice, rows=2),
    Kind("hours_unreadable", "training_record", "hours__unreadable", _trained(hours="delapan jam")),
    Kind("training_of_unknown_nip", "training_record", "nip__unknown", lambda row, n: [row | {
        "programme_id": f"X-{n}", "nip": f"{str(row['nip'])[:15]}000"}]),
    Kind("completed_on_no_day", "training_record", "completed_date__unreadable", _trained(completed_date="31/02/2026"),
         loses_month=True),
    Kind("training_told_twice", "training_record", "key__conflict", _trained_twice, rows=2),
)  # fmt: skip

LATE_ANSWER = "answer_after_round"
"""Answers sent after their round had closed; demo/appraisals makes them."""

BAD_ROWS: dict[str, str] = {kind.name: kind.rule for kind in KINDS} | {LATE_ANSWER: "submitted_at__after__round"}
"""Kind -> the rule that rejects it, and nothing else in the demo world trips that rule in that feed."""


def kinds_at(feed: str, reader: str, number: int, months: int, excluded: Collection[str] = ()) -> list[Kind]:
    """The kinds to plant in the files of the `number`th month: each kind has its month, those without a readable month
    never the last, for they would land in a month that has nothing else."""
    found = []
    for place, kind in enumerate(k for k in KINDS if k.feed == feed):
        bearable = months - 1 if kind.loses_month else months
        if bearable and place % bearable == number and reader in kind.readers and kind.name not in excluded:
            found.append(kind)
    return found


def plant(
    kinds: Sequence[Kind], good: Sequence[Row], tolerance: float, serial: int, rng: random.Random
) -> tuple[list[Row], dict[str, int]]:
    """Wrong rows and how many of each kind, no more than the contract tolerates for so many good rows.

    `serial` makes the numbers of these rows different from those of other files.
    """
    room = int(len(good) * tolerance)
    rows: list[Row] = []
    planted: dict[str, int] = {}
    for kind in kinds:
        for _ in range(kind.count):
            if kind.rows > room:
                break
            serial += 1
            rows += kind.spoil(dict(rng.choice(good)), serial)
            planted[kind.name] = planted.get(kind.name, 0) + kind.rows
            room -= kind.rows
    return rows, planted
