"""A publication replaces a region and month as a whole, or not at all; what breaks a contract never gets in."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from multiprocessing.context import BaseContext
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.contracts.tables import warehouse_schema
from kinerja_pipeline.warehouse import publish as publishing
from kinerja_pipeline.warehouse.database import open_warehouse, reading
from kinerja_pipeline.warehouse.publish import PublishRefused
from kinerja_pipeline.warehouse.status import content_hashes

FrameOf = Callable[..., pl.DataFrame]
Publish = Callable[..., list[publishing.Published]]
RowsOf = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def engine(migrated: sa.Engine) -> sa.Engine:
    """A migrated warehouse: what the first publication makes of an empty database is tested with the migrations."""
    return migrated


def test_a_publication_replaces_its_month_and_leaves_the_others(
    frame_of: FrameOf, publish_to: Publish, rows_of: RowsOf
) -> None:
    publish_to("2026-02", kpi=frame_of("kpi", {"indicator_id": "a", "period": "2026-02"}))
    publish_to("2026-03", kpi=frame_of("kpi", {"indicator_id": "a"}, {"indicator_id": "b"}))
    publish_to("2026-03", kpi=frame_of("kpi", {"indicator_id": "b", "actual": 81.0}))
    assert rows_of("kpi", "period", "indicator_id", "actual") == [("2026-02", "a", 80.0), ("2026-03", "b", 81.0)]


def test_the_longer_periods_are_replaced_with_the_month(
    frame_of: FrameOf, publish_to: Publish, rows_of: RowsOf
) -> None:
    quarter = {"indicator_id": "a", "period_kind": "quarter", "period": "2026-Q1"}
    publish_to("2026-02", kpi=frame_of("kpi", {**quarter, "actual": 70.0}))
    publish_to("2026-03", kpi=frame_of("kpi", {**quarter, "actual": 75.0}))
    publish_to("2026-04", kpi=frame_of("kpi", {**quarter, "period": "2026-Q2", "actual": 90.0}))
    assert rows_of("kpi", "period", "actual") == [("2026-Q1", 75.0), ("2026-Q2", 90.0)]


def test_another_region_keeps_its_rows(frame_of: FrameOf, publish_to: Publish, rows_of: RowsOf) -> None:
    publish_to(kpi=frame_of("kpi", {"indicator_id": "a"}))
    publish_to(region="salor", kpi=frame_of("kpi", {"indicator_id": "a", "region": "salor"}))
    publish_to(kpi=frame_of("kpi"))
    assert rows_of("kpi", "region") == [("salor",)]


def test_a_table_that_is_not_handed_in_stays(frame_of: FrameOf, publish_to: Publish, rows_of: RowsOf) -> None:
    publish_to(kpi=frame_of("kpi", {"indicator_id": "a"}))
    publish_to(task_outcome=frame_of("task_outcome", {"task_id": "t1"}))
    assert rows_of("kpi", "indicator_id") == [("a",)]


def test_the_dictionary_keeps_what_earlier_policies_declared(
    frame_of: FrameOf, publish_to: Publish, rows_of: RowsOf
) -> None:
    line = {
        "indicator_id": "a",
        "label_id": "Tepat waktu",
        "label_en": "On time",
        "aspect_code": "time",
        "statistic": "ratio",
        "unit": "percent",
        "direction": "higher",
        "formula": "x / y",
    }
    publish_to(indicator=frame_of("indicator", {**line, "policy_version": "2026.1"}))
    publish_to(indicator=frame_of("indicator", {**line, "policy_version": "2026.2"}))
    publish_to(indicator=frame_of("indicator", {**line, "policy_version": "2026.2", "formula": "x / z"}))
    assert rows_of("indicator", "policy_version", "formula") == [("2026.1", "x / y"), ("2026.2", "x / z")]


def test_publishing_the_same_again_writes_only_ledger_lines(
    engine: sa.Engine, frame_of: FrameOf, publish_to: Publish, rows_of: RowsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"indicator_id": "a", "actual": 80.00004}, {"indicator_id": "b"}]
    first = publish_to(kpi=frame_of("kpi", *rows))
    hashes = content_hashes(engine)
    monkeypatch.setattr(publishing, "_delete", pytest.fail)
    monkeypatch.setattr(publishing, "insert_rows", pytest.fail)
    # In another order, and different below the last published decimal.
    second = publish_to(kpi=frame_of("kpi", rows[1], {**rows[0], "actual": 80.0}))
    assert [line.is_changed for line in first] == [True]
    assert [line.is_changed for line in second] == [False]
    assert content_hashes(engine).equals(hashes)
    ledger = rows_of("publication", "publication_id", "table_name", "period", "row_count", "previous_hash")
    assert ledger == [
        ("manokwari-00000001", "kpi", "2026-03", 2, None),
        ("manokwari-00000002", "kpi", "2026-03", 2, first[0].content_hash),
    ]


def test_the_ledger_tells_the_time_in_utc_wherever_the_machine_stands(
    frame_of: FrameOf, publish_to: Publish, rows_of: RowsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Jayapura")
    time.tzset()
    try:
        publish_to(kpi=frame_of("kpi"))
    finally:
        monkeypatch.undo()
        time.tzset()
    [(published_at,)] = rows_of("publication", "published_at")
    # PostgreSQL's driver hands out an instant, SQLite its text.
    assert str(published_at)[:19] == "2026-04-06 02:30:00"


def test_a_month_that_became_empty_is_emptied(frame_of: FrameOf, publish_to: Publish, rows_of: RowsOf) -> None:
    year = {"indicator_id": "a", "period_kind": "year", "period": "2026"}
    publish_to(kpi=frame_of("kpi", {"indicator_id": "a"}, year))
    lines = publish_to(kpi=frame_of("kpi"))
    assert [(line.period, line.row_count, line.is_changed) for line in lines] == [
        ("2026-03", 0, True),
        ("2026", 0, True),
    ]
    assert rows_of("kpi", "period") == []


def test_an_empty_text_and_a_null_are_two_contents(frame_of: FrameOf, publish_to: Publish, rows_of: RowsOf) -> None:
    publish_to(task_outcome=frame_of("task_outcome", {"task_id": "t1", "service_code": None}))
    publish_to(task_outcome=frame_of("task_outcome", {"task_id": "t1", "service_code": ""}))
    assert rows_of("task_outcome", "service_code") == [("",)]


def test_awkward_values_come_back_as_they_went_in(
    engine: sa.Engine, frame_of: FrameOf, publish_to: Publish, rows_of: RowsOf
) -> None:
    row = {
        "task_id": "a,\"b\"\\N\n'c'\t",
        "service_code": "\\N",
        "unit_id": "",
        "is_on_time": False,
        "cost_planned": 1e15,
        "due_at": dt.datetime(2026, 3, 9, 14, 59, 59, 999999, tzinfo=dt.UTC),
    }
    publish_to(task_outcome=frame_of("task_outcome", row))
    columns = ("task_id", "service_code", "unit_id", "nip", "is_on_time", "cost_planned")
    assert rows_of("task_outcome", *columns) == [(row["task_id"], "\\N", "", None, False, 1e15)]
    [(due_at,)] = rows_of("task_outcome", "due_at")
    if engine.dialect.name == "sqlite":
        assert due_at == "2026-03-09 14:59:59.999999"
    else:
        assert due_at == row["due_at"]


def test_a_task_that_moved_to_another_month_leaves_the_old_one(
    engine: sa.Engine, frame_of: FrameOf, publish_to: Publish, rows_of: RowsOf
) -> None:
    february = frame_of("task_outcome", *({"task_id": t, "period": "2026-02"} for t in ("t1", "t2")))
    another = frame_of("task_outcome", {"task_id": "t1", "period": "2026-02", "region": "salor"})
    publish_to("2026-02", task_outcome=february)
    publish_to("2026-02", "salor", task_outcome=another)
    publish_to("2026-03", task_outcome=frame_of("task_outcome", {"task_id": "t1"}))
    kept = ("salor", "t1", "2026-02")
    here = [("manokwari", "t1", "2026-03"), ("manokwari", "t2", "2026-02")]
    assert rows_of("task_outcome", "region", "task_id", "period") == [*here, kept]
    unknown = content_hashes(engine).filter(region="manokwari", period="2026-02")["content_hash"].to_list()
    assert unknown == [""]
    assert ("manokwari-00000002", "2026-02", 1) in rows_of("publication", "publication_id", "period", "row_count")
    # The move is taken back: February's old content must be written again although it was published before.
    publish_to("2026-03", task_outcome=frame_of("task_outcome"))
    publish_to("2026-02", task_outcome=february)
    back = [("manokwari", "t1", "2026-02"), ("manokwari", "t2", "2026-02")]
    assert rows_of("task_outcome", "region", "task_id", "period") == [*back, kept]


def test_a_failing_table_leaves_all_tables_as_they_were(
    engine: sa.Engine, frame_of: FrameOf, publish_to: Publish, rows_of: RowsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_to(kpi=frame_of("kpi", {"indicator_id": "old"}), task_outcome=frame_of("task_outcome", {"task_id": "old"}))
    hashes = content_hashes(engine)
    insert = publishing.insert_rows

    def fail_on_the_second(connection: sa.Connection, table: sa.Table, *rows: Any) -> None:
        if table.name == "task_outcome":
            raise RuntimeError("the disk is full")
        insert(connection, table, *rows)

    monkeypatch.setattr(publishing, "insert_rows", fail_on_the_second)
    with pytest.raises(RuntimeError, match="the disk is full"):
        publish_to(
            kpi=frame_of("kpi", {"indicator_id": "new"}), task_outcome=frame_of("task_outcome", {"task_id": "new"})
        )
    assert rows_of("kpi", "indicator_id") == [("old",)]
    assert rows_of("task_outcome", "task_id") == [("old",)]
    assert content_hashes(engine).equals(hashes)


def _name(engine: sa.Engine, table: str) -> str:
    schema = warehouse_schema(engine.dialect.name)
    return f"{schema}.{table}" if schema else table


def test_a_reader_during_a_publication_sees_all_of_the_old(
    engine: sa.Engine, frame_of: FrameOf, publish_to: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = {"kpi": "indicator_id", "task_outcome": "task_id"}

    def frames(value: str) -> dict[str, pl.DataFrame]:
        return {table: frame_of(table, {column: value}) for table, column in tables.items()}

    def seen(connection: sa.Connection, table: str) -> str:
        query = f"SELECT {tables[table]} FROM {_name(engine, table)}"
        return str(connection.exec_driver_sql(query).scalar_one())

    publish_to(**frames("old"))
    half_done, may_commit = threading.Event(), threading.Event()
    insert = publishing.insert_rows

    def pause_before_the_second(connection: sa.Connection, table: sa.Table, *rows: Any) -> None:
        if table.name == "task_outcome":
            half_done.set()
            assert may_commit.wait(30)
        insert(connection, table, *rows)

    monkeypatch.setattr(publishing, "insert_rows", pause_before_the_second)
    publisher = threading.Thread(target=lambda: publish_to(**frames("new")))
    publisher.start()
    assert half_done.wait(30)
    with reading(engine) as early:
        before = seen(early, "kpi")
        may_commit.set()
        publisher.join(30)
        assert not publisher.is_alive(), "the publisher waits for a reader"
        # One table was read before the commit, the other after it: still one state.
        after = seen(early, "task_outcome")
    with reading(engine) as late:
        fresh = [seen(late, table) for table in tables]
    assert (before, after, fresh) == ("old", "old", ["new", "new"])


def publish_half(url: str, frames: dict[str, pl.DataFrame], is_half_done: Event) -> None:
    """A publication in a process of its own, which stops within its transaction."""
    insert = publishing.insert_rows

    def stop_half_way(connection: sa.Connection, table: sa.Table, *rows: Any) -> None:
        if table.name == "task_outcome":
            is_half_done.set()
            time.sleep(60)
        insert(connection, table, *rows)

    setattr(publishing, "insert_rows", stop_half_way)  # noqa: B010 (the process ends with the publication)
    now = dt.datetime(2026, 4, 6, tzinfo=dt.UTC)
    versions = publishing.Versions("1.0", "2026.1")
    engine, contracts = open_warehouse(url), load_contracts()
    publishing.publish(engine, contracts, "manokwari", "2026-03", frames, versions=versions, now=now, run_id="killed")


def test_a_killed_publisher_leaves_the_old_and_stands_in_nobodys_way(
    loaded: BaseContext, engine: sa.Engine, frame_of: FrameOf, publish_to: Publish, rows_of: RowsOf
) -> None:
    old = {
        "kpi": frame_of("kpi", {"indicator_id": "old"}),
        "task_outcome": frame_of("task_outcome", {"task_id": "old"}),
    }
    new = {
        "kpi": frame_of("kpi", {"indicator_id": "new"}),
        "task_outcome": frame_of("task_outcome", {"task_id": "new"}),
    }
    publish_to(**old)
    is_half_done = loaded.Event()
    publisher = loaded.Process(target=publish_half, args=(engine.url.render_as_string(False), new, is_half_done))
    publisher.start()
    assert is_half_done.wait(60)
    publisher.kill()
    publisher.join()
    assert rows_of("kpi", "indicator_id") == [("old",)]
    assert rows_of("task_outcome", "task_id") == [("old",)]
    publish_to(**new)
    assert rows_of("kpi", "indicator_id") == [("new",)]


def test_two_publishers_of_one_region_take_turns(
    engine: sa.Engine, frame_of: FrameOf, publish_to: Publish, rows_of: RowsOf
) -> None:
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            publish_to(kpi=frame_of("kpi", {"indicator_id": f"i{number}"}))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert len(rows_of("kpi", "indicator_id")) == 1
    # Each knew the content of the one before it: the chain of hashes is unbroken.
    ledger = rows_of("publication", "publication_id", "previous_hash", "content_hash")
    assert [line[1] for line in ledger] == [None, *(line[2] for line in ledger[:-1])]


def test_the_log_of_sqlite_is_empty_after_a_publication(tmp_path: Path, frame_of: FrameOf) -> None:
    from kinerja_pipeline.warehouse.database import open_warehouse

    engine = open_warehouse(f"sqlite:///{tmp_path / 'w.db'}")
    publishing.publish(
        engine,
        load_contracts(),
        "manokwari",
        "2026-03",
        {"kpi": frame_of("kpi", {"indicator_id": "a"})},
        versions=publishing.Versions("1.0", "2026.1"),
        now=dt.datetime(2026, 4, 6, tzinfo=dt.UTC),
        run_id="r",
    )
    assert (tmp_path / "w.db-wal").stat().st_size == 0
    engine.dispose()


def test_one_broken_table_stops_the_whole_month_and_the_old_publication_stays(
    frame_of: FrameOf, publish_to: Publish, rows_of: RowsOf
) -> None:
    good = {"task_outcome": frame_of("task_outcome", {"task_id": "t-1", "duration_hours": 2.0})}
    publish_to(kpi=frame_of("kpi", {"indicator_id": "a", "actual": 80.0}), **good)
    before = rows_of("kpi", "indicator_id", "actual"), rows_of("task_outcome", "task_id"), rows_of("publication", "*")

    changed = frame_of("kpi", {"indicator_id": "a", "actual": 90.0}, {"indicator_id": "b", "weight": 1.2})
    person = {"task_id": "t-1", "nip": "19900101"}
    with pytest.raises(PublishRefused) as refused:
        publish_to(kpi=changed, task_outcome=frame_of("task_outcome", person, person))
    first, *problems = str(refused.value).splitlines()
    assert first == "Nothing was published for manokwari 2026-03; the warehouse is as it was."
    assert problems == [
        "- kpi: 1 of 2 rows break weight__range ('1.2'); weight must be at least 0 and at most 1",
        "- task_outcome: 2 of 2 rows break nip__pattern; nip must match ^[0-9]{18}$",
        "- task_outcome: 2 of 2 rows share their key (region, task_id); a key names one row",
    ]
    assert "19900101" not in str(refused.value)
    after = rows_of("kpi", "indicator_id", "actual"), rows_of("task_outcome", "task_id"), rows_of("publication", "*")
    assert after == before


def test_a_table_that_was_written_before_another_is_found_broken_is_taken_back(
    frame_of: FrameOf, publish_to: Publish, rows_of: RowsOf
) -> None:
    publish_to(kpi=frame_of("kpi", {"indicator_id": "old"}))
    with pytest.raises(PublishRefused, match="task_outcome: 1 of 1 rows break nip__pattern"):
        publish_to(
            kpi=frame_of("kpi", {"indicator_id": "new"}), task_outcome=frame_of("task_outcome", {"nip": "19900101"})
        )
    assert rows_of("kpi", "indicator_id") == [("old",)]
    assert rows_of("publication", "table_name") == [("kpi",)]


def test_an_unknown_table_and_the_ledger_itself_are_refused(frame_of: FrameOf, publish_to: Publish) -> None:
    with pytest.raises(PublishRefused) as refused:
        publish_to(kpis=frame_of("kpi"), publication=frame_of("publication"))
    assert str(refused.value).splitlines() == [
        "Nothing was published for manokwari 2026-03; the warehouse is as it was.",
        "- kpis: not a table one can publish; pages are in data_contracts/outgoing",
        "- publication: not a table one can publish; pages are in data_contracts/outgoing",
    ]
