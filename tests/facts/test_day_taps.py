"""The taps behind a day are those that the day was judged by, and no others. April has an office worker and a guard."""

from __future__ import annotations

import datetime as dt

from facts_world import (
    ANI,
    BUDI,
    CITRA,
    employee_frame,
    make_policy,
    outage_frame,
    permit_frame,
    pin_frame,
    roster_frame,
    tap_frame,
)

from kinerja_pipeline.facts.attendance import attendance_day
from kinerja_pipeline.facts.day_taps import day_taps

POLICY = make_policy()
ALWAYS = "2020-01-01"
EMPLOYEES = employee_frame(
    [
        (ANI, "U1", "office_5_day", ALWAYS, None),
        (BUDI, "U1", "guard", ALWAYS, None),
        (CITRA, "U1", "office_5_day", ALWAYS, None),
    ]
)
PINS = pin_frame(
    [
        ("D1", "1", ANI, ALWAYS, None),
        ("D2", "1", BUDI, ALWAYS, None),
        # Handed on: Citra's until the sixth, then Ani's.
        ("D1", "3", CITRA, ALWAYS, "2026-04-06"),
        ("D1", "3", ANI, "2026-04-07", None),
    ]
)
ROSTERS = roster_frame([])
TAPS = [
    # Office hours 07:30-16:00; its window reaches from 03:30 to 22:00.
    ("D1", "1", "2026-04-06 03:29"),
    ("D1", "1", "2026-04-06 07:20:00"),
    ("D1", "1", "2026-04-06 07:21:00"),
    ("D1", "1", "2026-04-06 07:22:01"),
    ("D1", "1", "2026-04-06 16:05"),
    ("D1", "3", "2026-04-06 16:10"),
    ("D1", "3", "2026-04-07 07:15"),
    # A Sunday: in no window.
    ("D1", "1", "2026-04-05 09:00"),
    # Nights of the guard, 20:30-07:30: the last of March, the first and the last of April.
    ("D2", "1", "2026-03-31 20:25"),
    ("D2", "1", "2026-04-01 07:35"),
    ("D2", "1", "2026-04-01 20:31"),
    ("D2", "1", "2026-04-02 07:29"),
    ("D2", "1", "2026-04-30 20:30"),
    ("D2", "1", "2026-05-01 07:31"),
    ("D9", "1", "2026-04-06 07:20"),
]


def behind(*people: str) -> list[tuple[str, str, str, bool]]:
    found = day_taps(tap_frame(TAPS), EMPLOYEES, PINS, ROSTERS, POLICY, "2026-04", people)
    return [
        (nip, f"{day:%m-%d}", f"{at:%m-%d %H:%M}", again)
        for nip, day, at, again in found.select("nip", "work_date", "tapped_at", "is_repeat").iter_rows()
    ]


def test_a_tap_stands_behind_the_shift_in_whose_window_it_falls_and_in_none_behind_its_free_day() -> None:
    assert sorted(behind(ANI, BUDI)) == sorted(
        [
            (ANI, "04-05", "04-05 09:00", False),
            (ANI, "04-06", "04-06 07:20", False),
            # Sixty seconds after the one before is still the same tap, a second more is not.
            (ANI, "04-06", "04-06 07:21", True),
            (ANI, "04-06", "04-06 07:22", False),
            (ANI, "04-06", "04-06 16:05", False),
            (ANI, "04-07", "04-07 07:15", False),
            (BUDI, "04-01", "04-01 20:31", False),
            (BUDI, "04-01", "04-02 07:29", False),
            (BUDI, "04-30", "04-30 20:30", False),
            (BUDI, "04-30", "05-01 07:31", False),
        ]
    )


def test_only_the_people_asked_for_are_told_of_day_by_day() -> None:
    assert behind(CITRA) == [(CITRA, "04-06", "04-06 16:10", False)]
    assert [row[:3] for row in behind(BUDI, ANI)] == sorted(row[:3] for row in behind(ANI, BUDI))
    found = day_taps(tap_frame(TAPS), EMPLOYEES, PINS, ROSTERS, POLICY, "2026-04", [CITRA])
    assert found.columns == ["nip", "work_date", "is_repeat", *tap_frame([]).columns]


def test_every_day_has_as_many_taps_behind_it_as_it_was_judged_by() -> None:
    last = dt.date(2026, 4, 30)
    days = attendance_day(
        tap_frame(TAPS), EMPLOYEES, PINS, permit_frame([]), ROSTERS, outage_frame([]), POLICY, "2026-04", last
    )
    said = {
        (nip, f"{day:%m-%d}"): count for nip, day, count in days.select("nip", "work_date", "tap_count").iter_rows()
    }
    counted = [(nip, day) for nip, day, _, again in behind(ANI, BUDI, CITRA) if not again]
    assert {key: counted.count(key) for key in said} == said
    assert sum(said.values()) == 10
