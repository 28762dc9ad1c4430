"""What the warehouse holds, read from the ledger of publications.

Here: small frames for the command line and for tests of repeatability. Not here: the published tables themselves.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from kinerja_pipeline.warehouse.database import is_migrated, open_warehouse, reading
from kinerja_pipeline.warehouse.publish import Published

_LATEST = """
SELECT region, table_name, period, row_count, content_hash, published_at
FROM (
    SELECT publication.*, row_number() OVER (
        PARTITION BY region, table_name, period ORDER BY publication_id DESC
    ) AS age
    FROM {schema}publication AS publication
    {where}
) AS line
WHERE age = 1
ORDER BY region, table_name, period
"""
_STATUS = "SELECT region, period, status_code FROM {schema}period_status {where}"
_LEDGER_SCHEMA = {
    "region": pl.String(),
    "table_name": pl.String(),
    "period": pl.String(),
    "row_count": pl.Int64(),
    "content_hash": pl.String(),
    "published_at": pl.Datetime("us", "UTC"),
}
_STATUS_SCHEMA = {"region": pl.String(), "period": pl.String(), "status_code": pl.String()}
_MONTH = "^[0-9]{4}-[0-9]{2}$"


def region_month_status(engine: sa.Engine) -> pl.DataFrame:
    """One row per region and published month: status_code (null before period_status is published), table_count,
    row_count over all tables, last_published_at. Empty before the first publication."""
    latest, statuses = _read(engine)
    return (
        latest.filter(pl.col("period").str.contains(_MONTH))
        .group_by("region", "period")
        .agg(
            pl.len().cast(pl.Int64).alias("table_count"),
            pl.col("row_count").sum(),
            pl.col("published_at").max().alias("last_published_at"),
        )
        .join(statuses, on=["region", "period"], how="left")
        .select("region", "period", "status_code", "table_count", "row_count", "last_published_at")
        .sort("region", "period")
    )


def content_hashes(engine: sa.Engine) -> pl.DataFrame:
    """One row per region, table and period: the content_hash of its last publication. Empty before the first."""
    latest, _ = _read(engine)
    return latest.select("region", "table_name", "period", "content_hash")


@dataclass(frozen=True, slots=True)
class Held:
    """What the warehouse holds of a region: of each published month one digest of all that is said of it, of each
    published period whether it is open, partial or closed."""

    digests: Mapping[str, str]
    statuses: Mapping[str, str]


def held(url: str, region: str) -> Held:
    """Opening a SQLite warehouse would make the file, so a missing one stays missing and holds nothing."""
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return Held({}, {})
    engine = open_warehouse(url)
    try:
        latest, statuses = _read(engine, region)
    finally:
        engine.dispose()
    months = latest.filter(pl.col("period").str.contains(_MONTH))
    digests = {
        str(month): month_digest(dict(part.select("table_name", "content_hash").iter_rows()))
        for (month,), part in months.group_by("period")
    }
    return Held(digests, dict(statuses.select("period", "status_code").iter_rows()))


def published_digest(lines: Iterable[Published], month: str) -> str:
    """The digest of a month as a publication leaves it."""
    return month_digest({line.table_name: line.content_hash for line in lines if line.period == month})


def month_digest(hashes: Mapping[str, str]) -> str:
    """One digest of a month's content hashes by table."""
    return hashlib.sha256(repr(sorted(hashes.items())).encode()).hexdigest()[:24]


def _read(engine: sa.Engine, region: str | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The last lines of the ledger and the periods' statuses: of a region, or of all."""
    words = {"schema": "" if engine.dialect.name == "sqlite" else "reporting."}
    words["where"] = "" if region is None else "WHERE region = :region"
    values = {} if region is None else {"region": region}
    with reading(engine) as connection:
        if not is_migrated(connection):
            return pl.DataFrame(schema=_LEDGER_SCHEMA), pl.DataFrame(schema=_STATUS_SCHEMA)
        instant = sa.text(_LATEST.format(**words)).columns(published_at=sa.DateTime(timezone=True))
        lines = [(*line[:-1], _utc(line[-1])) for line in connection.execute(instant, values)]
        statuses = [tuple(line) for line in connection.execute(sa.text(_STATUS.format(**words)), values)]
    return (
        pl.DataFrame(lines, schema=_LEDGER_SCHEMA, orient="row"),
        pl.DataFrame(statuses, schema=_STATUS_SCHEMA, orient="row"),
    )


def _utc(instant: dt.datetime) -> dt.datetime:
    """SQLite hands back the UTC instant without its zone."""
    return instant.replace(tzinfo=dt.UTC) if instant.tzinfo is None else instant.astimezone(dt.UTC)
