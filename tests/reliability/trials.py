"""Homes of one region and month that are run, disturbed and run again, and what must then be the same.

Here: what a reader sees, a home before and after a run that nobody disturbs, the comparison. Not here: the processes
(victims), what is broken (test_kills, test_machine_faults).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from line_world import MONTHS, TABLES, TODAY, lake_files
from victims import Job, Machine, Moment, Place, Victims, Way, parts_begun

from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.landing.ledger import in_force, read_ledger

PLACE = Place("salor", MONTHS[0], date.fromisoformat(TODAY))
PUBLICATION_NUMBER = re.compile(rf"{PLACE.region}-[0-9]{{8}}".encode())


# ---- what a reader sees ----------------------------------------------------------------------------------------------


class Reader:
    """Whoever asks the warehouse for everything at once, in one snapshot, with nothing of the product in between."""

    def __init__(self, url: str) -> None:
        self.url, self.reads = sa.make_url(url), 0

    def sees(self) -> str:
        """A digest of every row of every table of the month's publication; "nothing" where nothing is published."""
        self.reads += 1
        with self._snapshot() as ask:
            if ask is None:
                return "nothing"
            rows = {table: sorted(map(repr, ask(f"SELECT * FROM {table}"))) for table in TABLES}
        return hashlib.sha256(repr(rows).encode()).hexdigest()[:12] if any(rows.values()) else "nothing"

    def restated(self) -> list[str]:
        """Every change that was recorded, whichever publication made it."""
        with self._snapshot() as ask:
            return sorted(repr(row[1:]) for row in ask("SELECT * FROM restatement")) if ask else []

    @contextlib.contextmanager
    def _snapshot(self) -> Iterator[Callable[[str], list[tuple[Any, ...]]] | None]:
        if self.url.get_backend_name() == "sqlite":
            path = Path(self.url.database or "")
            if not path.exists():
                yield None
                return
            with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=60)) as opened:
                opened.execute("BEGIN")
                found = opened.execute("SELECT 1 FROM sqlite_master WHERE name = 'restatement'").fetchall()
                yield (lambda sql: opened.execute(sql).fetchall()) if found else None
            return
        address = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, options="-c search_path=reporting") as opened:
            opened.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            found = opened.execute("SELECT to_regclass('reporting.restatement') IS NOT NULL").fetchone()
            yield (lambda sql: opened.execute(sql.encode()).fetchall()) if found == (True,) else None


# ---- the line in two states ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """A home before a run, its warehouse, and the files that come before the run."""

    home: Path
    url: str
    coming: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run leaves that nobody disturbs: what a reader sees, all recorded changes, every file, the ledger; how
    often each part did what lasts, and how long each took."""

    before: str
    after: str
    restated: list[str]
    files: dict[str, str]
    ledger: list[tuple[Any, ...]]
    calls: Mapping[str, int]
    seconds: Mapping[str, float]


@dataclass(slots=True)
class Seen:
    """What was seen over all trials."""

    kills: Counter[str] = field(default_factory=Counter)
    reads: int = 0
    mixtures: int = 0
    lost_rows: int = 0
    temporary: int = 0
    orphans: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


CopyOf = Callable[[str], AbstractContextManager[str]]


class Line:
    """One database's trials: homes are copied from a start, run, killed and run again."""

    def __init__(self, victims: Victims, folder: Path, copy_of: CopyOf, way: Way) -> None:
        self.victims, self.folder, self.way = victims, folder, way
        self.copy_of, self.number = copy_of, 0

    @contextlib.contextmanager
    def begun(self, start: Start) -> Iterator[Start]:
        """A home of its own like the start's, with the files that come."""
        self.number += 1
        root = self.folder / f"{self.way}-{self.number}"
        shutil.copytree(start.home, root, ignore=shutil.ignore_patterns("warehouse.db-*"))
        for file in start.coming:
            target = root / "landing" / PLACE.region / file.parent.name / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
        with ExitStack() as stack:
            if start.url.startswith("sqlite"):
                url = f"sqlite:///{root / 'warehouse.db'}"
            else:
                url = stack.enter_context(self.copy_of(start.url))
            stack.callback(shutil.rmtree, root, ignore_errors=True)
            yield Start(root, url, ())

    def run(
        self,
        at: Start,
        moment: Moment | None,
        look: Callable[[], object],
        way: Way | None = None,
        machine: Machine | None = None,
    ) -> tuple[int, Path]:
        """Runs once, looking while it publishes and at the end; how it ended, and its log."""
        log = self.folder / f"{self.way}-{self.number}-{time.monotonic_ns()}.log"
        self.victims.start(Job(at.home, at.url, way or self.way, log, moment, machine or Machine()))
        try:
            self._watched(log, moment, look)
        except BaseException:
            self.victims.kill()
            self.victims.end()
            raise
        return self.victims.end(), log

    def _watched(self, log: Path, moment: Moment | None, look: Callable[[], object]) -> None:
        is_due, begun = moment is not None and not moment.call, []
        while not self.victims.is_over:
            begun = parts_begun(log)
            if is_due and moment is not None and (began := dict(reversed(begun)).get(moment.part)):
                time.sleep(max(0.0, began + moment.seconds - time.monotonic()))
                self.victims.kill()
                is_due = False
            if begun and begun[-1][0] == "publish":
                look()
            time.sleep(0.01)
        look()

    def undisturbed(self, start: Start) -> Wanted:
        with self.begun(start) as at:
            reader = Reader(at.url)
            before = reader.sees()
            code, log = self.run(at, None, lambda: None)
            assert code == 0, log.with_suffix(".said").read_text()
            begun = [*parts_begun(log), ("", time.monotonic())]
            seconds = Counter[str]()
            for (part, when), (_, until) in pairwise(begun):
                seconds[part] += until - when
            calls = json.loads(log.with_suffix(".counts").read_text())
            return Wanted(
                before, reader.sees(), reader.restated(), files(at.home), ledger(at.home), calls, dict(seconds)
            )

    def trial(self, start: Start, wanted: Wanted, moment: Moment, seen: Seen) -> bool:
        """Kills one run, runs once more, compares; False where the run was over before its moment."""
        with self.begun(start) as at:
            reader = Reader(at.url)
            answers = Counter[str]()

            def look() -> None:
                answers[reader.sees()] += 1

            code, log = self.run(at, moment, look)
            if code == 0:
                return False
            said = log.with_suffix(".said")
            assert code == -signal.SIGKILL, f"{moment}: {said.read_text()}"
            seen.kills[parts_begun(log)[-1][0]] += 1
            code, log = self.run(at, None, look)
            seen.reads += answers.total()
            strange = answers.keys() - {wanted.before, wanted.after}
            seen.mixtures += sum(answers[each] for each in strange)
            if code != 0:
                seen.problems.append(
                    f"{moment}: run again it ended with {code}: {log.with_suffix('.said').read_text()}"
                )
            self.compare(at, reader, wanted, str(moment), seen)
        return True

    def compare(self, at: Start, reader: Reader, wanted: Wanted, moment: str, seen: Seen) -> None:
        """What is otherwise than after a run that nobody disturbed, once doctor has been there."""
        seen.lost_rows += abs(rows_in(wanted.ledger) - rows_in(ledger(at.home)))
        differing = [
            name
            for name, is_same in {
                "what readers see": reader.sees() == wanted.after,
                "restatements": reader.restated() == wanted.restated,
                "the ledger": ledger(at.home) == wanted.ledger,
            }.items()
            if not is_same
        ]
        is_any = False
        # As if two hours had gone by: what a process may still write is left alone.
        for path in [*at.home.rglob(".*.tmp"), *at.home.glob("dagster/*/.new-*")]:
            os.utime(path, (time.time() - 7200,) * 2)
            seen.temporary += 1
            is_any = True
        if is_any or self.way == "command":
            _, log = self.run(at, None, lambda: None, "doctor")
            said = log.with_suffix(".said").read_text()
            # How much is free is the machine's business, and the core's steps alone need nothing of Dagster's.
            known = ("GiB free", "lacks dagster/dagster.yaml")
            lines = [line for line in said.splitlines() if line.startswith("error")]
            wrong = [line for line in lines if not any(text in line for text in known)]
            differing += [f"doctor: {said}"] if wrong or "Traceback" in said else []
        found = files(at.home)
        seen.orphans += [f"{moment}: {name}" for name in found.keys() - wanted.files.keys()]
        differing += [name for name, digest in wanted.files.items() if found.get(name) != digest]
        seen.problems += [f"{moment}: {', '.join(differing[:5])}"] if differing else []


def files(home: Path) -> dict[str, str]:
    """Every file but databases, locks and the list of faults; of the lake with a digest of the bytes, of reports with
    one of what they say."""
    known = lake_files(Home(home))
    found = {f"lake/{name}": digest for name, digest in known.items()}
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home).as_posix()
        if (
            not path.is_file()
            or name.split("/")[0] in ("locks", "dagster", "landing", "faults.json")
            or path.name.startswith("warehouse.")
        ):
            continue
        is_told = name.startswith("reports/")
        found.setdefault(name, said_in(path) if is_told else "")
    found |= {path.relative_to(home).as_posix(): "" for path in home.glob("dagster/*/.new-*")}
    return found


def said_in(report: Path) -> str:
    """A digest of a page, or of all parts of a workbook, but for the number of the publication: a run that was killed
    after it had published publishes once more."""
    if report.suffix == ".xlsx":
        with zipfile.ZipFile(report) as book:
            parts = [name.encode() + book.read(name) for name in book.namelist()]
    else:
        parts = [report.read_bytes()]
    return hashlib.sha256(b"".join(PUBLICATION_NUMBER.sub(b"", part) for part in parts)).hexdigest()


def ledger(home: Path) -> list[tuple[Any, ...]]:
    lines = in_force(read_ledger(home / "landing" / PLACE.region))
    return [(d.feed, d.file_name, d.delivery_id, d.status_code, d.row_count, d.months) for d in lines]


def rows_in(lines: list[tuple[Any, ...]]) -> int:
    return sum(line[4] or 0 for line in lines)


def new_home(root: Path, delivered: Path) -> Path:
    init_home(Home(root))
    shutil.copytree(delivered, root / "landing" / PLACE.region)
    return root


def starts(line: Line, empty: str, delivered: Path, late: tuple[Path, ...], stack: ExitStack) -> list[Start]:
    """A new home to which everything comes at once, and one that has published the month without the late files."""
    new = Start(new_home(line.folder / "new", delivered), empty, late)
    at = stack.enter_context(line.begun(Start(new.home, empty, ())))
    code, log = line.run(at, None, lambda: None)
    assert code == 0, log.with_suffix(".said").read_text()
    return [new, Start(at.home, at.url, late)]
