"""Which taps stand behind a day of attendance: the way from a person-day back to the log.

Here: the same pins, windows and repeats as in facts/attendance, kept row by row. Not here: judging the day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import polars as pl

from kinerja_pipeline.facts.attendance import MARGIN
from kinerja_pipeline.facts.periods import in_force, month_bounds
from kinerja_pipeline.facts.shifts import STRETCH, instant, person_days, position, shift_windows
from kinerja_pipeline.policies.model import Policy


def day_taps(
    taps: pl.DataFrame,
    employees: pl.DataFrame,
    device_pins: pl.DataFrame,
    rosters: pl.DataFrame,
    policy: Policy,
    month: str,
    people: Collection[str],
) -> pl.DataFrame:
    """One row per tap that belongs to a day of `month` of one of `people`: nip, work_date, is_repeat, the tap itself
    (device_id, pin, tapped_at) and whatever else `taps` say of it.

    A tap belongs to the shift in whose window it falls; outside every window, to its calendar day if that has no
    working time. `taps` reach 36 h beyond the month, as in facts/attendance.
    """
    one_day = dt.timedelta(days=1)
    first, last = month_bounds(month)
    own = employees.filter(pl.col("nip").is_in(list(people)))
    own = own.with_columns(_person=pl.col("nip").rank("dense").cast(pl.Int64) - 1)
    shifts = person_days(own, rosters, policy, first - one_day, last + one_day)
    pins = in_force(device_pins.select("device_id", "pin", "nip", "valid_from", "valid_to"), ["device_id", "pin"])
    pins = pins.join(shifts.select("nip", "_person").unique(), on="nip")
    midnight = dt.datetime.combine(first, dt.time())
    origin = midnight - 2 * MARGIN
    day = pl.col("tapped_at").dt.date()
    repeat = policy.attendance.repeat_seconds * 1_000_000
    known = (
        taps.filter(pl.col("tapped_at").is_between(midnight - MARGIN, midnight + (last - first) + one_day + MARGIN))
        .join(pins, on=["device_id", "pin"])
        .filter(day >= pl.col("valid_from"), day <= pl.col("valid_to"))
        .with_columns(position(pl.col("tapped_at"), origin).alias("_at"))
        .sort("_at")
        .with_columns(is_repeat=pl.col("_at").diff().fill_null(STRETCH) <= repeat)
    )
    placed = known.join_asof(shift_windows(shifts, origin, policy), on="_at", strategy="backward").with_columns(
        _row=pl.when(pl.col("_at") < pl.col("_closes")).then("_row")
    )
    named = ["nip", "work_date", "is_repeat", *taps.columns]
    in_shift = placed.join(shifts.select("_row", "work_date"), on="_row").select(named)
    idle = shifts.filter(pl.col("scheduled_in").is_null()).select("_person", "work_date")
    stray = placed.filter(pl.col("_row").is_null()).with_columns(work_date=instant("_at", origin).dt.date())
    return (
        pl.concat([in_shift, stray.join(idle, on=["_person", "work_date"]).select(named)])
        .filter(pl.col("work_date").is_between(first, last))
        .sort("nip", "work_date", "tapped_at")
    )
