"""Running again: nothing changes but the ledger; late files and months out of order end where an orderly run ends."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from home_warehouse import copied, query
from line_world import (
    MONTHS,
    TODAY,
    Finished,
    hashes,
    home_with,
    kinerja,
    lake_files,
    once,
    run,
    succeeded,
    torn_publications,
)

from kinerja_pipeline.home import Home

FinishedOf = Callable[[str], Finished]


@pytest.mark.scenario
def test_a_second_run_adds_ledger_lines_and_changes_nothing_else(finished: FinishedOf, tmp_path: Path) -> None:
    home = copied(finished("manokwari").home, tmp_path / "home")
    before, lake, landing = hashes(home, "manokwari"), lake_files(home), sorted(home.landing.rglob("*"))
    lines = query(home, "SELECT * FROM publication ORDER BY publication_id, table_name, period")
    succeeded(run(home, "--region", "manokwari", "--from", MONTHS[0]))
    assert hashes(home, "manokwari") == before
    assert lake_files(home) == lake
    assert sorted(home.landing.rglob("*")) == landing
    after = query(home, "SELECT * FROM publication ORDER BY publication_id, table_name, period")
    assert [line for line in after if line in lines] == lines
    added = query(
        home,
        """SELECT DISTINCT publication_id, table_name, content_hash = previous_hash FROM publication
        WHERE region = 'manokwari' AND publication_id > 'manokwari-00000002'""",
    )
    assert {number for number, _, _ in added} == {f"manokwari-{n:08d}" for n in (3, 4)}
    # Not on the way either: the earlier month, run again, leaves the quarter as the later one made it.
    assert [(number, table) for number, table, same in added if not same] == []
    assert len(after) > len(lines)


@pytest.mark.scenario
def test_a_late_file_ends_where_it_would_have_been_from_the_start(finished: FinishedOf, tmp_path: Path) -> None:
    undisturbed = finished("pariaman").home
    home = home_with(tmp_path / "home", undisturbed.landing, "pariaman")
    (home.landing / "pariaman" / "deliveries.jsonl").unlink()
    late = home.landing / "pariaman" / "attendance_log" / "PRM-02_2026-02_attlog.dat"
    shutil.move(late, tmp_path / late.name)
    succeeded(run(home, "--all"))
    before, wanted = hashes(home, "pariaman"), hashes(undisturbed, "pariaman")
    day, absent = ("attendance_day", "2026-02"), "SELECT count(*) FROM attendance_day WHERE status_code = 'absent'"
    assert before[day] != wanted[day], "the file matters to nobody"
    assert query(home, absent) <= query(undisturbed, f"{absent} AND region = 'pariaman'"), (
        "withholding added an absence"
    )

    shutil.move(tmp_path / late.name, late)
    arrived = 1_775_440_800  # 2026-04-06 02:00 UTC, long after March was published
    os.utime(late, (arrived, arrived))
    plan = json.loads(succeeded(kinerja(home, "plan", "--today", TODAY, "--json")))[0]
    # It has the last days of February, which March's first shifts may reach back to.
    assert [(m["month"], m["depth"]) for m in plan["months"]] == [("2026-02", "whole"), ("2026-03", "whole")]
    assert "2 region-months published in" in succeeded(run(home, "--all"))
    assert "0 region-months published in" in succeeded(run(home, "--all")), "what has not changed is not run"
    after = hashes(home, "pariaman")
    deliveries = {key for key in wanted if key[0] == "delivery"}
    assert {key for key in wanted if after[key] != wanted[key]} == deliveries, "only its arrival and place may differ"
    assert before["attendance_day", "2026-03"] == after["attendance_day", "2026-03"]
    counts = """SELECT feed, sum(row_count), sum(valid_count), sum(rejected_count), sum(superseded_count) FROM delivery
        WHERE region = 'pariaman' GROUP BY feed ORDER BY feed"""
    assert query(home, counts) == query(undisturbed, counts)
    arrival = "SELECT sequence, received_at FROM delivery WHERE file_name LIKE '%PRM-02_2026-02%'"
    assert query(home, arrival) == [(len(finished("pariaman").planted.files), "2026-04-06 02:00:00.000000")]


@pytest.mark.scenario
def test_months_out_of_order_end_where_months_in_order_end(finished: FinishedOf, tmp_path: Path, world: Path) -> None:
    home = home_with(tmp_path / "home", world, "mamuju")
    told = [succeeded(run(home, "--region", "mamuju", "--month", f"2026-0{month}")) for month in (3, 2)]
    assert ["1 region-month " in told[0], "2 region-months" in told[1]] == [True] * 2
    assert hashes(home, "mamuju") == hashes(finished("mamuju").home, "mamuju")
    assert torn_publications(home, "mamuju") == []


GARBAGE = {
    "employee/pegawai_rusak.xlsx": "pegawai_rusak.xlsx",
    "employee/pegawai.txt": "its name fits none of the mappings of employee ('*.xlsx'",
    "absensi/2026-03_attlog.csv": "'absensi' is no feed. Move it to a feed's folder (declared for this region: ",
    "catatan.csv": "it lies outside the feeds' folders. Move it to landing/mamuju/<feed>/",
    "task_record/tugas_kosong.xlsx": "it is empty",
}


@pytest.fixture(scope="session")
def refusing(finished: FinishedOf, shared: Path) -> tuple[Finished, Finished]:
    """Mamuju's home before and after files came that cannot be taken in, together with a folder of no region."""
    before = finished("mamuju")

    def make(place: Path) -> None:
        home = copied(before.home, place / "home")
        for number, name in enumerate(GARBAGE):
            path = home.landing / "mamuju" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"" if "kosong" in name else b"PK\x03\x04 not a workbook %d" % number)
        (home.landing / "mamju" / "employee").mkdir(parents=True)
        result = run(home, "--all", "--month", "2026-03")
        (place / "told.pickle").write_bytes(pickle.dumps((result.exit_code, result.output)))

    place = once(shared / "refusing", make)
    exit_code, output = pickle.loads((place / "told.pickle").read_bytes())
    return before, Finished(Home(place / "home"), exit_code, output, before.planted)


@pytest.mark.scenario
def test_refused_files_end_the_run_with_1_and_stop_nothing_else(refusing: tuple[Finished, Finished]) -> None:
    before, after = refusing
    assert after.exit_code == 1
    assert "1 region-month published in" in after.output
    assert "6 files refused (they stay where they are)." in after.output
    assert "Traceback" not in after.output
    old, new = hashes(before.home, "mamuju"), hashes(after.home, "mamuju")
    assert {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)} == {("delivery", "")}


@pytest.mark.scenario
def test_refused_files_stay_as_they_were_and_leave_nothing_in_the_lake(refusing: tuple[Finished, Finished]) -> None:
    before, after = refusing
    assert all((after.home.landing / "mamuju" / name).is_file() for name in GARBAGE)
    assert lake_files(after.home) == lake_files(before.home)


@pytest.mark.scenario
@pytest.mark.parametrize("name", GARBAGE)
def test_a_refused_file_is_listed_with_its_reason(name: str, refusing: tuple[Finished, Finished]) -> None:
    home, reason = refusing[1].home, GARBAGE[name]
    lines = [line for line in succeeded(kinerja(home, "status")).splitlines() if f"refused mamuju/{name}" in line]
    assert len(lines) == 1
    assert reason in lines[0]
    found = query(home, f"SELECT status_code, reason, row_count FROM delivery WHERE file_name = '{name}'")
    assert [(status, count) for status, _, count in found] == [("refused", None)]
    assert reason in str(found[0][1])


@pytest.mark.scenario
def test_a_folder_of_no_region_is_not_passed_over_in_silence(refusing: tuple[Finished, Finished]) -> None:
    for text in (refusing[1].output, succeeded(kinerja(refusing[1].home, "status"))):
        assert "refused mamju: there is no region 'mamju' (did you mean 'mamuju'?)" in text
