"""Public satisfaction of a unit: the survey's index, its elements, and how far the answers can be trusted.

Source: PermenPANRB 14/2017 (SKM, nine elements on a scale of 4); other surveys by policy. It measures units, not
persons. Here: one survey and period at a time, month to year alike, some units after the other. Not here: 360-degree
appraisal, indicators.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import chain

import polars as pl

from kinerja_pipeline.facts.by_people import stretches
from kinerja_pipeline.facts.periods import in_force, month_end, month_start, months_of
from kinerja_pipeline.policies.model import Policy, Survey

SURVEY_KEY = ["unit_id", "survey_code"]
IS_OF_THE_PUBLIC = (pl.col("role_code") == "public") & (pl.col("subject_kind") == "unit")
ANSWER_COLUMNS = (
    *("response_id", "element_code", "survey_code", "submitted_at", "subject_kind", "subject_id", "role_code"),
    *("score", "scale_max"),
)
ANSWERS_AT_ONCE = 2_000_000
"""About so many answers are looked at together."""

_ELEMENT = {
    "unit_id": pl.String,
    "survey_code": pl.String,
    "element_code": pl.String,
    "answer_count": pl.Int64,
    "mean_score": pl.Float64,
    "weighted_score": pl.Float64,
}
_INDEX = {
    "unit_id": pl.String,
    "survey_code": pl.String,
    "respondent_count": pl.Int64,
    "index_value_raw": pl.Float64,
    "index_value": pl.Float64,
    "class_code": pl.String,
    "_spread": pl.Float64,
    "_complete_count": pl.Int64,
    "element_weight": pl.Float64,
    "_is_straight": pl.Boolean,
    "_is_burst": pl.Boolean,
    "_is_repeated": pl.Boolean,
    "_is_other_scale": pl.Boolean,
}


def satisfaction(
    answers: pl.LazyFrame, org_units: pl.DataFrame, told: Sequence[tuple[Policy, str, dt.date]]
) -> dict[str, pl.DataFrame]:
    """satisfaction_element and satisfaction_index of several periods, one after the other: each with its policy, and
    the day up to which it is told. `answers` are those of all periods; they are read once, some units at a time."""
    public = answers.filter(IS_OF_THE_PUBLIC).select(ANSWER_COLUMNS)
    units = public.group_by("subject_id").len().collect(engine="streaming")
    count = units.select(pl.col("len").sum()).item()
    tables = {"satisfaction_element": satisfaction_element, "satisfaction_index": satisfaction_index}
    parts: dict[str, list[list[pl.DataFrame]]] = {table: [[] for _ in told] for table in tables}
    for stretch in stretches(units["subject_id"], 1 + len(units) * ANSWERS_AT_ONCE // max(count, 1)):
        given = public.filter(stretch.holds("subject_id")).collect()
        for table, function in tables.items():
            for own, each in zip(parts[table], told, strict=True):
                own.append(function(given, org_units, *each))
    return {table: pl.concat(chain.from_iterable(of_periods)) for table, of_periods in parts.items()}


def satisfaction_element(
    answers: pl.DataFrame, org_units: pl.DataFrame, policy: Policy, period: str, as_of: dt.date
) -> pl.DataFrame:
    """One row per unit, survey and element: mean of the public's answers (NRR) and the mean times the element's weight.

    *Null when*: the means of an element nobody answered; its row is there because it makes the index not computable.
    Units without any answer have no rows. An answer given on another scale than the survey's is not scored.
    """
    surveys = policy.surveys.items()
    rows = [_elements(_of_survey(answers, code, survey, period, as_of), survey) for code, survey in surveys]
    return (
        pl.concat([pl.DataFrame(schema=_ELEMENT), *(row.select(*_ELEMENT) for row in rows)])
        .with_columns(period=pl.lit(period))
        .sort(*SURVEY_KEY, "element_code")
    )


def satisfaction_index(
    answers: pl.DataFrame, org_units: pl.DataFrame, policy: Policy, period: str, as_of: dt.date
) -> pl.DataFrame:
    """One row per unit and survey with answers of the public in `period` up to `as_of`: the index (IKM) and its class.

    `index = 100 / scale_max * sum(mean of element * weight)`; rounded half-up to 2 decimals, then classified.
    required_count follows Krejcie and Morgan for the population served on the period's last day; the 95 % interval uses
    the responses that answer every element. Flags inform and remove nothing: low_response (fewer than required),
    straight_lining (all answers equal, among responses with two or more), burst (policy's count within its seconds),
    exact_repeat (the same answers in two responses sent at the same moment; a respondent's profile is dropped at the
    door, the moment stands in for it), other_scale (answers on another scale than the survey's; they are not scored).

    *Null when*: index, class and interval if an element has no answer (status not_computable); interval below two
    complete responses; required_count without a population; class_code below the lowest class; flag_codes when clean.
    """
    surveys = policy.surveys.items()
    rows = [_index(_of_survey(answers, code, survey, period, as_of), survey) for code, survey in surveys]
    margin = 1.96 * pl.col("_spread") / pl.col("_complete_count").sqrt()
    is_low = pl.col("respondent_count") < pl.col("required_count")
    flags = (
        pl.when(is_low).then(pl.lit("low_response")),
        pl.when("_is_straight").then(pl.lit("straight_lining")),
        pl.when("_is_burst").then(pl.lit("burst")),
        pl.when("_is_repeated").then(pl.lit("exact_repeat")),
        pl.when("_is_other_scale").then(pl.lit("other_scale")),
    )
    is_computed = pl.col("index_value").is_not_null()
    return (
        pl.concat([pl.DataFrame(schema=_INDEX), *(row.select(*_INDEX) for row in rows)])
        .join(_required(org_units, min(month_end(months_of(period)[-1]), as_of)), on="unit_id", how="left")
        .select(
            *SURVEY_KEY,
            pl.lit(period).alias("period"),
            "respondent_count",
            "required_count",
            "index_value",
            "index_value_raw",
            "class_code",
            pl.when(is_computed).then(pl.col("index_value_raw") - margin).alias("ci_low"),
            pl.when(is_computed).then(pl.col("index_value_raw") + margin).alias("ci_high"),
            "element_weight",
            pl.concat_str(flags, separator=",", ignore_nulls=True).replace("", None).alias("flag_codes"),
            pl.when(is_computed).then(pl.lit("computed")).otherwise(pl.lit("not_computable")).alias("status_code"),
        )
        .sort(SURVEY_KEY)
    )


def required_sample(population: pl.Expr) -> pl.Expr:
    """Krejcie and Morgan (1970), as PermenPANRB 14/2017 prints it: 3.841 is chi-square at 95 %, P = 0.5, d = 0.05."""
    share = 3.841 * 0.25
    return half_up(population * share / (0.0025 * (population - 1) + share), 0).cast(pl.Int64)


def half_up(value: pl.Expr, decimals: int) -> pl.Expr:
    """Rounded half-up; nine more decimals are exact enough to see a half that binary fractions miss by a hair."""
    factor = 10.0**decimals
    # Polars divides by a constant as times its reciprocal: 7660 / 100 gives 76.60000000000001. Rounding restores 76.6.
    return (((value * factor).round(9) + 0.5).floor() / factor).round(decimals)


def _of_survey(answers: pl.DataFrame, code: str, survey: Survey, period: str, as_of: dt.date) -> pl.DataFrame:
    """The answers of the public about units to this survey's elements in the period; score is null on another scale."""
    months = months_of(period)
    return answers.filter(
        pl.col("survey_code") == code,
        IS_OF_THE_PUBLIC,
        pl.col("element_code").is_in(list(survey.elements)),
        pl.col("submitted_at").dt.date().is_between(month_start(months[0]), min(month_end(months[-1]), as_of)),
    ).select(
        pl.col("subject_id").alias("unit_id"),
        "survey_code",
        "response_id",
        "element_code",
        "submitted_at",
        pl.when(pl.col("scale_max") == survey.scale_max).then("score").alias("score"),
    )


def _elements(answers: pl.DataFrame, survey: Survey) -> pl.DataFrame:
    elements = pl.DataFrame({"element_code": list(survey.elements)}, schema={"element_code": pl.String})
    means = answers.group_by(*SURVEY_KEY, "element_code").agg(
        pl.col("score").count().cast(pl.Int64).alias("answer_count"), pl.col("score").mean().alias("mean_score")
    )
    return (
        answers.select(SURVEY_KEY)
        .unique()
        .join(elements, how="cross")
        .join(means, on=[*SURVEY_KEY, "element_code"], how="left")
        .with_columns(pl.col("answer_count").fill_null(0), weighted_score=pl.col("mean_score") * survey.weight)
    )


def _index(answers: pl.DataFrame, survey: Survey) -> pl.DataFrame:
    scale = 100 / survey.scale_max
    # Elements are added in one order: float sums must not depend on which thread was faster.
    elements = _elements(answers, survey).sort(*SURVEY_KEY, "element_code")
    is_whole = (pl.col("answer_count") > 0).all()
    index = elements.group_by(SURVEY_KEY, maintain_order=True).agg(
        pl.when(is_whole).then(scale * pl.col("weighted_score").sum()).alias("index_value_raw")
    )
    responses = (
        answers.group_by(*SURVEY_KEY, "response_id")
        .agg(
            answers=pl.col("score").count(),
            mean=pl.col("score").mean(),
            is_equal=pl.col("score").min() == pl.col("score").max(),
            is_other_scale=pl.col("score").is_null().any(),
            submitted_at=pl.col("submitted_at").min(),
            said=pl.format("{}={}", "element_code", "score").drop_nulls().sort().str.join(" "),
        )
        .sort(*SURVEY_KEY, "submitted_at", "response_id")
    )
    is_complete = pl.col("answers") == len(survey.elements)
    is_comparable = pl.col("answers") >= 2
    straight_count = (is_comparable & pl.col("is_equal")).sum()
    submitted = pl.col("submitted_at")
    is_crowded = submitted - submitted.shift(survey.burst_count - 1) <= dt.timedelta(seconds=survey.burst_seconds)
    people = responses.group_by(SURVEY_KEY, maintain_order=True).agg(
        (pl.col("answers") > 0).sum().cast(pl.Int64).alias("respondent_count"),
        is_complete.sum().cast(pl.Int64).alias("_complete_count"),
        (scale * pl.col("mean").filter(is_complete)).std().alias("_spread"),
        (straight_count > survey.straight_line_share * is_comparable.sum()).alias("_is_straight"),
        is_crowded.any().alias("_is_burst"),
        pl.struct("said", "submitted_at").filter(pl.col("answers") > 0).is_duplicated().any().alias("_is_repeated"),
        pl.col("is_other_scale").any().alias("_is_other_scale"),
    )
    return (
        index.join(people, on=SURVEY_KEY)
        .with_columns(index_value=half_up(pl.col("index_value_raw"), 2), element_weight=pl.lit(survey.weight))
        .with_columns(class_code=_class(survey))
    )


def _class(survey: Survey) -> pl.Expr:
    reached = pl.lit(None, dtype=pl.String)
    for band in sorted(survey.classes, key=lambda band: band.minimum):
        reached = pl.when(pl.col("index_value") >= band.minimum).then(pl.lit(band.code)).otherwise(reached)
    return reached


def _required(org_units: pl.DataFrame, on: dt.date) -> pl.DataFrame:
    """One row per unit in force on the day: its required sample."""
    return (
        in_force(org_units.select("unit_id", "valid_from", "valid_to", "population_served"), ["unit_id"])
        .filter((pl.col("valid_from") <= on) & (pl.col("valid_to") >= on))
        .select("unit_id", required_sample(pl.col("population_served")).alias("required_count"))
    )
