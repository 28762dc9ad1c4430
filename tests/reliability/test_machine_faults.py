"""A machine that fails under a run: a full disk, one that may only be read, a database that goes and comes, a wrong
clock, two runs at once. The run says so or waits; nobody reads a half; run once more it ends as if undisturbed.

`make reliability` tries them. That such faults are told in words and tried again stands in tests/orchestration/
test_faults.py; two daemons on one home in test_serving.py there, and a daemon beside an operator in test_chaos.py.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from told import Told
from trials import Line, Reader, Seen, Start, Wanted, files, starts
from victims import Machine, Victims, parts_begun

BALLASTS = (0, 60_000, 400_000, 1_500_000)
"""Bytes that are left when the disk is as good as full: one run each."""
HOME_MEGABYTES = 48


@pytest.fixture(scope="module")
def base(
    victims: Callable[[], Victims], delivered: tuple[Path, tuple[Path, ...]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Line, Start, Wanted]]:
    """A home that has published the month, late files that come, and what a run makes of them."""
    line = Line(victims(), tmp_path_factory.mktemp("machine"), lambda _: pytest.fail("SQLite"), "command")
    with ExitStack() as stack:
        _, start = starts(line, "sqlite://", *delivered, stack)
        yield line, start, line.undisturbed(start)


def mounted(*arguments: str) -> bool:
    """Whether this account may mount, and the machine does."""
    return not shutil.which("mount") or subprocess.run(["mount", *arguments], capture_output=True).returncode == 0


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    place.mkdir()
    if os.geteuid() or not mounted("-t", "tmpfs", "-o", f"size={HOME_MEGABYTES}m", "tmpfs", str(place)):
        pytest.skip("only root may mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def moved(line: Line, at: Start, place: Path) -> Start:
    """The home on another disk."""
    shutil.copytree(at.home, place / "home")
    return Start(place / "home", f"sqlite:///{place / 'home' / 'warehouse.db'}", ())


def ended(line: Line, at: Start, machine: Machine, reader: Reader) -> tuple[int, str, set[str]]:
    """How a run ended, what it said, and every answer that a reader got."""
    answers: set[str] = set()

    def look() -> None:
        # Where nothing can be written, SQLite cannot note that somebody reads.
        with suppress(sqlite3.OperationalError):
            answers.add(reader.sees())

    code, log = line.run(at, None, look, machine=machine)
    return code, log.with_suffix(".said").read_text(), answers


def afterwards(line: Line, at: Start, wanted: Wanted, what: str, seen: Seen) -> None:
    """Run once more, when all is well again."""
    code, log = line.run(at, None, lambda: None)
    if code:
        seen.problems.append(f"{what}: {log.with_suffix('.said').read_text()}")
    line.compare(at, Reader(at.url), wanted, what, seen)


@pytest.mark.long
def test_a_full_disk_stops_a_run_in_words_and_the_next_one_makes_up_for_it(
    base: tuple[Line, Start, Wanted], tmp_path: Path, told: Told
) -> None:
    line, start, wanted = base
    seen, said, mixed, stopped = Seen(), [], 0, 0
    for left in BALLASTS:
        with line.begun(start) as at, small_disk(tmp_path / f"disk-{left}") as disk:
            here = moved(line, at, disk)
            reader = Reader(here.url)
            ballast = disk / "ballast"
            free = shutil.disk_usage(disk).free
            with ballast.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, max(1, free - left))
            code, text, answers = ended(line, here, Machine(pause_seconds=0.05), reader)
            ballast.unlink()
            mixed += len(answers - {wanted.before, wanted.after})
            stopped += code != 0
            said.append(text)
            afterwards(line, here, wanted, f"{left} bytes left", seen)
    told.row("disk full", len(BALLASTS), lost=seen.lost_rows, reads=None, mixed=mixed)
    assert (seen.problems, seen.orphans, mixed) == ([], [], 0)
    assert stopped >= 2, "the disk was never full"
    assert [text for text in said if "Traceback" in text] == []


def closed_at(part: str, lake: str, logs: Path) -> None:
    """Lets nobody write to the lake any more, at once or when the next run has come to that part."""
    known, end = set(logs.glob("*.log")), time.monotonic() + 120
    while part != "start" and time.monotonic() < end:
        if any(part == name for log in set(logs.glob("*.log")) - known for name, _ in parts_begun(log)):
            break
        time.sleep(0.01)
    assert mounted("-o", "remount,ro,bind", lake)


@pytest.mark.long
def test_a_lake_that_becomes_read_only_stops_a_run_in_words(
    base: tuple[Line, Start, Wanted], tmp_path: Path, told: Told
) -> None:
    line, start, wanted = base
    seen, mixed = Seen(), 0
    for part in ("start", "split", "kpi"):
        with line.begun(start) as at, small_disk(tmp_path / f"disk-{part}") as disk:
            here = moved(line, at, disk)
            lake = str(here.home / "lake")
            assert mounted("--bind", lake, lake)
            try:
                closing = threading.Thread(target=closed_at, args=(part, lake, line.folder))
                closing.start()
                if part == "start":
                    closing.join()
                code, text, answers = ended(line, here, Machine(pause_seconds=0.05), Reader(here.url))
                closing.join()
                mixed += len(answers - {wanted.before, wanted.after})
                assert code == 1, f"{part}: {text}"
                assert "Traceback" not in text
                assert "lake" in text or "Read-only" in text, text
                assert mounted("-o", "remount,rw,bind", lake)
                afterwards(line, here, wanted, f"read-only at {part}", seen)
            finally:
                subprocess.run(["umount", "--lazy", lake], check=True)
    told.row("lake read-only", 3, lost=seen.lost_rows, mixed=mixed)
    assert (seen.problems, seen.orphans, mixed) == ([], [], 0)


@pytest.mark.long
def test_a_server_that_is_stopped_while_a_month_is_published_is_waited_for(
    victims: Callable[[], Victims],
    delivered: tuple[Path, tuple[Path, ...]],
    tmp_path: Path,
    own_server: Any,
    told: Told,
) -> None:
    address = own_server.url.render_as_string(hide_password=False)
    line = Line(victims(), tmp_path, nullcontext, "command")
    with ExitStack() as stack:
        _, start = starts(line, address, *delivered, stack)
        with line.begun(start) as at:
            down = threading.Event()

            def stop_it() -> None:
                if not down.is_set():
                    down.set()
                    own_server.stop()
                    threading.Timer(3, own_server.start).start()

            code, log = line.run(at, None, stop_it, machine=Machine(pause_seconds=2.5))
            text = log.with_suffix(".said").read_text()
            reader = Reader(at.url)
            after = reader.sees()
            told.row("database gone and back", 1, lost=0)
            assert down.is_set()
            assert code == 0, text
            # A run that nobody disturbed has nothing to add.
            again, log = line.run(at, None, lambda: None)
            assert (again, reader.sees()) == (0, after)


@pytest.mark.long
def test_a_locked_file_is_waited_for(base: tuple[Line, Start, Wanted], told: Told) -> None:
    line, start, wanted = base
    seen = Seen()
    with line.begun(start) as at:
        held = sqlite3.connect(at.home / "warehouse.db", isolation_level=None, check_same_thread=False)
        held.execute("BEGIN IMMEDIATE")
        letting_go: list[threading.Timer] = []

        def look() -> None:
            if not letting_go:
                letting_go.append(threading.Timer(4, held.rollback))
                letting_go[0].start()

        code, log = line.run(at, None, look)
        letting_go[0].join()
        held.close()
        line.compare(at, Reader(at.url), wanted, "locked", seen)
    told.row("database locked", 1, lost=seen.lost_rows)
    assert code == 0, log.with_suffix(".said").read_text()
    assert (seen.problems, seen.orphans) == ([], [])


@pytest.mark.long
@pytest.mark.parametrize("years", [-20, 20])
def test_a_clock_that_was_wrong_leaves_nothing_once_it_is_right(
    years: int, base: tuple[Line, Start, Wanted], told: Told
) -> None:
    line, start, wanted = base
    seen = Seen()
    with line.begun(start) as at:
        code, log = line.run(at, None, lambda: None, machine=Machine(clock=dt.timedelta(days=years * 365)))
        text = log.with_suffix(".said").read_text()
        code, log = line.run(at, None, lambda: None)
        # That it was published under a wrong date stays recorded, and the reports tell it; no number does.
        reader = Reader(at.url)
        own = {name: digest for name, digest in files(at.home).items() if name.startswith("reports/monthly/")}
        expected = replace(wanted, restated=reader.restated(), files=wanted.files | own)
        line.compare(at, reader, expected, f"{years} years", seen)
    told.row(f"clock {abs(years)} years {'behind' if years < 0 else 'ahead'}", 1, lost=seen.lost_rows)
    assert "Traceback" not in text
    assert code == 0, log.with_suffix(".said").read_text()
    assert (seen.problems, seen.orphans) == ([], [])


@pytest.mark.long
def test_two_commands_for_one_month_take_turns(
    base: tuple[Line, Start, Wanted], victims: Callable[[], Victims], told: Told
) -> None:
    line, start, wanted = base
    other, seen, answers = Line(victims(), line.folder, line.copy_of, "command"), Seen(), set()
    other.number = 10_000
    with line.begun(start) as at:
        reader, ends = Reader(at.url), []
        beside = threading.Thread(target=lambda: ends.append(other.run(at, None, lambda: None)))
        beside.start()
        ends.append(line.run(at, None, lambda: answers.add(reader.sees())))
        beside.join()
        mixed = len(answers - {wanted.before, wanted.after})
        line.compare(at, Reader(at.url), wanted, "two at once", seen)
    told.row("two runs of one month at once", 1, lost=seen.lost_rows, mixed=mixed)
    assert [code for code, _ in ends] == [0, 0], [log.with_suffix(".said").read_text() for _, log in ends]
    assert (seen.problems, seen.orphans, mixed) == ([], [], 0)
