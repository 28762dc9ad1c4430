"""Training as an indicator: who takes part, and hours against those expected, per person, unit and region."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from kpi_world import SALOR, frame_of, kpi_rows, people_of, ready

from kinerja_pipeline.kpi.indicators import measures
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.policies.model import Policy

TRAINED = {
    **dict.fromkeys(("nip", "period", "unit_id"), pl.String),
    "programme_count": pl.Int64,
    "month_hours": pl.Float64,
    "expected_hours": pl.Float64,
}
STAFF = people_of(("ani", "kurao", "pelaksana"), ("budi", "kurao", "pelaksana"), ("citra", "lapai", "pelaksana"))


def trained(month: str, **people: tuple[str, int | None, float]) -> pl.DataFrame:
    """unit, programmes since January, hours in the month; 20 hours are expected in a year."""
    return frame_of(
        [
            {
                "nip": nip,
                "period": month,
                "unit_id": unit,
                "programme_count": count,
                "month_hours": hours,
                "expected_hours": 20.0,
            }
            for nip, (unit, count, hours) in people.items()
        ],
        **TRAINED,
    )


def only(policy: Policy, name: str) -> Policy:
    return policy.model_copy(update={"indicators": {name: policy.indicators[name]}})


def actuals(policy: Policy, *months: pl.DataFrame, month: str) -> dict[tuple[str, str], Any]:
    measured = pl.concat(measures({"training_year": frame}, ready(policy), str(frame["period"][0])) for frame in months)
    rows = kpi_rows(policy, measured, STAFF, month)
    return {(subject, period): row["actual"] for (subject, _, period), row in rows.items()}


def test_participation_is_the_share_of_people_with_a_programme_this_year() -> None:
    policy = only(load_policies()["nanggalo"], "training_participation")
    march = trained("2026-03", ani=("kurao", 2, 0.0), budi=("kurao", 0, 0.0), citra=("lapai", 1, 8.0))
    seen = actuals(policy, march, month="2026-03")
    assert {name: seen[name, "2026-03"] for name in ("ani", "budi", "kurao", "lapai")} == {
        "ani": 100.0,
        "budi": 0.0,
        "kurao": 50.0,
        "lapai": 100.0,
    }
    assert seen["nanggalo", "2026-03"] == pytest.approx(200 / 3)


def test_a_year_with_months_missing_is_no_evidence_against_anybody() -> None:
    policy = only(load_policies()["nanggalo"], "training_participation")
    seen = actuals(policy, trained("2026-03", ani=("kurao", None, 0.0)), month="2026-03")
    assert seen["ani", "2026-03"] is None


def test_hours_of_a_quarter_stand_against_a_quarter_of_the_years() -> None:
    # Unit kurao: 2 people, 5 hours each expected in three months; 8 completed.
    policy = only(SALOR, "training_hours")
    months = [
        trained("2026-01", ani=("kurao", 0, 0.0), budi=("kurao", 0, 0.0)),
        trained("2026-02", ani=("kurao", 1, 6.0), budi=("kurao", 0, 0.0)),
        trained("2026-03", ani=("kurao", 1, 0.0), budi=("kurao", 1, 2.0)),
    ]
    seen = actuals(policy, *months, month="2026-03")
    assert seen["kurao", "2026-Q1"] == pytest.approx(80)
    assert seen["kurao", "2026-03"] == pytest.approx(60)
