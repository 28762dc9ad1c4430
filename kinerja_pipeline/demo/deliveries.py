"""The files of one region: which rows go into which file, when it arrives, and what the pipeline must find in it.

Here: cutting the world into deliveries, repeats and late files. Not here: drawing rows, writing bytes (formats).
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.demo import appraisals, registers, surveys
from kinerja_pipeline.demo.attendance import Presence, Tap, outage_of, taps_of
from kinerja_pipeline.demo.damage import LATE_ANSWER, kinds_at, plant
from kinerja_pipeline.demo.measurements import measurement_rows
from kinerja_pipeline.demo.people import Person, people_of
from kinerja_pipeline.demo.permits import Permit, covering, permits_of, roster_of
from kinerja_pipeline.demo.ratings import ratings_of
from kinerja_pipeline.demo.regions import Region
from kinerja_pipeline.demo.rows import Delivery, Row
from kinerja_pipeline.demo.targets import TARGET_REGIONS, target_rows
from kinerja_pipeline.demo.tasks import Task, tasks_of
from kinerja_pipeline.demo.training import plan_rows, training_rows
from kinerja_pipeline.demo.workdays import Workdays, days_of, first_day, last_day, month_of, month_range, next_month
from kinerja_pipeline.policies.mapping import FileMapping
from kinerja_pipeline.policies.model import Policy

LATE_FROM_DAY, LATE_MONTH, LATE_ARRIVAL_MONTH = 9, 2, 5
"""The late scanner's taps of the third month from the 9th on arrive on the 20th of the sixth."""


@dataclass(frozen=True, slots=True)
class RegionWorld:
    """Everybody and everything of one region, before it is cut into files."""

    region: Region
    policy: Policy
    contracts: Mapping[str, Contract]
    days: Workdays
    seed: int
    people: tuple[Person, ...]
    permits: tuple[Permit, ...]
    presence: Presence

    def random(self, feed: str) -> random.Random:
        """One source of randomness per region and feed, so that a change to one feed leaves the others alone."""
        return random.Random(f"{self.seed}:{self.region.region}:{feed}")

    def mapping(self, feed: str, file_name: str) -> FileMapping:
        return next(m for m in self.policy.feeds[feed] if fnmatch(file_name, m.files))

    def takes(self, feed: str, file_name: str) -> bool:
        return any(fnmatch(file_name, m.files) for m in self.policy.feeds[feed])

    def arrival(self, month: str, day: int, hour: int, minute: int = 0) -> dt.datetime:
        local = dt.datetime.combine(first_day(month).replace(day=day), dt.time(hour, minute), self.policy.zone)
        return local.astimezone(dt.UTC)


def region_world(
    region: Region, policy: Policy, contracts: Mapping[str, Contract], months: Sequence[str], count: int, seed: int
) -> RegionWorld:
    days = Workdays(policy, tuple(months))
    people = people_of(region, days, count, random.Random(f"{seed}:{region.region}:employee"))
    permits = permits_of(region.prefix, people, days, random.Random(f"{seed}:{region.region}:leave_permit"))
    down = [d for d in days.office_days if month_of(d) == months[min(1, len(months) - 1)]][4]
    presence = Presence(covering(permits), roster_of(people, days), outage_of(region, people, down))
    return RegionWorld(region, policy, contracts, days, seed, people, tuple(permits), presence)


def deliveries_of(world: RegionWorld) -> Iterator[Delivery]:
    """Every file of the region, feed by feed."""
    yield from _registers(world)
    yield from _attendance(world)
    yield from _outages(world)
    yield from _permits(world)
    yield from _rosters(world)
    yield from _tasks(world)
    yield from _answers(world)
    yield from _appraisals(world)
    yield from _observations(world)
    yield from _notes(world)
    yield from _measurements(world)
    yield from _targets(world)
    yield from _ratings(world)
    yield from _training(world)


def _name(world: RegionWorld, feed: str, stem: str) -> str:
    """The file's name: the extension that the feed's first mapping for this stem asks for."""
    for mapping in world.policy.feeds[feed]:
        name = f"{stem}.{'dat' if mapping.reader == 'attlog' else mapping.reader}"
        if fnmatch(name, mapping.files):
            return name
    raise ValueError(f"{world.region.region}: no mapping of {feed} takes files called {stem}.*")


def _planted(
    world: RegionWorld, feed: str, name: str, number: int, months: int, good: Sequence[Row],
    rng: random.Random, excluded: Collection[str] = (),
) -> tuple[list[Row], dict[str, int]]:  # fmt: skip
    if not good:
        return [], {}
    reader = world.mapping(feed, name).reader
    kinds = kinds_at(feed, reader, number, months, excluded)
    return plant(kinds, good, world.contracts[feed].tolerance_share, 100 * number, rng)


def _registers(world: RegionWorld) -> Iterator[Delivery]:
    """Registers as they stood at the start and after every third month; the last one carries the wrong rows."""
    months = world.days.months
    first = world.arrival(months[0], 2, 7)
    name = _name(world, "org_unit", "unit_kerja")
    units = registers.unit_rows(world.region)
    yield Delivery("org_unit", name, first, units, len(units))
    ends = [m for n, m in enumerate(months, start=1) if n % 3 == 0 or n == len(months)]
    for feed, stem, rows_of in (
        ("employee", "pegawai", registers.employee_rows),
        ("device_pin", "pin_mesin", registers.pin_rows),
    ):
        rng, before = world.random(f"{feed}-file"), list[Row]()
        for at in (None, *ends):
            as_of = first_day(months[0]) + dt.timedelta(days=1) if at is None else last_day(at)
            arrives = first if at is None else world.arrival(next_month(at), 2, 7)
            name = _name(world, feed, f"{stem}_{as_of:%Y%m%d}")
            rows = rows_of(world.people, as_of)
            bad, planted = _planted(world, feed, name, 0, 1, rows, rng) if at == ends[-1] else ([], {})
            if rows + bad != before:
                yield Delivery(feed, name, arrives, rows + bad, len(rows) + len(bad), len(before), 0, planted)
            before = rows


def _attendance(world: RegionWorld) -> Iterator[Delivery]:
    region, months = world.region, world.days.months
    rng = world.random("attendance_log")
    taps = taps_of(region, world.people, world.days, world.presence, rng)
    by_month: dict[str, list[Tap]] = {m: [] for m in months}
    late: list[Tap] = []
    late_id = region.device_id(region.late_device) if region.late_device and len(months) > LATE_ARRIVAL_MONTH else None
    for tap in taps:
        month = month_of(tap.tapped_at.date())
        is_late = tap.device_id == late_id and month == months[LATE_MONTH] and tap.tapped_at.day >= LATE_FROM_DAY
        if is_late:
            late.append(tap)
        else:
            by_month[month].append(tap)
    devices = [region.device_id(n) for n in range(1, region.devices + 1)] if region.files_per_device else [""]
    names = _pin_names(world) if region.tap_name else {}
    for number, month in enumerate(months):
        arrives = world.arrival(next_month(month), 2, 8)
        repeated = _overlap(world, by_month, number)
        for device in devices:
            own = [t for t in by_month[month] if not device or t.device_id == device]
            again = [t for t in repeated if not device or t.device_id == device]
            name = _name(world, "attendance_log", f"{f'{device}_' if device else ''}{month}_attlog")
            rows = [_tap_row(world, t, names) for t in (*again, *own)]
            # Of several scanners the first one carries the wrong rows.
            good = rows[len(again) :] if device == devices[0] else []
            bad, planted = _planted(world, "attendance_log", name, number, len(months), good, rng)
            if rows:
                total = len(rows) + len(bad)
                yield Delivery("attendance_log", name, arrives, rows + bad, total, len(again), 0, planted)
    if late:
        stem = f"{late[0].device_id}_" if region.files_per_device else ""
        name = _name(world, "attendance_log", f"{stem}{months[LATE_MONTH]}_susulan_attlog")
        arrives = world.arrival(months[LATE_ARRIVAL_MONTH], 20, 9)
        yield Delivery("attendance_log", name, arrives, [_tap_row(world, t, names) for t in late], len(late))


def _overlap(world: RegionWorld, by_month: Mapping[str, list[Tap]], number: int) -> list[Tap]:
    """What the export of the month before already told: its last days."""
    if number == 0 or world.region.overlap_days == 0:
        return []
    before = world.days.months[number - 1]
    since = days_of(before)[-world.region.overlap_days]
    return [t for t in by_month[before] if t.tapped_at.date() >= since]


def _pin_names(world: RegionWorld) -> dict[tuple[str, str], str]:
    return {(pin.device_id, pin.pin): person.name for person in world.people for pin in person.pins}


def _tap_row(world: RegionWorld, tap: Tap, names: Mapping[tuple[str, str], str]) -> Row:
    row: Row = {
        "device_id": tap.device_id,
        "pin": tap.pin,
        "tapped_at": tap.tapped_at,
        "state_code": tap.state_code,
        "verify_code": tap.verify_code,
    }
    if names:
        row[f"+{world.region.tap_name}"] = names[(tap.device_id, tap.pin)]
    return row


def _outages(world: RegionWorld) -> Iterator[Delivery]:
    if outage := world.presence.outage:
        month = month_of(outage.started_at.date())
        name = _name(world, "device_outage", f"gangguan_mesin_{month}")
        yield Delivery("device_outage", name, world.arrival(next_month(month), 2, 8, 10), [outage.row()], 1)


def _permits(world: RegionWorld) -> Iterator[Delivery]:
    rng, months = world.random("leave_permit-file"), world.days.months
    for number, month in enumerate(months):
        rows = [p.row() for p in world.permits if month_of(p.start_date) == month]
        name = _name(world, "leave_permit", f"cuti_izin_{month}")
        bad, planted = _planted(world, "leave_permit", name, number, len(months), rows, rng)
        if rows:
            arrives = world.arrival(next_month(month), 2, 8, 20)
            yield Delivery("leave_permit", name, arrives, rows + bad, len(rows) + len(bad), 0, 0, planted)


def _rosters(world: RegionWorld) -> Iterator[Delivery]:
    """Rosters come before their month begins."""
    rng, months = world.random("shift_roster"), world.days.months
    by_month: dict[str, list[Row]] = {m: [] for m in months}
    for (nip, day), shift in world.presence.roster.items():
        by_month[month_of(day)].append({"nip": nip, "work_date": day, "schedule_id": shift})
    for number, (month, rows) in enumerate(by_month.items()):
        name = _name(world, "shift_roster", f"jadwal_{month}")
        bad, planted = _planted(world, "shift_roster", name, number, len(months), rows, rng)
        if rows:
            sent = first_day(month) - dt.timedelta(days=4)
            arrives = world.arrival(month_of(sent), sent.day, 14)
            yield Delivery("shift_roster", name, arrives, rows + bad, len(rows) + len(bad), 0, 0, planted)


def _tasks(world: RegionWorld) -> Iterator[Delivery]:
    """The tasks opened in a month, and earlier ones again whose state has changed since they were last told."""
    rng, months = world.random("task_record"), world.days.months
    tasks = tasks_of(world.region, world.people, world.days, world.presence.permits, rng)
    told: dict[str, tuple[Task, str]] = {}
    for number, month in enumerate(months):
        arrives = world.arrival(next_month(month), 2, 8, 30)
        as_of = arrives.astimezone(world.policy.zone).replace(tzinfo=None)
        again = [task for task, status in told.values() if task.status(as_of) != status]
        new = [task for task in tasks if month_of(task.opened_at.date()) == month]
        for task in (*again, *new):
            told[task.task_id] = (task, task.status(as_of))
        rows = [task.row(as_of) for task in (*again, *new)]
        good = [row for row in rows[len(again) :] if row["nip"] is not None and row["status_code"] != "cancelled"]
        name = _name(world, "task_record", f"tugas_{month}")
        folded = world.mapping("task_record", name).fold is not None
        bad, planted = _planted(
            world, "task_record", name, number, len(months), good, rng, ("task_told_twice",) if folded else ()
        )
        if rows:
            total = len(rows) + len(bad)
            yield Delivery("task_record", name, arrives, rows + bad, total, len(again), 0, planted)


def _answers(world: RegionWorld) -> Iterator[Delivery]:
    rng, months = world.random("feedback_response"), world.days.months
    share = min(1.0, len(world.people) / 100)
    for number, (month, rows) in enumerate(
        surveys.responses_of(world.region, world.policy.surveys, world.days, share, rng).items()
    ):
        for code in dict.fromkeys(str(row["survey_code"]) for row in rows):
            own = [row for row in rows if row["survey_code"] == code]
            name = _name(world, "feedback_response", f"survei_{code}_{month}")
            is_long = world.mapping("feedback_response", name).unpivot is None
            excluded = ("unreadable_score",) if is_long else ()
            wrong = own if code == surveys.SKM else []
            bad, planted = _planted(world, "feedback_response", name, number, len(months), wrong, rng, excluded)
            sent = own + bad
            count = sum(len(surveys.elements_of(row)) for row in sent)
            profile = len(sent) * len(surveys.PROFILE) if is_long else 0
            arrives = world.arrival(next_month(month), 11 if number == world.region.late_answers else 2, 9)
            rows_sent = surveys.exported_answers(sent) if is_long else sent
            yield Delivery("feedback_response", name, arrives, rows_sent, count, 0, profile, planted)


def _appraisals(world: RegionWorld) -> Iterator[Delivery]:
    """The answers of each round that counts in a month of the world; some came after the round had closed."""
    rules, rng = world.policy.appraisal, world.random("appraisal")
    for round_id, held in rules.rounds.items():
        if held.period not in world.days.months or f"{held.opens:%Y-%m}" not in world.days.months:
            continue
        sheets, late = appraisals.round_of(held, round_id, rules, world.region.prefix, world.people, rng)
        name = _name(world, "feedback_response", f"perilaku_{round_id}")
        sent = [*sheets, *late]
        count = sum(len(surveys.elements_of(row)) for row in sent)
        is_wide = world.mapping("feedback_response", name).unpivot is not None
        rows = sent if is_wide else appraisals.answers_of(sent)
        planted = {LATE_ANSWER: sum(len(surveys.elements_of(row)) for row in late)}
        arrives = world.arrival(next_month(held.period), 2, 10)
        yield Delivery("feedback_response", name, arrives, rows, count, 0, 0, planted)


def _observations(world: RegionWorld) -> Iterator[Delivery]:
    """Sheets of observed lessons, where the policy takes them."""
    rng, months = world.random("observation"), world.days.months
    if not world.takes("feedback_response", f"observasi_{months[0]}.xlsx"):
        return
    for month in months:
        rows = appraisals.observations_of(world.region.prefix, world.people, world.days, month, rng)
        name = _name(world, "feedback_response", f"observasi_{month}")
        if rows:
            arrives = world.arrival(next_month(month), 2, 10, 30)
            yield Delivery("feedback_response", name, arrives, rows, len(rows) * len(appraisals.ASPECTS))


def _notes(world: RegionWorld) -> Iterator[Delivery]:
    """Superiors' feedback notes, where the policy takes them."""
    rng, months = world.random("feedback_note"), world.days.months
    if not world.takes("feedback_response", f"catatan_{months[0]}.csv"):
        return
    for month in months:
        rows = appraisals.notes_of(world.region.prefix, world.people, world.days, month, rng)
        name = _name(world, "feedback_response", f"catatan_{month}")
        if rows:
            yield Delivery("feedback_response", name, world.arrival(next_month(month), 2, 10, 45), rows, len(rows))


def _measurements(world: RegionWorld) -> Iterator[Delivery]:
    rng, months = world.random("indicator_measurement"), world.days.months
    year = f"{int(months[0][:4]) - 1}"
    before = [
        row
        for n, month in enumerate(month_range(f"{year}-01", f"{year}-12"))
        for row in measurement_rows(world.region, month, n - 12, rng)
    ]
    if before:
        name = _name(world, "indicator_measurement", f"capaian_{year}")
        yield Delivery("indicator_measurement", name, world.arrival(months[0], 2, 9), before, len(before))
    for number, month in enumerate(months):
        rows = measurement_rows(world.region, month, number, rng, world.days.office_days_by_month[month])
        name = _name(world, "indicator_measurement", f"capaian_{month}")
        # Where a month has fewer than twenty figures, the contract tolerates no wrong one.
        bad, planted = _planted(world, "indicator_measurement", name, number, len(months), rows, rng)
        arrives = world.arrival(next_month(month), 3, 8)
        yield Delivery("indicator_measurement", name, arrives, rows + bad, len(rows) + len(bad), 0, 0, planted)


def _targets(world: RegionWorld) -> Iterator[Delivery]:
    """The targets of each quarter, in one file that arrives early in its second month, when nearly all are agreed."""
    rng, months = world.random("indicator_target"), world.days.months
    for month in months[::3] if world.region.region in TARGET_REGIONS else ():
        rows = target_rows(world.people, month, rng)
        name = _name(world, "indicator_target", f"target_{month}")
        yield Delivery("indicator_target", name, world.arrival(next_month(month), 4, 10), rows, len(rows))


def _ratings(world: RegionWorld) -> Iterator[Delivery]:
    rng, months = world.random("performance_rating"), world.days.months
    for number, (month, (new, again)) in enumerate(ratings_of(world.region, world.people, world.days, rng).items()):
        arrives = world.arrival(next_month(month), 3, 16)
        of_units = [row for row in new if row["subject_kind"] == "org_unit"]
        # A recapitulation of people has no place for units: theirs come in a file of their own.
        is_apart = any(mapping.sheet_as for mapping in world.policy.feeds["performance_rating"])
        stem = f"{'rekap_penilaian' if is_apart else 'predikat'}_{month}"
        name = _name(world, "performance_rating", stem)
        bad, planted = _planted(world, "performance_rating", name, number, len(months), new[:-20], rng)
        rows = [*(row for row in new if not is_apart or row not in of_units), *again, *bad]
        yield Delivery("performance_rating", name, arrives, rows, len(rows), len(again), 0, planted)
        if is_apart:
            name = _name(world, "performance_rating", f"predikat_unit_{month}")
            yield Delivery("performance_rating", name, arrives, of_units, len(of_units))


def _training(world: RegionWorld) -> Iterator[Delivery]:
    """The plans of the years, each as its year begins, and per month who completed what."""
    rng, months = world.random("training_record"), world.days.months
    for year in dict.fromkeys(month[:4] for month in months):
        plan = plan_rows(world.region, int(year), len(world.people))
        first = next(month for month in months if month.startswith(year))
        name = _name(world, "training_plan", f"rencana_diklat_{year}")
        yield Delivery("training_plan", name, world.arrival(first, 2, 10), plan, len(plan))
    by_month = training_rows(world.region, world.people, world.days, rng)
    for number, (month, rows) in enumerate(by_month.items()):
        name = _name(world, "training_record", f"diklat_{month}")
        bad, planted = _planted(world, "training_record", name, number, len(months), rows, rng)
        if rows:
            arrives = world.arrival(next_month(month), 3, 9)
            yield Delivery("training_record", name, arrives, rows + bad, len(rows) + len(bad), 0, 0, planted)
