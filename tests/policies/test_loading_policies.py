"""Policies: packaged, overridden by the home, and refused with file, line and what to write instead."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from kinerja_pipeline.policies.loader import PolicyError, load_policies, merged, policy_version
from kinerja_pipeline.policies.model import Policy


def home(folder: Path, **files: str) -> Path:
    """A home's policies folder with these files, by name."""
    place = folder / "policies"
    place.mkdir(exist_ok=True)
    for name, text in files.items():
        (place / f"{name}.yaml").write_text(text, encoding="utf-8")
    return place


def refusal(folder: Path, **files: str) -> str:
    with pytest.raises(PolicyError) as caught:
        load_policies(home(folder, **files))
    return str(caught.value)


@pytest.fixture(scope="module")
def packaged() -> dict[str, Policy]:
    return load_policies()


def test_the_five_regions_load_with_their_clocks(packaged: dict[str, Policy]) -> None:
    assert {name: policy.time_zone for name, policy in packaged.items()} == {
        "mamuju": "Asia/Makassar",
        "manokwari": "Asia/Jayapura",
        "nanggalo": "Asia/Jakarta",
        "pariaman": "Asia/Jakarta",
        "salor": "Asia/Jayapura",
    }
    assert all(name == policy.region for name, policy in packaged.items())


@pytest.mark.parametrize("name", ["office_5_day", "office_6_day"])
def test_the_packaged_office_weeks_are_37_and_a_half_hours_and_32_and_a_half_in_ramadan(
    name: str, packaged: dict[str, Policy]
) -> None:
    # Perpres 21/2023, without breaks.
    office = packaged["salor"].schedules[name]
    for week, minutes in ((office.week, 2250), (office.ramadan, 1950)):
        assert week is not None
        lengths = [
            (day.end.hour - day.start.hour) * 60 + day.end.minute - day.start.minute - day.break_minutes
            for day in week.values()
        ]
        assert sum(lengths) == minutes


def test_a_home_without_policies_has_the_packaged_ones(tmp_path: Path, packaged: dict[str, Policy]) -> None:
    assert load_policies(tmp_path / "nowhere") == packaged
    assert load_policies(home(tmp_path)) == packaged


def test_a_homes_file_changes_what_it_names_and_nothing_else(tmp_path: Path, packaged: dict[str, Policy]) -> None:
    changed = load_policies(home(tmp_path, salor="periods:\n  closing_day: 9\n"))
    assert changed["salor"].periods.closing_day == 9
    assert changed["salor"].periods.task_lookback_months == packaged["salor"].periods.task_lookback_months
    back = changed["salor"].model_copy(update={"periods": packaged["salor"].periods})
    assert back == packaged["salor"]
    assert {k: v for k, v in changed.items() if k != "salor"} == {k: v for k, v in packaged.items() if k != "salor"}


def test_a_homes_default_reaches_every_region(tmp_path: Path) -> None:
    changed = load_policies(home(tmp_path, default="periods:\n  closing_day: 7\n"))
    assert {policy.periods.closing_day for policy in changed.values()} == {7}


def test_a_regions_own_file_beats_a_homes_default(tmp_path: Path) -> None:
    files = {"default": "periods: {closing_day: 7}", "salor": "periods: {closing_day: 8}"}
    changed = load_policies(home(tmp_path, **files))
    assert (changed["salor"].periods.closing_day, changed["mamuju"].periods.closing_day) == (8, 7)


def test_a_new_region_is_one_file(tmp_path: Path) -> None:
    files = {"sorong": "labels: {id: Kota Sorong, en: Sorong City}\ntime_zone: Asia/Jayapura\n"}
    policies = load_policies(home(tmp_path, **files))
    assert sorted(policies) == ["mamuju", "manokwari", "nanggalo", "pariaman", "salor", "sorong"]
    assert policies["sorong"].region == "sorong"


def test_lists_replace_and_mappings_merge() -> None:
    under = {"a": {"x": 1, "y": [1, 2]}, "b": 1}
    assert merged(under, {"a": {"y": [3]}, "c": 2}) == {"a": {"x": 1, "y": [3]}, "b": 1, "c": 2}
    assert under == {"a": {"x": 1, "y": [1, 2]}, "b": 1}


def test_a_time_of_day_may_stand_without_quotes(tmp_path: Path) -> None:
    # YAML 1.1 would read 16:00 as 960, and 960 would become sixteen minutes past midnight.
    text = "schedules:\n  office_5_day:\n    week:\n      mon: {start: 07:30, end: 16:00, break_start: 12:00}\n"
    monday = load_policies(home(tmp_path, salor=text))["salor"].schedules["office_5_day"].week["mon"]
    assert (monday.start, monday.end, monday.break_start) == (dt.time(7, 30), dt.time(16), dt.time(12))


TABLE = "{valid_from: 2026-01, missing_tap_share: 0, absent_day_share: 0, base: allowance, source: x"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "deductions:\n  - valid_from: 2026-01\n    late:\n      - {from_minutes: 31, code: TL2, share: 0.01}\n"
            "      - {from_minutes: 1, code: TL1, share: 0.005}\n    missing_tap_share: 0\n    absent_day_share: 0\n"
            "    base: allowance\n    source: x\n",
            "line 5: deductions.0.late.1.from_minutes: bands are listed from the shortest to the longest",
        ),
        (
            f"deductions:\n  - {TABLE}, late: [{{from_minutes: 1, code: T, share: 0}}],\n"
            "     early: [{from_minutes: 1, code: T, share: 0}]}",
            "line 3: deductions.0.early.0.code: the code T stands twice in this table",
        ),
        (
            f"deductions:\n  - {TABLE}, late: [{{from_minutes: 1, code: T, share: 0}}], late_minute_share: 0.1}}",
            "line 2: deductions.0: declare either the bands `late` or `late_minute_share`, not both",
        ),
        (
            f"deductions:\n  - {TABLE}}}\n  - {TABLE}, employment_status: [pppk], day_types: [shift]}}",
            "line 3: deductions.1: from 2026-01 on, tables 1 and 2 both hold for pppk on shift days; name other",
        ),
        (
            f"deductions:\n  - {TABLE}, day_types: [normal]}}\n"
            f"  - {TABLE}, month_cap_share: 0.5, day_types: [friday]}}",
            "line 3: deductions.1: in 2026-01 another table with another base or month_cap_share holds for other days",
        ),
        (
            "attendance:\n  schedule_by_employment:\n    pppk: nights",
            "line 3: attendance.schedule_by_employment.pppk: 'nights' is not among schedules",
        ),
        (
            "discipline:\n  - {code: b, counter: year, days: 4}\n  - {code: a, counter: year, days: 3}",
            "line 3: discipline.1.days: thresholds are listed from the mildest to the gravest",
        ),
        (
            "schedules:\n  office_5_day:\n    changes:\n      - {valid_from: 2026-04, week: {}}\n"
            "      - {valid_from: 2026-04, week: {}}",
            "line 5: schedules.office_5_day.changes.1.valid_from: changes are listed from the earliest to the latest",
        ),
        (
            "periods:\n  closing_dya: 3",
            "line 2: periods.closing_dya: this key is not known; did you mean 'closing_day'?",
        ),
        ("period:\n  closing_day: 3", "line 1: period: this key is not known; did you mean 'periods'?"),
        ("\nperiods:\n  closing_day: 1", "line 3: periods.closing_day: Input should be greater than or equal to 2"),
        ("time_zone: Asia/Jayapra", "line 1: time_zone: 'Asia/Jayapra' is not a time zone; Indonesia has Asia/Jakarta"),
        ("first_month: 2025-13", "line 1: first_month: String should match pattern"),
        (
            "follow_up:\n  decline:\n    labels: {id: a, en: b}\n    mnths: 3",
            "line 4: follow_up.decline.mnths: this key is not known; did you mean 'months'?",
        ),
        ("follow_up:\n  extra:\n    rule: declin", "line 2: follow_up.extra: Input tag 'declin'"),
        (
            "schedules:\n  office_5_day:\n    week:\n      mon: {start: 730, end: 16:00}",
            "line 4: schedules.office_5_day.week.mon.start: '730' is not a time of day; write it as 07:30",
        ),
        (
            "schedules:\n  office_5_day:\n    week:\n      mo: {start: 07:30, end: 16:00}",
            "line 4: schedules.office_5_day.week.mo",
        ),
        ("attendance:\n  default_schedule: nights", "attendance.default_schedule 'nights' is not among schedules"),
        (
            "feeds:\n  employee:\n  - {reader: csv}\n  - {reader: csv, heder_row: 2}",
            "line 4: feeds.employee.1.heder_row: this key is not known; did you mean 'header_row'?",
        ),
        ("feeds:\n  employee:\n  - {reader: cvs}", "line 3: feeds.employee.0.reader: Input should be 'attlog', 'csv'"),
        (
            "feeds:\n  employee:\n  - {reader: csv, header_row: 0}",
            "line 3: feeds.employee.0: a CSV without header (header_row: 0) needs column_names",
        ),
        (
            "feeds:\n  employee:\n  - reader: csv\n    unpivot: {columns: {}, code_to: a, value_to: b}\n"
            "    fold: {by: [a], take: {}}",
            "line 3: feeds.employee.0: declare either unpivot or fold, not both",
        ),
        (
            "indicators:\n  task_cost: {weight: 0.5}",
            "the weights of the active employee indicators sum to 1.4, not 1",
        ),
        (
            "indicators:\n  task_cost:\n    denominator: null",
            "line 2: indicators.task_cost: statistic ratio needs a denominator",
        ),
        (
            "indicators:\n  budget_absorption:\n    target: {low: null}",
            "line 2: indicators.budget_absorption: direction range needs target.low and target.high",
        ),
        (
            "indicators:\n  task_cost:\n    target: {value: null}",
            "line 2: indicators.task_cost: target.value is missing",
        ),
        (
            "follow_up:\n  d:\n    rule: disagreement\n    labels: {id: a, en: b}\n    survey_code: smk",
            "line 5: follow_up.d.survey_code: 'smk' is not among surveys",
        ),
        (
            "follow_up:\n  d:\n    rule: disagreement\n    labels: {id: a, en: b}\n    low_classes: [C, E]",
            "line 5: follow_up.d.low_classes: 'E' is no class of skm; it has A, B, C, D",
        ),
        (
            "tasks:\n  standard_hours:\n    request: 15",
            "line 3: tasks.standard_hours.request.[key]: Input should be 'service_request', 'complaint', 'routine'",
        ),
        ("tasks:\n  standard_hours: {routine: 0}", "line 2: tasks.standard_hours.routine: Input should be greater"),
        (
            "indicators:\n  task_cots: {weight: 0}",
            "line 2: indicators.task_cots.labels: is missing, and no other file declares this indicator; did you mean "
            "'task_cost'?",
        ),
        ("indicators:\n  Task-Cost: {weight: 0.5}", "Task-Cost.[key]: String should match pattern"),
        (
            "indicators:\n  task_cost: {wieght: 0.1}",
            "line 2: indicators.task_cost.wieght: this key is not known; did you mean 'weight'?",
        ),
        (
            "surveys:\n  skm:\n    element_weight: 0.2",
            "line 3: surveys.skm.element_weight: 9 elements of 0.2 are more than 1; write at most 0.111",
        ),
        (
            "surveys:\n  skm:\n    classes:\n      - {code: A, minimum: 80}\n      - {code: A, minimum: 60}",
            "line 5: surveys.skm.classes.1.code: the class A stands twice",
        ),
        ("- a list", "holds no keys"),
        ("", "holds no keys"),
        (
            "periods: {closing_day: 3}\nperiods: {closing_day: 4}",
            "line 2: 'periods' stands here and in line 1; keep one",
        ),
        ("periods: &p {closing_day: *p}", "an alias contains itself"),
        ("periods: [", "not readable as YAML"),
    ],
)
def test_a_wrong_policy_is_refused_with_file_line_and_remedy(tmp_path: Path, text: str, says: str) -> None:
    message = refusal(tmp_path, salor=text)
    assert message.startswith("salor.yaml")
    assert says in message


def test_a_mistake_in_a_homes_default_is_named_there(tmp_path: Path) -> None:
    text = "# Ours\n\nperiods:\n  closing_day: 31\n"
    assert refusal(tmp_path, default=text).startswith("default.yaml, line 4: periods.closing_day: Input should be less")


def test_a_missing_key_is_named_in_the_regions_file(tmp_path: Path) -> None:
    assert refusal(tmp_path, sorong="labels: {id: a, en: b}") == "sorong.yaml, line 1: time_zone: Field required"


def test_more_mistakes_are_counted(tmp_path: Path) -> None:
    message = refusal(tmp_path, salor="periods: {closing_day: 1, task_lookback_months: 99}")
    assert message.endswith("(1 more after this one)")


def test_a_policy_of_billions_of_values_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert "stands for more than 100,000 values" in refusal(tmp_path, salor="\n".join(lines))


def test_a_policy_file_of_megabytes_is_refused(tmp_path: Path) -> None:
    assert "larger than 1,000,000 bytes" in refusal(tmp_path, salor="# " + "x" * 1_000_000)


# ---- versions --------------------------------------------------------------------------------------------------------


def test_a_version_is_the_stated_one_with_a_fingerprint(packaged: dict[str, Policy]) -> None:
    version = policy_version(packaged["salor"])
    assert version.startswith("2026.1+")
    assert len(version) == len("2026.1+12345678")
    assert policy_version(load_policies()["salor"]) == version


@pytest.mark.parametrize(
    "text",
    [
        "version: '2026.2'",
        "periods: {closing_day: 6}",
        "calendar: {days_off: [{date: 2026-05-04, label: Hari jadi}]}",
        "attendance: {repeat_seconds: 61}",
        "schedules: {office_5_day: {week: {mon: {start: 07:31}}}}",
        "permits: {sakit: {labels: {en: Ill}}}",
        "indicators: {task_on_time: {target: {value: 86}}}",
        "indicators: {task_on_time: {source: elsewhere}}",
        "evaluation: {result_above: 111}",
        "follow_up: {decline: {drop: 9}}",
        "surveys: {skm: {element_weight: 0.111}}",
        "discipline: []",
        "attendance: {late_minutes_per_unexcused_day: 450}",
        "first_month: 2025-02",
    ],
)
def test_any_change_of_a_policy_changes_its_version(tmp_path: Path, text: str, packaged: dict[str, Policy]) -> None:
    changed = load_policies(home(tmp_path, salor=text))
    assert policy_version(changed["salor"]) != policy_version(packaged["salor"])
    assert policy_version(changed["mamuju"]) == policy_version(packaged["mamuju"])


# ---- what a policy answers -------------------------------------------------------------------------------------------


def test_another_wording_of_a_promise_is_no_other_policy(tmp_path: Path, packaged: dict[str, Policy]) -> None:
    (tmp_path / "salor.yaml").write_text("promises: {S1: {labels: {en: Standards agreed}}}", encoding="utf-8")
    changed = load_policies(tmp_path)["salor"]
    assert changed.promises["S1"].labels.en == "Standards agreed"
    assert policy_version(changed) == policy_version(packaged["salor"])


def test_another_address_is_no_other_policy(tmp_path: Path, packaged: dict[str, Policy]) -> None:
    (tmp_path / "salor.yaml").write_text("contacts: {BKPSDM: [data@bkpsdm.salor.example]}", encoding="utf-8")
    changed = load_policies(tmp_path)["salor"]
    assert changed.contacts == {"BKPSDM": ["data@bkpsdm.salor.example"]}
    assert policy_version(changed) == policy_version(packaged["salor"])


def test_the_deduction_in_force_is_the_last_that_has_started(packaged: dict[str, Policy]) -> None:
    table = packaged["salor"].deductions[0]
    later = table.model_copy(update={"valid_from": "2026-07", "absent_day_share": 0.04})
    policy = packaged["salor"].model_copy(
        update={"deductions": [later, table.model_copy(update={"valid_from": "2025-03"})]}
    )
    shares = {
        month: policy.deduction(month, "pns", "normal")
        for month in ("2025-02", "2025-03", "2026-06", "2026-07", "2027-01")
    }
    assert {month: d and d.absent_day_share for month, d in shares.items()} == {
        "2025-02": None,
        "2025-03": 0.03,
        "2026-06": 0.03,
        "2026-07": 0.04,
        "2027-01": 0.04,
    }


def test_an_element_of_the_public_survey_weighs_a_ninth_unless_the_policy_prints_another(
    packaged: dict[str, Policy],
) -> None:
    survey = packaged["salor"].surveys["skm"]
    assert survey.weight == pytest.approx(1 / 9)
    assert survey.model_copy(update={"element_weight": 0.111}).weight == 0.111
