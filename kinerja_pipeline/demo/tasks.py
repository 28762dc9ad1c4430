"""Tasks, requests, complaints and projects of the made-up employees, and what is known of each on a given day.

Here: drawing tasks and their state as of a date. Not here: which file tells of which task (demo/deliveries).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from kinerja_pipeline.demo.people import DAY, Person
from kinerja_pipeline.demo.permits import Part
from kinerja_pipeline.demo.regions import Region, Unit
from kinerja_pipeline.demo.rows import Row
from kinerja_pipeline.demo.workdays import Workdays, last_day, month_of

Kind = Literal["service_request", "complaint", "routine", "project"]
REQUESTERS = 900


@dataclass(frozen=True, slots=True)
class Level:
    """What a person's tasks look like in a month: chance of being on time, output and cost against plan, quality."""

    on_time: float
    quantity: float
    quality: float
    cost: float


ORDINARY = Level(0.89, 0.97, 82, 0.98)
TOP = Level(1.0, 1.18, 95, 0.88)
DECLINED = Level(0.42, 0.70, 64, 1.12)
DECLINE_MONTHS = 2
"""In so many months at the end of the world the declining people are at DECLINED."""


class Task(NamedTuple):
    """One task with all that will ever happen to it; `row` tells only what is known on a day."""

    task_id: str
    nip: str | None
    unit_id: str | None
    task_type: Kind
    service_code: str | None
    requester_key: str | None
    opened_at: dt.datetime
    due_at: dt.datetime
    first_response_at: dt.datetime | None
    completed_at: dt.datetime | None
    cancelled_at: dt.datetime | None
    quantity_planned: int | None
    quantity_done: int | None
    quality_score: float | None
    cost_planned: int | None
    cost_spent: int | None
    approver_nip: str | None

    def status(self, as_of: dt.datetime) -> str:
        if self.cancelled_at is not None and self.cancelled_at <= as_of:
            return "cancelled"
        if self.completed_at is not None and self.completed_at <= as_of:
            return "completed"
        started = self.first_response_at is not None and self.first_response_at <= as_of
        return "in_progress" if started else "open"

    def row(self, as_of: dt.datetime) -> Row:
        """The task_record row as it is known at `as_of`."""
        status = self.status(as_of)
        done = status == "completed"
        return {
            "task_id": self.task_id,
            "nip": self.nip,
            "unit_id": self.unit_id,
            "task_type": self.task_type,
            "service_code": self.service_code,
            "requester_key": self.requester_key,
            "opened_at": self.opened_at,
            "due_at": self.due_at,
            "first_response_at": self.first_response_at if status != "open" else None,
            "completed_at": self.completed_at if done else None,
            "status_code": status,
            "quantity_planned": self.quantity_planned,
            "quantity_done": self.quantity_done if done else None,
            "quality_score": self.quality_score if done else None,
            "cost_planned": self.cost_planned,
            "cost_spent": self.cost_spent if done else None,
            "evidence": f"arsip/{self.opened_at:%Y/%m}/{self.task_id}.pdf" if done else None,
            "approver_nip": self.approver_nip if done else None,
            "_cancelled_at": self.cancelled_at if status == "cancelled" else None,
        }


def tasks_of(
    region: Region,
    people: Sequence[Person],
    days: Workdays,
    permits: Mapping[tuple[str, dt.date], Part],
    rng: random.Random,
) -> list[Task]:
    """Six to ten tasks per employee and month at work, in the order they were opened."""
    drawn: list[Task] = []
    for person in people:
        for month in days.months:
            present = [d for d in days.office_days_by_month[month] if _at_work(person, d, permits)]
            if len(present) < 5:
                continue
            for number in range(rng.randint(6, 10)):
                drawn.append(_task(region, person, month, number, present, days, rng))
    drawn.sort(key=lambda t: (t.opened_at, t.nip or "", t.unit_id or "", t.due_at))
    return [
        task._replace(task_id=f"{region.prefix}-{task.opened_at:%y%m}-{number:06d}")
        for number, task in enumerate(drawn, start=1)
    ]


def _at_work(person: Person, day: dt.date, permits: Mapping[tuple[str, dt.date], Part]) -> bool:
    return person.assignment(day) is not None and permits.get((person.nip, day)) != "whole"


def _task(
    region: Region, person: Person, month: str, number: int, present: list[dt.date], days: Workdays, rng: random.Random
) -> Task:  # fmt: skip
    # The first two tasks of a month are routine and due in it, so that every month shows quantity and cost.
    day = present[rng.randrange(max(1, len(present) // 2))] if number < 2 else rng.choice(present)
    assignment = person.assignment(day)
    assert assignment is not None
    unit = assignment.unit
    kind = "routine" if number < 2 else _kind(unit, rng)
    opened = _clock(day, 8 * 60, 14 * 60, rng)
    due_day = _due(kind, number, day, month, rng)
    due = dt.datetime.combine(due_day, dt.time(16))
    level = _level(person, month_of(due_day), days)
    completed, cancelled = _end(opened, due, level, number, person.skill, rng)
    response = _response(kind, opened, completed, rng)
    has_output, has_cost = kind in ("routine", "project"), number == 0 or kind == "project"
    planned = rng.randint(10, 60) if has_output else None
    budget = rng.randint(5, 200) * 100_000 if has_cost else None
    by_unit = number >= 2 and kind in ("service_request", "complaint") and rng.random() < 0.05
    asks = kind in ("service_request", "complaint")
    return Task(
        task_id="",
        nip=None if by_unit else person.nip,
        unit_id=unit.unit_id if by_unit else None,
        task_type=kind,
        service_code=rng.choice(unit.services) if asks and unit.services else None,
        requester_key=_requester(region, rng) if asks else None,
        opened_at=opened,
        due_at=due,
        first_response_at=response,
        completed_at=completed,
        cancelled_at=cancelled,
        quantity_planned=planned,
        quantity_done=_near(planned * (level.quantity + person.skill), 0.06, rng) if planned else None,
        quality_score=round(min(100.0, max(30.0, rng.gauss(level.quality + 60 * person.skill, 4))), 1),
        cost_planned=budget,
        cost_spent=_near(budget * level.cost / 1000, 0.03, rng) * 1000 if budget else None,
        approver_nip=assignment.supervisor_nip,
    )


def _kind(unit: Unit, rng: random.Random) -> Kind:
    draw = rng.random()
    if unit.sector == "complaints" and draw < 0.65:
        return "complaint"
    if unit.services and draw < 0.6:
        return "complaint" if draw < 0.08 else "service_request"
    return "project" if draw > 0.93 else "routine"


def _due(kind: Kind, number: int, day: dt.date, month: str, rng: random.Random) -> dt.date:
    if number < 2:
        return min(last_day(month), day + rng.randint(5, 10) * DAY)
    longest = {"service_request": (3, 10), "complaint": (3, 7), "routine": (4, 14), "project": (25, 50)}
    return day + rng.randint(*longest[kind]) * DAY


def _level(person: Person, due_month: str, days: Workdays) -> Level:
    if person.part == "top":
        return TOP
    if person.part == "declining" and due_month >= days.months[-DECLINE_MONTHS:][0]:
        return DECLINED
    return ORDINARY


def _end(
    opened: dt.datetime, due: dt.datetime, level: Level, number: int, skill: float, rng: random.Random
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """When the task is completed or cancelled; a few late ones never are."""
    if number >= 2 and level.on_time < 1 and rng.random() < 0.02:
        return None, opened + dt.timedelta(hours=rng.randint(3, 72))
    span = (due - opened).total_seconds()
    if rng.random() < level.on_time + skill:
        return opened + dt.timedelta(minutes=int(span * rng.uniform(0.2, 0.95) / 60)), None
    if number >= 2 and rng.random() < 0.15:
        return None, None
    return due + dt.timedelta(minutes=rng.randint(20, 9 * 1440)), None


def _response(kind: Kind, opened: dt.datetime, completed: dt.datetime | None, rng: random.Random) -> dt.datetime | None:
    if kind not in ("service_request", "complaint") or rng.random() < 0.04:
        return None
    waited = opened + dt.timedelta(minutes=10 + int(rng.expovariate(1 / (600 if kind == "complaint" else 240))))
    return min(waited, completed) if completed else waited


def _clock(day: dt.date, first: int, last: int, rng: random.Random) -> dt.datetime:
    return dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=rng.randint(first, last))


def _near(value: float, spread: float, rng: random.Random) -> int:
    return max(0, round(value * rng.gauss(1, spread)))


def _requester(region: Region, rng: random.Random) -> str:
    """A keyed hash as the supplier's application makes it; low numbers come back often."""
    number = int(REQUESTERS * rng.random() ** 2)
    return hashlib.blake2b(str(number).encode(), key=region.region.encode(), digest_size=8).hexdigest()
