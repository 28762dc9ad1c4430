"""One big region and month as its suppliers would deliver it: text files of any size, the same bytes for a seed.

    python benchmarks/big_month.py --taps 10000000 --home /tmp/big

A few demo worlds of a thousand people are written as text with marks where their numbers stand (units, scanners, tasks,
dates of birth); the month is those texts one after the other, each copy with numbers of its own. So memory holds the
few worlds, whatever the size, and a hundred million taps take minutes. One row in a hundred is bad, in every way that
the demo world knows for its feed. The files follow Manokwari's policy, but for the scanners: there are more than its
seven, and the register calls them as the files do.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import random
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kinerja_pipeline.contracts.model import Contract, load_contracts
from kinerja_pipeline.demo.attendance import Presence, outage_of
from kinerja_pipeline.demo.damage import KINDS
from kinerja_pipeline.demo.deliveries import RegionWorld, deliveries_of
from kinerja_pipeline.demo.formats import Supplier, file_bytes
from kinerja_pipeline.demo.people import Assignment, Person, people_of
from kinerja_pipeline.demo.permits import covering, permits_of, roster_of
from kinerja_pipeline.demo.regions import MANOKWARI, Region
from kinerja_pipeline.demo.rows import DAMAGE, Delivery, Row
from kinerja_pipeline.demo.workdays import Workdays
from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.policies.model import Policy

REGION, MONTH, TODAY = "manokwari", "2026-04", dt.date(2026, 5, 20)
PEOPLE, WORLDS, SEED = 1000, 4, 2026
TAPS_OF_PERSON = 40.7
"""Of a person in this month, repeats and bad rows included."""
COPY, BORN = "@@@", "~~~~~~~~"
"""The marks: three characters tell the copies apart; the date with which a NIP begins is another one in each."""
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
IN_ONE_FILE = 25
"""Copies whose rows share a file: a month comes in several, a register whole."""
WHOLE = ("org_unit", "employee", "device_pin")
OF_THE_REGION = ("training_plan",)
"""Feeds that speak of the whole region: one copy tells them."""
POLICY = """\
# More scanners than the packaged policy numbers; here their numbers are those of the register.
region: manokwari
feeds:
  attendance_log:
    - {files: "*.dat", reader: attlog, columns: {device_id: device_number}}
"""


@dataclass(frozen=True, slots=True)
class Text:
    """One file of a world: what all copies share at its top, and the rows with their marks."""

    feed: str
    name: str
    received_at: float
    head: bytes
    body: bytes


def big_month(home: Home, taps: int, seed: int = SEED) -> int:
    """Writes the files of a month with about `taps` taps; returns the number of employees."""
    init_home(home)
    (home.policies / f"{REGION}.yaml").write_text(POLICY, encoding="utf-8")
    copies = max(1, round(taps / (PEOPLE * TAPS_OF_PERSON)))
    write_files(home, REGION, worlds_of(home, seed, min(WORLDS, copies)), copies)
    return copies * PEOPLE


def worlds_of(home: Home, seed: int, count: int) -> list[list[Text]]:
    """The files of `count` worlds, with marks."""
    policy = load_policies(home.policies).in_force(REGION, MONTH)
    return [list(_texts(policy, seed + number)) for number in range(count)]


def write_files(home: Home, region: str, worlds: list[list[Text]], copies: int) -> None:
    """A region's files: `copies` copies of the worlds in turn, a thousand people each."""
    for place, text in enumerate(worlds[0]):
        step = copies if text.feed in WHOLE else 1 if text.feed in OF_THE_REGION else IN_ONE_FILE
        for part, start in enumerate(range(0, 1 if text.feed in OF_THE_REGION else copies, step)):
            stem, dot, ending = text.name.rpartition(".")
            name = f"{stem.replace('_attlog', '')}_{part + 1:04d}{'_attlog' if '_attlog' in stem else ''}{dot}{ending}"
            path = home.landing / region / text.feed / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.write(text.head)
                for copy in range(start, min(start + step, copies)):
                    file.write(_copied(worlds[copy % len(worlds)][place].body, copy))
            os.utime(path, (text.received_at, text.received_at))


def _copied(body: bytes, copy: int) -> bytes:
    number = "".join(DIGITS[copy // 36**place % 36] for place in (2, 1, 0))
    born = dt.date(1966, 1, 1) + dt.timedelta(days=copy)
    return body.replace(COPY.encode(), number.encode()).replace(BORN.encode(), f"{born:%Y%m%d}".encode())


def _texts(policy: Policy, seed: int) -> Iterator[Text]:
    """The files of one world, with marks."""
    contracts, world = load_contracts().incoming, _world(policy, seed)
    supplier, seen = Supplier(world.region, policy.zone), set[str]()
    # A register is delivered as it stands at the end.
    of_feed: dict[str, Delivery] = {}
    for delivery in deliveries_of(world):
        of_feed[delivery.feed if delivery.feed in WHOLE else delivery.file_name] = delivery
    for delivery in of_feed.values():
        mapping = world.mapping(delivery.feed, delivery.file_name)
        if delivery.feed == "attendance_log":
            devices = {world.region.device_id(n): world.region.device_id(n) for n in range(1, world.region.devices + 1)}
            mapping = mapping.model_copy(update={"codes": {"device_id": devices}})
        rows = [row for row in delivery.rows if row.get("subject_kind") != "region"]
        sent = [*rows, *_bad(delivery.feed, mapping.reader, rows, contracts, random.Random(f"{seed} {delivery.feed}"))]
        text = _marked(delivery.feed, file_bytes(supplier, mapping, contracts[delivery.feed], sent))
        newline = world.region.newline.encode()
        head, body = (b"", text) if mapping.reader == "attlog" else _parted(text, newline)
        assert delivery.file_name not in seen
        seen.add(delivery.file_name)
        yield Text(delivery.feed, delivery.file_name, delivery.received_at.timestamp(), head, body)


def _parted(text: bytes, newline: bytes) -> tuple[bytes, bytes]:
    head, _, body = text.partition(newline)
    return head + newline, body


def _marked(feed: str, text: bytes) -> bytes:
    """Numbers that the demo world makes without the region's prefix get a mark too."""
    marked = re.sub(rb"(?<![-\w])X-(?=\d)", f"{COPY}-X-".encode(), text)
    if feed == "task_record":
        marked = re.sub(rb",[0-9a-f]{3}([0-9a-f]{13})(?=,)", f",{COPY}".encode() + rb"\1", marked)
    return marked


def _world(policy: Policy, seed: int) -> RegionWorld:
    """A demo world of the region whose units, scanners and people bear marks."""
    region = _region()
    days = Workdays(policy, (MONTH,))
    people = tuple(_renumbered(people_of(region, days, PEOPLE, random.Random(f"{seed} employee"))))
    permits = permits_of(region.prefix, people, days, random.Random(f"{seed} leave_permit"))
    presence = Presence(covering(permits), roster_of(people, days), outage_of(region, people, days.office_days[4]))
    return RegionWorld(region, policy, load_contracts().incoming, days, seed, people, tuple(permits), presence)


def _region() -> Region:
    def mark(name: str | None) -> str | None:
        return name and name.replace(MANOKWARI.prefix, COPY)

    units = tuple(
        replace(unit, unit_id=str(mark(unit.unit_id)), parent_id=mark(unit.parent_id)) for unit in MANOKWARI.units
    )
    poor, few, straight = (
        str(mark(name)) for name in (MANOKWARI.poor_service, MANOKWARI.few_answers, MANOKWARI.straight_liners)
    )
    return replace(MANOKWARI, prefix=COPY, units=units, poor_service=poor, few_answers=few, straight_liners=straight)


def _renumbered(people: tuple[Person, ...]) -> Iterator[Person]:
    """The people with NIPs that begin with the mark; the serial keeps them apart."""
    nips = {p.nip: f"{BORN}{p.nip[8:15]}{n % 999 + 1:03d}" for n, p in enumerate(people)}
    assert len(set(nips.values())) == len(people)

    def moved(assignment: Assignment) -> Assignment:
        return replace(assignment, supervisor_nip=nips.get(assignment.supervisor_nip or ""))

    for person in people:
        yield replace(person, nip=nips[person.nip], assignments=tuple(moved(a) for a in person.assignments))


def _bad(
    feed: str, reader: str, good: list[Row], contracts: Mapping[str, Contract], rng: random.Random
) -> Iterator[Row]:
    """About one bad row for a hundred good ones, of every kind in turn."""
    kinds = [kind for kind in KINDS if kind.feed == feed and reader in kind.readers]
    bearable = [row for row in good if _bears(feed, row)]
    wanted = len(good) // 100
    serial = 1000
    while kinds and bearable and wanted > 0:
        for kind in kinds:
            serial += 1
            wanted -= kind.rows
            yield from kind.spoil(dict(rng.choice(bearable)), serial)


def _bears(feed: str, row: Row) -> bool:
    """Whether a bad row can be made of this one: of a whole one, as the demo world chooses them."""
    if row.get(DAMAGE):
        return False
    if feed == "task_record":
        return (
            row["nip"] is not None and row["status_code"] != "cancelled" and isinstance(row["opened_at"], dt.datetime)
        )
    if feed == "feedback_response":
        return any(name.startswith("=") for name in row)
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--taps", type=int, default=10**6)
    parser.add_argument("--home", type=Path, required=True)
    given = parser.parse_args()
    start = time.perf_counter()
    people = big_month(Home(given.home), given.taps)
    print(f"{people} employees in {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
