"""Leave, sickness, duty travel and half days of the made-up employees, and the rosters of those who work shifts.

Here: permits and rosters, as rows and as look-ups for the taps. Not here: the taps (demo/attendance).
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from kinerja_pipeline.demo.people import DAY, Person
from kinerja_pipeline.demo.rows import Row
from kinerja_pipeline.demo.workdays import Workdays, days_of

Part = Literal["whole", "first_half", "second_half"]
CYCLE = ("shift_morning", "shift_morning", "shift_evening", "shift_evening", "shift_night", "shift_night", "off", "off")
KINDS: tuple[tuple[str, float, int], ...] = (
    ("cuti_tahunan", 0.17, 4),
    ("sakit", 0.12, 3),
    ("dinas_luar", 0.22, 3),
    ("izin", 0.05, 1),
    ("cuti_alasan_penting", 0.02, 2),
    ("kerja_jarak_jauh", 0.03, 2),
)
"""Kind, chance per person and month, longest number of working days."""


@dataclass(frozen=True, slots=True)
class Permit:
    permit_id: str
    nip: str
    kind_code: str
    part: Part
    start_date: dt.date
    end_date: dt.date

    def row(self) -> Row:
        return {
            "permit_id": self.permit_id,
            "nip": self.nip,
            "kind_code": self.kind_code,
            "part": self.part,
            "start_date": self.start_date,
            "end_date": self.end_date,
        }


def permits_of(prefix: str, people: Iterable[Person], days: Workdays, rng: random.Random) -> list[Permit]:
    """Permits by their first day; a person's permits do not overlap, and who is absent without reason has none."""
    drawn: list[Permit] = []
    for person in people:
        if person.part in ("often_absent", "long_absent"):
            continue
        drawn += _long_permits(person, days)
        taken = {d for p in drawn if p.nip == person.nip for d in _span(p)}
        for month in days.months:
            drawn += _month_permits(person, month, days, taken, rng)
    drawn.sort(key=lambda p: (p.start_date, p.nip))
    return [_numbered(prefix, n, p) for n, p in enumerate(drawn, start=1)]


def covering(permits: Iterable[Permit]) -> dict[tuple[str, dt.date], Part]:
    """The part of each person's day that a permit covers."""
    return {(p.nip, day): p.part for p in permits for day in _span(p)}


def roster_of(people: Iterable[Person], days: Workdays) -> dict[tuple[str, dt.date], str]:
    """The shift of every rostered person on every day; on the world's last day nobody starts a night."""
    roster: dict[tuple[str, dt.date], str] = {}
    rostered = [p for p in people if p.is_rostered]
    for position, person in enumerate(rostered):
        for number, day in enumerate(d for m in days.months for d in days_of(m)):
            shift = CYCLE[(number + position) % len(CYCLE)]
            roster[(person.nip, day)] = "off" if shift == "shift_night" and day == days.end else shift
    return roster


def _numbered(prefix: str, number: int, permit: Permit) -> Permit:
    permit_id = f"{prefix}/{permit.start_date:%Y%m}/{number:05d}"
    return Permit(permit_id, permit.nip, permit.kind_code, permit.part, permit.start_date, permit.end_date)


def _span(permit: Permit) -> list[dt.date]:
    return [permit.start_date + n * DAY for n in range((permit.end_date - permit.start_date).days + 1)]


def _long_permits(person: Person, days: Workdays) -> list[Permit]:
    if person.move == "studies":
        return [Permit("", person.nip, "tugas_belajar", "whole", days.start, days.end)]
    if person.move == "maternity":
        start = days.start + dt.timedelta(days=46)
        return [Permit("", person.nip, "cuti_melahirkan", "whole", start, min(days.end, start + dt.timedelta(days=89)))]
    return []


def _month_permits(person: Person, month: str, days: Workdays, taken: set[dt.date], rng: random.Random) -> list[Permit]:
    found = []
    workdays = [d for d in days.office_days_by_month[month] if person.assignment(d) is not None]
    for kind, chance, longest in KINDS:
        if rng.random() >= chance or len(workdays) < 8:
            continue
        first = rng.randrange(len(workdays))
        chosen = workdays[first : first + rng.randint(1, longest)]
        if taken.isdisjoint(days_between := {chosen[0] + n * DAY for n in range((chosen[-1] - chosen[0]).days + 1)}):
            taken |= days_between
            found.append(Permit("", person.nip, kind, _part(kind, len(chosen), rng), chosen[0], chosen[-1]))
    return found


def _part(kind: str, length: int, rng: random.Random) -> Part:
    if length > 1 or kind not in ("izin", "dinas_luar"):
        return "whole"
    draw = rng.random()
    return "first_half" if draw < 0.25 else "second_half" if draw < 0.6 else "whole"
