"""A month of the whole country, or of a part of it: regions of real sizes, run unattended by `kinerja run --all`.

    python benchmarks/national.py --every 46             # 12 of the 552 regions, spread over all sizes
    python benchmarks/national.py --every 1 --home /big  # all: some two hundred million taps

Sizes are skewed as the country's are, 3,000 to 60,000 employees, 4.6 million in all, in whole thousands. One more
region's employee register cannot be read: it must fail by itself. Once a third of the regions is published the command
and all its processes are killed and it is started again: only regions that had not ended, at most one for each core,
may be published twice. Tells time, the processors' time, the peak memory of all processes together, and what the whole
country would take at this pace, start and kill included.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import psutil
import yaml
from big_month import POLICY, REGION, SEED, TAPS_OF_PERSON, TODAY, WORLDS, worlds_of, write_files
from measuring import Figure, Timed, show

from kinerja_pipeline.home import Home, init_home

REGIONS, SMALLEST, LARGEST, EMPLOYEES = 552, 3, 60, 4600
"""Regencies, cities and provinces; employees in thousands."""
BROKEN = "rusak"
LOOK_SECONDS = 1.0


def sizes() -> list[int]:
    """Employees of every region in thousands, smallest first: log-normal between the bounds, with the country's sum."""
    drawn = random.Random(SEED)
    raw = sorted(min(max(drawn.lognormvariate(0, 0.75), 0.35), 8) for _ in range(REGIONS))
    low, high = 0.0, 100.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        total = sum(min(max(round(size * middle), SMALLEST), LARGEST) for size in raw)
        low, high = (middle, high) if total < EMPLOYEES else (low, middle)
    return [min(max(round(size * high), SMALLEST), LARGEST) for size in raw]


def write_country(home: Home, chosen: list[int]) -> dict[str, int]:
    """The files and policies of regions of these sizes, and one that is broken. By region: thousands of employees."""
    init_home(home)
    own = home.policies / f"{REGION}.yaml"
    own.write_text(POLICY, encoding="utf-8")
    worlds = worlds_of(home, SEED, WORLDS)
    own.unlink()
    page = yaml.safe_load(files("kinerja_pipeline.policies").joinpath(f"{REGION}.yaml").read_text(encoding="utf-8"))
    page["feeds"] |= yaml.safe_load(POLICY)["feeds"]
    regions = {f"wilayah{number:03d}": size for number, size in enumerate(chosen)}
    for region, size in {**regions, BROKEN: 1}.items():
        text = yaml.safe_dump({**page, "region": region}, allow_unicode=True)
        (home.policies / f"{region}.yaml").write_text(text, encoding="utf-8")
        write_files(home, region, worlds, size)
    for register in (home.landing / BROKEN / "employee").iterdir():
        register.write_bytes(b"PK\x03\x04 not a workbook")
    return regions


class Watched:
    """`kinerja run --all`, in a process group of its own, with what it and its processes use."""

    def __init__(self, home: Home) -> None:
        command = [sys.executable, "-m", "kinerja_pipeline.cli", "--home", str(home.root), "run", "--all"]
        command += ["--today", TODAY.isoformat()]
        self.began, self.peak, self._used = time.perf_counter(), 0, dict[int, float]()
        self.process = psutil.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)

    @property
    def processor(self) -> float:
        return sum(self._used.values())

    def look(self) -> None:
        """Notes processor seconds of every process, and the memory of all that are not shared."""
        memory = 0
        for each in [self.process, *self.process.children(recursive=True)]:
            try:
                times = each.cpu_times()
                self._used[each.pid] = times.user + times.system
                memory += each.memory_full_info().pss
            except psutil.Error:
                continue
        self.peak = max(self.peak, memory)

    def looks(self) -> Iterator[None]:
        while self.process.poll() is None:
            self.look()
            yield
            time.sleep(LOOK_SECONDS)

    def kill(self) -> None:
        """As a power cut would: whatever there is of it, at once."""
        for each in [*self.process.children(recursive=True), self.process]:
            try:
                os.kill(each.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()


def published(home: Home) -> dict[str, int]:
    """How many times the month of each region was published."""
    if not home.warehouse.is_file():
        return {}
    with sqlite3.connect(f"file:{home.warehouse}?mode=ro", uri=True) as warehouse:
        if not warehouse.execute("SELECT 1 FROM sqlite_master WHERE name = 'publication'").fetchone():
            return {}
        counts = "SELECT region, count(DISTINCT publication_id) FROM publication GROUP BY region"
        return dict(warehouse.execute(counts).fetchall())


def figures(every: int, root: Path | None = None) -> tuple[list[Figure], dict[str, Timed]]:
    with tempfile.TemporaryDirectory(prefix="kinerja-national-") as place:
        return _figures(every, Home(root or Path(place) / "home"))


def _figures(every: int, home: Home) -> tuple[list[Figure], dict[str, Timed]]:
    country = sizes()
    start = time.perf_counter()
    regions = write_country(home, country[every // 2 :: every])
    taps = sum(regions.values()) * 1000 * TAPS_OF_PERSON
    print(
        f"{len(regions)} of {REGIONS} regions, {sum(regions.values())},000 of {sum(country)},000 employees, "
        f"{taps / 1e6:.1f} million taps, written in {time.perf_counter() - start:.0f} s"
    )
    first = Watched(home)
    for _ in first.looks():
        if len(published(home)) > len(regions) // 3:
            first.kill()
    cut, first_seconds = published(home), time.perf_counter() - first.began
    print(f"killed after {first_seconds:.0f} s with {len(cut)} regions published")
    second = Watched(home)
    for _ in second.looks():
        pass
    said = (second.process.stdout.read() if second.process.stdout else "").splitlines()
    seconds = first_seconds + time.perf_counter() - second.began
    done = published(home)
    print("\n".join(line for line in said if BROKEN in line or "region-months published in" in line))
    whole = sum(country) / sum(regions.values())
    name = f"national month, {len(regions)} of {REGIONS} regions, {taps / 1e6:.1f} million taps"
    used = f"{seconds:.0f} s, {first.processor + second.processor:.0f} processor seconds"
    twice = sum(count > 1 for count in done.values())
    return [
        Figure(
            f"{name}: left unpublished beside one that is broken",
            *(len(regions.keys() - done.keys()), 0, "regions"),
            detail=f"killed after {first_seconds:.0f} s and run again: {used}; {twice} published twice",
        ),
        Figure("  peak memory of all its processes", max(first.peak, second.peak) / 1e9, 24.0, "GB"),
        Figure("  the whole country at this pace", seconds * whole / 3600, None, "hours"),
    ], {"country": Timed((seconds,))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--every", type=int, default=46, help="take every so many-th region, by size")
    parser.add_argument("--home", type=Path, help="kept; without it a temporary one that is deleted")
    given = parser.parse_args()
    show(figures(given.every, given.home)[0])


if __name__ == "__main__":
    main()
