"""Follow-up about units: missing records or people, a public not heard or of another opinion, rows with mistakes.

Here: one function per rule; each names units (mistakes of no unit: the region) with its evidence. Not here: rules about
people (kpi/follow_up_people). What a unit lacks is context for its people, never held against them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl

from kinerja_pipeline.facts.periods import in_force, month_end, period_end_month, periods_of
from kinerja_pipeline.facts.satisfaction import required_sample
from kinerja_pipeline.policies.follow_up import (
    CompletenessRule,
    DisagreementRule,
    FeedbackRule,
    InfrastructureRule,
    MistakesRule,
    StaffingRule,
)

MISTAKE_SCHEMA = {"unit_id": pl.String, "feed": pl.String, "rule_id": pl.String, "row": pl.String}
CONTENT = ("sangat_baik", "baik")
"""Predicates of work that is at least as expected."""
NAMING = ("unit_id", "nip", "subject_id")
"""The columns of a feed that can say whose row it is."""
REJECTED = ("_delivery_id", "_source_row", "_reasons")
"""What is looked at of rejected rows besides."""


def incomplete(attendance: pl.DataFrame, rule: CompletenessRule) -> pl.DataFrame:
    """Low adoption (S6): attendance could not be recorded on the rule's share of the unit's person-days, or more."""
    days = (
        attendance.drop_nulls("unit_id")
        .group_by("unit_id")
        .agg(pl.col("not_recorded_count").sum().alias("_lost"), pl.col("workday_count").sum().alias("_judged"))
    )
    whole = pl.col("_lost") + pl.col("_judged")
    share = pl.col("_lost") / whole
    return days.filter((whole > 0) & (share.round(9) >= rule.not_recorded_share)).select(
        *_unit(),
        pl.lit("complete_data").alias("action_code"),
        pl.lit("attendance_not_recorded").alias("reason"),
        pl.format("{} of {} person-days not recorded", "_lost", whole).alias("evidence"),
        *_recommended(),
    )


def unsupported(feed_day: pl.DataFrame, rule: InfrastructureRule) -> pl.DataFrame:
    """Limited infrastructure (S6): attendance of the unit that came late, or devices that were down."""
    late, down = pl.col("_late"), pl.col("_minutes")
    months = (
        feed_day.filter(pl.col("downtime_minutes").is_not_null())
        .group_by("unit_id")
        .agg(
            pl.len().cast(pl.Int64).alias("_days"),
            pl.col("is_late").sum().cast(pl.Int64).alias("_late"),
            pl.col("downtime_minutes").sum().alias("_minutes"),
        )
    )
    is_late = late >= rule.late_days
    return months.filter(is_late | (down >= rule.downtime_minutes)).select(
        *_unit(),
        pl.lit("complete_data").alias("action_code"),
        pl.when(is_late).then(pl.lit("attendance_late")).otherwise(pl.lit("devices_down")).alias("reason"),
        pl.format("attendance of {} of {} days came late, devices down for {} minutes", late, "_days", down).alias(
            "evidence"
        ),
        *_recommended(),
    )


def understaffed(employees: pl.DataFrame, org_units: pl.DataFrame, rule: StaffingRule, month: str) -> pl.DataFrame:
    """Staffing gap (M7): people with a main assignment on the month's last day, against those the workload analysis
    needs. A unit with people whose need nobody delivered: not computable."""
    on = month_end(month)
    main = employees.filter(pl.col("assignment_code") == "utama").select("nip", "unit_id", "valid_from", "valid_to")
    filled = _on_day(main, "nip", on).group_by("unit_id").agg(pl.len().cast(pl.Int64).alias("_filled"))
    units = _on_day(org_units.select("unit_id", "valid_from", "valid_to", "needed_headcount"), "unit_id", on)
    joined = units.join(filled, on="unit_id", how="left").with_columns(pl.col("_filled").fill_null(0))
    needed = pl.col("needed_headcount")
    gap = needed - pl.col("_filled")
    is_gap = (gap >= rule.minimum_gap) & ((gap / needed).round(9) >= rule.minimum_gap_share)
    is_unknown = needed.is_null() & (pl.col("_filled") > 0)
    return joined.filter(is_gap.fill_null(False) | is_unknown).select(
        *_unit(),
        pl.lit("fill_positions").alias("action_code"),
        pl.when(is_unknown).then(pl.lit("needed_headcount_missing")).otherwise(pl.lit("staffing_gap")).alias("reason"),
        pl.when(is_unknown)
        .then(pl.format("{} people, need unknown", "_filled"))
        .otherwise(pl.format("{} of {} positions filled", "_filled", needed))
        .alias("evidence"),
        *_recommended(pl.when(is_unknown).then(pl.lit("not_computable")).otherwise(pl.lit("recommended"))),
    )


def unheard(satisfaction: pl.DataFrame, org_units: pl.DataFrame, rule: FeedbackRule, month: str) -> pl.DataFrame:
    """Insufficient feedback (M8): fewer answers than the required sample in a survey of the unit, or none at all in a
    unit that serves the public. A survey whose population is unknown: not computable."""
    period = periods_of(month)[rule.period_kind]
    held = satisfaction.filter((pl.col("period") == period) & pl.lit(period_end_month(period) == month))
    required = pl.col("required_count")
    is_low = pl.col("respondent_count") < required
    asked = held.filter(is_low | required.is_null()).select(
        "unit_id",
        is_low.fill_null(False).alias("_is_low"),
        pl.format(
            "{}: {} of {} answers",
            "survey_code",
            "respondent_count",
            pl.coalesce(required.cast(pl.String), pl.lit("an unknown number of")),
        ).alias("evidence"),
        pl.lit("low_response").alias("reason"),
    )
    serving = _on_day(
        org_units.select("unit_id", "valid_from", "valid_to", "population_served"), "unit_id", month_end(month)
    ).filter((pl.col("population_served") > 0) & pl.lit(period_end_month(period) == month))
    silent = serving.join(held, on="unit_id", how="anti").select(
        "unit_id",
        pl.lit(True).alias("_is_low"),
        pl.format("0 of {} answers", required_sample(pl.col("population_served"))).alias("evidence"),
        pl.lit("no_response").alias("reason"),
    )
    named = (
        pl.concat([asked, silent])
        .sort("unit_id", "_is_low", "evidence", descending=[False, True, False])
        .group_by("unit_id", maintain_order=True)
        .agg(pl.col("evidence").str.join("; "), pl.col("_is_low").any(), pl.col("reason").first())
    )
    return named.select(
        *_unit(),
        pl.lit("collect_feedback").alias("action_code"),
        pl.when("_is_low").then("reason").otherwise(pl.lit("population_unknown")).alias("reason"),
        "evidence",
        *_recommended(pl.when("_is_low").then(pl.lit("recommended")).otherwise(pl.lit("not_computable"))),
    )


def disagreeing(monthly: pl.DataFrame, satisfaction: pl.DataFrame, rule: DisagreementRule, month: str) -> pl.DataFrame:
    """Disagreement (S2): the superiors' predicates of a unit's people and the public's index of the unit in the same
    month say opposite things. Both figures are told; neither changes the other. Without either there is nothing to
    compare."""
    rated = (
        monthly.filter(pl.col("period") == month)
        .drop_nulls(["unit_id", "official_predicate"])
        .group_by("unit_id")
        .agg(
            pl.len().cast(pl.Int64).alias("_rated"),
            pl.col("official_predicate").is_in(CONTENT).sum().cast(pl.Int64).alias("_content"),
        )
        .filter(pl.col("_rated") >= rule.minimum_rated)
    )
    heard = satisfaction.filter(pl.col("period") == month, pl.col("survey_code") == rule.survey_code)
    is_content = (pl.col("_content") / pl.col("_rated")).round(9) >= rule.content_share
    is_low = pl.col("class_code").is_in(rule.low_classes)
    return (
        rated.join(heard.drop_nulls("class_code"), on="unit_id")
        .filter(is_content == is_low)
        .select(
            *_unit(),
            pl.lit("compare_opinions").alias("action_code"),
            pl.when(is_low)
            .then(pl.lit("public_less_content"))
            .otherwise(pl.lit("superiors_less_content"))
            .alias("reason"),
            pl.format(
                "superiors: {} of {} baik or better; {}: {} ({}) of {} answers",
                "_content",
                "_rated",
                "survey_code",
                pl.col("index_value").round(2),
                "class_code",
                "respondent_count",
            ).alias("evidence"),
            *_recommended(),
        )
    )


def mistakes(rejected: Mapping[str, pl.DataFrame], employees: pl.DataFrame, org_units: pl.DataFrame) -> pl.DataFrame:
    """One row per rejected row of the feeds and reason: unit_id (null where the row names none), feed, rule_id, row.

    A row belongs to the unit it names, else to the last known unit of the employee it names.
    """
    places = _places(employees, org_units)
    parts = [pl.DataFrame(schema=MISTAKE_SCHEMA)]
    for feed, frame in rejected.items():
        rows = frame.with_columns(row=pl.format("{}:{}", "_delivery_id", "_source_row"), unit_id=_named(frame, places))
        parts.append(
            rows.explode("_reasons").select(
                "unit_id", pl.lit(feed).alias("feed"), pl.col("_reasons").alias("rule_id"), "row"
            )
        )
    return pl.concat(parts)


def accepted(valid: Mapping[str, pl.LazyFrame], employees: pl.DataFrame, org_units: pl.DataFrame) -> pl.DataFrame:
    """One row per unit with valid rows of the feeds (null: those that name none): unit_id, count. Rows find their unit
    as those of `mistakes` do."""
    places = _places(employees, org_units)
    parts = [pl.DataFrame(schema={"unit_id": pl.String, "count": pl.Int64})]
    for rows in valid.values():
        # Of taps, which name neither, there are a hundred for every other row: they are only counted.
        names = [name for name in NAMING if name in rows.collect_schema().names()]
        count = pl.len().cast(pl.Int64).alias("count")
        counted = (rows.group_by(names).agg(count) if names else rows.select(count)).collect(engine="streaming")
        parts.append(counted.select(_named(counted, places), "count"))
    return pl.concat(parts).filter(pl.col("count") > 0).group_by("unit_id").agg(pl.col("count").sum())


def mistaken(found: pl.DataFrame, accepted: pl.DataFrame, rule: MistakesRule, region: str) -> pl.DataFrame:
    """Frequent mistakes (P7): the rule's number of rejected rows or more, with their share of the rows that were judged
    (superseded ones are not) and the most frequent reasons. Rows that name no unit stand under the region."""
    subject = pl.coalesce("unit_id", pl.lit(region)).alias("subject_id")
    kind = pl.when(pl.col("unit_id").is_null()).then(pl.lit("region")).otherwise(pl.lit("unit")).alias("subject_kind")
    named = found.with_columns(subject, kind)
    key = ["subject_kind", "subject_id"]
    right = accepted.select(kind, subject, pl.col("count").alias("_right"))
    totals = (
        named.group_by(key)
        .agg(pl.struct("feed", "row").n_unique().cast(pl.Int64).alias("_rows"))
        .join(right, on=key, how="left")
        .with_columns(_judged=pl.col("_rows") + pl.col("_right").fill_null(0))
    )
    reasons = (
        named.group_by(*key, "feed", "rule_id")
        .agg(pl.len().alias("_count"))
        .sort(*key, "_count", "feed", "rule_id", descending=[False, False, True, False, False])
        .group_by(key, maintain_order=True)
        .agg(
            pl.col("rule_id").first().alias("reason"),
            pl.format("{} {} in {}", "_count", "rule_id", "feed")
            .head(rule.most_frequent)
            .str.join(", ")
            .alias("_most"),
        )
    )
    return (
        totals.filter(pl.col("_rows") >= rule.minimum_count)
        .join(reasons, on=key)
        .select(
            *key,
            pl.lit("correct_data").alias("action_code"),
            "reason",
            pl.format(
                "{} of {} rows rejected ({} %): {}",
                "_rows",
                "_judged",
                (100 * pl.col("_rows") / pl.col("_judged")).round(1),
                "_most",
            ).alias("evidence"),
            *_recommended(),
        )
    )


def _places(employees: pl.DataFrame, org_units: pl.DataFrame) -> pl.DataFrame:
    """_name, _home: the unit of every unit and employee that a row may name, each name once."""
    homes = (
        employees.filter(pl.col("assignment_code") == "utama")
        .sort("valid_from")
        .group_by("nip")
        .agg(pl.col("unit_id").last().alias("_home"))
    )
    units = org_units.select(pl.col("unit_id").unique()).with_columns(_home=pl.col("unit_id"))
    both = pl.concat([homes.rename({"nip": "_name"}), units.rename({"unit_id": "_name"})])
    return both.unique("_name", keep="last", maintain_order=True)


def _named(frame: pl.DataFrame, places: pl.DataFrame) -> pl.Series:
    """The unit of each row of a feed, from the first of its columns that names a known unit or employee."""
    names = [name for name in NAMING if name in frame.columns]
    if not names or places.is_empty():
        return pl.repeat(None, len(frame), dtype=pl.String, eager=True).alias("unit_id")
    found = [
        pl.col(name)
        .str.replace_all("[' ]", "")
        .replace_strict(places["_name"], places["_home"], default=None, return_dtype=pl.String)
        for name in names
    ]
    return frame.select(pl.coalesce(found).alias("unit_id")).to_series()


def _on_day(dated: pl.DataFrame, key: str, on: dt.date) -> pl.DataFrame:
    return in_force(dated, [key]).filter((pl.col("valid_from") <= on) & (pl.col("valid_to") >= on))


def _unit() -> list[pl.Expr]:
    return [pl.lit("unit").alias("subject_kind"), pl.col("unit_id").alias("subject_id")]


def _recommended(status: pl.Expr | None = None) -> list[pl.Expr]:
    given = pl.lit("recommended") if status is None else status
    return [pl.lit(None, dtype=pl.String).alias("programme_id"), given.alias("status_code")]
