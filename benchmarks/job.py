"""What Dagster adds to a region and month, and what a run costs when nothing has changed or a file came late.

    python benchmarks/job.py --taps 100000

The command's run (landing and the month's job, through Dagster, with its event log) against the bodies of the same
assets called one after the other, publication and reports included; then the same run again, and once more after a
file of a thousand taps has come for the published month, against the bodies of all that follows landing it. Each in a
process of its own, by the processors' seconds, imports not counted: the difference is Dagster's, whatever else the
machine does.
"""

from __future__ import annotations

import argparse
import itertools
import re
import sys
import tempfile
import time
from pathlib import Path

from big_month import REGION, big_month
from core import emptied, steps
from measuring import Figure, Timed, processes_in_turn, show, timed_of, told
from peak import own_peak_gigabytes

from kinerja_pipeline.home import Home, init_home

WORKS = ("run", "again", "bodies")
LATER = ("run", "again", "late", "bodies", "bodies anew")
"""In this order: each works on what the one before has left."""
STARTS = ("subprocess.Popen", "os.fork", "os.posix_spawn", "os.system")
"""What Python tells of when it starts a process."""
LATE, LATE_ROWS = "late.dat", 1000


def figures(
    taps: int = 10**5, repetitions: int = 3, *, with_late: bool = True
) -> tuple[list[Figure], dict[str, Timed]]:
    with tempfile.TemporaryDirectory() as place:
        home = Home(Path(place) / "home")
        big_month(home, taps)
        command = [sys.executable, __file__, "--home", str(home.root), "--work"]
        ran = processes_in_turn(
            {work: [*command, work] for work in (LATER if with_late else WORKS)}, repetitions, lambda: None
        )
    used = {name: timed_of(of, "processor") for name, of in ran.items()}
    last = {name: of[-1] for name, of in ran.items()}
    share = used["run"].median - used["bodies"].median
    size = f"{taps:.0e}".replace("e+0", "e")
    return [
        Figure(f"Dagster's share of a region-month, {size} taps", share, 2.0, "s", f"processors: {told(used)}"),
        Figure(f"  of the run, {size} taps", 100 * share / used["run"].median, 15.0 if taps >= 10**6 else None, "%"),
        Figure(
            "  modules that the run imports and its bodies do not",
            *(last["run"].modules - last["bodies"].modules, None, "modules"),
            detail=f"{timed_of(ran['run'], 'importing').median:.2g} s to import; "
            + ", ".join(
                f"{name}: {last[name].modules:,.0f} modules, {last[name].processes:.0f} processes beside its own"
                for name in ("run", "bodies")
            ),
        ),
        Figure(f"unchanged re-run {size} / first run", used["again"].median / used["run"].median, 0.1, "x"),
        *([_late(size, used)] if with_late else []),
    ], used


def _late(size: str, used: dict[str, Timed]) -> Figure:
    name = f"late file of {LATE_ROWS} rows into a month of {size} / its bodies without landing"
    return Figure(name, used["late"].median / used["bodies anew"].median, 1.2)


def deliver_late(home: Home) -> None:
    """A file of taps half a minute beside some that are known: other taps of the same people."""
    folder = home.landing / REGION / "attendance_log"
    with next(folder.glob("*.dat")).open("rb") as file:
        lines = [line for line in itertools.islice(file, 2 * LATE_ROWS) if line.count(b"\t") == 5][:LATE_ROWS]
    moved = (re.sub(rb":(\d\d)\t", lambda at: b":%02d\t" % ((int(at[1]) + 30) % 60), line) for line in lines)
    (folder / LATE).write_bytes(b"".join(moved))


def import_dagster() -> None:
    """What a run loads beside the bodies of its assets, by opening an instance somewhere else."""
    import rich.progress  # noqa: F401
    from dagster import DagsterInstance

    import kinerja_pipeline.definitions
    import kinerja_pipeline.orchestration.launch  # noqa: F401
    from kinerja_pipeline.orchestration.settings import write_instance_settings

    with tempfile.TemporaryDirectory() as place:
        elsewhere = Home(Path(place) / "home")
        init_home(elsewhere)
        write_instance_settings(elsewhere)
        with DagsterInstance.from_config(str(elsewhere.dagster)):
            pass


def work(home: Home, what: str) -> None:
    from kinerja_pipeline.warehouse.database import open_warehouse  # noqa: F401 - imports are not counted

    started: list[str] = []
    sys.addaudithook(lambda event, _: started.append(event) if event in STARTS else None)
    bodies = steps(home, with_publication=True)
    begun = time.process_time()
    if not what.startswith("bodies"):
        import_dagster()
    importing = time.process_time() - begun
    if what in ("late", "bodies anew"):
        deliver_late(home)
    if what in ("run", "bodies"):
        (home.landing / REGION / "attendance_log" / LATE).unlink(missing_ok=True)
        emptied(home)
        for file in home.root.glob("warehouse.db*"):
            file.unlink()
    if what == "bodies anew":
        # So that they compute and publish what the late file changes, as the run does.
        dict(bodies)["landing"]()
    start, begun = time.perf_counter(), time.process_time()
    if what.startswith("bodies"):
        for name, body in bodies:
            if name != "landing" or what == "bodies":
                body()
    else:
        from rich.console import Console

        from kinerja_pipeline.orchestration.launch import launch

        with open("/dev/null", "w", encoding="utf-8") as nowhere:
            outcome = launch(home, regions=[REGION], first=None, last=None, today=None, console=Console(file=nowhere))
        assert not outcome.failed, outcome.failed
        assert outcome.done == (what != "again"), f"{what}: {outcome.done} months"
    taken = time.perf_counter() - start, time.process_time() - begun
    print(*taken, own_peak_gigabytes(), len(sys.modules), len(started), importing)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--taps", type=int, default=10**5)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--work", choices=LATER, help="do this once in --home and print what it took")
    given = parser.parse_args()
    if given.work:
        work(Home(given.home), given.work)
    else:
        show(figures(given.taps)[0])


if __name__ == "__main__":
    main()
