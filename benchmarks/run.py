"""Every benchmark, a row per target: what it may be at most, what was measured, pass or gap.

    python benchmarks/run.py --rows 1000000 10000000 --to benchmark.json
    python benchmarks/run.py --large --only national --every 2

The exit code says nothing about the targets: machines are noisy, and a gap is for people to look at. What `--large`
measured last is kept and shown with its date and commit.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import event_log
import growth
import instructions
import job
import judging
import ledger
import national
import peers
import publication
import split
import startup
from measuring import Figure, Timed, show, write

LARGE = Path(__file__).with_name("large.json")
PART = 5 * 10**4
"""Taps of the months that are run and published many times over."""
Taken = Callable[[], tuple[list[Figure], dict[str, Timed]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    sizes = [10**6, 10**7]
    parser.add_argument("--rows", type=int, nargs="+", default=sizes, help="sizes: taps of the region and month")
    parser.add_argument("--to", type=Path, default=Path("benchmark.json"), help="the figures as JSON")
    parser.add_argument("--large", action="store_true", help="only what takes long; kept in large.json")
    parser.add_argument(
        "--repetitions",
        type=int,
        help="of what takes minutes, after an uncounted round: 2; with --large 0, one round that counts",
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="BENCH", help="these modules; of the others none")
    parser.add_argument("--every", type=int, default=138, help="with --large: which regions of the country, by size")
    given = parser.parse_args()
    if not peers.PEERS_PYTHON.is_file():
        raise SystemExit("The peers are not installed: `make bench` does that.")
    repetitions = (0 if given.large else 2) if given.repetitions is None else given.repetitions
    taken: dict[str, Taken]
    if given.large:
        taken = {
            "job": partial(job.figures, min(given.rows), repetitions),
            "peers": partial(peers.figures, max(given.rows), repetitions),
            "split": partial(split.figures, max(given.rows)),
            "growth": partial(growth.figures, 10 * max(given.rows)),
            "instructions": instructions.figures,
            "publication": partial(publication.figures, min(given.rows), repetitions),
            "national": partial(national.figures, given.every),
        }
    else:
        taken = {
            "startup": startup.figures,
            "peers": partial(peers.figures, min(given.rows), repetitions),
            "publication": partial(publication.figures, 2 * PART, repetitions),
            "job": partial(job.figures, PART, repetitions, with_late=False),
            "split": partial(split.figures, min(given.rows)),
            "judging": judging.figures,
            "event_log": event_log.figures,
            "ledger": ledger.figures,
        }
    if unknown := set(given.only) - taken.keys():
        raise SystemExit(f"There is no {', '.join(sorted(unknown))}; it may be {', '.join(taken)}.")
    found: list[Figure] = []
    timings: dict[str, dict[str, Timed]] = {}
    for name in given.only or taken:
        take = taken[name]
        start = time.perf_counter()
        figures, timings[name] = take()
        print(f"{name}: taken in {time.perf_counter() - start:.0f} s", flush=True)
        found += figures
        if given.large:
            # What has been measured is kept, whatever becomes of the rest.
            keep(name, figures)
    show(found if given.large else [*found, *kept()])
    write(given.to, given.rows, found, timings)
    print(f"Written: {given.to}")


def keep(bench: str, figures: list[Figure]) -> None:
    """Puts what was measured in the place of what the bench measured before, with the day and the commit."""
    command = ["git", "-C", str(LARGE.parent), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()
    page = json.loads(LARGE.read_text(encoding="utf-8")) if LARGE.is_file() else {}
    today = dt.datetime.now(dt.UTC).date().isoformat()
    page[bench] = {"date": today, "commit": commit, "figures": [asdict(f) for f in figures]}
    LARGE.write_text(json.dumps(page, indent=2) + "\n", encoding="utf-8")


def kept() -> list[Figure]:
    """What was measured last of the large size, each row with when and of which commit."""
    page = json.loads(LARGE.read_text(encoding="utf-8")) if LARGE.is_file() else {}
    return [
        replace(figure, name=f"{figure.name} (of {bench['date']}, {bench['commit']})")
        for bench in page.values()
        for figure in (Figure(**f) for f in bench["figures"])
    ]


if __name__ == "__main__":
    main()
