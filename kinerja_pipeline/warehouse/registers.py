"""The tables that describe the others: regions, units with their paths, indicators, deliveries, data quality, periods.

Here: pure functions that make those frames from policies, ledger and tallies. Not here: facts, kpi, the database.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import polars as pl

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.facts.periods import add_months, as_of, month_start, months_of, periods_of
from kinerja_pipeline.plain import PERSON_NUMBER
from kinerja_pipeline.policies.explain import formula
from kinerja_pipeline.policies.loader import policy_version
from kinerja_pipeline.policies.model import Policy

ALL = "all"
"""The unit_id of a data-quality row that is counted for the region as a whole."""


def region(policy: Policy) -> pl.DataFrame:
    """One row: the region with its labels, time zone and the policy in force in its last published month."""
    return pl.DataFrame(
        {
            "region": [policy.region],
            "label_id": [policy.labels.id],
            "label_en": [policy.labels.en],
            "time_zone": [policy.time_zone],
            "policy_version": [policy_version(policy)],
        }
    )


def org_unit(units: pl.DataFrame) -> pl.DataFrame:
    """One row per unit and start of validity, with `unit_path`: the codes from the top down to the unit, joined by `/`.

    *Edge*: a parent that is not a unit of the register ends the path; a circle of parents is cut where it closes.
    """
    parent = dict(units.sort("valid_from").select("unit_id", "parent_unit_id").iter_rows())

    def path(unit: str) -> str:
        steps: list[str] = []
        here: str | None = unit
        while here is not None and here in parent and here not in steps:
            steps.append(here)
            here = parent[here]
        return "/".join(reversed(steps))

    paths = pl.DataFrame(
        {"unit_id": list(parent), "unit_path": [path(u) for u in parent]},
        schema={"unit_id": pl.String, "unit_path": pl.String},
    )
    return units.join(paths, on="unit_id", how="left")


def indicator(policies: Iterable[Policy]) -> pl.DataFrame:
    """One row per active indicator of each policy: labels, aspect, statistic, unit, direction, and its formula.

    `policies` are those that rule the month and the longer periods around it.
    """
    rows = [
        {
            "indicator_id": name,
            "policy_version": version,
            "label_id": i.labels.id,
            "label_en": i.labels.en,
            "aspect_code": i.aspect,
            "statistic": i.statistic,
            "unit": i.unit,
            "direction": i.direction,
            "formula": formula(i),
            "source": i.fact,
            "law": i.source or None,
        }
        for version, policy in {policy_version(p): p for p in policies}.items()
        for name, i in policy.indicators.items()
        if i.is_active
    ]
    columns = (
        "indicator_id",
        "policy_version",
        "label_id",
        "label_en",
        "aspect_code",
        "statistic",
        "unit",
        "direction",
        "formula",
        "source",
        "law",
    )
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String))


def data_quality(tallies: Iterable[pl.DataFrame], feeds: Mapping[str, Contract], month: str) -> pl.DataFrame:
    """One row per feed and rule of a month, and one `all` per feed: reasons overlap, so only `all` adds up.

    Dated feeds are counted as they stood when the month was published.
    """
    counts = ("landed_count", "valid_count", "rejected_count", "superseded_count")
    tally = pl.concat(list(tallies))
    summed = tally.group_by("feed", "rule_id", "severity_code").agg(
        pl.when(pl.col(c).count() > 0).then(pl.col(c).sum()).alias(c) for c in counts
    )
    landed = (
        tally.filter(pl.col("rule_id") == "all").group_by("feed").agg(pl.col("landed_count").sum().alias("_landed"))
    )
    tolerance = pl.DataFrame(
        {"feed": list(feeds), "tolerance_share": [c.tolerance_share for c in feeds.values()]},
        schema={"feed": pl.String, "tolerance_share": pl.Float64},
    )
    return (
        summed.join(landed, on="feed")
        .join(tolerance, on="feed")
        .with_columns(
            landed_count=pl.col("_landed"),
            rejected_share=pl.when(pl.col("_landed") > 0).then(pl.col("rejected_count") / pl.col("_landed")),
            unit_id=pl.lit(ALL),
            period=pl.lit(month),
        )
        .sort("feed", "rule_id")
    )


def delivery(ledger: pl.DataFrame, tallies: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """One row per delivered file, refused ones too; counts are null until all months of the delivery are validated.

    A file that is called by somebody's number is told without it: whoever reads this table may see nobody's.
    """
    counted = (
        pl.concat(list(tallies))
        .filter(pl.col("rule_id") == "all")
        .group_by("feed", "delivery_id")
        .agg(pl.col("landed_count", "valid_count", "rejected_count", "superseded_count").sum())
    )
    is_complete = pl.col("landed_count") == pl.col("row_count")
    return (
        ledger.join(counted, on=["feed", "delivery_id"], how="left")
        .with_columns(
            pl.col("feed", "file_name", "reason").str.replace_all(PERSON_NUMBER, "(NIP)"),
            sha256=pl.col("delivery_id"),
            **{c: pl.when(is_complete).then(pl.col(c)) for c in ("valid_count", "rejected_count", "superseded_count")},
        )
        .sort("feed", "delivery_id")
    )


def period_status(policy: Policy, month: str, published: Iterable[str], today: dt.date) -> pl.DataFrame:
    """One row per period that contains `month`: open, partial or closed, its last counted day, its number of months.

    `published` are the region's months that have figures. A month closes on the policy's closing day of the next month;
    a longer period when all its months are there and closed, and is partial while some are missing.
    """
    have = set(published) | {month}
    rows = []
    for kind, period in periods_of(month).items():
        months = months_of(period)
        present = [m for m in months if m in have]
        closing = month_start(add_months(months[-1], 1)).replace(day=policy.periods.closing_day)
        is_closed = today >= closing and len(present) == len(months)
        rows.append(
            {
                "period_kind": kind,
                "period": period,
                "status_code": "closed" if is_closed else "open" if len(present) == len(months) else "partial",
                "as_of_date": as_of(present[-1], today),
                "month_count": len(present),
                "closed_at": dt.datetime.combine(closing, dt.time(), policy.zone).astimezone(dt.UTC)
                if is_closed
                else None,
            }
        )
    return pl.DataFrame(
        rows,
        schema={
            "period_kind": pl.String,
            "period": pl.String,
            "status_code": pl.String,
            "as_of_date": pl.Date,
            "month_count": pl.Int64,
            "closed_at": pl.Datetime("us", "UTC"),
        },
    )
