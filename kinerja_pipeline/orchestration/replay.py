"""Replaying the quarantine after a contract or a mapping was mended: what it holds, by month and reason.

Not here: a second way to compute; the split reads every delivery each time, so replaying is landing and running those
months (orchestration/launch).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.landing.landed import DATED
from kinerja_pipeline.orchestration.storage import Lake

QUARANTINED_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "month": pl.String,
    "feed": pl.String,
    "reason": pl.String,
    "row_count": pl.Int64,
    "delivery_count": pl.Int64,
}


def quarantined(lake: Lake, region: str, feeds: Iterable[Contract]) -> pl.DataFrame:
    """One row per month (`dated` for registers), feed and reason of the rows not believed; reasons overlap."""
    parts = [pl.DataFrame(schema=QUARANTINED_SCHEMA)]
    for feed, month, rows in _rejected(lake, region, feeds):
        counted = (
            rows.select("_delivery_id", pl.col("_reasons").alias("reason"))
            .explode("reason")
            .group_by("reason")
            .agg(pl.len().alias("row_count"), pl.col("_delivery_id").n_unique().alias("delivery_count"))
        )
        named = counted.with_columns(month=pl.lit(month or DATED), feed=pl.lit(feed))
        parts.append(named.select(pl.col(name).cast(kind) for name, kind in QUARANTINED_SCHEMA.items()))
    return pl.concat(parts).sort("month", "feed", "reason")


def quarantined_count(lake: Lake, region: str, feeds: Iterable[Contract]) -> int:
    """How many rows the quarantine holds, each counted once."""
    return sum(len(rows) for _, _, rows in _rejected(lake, region, feeds))


def _rejected(lake: Lake, region: str, feeds: Iterable[Contract]) -> Iterable[tuple[str, str | None, pl.DataFrame]]:
    for feed in feeds:
        own: list[str | None] = [*lake.months("quarantine", feed.name, region)]
        if not feed.is_event:
            own = [None] if lake.has("quarantine", feed.name, region) else []
        for month in own:
            yield (
                feed.name,
                month,
                lake.read("quarantine", feed.name, region, month, columns=["_delivery_id", "_reasons"]),
            )
