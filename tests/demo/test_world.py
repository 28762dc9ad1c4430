"""The demo world: the same bytes each time, files as suppliers write them, and exactly the wrong rows it states."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.demo.damage import BAD_ROWS, KINDS, kinds_at
from kinerja_pipeline.demo.world import WorldSummary, write_world
from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.landing.deliveries import deliveries, land_region
from kinerja_pipeline.landing.landed import scan_landed
from kinerja_pipeline.landing.readers import read_source
from kinerja_pipeline.landing.reshape import reshape
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.validated.policy_rules import with_policy_rules
from kinerja_pipeline.validated.split import split

FEEDS = (
    "org_unit", "employee", "device_pin", "attendance_log", "device_outage", "leave_permit", "shift_roster",
    "task_record", "feedback_response", "indicator_measurement", "indicator_target", "performance_rating",
    "training_plan", "training_record",
)  # fmt: skip
REGIONS = ("manokwari", "salor", "mamuju", "pariaman", "nanggalo")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, WorldSummary]:
    home = Home(tmp_path_factory.mktemp("small"))
    init_home(home)
    return home, write_world(home, employees_per_region=12)


def files_of(home: Home) -> Iterator[Path]:
    return (p.relative_to(home.landing) for p in sorted(home.landing.rglob("*")) if p.is_file())


def test_two_worlds_of_a_seed_are_the_same_to_the_byte_and_the_second(
    small: tuple[Home, WorldSummary], tmp_path: Path
) -> None:
    home, summary = small
    other = Home(tmp_path)
    again = write_world(other, employees_per_region=12)
    assert again.regions == summary.regions
    names = list(files_of(home))
    assert list(files_of(other)) == names
    for name in names:
        assert (other.landing / name).read_bytes() == (home.landing / name).read_bytes(), name
        assert (other.landing / name).stat().st_mtime == (home.landing / name).stat().st_mtime, name


def test_a_second_call_changes_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = write_world(home, employees_per_region=5, months=("2026-01", "2026-01"))
    before = {p: (home.landing / p).stat().st_mtime_ns for p in files_of(home)}
    second = write_world(home, employees_per_region=5, months=("2026-01", "2026-01"))
    assert (first.unchanged, second.written, second.unchanged) == (0, 0, first.written)
    assert {p: (home.landing / p).stat().st_mtime_ns for p in files_of(home)} == before


def test_another_seed_makes_other_people(tmp_path: Path) -> None:
    one = write_world(Home(tmp_path / "1"), employees_per_region=5, months=("2026-01", "2026-01"))
    two = write_world(Home(tmp_path / "2"), employees_per_region=5, months=("2026-01", "2026-01"), seed=1)
    assert one.regions["salor"].parts != two.regions["salor"].parts


@pytest.mark.parametrize("region", REGIONS)
def test_landing_and_split_find_exactly_what_was_planted(region: str, small: tuple[Home, WorldSummary]) -> None:
    home, summary = small
    policy, contracts = load_policies()[region], load_contracts()
    report = land_region(home, region, policy, contracts)
    assert report.refused == ()
    valid: dict[str, pl.DataFrame] = {}
    for feed in FEEDS:
        landed = scan_landed(home, region, feed, None)
        ledger = deliveries(home, region, feed)
        contract = with_policy_rules(contracts.incoming[feed], policy)
        found = split(landed, contract, zone=policy.time_zone, references=valid, deliveries=ledger)
        valid[feed] = found.valid
        stated = summary.regions[region]
        rules = found.tally.filter(pl.col("rule_id") != "all").group_by("rule_id").agg(pl.col("failed_count").sum())
        assert dict(rules.rows()) == stated.rejected(feed), feed
        assert found.rejected.height == sum(stated.rejected(feed).values()), feed
        assert found.superseded.height == stated.superseded(feed), feed
        assert landed.height == stated.landed(feed), feed
    set_aside = deliveries(home, region)["set_aside"].to_list()
    assert any("profile" in str(names) for names in set_aside) == (region == "nanggalo")


def test_wrong_rows_land_only_in_months_that_have_good_rows(small: tuple[Home, WorldSummary]) -> None:
    home, _ = small
    policy, contracts = load_policies()["manokwari"], load_contracts()
    land_region(home, "manokwari", policy, contracts)
    for feed in ("attendance_log", "task_record", "feedback_response"):
        months = scan_landed(home, "manokwari", feed, None)["_month"].unique().sort().to_list()
        assert months == ["2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06"], feed


def test_every_kind_has_its_month_and_names_a_rule_of_its_contract() -> None:
    incoming = load_contracts().incoming
    reader_reasons = {"line__unreadable", "row__short", "nip__numeric"}
    for kind in KINDS:
        assert any(kind in kinds_at(kind.feed, reader, number, 6) for reader in kind.readers for number in range(6)), (
            kind.name
        )
        assert BAD_ROWS[kind.name] in {r.name for r in incoming[kind.feed].rules} | reader_reasons, kind.name


def test_files_arrive_early_in_the_next_month_and_one_scanner_is_late(small: tuple[Home, WorldSummary]) -> None:
    home, _ = small

    def arrived(name: str) -> dt.datetime:
        return dt.datetime.fromtimestamp((home.landing / name).stat().st_mtime, dt.UTC)

    # 08:00 in Manokwari is 23:00 UTC of the day before.
    assert arrived("manokwari/attendance_log/2026-01_attlog.dat") == dt.datetime(2026, 2, 1, 23, tzinfo=dt.UTC)
    assert arrived("pariaman/performance_rating/predikat_2026-05.jsonl") == dt.datetime(2026, 6, 3, 9, tzinfo=dt.UTC)
    late = arrived("pariaman/attendance_log/PRM-04_2026-03_susulan_attlog.dat")
    assert late == dt.datetime(2026, 6, 20, 2, tzinfo=dt.UTC)


def test_suppliers_write_as_their_policy_says(small: tuple[Home, WorldSummary]) -> None:
    home, _ = small
    landing = home.landing
    tap = (landing / "manokwari/attendance_log/2026-01_attlog.dat").read_bytes().split(b"\r\n")[0].split(b"\t")
    assert (len(tap), len(tap[0]), tap[2] in b"1234567", tap[5]) == (6, 9, True, b"0")
    salor = (landing / "salor/task_record/tugas_2026-01.csv").read_bytes().decode("cp1252").split("\r\n")
    assert salor[0].startswith("Nomor Tugas;NIP Pelaksana;Kode Unit;Jenis;Layanan;")
    assert ";Rutin;" in "".join(salor)
    assert (landing / "mamuju/attendance_log/2026-01_attlog.csv").read_bytes().startswith(b"\xff\xfe")
    assert '"opened_at": "2026-01-' in (landing / "pariaman/task_record/tugas_2026-01.jsonl").read_text()
    assert "+07:00" in (landing / "pariaman/task_record/tugas_2026-01.jsonl").read_text().splitlines()[0]
    events = (landing / "nanggalo/task_record/tugas_2026-01.csv").read_text().splitlines()
    assert events[0].split(",")[0] == "nomor"
    assert sum(",Diterima," in line for line in events) > sum(",Selesai," in line for line in events) > 0
    roster = (landing / "nanggalo/employee/pegawai_20260630.csv").read_text().splitlines()
    assert roster[2].startswith("NIP,NAMA,")
    assert roster[3].startswith("'19")


def test_one_region_delivers_ratings_in_a_workbook_with_a_sheet_per_period(small: tuple[Home, WorldSummary]) -> None:
    home, _ = small
    mapping = load_policies()["mamuju"].feeds["performance_rating"][0]
    data = (home.landing / "mamuju/performance_rating/rekap_penilaian_2026-03.xlsx").read_bytes()
    contract = load_contracts().incoming["performance_rating"]
    source = read_source(data, "rekap.xlsx", mapping, contract)
    landed = reshape(source, mapping, contract).landed
    # March, and again the ratings of February to which somebody objected; each sheet has its header where it likes.
    assert source["periode"].unique().sort().to_list() == ["Feb 2026", "Mar 2026"]
    assert landed["period"].unique().sort().to_list() == ["2026-02", "2026-03"]
    assert landed.filter(pl.col("period") == "2026-02").height == 2
    assert {"SESUAI EKSPEKTASI", "Sesuai Ekspektasi"} <= set(source["Hasil Kerja"])
    assert set(landed["result_rating"]) <= {"di_atas", "sesuai", "di_bawah"}


def test_an_open_task_comes_again_when_its_state_has_changed(small: tuple[Home, WorldSummary]) -> None:
    home, summary = small
    february = (home.landing / "manokwari/task_record/tugas_2026-02.csv").read_text().splitlines()
    again = [line for line in february if line.startswith("MKW-2601-")]
    file = next(f for f in summary.regions["manokwari"].files if f.path == "task_record/tugas_2026-02.csv")
    assert len(again) == file.superseded > 0
