"""What was expected of a unit on a day and what came: people, devices, files."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from kinerja_pipeline.facts.feed_day import FEED_DAY_SCHEMA, expected, feed_day
from kinerja_pipeline.facts.periods import in_force
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.policies.model import Deadline, Policy

SALOR = load_policies()["salor"]
MONTH, LAST = "2026-04", dt.date(2026, 4, 30)
LATER = dt.date(2026, 6, 1)
MONDAY, TUESDAY = dt.date(2026, 4, 6), dt.date(2026, 4, 7)
DAYS = {"nip": pl.String, "work_date": pl.Date, "unit_id": pl.String, "status_code": pl.String, "tap_count": pl.Int64}
PINS = {"device_id": pl.String, "pin": pl.String, "nip": pl.String, "valid_from": pl.Date, "valid_to": pl.Date}
OUTAGES = {"device_id": pl.String, "started_at": pl.Datetime("us"), "ended_at": pl.Datetime("us")}
ARRIVALS = {
    "feed": pl.String, "device_id": pl.String, "date": pl.Date, "received_at": pl.Datetime("us", "UTC"),
}  # fmt: skip


def expecting(**feeds: Deadline) -> Policy:
    return SALOR.model_copy(update={"deliveries": feeds})


def local(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def worked(*rows: tuple[str, dt.date, str, str, int]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=DAYS, orient="row")


def of(
    days: pl.DataFrame,
    *,
    pins: list[tuple[str, str]] | None = None,
    outages: list[tuple[str, str, str | None]] | None = None,
    came: list[tuple[str, str | None, dt.date | None, str]] | None = None,
    policy: Policy | None = None,
    today: dt.date = LATER,
) -> dict[tuple[str, dt.date], dict[str, Any]]:
    """The rows by unit and day; pins are device and person, arrivals at UTC."""
    known = [(device, nip, nip, dt.date(2020, 1, 1), None) for device, nip in pins or []]
    down = [(device, local(start), local(end) if end else None) for device, start, end in outages or []]
    first = [(feed, device, day, local(at).replace(tzinfo=dt.UTC)) for feed, device, day, at in came or []]
    holders = in_force(pl.DataFrame(known, schema=PINS, orient="row"), ["device_id", "pin"])
    frame = feed_day(
        [expected(days, holders)],
        pl.DataFrame(down, schema=OUTAGES, orient="row"),
        pl.DataFrame(first, schema=ARRIVALS, orient="row"),
        policy or expecting(attendance_log=Deadline(due_day=5)),
        MONTH,
        LAST,
        today,
    )
    assert frame.schema == FEED_DAY_SCHEMA
    assert set(frame["period"]) <= {MONTH}
    return {(row["unit_id"], row["date"]): row for row in frame.to_dicts()}


def test_people_counted_in_parts_are_counted_like_all_at_once() -> None:
    # Two people of one unit behind one device, so that the parts share a unit, a day and a device.
    days = worked(("ani", MONDAY, "rsud", "present", 2), ("budi", MONDAY, "rsud", "absent", 0))
    pins = pl.DataFrame([("d1", n, n, dt.date(2020, 1, 1), LAST) for n in ("ani", "budi")], schema=PINS, orient="row")
    down = [("d1", local("2026-04-06 10:00"), local("2026-04-06 10:30"))]
    outages, none = pl.DataFrame(down, schema=OUTAGES, orient="row"), pl.DataFrame(schema=ARRIVALS)
    given = outages, none, expecting(), MONTH, LAST, LATER
    in_parts = feed_day([expected(days[:1], pins), expected(days[1:], pins)], *given)
    assert in_parts.equals(feed_day([expected(days, pins)], *given))
    assert in_parts.select("expected_count", "received_count", "downtime_minutes").rows() == [(2, 1, 30)]


def test_expected_are_people_on_duty_whom_a_device_knows_and_received_those_with_a_tap() -> None:
    days = worked(
        ("ani", MONDAY, "rsud", "present", 2),
        ("budi", MONDAY, "rsud", "absent", 0),
        ("citra", MONDAY, "rsud", "not_recorded", 0),
        ("no pin", MONDAY, "rsud", "not_recorded", 0),
        ("ill", MONDAY, "rsud", "sick", 0),
        ("free", MONDAY, "rsud", "off", 1),
        ("eka", MONDAY, "dinkes", "present", 2),
        ("ani", dt.date(2026, 4, 5), "rsud", "off", 0),
    )
    seen = of(days, pins=[("d1", n) for n in ("ani", "budi", "citra", "ill", "free")] + [("d2", "eka"), ("d3", "eka")])
    assert {k: (r["expected_count"], r["received_count"]) for k, r in seen.items() if k[0] != "all"} == {
        ("rsud", MONDAY): (3, 1),
        ("dinkes", MONDAY): (1, 1),
    }


def test_downtime_is_that_of_the_day_and_no_minute_counts_twice() -> None:
    days = worked(*(("ani", day, "rsud", "present", 2) for day in (MONDAY, TUESDAY, LAST)))
    outages: list[tuple[str, str, str | None]] = [
        ("d1", "2026-04-06 22:00", "2026-04-07 01:30"),
        ("d1", "2026-04-06 23:00", "2026-04-07 00:30"),
        ("d2", "2026-04-07 08:00", "2026-04-07 08:45:59"),
        ("other", "2026-04-06 00:00", "2026-04-08 00:00"),
        ("d2", "2026-04-30 18:00", None),
    ]
    seen = of(days, pins=[("d1", "ani"), ("d2", "ani")], outages=outages)
    minutes = {day: seen["rsud", day]["downtime_minutes"] for day in (MONDAY, TUESDAY, LAST)}
    # Two hours before midnight, ninety minutes after it and forty-five of the other device; nobody ended the last one.
    assert minutes == {MONDAY: 120, TUESDAY: 135, LAST: 360}


@pytest.mark.parametrize(
    ("came", "is_late"),
    [
        # The 5th of May ends in Salor (UTC+9) at 15:00 UTC.
        (["2026-05-05 14:59:59"], False),
        (["2026-05-05 15:00:00"], True),
        (["2026-05-01 00:00", "2026-05-20 00:00"], True),
        ([], True),
    ],
)
def test_a_day_is_late_when_one_of_its_devices_first_told_of_it_after_the_deadline(
    came: list[str], is_late: bool
) -> None:
    arrivals = [("attendance_log", f"d{n}", MONDAY, at) for n, at in enumerate(came, start=1)]
    seen = of(worked(("ani", MONDAY, "rsud", "present", 2)), pins=[("d1", "ani"), ("d2", "ani")], came=arrivals)
    assert (seen["rsud", MONDAY]["is_late"], seen["rsud", MONDAY]["due_date"]) == (is_late, dt.date(2026, 5, 5))


def test_before_the_deadline_nothing_is_late_yet_and_without_one_nobody_can_say() -> None:
    days, pins = worked(("ani", MONDAY, "rsud", "not_recorded", 0)), [("d1", "ani")]
    assert of(days, pins=pins, today=dt.date(2026, 5, 5))["rsud", MONDAY]["is_late"] is None
    assert of(days, pins=pins, today=dt.date(2026, 5, 6))["rsud", MONDAY]["is_late"] is True
    without = of(days, pins=pins, policy=expecting())
    assert list(without) == [("rsud", MONDAY)]
    assert (without["rsud", MONDAY]["is_late"], without["rsud", MONDAY]["due_date"]) == (None, None)


@pytest.mark.parametrize(
    ("came", "today", "received", "is_late"),
    [
        (["2026-05-02 00:00", "2026-05-07 14:00"], LATER, 2, False),
        (["2026-05-02 00:00", "2026-05-07 15:00"], LATER, 1, True),
        (["2026-05-02 00:00"], dt.date(2026, 5, 7), 1, None),
        (["2026-05-02 00:00", "2026-05-03 00:00", "2026-05-30 00:00"], LATER, 2, False),
    ],
)
def test_files_are_counted_by_the_day_they_were_due(
    came: list[str], today: dt.date, received: int, is_late: bool | None
) -> None:
    arrivals = [("feedback_response", None, None, at) for at in came]
    policy = expecting(feedback_response=Deadline(due_day=7, files=2))
    row = of(worked(), came=[*arrivals, ("task_record", None, None, "2026-05-01 00:00")], policy=policy, today=today)[
        "all", dt.date(2026, 5, 7)
    ]
    assert (row["feed"], row["expected_count"], row["received_count"]) == ("feedback_response", 2, received)
    assert (row["is_late"], row["downtime_minutes"]) == (is_late, None)
