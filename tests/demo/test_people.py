"""The made-up people: valid numbers, one main assignment a day, and days that fit their permits."""

from __future__ import annotations

import datetime as dt
import random
from itertools import pairwise

import pytest

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.demo.attendance import LONG_ABSENCE_DAYS, OFTEN_ABSENT_DAYS, Tap, taps_of, unexcused_days
from kinerja_pipeline.demo.deliveries import RegionWorld, region_world
from kinerja_pipeline.demo.regions import MAMUJU, REGIONS, Region
from kinerja_pipeline.demo.tasks import tasks_of
from kinerja_pipeline.demo.workdays import month_range
from kinerja_pipeline.policies.loader import load_policies

MONTHS = month_range("2026-01", "2026-06")


def world_of(region: Region, count: int = 80) -> RegionWorld:
    policy = load_policies()[region.region]
    return region_world(region, policy, load_contracts().incoming, MONTHS, count, 7)


@pytest.fixture(scope="module")
def mamuju() -> RegionWorld:
    return world_of(MAMUJU)


@pytest.fixture(scope="module")
def taps(mamuju: RegionWorld) -> list[Tap]:
    return taps_of(mamuju.region, mamuju.people, mamuju.days, mamuju.presence, random.Random(1))


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.region)
def test_every_nip_is_a_birth_an_appointment_a_sex_and_a_serial(region: Region) -> None:
    people = world_of(region).people
    assert len({p.nip for p in people}) == len(people) == 80
    for person in people:
        assert len(person.nip) == 18
        born = dt.datetime.strptime(person.nip[:8], "%Y%m%d").replace(tzinfo=dt.UTC)
        appointed = dt.datetime.strptime(person.nip[8:14], "%Y%m").replace(tzinfo=dt.UTC)
        assert 18 * 365 < (appointed - born).days < 58 * 365
        assert person.nip[14] == person.sex
        assert 1 <= int(person.nip[15:]) <= 999


def test_a_person_has_one_main_assignment_and_one_pin_a_day(mamuju: RegionWorld) -> None:
    for person in mamuju.people:
        main = sorted((a.valid_from, a.valid_to or dt.date.max) for a in person.assignments if a.code == "utama")
        assert all(first[1] < second[0] for first, second in pairwise(main))
        assert [(p.valid_from, p.valid_to) for p in person.pins] == [
            (a.valid_from, a.valid_to) for a in person.assignments if a.code == "utama"
        ]


def test_the_world_has_a_transfer_in_mid_month_a_retirement_a_newcomer_and_an_acting_head(mamuju: RegionWorld) -> None:
    moves = [p.move for p in mamuju.people]
    assert {"moves", "retires", "hired", "studies", "maternity"} <= set(moves)
    moved = next(p for p in mamuju.people if p.move == "moves")
    assert 11 <= moved.assignments[1].valid_from.day <= 20
    assert moved.pins[0].device_id != moved.pins[1].device_id
    assert sum(a.code == "plt" for p in mamuju.people for a in p.assignments) == 1


def test_nobody_taps_on_a_day_of_whole_leave_or_before_and_after_employment(
    mamuju: RegionWorld, taps: list[Tap]
) -> None:
    owner = {(pin.device_id, pin.pin): person for person in mamuju.people for pin in person.pins}
    whole = {day for day, part in mamuju.presence.permits.items() if part == "whole"}
    nights = {day for day, shift in mamuju.presence.roster.items() if shift == "shift_night"}
    for tap in taps:
        person, day = owner[(tap.device_id, tap.pin)], tap.tapped_at.date()
        if (person.nip, day - dt.timedelta(days=1)) in nights and tap.tapped_at.hour < 9:
            day -= dt.timedelta(days=1)
        assert (person.nip, day) not in whole
        assert person.assignment(day) is not None


def test_a_night_shift_ends_on_the_next_day_and_none_begins_on_the_last(mamuju: RegionWorld, taps: list[Tap]) -> None:
    assert any(5 <= tap.tapped_at.hour <= 7 and tap.tapped_at.weekday() == 6 for tap in taps)
    assert max(tap.tapped_at for tap in taps).date() == dt.date(2026, 6, 30)
    assert "shift_night" not in {s for (_, day), s in mamuju.presence.roster.items() if day == dt.date(2026, 6, 30)}


def test_a_scanner_that_was_down_gave_no_tap_that_day(mamuju: RegionWorld, taps: list[Tap]) -> None:
    down = mamuju.presence.outage
    assert down is not None
    assert (down.started_at.isoformat(), down.ended_at.isoformat()) == ("2026-02-06T00:00:00", "2026-02-07T00:00:00")
    devices = {tap.device_id for tap in taps if tap.tapped_at.date() == down.started_at.date()}
    assert "MMJ-03" not in devices
    assert "MMJ-02" in devices


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.region)
def test_every_region_has_an_outage_in_which_nobody_taps_there(region: Region) -> None:
    world = world_of(region)
    down = world.presence.outage
    assert down is not None
    taps = taps_of(region, world.people, world.days, world.presence, random.Random(1))
    there = [tap.tapped_at for tap in taps if tap.device_id == down.device_id]
    assert there
    assert not any(down.started_at <= at < down.ended_at for at in there)


def test_part_time_staff_of_pariaman_go_home_before_noon() -> None:
    pariaman = next(region for region in REGIONS if region.region == "pariaman")
    world = world_of(pariaman)
    part_time = {pin.pin: p for p in world.people for pin in p.pins if p.employment_status == "pppk_paruh_waktu"}
    owned = {(pin.device_id, pin.pin) for p in part_time.values() if not p.is_rostered for pin in p.pins}
    taps = taps_of(pariaman, world.people, world.days, world.presence, random.Random(1))
    last = [tap.tapped_at.time() for tap in taps if (tap.device_id, tap.pin) in owned]
    assert last
    assert max(last) < dt.time(12, 30)


def test_one_person_is_often_absent_and_one_for_a_long_run(mamuju: RegionWorld) -> None:
    absences = {p.part: len(unexcused_days(p, mamuju.days)) for p in mamuju.people}
    assert absences["often_absent"] == OFTEN_ABSENT_DAYS >= 4
    assert absences["long_absent"] == LONG_ABSENCE_DAYS >= 10
    assert absences["top"] == absences["ordinary"] == 0


def test_tasks_are_never_done_before_they_were_opened(mamuju: RegionWorld) -> None:
    tasks = tasks_of(mamuju.region, mamuju.people, mamuju.days, mamuju.presence.permits, random.Random(1))
    assert len({t.task_id for t in tasks}) == len(tasks)
    for task in tasks:
        assert task.opened_at < task.due_at
        assert task.completed_at is None or task.completed_at > task.opened_at
        assert task.first_response_at is None or task.first_response_at > task.opened_at
        assert task.nip is not None or task.unit_id is not None
