"""The taps of a region's scanners: who taps when, late, early, twice, with the wrong button, or not at all.

Here: taps from schedules, permits and each person's part. Not here: files (demo/deliveries), permits (demo/permits).
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kinerja_pipeline.demo.people import Person, Pin
from kinerja_pipeline.demo.permits import Part
from kinerja_pipeline.demo.regions import Region
from kinerja_pipeline.demo.rows import Row
from kinerja_pipeline.demo.workdays import Workdays

OFTEN_ABSENT_DAYS = 5
LONG_ABSENCE_DAYS = 12
UNSET = 255


class Tap(NamedTuple):
    """One tap as a scanner keeps it: local time, the button pressed, how the person was recognised."""

    device_id: str
    pin: str
    tapped_at: dt.datetime
    state_code: int
    verify_code: int


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch of local time in which a scanner took no taps."""

    device_id: str
    started_at: dt.datetime
    ended_at: dt.datetime

    def row(self) -> Row:
        return {"device_id": self.device_id, "started_at": self.started_at, "ended_at": self.ended_at}


@dataclass(frozen=True, slots=True)
class Presence:
    """What decides whether a person taps on a day."""

    permits: Mapping[tuple[str, dt.date], Part]
    roster: Mapping[tuple[str, dt.date], str]
    outage: Outage | None


def taps_of(
    region: Region, people: Sequence[Person], days: Workdays, presence: Presence, rng: random.Random
) -> list[Tap]:
    """All taps of the world's months in the order of the clock."""
    taps: list[Tap] = []
    for person in people:
        absent = unexcused_days(person, days)
        verify = 15 if rng.random() < 0.3 else 1
        for day in _days(days):
            pin = person.pin(day)
            schedule = _schedule(person, day, days, presence)
            hours = days.hours(schedule, day) if schedule else None
            part = presence.permits.get((person.nip, day))
            if pin is None or hours is None or part == "whole" or day in absent:
                continue
            if person.part == "ordinary" and not person.is_rostered and rng.random() < 0.0006:
                continue
            midnight = dt.datetime.combine(day, dt.time())
            for second, is_out in _moments(person, hours, part, rng):
                at = midnight + dt.timedelta(seconds=second)
                taps += _pressed(region, pin, at, is_out, verify, rng)
    if down := presence.outage:
        taps = [t for t in taps if t.device_id != down.device_id or not down.started_at <= t.tapped_at < down.ended_at]
    return sorted(taps, key=lambda t: (t.tapped_at, t.device_id, t.pin))


def outage_of(region: Region, people: Sequence[Person], day: dt.date) -> Outage | None:
    """What befell the region's weak scanner, or the first one that somebody taps on; None where nobody does."""
    known = [device for person in people for pin in person.pins if (device := pin.device_id)]
    if not known:
        return None
    weak = region.device_id(region.down_device)
    first, last = region.down_hours
    start = dt.datetime.combine(day, dt.time())
    hours = dt.timedelta(hours=1)
    return Outage(weak if weak in known else known[0], start + first * hours, start + last * hours)


def unexcused_days(person: Person, days: Workdays) -> frozenset[dt.date]:
    """Working days on which this person stays away without a word: one person often, one for a long run."""
    office = days.office_days
    if person.part == "often_absent":
        step = max(1, len(office) // OFTEN_ABSENT_DAYS)
        return frozenset(office[3::step][:OFTEN_ABSENT_DAYS])
    if person.part == "long_absent":
        start = len(office) // 2
        return frozenset(office[start : start + LONG_ABSENCE_DAYS])
    return frozenset()


def _days(days: Workdays) -> list[dt.date]:
    return [days.start + dt.timedelta(days=n) for n in range((days.end - days.start).days + 1)]


def _schedule(person: Person, day: dt.date, days: Workdays, presence: Presence) -> str | None:
    if person.is_rostered:
        shift = presence.roster[(person.nip, day)]
        return None if shift == "off" else shift
    assignment = person.assignment(day)
    if assignment is None:
        return None
    return assignment.schedule_id or days.policy.attendance.schedule_of(person.employment_status)


def _moments(person: Person, hours: tuple[int, int], part: Part | None, rng: random.Random) -> list[tuple[int, bool]]:
    """Seconds after midnight of the day's taps, each with whether it is the way out."""
    start, end = hours
    middle = (start + end) // 2
    if part == "first_half":
        first = middle - rng.randint(10, 40)
    elif rng.random() < _late_chance(person):
        first = start + 1 + min(150, int(rng.expovariate(1 / 18)))
    else:
        first = start - 1 - int(30 * rng.random() ** 1.5)
    if part == "second_half":
        last = middle + rng.randint(5, 30)
    elif person.part != "top" and rng.random() < 0.015:
        last = end - 1 - min(120, int(rng.expovariate(1 / 25)))
    else:
        last = end + int(45 * rng.random() ** 2)
    moments = [(first * 60 + rng.randrange(60), False), (last * 60 + rng.randrange(60), True)]
    if person.part != "top" and rng.random() < 0.015:
        del moments[rng.randrange(2)]
    return moments


def _late_chance(person: Person) -> float:
    return {"top": 0.005, "often_late": 0.45, "declining": 0.12}.get(person.part, 0.055)


def _pressed(region: Region, pin: Pin, at: dt.datetime, is_out: bool, verify: int, rng: random.Random) -> list[Tap]:
    """One tap, or two within a minute; now and then the wrong button."""
    taps = []
    for moment in (at, at + dt.timedelta(seconds=rng.randint(3, 55))) if rng.random() < 0.03 else (at,):
        state = UNSET if region.state == "unset" else int(is_out) if rng.random() > 0.03 else 1 - int(is_out)
        taps.append(Tap(pin.device_id, pin.pin, moment, state, verify))
    return taps
