"""Runs that are killed at a chosen moment, each forked from a process that has loaded everything and begun nothing.

Here: what happens in those processes, and how they are started and watched. Not here: which moments, and what must hold
afterwards (test_kills).
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

from kinerja_pipeline.home import Home

ROOMS = {
    "landing": "landing",
    "validated_dated": "split",
    "validated": "split",
    "measure": "kpi",
    "kpi": "kpi",
    "publication": "publish",
    "reports__validation": "report",
    "after_publication": "report",
}
"""Which part of the line a step belongs to; the others make facts."""
PARTS = ("landing", "split", "facts", "kpi", "publish", "report")
NOW = dt.datetime(2026, 4, 10, 3, 0, tzinfo=dt.UTC)
"""What the clock says to every run, so that the reports of two runs are the same bytes."""
PATIENCE_SECONDS = 120
LOADED = (
    *(f"kinerja_pipeline.{name}" for name in ("cli.console", "orchestration.launch", "reports.monthly")),
    *(f"kinerja_pipeline.{name}" for name in ("warehouse.publish", "warehouse.status")),
    *("alembic.command", "alembic.runtime.migration", "holidays.countries.indonesia", "mako.template", "pygments"),
    *("psycopg", "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite"),
)
"""What a run imports in the middle of it: once, for all of them, like what is looked up once per process."""
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

Way = Literal["core", "command", "doctor"]


@dataclass(frozen=True, slots=True)
class Moment:
    """When a run dies: at the n-th time that a part renames, flushes, removes, inserts or commits, before or after
    it has; or some time after the part began."""

    part: str
    call: int = 0
    is_after: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Machine:
    """What is otherwise than on a good day: how far its clock is off (then the run asks it what day it is), and after
    how long a step tries again what may have passed."""

    clock: dt.timedelta | None = None
    pause_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One run of the region: the core steps alone, or `kinerja run` with Dagster; or `kinerja doctor --fix`."""

    home: Path
    url: str
    way: Way
    log: Path
    moment: Moment | None = None
    machine: Machine = Machine()


@dataclass(frozen=True, slots=True)
class Place:
    """What is run, and as of which day."""

    region: str
    month: str
    today: dt.date


class Calls:
    """Counts what a run does that others see or that lasts, by part; ends the process at its moment."""

    def __init__(self, log: Path, moment: Moment | None) -> None:
        self.log, self.moment = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), moment
        self.part, self.counts = "start", Counter[str]()

    def begins(self, step: str) -> None:
        self.part = ROOMS.get(step, "facts")
        os.write(self.log, f"{self.part} {time.monotonic()}\n".encode())

    def count(self, owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            self.counts[self.part] += 1
            at = self.moment
            is_now = at is not None and (at.part, at.call) == (self.part, self.counts[self.part])
            if is_now and at is not None and not at.is_after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = original(*arguments, **options)
            if is_now:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(owner, name, counted)


def stand_by(jobs: Connection, place: Place, nowhere: Path) -> None:
    """Waits for jobs and forks a process for each; tells its number, and how it ended."""
    sys.path.append(str(BENCHMARKS))
    from core import steps

    from kinerja_pipeline.cli import main
    from kinerja_pipeline.contracts import validation
    from kinerja_pipeline.contracts.model import load_contracts

    for name in LOADED:
        import_module(name)
    # What lineage is told of indicators is computed, and a process that has computed with Polars cannot be forked.
    for room in ("kpi", "warehouse"):
        for name in ("column_lineage", "counted_lineage"):
            setattr(import_module(f"kinerja_pipeline.{room}.assets"), name, lambda *_: {})
    for contract in load_contracts().incoming.values():
        validation._plan(contract, validation.engines().EvidenceEngine, False)
    for contract in load_contracts().outgoing.values():
        validation._plan(contract, validation.engines().RecountEngine, True)
    work = steps(Home(nowhere), region=place.region, month=place.month, today=place.today, with_publication=True)
    while (job := jobs.recv()) is not None:
        number = os.fork()
        if number == 0:
            code = 1
            try:
                code = _run(job, place, work, main)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(code)
        jobs.send(number)
        # Its number stays its own until the next one: a kill that comes too late hits nobody else.
        os.waitid(os.P_PID, number, os.WEXITED | os.WNOWAIT)
        jobs.send("over")
        jobs.recv()
        jobs.send(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]))


def _run(job: Job, place: Place, work: list[tuple[str, Callable[[], object]]], main: Any) -> int:
    import sqlalchemy as sa

    from kinerja_pipeline.orchestration import faults, resources
    from kinerja_pipeline.orchestration.resources import Clock, locked
    from kinerja_pipeline.warehouse import publish

    os.environ |= {"KINERJA_HOME": str(job.home), "KINERJA_WAREHOUSE_URL": job.url}
    sys.stdout = sys.stderr = job.log.with_suffix(".said").open("a", encoding="utf-8")
    off = job.machine.clock

    class Moved(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
            return dt.datetime.now(tz) + (off or dt.timedelta())

    if off is None:
        Clock.now = lambda _: NOW  # type: ignore[method-assign]
    else:
        resources.dt = SimpleNamespace(datetime=Moved, date=dt.date, UTC=dt.UTC)  # type: ignore[assignment]
    if job.machine.pause_seconds is not None:
        pause = {"max_retries": 2, "delay": job.machine.pause_seconds, "backoff": None, "jitter": None}
        faults.BACKOFF = faults.BACKOFF._replace(**pause)
    calls = Calls(job.log, job.moment)
    for owner, name in (
        *((os, name) for name in ("replace", "fsync", "unlink")),
        *((publish, name) for name in ("insert_rows", "_delete")),
        (tempfile, "mkstemp"),
        (sa.engine.default.DefaultDialect, "do_commit"),
    ):
        calls.count(owner, name)
    code = 0
    if job.way == "core":
        with locked(Home(job.home), place.region):
            for name, step in work:
                calls.begins(name)
                step()
    else:
        ended = faults._ended

        @contextmanager
        def told(context: Any) -> Iterator[None]:
            calls.begins(context.op_execution_context.op_def.name)
            with ended(context):
                yield

        faults._ended = told
        run = ["run", "--region", place.region, *(() if off else ("--today", place.today.isoformat()))]
        try:
            main(run if job.way == "command" else ["doctor", "--fix"])
        except SystemExit as end:
            code = int(end.code or 0)
    job.log.with_suffix(".counts").write_text(json.dumps(calls.counts))
    return code


class Victims:
    """The process that stands by, from the side of the tests."""

    def __init__(self, context: BaseContext, place: Place, nowhere: Path) -> None:
        self._jobs, theirs = context.Pipe()
        self._process = context.Process(target=stand_by, args=(theirs, place, nowhere))
        self._process.start()
        self._number = 0

    def start(self, job: Job) -> None:
        self._jobs.send(job)
        assert self._jobs.poll(PATIENCE_SECONDS)
        self._number = self._jobs.recv()

    @property
    def is_over(self) -> bool:
        return self._jobs.poll()

    def kill(self) -> None:
        """Also when it is over already: until `end` nobody else has its number."""
        os.kill(self._number, signal.SIGKILL)

    def end(self) -> int:
        """How the run that was started has ended, once it has; minus the number of the signal that killed it."""
        assert self._jobs.poll(PATIENCE_SECONDS), "it hangs"
        assert self._jobs.recv() == "over"
        self._jobs.send("ended")
        return int(self._jobs.recv())

    def close(self) -> None:
        self._jobs.send(None)
        self._process.join(PATIENCE_SECONDS)


def parts_begun(log: Path) -> list[tuple[str, float]]:
    """The parts that a run has begun so far, in order, and when."""
    if not log.exists():
        return []
    lines = [line.split() for line in log.read_text().splitlines()]
    return [(line[0], float(line[1])) for line in lines if len(line) == 2]
