"""Runs that are killed: readers see all of a publication or nothing, and running again ends where no kill would."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.context import BaseContext
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
from home_warehouse import address, copied, is_on_postgresql, query
from line_world import TODAY, Finished, hashes, home_with, run, succeeded, torn_publications

from kinerja_pipeline.cli import main
from kinerja_pipeline.facts import assets
from kinerja_pipeline.home import Home

REGION = "nanggalo"
PATIENCE_SECONDS = 600


def moments(home: Home) -> Iterator[tuple[str, Path, int]]:
    """Where a run is killed, in the order in which a run comes by: a file that it writes, and how large."""
    lake = home.lake
    yield "some files have landed", home.landing / REGION / "deliveries.jsonl", 2_000
    first = lake / "kpi" / "follow_up" / REGION / "2026-02.parquet"
    yield "the warehouse is first written", first if is_on_postgresql() else home.root / "warehouse.db-wal", 1
    yield "the second month is being computed", lake / "facts" / "task_outcome" / REGION / "2026-03.parquet", 1
    yield "the second month is being published", lake / "kpi" / "follow_up" / REGION / "2026-03.parquet", 1


def a_run(home: Home) -> None:
    """`kinerja run --all`, for a process of its own."""
    os.environ["KINERJA_HOME"] = str(home.root)
    os.environ["KINERJA_WAREHOUSE_URL"] = address(home)
    sys.stdout = sys.stderr = (home.root / "told.txt").open("w", encoding="utf-8")
    main(["run", "--all", "--today", TODAY])


def kill_a_run(context: BaseContext, home: Home, path: Path, size: int, later: float) -> None:
    """Starts a run and kills it `later` seconds after it wrote the file."""
    began, end = time.time_ns(), time.monotonic() + PATIENCE_SECONDS
    process = context.Process(target=a_run, args=(home,))
    process.start()
    while not (path.exists() and path.stat().st_size >= size and path.stat().st_mtime_ns > began):
        assert process.is_alive(), f"the run ended before its moment: {(home.root / 'told.txt').read_text()}"
        assert time.monotonic() < end, "the moment did not come"
        time.sleep(0.002)
    time.sleep(later)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL, f"it was over before: {(home.root / 'told.txt').read_text()}"


@pytest.mark.scenario
def test_killed_runs_leave_whole_publications_and_a_later_run_ends_as_if_undisturbed(
    loaded: BaseContext, finished: Callable[[str], Finished], world: Path, tmp_path: Path
) -> None:
    home = home_with(tmp_path / "home", world, REGION)
    later = random.Random(2026)
    for place, path, size in moments(home):
        kill_a_run(loaded, home, path, size, later.uniform(0, 0.15))
        assert torn_publications(home, REGION) == [], place
    # What a killed write leaves beside a file is nobody's data.
    for name in (".2026-02.parquet.part", ".2026-02.8k2h.tmp", ".2026-09.parquet.part"):
        (home.lake / "facts" / "attendance_day" / REGION / name).write_bytes(b"PAR1 cut")
    (home.landing / REGION / "task_record" / ".tugas_2026-03.csv.part").write_bytes(b"nomor,nip\n1")

    succeeded(run(home, "--all"))
    assert hashes(home, REGION) == hashes(finished(REGION).home, REGION)
    assert torn_publications(home, REGION) == []
    assert query(home, "SELECT max(period) FROM attendance_day") == [("2026-03",)]

    # A killed run that stays "started" would keep the daemon from the region for ever.
    with DagsterInstance.from_config(str(home.dagster)) as instance:
        started = instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTED, DagsterRunStatus.STARTING]))
        failed = instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.FAILURE]))
    assert started == []
    assert len(failed) == 4


def test_ctrl_c_stops_the_command_and_not_only_its_month(
    finished: Callable[[str], Finished], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copied(finished("salor").home, tmp_path / "home")
    before = hashes(home, "salor")
    monkeypatch.setattr(assets, "attendance_days", lambda *_: signal.raise_signal(signal.SIGINT))
    result = run(home, "--all", "--again")
    assert result.exit_code == 1
    assert result.output.endswith("Stopped. What was published so far stays, whole; run again for the rest.\n")
    assert "Traceback" not in result.output
    assert hashes(home, "salor") == before
    assert query(home, "SELECT count(DISTINCT publication_id) FROM publication") == [(2,)]
