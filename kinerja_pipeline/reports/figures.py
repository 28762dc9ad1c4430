"""The figures of a month's report: published frames -> small tables with names, the same for page and workbook.

Here: adding up what may be added up (numerators and denominators, days, people, answers), names for ids. Not here:
reading (warehouse/published), words and looks (reports/page, reports/workbook). A NIP ends here: no table hands it on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from kinerja_pipeline.facts.attendance import JUDGED, WITH_PRESENCE
from kinerja_pipeline.facts.periods import month_bounds
from kinerja_pipeline.kpi.distribution import LEVELS
from kinerja_pipeline.policies.model import Indicator, Policy, Survey
from kinerja_pipeline.warehouse.published import Frames, in_time

ALL = "all"
PERSON = "employee"
DAY_COUNTS = ("workday_count", "present_count", "late_count", "early_count", "absent_count", "not_recorded_count")
STATUSES = ("recommended", "excluded", "not_computable")
LEVEL_COUNTS = tuple(f"{level}_count" for level in LEVELS)


@dataclass(frozen=True, slots=True)
class Heard:
    """What the public said in one survey: units in the order of the index, elements in the survey's order.

    `elements` has one row per element of the region (all answers together, with the units' lowest and highest mean),
    `by_unit` one per unit and element.
    """

    code: str
    survey: Survey
    units: pl.DataFrame
    elements: pl.DataFrame
    by_unit: pl.DataFrame


@dataclass(frozen=True, slots=True)
class InTime:
    """One indicator of tasks done in time: `months` up to this one for the region, `units` in this month."""

    indicator_id: str
    labels: Mapping[str, str]
    target: float | None
    months: pl.DataFrame
    units: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Attended:
    """Attendance of the month: `region` in one row, `units`, and `days` of both (unit_id null: the region)."""

    region: pl.DataFrame
    units: pl.DataFrame
    days: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that the report of a region and month shows. `publication` is the month's, `newest` the region's last:
    the trend shows the months before as they stood then."""

    region: str
    month: str
    status: Mapping[str, Any]
    publication: Mapping[str, Any]
    newest: Mapping[str, Any]
    surveys: tuple[Heard, ...]
    in_time: tuple[InTime, ...]
    attended: Attended
    predicates: pl.DataFrame
    unjudged: pl.DataFrame
    follow_up: pl.DataFrame
    indicators: pl.DataFrame
    quality: pl.DataFrame
    deliveries: pl.DataFrame
    laws: tuple[str, ...]


def figures(frames: Frames, policy: Policy, month: str) -> Figures:
    """The figures of `month` from the frames of warehouse/published; `policy` is the one that ruled it."""
    names = _names(frames["org_unit"])
    ledger = frames["publication"].sort("publication_id")
    dictionary = _dictionary(frames, month)
    return Figures(
        region=policy.region,
        month=month,
        status=frames["period_status"].row(by_predicate=pl.col("period") == month, named=True),
        publication=ledger.filter(table_name="kpi").row(-1, named=True),
        newest=ledger.row(-1, named=True),
        surveys=tuple(_surveys(frames, policy, month, names)),
        in_time=tuple(_in_time(frames, policy, month, names, dictionary)),
        attended=_attended(frames["attendance_day"], names),
        predicates=_named(frames["unit_evaluation"], names).sort("unit_name", "unit_id"),
        unjudged=frames["evaluation"].filter(pl.col("status_code") != "computed"),
        follow_up=_follow_up(frames, policy, month, names),
        indicators=_indicators(frames["kpi"].filter(period=month), dictionary, names),
        quality=_quality(frames["data_quality"]),
        deliveries=_deliveries(frames["delivery"], month),
        laws=tuple(sorted(dictionary["law"].drop_nulls().unique())),
    )


def _names(units: pl.DataFrame) -> pl.DataFrame:
    """unit_id, unit_name: each unit once, as last known."""
    latest = units.sort("valid_from").group_by("unit_id", maintain_order=True).last()
    return latest.select("unit_id", pl.col("name").alias("unit_name"))


def _named(frame: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """With unit_name; a unit without one is called by its code."""
    joined = frame.join(names, on="unit_id", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("unit_name", "unit_id").alias("unit_name"))


def _dictionary(frames: Frames, month: str) -> pl.DataFrame:
    """The dictionary of the policy version that ruled the month, as published."""
    versions = frames["kpi"].filter(period=month)["policy_version"].unique()
    return frames["indicator"].filter(pl.col("policy_version").is_in(versions.implode()))


# ---- satisfaction ----------------------------------------------------------------------------------------------------


def _surveys(frames: Frames, policy: Policy, month: str, names: pl.DataFrame) -> list[Heard]:
    index = _named(frames["satisfaction_index"], names)
    now = index.filter(period=month)
    found = []
    held = set(now["survey_code"])
    for code, survey in policy.surveys.items():
        if code not in held:
            continue
        before = (
            index.filter((pl.col("survey_code") == code) & (pl.col("period") < month))
            .sort("period")
            .group_by("unit_id")
            .agg(pl.col("index_value").last().alias("before_value"), pl.col("period").last().alias("before_period"))
        )
        units = (
            now.filter(survey_code=code)
            .join(before, on="unit_id", how="left")
            .sort("index_value", "unit_name", descending=[True, False], nulls_last=True)
        )
        by_unit = _named(frames["satisfaction_element"].filter(survey_code=code), names)
        found.append(Heard(code, survey, units, _elements(by_unit, survey), by_unit))
    return found


def _elements(by_unit: pl.DataFrame, survey: Survey) -> pl.DataFrame:
    """One row per element: element_code, answer_count, mean_score over all answers, lowest and highest mean of a unit.

    The units' published means are weighted with their answers, which gives the mean of the region's answers.
    """
    order = pl.DataFrame({"element_code": list(survey.elements)}, schema={"element_code": pl.String})
    answers, mean = pl.col("answer_count"), pl.col("mean_score")
    summed = (
        by_unit.filter(mean.is_not_null())
        .group_by("element_code")
        .agg(
            answers.sum(),
            ((mean * answers).sum() / answers.sum()).round(9).alias("mean_score"),
            mean.min().alias("lowest_score"),
            mean.max().alias("highest_score"),
        )
    )
    return order.join(summed, on="element_code", how="left", maintain_order="left")


# ---- tasks and indicators --------------------------------------------------------------------------------------------


def _in_time(frames: Frames, policy: Policy, month: str, names: pl.DataFrame, dictionary: pl.DataFrame) -> list[InTime]:
    units = frames["kpi"].filter(subject_kind="unit", status_code="computed")
    found = []
    for name in in_time(dictionary):
        row = dictionary.row(by_predicate=pl.col("indicator_id") == name, named=True)
        own = units.filter(indicator_id=name)
        now = own.filter(period=month)
        months = (
            own.group_by("period")
            .agg(pl.col("numerator").sum(), pl.col("denominator").sum())
            .with_columns(share=pl.col("numerator") / pl.col("denominator"))
            .sort("period")
        )
        by_unit = now.select(
            pl.col("subject_id").alias("unit_id"),
            "numerator",
            "denominator",
            (pl.col("numerator") / pl.col("denominator")).alias("share"),
            (pl.col("target") / 100).alias("target_share"),
        )
        target = now["target"].mode().min() if len(now) else _declared(policy.indicators.get(name))
        found.append(
            InTime(
                name,
                {"id": row["label_id"], "en": row["label_en"]},
                None if target is None else float(str(target)) / 100,
                months,
                _named(by_unit, names).sort("share", "unit_name"),
            )
        )
    # Most tasks first: the others are parts of it, or special services.
    return sorted(found, key=lambda each: (-each.months["denominator"].sum(), each.indicator_id))


def _declared(indicator: Indicator | None) -> float | None:
    return indicator.target.value if indicator else None


def _indicators(kpi: pl.DataFrame, dictionary: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Every indicator of the units and the region in the month, with its labels; unit_name is null for the region."""
    told = dictionary.select("indicator_id", "label_id", "label_en", pl.col("unit").alias("value_unit")).unique(
        "indicator_id", keep="last", maintain_order=True
    )
    of_unit = pl.when(pl.col("subject_kind") == "unit").then("subject_id").alias("unit_id")
    return (
        kpi.with_columns(of_unit)
        .join(names, on="unit_id", how="left")
        .join(told, on="indicator_id", how="left")
        .with_columns(pl.coalesce("unit_name", "unit_id").alias("unit_name"))
        .sort("unit_name", "unit_id", "indicator_id", nulls_last=False)
    )


# ---- attendance ------------------------------------------------------------------------------------------------------


def _attended(days: pl.DataFrame, names: pl.DataFrame) -> Attended:
    """Days of people added up as facts/attendance counts them: presence needs a tap, leave is no working day."""
    status = pl.col("status_code")
    is_present = status.is_in(WITH_PRESENCE)
    counted = days.select(
        "unit_id",
        "work_date",
        pl.when(status.is_in(JUDGED)).then("day_count").otherwise(0).alias("workday_count"),
        pl.when(is_present).then("tapped_count").otherwise(0).alias("present_count"),
        "late_count",
        "early_count",
        pl.when(status == "absent").then("day_count").otherwise(0).alias("absent_count"),
        pl.when(status == "not_recorded").then("day_count").otherwise(0).alias("not_recorded_count"),
        pl.when(is_present).then(pl.col("tapped_count") - pl.col("unpunctual_count")).otherwise(0).alias("_punctual"),
    )
    summed = [*DAY_COUNTS, "_punctual"]
    by_day = counted.group_by("unit_id", "work_date").agg(pl.col(summed).sum())
    of_region = by_day.group_by("work_date").agg(pl.col(summed).sum())
    every_day = pl.concat(
        [of_region.with_columns(unit_id=pl.lit(None, dtype=pl.String)).select(by_day.columns), by_day]
    )
    units = _named(by_day.group_by("unit_id").agg(pl.col(summed).sum()), names)
    return Attended(
        region=_shares(by_day.select(pl.col(summed).sum())),
        units=_shares(units).sort("attendance_share", "unit_name", nulls_last=True),
        days=_shares(every_day).sort("unit_id", "work_date"),
    )


def _shares(counted: pl.DataFrame) -> pl.DataFrame:
    workdays, present = pl.col("workday_count"), pl.col("present_count")
    return counted.with_columns(
        attendance_share=pl.when(workdays > 0).then(present / workdays),
        punctuality_share=pl.when(present > 0).then(pl.col("_punctual") / present),
    ).drop("_punctual")


# ---- follow-up -------------------------------------------------------------------------------------------------------


def _follow_up(frames: Frames, policy: Policy, month: str, names: pl.DataFrame) -> pl.DataFrame:
    """One row per published line, with the name, unit and position of whom it is about in place of the id.

    A person's unit is that of the assignment in force at the end of the month. People and units are listed by unit and
    name, the rules in the policy's order.
    """
    people = (
        frames["employee"]
        .sort("nip", "valid_from")
        .group_by("nip", maintain_order=True)
        .last()
        .select(pl.col("nip").alias("subject_id"), "name", pl.col("unit_id").alias("_home"), "position")
    )
    programmes = (
        frames["training_programme"]
        .filter(pl.col("year") == int(month[:4]))
        .select("programme_id", pl.col("name").alias("programme_name"))
        .unique("programme_id", keep="last")
    )
    order = {rule: place for place, rule in enumerate(policy.follow_up)}
    is_unit = pl.col("subject_kind") == "unit"
    is_person = pl.col("subject_kind") == PERSON
    rows = (
        frames["follow_up"]
        .join(people, on="subject_id", how="left")
        .join(programmes, on="programme_id", how="left")
        .with_columns(unit_id=pl.when(is_unit).then("subject_id").when(is_person).then("_home"))
        .with_columns(
            _order=pl.col("rule_id").replace_strict(order, default=len(order), return_dtype=pl.Int64),
            _status=pl.col("status_code").replace_strict(
                {status: place for place, status in enumerate(STATUSES)}, return_dtype=pl.Int64
            ),
            programme_name=pl.coalesce("programme_name", "programme_id"),
        )
    )
    return (
        _named(rows, names)
        .sort("_order", "rule_id", "_status", "unit_name", "name", "reason", nulls_last=True)
        .select(
            *("rule_id", "action_code", "status_code", "subject_kind", "name", "unit_id", "unit_name", "position"),
            *("reason", "evidence", "programme_name"),
        )
    )


# ---- data ------------------------------------------------------------------------------------------------------------


def _quality(quality: pl.DataFrame) -> pl.DataFrame:
    """One row per feed with the rule that most of its rows failed."""
    worst = (
        quality.filter((pl.col("rule_id") != ALL) & (pl.col("severity_code") == "error"))
        .filter(pl.col("rejected_count") > 0)
        .sort("rejected_count", "rule_id", descending=[True, False])
        .group_by("feed", "unit_id", maintain_order=True)
        .first()
        .select("feed", "unit_id", pl.col("rule_id").alias("worst_rule_id"))
    )
    return (
        quality.filter(rule_id=ALL, unit_id=ALL)
        .join(worst, on=["feed", "unit_id"], how="left")
        .with_columns(is_tolerated=pl.col("rejected_share").fill_null(0) <= pl.col("tolerance_share"))
        .sort("feed")
    )


def _deliveries(deliveries: pl.DataFrame, month: str) -> pl.DataFrame:
    """The files that hold rows of the month, the registers, and the refused ones: none of the region is left unsaid."""
    first, last = month_bounds(month)
    touches = (pl.col("first_event_date") <= last) & (pl.col("last_event_date") >= first)
    has_no_days = pl.col("first_event_date").is_null()
    return deliveries.filter(touches.fill_null(False) | has_no_days).sort("feed", "sequence")


def month_days(month: str) -> list[dt.date]:
    """Every day of the month."""
    first, last = month_bounds(month)
    return [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
