"""The core job against what people would use instead, on the same files, each side in a process of its own.

    python benchmarks/peers.py --taps 1000000

DuckDB's SQL and pandas give attendance, tasks, SKM and kpi of the month; the core job gives these, and what nobody else
gives: all feeds, reasons, a quarantine, provenance, quarter, semester and year, evaluation, follow-up. A page of Polars
gives the attendance of office staff; against it stand the core job's steps from the scanners' files to the month's
sums. `floor` only reads. Before anything is timed the answers are compared cell by cell; imports are not counted.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import polars as pl
from answers import differences
from big_month import MONTH, REGION, big_month
from measuring import Figure, Ran, Timed, processes_in_turn, ratio, show, timed_of, told

from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.orchestration.storage import Lake

HERE = Path(__file__).parent
PEERS_PYTHON = HERE.parent / ".bench" / "bin" / "python"
"""pandas and DuckDB stand in an environment of their own: the product needs neither."""
ATTENDANCE = ("org_unit", "employee", "device_pin", "attendance_log", "leave_permit", "shift_roster", "device_outage")
ATTENDANCE_STEPS = "landing,validated_dated,validated,attendance_day,attendance_month"
MOST_GIGABYTES = ((2 * 10**6, 1.0), (2 * 10**7, 3.0), (2 * 10**8, 8.0))


class OtherAnswersError(Exception):
    """A peer says something else than the product; the message says what."""


def figures(taps: int, repetitions: int = 3, peers: Path = PEERS_PYTHON) -> tuple[list[Figure], dict[str, Timed]]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        whole, part = Home(folder / "whole"), Home(folder / "attendance")
        big_month(whole, taps)
        attendance_of(whole, part)
        files = str(whole.landing / REGION)
        commands = {
            "core": [sys.executable, str(HERE / "core.py"), "--home", str(whole.root)],
            **{
                name: [str(peers), str(HERE / f"peer_{name}.py"), "--files", files, "--to", str(folder / name)]
                for name in ("duckdb", "pandas")
            },
            "attendance": [
                *(sys.executable, str(HERE / "core.py"), "--home", str(part.root), "--only", ATTENDANCE_STEPS)
            ],
            "polars_min": [sys.executable, str(HERE / "peer_polars.py"), "--files", files, "--to", str(folder / "min")],
            "floor": [sys.executable, str(HERE / "peer_floor.py"), "--files", files, "--to", str(folder / "floor")],
        }

        def compared() -> None:
            found = [f"{name}: {text}" for name in ("duckdb", "pandas") for text in differences(whole, folder / name)]
            found += attendance_differences(part, folder / "min")
            if found:
                raise OtherAnswersError("Nothing is timed, for the answers differ.\n" + "\n".join(found))

        ran = processes_in_turn(commands, repetitions, compared)
    return rows(taps, ran), {name: timed_of(of) for name, of in ran.items()}


def rows(taps: int, ran: dict[str, list[Ran]]) -> list[Figure]:
    timed = {name: timed_of(of) for name, of in ran.items()}
    size = f"{taps:.0e}".replace("e+0", "e")

    def of_processors(ours: str, theirs: str) -> str:
        pair = told({name: timed[name] for name in (ours, theirs)})
        used = {name: timed_of(ran[name], "processor") for name in (ours, theirs)}
        return f"{pair}; by processor seconds {ratio(used, ours, theirs):.2f}"

    peak, bound = timed_of(ran["core"], "peak").median, next(b for most, b in MOST_GIGABYTES if taps <= most)
    peaks = ", ".join(f"{name} {timed_of(of, 'peak').median:.2f}" for name, of in ran.items() if name != "core")
    return [
        Figure(f"core job {size} / duckdb", ratio(timed, "core", "duckdb"), 0.67, "x", of_processors("core", "duckdb")),
        Figure(f"core job {size} / pandas", ratio(timed, "core", "pandas"), 0.15, "x", of_processors("core", "pandas")),
        Figure(
            f"attendance part {size} / polars_min",
            ratio(timed, "attendance", "polars_min"),
            2.0,
            "x",
            of_processors("attendance", "polars_min"),
        ),
        Figure(f"  core job {size} / floor", ratio(timed, "core", "floor"), None, "x", told({"floor": timed["floor"]})),
        Figure(f"peak memory of the core job {size}", peak, bound, "GB", peaks),
    ]


def attendance_of(whole: Home, part: Home) -> None:
    """A home with the files that attendance is made from, and no others."""
    init_home(part)
    for page in whole.policies.glob("*.yaml"):
        (part.policies / page.name).write_bytes(page.read_bytes())
    for feed in ATTENDANCE:
        folder = part.landing / REGION / feed
        folder.mkdir(parents=True)
        for file in (whole.landing / REGION / feed).iterdir():
            os.link(file, folder / file.name)


def attendance_differences(part: Home, folder: Path) -> list[str]:
    """Who came when and left when, of office staff: the last tap may be a repeat of the one within a minute before."""
    office = pl.col("schedule_id") == "office_5_day", pl.col("day_type").is_in(["normal", "friday"])
    own = Lake(part.lake).read("facts", "attendance_day", REGION, MONTH).filter(*office)
    local = {
        name: pl.col(f"{name}_at").dt.replace_time_zone(None) + pl.duration(hours=9)
        for name in ("first_in", "last_out")
    }
    both = own.select("nip", "work_date", "late_minutes", **local).join(
        pl.read_parquet(folder / "day.parquet"), on=["nip", "work_date"], how="left", suffix=" of theirs"
    )
    came = pl.col("first_in").eq_missing(pl.col("first_in of theirs"))
    later = (pl.col("last_out of theirs") - pl.col("last_out")).dt.total_seconds()
    left = later.is_between(0, 60) | (pl.col("last_out").is_null() & pl.col("last_out of theirs").is_null())
    differ = both.filter(~(came & left).fill_null(False))
    return [f"polars_min: {len(differ)} of {len(both)} days differ, as {differ.row(0)}"] if len(differ) else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--taps", type=int, default=10**6)
    parser.add_argument("--repetitions", type=int, default=3)
    given = parser.parse_args()
    show(figures(given.taps, given.repetitions)[0])


if __name__ == "__main__":
    main()
