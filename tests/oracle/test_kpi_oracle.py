"""The pipeline and the oracle, which share no line, agree on random worlds of indicators, measures and months."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import kpi_oracle as oracle
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kpi_world import by, kpi_rows, measured, people_of, policy_with, rated

from kinerja_pipeline.kpi.evaluation import evaluation
from kinerja_pipeline.policies.model import Evaluation

MONTHS = ("2026-01", "2026-02", "2026-03")
LEVELS = ("jpt", "pelaksana")
NAMES = ("a", "b", "c", "d")
WEIGHTS = (
    ("0.25", "0.25", "0.25", "0.25"),
    ("0.4", "0.3", "0.2", "0.1"),
    ("0.6", "0.2", "0.2", "0"),
    ("0.3", "0.3", "0.3", "0.1"),
)
amounts = st.integers(0, 20_000).map(lambda n: Fraction(n, 100))
targets = st.integers(0, 2_000).map(lambda n: Fraction(n, 10))


@st.composite
def declarations(draw: st.DrawFn) -> dict[str, Any]:
    statistic = draw(st.sampled_from(["ratio", "count", "last"]))
    low, width = draw(targets), draw(st.integers(0, 300).map(lambda n: Fraction(n, 10)))
    return {
        "statistic": statistic,
        "direction": draw(st.sampled_from(["higher", "higher", "lower", "range"])),
        "formula": draw(st.sampled_from(["standard", "inverse"])),
        "scale": draw(st.sampled_from([1, 100])),
        "cap": draw(st.sampled_from([120, 150])),
        "minimum_evidence": draw(st.sampled_from([1, 1, 3])),
        "value": draw(targets),
        "by_position": draw(st.dictionaries(st.sampled_from(LEVELS), targets)),
        "kind": draw(st.sampled_from(["level", "additive"])) if statistic == "count" else "level",
        "low": low,
        "high": low + width,
    }


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[str, Any], tuple[str, ...], dict[tuple[str, str], oracle.Measure], str, Any]:
    declared = {name: draw(declarations()) for name in NAMES}
    cells = [(name, month) for name in NAMES for month in MONTHS]
    chosen = draw(st.lists(st.sampled_from(cells), unique=True))
    values = {cell: (draw(amounts), draw(amounts), draw(st.integers(1, 5))) for cell in chosen}
    return (
        declared,
        draw(st.sampled_from(WEIGHTS)),
        values,
        draw(st.sampled_from(LEVELS)),
        draw(st.sampled_from([Fraction(0), Fraction(6, 10), Fraction(1)])),
    )


def indicator(declared: dict[str, Any], weight: str) -> dict[str, Any]:
    """The oracle's declaration as a policy writes it."""
    is_range = declared["direction"] == "range"
    return {
        **{k: declared[k] for k in ("statistic", "direction", "formula", "scale", "cap", "minimum_evidence")},
        "denominator": "1" if declared["statistic"] == "ratio" else None,
        "weight": float(weight),
        "target": {
            "value": None if is_range else float(declared["value"]),
            "low": float(declared["low"]) if is_range else None,
            "high": float(declared["high"]) if is_range else None,
            "by_position": {} if is_range else {k: float(v) for k, v in declared["by_position"].items()},
            "kind": declared["kind"],
        },
    }


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_the_pipeline_agrees_with_the_oracle(world: Any) -> None:
    declared, weights, values, level, minimum = world
    policy = policy_with(**{n: indicator(d, w) for (n, d), w in zip(declared.items(), weights, strict=True)})
    monthly = measured(
        *(
            ("employee", "ani", name, month, float(above), float(below), evidence)
            for (name, month), (above, below, evidence) in values.items()
        )
    )
    rows = kpi_rows(policy, monthly, people_of(("ani", "dinkes", level)))
    present = sorted({month for _, month in values})
    frame = pl.DataFrame(list(rows.values()), infer_schema_length=None)
    seen_results = by(evaluation(_typed(frame), rated(), Evaluation(minimum_coverage_share=float(minimum))), "period")

    for period, inside in {"2026-03": MONTHS[2:], "2026-Q1": MONTHS, "2026": MONTHS}.items():
        months = [m for m in present if m in inside]
        scores = []
        for name, weight in zip(NAMES, weights, strict=True):
            own = {m: values[name, m] for m in months if (name, m) in values}
            measure = oracle.rolled_up(declared[name]["statistic"], own, max(months, default=None))
            target = oracle.target_of(declared[name], level, max(len(months), 1))
            actual, score, reason = oracle.judged(declared[name], measure, target)
            seen = rows["ani", name, period]
            assert seen["reason"] == reason, (name, period)
            assert seen["actual"] == (None if actual is None else pytest.approx(float(actual)))
            assert seen["score"] == (None if score is None else pytest.approx(float(score)))
            scores.append((Fraction(weight), score))
        coverage, result, rating = oracle.result(((w, s) for w, s in scores if w), minimum)
        seen = seen_results[period]
        assert seen["coverage_share"] == pytest.approx(float(coverage))
        if result is None:
            assert (seen["result_score"], seen["result_rating"]) == (None, None)
            continue
        # Floats may stand on the other side of an exact half.
        assert abs(seen["result_score"] - float(result)) <= 0.0051
        if abs(result * 100 - (result * 100).__floor__() - Fraction(1, 2)) > Fraction(1, 10**6):
            assert seen["result_score"] == pytest.approx(float(oracle.half_up(result)))
            assert seen["result_rating"] == rating


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col("score", "weight").cast(pl.Float64), pl.col("unit_id").cast(pl.String))
