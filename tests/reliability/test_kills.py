"""Runs killed at every point of the line, a hundred on each database: whoever reads sees the month as it was or as it
will be, and running once more ends where a run ends that nobody disturbed.

`make reliability` does them all. What every test run tries stands in tests/line/test_killed_runs.py.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from told import Told
from trials import CopyOf, Line, Seen, Wanted, starts
from victims import PARTS, Moment, Victims, Way

KILLS: Mapping[Way, int] = {"core": int(os.environ.get("KINERJA_KILLS", "90")), "command": 10}
"""On each database: of the steps alone, and of `kinerja run`. Every part of the line gets its share."""
SEED = 2026


def moment_of(part: str, wanted: Wanted, chance: random.Random) -> Moment:
    """Two in three at something that lasts, one in three at any time."""
    if chance.random() < 2 / 3:
        return Moment(part, chance.randint(1, max(1, wanted.calls.get(part, 0))), chance.random() < 0.5)
    return Moment(part, seconds=chance.uniform(0, wanted.seconds.get(part, 0.1)))


@pytest.mark.long
@pytest.mark.parametrize("way", ["core", "command"])
def test_a_run_killed_anywhere_and_run_once_more_ends_as_if_undisturbed(
    way: Way,
    victims: Callable[[], Victims],
    delivered: tuple[Path, tuple[Path, ...]],
    tmp_path: Path,
    postgresql_url: str,
    copy_of: CopyOf,
    told: Told,
) -> None:
    # Both databases at once: a run uses one processor most of the time.
    lines = {}
    for database, empty in (("sqlite", "sqlite://"), ("postgresql", postgresql_url)):
        (tmp_path / database).mkdir()
        lines[database] = (Line(victims(), tmp_path / database, copy_of, way), empty)
    with ThreadPoolExecutor(len(lines)) as pool:
        begun = {name: pool.submit(trials, line, empty, *delivered) for name, (line, empty) in lines.items()}
    found = {name: each.result() for name, each in begun.items()}
    for name, seen in found.items():
        by_part = ", ".join(f"{part} {seen.kills[part]}" for part in PARTS)
        print(
            f"\n{name}, {way}: {seen.kills.total()} kills ({by_part}), {seen.reads:,} reads, {seen.mixtures} "
            f"inconsistent, {seen.temporary} half-written files, {len(seen.orphans)} left after doctor --fix"
        )
        what = "the core's steps" if way == "core" else "kinerja run"
        told.row(
            f"kill -9 of {what}, {name}", seen.kills.total(), lost=seen.lost_rows, reads=seen.reads, mixed=seen.mixtures
        )
    for seen in found.values():
        assert seen.problems == []
        assert (seen.mixtures, seen.lost_rows, seen.orphans) == (0, 0, [])
        assert min(seen.kills[part] for part in PARTS) > 0


def trials(line: Line, empty: str, delivered: Path, late: tuple[Path, ...]) -> Seen:
    seen, chance = Seen(), random.Random(SEED)
    with ExitStack() as stack:
        both = starts(line, empty, delivered, late, stack)
        wanted = [line.undisturbed(start) for start in both]
        assert wanted[0].after == wanted[1].after, "late files end where they would have ended in time"
        assert (wanted[0].before, wanted[1].before == wanted[1].after) == ("nothing", False)
        assert wanted[1].restated, "the late files change what was closed"
        tries = 0
        while seen.kills.total() < KILLS[line.way]:
            tries += 1
            assert tries <= 4 * KILLS[line.way], f"of {tries - 1} tries only these killed: {dict(seen.kills)}"
            # One in four on a new home: there is less to lose.
            which = 0 if chance.random() < 1 / 4 else 1
            # A run may die later than it was meant to: what was hit least is next.
            part = min(PARTS, key=lambda name: seen.kills[name])
            line.trial(both[which], wanted[which], moment_of(part, wanted[which], chance), seen)
    return seen
