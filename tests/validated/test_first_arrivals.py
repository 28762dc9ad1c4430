"""When a month's rows first came: by file, and by device and day where the policy says when taps are due."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import polars as pl

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.landing.deliveries import land_region
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.policies.mapping import FileMapping
from kinerja_pipeline.policies.model import Deadline, Policy
from kinerja_pipeline.validated.judge import first_arrivals

CONTRACTS = load_contracts()
COLUMNS = "device_id,pin,tapped_at,state_code,verify_code"
MARCH, APRIL = (dt.datetime(2026, month, 2, 1, tzinfo=dt.UTC) for month in (3, 4))


def expecting(**deadlines: Deadline) -> Policy:
    feeds = {"attendance_log": [FileMapping(reader="csv")]}
    return load_policies()["salor"].model_copy(update={"feeds": feeds, "deliveries": deadlines})


def landed(root: Path, policy: Policy, **files: tuple[dt.datetime, list[tuple[str, str]]]) -> Home:
    """A home with these files: when each came, and its taps (device, local time)."""
    home = Home(root)
    init_home(home)
    folder = home.landing / "salor" / "attendance_log"
    folder.mkdir(parents=True)
    for name, (at, taps) in files.items():
        lines = [COLUMNS, *(f"{device},1,{moment},0,1" for device, moment in taps)]
        (folder / f"{name}.csv").write_text("\n".join(lines), encoding="utf-8")
        os.utime(folder / f"{name}.csv", (at.timestamp(), at.timestamp()))
    report = land_region(home, "salor", policy, CONTRACTS)
    assert report.refused == ()
    return home


def came(home: Home, policy: Policy, month: str = "2026-02") -> list[tuple[str | None, dt.date | None, dt.datetime]]:
    frame = first_arrivals(home, policy, month, CONTRACTS.incoming["attendance_log"])
    assert set(frame["feed"]) <= {"attendance_log"}
    return frame.sort("device_id", "date", "received_at", nulls_last=True).drop("feed").rows()


def test_a_day_came_with_the_first_file_that_tells_of_it(tmp_path: Path) -> None:
    policy = expecting(attendance_log=Deadline(due_day=5))
    home = landed(
        tmp_path,
        policy,
        february=(MARCH, [("d1", "2026-02-27 07:00:00"), ("d1", "2026-02-28 07:00:00")]),
        # The export of March repeats the last day of February, and brings a device that had told nothing.
        march=(APRIL, [("d1", "2026-02-28 07:00:00"), ("d2", "2026-02-28 07:05:00"), ("d1", "2026-03-02 07:00:00")]),
    )
    days = [(device, day, at) for device, day, at in came(home, policy) if device]
    last = dt.date(2026, 2, 28)
    assert days == [("d1", dt.date(2026, 2, 27), MARCH), ("d1", last, MARCH), ("d2", last, APRIL)]
    assert [at for device, _, at in came(home, policy) if device is None] == [MARCH, APRIL]


def test_a_file_that_only_lost_its_clock_is_no_file_of_the_month(tmp_path: Path) -> None:
    policy = expecting(attendance_log=Deadline(due_day=5))
    taps = [("d1", "2026-02-27 07:00:00"), ("d1", "2000-01-01 00:00:00")]
    home = landed(tmp_path, policy, february=(MARCH, taps))
    # The clock of 2000 lands in the month of its delivery.
    assert came(home, policy, "2026-03") == []


def test_where_no_taps_are_due_days_are_not_looked_at(tmp_path: Path) -> None:
    policy = expecting()
    home = landed(tmp_path, policy, february=(MARCH, [("d1", "2026-02-27 07:00:00")]))
    assert came(home, policy) == [(None, None, MARCH)]
    assert first_arrivals(home, policy, "2026-07", CONTRACTS.incoming["attendance_log"]).schema["date"] == pl.Date
