"""A file with a month in its name holds from that month on, and changes what it names and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.orchestration.deployment import Deployment
from kinerja_pipeline.policies.check import check_policies
from kinerja_pipeline.policies.dated import Policies
from kinerja_pipeline.policies.loader import PolicyError, load_policies, policy_version


def policies(folder: Path, **files: str) -> Policies:
    """A home's policies; `salor__2026_04` is salor@2026-04.yaml."""
    for name, text in files.items():
        region, _, since = name.partition("__")
        stem = f"{region}@{since.replace('_', '-')}" if since else region
        (folder / f"{stem}.yaml").write_text(text, encoding="utf-8")
    return load_policies(folder)


def closing_days(of: Policies, region: str, *months: str) -> list[int]:
    return [of.in_force(region, month).periods.closing_day for month in months]


def test_a_version_holds_from_its_month_on(tmp_path: Path) -> None:
    dated = policies(tmp_path, salor__2026_04="periods: {closing_day: 6}", salor__2026_07="periods: {closing_day: 7}")
    months = ("2025-01", "2026-03", "2026-04", "2026-06", "2026-07", "2030-01")
    assert closing_days(dated, "salor", *months) == [5, 5, 6, 6, 7, 7]
    assert closing_days(dated, "mamuju", *months) == [5] * 6
    assert dated["salor"].periods.closing_day == 5


def test_a_later_version_keeps_what_an_earlier_one_changed(tmp_path: Path) -> None:
    dated = policies(
        tmp_path,
        salor__2026_04="indicators: {task_on_time: {target: {value: 90}}}",
        salor__2026_07="periods: {closing_day: 7}",
    )
    july = dated.in_force("salor", "2026-07")
    assert (july.indicators["task_on_time"].target.value, july.periods.closing_day) == (90, 7)


def test_a_dated_default_reaches_every_region_but_not_what_a_region_says_itself(tmp_path: Path) -> None:
    dated = policies(tmp_path, default__2026_04="periods: {closing_day: 6}", salor="periods: {closing_day: 9}")
    assert closing_days(dated, "mamuju", "2026-03", "2026-04") == [5, 6]
    assert closing_days(dated, "salor", "2026-03", "2026-04") == [9, 9]


def test_a_longer_period_is_ruled_by_the_policy_of_its_last_day(tmp_path: Path) -> None:
    deployment = Deployment(load_contracts(), policies(tmp_path, salor__2026_03="periods: {closing_day: 6}"))
    periods = ("2026-02", "2026-03", "2026-Q1", "2026-S1", "2026", "2025-Q4", "2025")
    assert [deployment.policy("salor", p).periods.closing_day for p in periods] == [5, 6, 6, 6, 6, 5, 5]


def test_each_version_has_a_fingerprint_of_its_own(tmp_path: Path) -> None:
    text = "version: '2026.2'\nevaluation: {result_above: 111}"
    dated = policies(tmp_path, salor__2026_04=text)
    march, april = (policy_version(dated.in_force("salor", m)) for m in ("2026-03", "2026-04"))
    assert march == policy_version(load_policies()["salor"])
    assert april.startswith("2026.2+")
    assert april != march


def test_regions_and_partitions_are_those_of_the_undated_files(tmp_path: Path) -> None:
    dated = policies(tmp_path, salor__2026_04="periods: {closing_day: 6}")
    assert list(dated) == list(load_policies())
    one, other = (Deployment(load_contracts(), p) for p in (dated, load_policies()))
    assert one.region_month == other.region_month


def test_an_indicator_that_begins_later_is_compiled_and_checked(tmp_path: Path) -> None:
    deployment = Deployment(
        load_contracts(), policies(tmp_path, salor__2026_04="indicators: {exam_mean: {is_active: false}}")
    )
    names = [
        {i.indicator_id for i in deployment.indicators(deployment.policy("salor", m))} for m in ("2026-03", "2026-04")
    ]
    assert names[0] - names[1] == {"exam_mean"}
    wrong = Deployment(
        load_contracts(), policies(tmp_path, salor__2026_04="indicators: {exam_mean: {numerator: numbrator}}")
    )
    with pytest.raises(PolicyError, match="did you mean 'numerator'"):
        _ = wrong.compiled_indicators


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        (
            "salor@2026-4",
            "periods: {closing_day: 6}",
            "salor@2026-4.yaml: '2026-4' is not a month; a file that holds from a month on is called salor@2026-04",
        ),
        ("slor@2026-04", "version: x", "slor@2026-04.yaml: there is no slor.yaml that it could change; did you mean"),
        (
            "salor@2026-04",
            "version: '2'\ntime_zone: Asia/Jakarta",
            "salor@2026-04.yaml, line 2: time_zone cannot change from a month on; write it in salor.yaml",
        ),
        ("salor@2026-04", "feeds: {}", "salor@2026-04.yaml, line 1: feeds cannot change from a month on"),
        ("salor@2026-04", "contacts: {}", "salor@2026-04.yaml, line 1: contacts cannot change from a month on"),
        ("salor@2026-04", "promises: {}", "salor@2026-04.yaml, line 1: promises cannot change from a month on"),
        (
            "salor@2026-04",
            "periods:\n  closing_dya: 6",
            "salor@2026-04.yaml, line 2: periods.closing_dya: this key is not known; did you mean 'closing_day'?",
        ),
    ],
)
def test_a_wrong_dated_file_is_refused_with_file_line_and_remedy(
    tmp_path: Path, file: str, text: str, says: str
) -> None:
    (tmp_path / f"{file}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as refused:
        load_policies(tmp_path)
    assert str(refused.value).startswith(says)


# ---- appraisal rounds ------------------------------------------------------------------------------------------------

ROUND = "appraisal:\n  rounds:\n    mid_year:\n      labels: {id: a, en: b}\n"
JUNE = f"{ROUND}      opens: 2026-06-01\n      closes: 2026-06-20\n      period: 2026-06\n"


def rounds(of: Policies) -> dict[str, tuple[str, int]]:
    """Round -> the month in which it counts, the scale it is held on."""
    return {name: (held.period, rules.scale_max) for name, (held, rules) in of.rounds("tanjung").items()}


def tanjung(folder: Path, undated: str = "", **files: str) -> Policies:
    region = "labels: {id: Tanjung, en: Tanjung}\ntime_zone: Asia/Jakarta\nfeeds: {}\n"
    return policies(folder, tanjung=region + undated, **files)


@pytest.mark.parametrize("undated", [True, False])
def test_a_later_version_cannot_move_a_round_to_another_month(tmp_path: Path, undated: bool) -> None:
    """It would be computed in both, and each answer counted twice."""
    first = {} if undated else {"tanjung__2026_03": JUNE}
    moved = f"version: '2'\n{ROUND}      period: 2026-07\n"
    with pytest.raises(PolicyError) as refused:
        tanjung(tmp_path, JUNE if undated else "", **first, tanjung__2026_05=moved)
    says = (
        "tanjung@2026-05.yaml, line 6: appraisal.rounds.mid_year.period: the round counts in 2026-06; a later version "
        "cannot move it: give the round a name of its own"
    )
    assert str(refused.value) == says
    assert [str(p) for p in check_policies(tmp_path, load_contracts())] == [says]


def test_a_round_that_begins_with_a_version_cannot_count_before_it(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as refused:
        tanjung(tmp_path, tanjung__2026_07=JUNE)
    assert str(refused.value) == (
        "tanjung@2026-07.yaml, line 7: appraisal.rounds.mid_year.period: the round counts in 2026-06, before this file "
        "holds; write it in tanjung.yaml"
    )


def test_a_later_version_may_add_rounds_and_change_how_one_is_held(tmp_path: Path) -> None:
    later = JUNE.replace("mid_year", "second").replace("2026-06", "2026-09")
    dated = tanjung(tmp_path, JUNE, tanjung__2026_05="appraisal: {scale_max: 4}", tanjung__2026_07=later)
    assert rounds(dated) == {"mid_year": ("2026-06", 4), "second": ("2026-09", 4)}
    assert check_policies(tmp_path, load_contracts()) == []
