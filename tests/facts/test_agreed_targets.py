"""Targets as agreed: in which month each counts, and whether it came in time. Zone WIT, nine hours before UTC."""

from __future__ import annotations

import polars as pl
from facts_world import ANI, local, make_policy, utc

from kinerja_pipeline.facts.targets import indicator_target

POLICY = make_policy()


def seen(month: str, *rows: tuple[str, str | None]) -> list[tuple[object, ...]]:
    """Period and agreed_at of each target -> period, whether it was in time, whether it starts in the month."""
    targets = pl.DataFrame(
        [("it", "employee", ANI, period, 80.0, local(at) if at else None, None) for period, at in rows],
        schema={
            **dict.fromkeys(("indicator_id", "subject_kind", "subject_id", "period"), pl.String),
            "target": pl.Float64,
            "agreed_at": pl.Datetime("us"),
            "agreed_by": pl.String,
        },
        orient="row",
    )
    frame = indicator_target(targets, POLICY, month)
    return frame.select("period", "is_agreed_before_start", "is_starting").rows()


def test_a_target_is_in_time_until_its_period_begins() -> None:
    assert seen("2026-04", ("2026-Q2", "2026-03-31 23:59")) == [("2026-Q2", True, True)]
    assert seen("2026-04", ("2026-Q2", "2026-04-01 00:00")) == [("2026-Q2", False, True)]
    assert seen("2026-04", ("2026-Q2", None)) == [("2026-Q2", None, True)]


def test_a_month_has_its_own_targets_and_those_around_it_and_counts_each_where_it_begins() -> None:
    rows = [(p, "2025-12-01 09:00") for p in ("2026", "2026-Q1", "2026-Q2", "2026-04", "2026-05")]
    assert seen("2026-04", *rows) == [("2026", True, False), ("2026-04", True, True), ("2026-Q2", True, True)]
    assert seen("2026-05", *rows) == [("2026", True, False), ("2026-05", True, True), ("2026-Q2", True, False)]
    assert seen("2026-01", *rows) == [("2026", True, True), ("2026-Q1", True, True)]


def test_when_it_was_agreed_is_published_as_an_instant() -> None:
    targets = pl.DataFrame(
        {
            "indicator_id": ["it"],
            "subject_kind": ["unit"],
            "subject_id": ["U1"],
            "period": ["2026-04"],
            "target": [80.0],
            "agreed_at": [local("2026-03-20 09:00")],
            "agreed_by": [ANI],
        }
    )
    assert indicator_target(targets, POLICY, "2026-04")["agreed_at"].item() == utc("2026-03-20 00:00")
