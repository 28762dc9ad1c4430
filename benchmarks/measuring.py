"""What every benchmark shares: works timed in turn, the figure that a target is held to, the machine it was taken on.

Here: seconds -> figures -> a table and a JSON file. Not here: what is measured (the modules beside this one).
"""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

REPETITIONS = 5


@dataclass(frozen=True, slots=True)
class Timed:
    """The seconds of one work, repetition by repetition."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def spread(self) -> tuple[float, float]:
        return min(self.seconds), max(self.seconds)


@dataclass(frozen=True, slots=True)
class Figure:
    """A target and what was measured: a ratio or gigabytes, which must be at most `bound`; None orients only. What
    nobody could measure is a gap."""

    name: str
    measured: float | None
    bound: float | None
    unit: str = "x"
    detail: str = ""

    @property
    def verdict(self) -> str:
        if self.bound is None:
            return "-"
        return "pass" if self.measured is not None and self.measured <= self.bound else "gap"


def in_turn(
    works: Mapping[str, Callable[[], object]],
    repetitions: int = REPETITIONS,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timed]:
    """Every work once uncounted, then all of them in turn, so that a busy moment of the machine falls on each. Without
    repetitions the first round is the one that counts."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for repetition in range(repetitions + 1):
        for name, work in works.items():
            gc.collect()
            start = clock()
            work()
            if repetition or not repetitions:
                taken[name].append(clock() - start)
    return {name: Timed(tuple(seconds)) for name, seconds in taken.items()}


@dataclass(frozen=True, slots=True)
class Ran:
    """What a process told of its work: seconds, the processors' seconds, peak memory in gigabytes; some also how many
    modules they had imported, how many processes they had started, and the processors' seconds of imports before."""

    seconds: float
    processor: float
    peak: float
    modules: float = 0
    processes: float = 0
    importing: float = 0


def processes_in_turn(
    commands: Mapping[str, Sequence[str]], repetitions: int, compared: Callable[[], None]
) -> dict[str, list[Ran]]:
    """As `in_turn`, each work in a process that prints these numbers last; `compared` looks at what the first round
    left, and raises where the answers differ."""
    ran: dict[str, list[Ran]] = {name: [] for name in commands}
    for repetition in range(repetitions + 1):
        for name, command in commands.items():
            said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            if repetition or not repetitions:
                ran[name].append(Ran(*map(float, said.splitlines()[-1].split())))
        if not repetition:
            compared()
    return ran


def timed_of(ran: Sequence[Ran], what: str = "seconds") -> Timed:
    return Timed(tuple(getattr(each, what) for each in ran))


def ratio(timed: Mapping[str, Timed], ours: str, theirs: str) -> float:
    """The median of the ratios of neighbours in time, which a machine that slows down shifts least."""
    pairs = zip(timed[ours].seconds, timed[theirs].seconds, strict=True)
    return statistics.median(a / b for a, b in pairs)


def told(timed: Mapping[str, Timed]) -> str:
    return ", ".join(f"{name} {t.median:.3g} s ({t.spread[0]:.3g}-{t.spread[1]:.3g})" for name, t in timed.items())


def peak_gigabytes(script: Path, *arguments: str) -> float:
    """The peak memory of a process of its own, as the operating system counted it."""
    command = [sys.executable, str(script), *arguments]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(said.split()[-1])


def machine() -> dict[str, object]:
    """Where figures were taken, without the machine's name."""
    cpuinfo = Path("/proc/cpuinfo")
    models = [x for x in cpuinfo.read_text().splitlines() if x.startswith("model name")] if cpuinfo.is_file() else []
    return {
        "processor": models[0].partition(":")[2].strip() if models else platform.processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: version(name) for name in ("kinerja-pipeline", "polars", "great-expectations", "dagster")},
    }


def show(figures: Sequence[Figure]) -> None:
    table = Table(title="Benchmarks: a ratio or a size, and the most that it may be", title_justify="left")
    for heading in ("target", "at most", "measured", "", "seconds: median (least-most)"):
        table.add_column(heading, justify="right" if heading in ("at most", "measured") else "left", overflow="fold")
    for f in figures:
        bound = "" if f.bound is None else f"{f.bound:g} {f.unit}"
        measured = "not measured" if f.measured is None else f"{f.measured:.2f} {f.unit}"
        table.add_row(f.name, bound, measured, f.verdict, f.detail)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def write(
    path: Path, rows: Sequence[int], figures: Sequence[Figure], timings: Mapping[str, Mapping[str, Timed]]
) -> None:
    page = {
        "machine": machine(),
        "rows": rows,
        "figures": [{**asdict(f), "verdict": f.verdict} for f in figures],
        "timings": {
            bench: {
                name: {"median": t.median, "least": t.spread[0], "most": t.spread[1], "seconds": t.seconds}
                for name, t in timed.items()
            }
            for bench, timed in timings.items()
        },
    }
    path.write_text(json.dumps(page, indent=2) + "\n", encoding="utf-8")
