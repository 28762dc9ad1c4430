"""What the deployment runs, as Dagster sees it, and what keeps two of its processes off each other."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import polars as pl
import pytest
import yaml
from dagster import (
    AssetKey,
    DagsterInstance,
    DefaultScheduleStatus,
    DefaultSensorStatus,
    Definitions,
    RunRequest,
    ScheduleDefinition,
    SkipReason,
    build_schedule_context,
)
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.event_log.sqlite import consolidated_sqlite_event_log
from dagster._core.storage.tags import PRIORITY_TAG

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.definitions import build_definitions
from kinerja_pipeline.home import Home, init_home, runs_by_itself
from kinerja_pipeline.landing import ledger
from kinerja_pipeline.orchestration import launch as launch_module
from kinerja_pipeline.orchestration.basis import present
from kinerja_pipeline.orchestration.deployment import looking_back
from kinerja_pipeline.orchestration.event_log import HomeEventLogStorage
from kinerja_pipeline.orchestration.launch import LOCATION
from kinerja_pipeline.orchestration.resources import locked
from kinerja_pipeline.orchestration.settings import write_instance_settings
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.dated import Policies
from kinerja_pipeline.policies.loader import load_policies

ROOT = Path(__file__).parents[2]
ROOMS = {"landing", "validated", "quarantine", "facts", "kpi", "warehouse", "reports"}
SCHEDULES = {
    "daily_landing": "land",
    "daily_open_months": "region_month",
    "monthly_closing": "region_month",
    "weekly_tidying": "tidy",
}
CLOSING_DAYS = {"manokwari": 5, "salor": 10, "mamuju": 5}
FROM_POLICY = {AssetKey(["warehouse", "region"]), AssetKey(["warehouse", "indicator"])}

LOADS_ALONE = """
import socket

def refuse(*_, **__):
    raise AssertionError("the definitions reach for the network")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from kinerja_pipeline.definitions import kinerja
print(len(kinerja().resolve_all_asset_specs() if callable(kinerja) else kinerja.resolve_all_asset_specs()))
"""

HOLDS_A_LOCK = """
import sys, time
from pathlib import Path
from kinerja_pipeline.home import Home
from kinerja_pipeline.orchestration.resources import locked

with locked(Home(Path(sys.argv[1])), "salor"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Definitions:
    """Three regions of the package; salor closes its months later than the others."""
    packaged = load_policies(tmp_path_factory.mktemp("none"))
    policies = Policies(
        {
            region: packaged[region].model_copy(
                update={"periods": packaged[region].periods.model_copy(update={"closing_day": day})}
            )
            for region, day in CLOSING_DAYS.items()
        }
    )
    return build_definitions(load_contracts(), policies)


@pytest.fixture(scope="module")
def graph(definitions: Definitions) -> AssetGraph:
    return definitions.resolve_asset_graph()


def test_the_definitions_load_with_no_environment_and_no_network_and_leave_nothing_behind(tmp_path: Path) -> None:
    loaded = subprocess.run([sys.executable, "-c", LOADS_ALONE], cwd=tmp_path, env={}, capture_output=True, text=True)
    assert (loaded.returncode, loaded.stderr) == (0, "")
    assert int(loaded.stdout) > 50
    assert list(tmp_path.iterdir()) == []


def test_every_asset_says_what_it_is_and_stands_in_the_group_of_its_room(graph: AssetGraph) -> None:
    nodes = [graph.get(key) for key in graph.get_all_asset_keys()]
    assert {node.group_name for node in nodes} == ROOMS
    assert [node.key for node in nodes if not node.description or node.group_name != node.key.path[0]] == []


def test_every_table_of_a_contract_names_its_owner_and_its_pages(graph: AssetGraph) -> None:
    contracts = load_contracts()
    every = {**contracts.incoming, **contracts.outgoing}
    of_a_page = {
        key: every[key.path[-1]]
        for key in graph.get_all_asset_keys()
        if "contract" in graph.get(key).metadata and key.path[-1] in every
    }
    assert len(of_a_page) > 60
    for key, contract in of_a_page.items():
        assert graph.get(key).owners == [f"team:{contract.owner}"]
        assert f"-{contract.name}`" in graph.get(key).metadata["pages"].value, "where the dictionary tells of it"


def test_only_landing_and_the_tables_of_the_policy_stand_without_anything_upstream(graph: AssetGraph) -> None:
    assert {key for key in graph.root_materializable_asset_keys if key.path[0] != "landing"} == FROM_POLICY


def test_every_check_has_the_partitions_of_its_asset(graph: AssetGraph) -> None:
    """A check without them reports on no partition, and stays planned for ever on all."""
    checks = [graph.get(key) for key in graph.asset_check_keys]
    assert {check.key.name for check in checks} >= {"contract", "conservation", "volume", "freshness", "sum_of_parts"}
    for check in checks:
        assert check.partitions_def == graph.get(check.key.asset_key).partitions_def is not None


def test_what_stops_a_run_is_what_its_page_calls_blocking_and_what_must_add_up(graph: AssetGraph) -> None:
    checks = [graph.get(key) for key in graph.asset_check_keys]
    assert {("/".join(check.key.asset_key.path), check.key.name) for check in checks if check.blocking} == {
        ("validated/employee", "nip__rounded"),
        ("validated/employee", "unit_id__unknown"),
        ("validated/attendance_log", "pin__unknown"),
        ("validated/event_tally", "conservation"),
        ("validated/dated_tally", "conservation"),
        ("warehouse/kpi", "sum_of_parts"),
    }


def test_the_two_jobs_share_the_assets_between_them(definitions: Definitions, graph: AssetGraph) -> None:
    land, region_month = (
        definitions.resolve_job_def(name).asset_layer.executable_asset_keys for name in ("land", "region_month")
    )
    assert land & region_month == set()
    assert land | region_month == graph.materializable_asset_keys


def test_schedules_are_off_until_somebody_switches_them_on(definitions: Definitions) -> None:
    schedules = {name: definitions.resolve_schedule_def(name) for name in SCHEDULES}
    assert {s.default_status for s in schedules.values()} == {DefaultScheduleStatus.STOPPED}
    assert {name: s.job_name for name, s in schedules.items()} == SCHEDULES
    assert definitions.resolve_sensor_def("new_files").default_status == DefaultSensorStatus.STOPPED


def test_where_the_environment_says_so_they_start_by_themselves(definitions: Definitions) -> None:
    packaged = load_policies()
    switched_on = build_definitions(load_contracts(), Policies({"salor": packaged["salor"]}), is_on=True)
    found = {switched_on.resolve_schedule_def(name).default_status for name in SCHEDULES}
    assert found == {DefaultScheduleStatus.RUNNING}
    assert switched_on.resolve_sensor_def("new_files").default_status == DefaultSensorStatus.RUNNING


@pytest.mark.parametrize(("said", "is_on"), [(None, False), ("off", False), ("on", True), (" ON ", True)])
def test_the_environment_says_on_or_it_is_off(said: str | None, is_on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KINERJA_SCHEDULES", raising=False)
    if said is not None:
        monkeypatch.setenv("KINERJA_SCHEDULES", said)
    assert runs_by_itself() is is_on


@cache
def empty_instance() -> DagsterInstance:
    """An instance without runs; a schedule's context takes none that lives in memory."""
    return DagsterInstance.local_temp()


def ticked(definitions: Definitions, name: str, day: str) -> list[RunRequest] | SkipReason:
    """What the schedule asks for at three in the morning of that day."""
    schedule = definitions.resolve_schedule_def(name)
    assert isinstance(schedule, ScheduleDefinition)
    at = dt.datetime.fromisoformat(f"{day}T03:00:00+07:00")
    with build_schedule_context(empty_instance(), at) as context:
        answer: list[RunRequest] | SkipReason = schedule(context)
    return answer


def asked(requests: list[RunRequest] | SkipReason) -> list[tuple[str | None, str | None]]:
    assert isinstance(requests, list)
    return [(r.run_key, r.partition_key) for r in requests]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("KINERJA_HOME", str(tmp_path))
    return Home(tmp_path)


def publish(home: Home, region: str, *months: str) -> None:
    for month in months:
        Lake(home.lake).write(pl.DataFrame({"subject_id": ["dinkes"]}), "kpi", "measure", region, month)


def land(home: Home, region: str, *months: str) -> None:
    """A line in the ledger: a file whose events lie in these months."""
    folder = home.landing / region
    folder.mkdir(parents=True)
    first, last = f"{months[0]}-01", f"{months[-1]}-28"
    line = ledger.Delivery(
        1, "d", "task_record", "task_record/a.csv", "2026-03-01T00:00:00+0000", "landed", None, 3, 3, {},
        dict.fromkeys(months, 1), "append", "task_record/*.csv", first, last, "f",
    )  # fmt: skip
    ledger.append_delivery(folder, line)


def test_a_region_closes_the_month_before_on_its_own_closing_day(definitions: Definitions, home: Home) -> None:
    for region in CLOSING_DAYS:
        land(home, region, "2025-12", "2026-01", "2026-02")
    assert asked(ticked(definitions, "monthly_closing", "2026-03-05")) == [
        ("manokwari-2026-02-2026-02", "2026-02|manokwari"),
        ("mamuju-2026-02-2026-02", "2026-02|mamuju"),
    ]
    assert asked(ticked(definitions, "monthly_closing", "2026-01-10")) == [("salor-2025-12-2025-12", "2025-12|salor")]
    assert isinstance(ticked(definitions, "monthly_closing", "2026-03-06"), SkipReason)


def test_closing_a_month_runs_the_published_months_around_it_in_order(definitions: Definitions, home: Home) -> None:
    """The month before reads its first hours; the running month, published as far as it is, counts on from it."""
    land(home, "salor", "2026-02", "2026-03")
    publish(home, "salor", "2025-12", "2026-01", "2026-03")
    requests = ticked(definitions, "monthly_closing", "2026-03-10")
    assert asked(requests) == [
        ("salor-2026-02-2026-01", "2026-01|salor"),
        ("salor-2026-02-2026-02", "2026-02|salor"),
        ("salor-2026-02-2026-03", "2026-03|salor"),
    ]
    assert isinstance(requests, list)
    priorities = [int(request.tags[PRIORITY_TAG]) for request in requests]
    assert priorities == sorted(priorities, reverse=True), "the queue takes the higher one first"
    assert len(set(priorities)) == 3


def test_closing_a_month_asks_for_what_the_command_line_would_run(definitions: Definitions, home: Home) -> None:
    land(home, "salor", "2026-01", "2026-02", "2026-03")
    publish(home, "salor", "2026-01", "2026-03")
    requests = asked(ticked(definitions, "monthly_closing", "2026-03-10"))
    now = present(home, load_policies(), load_contracts(), "salor", dt.date(2026, 3, 10))
    months, _ = launch_module._months(now, "2026-02", "2026-02", "changed")
    assert [f"{each.month}|salor" for each in months] == [key for _, key in requests]


def test_a_month_that_only_looks_at_others_needs_no_asset_that_reads_its_own_files(graph: AssetGraph) -> None:
    found = looking_back(graph)
    assert {key.path[0] for key in found} == {"facts", "kpi", "warehouse", "reports"}
    assert AssetKey(["reports", "validation"]) not in found
    facts = {key.path[1] for key in found if key.path[0] == "facts"}
    assert facts >= {"attendance_month", "satisfaction_index", "training_year", "task_outcome"}
    assert not facts & {"attendance_day", "feed_day", "indicator_target"}
    assert {key for key in graph.materializable_asset_keys if key.path[0] in ("kpi", "warehouse")} <= found


def test_every_night_the_months_that_are_not_closed_yet_are_run(definitions: Definitions, home: Home) -> None:
    """On the 4th the month before is open still; Salor closes it on the 10th."""
    for region in ("manokwari", "salor"):
        land(home, region, "2026-01", "2026-02", "2026-03")
    requests = ticked(definitions, "daily_open_months", "2026-03-06")
    assert asked(requests) == [
        ("manokwari-2026-03-06-2026-03", "2026-03|manokwari"),
        ("salor-2026-03-06-2026-02", "2026-02|salor"),
        ("salor-2026-03-06-2026-03", "2026-03|salor"),
    ]
    assert isinstance(ticked(definitions, "daily_open_months", "2026-07-06"), SkipReason)


def test_a_month_of_which_nothing_has_landed_is_not_closed(definitions: Definitions, home: Home) -> None:
    land(home, "salor", "2026-01")
    publish(home, "salor", "2026-01")
    skipped = ticked(definitions, "monthly_closing", "2026-03-10")
    assert isinstance(skipped, SkipReason)
    assert skipped.skip_message == "No file of salor has rows of 2026-02."


def test_every_region_lands_every_night(definitions: Definitions) -> None:
    assert asked(ticked(definitions, "daily_landing", "2026-03-06")) == [
        ("manokwari-2026-03-06", "manokwari"),
        ("salor-2026-03-06", "salor"),
        ("mamuju-2026-03-06", "mamuju"),
    ]


def test_the_code_location_has_one_name_however_it_is_loaded() -> None:
    """Runs and the switches of schedules belong to a name: under another they would seem lost."""
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text(encoding="utf-8"))
    dg = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["dg"]["project"]
    assert workspace == {"load_from": [{"python_module": LOCATION}]}
    assert (dg["code_location_name"], dg["code_location_target_module"]) == (LOCATION, LOCATION)


@pytest.fixture
def event_log(tmp_path: Path) -> Iterator[HomeEventLogStorage]:
    storage = HomeEventLogStorage(str(tmp_path / "events"))
    yield storage
    storage.dispose()


def engine_of(storage: ConsolidatedSqliteEventLogStorage) -> object:
    with storage._connect() as connection:
        return connection.engine


def test_the_event_log_keeps_one_engine(event_log: HomeEventLogStorage) -> None:
    """A new engine has an empty cache of compiled statements: half of a run's processor time."""
    assert engine_of(event_log) is engine_of(event_log)


def test_dagsters_own_event_log_still_makes_an_engine_for_every_event(tmp_path: Path) -> None:
    """When this fails, orchestration/event_log can go."""
    theirs = ConsolidatedSqliteEventLogStorage(str(tmp_path))
    assert engine_of(theirs) is not engine_of(theirs)


def test_processes_that_start_at_once_on_a_new_home_find_one_whole_event_log(tmp_path: Path) -> None:
    together, found = threading.Barrier(6), []

    def start() -> None:
        together.wait()
        storage = HomeEventLogStorage(str(tmp_path / "events"))
        storage.add_dynamic_partitions("who", [str(threading.get_ident())])
        found.append(storage)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(found[0].get_dynamic_partitions("who")) == 6, "one took the place of another's log, with its events"
    for storage in found:
        storage.dispose()


def test_a_new_event_log_knows_its_revision(event_log: HomeEventLogStorage) -> None:
    """A later Dagster migrates from it."""
    with event_log._connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM alembic_version").scalar_one() == 1


def test_a_new_home_has_all_of_dagsters_databases_before_two_processes_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster 1.13 enters its revision twice when a web server and a daemon make the runs' database at once."""
    monkeypatch.setenv("KINERJA_HOME", str(tmp_path))
    home = Home(tmp_path)
    init_home(home)
    write_instance_settings(home)
    assert {path.name for path in home.dagster.rglob("*.db")} == {"event_log.db", "runs.db", "schedules.db"}


def test_a_first_start_that_is_killed_halfway_leaves_no_half_event_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(consolidated_sqlite_event_log, "stamp_alembic_rev", killed)
        with pytest.raises(KeyboardInterrupt):
            HomeEventLogStorage(str(tmp_path))
    assert not (tmp_path / "event_log.db").exists()
    storage = HomeEventLogStorage(str(tmp_path))
    storage.add_dynamic_partitions("who", ["later"])
    assert storage.get_dynamic_partitions("who") == ["later"]
    storage.dispose()


def test_a_second_run_of_a_region_waits_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    first = subprocess.Popen([sys.executable, "-c", HOLDS_A_LOCK, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    entered = threading.Event()

    def second() -> None:
        with locked(Home(tmp_path), "salor"):
            entered.set()

    waiting = threading.Thread(target=second, daemon=True)
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        waiting.start()
        assert not entered.wait(0.5), "two runs of one region at once"
        with locked(Home(tmp_path), "mamuju"):
            pass  # another region does not wait
    finally:
        first.kill()
        first.communicate()
    assert entered.wait(20), "a killed run keeps its region for ever"
    waiting.join()
