"""Publications one after the other, some of them killed, while a reader asks all the time: it never sees a mixture.

`make reliability` does 50 publications and 20 kills on each database and prints the counts. What every test run tries
once, at the worst moment, stands in tests/warehouse/test_publish.py.
"""

from __future__ import annotations

import datetime as dt
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import BaseContext, ForkServerProcess
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event
from statistics import median
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from told import Told

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.contracts.tables import warehouse_schema
from kinerja_pipeline.warehouse import publish as publishing
from kinerja_pipeline.warehouse.database import open_warehouse, reading
from kinerja_pipeline.warehouse.outgoing import outgoing_schema
from kinerja_pipeline.warehouse.publish import Versions, publish

MONTH, REGION, ROWS = "2026-03", "salor", 1500
PATIENCE_SECONDS = 120


def frames(number: int, month: str = MONTH) -> dict[str, pl.DataFrame]:
    """The month as the publication of this number has it: every row of both tables says the number."""
    opened = dt.datetime(2026, int(month[-2:]), 2, 0, 30, tzinfo=dt.UTC)
    rows = {
        "kpi": {
            "subject_kind": "unit",
            "subject_id": "dinkes",
            "indicator_id": [f"i{n}" for n in range(ROWS)],
            "period_kind": "month",
            "aspect_code": "time",
            "actual": float(number),
            "status_code": "computed",
            "evidence_count": 5,
            "policy_version": "1",
        },
        "task_outcome": {
            "task_id": [f"t{month}-{n}" for n in range(ROWS)],
            "task_type": "routine",
            "opened_at": opened,
            "status_code": "open",
            "cost_planned": float(number),
        },
    }
    outgoing = load_contracts().outgoing
    return {
        name: pl.DataFrame({"region": REGION, "period": month, **values})
        .with_columns(pl.lit(None).alias(c) for c in outgoing[name].names if c not in {"region", "period", *values})
        .select(outgoing[name].names)
        .cast(dict(outgoing_schema(outgoing[name])))
        for name, values in rows.items()
    }


def publish_number(url: str, number: int, writes: Event, begins: Event) -> None:
    """One publication, for a process of its own; tells when everything is ready, and when it writes its first rows."""
    engine, contracts, made = open_warehouse(url), load_contracts(), frames(number)
    now = dt.datetime(2026, 4, 6, tzinfo=dt.UTC)
    write = publishing.insert_rows

    def tell_and_write(*arguments: Any) -> None:
        write(*arguments)
        writes.set()

    setattr(publishing, "insert_rows", tell_and_write)  # noqa: B010 (the process ends with the publication)
    begins.set()
    publish(engine, contracts, REGION, MONTH, made, versions=Versions("1", "1"), now=now, run_id="r")
    engine.dispose()


def read_all_the_time(url: str, end: Event, told: SimpleQueue[tuple[int, list[str]]], ready: Event) -> None:
    """Asks both tables within one snapshot until the end; tells how often, and every answer that is no publication."""
    engine = open_warehouse(url)
    schema = warehouse_schema(engine.dialect.name)
    prefix = f"{schema}." if schema else ""
    queries = [
        sa.text(f"SELECT count(*), min({column}), max({column}) FROM {prefix}{table}")
        for table, column in (("kpi", "actual"), ("task_outcome", "cost_planned"))
    ]
    count, mixtures = 0, []
    while not end.is_set():
        with reading(engine) as connection:
            kpi, task = (tuple(connection.execute(query).one()) for query in queries)
        if kpi != task or kpi[0] != ROWS or kpi[1] != kpi[2]:
            mixtures.append(f"kpi {kpi}, task_outcome {task}")
        count += 1
        ready.set()
    engine.dispose()
    told.put((count, mixtures))


@dataclass(frozen=True, slots=True)
class Seen:
    published: int
    killed: int
    kept_old: int
    while_writing: int
    reads: int
    mixtures: list[str]


def published_number(url: str) -> int:
    engine = open_warehouse(url)
    schema = warehouse_schema(engine.dialect.name)
    with reading(engine) as connection:
        found = connection.execute(sa.text(f"SELECT max(actual) FROM {f'{schema}.' if schema else ''}kpi")).scalar_one()
    engine.dispose()
    return int(found)


def trial(context: BaseContext, url: str, publications: int, kills: int) -> Seen:
    """Publishes that often and kills that many further publications at random moments, the reader reading on."""

    def begun(work: Callable[..., None], *arguments: object, ready: Event) -> ForkServerProcess:
        process = context.Process(target=work, args=(*arguments, ready))
        process.start()
        assert ready.wait(PATIENCE_SECONDS)
        return process

    def publication(number: int) -> tuple[ForkServerProcess, Event]:
        writes = context.Event()
        return begun(publish_number, url, number, writes, ready=context.Event()), writes

    def seconds_of(number: int) -> tuple[float, float]:
        process, writes = publication(number)
        started = time.perf_counter()
        assert writes.wait(PATIENCE_SECONDS)
        written = time.perf_counter()
        process.join(PATIENCE_SECONDS)
        assert process.exitcode == 0
        assert published_number(url) == number
        return time.perf_counter() - started, time.perf_counter() - written

    seconds_of(0)
    end, told = context.Event(), context.SimpleQueue()
    reader = begun(read_all_the_time, url, end, told, ready=context.Event())
    takes = [seconds_of(1)]
    chance, number, kept, writing = random.Random(2026), 1, 0, 0
    todo = ["publish"] * (publications - 1) + ["kill"] * kills
    chance.shuffle(todo)
    for what in todo:
        number += 1
        if what == "publish":
            takes.append(seconds_of(number))
            continue
        before = published_number(url)
        process, writes = publication(number)
        whole, last = (median(times) for times in zip(*takes, strict=True))
        # Most of a publication is checking and comparing; every other kill is meant for the time in which it writes.
        if number % 2:
            time.sleep(chance.uniform(0, whole))
        else:
            assert writes.wait(PATIENCE_SECONDS)
            time.sleep(chance.uniform(0, last))
        process.kill()
        process.join()
        now = published_number(url)
        assert now in (before, number)
        if process.exitcode == -signal.SIGKILL:
            kept += now == before
            writing += writes.is_set() and now == before
        else:
            # It was over before its moment, so nothing was tried.
            todo.append("kill")
    end.set()
    reads, mixtures = told.get()
    reader.join(PATIENCE_SECONDS)
    return Seen(publications, kills, kept, writing, reads, mixtures)


@pytest.mark.long
def test_fifty_publications_and_twenty_kills_show_no_reader_a_mixture(
    loaded: BaseContext, migrated: sa.Engine, told: Told
) -> None:
    seen = trial(loaded, migrated.url.render_as_string(hide_password=False), publications=50, kills=20)
    print(
        f"\n{migrated.dialect.name}: {seen.published} publications, {seen.killed} kills ({seen.kept_old} left the old "
        f"publication, {seen.while_writing} of them with rows written, "
        f"{seen.killed - seen.kept_old} came after the commit), {seen.reads:,} reads, {len(seen.mixtures)} inconsistent"
    )
    told.row(
        f"kill -9 of a publication while others read, {migrated.dialect.name}",
        seen.killed,
        reads=seen.reads,
        mixed=len(seen.mixtures),
    )
    assert seen.mixtures == []
    assert seen.while_writing > 0


# ---- restating beside publishing -------------------------------------------------------------------------------------

CLOSED, TIMES = "2026-02", 12


def publish_in_turn(url: str, month: str, numbers: range) -> None:
    """One publication of the month after the other, for a process of its own."""
    engine, contracts, now = open_warehouse(url), load_contracts(), dt.datetime(2026, 4, 20, tzinfo=dt.UTC)
    for number in numbers:
        made = {"kpi": frames(number, month)["kpi"]}
        if month == CLOSED:
            status = {
                "period_kind": "month",
                "period": month,
                "status_code": "closed",
                "as_of_date": dt.date(2026, 2, 28),
            }
            page = contracts.outgoing["period_status"]
            rows = pl.DataFrame({"region": [REGION], "month_count": 1, **status})
            empty = [pl.lit(None).alias(name) for name in page.names if name not in rows.columns]
            made["period_status"] = rows.with_columns(empty).select(page.names).cast(dict(outgoing_schema(page)))
        publish(engine, contracts, REGION, month, made, versions=Versions("1", "1"), now=now, run_id="r")
    engine.dispose()


@pytest.mark.long
def test_a_closed_month_restated_beside_another_that_is_published_is_recorded_once_for_every_value(
    loaded: BaseContext, migrated: sa.Engine, told: Told
) -> None:
    url = migrated.url.render_as_string(hide_password=False)
    for month in (CLOSED, MONTH):
        publish_in_turn(url, month, range(1))
    beside = [
        loaded.Process(target=publish_in_turn, args=(url, month, range(1, 1 + TIMES))) for month in (CLOSED, MONTH)
    ]
    for process in beside:
        process.start()
    schema = "" if migrated.dialect.name == "sqlite" else "reporting."
    uniform = sa.text(f"SELECT period, count(*), min(actual), max(actual) FROM {schema}kpi GROUP BY period")
    recorded = sa.text(f"SELECT count(*), count(DISTINCT publication_id) FROM {schema}restatement")
    reads, mixtures = 0, []
    while any(process.is_alive() for process in beside):
        with reading(migrated) as connection:
            rows, (values, _) = connection.execute(uniform).all(), connection.execute(recorded).one()
        last = {period: low for period, _, low, _ in rows}
        # What is recorded by then is what the number says that stands.
        is_whole = all((count, low) == (ROWS, high) for _, count, low, high in rows) and values == ROWS * last[CLOSED]
        mixtures += [] if is_whole else [f"{rows}, {values} recorded"]
        reads += 1
    with reading(migrated) as connection:
        whole = tuple(connection.execute(recorded).one())
        numbers = connection.scalar(sa.text(f"SELECT count(DISTINCT publication_id) FROM {schema}publication"))
    name = f"restating while publishing and reading, {migrated.dialect.name}"
    told.row(name, 2 * TIMES, lost=abs(TIMES * ROWS - whole[0]), reads=reads, mixed=len(mixtures))
    assert [process.exitcode for process in beside] == [0, 0]
    assert mixtures == []
    assert whole == (TIMES * ROWS, TIMES)
    assert numbers == 2 + 2 * TIMES, "each has a number of its own, or nobody knows which is the later"
