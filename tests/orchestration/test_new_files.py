"""The sensor: a file that comes is landed, then exactly the months that it touches are asked for, each once."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    Definitions,
    RunRequest,
    RunsFilter,
    SensorResult,
    build_sensor_context,
)
from dagster._core.events import EngineEventData
from dagster._core.storage.tags import GRPC_INFO_TAG, MAX_RETRIES_TAG, RETRY_NUMBER_TAG, WILL_RETRY_TAG
from dagster._core.test_utils import create_run_for_test
from dagster._daemon.auto_run_reexecution.auto_run_reexecution import consume_new_runs_for_automatic_reexecution

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.definitions import build_definitions
from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.landing.arrivals import look
from kinerja_pipeline.landing.deliveries import land_region
from kinerja_pipeline.orchestration.affected import Affected, Cause
from kinerja_pipeline.orchestration.approval import Approved, approve, permitted, read_approval
from kinerja_pipeline.orchestration.basis import Present, are_registers_current, note_registers
from kinerja_pipeline.orchestration.resources import COMMAND_TAG, locked
from kinerja_pipeline.policies.dated import Policies
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.policies.model import Periods

REGION = "manokwari"
POLICY = load_policies()[REGION]


# ---- looking ---------------------------------------------------------------------------------------------------------


def put(home: Home, name: str, text: str = "x", age: float = 60.0, now: float = 1000.0) -> Path:
    path = home.landing / REGION / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (now - age, now - age))
    return path


def test_a_file_counts_once_it_was_left_alone_for_some_seconds_or_between_two_looks(tmp_path: Path) -> None:
    home = Home(tmp_path)
    put(home, "task_record/old.csv")
    path = put(home, "task_record/new.csv", age=1.0)
    first = look(home, REGION, 1000.0, {})
    assert list(first.unsettled) == [f"landing/{REGION}/task_record/new.csv"]
    assert look(home, REGION, 1001.0, first.unsettled).unsettled == {}, "unchanged since the last look"
    assert look(home, REGION, 1003.0, {}).unsettled == {}, "old enough"
    path.write_text("longer")
    os.utime(path, (1000.5, 1000.5))
    grown = look(home, REGION, 1001.0, first.unsettled)
    assert list(grown.unsettled) == list(first.unsettled), "still being written"
    assert grown.folders != first.folders


@pytest.mark.parametrize("name", ["a.csv.part", "a.tmp", "~$a.xlsx", ".a.csv.swp", "a.csv.filepart"])
def test_names_that_programs_write_under_are_no_files_yet(name: str, tmp_path: Path) -> None:
    home = Home(tmp_path)
    put(home, "task_record/a.csv")
    before = look(home, REGION, 1000.0, {})
    put(home, f"task_record/{name}", age=0.0)
    assert look(home, REGION, 1000.0, {}) == before


def test_the_ledger_is_no_file_and_id_files_and_corrections_are(tmp_path: Path) -> None:
    home = Home(tmp_path)
    put(home, "task_record/a.csv")
    before = look(home, REGION, 1000.0, {})
    put(home, "deliveries.jsonl")
    assert look(home, REGION, 1000.0, {}) == before
    put(home, "lookup/units.csv")
    home.corrections.mkdir()
    (home.corrections / f"{REGION}.yaml").write_text("corrections: []\n")
    folders = look(home, REGION, 2e9, {}).folders
    assert set(folders) == {"task_record", "lookup", "corrections"}
    assert folders["task_record"] == before.folders["task_record"]


# ---- asking ----------------------------------------------------------------------------------------------------------


class Sensor:
    """The sensor of a home with one region, tick after tick, with its cursor."""

    def __init__(self, home: Home, instance: DagsterInstance, definitions: Definitions) -> None:
        self.home, self.instance, self.definitions, self.cursor = home, instance, definitions, None

    def tick(self) -> tuple[list[RunRequest], str]:
        context = build_sensor_context(self.instance, cursor=self.cursor, definitions=self.definitions)
        result = self.definitions.resolve_sensor_def("new_files")(context)
        assert isinstance(result, SensorResult)
        self.cursor = result.cursor
        return list(result.run_requests or []), result.skip_reason.skip_message if result.skip_reason else ""

    def land(self) -> None:
        """What the job `land` does with the files."""
        land_region(self.home, REGION, POLICY, load_contracts())
        note_registers(self.home, POLICY, load_contracts())


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    periods = POLICY.periods.model_copy(update={"most_months_unasked": 2})
    policies = Policies({REGION: POLICY.model_copy(update={"periods": periods})})
    return build_definitions(load_contracts(), policies)


@pytest.fixture
def sensor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, definitions: Definitions) -> Iterator[Sensor]:
    monkeypatch.setenv("KINERJA_HOME", str(tmp_path))
    monkeypatch.delenv("KINERJA_WAREHOUSE_URL", raising=False)
    home = Home(tmp_path)
    init_home(home)
    (home.landing / REGION).mkdir()
    with DagsterInstance.ephemeral() as instance:
        yield Sensor(home, instance, definitions)


def task(number: str, month: str) -> str:
    """One task opened in the month, as the region's mapping of tasks asks for it."""
    (mapping,) = POLICY.feeds["task_record"]
    told = {"task_id": number, "unit_id": "MKW-PTSP", "task_type": "routine", "opened_at": f"{month}-02 08:00:00"}
    names = [c for c in load_contracts().incoming["task_record"].names if c not in mapping.constants]
    lines = [[mapping.columns.get(name, name) for name in names], [told.get(name, "") for name in names]]
    return "".join(f"{mapping.delimiter.join(line)}\n" for line in lines)


def deliver(home: Home, name: str, month: str) -> None:
    put(home, f"task_record/{name}", task(name, month), age=60, now=1_775_000_000)


def keys(requests: list[RunRequest]) -> list[tuple[str | None, str | None]]:
    return [(request.job_name, str(request.partition_key)) for request in requests]


def test_a_file_is_landed_and_then_its_month_is_asked_for_once(sensor: Sensor) -> None:
    assert keys(sensor.tick()[0]) == [("land", REGION)], "the first look"
    sensor.land()
    assert sensor.tick() == ([], "Nothing has come.")
    deliver(sensor.home, "tugas_2026-02.csv", "2026-02")
    landing, _ = sensor.tick()
    assert keys(landing) == [("land", REGION)]
    assert {key.path[0] for key in landing[0].asset_selection or ()} == {"landing"}, "the registers are as they were"
    sensor.land()
    asked, _ = sensor.tick()
    assert keys(asked) == [("region_month", f"2026-02|{REGION}")]
    assert asked[0].asset_selection is None, "validated and facts are run too"
    assert sensor.tick() == ([], "Nothing has come.")
    assert len({request.run_key for request in (*landing, *asked)}) == 2


@pytest.mark.parametrize("name", ["employee/baru.csv", "lookup/unit.csv", "surat.pdf"])
def test_whatever_may_change_a_register_has_the_registers_judged_again(name: str, sensor: Sensor) -> None:
    sensor.tick()
    sensor.land()
    put(sensor.home, name, now=1_775_000_000)
    (landing,), _ = sensor.tick()
    assert landing.asset_selection is None


def test_with_corrections_every_landing_looks_whether_they_still_fit(sensor: Sensor) -> None:
    register = sensor.home.corrections / f"{REGION}.yaml"
    register.write_text("corrections: []\n")
    os.utime(register, (1_775_000_000, 1_775_000_000))
    sensor.tick()
    sensor.land()
    deliver(sensor.home, "tugas_2026-02.csv", "2026-02")
    ((landing,), _) = sensor.tick()
    assert landing.asset_selection is None


def test_registers_are_current_until_another_file_of_theirs_lands(sensor: Sensor) -> None:
    contracts = load_contracts()
    assert not are_registers_current(sensor.home, POLICY, contracts), "never validated"
    sensor.land()
    deliver(sensor.home, "tugas_2026-02.csv", "2026-02")
    land_region(sensor.home, REGION, POLICY, contracts)
    assert are_registers_current(sensor.home, POLICY, contracts), "tasks are no register"
    put(sensor.home, "employee/baru.csv")
    land_region(sensor.home, REGION, POLICY, contracts)
    assert not are_registers_current(sensor.home, POLICY, contracts)
    sensor.land()
    other = POLICY.model_copy(update={"time_zone": "Asia/Jakarta"})
    assert are_registers_current(sensor.home, POLICY, contracts)
    assert not are_registers_current(sensor.home, other, contracts)


def test_a_region_on_which_a_run_works_is_left_alone(sensor: Sensor) -> None:
    run = create_run_for_test(
        sensor.instance, "land", status=DagsterRunStatus.STARTED, tags={"dagster/partition": REGION}
    )
    deliver(sensor.home, "tugas_2026-02.csv", "2026-02")
    assert sensor.tick() == ([], "Nothing has come.")
    sensor.instance.report_run_failed(run)
    assert keys(sensor.tick()[0]) == [("land", REGION)]


def test_a_month_that_was_cut_off_and_launched_again_has_those_that_look_at_it_asked_for(
    sensor: Sensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """March ran meanwhile, and looked at February as it was before."""
    deliver(sensor.home, "tugas_2026-02.csv", "2026-02")
    sensor.tick()
    sensor.land()
    first, _ = sensor.tick()
    tags = {"dagster/partition/region": REGION, RETRY_NUMBER_TAG: "1"}
    run = create_run_for_test(sensor.instance, "region_month", status=DagsterRunStatus.STARTED, tags=tags)
    assert sensor.tick() == ([], "Nothing has come.")
    sensor.instance.report_run_failed(run)
    asked_for = []

    def affected(_: Present, of: frozenset[str]) -> list[Affected]:
        asked_for.append(of)
        return [Affected("2026-03", "onward", (Cause("month", "looks at 2026-02", "2026-02"),))]

    monkeypatch.setattr(Present, "affected", affected)
    again, _ = sensor.tick()
    assert keys(again) == [("region_month", f"2026-03|{REGION}")]
    assert ["month" in of for of in asked_for] == [True]
    assert {request.run_key for request in again}.isdisjoint(request.run_key for request in first)
    assert sensor.tick() == ([], "Nothing has come.")


def test_nothing_is_computed_while_landing_fails(sensor: Sensor) -> None:
    """A correction that no longer fits: the files are in, the registers are those of before."""
    deliver(sensor.home, "tugas_2026-02.csv", "2026-02")
    sensor.tick()
    sensor.land()
    for status in (DagsterRunStatus.FAILURE, DagsterRunStatus.SUCCESS):
        create_run_for_test(sensor.instance, "land", status=status, tags={"dagster/partition": REGION})
        asked, told = sensor.tick()
        assert bool(asked) is (status == DagsterRunStatus.SUCCESS)
        assert (f"{REGION}: landing failed" in told) is (status == DagsterRunStatus.FAILURE)


class NoCodeServer:
    """What Dagster's daemon works with while no code server answers."""

    def __init__(self, instance: DagsterInstance) -> None:
        self.instance = instance

    def create_request_context(self) -> None:
        raise ConnectionError("no code server answers")


def given_up(sensor: Sensor, job: str, tags: dict[str, str]) -> DagsterRun:
    """A run that is cut off while Dagster's daemon cannot launch it again, as the daemon leaves it."""
    run = create_run_for_test(sensor.instance, job, status=DagsterRunStatus.STARTED, tags=tags)
    sensor.instance.report_run_failed(run)
    sensor.instance.add_run_tags(run.run_id, {WILL_RETRY_TAG: "true", MAX_RETRIES_TAG: "3"})
    (record,) = sensor.instance.get_run_records(RunsFilter(run_ids=[run.run_id]))
    no_server: Any = NoCodeServer(sensor.instance)
    list(consume_new_runs_for_automatic_reexecution(no_server, [record], logging.getLogger("daemon")))
    left = sensor.instance.get_run_by_id(run.run_id)
    assert left is not None
    assert left.tags[WILL_RETRY_TAG] == "false", "it tries once"
    return run


def test_a_landing_that_dagster_could_not_launch_again_is_asked_for_again_once(sensor: Sensor) -> None:
    deliver(sensor.home, "tugas_2026-02.csv", "2026-02")
    (first,), _ = sensor.tick()
    given_up(sensor, "land", {"dagster/partition": REGION})
    (again,), _ = sensor.tick()
    assert keys([again]) == [("land", REGION)]
    assert again.run_key != first.run_key
    sensor.land()
    create_run_for_test(sensor.instance, "land", status=DagsterRunStatus.SUCCESS, tags={"dagster/partition": REGION})
    assert keys(sensor.tick()[0]) == [("region_month", f"2026-02|{REGION}")]
    assert sensor.tick() == ([], "Nothing has come.")


def test_a_month_that_dagster_could_not_launch_again_is_asked_for_again_once(sensor: Sensor) -> None:
    deliver(sensor.home, "tugas_2026-02.csv", "2026-02")
    sensor.tick()
    sensor.land()
    (first,), _ = sensor.tick()
    given_up(sensor, "region_month", {"dagster/partition": f"2026-02|{REGION}", "dagster/partition/region": REGION})
    (again,), _ = sensor.tick()
    assert keys([again]) == [("region_month", f"2026-02|{REGION}")]
    assert again.run_key != first.run_key
    assert sensor.tick() == ([], "Nothing has come.")


def test_a_run_that_failed_by_itself_is_not_asked_for_again(sensor: Sensor) -> None:
    deliver(sensor.home, "tugas_2026-02.csv", "2026-02")
    sensor.tick()
    sensor.land()
    sensor.tick()
    tags = {"dagster/partition": f"2026-02|{REGION}", "dagster/partition/region": REGION}
    run = create_run_for_test(sensor.instance, "region_month", status=DagsterRunStatus.STARTED, tags=tags)
    sensor.instance.report_run_failed(run)
    sensor.instance.add_run_tags(run.run_id, {WILL_RETRY_TAG: "false"})
    assert sensor.tick() == ([], "Nothing has come.")


def test_a_command_line_keeps_the_region_while_it_lives_and_not_when_it_was_killed(sensor: Sensor) -> None:
    tags = {COMMAND_TAG: REGION, "dagster/partition/region": REGION}
    run = create_run_for_test(sensor.instance, "region_month", status=DagsterRunStatus.STARTED, tags=tags)
    with locked(sensor.home, f"{REGION}-command"):
        assert sensor.tick()[0] == []
    assert keys(sensor.tick()[0]) == [("land", REGION)]
    closed = sensor.instance.get_run_by_id(run.run_id)
    assert closed is not None
    assert closed.status == DagsterRunStatus.FAILURE


def test_a_run_that_was_killed_with_its_server_does_not_keep_the_region(sensor: Sensor, tmp_path: Path) -> None:
    """Dagster asks the server that launched a run how it is; nobody is left to ask when that was killed, too."""
    place, gone = tmp_path / "code", subprocess.Popen([sys.executable, "-S", "-c", ""])
    gone.wait()
    tags = {"dagster/partition": REGION, GRPC_INFO_TAG: json.dumps({"host": "localhost", "socket": str(place)})}
    run = create_run_for_test(sensor.instance, "land", status=DagsterRunStatus.STARTED, tags=tags)
    sensor.instance.report_engine_event("Started process", run, EngineEventData.in_process(gone.pid))
    deliver(sensor.home, "tugas_2026-02.csv", "2026-02")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place))
        server.listen()
        assert sensor.tick()[0] == [], "while the server lives, it looks after its runs"
    assert keys(sensor.tick()[0]) == [("land", REGION)]
    closed = sensor.instance.get_run_by_id(run.run_id)
    assert closed is not None
    assert closed.status == DagsterRunStatus.FAILURE


def test_a_run_that_outlives_its_server_keeps_the_region(sensor: Sensor, tmp_path: Path) -> None:
    tags = {"dagster/partition": REGION, GRPC_INFO_TAG: json.dumps({"socket": str(tmp_path / "code")})}
    run = create_run_for_test(sensor.instance, "land", status=DagsterRunStatus.STARTED, tags=tags)
    code = "import sys; sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-S", "-c", code, "multiprocessing"], stdin=subprocess.PIPE) as alive:
        sensor.instance.report_engine_event("Started process", run, EngineEventData.in_process(alive.pid))
        deliver(sensor.home, "tugas_2026-02.csv", "2026-02")
        assert sensor.tick()[0] == []
        assert alive.stdin is not None
        alive.stdin.close()
        alive.wait()
    assert keys(sensor.tick()[0]) == [("land", REGION)]


def test_very_many_months_wait_until_somebody_approves_exactly_them(sensor: Sensor) -> None:
    for month in ("2026-01", "2026-02", "2026-03"):
        deliver(sensor.home, f"tugas_{month}.csv", month)
    sensor.tick()
    sensor.land()
    asked, told = sensor.tick()
    assert asked == []
    assert told == (
        f"{REGION}: 2026-01..2026-03 wait for approval (3 months are touched at once, more than 2). See `kinerja plan "
        f"--region {REGION}`; `kinerja plan --region {REGION} --approve` lets them run."
    )
    approve(sensor.home, REGION, [Affected(f"2026-0{n}", "whole", (Cause("new", ""),)) for n in (1, 2, 3)])
    assert [key for _, key in keys(sensor.tick()[0])] == [f"2026-0{n}|{REGION}" for n in (1, 2, 3)]


# ---- what waits ------------------------------------------------------------------------------------------------------

FILE, LOOKS = Cause("delivery", "a.csv", "d1"), Cause("month", "looks at 2026-02", "2026-02")
MONTHS = (Affected("2026-02", "whole", (FILE,)), Affected("2026-03", "onward", (LOOKS,)))
STATUSES = {"2026-02": "closed", "2026-03": "open"}


def test_closed_months_wait_where_the_policy_says_so_also_when_somebody_runs_them() -> None:
    periods = Periods(restating="approval")
    may = permitted(MONTHS, STATUSES, periods, Approved(), is_asked=True)
    assert (may.months, may.waiting) == ((), MONTHS)
    assert may.why == "2026-02 closed and would come out otherwise"
    april = Affected("2026-04", "whole", (FILE,))
    assert permitted((*MONTHS, april), STATUSES, periods, Approved(), is_asked=True).months == (april,)
    assert permitted(MONTHS, STATUSES, Periods(), Approved(), is_asked=True).months == MONTHS
    first_time = permitted(MONTHS, {}, periods, Approved(), is_asked=True)
    assert first_time.months == MONTHS, "nobody was told anything yet"


def test_an_approval_is_for_the_causes_that_were_listed_and_no_later_ones(tmp_path: Path) -> None:
    home, periods = Home(tmp_path), Periods(restating="approval")
    approve(home, REGION, MONTHS)
    approved = read_approval(home, REGION)
    assert permitted(MONTHS, STATUSES, periods, approved, is_asked=True).months == MONTHS
    another = Affected("2026-02", "whole", (FILE, Cause("delivery", "b.csv", "d2")))
    assert permitted((another,), STATUSES, periods, approved, is_asked=True).months == ()
    assert json.loads((home.approvals / f"{REGION}.json").read_text())["months"] == ["2026-02", "2026-03"]
