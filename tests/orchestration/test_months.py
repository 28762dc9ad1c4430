"""Which months a region has."""

from __future__ import annotations

from kinerja_pipeline.orchestration.months import known_months
from kinerja_pipeline.policies.loader import load_policies


def test_months_that_can_run_lie_between_the_regions_first_and_the_last_that_exists() -> None:
    from_march = load_policies()["salor"].model_copy(update={"first_month": "2026-03"})
    events, published = {"2000-01", "2026-05", "2026-04"}, {"2026-03", "2026-04", "2026-08", "2026-02"}
    assert known_months(events, published, from_march, latest="2026-07") == ["2026-03", "2026-04", "2026-05"]
