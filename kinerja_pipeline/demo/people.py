"""The made-up employees of a region: numbers, names, dated assignments, supervisors, PINs.

Here: who works where from when to when, and which part each plays in the demo. Not here: what they do all day.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Literal

from kinerja_pipeline.demo.names import Sex, full_name
from kinerja_pipeline.demo.regions import Region, Unit
from kinerja_pipeline.demo.workdays import Workdays, days_of, first_day, last_day

Part = Literal["ordinary", "top", "declining", "often_late", "often_absent", "long_absent"]
Move = Literal["stays", "moves", "retires", "hired", "studies", "maternity"]
Code = Literal["utama", "plt"]
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Assignment:
    code: Code
    unit: Unit
    valid_from: dt.date
    valid_to: dt.date | None
    position: str
    position_level: str
    supervisor_nip: str | None
    schedule_id: str | None


@dataclass(frozen=True, slots=True)
class Pin:
    device_id: str
    pin: str
    valid_from: dt.date
    valid_to: dt.date | None


@dataclass(frozen=True, slots=True)
class Person:
    """One invented employee. `skill` shifts what all of this person's tasks look like."""

    nip: str
    name: str
    sex: Sex
    employment_status: str
    part: Part
    move: Move
    is_leader: bool
    is_rostered: bool
    skill: float
    assignments: tuple[Assignment, ...]
    pins: tuple[Pin, ...] = field(default=())

    def assignment(self, day: dt.date) -> Assignment | None:
        """The main assignment on that day."""
        for a in self.assignments:
            if a.code == "utama" and a.valid_from <= day and (a.valid_to is None or day <= a.valid_to):
                return a
        return None

    def pin(self, day: dt.date) -> Pin | None:
        return next((p for p in self.pins if p.valid_from <= day and (p.valid_to is None or day <= p.valid_to)), None)


def people_of(region: Region, days: Workdays, count: int, rng: random.Random) -> tuple[Person, ...]:
    """`count` people in the region's units, heads first in each unit."""
    staffing = _headcounts(region, count)
    parts, moves = _cast(count, len(days.months), rng)
    people: list[Person] = []
    heads: dict[str, str] = {}
    numbers: Counter[str] = Counter()
    taken: set[str] = set()
    for unit in region.units:
        for place in range(staffing[unit.unit_id]):
            index = len(people)
            # A unit with other staff keeps its head, so that nobody's supervisor is missing.
            move = "stays" if place == 0 and staffing[unit.unit_id] > 1 else moves[index]
            person = _person(region, unit, place, parts[index], move, days, heads, taken, rng)
            if place == 0:
                heads[unit.unit_id] = person.nip
            if person.move == "moves":
                person = _moved(region, person, days, heads, rng)
            people.append(_with_pins(region, person, numbers))
    return _acting_head(tuple(people), days)


def _headcounts(region: Region, count: int) -> dict[str, int]:
    total = sum(u.staff for u in region.units)
    shares = {u.unit_id: count * u.staff / total for u in region.units}
    heads = {unit: int(share) for unit, share in shares.items()}
    by_rest = sorted(shares, key=lambda unit: (heads[unit] - shares[unit], unit))
    for unit in by_rest[: count - sum(heads.values())]:
        heads[unit] += 1
    top = region.units[0].unit_id
    if count and not heads[top]:
        heads[max(heads, key=lambda unit: heads[unit])] -= 1
        heads[top] = 1
    return heads


def _cast(count: int, months: int, rng: random.Random) -> tuple[list[Part], list[Move]]:
    """Who plays which part; nobody plays two, and the first person (the region's secretary) plays none."""
    parts: list[Part] = ["ordinary"] * count
    moves: list[Move] = ["stays"] * count
    free = list(range(1, count))
    rng.shuffle(free)
    wanted: list[tuple[Part, int]] = [
        ("top", max(2, count * 6 // 100)),
        ("declining", max(2, count // 60)),
        ("often_absent", 1),
        ("long_absent", 1),
        ("often_late", max(1, count // 30)),
    ]
    for part, number in wanted:
        for _ in range(min(number, len(free))):
            parts[free.pop()] = part
    if months >= 3:
        movers: list[tuple[Move, int]] = [
            ("moves", max(1, count // 75)),
            ("retires", max(1, count // 100)),
            ("hired", max(1, count // 60)),
            ("studies", int(count >= 50)),
            ("maternity", int(count >= 50)),
        ]
        for move, number in movers:
            for _ in range(min(number, len(free))):
                moves[free.pop()] = move
    return parts, moves


def _person(
    region: Region, unit: Unit, place: int, part: Part, move: Move, days: Workdays,
    heads: dict[str, str], taken: set[str], rng: random.Random,
) -> Person:  # fmt: skip
    sex: Sex = "2" if move == "maternity" or rng.random() < 0.48 else "1"
    hired = first_day(days.months[1 + rng.randrange(2)]) if move == "hired" else None
    retires = last_day(days.months[2 + rng.randrange(max(1, len(days.months) - 3))]) if move == "retires" else None
    status = "pppk" if hired else "pns" if place == 0 or retires else _status(rng)
    year = retires.year - 58 if retires else rng.randint(1972, 1990 if place == 0 else 2000)
    born = dt.date(year, retires.month if retires else rng.randint(1, 12), rng.randint(1, 28))
    appointed = _appointed(born, status, hired, rng)
    serial = rng.randint(1, 300)
    while (nip := f"{born:%Y%m%d}{appointed:%Y%m}{sex}{serial:03d}") in taken:
        serial = serial % 999 + 1
    taken.add(nip)
    is_leader = place == 0
    may_roster = not is_leader and move == "stays" and part in ("ordinary", "top")
    is_rostered = may_roster and rng.random() < unit.shift_share
    position, level = _position(unit, is_leader, place, rng)
    start = hired or max(appointed.replace(day=1), dt.date(rng.randint(2019, 2024), rng.randint(1, 12), 1))
    assignment = Assignment(
        code="utama",
        unit=unit,
        valid_from=start,
        valid_to=retires,
        position=position,
        position_level=level,
        supervisor_nip=_supervisor(region, unit, is_leader, heads),
        schedule_id="shift_morning" if is_rostered else unit.schedule_id,
    )
    return Person(
        nip=nip,
        name=full_name(region.region, sex, rng),
        sex=sex,
        employment_status=status,
        part=part,
        move=move,
        is_leader=is_leader,
        is_rostered=is_rostered,
        skill=rng.gauss(0, 0.03),
        assignments=(assignment,),
    )


def _status(rng: random.Random) -> str:
    draw = rng.random()
    return "pns" if draw < 0.66 else "pppk" if draw < 0.93 else "pppk_paruh_waktu"


def _appointed(born: dt.date, status: str, hired: dt.date | None, rng: random.Random) -> dt.date:
    if hired:
        return hired
    if status == "pppk_paruh_waktu":
        return dt.date(2025, rng.randint(6, 12), 1)
    if status == "pppk":
        return dt.date(rng.randint(2021, 2025), rng.randint(1, 12), 1)
    return dt.date(min(2024, born.year + rng.randint(22, 30)), rng.randint(1, 12), 1)


def _position(unit: Unit, is_leader: bool, place: int, rng: random.Random) -> tuple[str, str]:
    if is_leader:
        return f"Kepala {unit.name}", unit.leader
    if place in (1, 2) and unit.leader == "jpt":
        return ("Sekretaris" if place == 1 else "Kepala Bidang"), "administrator"
    if place < 3 and unit.staff >= 20:
        return "Kepala Subbagian Tata Usaha", "pengawas"
    if unit.sector in ("health", "education") and rng.random() < 0.75:
        title = ("Perawat", "Bidan", "Dokter", "Apoteker") if unit.sector == "health" else ("Guru", "Guru Kelas")
        return f"{rng.choice(title)} Ahli {rng.choice(('Pertama', 'Muda'))}", "fungsional"
    if rng.random() < 0.2:
        return "Analis Kebijakan Ahli Pertama", "fungsional"
    return rng.choice(("Pengadministrasi Umum", "Pengelola Layanan Operasional", "Penata Layanan")), "pelaksana"


def _supervisor(region: Region, unit: Unit, is_leader: bool, heads: dict[str, str]) -> str | None:
    """The unit's head; for heads, the head of the nearest unit above that has one."""
    above = unit.parent_id if is_leader else unit.unit_id
    while above is not None and above not in heads:
        above = region.unit(above).parent_id
    return heads.get(above) if above is not None else None


def _moved(region: Region, person: Person, days: Workdays, heads: dict[str, str], rng: random.Random) -> Person:
    """A transfer in the middle of the third month or later: the old assignment ends on the day before."""
    old = person.assignments[0]
    month = days.months[2 + rng.randrange(max(1, len(days.months) - 3))]
    start = next(d for d in days_of(month) if d.day >= 11 and d in days.office_days)
    unit = rng.choice([u for u in region.units if u.device != old.unit.device])
    new = replace(
        old,
        unit=unit,
        valid_from=start,
        valid_to=None,
        position="Penata Layanan",
        position_level="pelaksana",
        supervisor_nip=_supervisor(region, unit, False, heads),
        schedule_id=unit.schedule_id,
    )
    return replace(person, assignments=(replace(old, valid_to=start - DAY), new))


def _with_pins(region: Region, person: Person, numbers: Counter[str]) -> Person:
    """A PIN is the next free number of the unit's device, so the same PIN on two devices is two people."""
    pins = []
    for assignment in person.assignments:
        device = region.device_id(assignment.unit.device)
        numbers[device] += 1
        pins.append(Pin(device, str(numbers[device]), assignment.valid_from, assignment.valid_to))
    return replace(person, pins=tuple(pins))


def _acting_head(people: tuple[Person, ...], days: Workdays) -> tuple[Person, ...]:
    """One head also acts (plt) as head of another unit from the second month on."""
    staying = [i for i, p in enumerate(people) if p.is_leader and p.move == "stays"]
    if len(staying) < 3:
        return people
    actor, other = people[staying[1]], people[staying[2]]
    acting = replace(
        other.assignments[0],
        code="plt",
        valid_from=first_day(days.months[min(1, len(days.months) - 1)]),
        valid_to=None,
        position=f"Plt. {other.assignments[0].position}",
    )
    changed = replace(actor, assignments=(*actor.assignments, acting))
    return tuple(changed if p.nip == actor.nip else p for p in people)
