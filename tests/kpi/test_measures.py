"""Measures: both sums of an indicator, by employee, unit and region, from the rows that have them."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from kpi_world import policy_with, ready

from kinerja_pipeline.kpi import indicators as of_measures
from kinerja_pipeline.kpi.indicators import SUBJECT, measure_parts, measures
from kinerja_pipeline.kpi.subjects import measurements_by_subject

TASKS = pl.DataFrame(
    [
        ("ani", "dinkes", True, True, 10.0, 9.0),
        ("ani", "dinkes", True, False, 0.1, 0.1),
        ("ani", "disdik", False, True, 0.2, 0.2),
        ("budi", "disdik", True, None, None, 4.0),
        (None, "disdik", True, True, 5.0, None),
    ],
    schema={
        "nip": pl.String,
        "unit_id": pl.String,
        "is_due": pl.Boolean,
        "is_on_time": pl.Boolean,
        "quantity_planned": pl.Float64,
        "quantity_done": pl.Float64,
    },
    orient="row",
)


def of(frame: pl.DataFrame, fact: str = "task_outcome", **changes: Any) -> dict[str, tuple[int, int, int]]:
    """Numerator and denominator in 1/10000, and evidence, by subject."""
    indicators = ready(policy_with(it={"fact": fact, **changes}))
    rows = measures({fact: frame}, indicators, "2026-03")
    assert set(rows["month"]) <= {"2026-03"}
    return {r["subject_id"]: (r["numerator"], r["denominator"], r["evidence_count"]) for r in rows.to_dicts()}


def test_a_share_counts_the_rows_that_the_filter_keeps() -> None:
    assert of(TASKS) == {"ani": (10_000, 20_000, 2), "budi": (0, 10_000, 1)}


def test_a_denominator_of_one_counts_every_row_also_without_a_filter() -> None:
    assert of(TASKS, filter=None) == {"ani": (20_000, 30_000, 3), "budi": (0, 10_000, 1)}


def test_units_count_by_the_row_and_tasks_without_an_employee_count_there() -> None:
    assert of(TASKS, subjects=["unit"]) == {"dinkes": (10_000, 20_000, 2), "disdik": (10_000, 20_000, 2)}


def test_the_region_counts_everything() -> None:
    assert of(TASKS, subjects=["region"]) == {"": (20_000, 40_000, 4)}


def test_a_row_without_the_figure_is_left_out_of_both_sums() -> None:
    # Budi has no plan, the task of the unit no result: neither is a zero.
    quantity = {"filter": None, "numerator": "quantity_done", "denominator": "quantity_planned"}
    assert of(TASKS, **quantity) == {"ani": (93_000, 103_000, 3)}
    assert of(TASKS, **quantity, subjects=["unit"]) == {"dinkes": (91_000, 101_000, 2), "disdik": (2_000, 2_000, 1)}


def test_sums_are_exact_whatever_the_order_of_rows() -> None:
    many = pl.concat([TASKS] * 7)
    quantity = {"filter": None, "numerator": "quantity_done", "denominator": "quantity_planned"}
    assert of(many, **quantity) == of(many.reverse(), **quantity) == {"ani": (651_000, 721_000, 21)}


def test_a_count_of_nothing_is_zero_where_the_fact_lists_all_that_happened() -> None:
    # A unit that has cleared its backlog keeps its row: zero open tasks, not "no evidence".
    backlog = TASKS.with_columns(is_backlog=pl.col("unit_id") == "disdik")
    counted = {"filter": "is_backlog", "numerator": "1", "denominator": None, "subjects": ["unit"]}
    for statistic in ("count", "last"):
        seen = of(backlog, **counted, statistic=statistic)
        assert seen["dinkes"][0] == 0
        assert seen["dinkes"][2] == 2
        assert seen["disdik"][0] == 30_000


def test_a_figure_that_nobody_measured_is_not_zero() -> None:
    figures = pl.DataFrame(
        {
            "nip": pl.Series([None, None], dtype=pl.String),
            "unit_id": ["dinkes", "disdik"],
            "indicator_id": ["visits", "budget"],
            "value": [12.5, 3.0],
            "is_latest": [True, True],
        }
    )
    visits = {"filter": "indicator_id = 'visits'", "numerator": "value", "denominator": None, "subjects": ["unit"]}
    for statistic in ("count", "last"):
        seen = of(figures, "indicator_measurement", **visits, statistic=statistic)
        assert seen == {"dinkes": (125_000, 10_000, 1)}


def test_of_a_stock_told_by_day_the_last_day_stands_and_of_a_flow_all_of_them() -> None:
    told = {"2026-03-02": 5.0, "2026-03-30": 7.0, "2026-03-09": 40.0}
    rows = pl.DataFrame(
        {
            "indicator_id": ["visits"] * 4,
            "subject_kind": ["unit"] * 4,
            "subject_id": [*["dinkes"] * 3, "disdik"],
            "period": [*told, "2026-03"],
            "value": [*told.values(), 3.0],
        }
    )
    visits = {"filter": "indicator_id = 'visits'", "numerator": "value", "denominator": None}
    fact = measurements_by_subject(rows)
    stock = of(fact, "indicator_measurement", **visits, statistic="last", subjects=["unit", "region"])
    assert stock == {"dinkes": (70_000, 10_000, 1), "disdik": (30_000, 10_000, 1), "": (100_000, 20_000, 2)}
    flow = of(fact, "indicator_measurement", **visits, statistic="count", subjects=["unit"])
    assert flow["dinkes"] == (520_000, 30_000, 3)


def test_several_indicators_and_facts_are_measured_together() -> None:
    days = pl.DataFrame(
        {"nip": ["ani", "ani"], "unit_id": ["dinkes"] * 2, "is_workday": [True, True], "is_present": [True, False]}
    )
    policy = policy_with(
        time={"weight": 0.5},
        presence={
            "fact": "attendance_day",
            "filter": "is_workday",
            "weight": 0.5,
            "subjects": ["employee", "unit"],
            "numerator": "CASE WHEN is_present THEN 1 ELSE 0 END",
        },
    )
    rows = measures({"task_outcome": TASKS, "attendance_day": days}, ready(policy), "2026-03")
    assert rows.select("subject_kind", "subject_id", "indicator_id", "numerator", "denominator").rows() == [
        ("employee", "ani", "presence", 10_000, 20_000),
        ("employee", "ani", "time", 10_000, 20_000),
        ("employee", "budi", "time", 0, 10_000),
        ("unit", "dinkes", "presence", 10_000, 20_000),
    ]


def test_measures_in_parts_are_the_same_rows_with_all_of_an_employee_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    everybody = ["employee", "unit", "region"]
    policy = policy_with(
        time={"weight": 0.25, "subjects": everybody},
        done={"weight": 0.25, "subjects": everybody, "numerator": "quantity_done", "filter": None},
        middle={
            "weight": 0.25,
            "subjects": everybody,
            "numerator": "quantity_done",
            "statistic": "median",
            "denominator": None,
        },
        more={"weight": 0.25, "subjects": everybody, "statistic": "growth", "denominator": None},
    )
    facts, before = {"task_outcome": TASKS}, {"task_outcome": TASKS.filter(pl.col("nip") == "ani")}
    whole = measures(facts, ready(policy), "2026-03", before)
    monkeypatch.setattr(of_measures, "EMPLOYEES_AT_ONCE", 1)
    ani, budi, others = measure_parts(facts, ready(policy), "2026-03", before)
    assert pl.concat([ani, budi, others]).equals(whole)
    assert whole.equals(whole.sort(SUBJECT))
    assert [set(part["subject_id"]) for part in (ani, budi, others)] == [{"ani"}, {"budi"}, {"", "dinkes", "disdik"}]
    # Read as they are summed, facts give the same.
    assert measures({"task_outcome": TASKS.lazy()}, ready(policy), "2026-03", before).equals(whole)


def test_a_month_without_rows_has_no_measures() -> None:
    assert of(TASKS.clear()) == {}
