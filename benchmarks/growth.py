"""What a hundred million taps take against a million: the core job's peak memory, and the time of a tap.

    python benchmarks/growth.py --taps 100000000

Each size in a process of its own. A hundred million taps are 9 GB of text and 5 of a lake while it lasts; nobody
else is asked for them, for DuckDB and pandas would need more memory than a usual machine has.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from big_month import big_month
from measuring import Figure, Timed, processes_in_turn, ratio, show, timed_of, told

from kinerja_pipeline.home import Home

HERE = Path(__file__).parent
SMALL = 10**6


def figures(taps: int = 10**8, repetitions: int = 0) -> tuple[list[Figure], dict[str, Timed]]:
    with tempfile.TemporaryDirectory() as place:
        commands = {}
        for name, size in (("small", SMALL), ("core", taps)):
            home = Home(Path(place) / name)
            people = big_month(home, size)
            commands[name] = [sys.executable, str(HERE / "core.py"), "--home", str(home.root)]
        ran = processes_in_turn(commands, repetitions, lambda: None)
    used = {name: timed_of(of, "processor") for name, of in ran.items()}
    timed = {name: timed_of(of) for name, of in ran.items()}
    peaks = {name: timed_of(of, "peak").median for name, of in ran.items()}
    large, little = (f"{size:.0e}".replace("e+0", "e") for size in (taps, SMALL))
    of_a_tap = SMALL / taps
    by_clock = f"{told(timed)}; by the clock {of_a_tap * ratio(timed, 'core', 'small'):.2f}"
    return [
        Figure(
            f"peak memory of the core job {large}",
            *(peaks["core"], 8.0, "GB"),
            detail=f"{people:,} employees; {little}: {peaks['small']:.2f} GB",
        ),
        Figure(
            f"processor seconds per tap {large} / {little}",
            *(of_a_tap * ratio(used, "core", "small"), 1.1, "x"),
            detail=by_clock,
        ),
    ], timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--taps", type=int, default=10**8)
    parser.add_argument("--repetitions", type=int, default=0)
    given = parser.parse_args()
    show(figures(given.taps, given.repetitions)[0])


if __name__ == "__main__":
    main()
