"""`kinerja policy`: everything that is wrong at once, what is in force in words, and the schema for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from kinerja_pipeline.cli import main
from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.policies.check import check_policies, policy_schema
from kinerja_pipeline.policies.indicators import compiled
from kinerja_pipeline.policies.loader import PolicyError, load_policies
from kinerja_pipeline.policies.model import Indicator

CONTRACTS = load_contracts()
PACKAGED = sorted(Path(load_policies.__code__.co_filename).parent.glob("*.yaml"))

WRONG = """\
periods:
  closing_dya: 3
  task_lookback_months: 99
indicators:
  task_cost: {weight: 0.1, aspect: money}
"""
UNABLE = """\
feeds:
  attendence_log: []
indicators:
  task_on_time:
    filter: quality_score
  task_quality:
    numerator: task_type
  punctuality:
    fact: atendance_day
"""


def problems(folder: Path, file: Path | None = None, **files: str) -> list[str]:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return [str(p) for p in check_policies(folder, CONTRACTS, file)]


def test_the_packaged_policies_are_in_order(tmp_path: Path) -> None:
    assert problems(tmp_path) == []


def test_every_mistake_has_a_line_of_its_own(tmp_path: Path) -> None:
    lines = problems(tmp_path, salor=WRONG)
    assert [line.split(": ")[:2] for line in lines] == [
        ["salor.yaml, line 5", "indicators.task_cost.aspect"],
        ["salor.yaml, line 3", "periods.task_lookback_months"],
        ["salor.yaml, line 2", "periods.closing_dya"],
    ]
    assert lines[2].endswith("this key is not known; did you mean 'closing_day'?")


def test_what_cannot_be_computed_is_found_with_its_line(tmp_path: Path) -> None:
    assert problems(tmp_path, salor=UNABLE) == [
        "salor.yaml, line 2: feeds.attendence_log: there is no feed 'attendence_log'; did you mean 'attendance_log'?",
        "salor.yaml, line 5: indicators.task_on_time.filter: 'quality_score' must say yes or no, and gives a number; "
        "compare it with something",
        "salor.yaml, line 7: indicators.task_quality.numerator: 'task_type' must be a number, and gives text",
        "salor.yaml, line 9: indicators.punctuality.fact: there is no fact 'atendance_day'; did you mean "
        "'attendance_day'?",
    ]


def test_a_promise_names_what_there_is(tmp_path: Path) -> None:
    wrong = "promises:\n  S1:\n    tables: [kpi, indicator_targt]\n"
    (line,) = problems(tmp_path, salor=wrong)
    assert line.startswith("salor.yaml, line 3: promises.S1.tables.1: there is no published table 'indicator_targt'")
    assert line.endswith("did you mean 'indicator_target'?")
    (line,) = problems(tmp_path, salor="promises:\n  S5:\n    follow_up: [promotion, demotion]\n")
    assert line == "salor.yaml, line 3: promises.S5.follow_up.1: 'demotion' is not among follow_up"


def test_a_contact_is_a_team_that_owns_a_feed_and_an_address(tmp_path: Path) -> None:
    assert problems(tmp_path, salor="contacts:\n  BKPSDM: [data@bkpsdm.salor.example]\n") == []
    (line,) = problems(tmp_path, salor="contacts:\n  BKPSM: [data@bkpsdm.salor.example]\n")
    assert line.startswith("salor.yaml, line 2: contacts.BKPSM: 'BKPSM' owns no feed; did you mean 'BKPSDM'?")
    (line,) = problems(tmp_path, salor="contacts:\n  BKPSDM: [data at bkpsdm]\n")
    assert line.startswith("salor.yaml, line 2: contacts.BKPSDM.0: ")


def test_a_mistake_of_the_default_is_one_mistake(tmp_path: Path) -> None:
    assert len(problems(tmp_path, default="periods: {closing_day: 31}")) == 1


def test_one_file_is_checked_as_if_it_lay_in_the_home(tmp_path: Path) -> None:
    home, draft = tmp_path / "policies", tmp_path / "salor@2026-04.yaml"
    home.mkdir()
    (home / "mamuju.yaml").write_text("periods: {closing_day: 31}", encoding="utf-8")
    draft.write_text("indicators: {task_cost: {weight: 0.2}}", encoding="utf-8")
    weights = "policy: the weights of the active employee indicators sum to 1.1, not 1"
    assert problems(home, draft) == [f"salor@2026-04.yaml, line 1: {weights}"]
    draft.write_text("time_zone: Asia/Jakarta", encoding="utf-8")
    assert problems(home, draft) == [
        "salor@2026-04.yaml, line 1: time_zone cannot change from a month on; write it in salor.yaml"
    ]
    assert problems(home, PACKAGED[0]) == []


def test_weights_that_no_longer_sum_are_found_in_the_file_that_changed_them(tmp_path: Path) -> None:
    assert problems(tmp_path, salor="version: '1'\nindicators:\n  task_cost: {weight: 0.2}") == [
        "salor.yaml, line 1: policy: the weights of the active employee indicators sum to 1.1, not 1"
    ]


def test_unreadable_files_are_listed_and_do_not_hide_the_others(tmp_path: Path) -> None:
    lines = problems(tmp_path, mamuju="periods: [", salor="periods: {closing_day: 31}")
    assert [line.split(":")[0] for line in lines] == ["mamuju.yaml, line 2", "salor.yaml, line 1"]


# ---- what a declaration cannot be ------------------------------------------------------------------------------------

DECLARED: dict[str, Any] = {
    "labels": {"id": "a", "en": "b"},
    "fact": "task_outcome",
    "numerator": "quantity_done",
    "statistic": "count",
    "subjects": ["unit"],
    "aspect": "time",
    "unit": "tasks",
    "direction": "higher",
    "target": {"value": 1},
}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"denominator": "1"}, "statistic count takes no denominator; leave it out, or write ratio"),
        ({"statistic": "median", "denominator": "1"}, "statistic median takes no denominator"),
        ({"statistic": "ratio"}, "statistic ratio needs a denominator"),
        (
            {"statistic": "median", "target": {"value": 1, "kind": "additive"}},
            "only counts add up: statistic median needs target.kind level",
        ),
        ({"unit": "percent"}, "percents do not add up"),
        ({"unit": "percent", "statistic": "growth"}, "growth in percent needs scale 100, not 1"),
        (
            {"unit": "hours", "statistic": "ratio", "denominator": "1", "scale": 100},
            "scale 100 makes percents, the unit is hours",
        ),
    ],
)
def test_a_statistic_and_a_unit_that_cannot_be_are_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Indicator.model_validate({**DECLARED, **changes})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"numerator": "is_due"}, "numerator: 'is_due' must be a number, and gives yes or no; write CASE WHEN"),
        ({"numerator": "opened_at"}, "numerator: 'opened_at' must be a number, and gives a time"),
        ({"numerator": "task_id"}, "numerator: 'task_id' must be a number, and gives text"),
        ({"filter": "quantity_done"}, "filter: 'quantity_done' must say yes or no, and gives a number"),
        ({"filter": "task_type"}, "filter: 'task_type' must say yes or no, and gives text"),
        (
            {"statistic": "ratio", "numerator": "1", "denominator": "task_type"},
            "denominator: 'task_type' must be a number",
        ),
        ({"filter": "quantity_done = 'many'"}, "filter: 'quantity_done = 'many'' cannot be computed"),
        (
            {
                "statistic": "ratio",
                "unit": "percent",
                "denominator": "1",
                "numerator": "CASE WHEN is_due THEN 1 ELSE 0 END",
            },
            "scale: a share is 0 to 1; write scale: 100 for the unit percent",
        ),
    ],
)
def test_expressions_are_tried_on_an_empty_fact(changes: dict[str, Any], says: str) -> None:
    declared = {"done": Indicator.model_validate({**DECLARED, **changes})}
    policy = load_policies()["salor"].model_copy(update={"indicators": declared})
    with pytest.raises(PolicyError) as refused:
        compiled(policy, CONTRACTS)
    assert says in str(refused.value)


# ---- the commands ----------------------------------------------------------------------------------------------------


def command(home: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["--home", str(home), "policy", *arguments])
    return result.exit_code, result.output


@pytest.fixture(autouse=True)
def _home_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    # --home sets it for the process; the fixture puts it back.
    monkeypatch.setenv("KINERJA_HOME", "nowhere")


def test_check_says_yes_or_every_problem_and_how_it_ended(tmp_path: Path) -> None:
    assert command(tmp_path, "check") == (0, "Every policy is in order.\n")
    (tmp_path / "policies").mkdir()
    file = tmp_path / "policies" / "salor.yaml"
    file.write_text(WRONG, encoding="utf-8")
    code, output = command(tmp_path, "check")
    assert (code, len(output.splitlines())) == (1, 3)
    assert command(tmp_path, "check", str(file)) == (1, output)


def test_explain_tells_officials_what_is_in_force_in_a_month(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "pariaman@2026-04.yaml").write_text(
        "evaluation: {result_above: 115}\nindicators: {task_on_time: {target: {by_position: {jpt: 92.5}}}}",
        encoding="utf-8",
    )
    code, march = command(tmp_path, "explain", "pariaman", "--month", "2026-03")
    assert code == 0
    for line in (
        "Kota Pariaman: kebijakan yang berlaku pada Maret 2026 (versi 2026.1+",
        "  Ramadan: 19-02-2026 s.d. 20-03-2026",
        "    Senin, Selasa, Rabu, Kamis: 07.30-16.00, istirahat 60 menit mulai 12.00",
        "  Terlambat: 1-30 menit = TL1 0,5 %; 31-60 menit = TL2 1 %",
        "  Tugas selesai tepat waktu (task_on_time): pegawai, unit; aspek waktu; bobot 30 %",
        "    Rumus: median(duration_hours) where is_completed AND task_type = 'service_request' [task_outcome]",
        "    Target: 90 s.d. 100 persen (dalam rentang)",
        "    Target: 220 tonnes sebulan (makin tinggi makin baik)",
        "  Hasil kerja: di atas ekspektasi bila lebih dari 110, sesuai sejak 90, di bawah bila kurang",
    ):
        assert line in march
    _, april = command(tmp_path, "explain", "pariaman", "--month", "2026-04")
    assert "bila lebih dari 115" in april
    assert "Target: 85 persen; menurut jenjang: jpt 92,5 (makin tinggi makin baik)" in april


def test_explain_of_an_unknown_region_names_the_known_ones(tmp_path: Path) -> None:
    code, output = command(tmp_path, "explain", "sorong")
    assert (code, output.startswith("There is no region 'sorong'; known are mamuju, manokwari")) == (1, True)


def test_the_schema_takes_every_packaged_file_and_refuses_a_misspelt_key(tmp_path: Path) -> None:
    code, output = command(tmp_path, "schema")
    assert code == 0
    schema = json.loads(output)
    assert schema == policy_schema()
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    for path in PACKAGED:
        page = json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")), default=str))
        assert [e.message for e in validator.iter_errors(page)] == [], path.name
    assert not validator.is_valid({"periods": {"closing_dya": 3}})
    assert not validator.is_valid({"discipline": [{"code": "x"}]}), "an entry of a list is whole"
    assert validator.is_valid({"indicators": {"task_cost": {"weight": 0.2}}}), "a file states what differs"
