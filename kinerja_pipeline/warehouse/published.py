"""What a month's report is made from, read from the warehouse in one snapshot: never of two publications.

Here: small frames of one region and month (days and people counted, not listed), the months before it for trends, and
names of those a follow-up line is about. Not here: what a report makes of them (reports/figures).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from kinerja_pipeline.contracts.model import Contract, Kind
from kinerja_pipeline.contracts.tables import warehouse_tables
from kinerja_pipeline.facts.periods import add_months, month_end, periods_of
from kinerja_pipeline.warehouse.database import reading_published

Frames = Mapping[str, pl.DataFrame]

MONTHS_BEFORE = 11
"""Months of a trend before the month itself."""
READ = (
    *("attendance_day", "data_quality", "delivery", "employee", "evaluation", "follow_up", "indicator", "kpi"),
    *("org_unit", "period_status", "satisfaction_element", "satisfaction_index", "training_programme"),
    "unit_evaluation",
)
"""The tables that a report reads, beside the ledger of publications."""

_DTYPES: Mapping[Kind, pl.DataType | type[pl.DataType]] = {
    "string": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "boolean": pl.Boolean,
    "date": pl.Date,
    "timestamp": pl.Datetime("us", "UTC"),
}
_DAYS = {
    "unit_id": pl.String,
    "work_date": pl.Date,
    "status_code": pl.String,
    **dict.fromkeys(("day_count", "tapped_count", "late_count", "early_count", "unpunctual_count"), pl.Int64),
}
_EVALUATED = {"status_code": pl.String, "reason": pl.String, "person_count": pl.Int64}


class NotPublished(Exception):
    """There is nothing to report; the message says what there is instead."""


def published_month(url: str, outgoing: Mapping[str, Contract], region: str, month: str) -> Frames:
    """The frames of a report, by table, as they stand at one moment in the warehouse at `url`.

    `attendance_day` is counted by unit, day and status, `evaluation` by status and reason; `kpi` holds units and the
    region, of the month and, for shares of tasks done in time, of the months before; `satisfaction_index` those months
    too; `employee` only whom a follow-up line names; `publication` the month's (kpi) and the region's last (region).
    Raises NotPublished, WarehouseError.
    """
    try:
        with reading_published(url) as connection:
            every = {t.name: t for t in warehouse_tables(outgoing, connection.dialect.name).tables.values()}
            return _frames(connection, every, outgoing, region, month)
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        text = f"The warehouse could not be read: {cause}. `kinerja migrate` brings it up to date."
        raise NotPublished(text) from error


def _frames(
    connection: sa.Connection, tables: Mapping[str, sa.Table], outgoing: Mapping[str, Contract], region: str, month: str
) -> dict[str, pl.DataFrame]:
    first = add_months(month, -MONTHS_BEFORE)

    def read(name: str, *where: sa.ColumnElement[bool], columns: tuple[str, ...] = ()) -> pl.DataFrame:
        """The region's rows of a table, or some of its columns, in the order of its key."""
        table, contract = tables[name], outgoing[name]
        kept = [c for c in contract.columns if not columns or c.name in columns]
        query = sa.select(*(table.c[c.name] for c in kept)).where(table.c.region == region, *where)
        rows = [tuple(row) for row in connection.execute(query.order_by(*table.primary_key.columns))]
        naive = {c.name: pl.Datetime("us") if c.kind == "timestamp" else _DTYPES[c.kind] for c in kept}
        # SQLite hands back UTC instants without their zone.
        instants = [c.name for c in kept if c.kind == "timestamp"]
        is_aware = bool(rows and instants and connection.dialect.name != "sqlite")
        schema = {c.name: _DTYPES[c.kind] for c in kept} if is_aware else naive
        frame = pl.DataFrame(rows, schema=schema, orient="row")
        return frame if is_aware else frame.with_columns(pl.col(instants).dt.replace_time_zone("UTC"))

    status = read("period_status", tables["period_status"].c.period.in_(list(periods_of(month).values())))
    if month not in status["period"]:
        raise NotPublished(_instead(read("period_status"), region, month))
    kpi = tables["kpi"].c
    of_units = sa.and_(kpi.subject_kind.in_(["unit", "region"]), kpi.period_kind == "month")
    figures = read("kpi", of_units, kpi.period == month)
    dictionary = read("indicator")
    trended = in_time(dictionary)
    before = read("kpi", of_units, kpi.period >= first, kpi.period < month, kpi.indicator_id.in_(trended))
    survey = tables["satisfaction_index"].c.period
    ledger = tables["publication"].c
    newest = sa.select(sa.func.max(ledger.publication_id)).where(ledger.region == region).scalar_subquery()
    of_month = sa.and_(ledger.table_name == "kpi", ledger.period == month)
    of_region = sa.and_(ledger.table_name == "region", ledger.publication_id == newest)
    advice = tables["follow_up"].c
    people = tables["employee"].c
    listed = sa.select(advice.subject_id).where(
        advice.region == region, advice.period == month, advice.subject_kind == "employee"
    )
    return {
        "period_status": status,
        "publication": read("publication", sa.or_(of_month, of_region)),
        "indicator": dictionary,
        "kpi": pl.concat([before, figures]),
        "satisfaction_index": read(
            "satisfaction_index", survey.between(first, month), sa.func.length(survey) == len(month)
        ),
        "satisfaction_element": read("satisfaction_element", tables["satisfaction_element"].c.period == month),
        "attendance_day": _days(connection, tables["attendance_day"], region, month),
        "unit_evaluation": read("unit_evaluation", tables["unit_evaluation"].c.period == month),
        "evaluation": _evaluated(connection, tables["evaluation"], region, month),
        "follow_up": read("follow_up", advice.period == month),
        "employee": read(
            "employee",
            people.assignment_code == "utama",
            people.valid_from <= month_end(month),
            people.nip.in_(listed),
            columns=("nip", "valid_from", "name", "unit_id", "position"),
        ),
        "org_unit": read("org_unit", columns=("unit_id", "valid_from", "name", "unit_path")),
        "training_programme": read("training_programme", columns=("programme_id", "year", "name")),
        "data_quality": read("data_quality", tables["data_quality"].c.period == month),
        "delivery": read("delivery"),
    }


def in_time(dictionary: pl.DataFrame) -> list[str]:
    """The indicators that say which share of tasks was done in time."""
    shares = dictionary.filter(
        source="task_outcome", aspect_code="time", statistic="ratio", unit="percent", direction="higher"
    )
    return sorted(shares["indicator_id"].unique())


def _days(connection: sa.Connection, table: sa.Table, region: str, month: str) -> pl.DataFrame:
    """Days of people counted where the database has them: a large region has a million of them in a month."""
    c = table.c
    is_late, is_early = c.late_minutes > 0, c.early_minutes > 0
    query = (
        sa.select(
            *(c.unit_id, c.work_date, c.status_code, sa.func.count()),
            sa.func.count().filter(c.tap_count > 0),
            sa.func.count().filter(is_late),
            sa.func.count().filter(is_early),
            sa.func.count().filter(sa.and_(c.tap_count > 0, sa.or_(is_late, is_early))),
        )
        .where(c.region == region, c.period == month)
        .group_by(c.unit_id, c.work_date, c.status_code)
        .order_by(c.unit_id, c.work_date, c.status_code)
    )
    return _counted(connection, query, _DAYS)


def _evaluated(connection: sa.Connection, table: sa.Table, region: str, month: str) -> pl.DataFrame:
    c = table.c
    query = (
        sa.select(c.status_code, c.reason, sa.func.count())
        .where(c.region == region, c.period == month)
        .group_by(c.status_code, c.reason)
        .order_by(c.status_code, c.reason)
    )
    return _counted(connection, query, _EVALUATED)


def _counted(connection: sa.Connection, query: sa.Select[Any], schema: Mapping[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([tuple(row) for row in connection.execute(query)], schema=schema, orient="row")


def _instead(status: pl.DataFrame, region: str, month: str) -> str:
    months = status.filter(period_kind="month")["period"].to_list()
    have = f"there is {', '.join(months)}" if months else "nothing of this region is published yet"
    return f"{region}: {month} is not published; {have}."
