"""Quarter, semester and year add the months; they never average averages."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kpi_world import SALOR, frame_of, kpi_rows, measured, people_of, policy_with, ready

from kinerja_pipeline.kpi.indicators import measures

ANI = people_of(("ani", "dinkes", "pelaksana"))


def test_a_quarter_divides_the_sums_of_its_months() -> None:
    # 1 of 1, 0 of 9: one in ten, not one half.
    monthly = measured(
        ("employee", "ani", "it", "2026-01", 1, 1, 1),
        ("employee", "ani", "it", "2026-02", 0, 9, 9),
        ("employee", "ani", "it", "2026-04", 5, 5, 5),
    )
    rows = kpi_rows(policy_with(it={}), monthly, ANI, "2026-02")
    assert {period: rows["ani", "it", period]["actual"] for period in ("2026-02", "2026-Q1", "2026-S1", "2026")} == {
        "2026-02": 0.0,
        "2026-Q1": 10.0,
        "2026-S1": 40.0,
        "2026": 40.0,
    }
    assert {rows["ani", "it", p]["period_kind"] for p in ("2026-02", "2026-Q1", "2026-S1", "2026")} == {
        *("month", "quarter", "semester", "year")
    }
    assert rows["ani", "it", "2026-Q1"]["evidence_count"] == 10


def test_a_level_target_stays_and_an_additive_one_sums_the_months_there_are() -> None:
    counted = {"statistic": "count", "denominator": None, "scale": 1}
    policy = policy_with(
        level={**counted, "weight": 0.5, "target": {"value": 10}},
        additive={**counted, "weight": 0.5, "target": {"value": 10, "kind": "additive"}},
    )
    monthly = measured(
        *(
            ("employee", "ani", name, month, 8, 1, 1)
            for name in ("level", "additive")
            for month in ("2026-01", "2026-02")
        ),
        ("employee", "budi", "level", "2026-02", 8, 1, 1),
    )
    rows = kpi_rows(
        policy, monthly, people_of(("ani", "dinkes", "pelaksana"), ("budi", "dinkes", "pelaksana")), "2026-02"
    )
    assert (rows["ani", "level", "2026-Q1"]["target"], rows["ani", "level", "2026-Q1"]["score"]) == (10, 120)
    assert rows["ani", "additive", "2026-Q1"]["target"] == 20
    assert rows["ani", "additive", "2026-Q1"]["score"] == pytest.approx(80)
    assert rows["ani", "additive", "2026-02"]["target"] == 10
    # Whoever did nothing was expected to do as much.
    assert rows["budi", "additive", "2026-Q1"]["target"] == 20


def test_a_target_by_position_may_be_additive_too() -> None:
    target = {"value": 10, "kind": "additive", "by_position": {"pelaksana": 7}}
    policy = policy_with(it={"statistic": "count", "denominator": None, "target": target})
    monthly = measured(*(("employee", "ani", "it", month, 7, 1, 1) for month in ("2026-01", "2026-02", "2026-03")))
    assert kpi_rows(policy, monthly, ANI)["ani", "it", "2026-Q1"]["target"] == 21


def test_a_stock_takes_the_last_month_of_the_quarter() -> None:
    policy = policy_with(it={"statistic": "last", "denominator": None, "subjects": ["unit"], "scale": 1})
    monthly = measured(
        ("unit", "dinkes", "it", "2026-01", 30, 1, 4),
        ("unit", "dinkes", "it", "2026-02", 5, 1, 4),
        ("unit", "dinkes", "it", "2026-03", 0, 0, 4),
        ("unit", "disdik", "it", "2026-02", 9, 1, 2),
    )
    march = kpi_rows(policy, monthly, ANI, "2026-03")
    assert (march["dinkes", "it", "2026-Q1"]["actual"], march["dinkes", "it", "2026-Q1"]["evidence_count"]) == (0.0, 4)
    assert ("disdik", "it", "2026-Q1") not in march, "a stock that nobody counted in the last month is not an old one"
    february = kpi_rows(policy, monthly.filter(pl.col("month") < "2026-03"), ANI, "2026-02")
    assert february["dinkes", "it", "2026-Q1"]["actual"] == 5.0


def test_the_region_is_named_and_has_no_unit() -> None:
    policy = policy_with(it={"subjects": ["region", "unit"]})
    monthly = measured(("region", "", "it", "2026-03", 1, 2, 2), ("unit", "dinkes", "it", "2026-03", 1, 2, 2))
    rows = kpi_rows(policy, monthly, ANI)
    assert SALOR.region == "salor"
    assert rows["salor", "it", "2026-03"]["unit_id"] is None
    assert rows["dinkes", "it", "2026-03"]["unit_id"] == "dinkes"
    assert {key[0] for key in rows} == {"salor", "dinkes"}, "no employee is measured by it"


def test_who_left_in_february_is_in_the_years_rows_and_not_in_march() -> None:
    left, stays = ("ani", "dinkes", "pelaksana"), ("budi", "disdik", "pelaksana")
    staff = {"month": people_of(stays), **dict.fromkeys(("quarter", "semester", "year"), people_of(left, stays))}
    monthly = measured(("employee", "ani", "it", "2026-01", 4, 5, 5), ("employee", "budi", "it", "2026-03", 5, 5, 5))
    rows = kpi_rows(policy_with(it={}), monthly, staff)
    assert {key[0] for key in rows if key[2] == "2026-03"} == {"budi"}
    assert {key[0] for key in rows if key[2] == "2026"} == {"ani", "budi"}
    assert rows["ani", "it", "2026"]["actual"] == 80.0


def test_measures_of_someone_no_register_knows_are_left_out() -> None:
    monthly = measured(("employee", "hantu", "it", "2026-03", 1, 1, 1))
    assert {key[0] for key in kpi_rows(policy_with(it={}), monthly, ANI)} == {"ani"}


def test_a_region_without_people_or_measures_has_no_rows() -> None:
    assert kpi_rows(policy_with(it={}), measured(), people_of()) == {}


# ---- against plain arithmetic ----------------------------------------------------------------------------------------

hundredths = st.integers(0, 500).map(lambda n: n / 100)
task = st.fixed_dictionaries(
    {
        "month": st.sampled_from(["2026-01", "2026-02", "2026-03"]),
        "nip": st.sampled_from(["ani", "budi", None]),
        "unit_id": st.sampled_from(["dinkes", "disdik"]),
        "is_due": st.sampled_from([True, True, False, None]),
        "quantity_done": st.none() | hundredths,
        "quantity_planned": st.none() | hundredths,
    }
)


@settings(max_examples=20)
@given(st.lists(task, max_size=15))
def test_a_quarter_is_the_sum_of_all_its_rows_in_exact_arithmetic(tasks: list[dict[str, Any]]) -> None:
    policy = policy_with(
        it={
            "numerator": "quantity_done",
            "denominator": "quantity_planned",
            "subjects": ["employee", "unit"],
            "scale": 1,
        }
    )
    schema = dict.fromkeys(("nip", "unit_id"), pl.String) | {"is_due": pl.Boolean}
    schema |= dict.fromkeys(("quantity_done", "quantity_planned"), pl.Float64)
    parts = [
        measures({"task_outcome": frame_of([t for t in tasks if t["month"] == month], **schema)}, ready(policy), month)
        for month in ("2026-01", "2026-02", "2026-03")
    ]
    staff = people_of(("ani", "dinkes", "pelaksana"), ("budi", "disdik", "pelaksana"))
    rows = kpi_rows(policy, pl.concat(parts), staff)

    for column, subjects in (("nip", ("ani", "budi")), ("unit_id", ("dinkes", "disdik"))):
        for subject in subjects:
            whole = [
                t
                for t in tasks
                if t[column] == subject and t["is_due"] and None not in (t["quantity_done"], t["quantity_planned"])
            ]
            above = sum(Fraction(round(t["quantity_done"] * 100), 100) for t in whole)
            below = sum(Fraction(round(t["quantity_planned"] * 100), 100) for t in whole)
            if not whole and column == "unit_id":
                assert (subject, "it", "2026-Q1") not in rows
                continue
            seen = rows[subject, "it", "2026-Q1"]
            assert seen["evidence_count"] == len(whole)
            if not whole:
                assert (seen["reason"], seen["numerator"]) == ("no_evidence", None)
            else:
                assert seen["numerator"] == pytest.approx(float(above))
                assert seen["denominator"] == pytest.approx(float(below))
                assert seen["actual"] == (None if below == 0 else pytest.approx(float(above / below)))
                assert seen["reason"] == ("denominator_zero" if below == 0 else None)
