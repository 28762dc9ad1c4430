"""Which months run: what was asked for, and the published months that look at it, from either side."""

from __future__ import annotations

from typing import Any

import pytest

from kinerja_pipeline.facts.periods import months_between
from kinerja_pipeline.orchestration.months import known_months, months_to_run
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.policies.model import Policy

SALOR = load_policies()["salor"]
KNOWN = months_between("2025-01", "2027-12")


def policy(lookback: int = 12, **indicators: Any) -> Policy:
    periods = SALOR.periods.model_copy(update={"task_lookback_months": lookback})
    return SALOR.model_copy(update={"periods": periods, "indicators": indicators})


def run(*asked: str, published: list[str] | None = None, versions: list[Policy] | None = None) -> list[str]:
    return months_to_run(KNOWN, KNOWN if published is None else published, asked, versions or [policy()])


def test_a_month_alone_runs_alone_until_others_are_published() -> None:
    assert run("2026-03", published=[]) == ["2026-03"]
    assert run("2026-03", published=["2026-03"]) == ["2026-03"]
    assert run(published=KNOWN) == []


def test_the_month_before_and_the_year_after_look_at_a_month() -> None:
    # 36 hours of the month lie in the reach of February; growth and counters of March 2027 are the last to read it.
    assert run("2026-03") == months_between("2026-02", "2027-03")
    assert run("2026-05", "2026-03") == months_between("2026-02", "2027-05")
    assert run("2026-03", published=["2026-01", "2026-02", "2026-06", "2027-04"]) == ["2026-02", "2026-03", "2026-06"]


def test_a_longer_look_back_of_any_version_reaches_further() -> None:
    assert run("2026-01", versions=[policy(), policy(18), policy(3)])[-1] == "2027-07"
    assert run("2026-01", versions=[policy(3)])[-1] == "2027-01"


@pytest.mark.parametrize(("fact", "last"), [("task_outcome", "2027-09"), ("attendance_day", "2027-01")])
def test_growth_of_tasks_reads_last_years_look_back_too(fact: str, last: str) -> None:
    """Growth of December 2027's backlog opens that of December 2026, which reads back to its own months before."""
    counted = next(i for i in SALOR.indicators.values() if i.fact == "task_outcome")
    growth = counted.model_copy(update={"statistic": "growth", "fact": fact})
    assert run("2026-01", versions=[policy(8, growth=growth)])[-1] == last


def test_months_that_can_run_lie_between_the_regions_first_and_the_last_that_exists() -> None:
    from_march = SALOR.model_copy(update={"first_month": "2026-03"})
    events, published = {"2000-01", "2026-05", "2026-04"}, {"2026-03", "2026-04", "2026-08", "2026-02"}
    assert known_months(events, published, from_march, latest="2026-07") == ["2026-03", "2026-04", "2026-05"]
