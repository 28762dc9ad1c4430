"""Published sums are those of their parts, and one that is not is found."""

from __future__ import annotations

import polars as pl
from kpi_world import kpi_frame, measured, people_of, policy_with

from kinerja_pipeline.kpi.parts import Sums, evaluated_sums, period_sums, together, unit_sums

ALL = ["employee", "unit", "region"]
RATIO = {"subjects": ALL}
COUNT = {"subjects": ALL, "statistic": "count", "denominator": None, "unit": "tasks", "scale": 1, "weight": 0}
MEDIAN = {"subjects": ["region"], "statistic": "median", "denominator": None, "numerator": "1", "scale": 1, "weight": 0}
POLICY = policy_with(on_time=RATIO, done=COUNT, middle=MEDIAN)
# Ani in dinkes did 3 of 4 on time in January and 1 of 1 in February; 1 task of 2 belongs to no unit.
MONTHLY = measured(
    ("employee", "ani", "on_time", "2026-01", 3, 4, 4),
    ("employee", "ani", "on_time", "2026-02", 1, 1, 1),
    ("unit", "dinkes", "on_time", "2026-01", 3, 4, 4),
    ("unit", "dinkes", "on_time", "2026-02", 1, 1, 1),
    ("region", "", "on_time", "2026-01", 4, 6, 6),
    ("region", "", "on_time", "2026-02", 1, 1, 1),
    ("unit", "dinkes", "done", "2026-02", 7, 7, 7),
    ("region", "", "done", "2026-02", 7, 7, 7),
    ("region", "", "middle", "2026-01", 5, 1, 3),
)
PEOPLE = people_of(("ani", "dinkes", "pelaksana"))
KPI = kpi_frame(POLICY, MONTHLY, PEOPLE, "2026-02")
QUARTER = KPI.filter(pl.col("period") == "2026-Q1")
PERIODS, SUMMED, ALIKE = "quarter 2026-Q1 is not the sum of its months", pl.col("indicator_id"), POLICY.indicators


def changed(frame: pl.DataFrame, indicator: str, subject: str, **by: float) -> pl.DataFrame:
    is_it = (indicator == SUMMED) & (pl.col("subject_id") == subject)
    return frame.with_columns(pl.when(is_it).then(pl.col(n) + more).otherwise(n).alias(n) for n, more in by.items())


def test_a_quarter_is_the_sum_of_its_months() -> None:
    found = period_sums(QUARTER, MONTHLY, ALIKE)
    assert found.problems == ()
    # on_time of ani, dinkes and the region; done of ani (nothing), dinkes and the region.
    assert found.asked == 6
    assert all(
        period_sums(KPI.filter(pl.col("period") == p), MONTHLY, ALIKE).problems == () for p in ("2026-02", "2026")
    )


def test_a_numerator_or_denominator_that_is_not_is_found_and_nobody_named() -> None:
    for column in ("numerator", "denominator"):
        found = period_sums(changed(QUARTER, "on_time", "ani", **{column: 0.5}), MONTHLY, ALIKE)
        assert found.problems == (f"kpi on_time: {PERIODS} (1 of its subjects)",)


def test_a_subject_that_is_lacking_is_found() -> None:
    without = QUARTER.filter(pl.col("subject_id") != "dinkes")
    assert period_sums(without, MONTHLY, ALIKE).problems == (
        f"kpi done: {PERIODS} (1 of its subjects)",
        f"kpi on_time: {PERIODS} (1 of its subjects)",
    )


def test_what_was_declared_otherwise_in_a_month_is_not_compared() -> None:
    wrong = changed(QUARTER, "on_time", "ani", numerator=9)
    assert period_sums(wrong, MONTHLY, {"done": ALIKE["done"]}) == (3, ())
    assert period_sums(QUARTER.clear(), MONTHLY, ALIKE) == (0, ())


def test_units_that_have_all_evidence_have_the_sums_of_the_region() -> None:
    assert unit_sums(QUARTER, ALIKE) == (2, ())
    wrong = changed(QUARTER, "done", "dinkes", numerator=1)
    assert unit_sums(wrong, ALIKE).problems == ("kpi done: units of 2026-Q1 do not add up (1 of its subjects)",)
    # Some tasks belong to no unit: then nobody can say.
    assert unit_sums(changed(QUARTER, "on_time", "dinkes", numerator=1), ALIKE).problems == ()


def test_units_with_more_evidence_than_the_region_are_found() -> None:
    wrong = QUARTER.with_columns(
        pl.when(pl.col("subject_kind") == "unit")
        .then(pl.col("evidence_count") + 9)
        .otherwise("evidence_count")
        .alias("evidence_count")
    )
    assert len(unit_sums(wrong, ALIKE).problems) == 2


def test_people_of_units_are_the_people_evaluated() -> None:
    evaluations = pl.DataFrame({"unit_id": ["dinkes", "dinkes", None], "period": ["2026-02"] * 3})
    units = pl.DataFrame({"period": ["2026-02"], "employee_count": [2]})
    assert evaluated_sums(evaluations, units) == (1, ())
    wrong = evaluated_sums(evaluations, units.with_columns(employee_count=pl.lit(3, dtype=pl.Int64)))
    assert wrong.problems == ("unit_evaluation 2026-02: 3 people in units, 2 evaluated",)
    assert together(Sums(1, ()), wrong) == (2, wrong.problems)
