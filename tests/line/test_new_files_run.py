"""From a file that comes to the row in the warehouse, as the sensor asks for it: the daemon's part is played here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dagster import DagsterInstance, Definitions, RunRequest, SensorResult, build_sensor_context
from home_warehouse import address, copied, query
from line_world import TODAY, Finished

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.definitions import build_definitions
from kinerja_pipeline.home import Home
from kinerja_pipeline.orchestration.launch import QUIET
from kinerja_pipeline.policies.loader import load_policies

FinishedOf = Callable[[str], Finished]


def drop(home: Home) -> str:
    """A file of one more task of February."""
    folder = home.landing / "salor" / "task_record"
    header, row = (folder / "tugas_2026-02.csv").read_bytes().splitlines()[:2]
    file = folder / "tugas_2026-02_susulan.csv"
    file.write_bytes(b"\n".join([header, b"SLR-SUSULAN" + row[row.index(b";") :], b""]))
    os.utime(file, (time.time() - 60,) * 2)
    return "SLR-SUSULAN"


def run(definitions: Definitions, instance: DagsterInstance, request: RunRequest) -> bool:
    job = definitions.resolve_job_def(str(request.job_name))
    config = {**QUIET, "resources": {"clock": {"config": {"today": TODAY}}}}
    return job.execute_in_process(
        instance=instance,
        partition_key=request.partition_key,
        asset_selection=request.asset_selection,
        tags=dict(request.tags),
        run_config=config,
    ).success


@pytest.mark.scenario
def test_a_file_that_comes_is_in_the_warehouse_two_looks_later(
    finished: FinishedOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copied(finished("salor").home, tmp_path / "home")
    monkeypatch.setenv("KINERJA_HOME", str(home.root))
    monkeypatch.setenv("KINERJA_WAREHOUSE_URL", address(home))
    definitions, cursor = build_definitions(load_contracts(), load_policies()), None
    number = drop(home)
    asked: list[list[str]] = []
    with DagsterInstance.ephemeral() as instance:
        for _ in range(3):
            context = build_sensor_context(instance, cursor=cursor, definitions=definitions)
            result = definitions.resolve_sensor_def("new_files")(context)
            assert isinstance(result, SensorResult)
            cursor, requests = result.cursor, list(result.run_requests or [])
            asked.append([f"{r.job_name} {r.partition_key}" for r in requests])
            assert all(run(definitions, instance, request) for request in requests)
    assert asked == [["land salor"], ["region_month 2026-02|salor", "region_month 2026-03|salor"], []]
    assert query(home, f"SELECT period FROM task_outcome WHERE task_id = '{number}'") == [("2026-02",)]
    restated = query(home, "SELECT DISTINCT table_name, period, cause_code FROM restatement WHERE table_name = 'kpi'")
    assert ("kpi", "2026-02", "delivery") in restated, "both months are closed"
    (delivered,) = query(home, "SELECT delivery_id FROM delivery WHERE file_name LIKE '%susulan%'")
    assert {cause for (cause,) in query(home, "SELECT cause_id FROM restatement")} == {delivered[0]}
