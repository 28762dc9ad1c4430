"""Every benchmark, a row per target: what it may be at most, what was measured, pass or gap.

    TQDM_DISABLE=1 python benchmarks/run.py --rows 1000000 10000000 --to benchmark.json

The exit code says nothing about the targets: machines are noisy, and a gap is for people to look at.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import event_log
import judging
import split
from measuring import Figure, Timed, show, write


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    sizes = [10**6, 10**7]
    parser.add_argument("--rows", type=int, nargs="+", default=sizes, help="sizes: taps of the region and month")
    parser.add_argument("--to", type=Path, default=Path("benchmark.json"), help="the figures as JSON")
    given = parser.parse_args()
    found: list[Figure] = []
    timings: dict[str, dict[str, Timed]] = {}
    for name, taken in (
        *((f"split {rows}", partial(split.figures, rows)) for rows in given.rows),
        ("judging", judging.figures),
        ("event_log", event_log.figures),
    ):
        figures, timings[name] = taken()
        found += figures
    show(found)
    write(given.to, given.rows, found, timings)
    print(f"Written: {given.to}")


if __name__ == "__main__":
    main()
