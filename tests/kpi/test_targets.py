"""Which target holds: the period's own, a longer one's, the months', the position's, the policy's."""

from __future__ import annotations

import polars as pl
import pytest
from kpi_world import kpi_rows, measured, people_of, policy_with

from kinerja_pipeline.kpi.subjects import targets_by_subject
from kinerja_pipeline.kpi.targets import employee_plan
from kinerja_pipeline.policies.model import Indicator

ANI = people_of(("ani", "dinkes", "pelaksana"))
COUNTED = {"statistic": "count", "denominator": None, "scale": 1}


def agreed(*rows: tuple[str, str, str, str, float]) -> pl.DataFrame:
    names = ("indicator_id", "subject_kind", "subject_id", "period")
    return pl.DataFrame(rows, schema={**dict.fromkeys(names, pl.String), "target": pl.Float64}, orient="row")


def own(**periods: float) -> pl.DataFrame:
    """Ani's targets: own(Q1=7) is for 2026-Q1, own(m03=5) for 2026-03, own(year=9) for 2026."""
    named = {"year": "2026"}
    return agreed(
        *(("it", "employee", "ani", named.get(p, f"2026-{p.removeprefix('m')}"), t) for p, t in periods.items())
    )


LEVEL = [
    # agreed, target of March, of the quarter, of the year; the policy says 80, and 70 for the position
    ({}, 70, 70, 70),
    ({"year": 50}, 50, 50, 50),
    ({"Q1": 60}, 60, 60, 60),
    ({"Q2": 60}, 70, 70, 70),
    ({"Q1": 60, "year": 50}, 60, 60, 50),
    ({"m03": 65, "Q1": 60, "year": 50}, 65, 60, 50),
    ({"m01": 40, "m03": 65}, 65, 65, 65),
    ({"m01": 40}, 70, 40, 40),
    ({"m03": 65, "year": 50}, 65, 50, 50),
]


@pytest.mark.parametrize(("targets", "month", "quarter", "year"), LEVEL)
def test_a_level_target_holds_for_every_period_in_it(
    targets: dict[str, float], month: float, quarter: float, year: float
) -> None:
    policy = policy_with(it={**COUNTED, "target": {"value": 80, "by_position": {"pelaksana": 70}}})
    monthly = measured(*(("employee", "ani", "it", m, 7, 1, 1) for m in ("2026-01", "2026-02", "2026-03")))
    rows = kpi_rows(policy, monthly, ANI, targets=own(**targets))
    assert [rows["ani", "it", p]["target"] for p in ("2026-03", "2026-Q1", "2026")] == [month, quarter, year]


ADDITIVE = [
    # agreed, target of March, of the quarter, of the year; the policy says 10 a month, and the year has three months
    ({}, 10, 30, 30),
    ({"m03": 13}, 13, 33, 33),
    ({"m01": 1, "m02": 2, "m03": 3}, 3, 6, 6),
    # A quarter's 36 is 12 a month; a year's 60 is 5 a month, and 15 of the months that are there.
    ({"Q1": 36}, 12, 36, 36),
    ({"year": 60}, 5, 15, 15),
    ({"Q1": 36, "m03": 20}, 20, 36, 44),
    ({"year": 60, "m03": 20}, 20, 30, 15),
]


@pytest.mark.parametrize(("targets", "month", "quarter", "year"), ADDITIVE)
def test_additive_targets_sum_the_months(targets: dict[str, float], month: float, quarter: float, year: float) -> None:
    policy = policy_with(it={**COUNTED, "target": {"value": 10, "kind": "additive"}})
    monthly = measured(*(("employee", "ani", "it", m, 7, 1, 1) for m in ("2026-01", "2026-02", "2026-03")))
    rows = kpi_rows(policy, monthly, ANI, targets=own(**targets))
    seen = [rows["ani", "it", p]["target"] for p in ("2026-03", "2026-Q1", "2026")]
    assert seen == [pytest.approx(month), pytest.approx(quarter), pytest.approx(year)]


def test_a_quarters_additive_target_is_cut_down_to_the_months_there_are() -> None:
    policy = policy_with(it={**COUNTED, "target": {"value": 10, "kind": "additive"}})
    monthly = measured(*(("employee", "ani", "it", m, 7, 1, 1) for m in ("2026-01", "2026-02")))
    rows = kpi_rows(policy, monthly, ANI, "2026-02", targets=own(Q1=36))
    assert rows["ani", "it", "2026-Q1"]["target"] == pytest.approx(24)


def test_the_score_is_measured_against_the_agreed_target() -> None:
    monthly = measured(("employee", "ani", "it", "2026-03", 60, 1, 1))
    rows = kpi_rows(policy_with(it={"scale": 1}), monthly, ANI, targets=own(Q1=60))
    assert rows["ani", "it", "2026-03"]["score"] == pytest.approx(100)


def test_units_and_the_region_have_targets_of_their_own() -> None:
    policy = policy_with(it={**COUNTED, "subjects": ["unit", "region"]})
    monthly = measured(("unit", "dinkes", "it", "2026-03", 1, 1, 1), ("region", "", "it", "2026-03", 1, 1, 1))
    targets = agreed(("it", "unit", "dinkes", "2026-03", 5), ("it", "region", "salor", "2026", 6))
    rows = kpi_rows(policy, monthly, people_of(), targets=targets)
    assert [rows[s, "it", "2026-03"]["target"] for s in ("dinkes", "salor")] == [5, 6]


def test_a_range_is_the_policys_and_another_indicators_target_is_not_this_ones() -> None:
    policy = policy_with(it={"scale": 1, "direction": "range", "target": {"low": 90, "high": 100}})
    monthly = measured(("employee", "ani", "it", "2026-03", 95, 1, 1))
    targets = agreed(("it", "employee", "ani", "2026-03", 5), ("other", "employee", "ani", "2026-03", 6))
    seen = kpi_rows(policy, monthly, ANI, targets=targets)["ani", "it", "2026-03"]
    assert (seen["target"], seen["score"]) == (90, 100)


# ---- the plan --------------------------------------------------------------------------------------------------------


def test_a_measurable_target_is_ones_own_and_on_an_indicator_that_is_computed() -> None:
    levels = {"target": {"value": 80, "by_position": {"jpt": 90}}, "weight": 0.5}
    declared = policy_with(it={"weight": 0.5}, by_level=levels, off={"is_active": False}).indicators
    declared["of_units"] = declared["it"].model_copy(update={"subjects": ["unit"]})
    staff = people_of(
        *((nip, "dinkes", "jpt" if nip == "kepala" else "pelaksana") for nip in ("ani", "budi", "citra", "kepala"))
    )
    targets = agreed(
        ("it", "employee", "ani", "2026-Q1", 5),
        ("by_level", "employee", "ani", "2026", 5),
        # Not computed, of another quarter, of units, or for a unit of that name: no goal of Budi's.
        ("off", "employee", "budi", "2026-Q1", 5),
        ("it", "employee", "budi", "2026-Q2", 5),
        ("of_units", "employee", "budi", "2026-03", 5),
        ("it", "unit", "budi", "2026-03", 5),
        ("by_level", "employee", "kepala", "2026-03", 95),
    )
    plan = employee_plan(targets, staff, declared, "2026-03")
    assert plan.select("nip", "target_count", "agreed_count", "has_target").rows() == [
        ("ani", 2, 2, True),
        ("budi", 0, 0, False),
        ("citra", 0, 0, False),
        ("kepala", 1, 1, True),
    ]
    assert isinstance(declared["it"], Indicator)


def test_a_target_by_position_is_a_goal_without_an_agreement() -> None:
    declared = policy_with(it={"target": {"value": 80, "by_position": {"jpt": 90}}}).indicators
    plan = employee_plan(agreed(), people_of(("kepala", "dinkes", "jpt")), declared, "2026-03")
    assert plan.select("target_count", "agreed_count", "has_target").rows() == [(1, 0, True)]


def test_an_employees_target_counts_in_their_unit() -> None:
    targets = agreed(("it", "employee", "ani", "2026-03", 5), ("it", "unit", "disdik", "2026-03", 5))
    seen = targets_by_subject(targets, ANI).select("nip", "unit_id").rows()
    assert seen == [("ani", "dinkes"), (None, "disdik")]
