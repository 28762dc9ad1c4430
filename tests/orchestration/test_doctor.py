"""`kinerja doctor`: what keeps a deployment from working is found, told with its cure, and cured by --fix."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner, Result

from kinerja_pipeline.cli import main
from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.orchestration import doctor
from kinerja_pipeline.orchestration.doctor import Finding, examined
from kinerja_pipeline.orchestration.settings import write_instance_settings

NOW = dt.datetime(2026, 4, 6, 2, 30, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Home(tmp_path_factory.mktemp("doctor") / "home")
    init_home(home)
    write_instance_settings(home)
    return home.root


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Home:
    """A home as `kinerja init` makes it, with nothing published."""
    shutil.copytree(made, tmp_path / "home")
    return Home(tmp_path / "home")


def found(home: Home, subject: str) -> Finding:
    return next(f for f in examined(home, f"sqlite:///{home.warehouse}", NOW) if f.subject == subject)


def told(home: Home, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *arguments], env={"KINERJA_HOME": str(home.root), **environment})


def test_a_new_home_is_well_and_every_subject_is_told_once(home: Home) -> None:
    findings = list(examined(home, f"sqlite:///{home.warehouse}", NOW))
    subjects = ["versions", "home", "disk", "policies", "warehouse", "clock", "leftovers", "retention", "runs"]
    subjects += ["daemon", "alerts"]
    assert [f.subject for f in findings] == subjects
    assert {f.level for f in findings if f.subject != "disk"} == {"good"}
    assert told(home).exit_code == 0


class Ill(NamedTuple):
    """How a home falls ill, what is told of it, and how grave it is."""

    happens: Callable[[Home], object]
    subject: str
    level: str
    text: str


def opened(home: Home) -> None:
    home.landing.chmod(0o755)


def half_written(home: Home) -> None:
    path = home.lake / "facts" / "attendance_day" / "salor" / ".2026-03.a8f2.tmp"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 cut")
    os.utime(path, (NOW.timestamp() - 7200,) * 2)


def emptied_warehouse(home: Home) -> None:
    home.warehouse.touch()


ILLS = {
    "a folder is gone": Ill(lambda home: home.locks.rmdir(), "home", "error", "lacks locks"),
    "landing is open to all": Ill(opened, "home", "warning", "landing can be read by other accounts"),
    "a write was killed": Ill(half_written, "leftovers", "warning", "1 files left by killed"),
    "the warehouse is of another version": Ill(emptied_warehouse, "warehouse", "warning", "those of another version"),
}


@pytest.mark.parametrize("ill", ILLS.values(), ids=ILLS.keys())
def test_an_ill_is_found_and_cured_by_fix_and_then_gone(ill: Ill, home: Home) -> None:
    ill.happens(home)
    seen = found(home, ill.subject)
    assert (seen.level, seen.advice != "") == (ill.level, True)
    assert ill.text in seen.text
    without = told(home)
    assert without.exit_code == (1 if ill.level == "error" else 0)
    assert "(--fix does it)" in without.output
    cured = told(home, "--fix")
    assert (cured.exit_code, "Done: " in cured.output) == (0, True)
    assert found(home, ill.subject).level == "good"


def test_no_home_is_told_first_and_made_by_fix(tmp_path: Path) -> None:
    nowhere = Home(tmp_path / "home")
    assert [f.subject for f in examined(nowhere, "sqlite:///x", NOW)] == ["versions", "home"]
    assert told(nowhere).exit_code == 1
    assert not nowhere.root.exists(), "looking changes nothing"
    assert told(nowhere, "--fix").exit_code == 0
    assert found(nowhere, "home").level == "good"


def test_a_write_that_may_still_be_under_way_is_left_alone(home: Home) -> None:
    half_written(home)
    young = next(home.lake.rglob("*.tmp"))
    os.utime(young, (NOW.timestamp() - 60,) * 2)
    assert found(home, "leftovers").level == "good"


def delivered_line(**said: object) -> str:
    line = dict.fromkeys(
        ("reason", "file_row_count", "row_count", "delivery_mode", "delivery_scope", "first_event_date")
    )
    line |= {"last_event_date": None, "sequence": 1, "delivery_id": "a", "feed": "employee", "file_name": "a"}
    line |= {"received_at": "2026-04-01T00:00:00+00:00", "status_code": "landed", "set_aside": {}, "months": {}}
    return json.dumps({**line, "fingerprint": "f", **said}) + "\n"


def test_every_place_where_files_are_written_beside_others_is_looked_at_and_no_suppliers_file_is(home: Home) -> None:
    """And of landed files those of a month from which a changed mapping took the file's rows, whose removal was cut
    off; not those of which the ledger knows nothing, for it may have come from a backup."""
    landed = "lake/landing/task_record/salor"
    left = ["lake/landing/task_record/salor/2026-03/.a.8f2k.tmp", "reports/monthly/salor/2026-03/.laporan.8f2k.tmp"]
    left += [
        "approvals/.salor.8f2k.tmp",
        ".faults.8f2k.tmp",
        "dagster/.dagster.8f2k.tmp",
        f"{landed}/2026-01/a.parquet",
    ]
    kept = ["landing/salor/task_record/.a.8f2k.tmp", f"{landed}/2026-02/a.parquet", f"{landed}/2026-02/b.parquet"]
    for name in [*left, *kept]:
        path = home.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"cut")
        os.utime(path, (NOW.timestamp() - 7200,) * 2)
    line = delivered_line(feed="task_record", months={"2026-02": 1})
    (home.landing / "salor" / "deliveries.jsonl").write_text(line)
    new = home.dagster / "events" / ".new-8f2k"
    new.mkdir(parents=True)
    (new / "event_log.db").touch()
    os.utime(new, (NOW.timestamp() - 7200,) * 2)
    seen = found(home, "leftovers")
    assert f"{len(left) + 1} files left" in seen.text
    assert seen.cure is not None
    seen.cure()
    assert [name for name in [*left, *kept] if (home.root / name).exists()] == kept
    assert not new.exists()
    assert found(home, "leftovers").level == "good"


def test_a_damaged_warehouse_is_an_error_without_a_cure(home: Home) -> None:
    home.warehouse.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    seen = found(home, "warehouse")
    assert (seen.level, seen.cure) == ("error", None)
    assert "damaged" in seen.text


def test_a_wrong_policy_stops_what_depends_on_it_and_names_the_file(home: Home) -> None:
    (home.policies / "salor.yaml").write_text("region: salor\ntime_zon: Asia/Jayapura\n")
    seen = found(home, "policies")
    assert seen.level == "error"
    assert "salor.yaml, line 2" in seen.text
    assert "clock" not in {f.subject for f in examined(home, f"sqlite:///{home.warehouse}", NOW)}


def test_data_of_a_region_without_policy_is_told_and_never_removed(home: Home) -> None:
    stray = home.lake / "facts" / "attendance_day" / "mamju" / "2026-03.parquet"
    stray.parent.mkdir(parents=True)
    stray.touch()
    seen = found(home, "leftovers")
    assert (seen.level, seen.cure) == ("warning", None)
    assert "did you mean 'mamuju'" in seen.text


def test_a_clock_behind_the_deliveries_is_told(home: Home) -> None:
    folder = home.landing / "salor"
    folder.mkdir()
    (folder / "deliveries.jsonl").write_text(delivered_line(received_at="2026-04-07T00:00:00+00:00"))
    assert found(home, "clock").level == "warning"
    assert "a file of salor of 2026-04-07 00:00 UTC" in found(home, "clock").text


def test_a_full_disk_is_an_error(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 100 * 2**20})
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage)
    assert (found(home, "disk").level, found(home, "disk").text) == ("error", "0.1 GiB free.")


def test_a_missing_daemon_matters_only_where_things_run_by_themselves(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(home, "daemon").level == "good"
    monkeypatch.setenv("KINERJA_SCHEDULES", "on")
    assert found(home, "daemon").level == "error"


def test_a_run_whose_command_was_killed_is_closed(home: Home) -> None:
    from dagster import DagsterInstance, DagsterRunStatus
    from dagster._core.test_utils import create_run_for_test

    with DagsterInstance.from_config(str(home.dagster)) as instance:
        tags = {"kinerja/command": "salor"}
        run = create_run_for_test(instance, "region_month", tags=tags, status=DagsterRunStatus.STARTED)
    assert "1 runs are called started" in found(home, "runs").text
    assert told(home, "--fix").exit_code == 0
    with DagsterInstance.from_config(str(home.dagster)) as instance:
        closed = instance.get_run_by_id(run.run_id)
        assert closed is not None
        assert closed.status == DagsterRunStatus.FAILURE
