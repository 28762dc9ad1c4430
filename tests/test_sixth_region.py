"""A region that exists only as files: an invented agency with hours, bands, formats and indicators of its own reaches
the warehouse through the launch path, and no line of code knows it. Expected values are worked out by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from home_warehouse import address
from home_warehouse import query as ask
from rich.console import Console

from kinerja_pipeline.home import Home, init_home

pytestmark = pytest.mark.scenario

POLICY = """\
region: pulau_raya
version: "7"
labels: {id: Kabupaten Pulau Raya, en: Pulau Raya Regency}
time_zone: Asia/Makassar
first_month: 2025-01
calendar:
  days_off:
    - {date: 2026-05-06, label: Hari jadi kabupaten}
schedules:
  pelabuhan:
    labels: {id: Pelabuhan, en: Harbour}
    week:
      mon: &day {start: 06:00, end: 14:00}
      tue: *day
      wed: *day
      thu: *day
attendance: {default_schedule: pelabuhan}
deductions:
  - valid_from: 2025-01
    late: [{from_minutes: 1, code: R1, share: 0.01}, {from_minutes: 11, code: R2, share: 0.04}]
    early: [{from_minutes: 1, code: P1, share: 0.02}]
    missing_tap_share: 0.02
    absent_day_share: 0.1
    base: allowance
    source: Peraturan Bupati 7
feeds:
  employee:
    - files: "*.csv"
      reader: csv
      delimiter: "|"
      delivery: full
      columns:
        {nip: NIP, name: Nama, assignment_code: Tugas, valid_from: Mulai, employment_status: Status, unit_id: Unit,
         position_level: Jenjang}
      codes: {assignment_code: {Tetap: utama}}
  org_unit:
    - {files: "*.csv", reader: csv, delivery: full}
  device_pin:
    - {files: "*.csv", reader: csv, delivery: full}
  attendance_log:
    - {files: "*.txt", reader: csv, delimiter: "\\t", header_row: 0, column_names: [alat, pin, waktu],
       columns: {device_id: alat, pin: pin, tapped_at: waktu}}
  task_record:
    - {files: "*.csv", reader: csv, delimiter: ";", delivery: delta, columns: {task_id: kapal, nip: petugas,
       opened_at: tiba, due_at: batas, completed_at: berangkat, status_code: keadaan, task_type: jenis},
       codes: {status_code: {selesai: completed, sandar: open}, task_type: {kapal: routine}}}
  indicator_measurement:
    - {files: "*.csv", reader: csv, delivery: delta}
  indicator_target:
    - {files: "*.csv", reader: csv, delivery: delta}
indicators:
  # Nothing of the default is weighed here; two indicators of its own are.
  task_on_time: {is_active: false}
  task_quantity: {is_active: false}
  task_quality: {is_active: false}
  task_cost: {is_active: false}
  attendance: {is_active: false}
  punctuality: {weight: 0.5}
  turnaround:
    labels: {id: Waktu sandar kapal, en: Ship turnaround}
    fact: task_outcome
    filter: is_completed
    numerator: duration_hours
    statistic: median
    subjects: [employee, unit]
    aspect: time
    unit: working hours
    direction: lower
    target: {value: 4}
    weight: 0.5
  cargo_growth:
    labels: {id: Pertumbuhan bongkar muat, en: Growth of cargo}
    fact: indicator_measurement
    filter: indicator_id = 'cargo'
    numerator: value
    statistic: growth
    scale: 100
    subjects: [unit]
    aspect: quantity
    unit: percent
    direction: higher
    target: {value: 100}
"""
LATER = """\
version: "8"
indicators:
  turnaround: {statistic: p90}
evaluation: {result_above: 95}
"""
ANI, BUDI = "199001012020011001", "198505052010012002"
MEASURED = "indicator_id,subject_kind,subject_id,period,value"
# Monday to Wednesday; the Wednesday is the regency's own holiday.
FILES = {
    "org_unit/unit.csv": "unit_id,valid_from,name\ndermaga,2025-01-01,Dermaga\n",
    "employee/pegawai.csv": "NIP|Nama|Tugas|Mulai|Status|Unit|Jenjang\n"
    f"{ANI}|Ani|Tetap|2025-01-01|pns|dermaga|pelaksana\n"
    f"{BUDI}|Budi|Tetap|2025-01-01|pns|dermaga|pelaksana\n",
    "device_pin/pin.csv": f"device_id,pin,valid_from,nip\nD1,1,2025-01-01,{ANI}\nD1,2,2025-01-01,{BUDI}\n",
    "attendance_log/mei.txt": "D1\t1\t04/05/2026 06:12\nD1\t1\t04/05/2026 14:00\nD1\t2\t04/05/2026 05:58\n"
    "D1\t2\t04/05/2026 14:01\nD1\t1\t05/05/2026 06:00\nD1\t1\t05/05/2026 14:00\nD1\t9\t05/05/2026 06:00\n",
    "task_record/april.csv": "kapal;petugas;tiba;batas;berangkat;keadaan;jenis\n"
    f"K0;{ANI};2026-04-06 08:00;2026-04-07;2026-04-06 09:00;selesai;kapal\n",
    "task_record/mei.csv": "kapal;petugas;tiba;batas;berangkat;keadaan;jenis\n"
    + "".join(
        f"K{n};{ANI};2026-05-04 06:00;2026-05-05;2026-05-04 {6 + n:02d}:00;selesai;kapal\n" for n in (1, 2, 3, 7)
    ),
    "indicator_measurement/2025.csv": f"{MEASURED}\ncargo,unit,dermaga,2025-05,200\n",
    "indicator_measurement/2026.csv": f"{MEASURED}\ncargo,unit,dermaga,2026-05,250\ncargo,unit,dermaga,2026-04,70\n",
    "indicator_target/2026.csv": "indicator_id,subject_kind,subject_id,period,target,agreed_at,agreed_by\n"
    f"turnaround,employee,{ANI},2026-Q2,5,2026-03-30 08:00,{BUDI}\n",
}
Query = Callable[[str], list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def query(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Query]:
    from kinerja_pipeline.orchestration.launch import launch

    home = Home(tmp_path_factory.mktemp("pulau_raya"))
    init_home(home)
    (home.policies / "pulau_raya.yaml").write_text(POLICY, encoding="utf-8")
    (home.policies / "pulau_raya@2026-05.yaml").write_text(LATER, encoding="utf-8")
    for name, text in FILES.items():
        path: Path = home.landing / "pulau_raya" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KINERJA_HOME", str(home.root))
        environment.setenv("KINERJA_WAREHOUSE_URL", address(home))
        outcome = launch(
            home, regions=["pulau_raya"], first="2026-04", last="2026-05", today=dt.date(2026, 6, 10),
            console=Console(quiet=True),
        )  # fmt: skip
        assert (outcome.failed, outcome.refused, outcome.done) == ([], [], 2)

        yield partial(ask, home)


def test_days_are_judged_by_its_own_hours_holidays_and_bands(query: Query) -> None:
    days = query(
        "SELECT nip, work_date, status_code, late_minutes, late_code, deduction_share, deduction_base_code "
        "FROM attendance_day WHERE work_date BETWEEN '2026-05-04' AND '2026-05-08' ORDER BY nip DESC, work_date"
    )
    ani = [row[1:] for row in days if row[0] == ANI]
    assert ani[0] == ("2026-05-04", "late", 12, "R2", 0.04, "allowance")
    assert ani[1][:4] == ("2026-05-05", "present", 0, None)
    assert [row[1] for row in ani[2:]] == ["holiday", "not_recorded", "off"]
    assert [row[2] for row in days if row[0] == BUDI][:2] == ["present", "absent"]


def test_a_tap_of_an_unknown_pin_is_set_aside_with_its_reason(query: Query) -> None:
    where = "feed = 'attendance_log' AND period = '2026-05'"
    assert query(f"SELECT rule_id, rejected_count FROM data_quality WHERE {where} ORDER BY rule_id") == [
        ("all", 1),
        ("pin__unknown", 1),
    ]


def kpi(query: Query, indicator: str, subject: str, period: str) -> tuple[object, ...]:
    (row,) = query(
        f"SELECT actual, target, status_code, reason FROM kpi WHERE indicator_id = '{indicator}' "
        f"AND subject_id = '{subject}' AND period = '{period}'"
    )
    return row


def test_its_own_indicator_follows_the_policy_of_each_month_and_of_the_quarters_last_day(query: Query) -> None:
    # One ship of one hour in April (median); 1, 2, 3 and 7 hours in May (nearest rank of nine tenths: the last).
    assert kpi(query, "turnaround", ANI, "2026-04") == (1.0, 5.0, "computed", None)
    assert kpi(query, "turnaround", ANI, "2026-05") == (7.0, 5.0, "computed", None)
    # The quarter is of May's policy: the 90th percentile of 1 1 2 3 7, against what was agreed for the quarter.
    assert kpi(query, "turnaround", ANI, "2026-Q2") == (7.0, 5.0, "computed", None)
    assert kpi(query, "turnaround", "dermaga", "2026-04") == (1.0, 4.0, "computed", None)
    assert kpi(query, "turnaround", BUDI, "2026-05")[2:] == ("not_computable", "no_evidence")


def test_growth_reads_last_years_file_although_that_year_was_never_computed(query: Query) -> None:
    assert kpi(query, "cargo_growth", "dermaga", "2026-05")[0] == 125.0
    assert kpi(query, "cargo_growth", "dermaga", "2026-04")[2:] == ("not_computable", "no_base_year")
    assert kpi(query, "cargo_growth", "dermaga", "2026-Q2")[0] == 125.0
    assert query("SELECT DISTINCT period FROM period_status WHERE period LIKE '2025%'") == []


def test_every_row_names_the_policy_that_ruled_it_and_the_dictionary_has_both(query: Query) -> None:
    ruled = query(
        "SELECT DISTINCT k.period, substr(k.policy_version, 1, 1), i.statistic FROM kpi k JOIN indicator i "
        "ON i.region = k.region AND i.indicator_id = k.indicator_id AND i.policy_version = k.policy_version "
        "WHERE k.indicator_id = 'turnaround' ORDER BY k.period"
    )
    assert ruled == [
        ("2026", "8", "p90"),
        ("2026-04", "7", "median"),
        ("2026-05", "8", "p90"),
        ("2026-Q2", "8", "p90"),
        ("2026-S1", "8", "p90"),
    ]
    assert query("SELECT label_id, substr(policy_version, 1, 1) FROM region") == [("Kabupaten Pulau Raya", "8")]


def test_the_result_score_weighs_its_own_two_indicators(query: Query) -> None:
    # April: turnaround 100 * (2*5 - 1)/5 = 180, capped at 120; nobody tapped, so half of the weight is missing.
    # May: punctuality of one in two days against 90 = 55.56, turnaround 100 * (2*5 - 7)/5 = 60: 57.78.
    found = query(
        f"SELECT period, result_score, coverage_share, reason FROM evaluation WHERE nip = '{ANI}' "
        "AND period_kind = 'month' ORDER BY period"
    )
    assert found == [
        ("2026-04", None, 0.5, "result_coverage_too_low"),
        ("2026-05", 57.78, 1.0, "behaviour_not_rated"),
    ]


def test_the_agreed_target_is_published_with_whether_it_came_in_time(query: Query) -> None:
    assert query("SELECT indicator_id, subject_id, period, target, is_agreed_before_start FROM indicator_target") == [
        ("turnaround", ANI, "2026-Q2", 5.0, 1)
    ]
