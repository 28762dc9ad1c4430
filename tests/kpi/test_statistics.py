"""Medians, percentiles and growth: what a longer period makes of them is what all its facts give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kpi_world import VERSION, frame_of, people_of, policy_with, ready

from kinerja_pipeline.kpi.indicators import kpi, measures, rescanned, rolled_up
from kinerja_pipeline.policies.model import Policy

MONTHS = ("2026-01", "2026-02", "2026-03")
STAFF = people_of(("ani", "dinkes", "pelaksana"), ("budi", "disdik", "pelaksana"))
HOURS = {
    "filter": "is_completed",
    "numerator": "duration_hours",
    "denominator": None,
    "scale": 1,
    "unit": "working hours",
    "direction": "lower",
    "subjects": ["employee", "unit", "region"],
}
SCHEMA = {"nip": pl.String, "unit_id": pl.String, "is_completed": pl.Boolean, "duration_hours": pl.Float64}


def tasks(*hours: float | None, nip: str | None = "ani", unit: str = "dinkes") -> list[dict[str, Any]]:
    return [{"nip": nip, "unit_id": unit, "is_completed": True, "duration_hours": h} for h in hours]


def of_period(policy: Policy, months: Sequence[list[dict[str, Any]]], period: str) -> Mapping[str, dict[str, Any]]:
    """The kpi rows of a period from each month's tasks, by subject."""
    indicators = ready(policy)
    facts = [{"task_outcome": frame_of(rows, **SCHEMA)} for rows in months]
    monthly = pl.concat(measures(f, indicators, m) for f, m in zip(facts, MONTHS, strict=False))
    measured = rolled_up(monthly, indicators, period, rescanned(facts, indicators, period))
    frame = kpi(measured, indicators, STAFF, policy.region, period, len(months), VERSION)
    return {row["subject_id"]: row for row in frame.iter_rows(named=True)}


@pytest.mark.parametrize(
    ("statistic", "hours", "value"),
    [
        ("median", [7], 7),
        ("median", [1, 100], 50.5),
        ("median", [9, 1, 4], 4),
        ("median", [1, 2, 3, 1000], 2.5),
        ("median", [0.0001, 0.0002], 0.00015),
        # nearest rank: the smallest value with nine tenths of all up to it
        ("p90", [7], 7),
        ("p90", [1, 2], 2),
        ("p90", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 9),
        ("p90", [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 11], 10),
        ("p90", list(range(1, 21)), 18),
    ],
)
def test_the_middle_and_the_ninetieth_percentile(statistic: str, hours: list[float], value: float) -> None:
    seen = of_period(policy_with(it={**HOURS, "statistic": statistic}), [tasks(*hours)], "2026-01")["ani"]
    assert seen["actual"] == pytest.approx(value)
    assert (seen["evidence_count"], seen["numerator"], seen["denominator"]) == (len(hours), None, None)


def test_a_quarters_median_is_not_the_mean_of_the_months_medians() -> None:
    # Medians of the months: 1, 10, 10. All values: 1 1 1 1 1 10 10.
    policy = policy_with(it={**HOURS, "statistic": "median"})
    rows = of_period(policy, [tasks(1, 1, 1, 1, 1), tasks(10), tasks(10)], "2026-Q1")
    assert (rows["ani"]["actual"], rows["ani"]["evidence_count"]) == (1, 7)


def test_a_row_that_the_filter_leaves_out_or_that_has_no_value_is_no_value() -> None:
    open_task = {"nip": "ani", "unit_id": "dinkes", "is_completed": None, "duration_hours": 99.0}
    seen = of_period(policy_with(it={**HOURS, "statistic": "median"}), [[*tasks(4, None, 6), open_task]], "2026-01")
    assert (seen["ani"]["actual"], seen["ani"]["evidence_count"]) == (5, 2)
    assert seen["budi"]["reason"] == "no_evidence"


hours = st.none() | st.integers(0, 400).map(lambda n: n / 4)
task = st.fixed_dictionaries(
    {
        "nip": st.sampled_from(["ani", "budi", None]),
        "unit_id": st.sampled_from(["dinkes", "disdik"]),
        "is_completed": st.sampled_from([True, True, False, None]),
        "duration_hours": hours,
    }
)


@settings(max_examples=40)
@given(st.lists(st.lists(task, max_size=8), min_size=3, max_size=3), st.sampled_from(["median", "p90"]))
def test_a_quarter_is_recomputed_from_all_its_facts(months: list[list[dict[str, Any]]], statistic: str) -> None:
    policy = policy_with(it={**HOURS, "statistic": statistic, "target": {"value": 8}})
    rows = of_period(policy, months, "2026-Q1")
    every = [t for month in months for t in month if t["is_completed"] and t["duration_hours"] is not None]
    for subject, column in {"ani": "nip", "budi": "nip", "dinkes": "unit_id", "disdik": "unit_id", "salor": ""}.items():
        values = sorted(Fraction(t["duration_hours"]) for t in every if not column or t[column] == subject)
        if not values:
            assert subject not in rows or rows[subject]["reason"] == "no_evidence"
            continue
        if statistic == "median":
            middle = len(values) // 2
            expected = values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2
        else:
            expected = next(v for n, v in enumerate(values, start=1) if 10 * n >= 9 * len(values))
        assert rows[subject]["actual"] == pytest.approx(float(expected))
        assert rows[subject]["evidence_count"] == len(values)


# ---- growth ----------------------------------------------------------------------------------------------------------

VISITS = {
    "fact": "indicator_measurement",
    "filter": "indicator_id = 'visits'",
    "numerator": "value",
    "denominator": None,
    "statistic": "growth",
    "scale": 100,
    "subjects": ["unit"],
    "target": {"value": 103},
    "unit": "percent",
}


def visited(**units: float) -> dict[str, pl.DataFrame]:
    rows = [{"unit_id": unit, "indicator_id": "visits", "value": value} for unit, value in units.items()]
    return {
        "indicator_measurement": frame_of(
            rows, nip=pl.String, unit_id=pl.String, indicator_id=pl.String, value=pl.Float64
        )
    }


def growth(
    period: str, *months: tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]
) -> Mapping[str, dict[str, Any]]:
    """Each month's measurements and those of the same month last year -> the kpi rows of the period."""
    policy = policy_with(it=VISITS)
    indicators = ready(policy)
    monthly = pl.concat(measures(now, indicators, m, before) for m, (now, before) in zip(MONTHS, months, strict=False))
    measured = rolled_up(monthly, indicators, period)
    frame = kpi(measured, indicators, people_of(), "salor", period, len(months), VERSION)
    return {row["subject_id"]: row for row in frame.iter_rows(named=True)}


def test_growth_is_this_month_in_percent_of_the_same_month_last_year() -> None:
    seen = growth("2026-01", (visited(dinkes=106), visited(dinkes=100)))["dinkes"]
    assert (seen["actual"], seen["numerator"], seen["denominator"]) == (106.0, 106.0, 100.0)
    assert seen["score"] == pytest.approx(106 / 103 * 100)


def test_without_a_year_before_growth_is_not_computable() -> None:
    rows = growth("2026-01", (visited(dinkes=106, baru=5), visited(dinkes=100)))
    assert (rows["baru"]["status_code"], rows["baru"]["reason"]) == ("not_computable", "no_base_year")
    assert (rows["baru"]["actual"], rows["baru"]["score"], rows["baru"]["denominator"]) == (None, None, None)
    assert rows["dinkes"]["status_code"] == "computed"
    assert growth("2026-01", (visited(dinkes=106), {}))["dinkes"]["reason"] == "no_base_year"


def test_growth_from_nothing_is_not_computable_for_another_reason() -> None:
    assert growth("2026-01", (visited(dinkes=106), visited(dinkes=0)))["dinkes"]["reason"] == "denominator_zero"


def test_who_delivered_only_last_year_has_no_row() -> None:
    assert "tutup" not in growth("2026-01", (visited(dinkes=1), visited(dinkes=1, tutup=7)))


def test_a_quarters_growth_compares_the_months_that_have_both_years() -> None:
    rows = growth(
        "2026-Q1",
        (visited(dinkes=110, baru=1), visited(dinkes=100)),
        (visited(dinkes=500, baru=1), {}),
        (visited(dinkes=130), visited(dinkes=100)),
    )
    # (110 + 130) / (100 + 100); February has nothing to be compared with.
    assert (rows["dinkes"]["actual"], rows["dinkes"]["evidence_count"]) == (120.0, 2)
    assert rows["baru"]["reason"] == "no_base_year"


@settings(max_examples=40)
@given(st.lists(st.tuples(st.none() | st.integers(0, 50), st.none() | st.integers(0, 50)), min_size=3, max_size=3))
def test_a_quarters_growth_is_recomputed_from_the_measurements(pairs: list[tuple[int | None, int | None]]) -> None:
    def month(value: int | None) -> dict[str, pl.DataFrame]:
        return visited() if value is None else visited(dinkes=value)

    rows = growth("2026-Q1", *((month(now), month(before)) for now, before in pairs))
    both = [(now, before) for now, before in pairs if now is not None and before is not None]
    if all(now is None for now, _ in pairs):
        assert rows == {}
    elif not both:
        assert rows["dinkes"]["reason"] == "no_base_year"
    elif not (below := sum(before for _, before in both)):
        assert rows["dinkes"]["reason"] == "denominator_zero"
    else:
        assert rows["dinkes"]["actual"] == pytest.approx(100 * sum(now for now, _ in both) / below)
