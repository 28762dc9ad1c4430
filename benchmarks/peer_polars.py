"""Attendance of the office staff in a page of Polars: parse, three checks, first in, last out, minutes, month sums.

    python benchmarks/peer_polars.py --files landing/manokwari --to /tmp/polars_min

The least that anybody would write by hand: no contracts, reasons, quarantine, permits, rosters, outages or shifts.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import peer_rules as rules
import polars as pl
from peer_process import main

COLUMNS = ("pin", "tapped_at", "device_id", "state", "verify", "work")


def run(files: Path, to: Path) -> None:
    pins = pl.scan_csv(files / "device_pin" / "*.csv", infer_schema=False).select(
        "device_id", "pin", "nip", pl.col("valid_from", "valid_to").str.to_date()
    )
    rostered = pl.scan_csv(files / "employee" / "*.csv", infer_schema=False).filter(
        pl.col("schedule_id").is_in(list(rules.SHIFTS))
    )
    taps = pl.scan_csv(
        files / "attendance_log" / "*.dat",
        has_header=False,
        separator="\t",
        quote_char=None,
        schema=dict.fromkeys(COLUMNS, pl.String),
        truncate_ragged_lines=True,
    )
    at, day = pl.col("at"), pl.col("at").dt.date()
    is_friday = day.dt.weekday() == 5
    start = day.cast(pl.Datetime("us")) + pl.duration(hours=7, minutes=30)
    end = day.cast(pl.Datetime("us")) + pl.duration(hours=16, minutes=pl.when(is_friday).then(30).otherwise(0))
    turns = start + (end - start) / 2
    days = (
        taps.select(
            pl.col("device_id").str.strip_chars(),
            pl.col("pin").str.strip_chars(),
            at=pl.col("tapped_at").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False),
        )
        .filter(
            day.is_between(pl.lit(rules.FIRST).str.to_date(), pl.lit(rules.LAST).str.to_date()),
            day.dt.weekday() < 6,
            ~day.is_in([dt.date.fromisoformat(d) for d in rules.HOLIDAYS]),
        )
        .join(pins, on=["device_id", "pin"])
        .filter(day >= pl.col("valid_from"), (day <= pl.col("valid_to")).fill_null(True))
        .join(rostered.select("nip"), on="nip", how="anti")
        .group_by("nip", work_date=day)
        .agg(
            first_in=at.filter((at >= start - pl.duration(hours=4)) & (at < turns)).min(),
            last_out=at.filter((at >= turns) & (at < end + pl.duration(hours=6))).max(),
            start=start.first(),
            end=end.first(),
        )
        .with_columns(
            late_minutes=(pl.col("first_in") - pl.col("start")).dt.total_minutes().clip(0),
            early_minutes=(pl.col("end") - pl.col("last_out")).dt.total_minutes().clip(0),
            worked_minutes=(pl.col("last_out") - pl.col("first_in")).dt.total_minutes(),
        )
        .drop("start", "end")
        .collect(engine="streaming")
    )
    months = days.group_by("nip").agg(
        pl.len().alias("day_count"),
        (pl.col("late_minutes") > 0).sum().alias("late_count"),
        pl.col("late_minutes", "early_minutes", "worked_minutes").sum(),
    )
    days.write_parquet(to / "day.parquet")
    months.write_parquet(to / "month.parquet")


if __name__ == "__main__":
    main(run, __doc__)
