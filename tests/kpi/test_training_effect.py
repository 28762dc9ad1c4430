"""Before and after a training: which months are compared, what a plan says, and what a policy may not ask for."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from kinerja_pipeline.kpi.indicators import MEASURE_SCHEMA
from kinerja_pipeline.kpi.training_effect import training_effect, windows
from kinerja_pipeline.policies.loader import PolicyError, load_policies
from kinerja_pipeline.policies.model import Policy, TrainingEffect

SALOR = load_policies()["salor"]
RECORD = {
    "nip": pl.String,
    "programme_id": pl.String,
    "completed_date": pl.Date,
    "competency_code": pl.String,
    "is_training": pl.Boolean,
}
PLAN = {"programme_id": pl.String, "year": pl.Int64, "competency_code": pl.String}


def comparing(**rules: Any) -> Policy:
    """Salor, comparing tasks on time for whom learned to adapt."""
    effect = TrainingEffect.model_validate({"indicators": {"adaptif": "task_on_time"}, **rules})
    return SALOR.model_copy(update={"training": SALOR.training.model_copy(update={"effect": effect})})


def of(policy: Policy, months: dict[str, tuple[float, float]], plans: list[tuple[str, int, str]] | None = None) -> Any:
    """The row of Ani, who completed `dik` in January 2026; her tasks on time and due by month."""
    record = ("ani", "dik", dt.date(2026, 1, 20), "adaptif", None)
    measured = [
        ("employee", "ani", "task_on_time", month, round(n * 10_000), round(d * 10_000), int(d))
        for month, (n, d) in months.items()
    ]
    table = training_effect(
        pl.DataFrame([record], schema=RECORD, orient="row"),
        pl.DataFrame(plans or [], schema=PLAN, orient="row"),
        pl.DataFrame(measured, schema=MEASURE_SCHEMA, orient="row"),
        policy,
        "2026-04",
        "1",
    )
    return table.row(by_predicate=pl.col("subject_kind") == "employee", named=True)


def test_the_month_of_completion_is_on_neither_side_and_years_do_not_matter() -> None:
    policy = comparing(months=3)
    assert windows(policy, "2026-04") == (["2025-10", "2025-11", "2025-12"], ["2026-02", "2026-03", "2026-04"])
    row = of(policy, {"2025-09": (9, 9), "2025-11": (1, 2), "2025-12": (2, 2), "2026-01": (0, 9), "2026-02": (1, 1),
                      "2026-04": (1, 3), "2026-05": (0, 9)})  # fmt: skip
    assert (row["before_value"], row["after_value"], row["completed_period"]) == (75.0, 50.0, "2026-01")
    assert (row["before_count"], row["after_count"]) == (4, 4)
    assert (row["subject_id"], row["participant_count"], row["person_count"]) == ("ani", 1, 1)


def test_a_single_month_of_evidence_tells_nothing_where_two_are_asked_for() -> None:
    row = of(comparing(months=3), {"2025-11": (1, 2), "2025-12": (2, 2), "2026-02": (1, 1)})
    assert (row["status_code"], row["reason"]) == ("not_computable", "too_little_evidence_after")
    assert (row["before_value"], row["after_value"], row["after_count"]) == (None, None, 1)


def test_what_was_never_due_has_no_share() -> None:
    row = of(comparing(months=3, minimum_months=1), {"2025-12": (0, 0), "2026-02": (1, 1)})
    assert row["reason"] == "denominator_zero"


def test_the_plan_of_the_year_says_what_a_programme_trains() -> None:
    policy = comparing(months=3)
    assert of(policy, {}, [("dik", 2025, "kompeten")])["competency_code"] == "adaptif"
    assert of(policy, {}, [("dik", 2026, "kompeten")])["reason"] == "competency_not_mapped"


def test_without_a_plan_a_programme_trains_what_was_recorded_first() -> None:
    records = [
        ("ani", "dik", dt.date(2026, 1, 20), "kompeten", None),
        ("budi", "dik", dt.date(2026, 1, 12), None, None),
        ("citra", "dik", dt.date(2026, 1, 13), "adaptif", None),
        # Completed again: counted once.
        ("citra", "dik", dt.date(2026, 1, 27), "kolaboratif", None),
    ]
    table = training_effect(
        pl.DataFrame(records, schema=RECORD, orient="row"),
        pl.DataFrame(schema=PLAN),
        pl.DataFrame(schema=MEASURE_SCHEMA),
        comparing(months=3),
        "2026-04",
        "1",
    )
    told = table.select("subject_kind", "subject_id", "competency_code", "participant_count").rows()
    assert told == [
        *(("employee", nip, "adaptif", 1) for nip in ("ani", "budi", "citra")),
        ("programme", "dik", "adaptif", 3),
    ]


def test_a_region_that_compares_nothing_looks_at_no_months() -> None:
    assert windows(SALOR, "2026-04") == ([], [])


@pytest.mark.parametrize(
    ("effect", "message"),
    [
        (
            "{indicators: {adaptif: task_on_tim}}",
            "line 1: training.effect.indicators.adaptif: 'task_on_tim' is no active",
        ),
        ("{indicators: {adaptif: exam_mean}}", "'exam_mean' is no active ratio of employees"),
        ("{months: 2, minimum_months: 3, indicators: {}}", "minimum_months 3 are more than the 2 months compared"),
        ("{minimum_people: 2, indicators: {}}", "greater than or equal to 3"),
    ],
)
def test_a_comparison_that_could_tell_nothing_is_refused(tmp_path: Path, effect: str, message: str) -> None:
    (tmp_path / "salor.yaml").write_text(f"training: {{effect: {effect}}}\n", encoding="utf-8")
    with pytest.raises(PolicyError, match=message):
        load_policies(tmp_path)
