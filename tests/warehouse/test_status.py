"""What `kinerja status` reads, before and after the first publication."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import polars as pl
import sqlalchemy as sa

from kinerja_pipeline.warehouse.status import content_hashes, held, month_digest, region_month_status

FrameOf = Callable[..., pl.DataFrame]
Publish = Callable[..., Any]


def test_a_warehouse_before_its_first_publication_is_empty_not_broken(engine: sa.Engine) -> None:
    assert region_month_status(engine).shape == (0, 6)
    assert content_hashes(engine).shape == (0, 4)


def test_status_lists_the_months_published_last(engine: sa.Engine, frame_of: FrameOf, publish_to: Publish) -> None:
    march = {"period_kind": "month", "period": "2026-03", "as_of_date": dt.date(2026, 3, 31), "month_count": 1}
    quarter = {**march, "period_kind": "quarter", "period": "2026-Q1", "status_code": "partial"}
    publish_to(
        kpi=frame_of("kpi", {"indicator_id": "a"}, {"indicator_id": "b"}),
        period_status=frame_of("period_status", {**march, "status_code": "closed"}, quarter),
    )
    publish_to(kpi=frame_of("kpi", {"indicator_id": "a"}))
    assert region_month_status(engine).to_dicts() == [
        {
            "region": "manokwari",
            "period": "2026-03",
            "status_code": "closed",
            "table_count": 2,
            "row_count": 2,
            "last_published_at": dt.datetime(2026, 4, 6, 2, 30, tzinfo=dt.UTC),
        }
    ]
    assert content_hashes(engine).select("table_name", "period").rows() == [
        ("kpi", "2026-03"),
        ("period_status", "2026-03"),
        ("period_status", "2026-Q1"),
    ]


def test_what_is_held_of_a_region_is_its_own_and_of_its_last_publication(
    engine: sa.Engine, frame_of: FrameOf, publish_to: Publish
) -> None:
    status = {"period_kind": "month", "as_of_date": dt.date(2026, 4, 6), "month_count": 1}
    publish_to(kpi=frame_of("kpi", {"indicator_id": "first"}))
    publish_to(
        kpi=frame_of("kpi", {"indicator_id": "last"}),
        period_status=frame_of("period_status", {**status, "period": "2026-03", "status_code": "closed"}),
    )
    # Another region, later, with a month of its own and another opinion of the same one.
    for month in ("2026-03", "2026-04"):
        of_salor = {"region": "salor", "period": month}
        publish_to(
            region="salor",
            month=month,
            kpi=frame_of("kpi", {**of_salor, "indicator_id": "other"}),
            period_status=frame_of("period_status", {**status, **of_salor, "status_code": "open"}),
        )
    lines = content_hashes(engine).filter(region="manokwari", period="2026-03")
    found = held(engine.url.render_as_string(hide_password=False), "manokwari")
    assert found.digests == {"2026-03": month_digest(dict(lines.select("table_name", "content_hash").rows()))}
    assert found.statuses == {"2026-03": "closed"}
    assert set(held(engine.url.render_as_string(hide_password=False), "salor").digests) == {"2026-03", "2026-04"}
