"""What the warehouse holds, read from the ledger of publications.

Here: small frames for the command line and for tests of repeatability. Not here: the published tables themselves.
"""

from __future__ import annotations

import datetime as dt

import polars as pl
import sqlalchemy as sa

from kinerja_pipeline.warehouse.database import is_migrated, reading

_LATEST = """
SELECT region, table_name, period, row_count, content_hash, published_at
FROM (
    SELECT publication.*, row_number() OVER (
        PARTITION BY region, table_name, period ORDER BY publication_id DESC
    ) AS age
    FROM {schema}publication AS publication
) AS line
WHERE age = 1
ORDER BY region, table_name, period
"""
_STATUS = "SELECT region, period, status_code FROM {schema}period_status"
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


def _read(engine: sa.Engine) -> tuple[pl.DataFrame, pl.DataFrame]:
    schema = "" if engine.dialect.name == "sqlite" else "reporting."
    with reading(engine) as connection:
        if not is_migrated(connection):
            return pl.DataFrame(schema=_LEDGER_SCHEMA), pl.DataFrame(schema=_STATUS_SCHEMA)
        instant = sa.text(_LATEST.format(schema=schema)).columns(published_at=sa.DateTime(timezone=True))
        lines = [(*line[:-1], _utc(line[-1])) for line in connection.execute(instant)]
        statuses = [tuple(line) for line in connection.execute(sa.text(_STATUS.format(schema=schema)))]
    return (
        pl.DataFrame(lines, schema=_LEDGER_SCHEMA, orient="row"),
        pl.DataFrame(statuses, schema=_STATUS_SCHEMA, orient="row"),
    )


def _utc(instant: dt.datetime) -> dt.datetime:
    """SQLite hands back the UTC instant without its zone."""
    return instant.replace(tzinfo=dt.UTC) if instant.tzinfo is None else instant.astimezone(dt.UTC)
