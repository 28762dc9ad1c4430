"""Follow-up about people: coaching, reward, training, promotion pool, early warning, objections, missing evidence.

Here: one function per rule; each names people with its evidence, or says why they are excluded or not computable. Not
here: rules about units (kpi/follow_up_units), who is excluded (kpi/exclusions); nothing here is a decision.
"""

from __future__ import annotations

import polars as pl

from kinerja_pipeline.facts.periods import add_months, periods_of
from kinerja_pipeline.kpi.exclusions import unless_excluded
from kinerja_pipeline.policies.follow_up import (
    DeclineRule,
    InsufficientEvidenceRule,
    PromotionRule,
    RewardRule,
    TrainingRule,
)

ASPECTS = ("quantity", "quality", "time", "cost")
"""Of equally weak aspects the first one is named."""
DAYS_UNKNOWN = "unexcused_days_unknown"
"""The reason of those whose unexcused days of the year are not known: months or all records of them are missing."""


def declined(monthly: pl.DataFrame, people: pl.DataFrame, rule: DeclineRule, month: str) -> pl.DataFrame:
    """Coaching (M6): result score below `below_score` in `months` consecutive months, each at least `drop` points under
    the mean of the `baseline_months` months before them. Low now but with earlier months missing: not computable."""
    low_months = [add_months(month, -k) for k in range(rule.months)]
    base_months = [add_months(low_months[-1], -k) for k in range(1, rule.baseline_months + 1)]
    scores = monthly.select("nip", "period", "result_score").drop_nulls()
    low = (
        scores.filter(pl.col("period").is_in(low_months))
        .group_by("nip")
        .agg(
            pl.len().alias("_low_count"),
            pl.col("result_score").max().alias("_highest"),
            pl.format("{} in {}", pl.col("result_score").round(2), "period").sort_by("period").alias("_low"),
        )
    )
    base = (
        scores.filter(pl.col("period").is_in(base_months))
        .group_by("nip")
        .agg(pl.len().alias("_base_count"), pl.col("result_score").mean().alias("_base"))
    )
    now = scores.filter((pl.col("period") == month) & (pl.col("result_score") < rule.below_score)).select("nip")
    joined = now.join(low, on="nip", how="left").join(base, on="nip", how="left")
    is_known = (pl.col("_low_count") == rule.months) & (pl.col("_base_count").fill_null(0) == rule.baseline_months)
    has_declined = (pl.col("_highest") < rule.below_score) & (
        (pl.col("_base") - pl.col("_highest")).round(6) >= rule.drop
    )
    # A month that was not low says no, whatever is missing elsewhere.
    listed = joined.filter(pl.when(is_known).then(has_declined).otherwise(pl.col("_highest") < rule.below_score))
    evidence = pl.format(
        "result {}; mean of the {} months before: {}",
        pl.col("_low").list.join(", "),
        pl.lit(rule.baseline_months),
        pl.when(pl.col("_base_count") == rule.baseline_months)
        .then(pl.col("_base").round(2).cast(pl.String))
        .otherwise(pl.lit("not all known")),
    )
    rows = listed.select(
        pl.col("nip").alias("subject_id"),
        pl.lit("coaching").alias("action_code"),
        pl.when(is_known).then(pl.lit("declined")).otherwise(pl.lit("earlier_months_missing")).alias("reason"),
        evidence.alias("evidence"),
        pl.lit(rule.programme_id, dtype=pl.String).alias("programme_id"),
        pl.when(is_known).then(pl.lit("recommended")).otherwise(pl.lit("not_computable")).alias("status_code"),
    )
    return unless_excluded(rows, people)


def rewarded(
    monthly: pl.DataFrame, attendance: pl.DataFrame, people: pl.DataFrame, rule: RewardRule, month: str
) -> pl.DataFrame:
    """Reward nomination (M9, P6): the best result scores of a unit among those above expectation with behaviour at
    least as expected; ties are all listed. Excluded, with the reason: an unexcused day this year, an open objection.
    Not computable: whose unexcused days of the year are not known; like the excluded, they take nobody's place."""
    now = monthly.filter((pl.col("period") == month) & _is_high()).join(
        attendance.select("nip", "unexcused_year_count"), on="nip", how="left"
    )
    judged = now.join(people, on="nip", how="left").with_columns(reason=pl.coalesce(_why_not(), _why_unknown()))
    fit = pl.col("reason").is_null()
    # dense rank over the fit only: the others take nobody's place
    rank = pl.when(fit).then(pl.col("result_score")).rank("dense", descending=True).over("unit_id")
    tied = pl.when(fit).then(pl.len().over("unit_id", "reason", "result_score")).otherwise(1)
    ranked = judged.with_columns(_rank=rank, _tied=tied)
    best = ranked.filter(~fit | (pl.col("_rank") <= rule.places))
    evidence = pl.format(
        "result {}, behaviour {}{}",
        pl.col("result_score").round(2).cast(pl.String),
        "behaviour_rating",
        pl.when(pl.col("_tied") > 1)
        .then(pl.format(", tied with {} others", pl.col("_tied") - 1))
        .otherwise(pl.lit("")),
    )
    return best.select(
        pl.col("nip").alias("subject_id"),
        pl.lit("reward").alias("action_code"),
        pl.coalesce("reason", pl.lit("best_of_unit")).alias("reason"),
        evidence.alias("evidence"),
        pl.lit(None, dtype=pl.String).alias("programme_id"),
        pl.when(fit)
        .then(pl.lit("recommended"))
        .when(pl.col("reason") == DAYS_UNKNOWN)
        .then(pl.lit("not_computable"))
        .otherwise(pl.lit("excluded"))
        .alias("status_code"),
    )


def trained(
    aspects: pl.DataFrame,
    competencies: pl.DataFrame,
    training: pl.DataFrame,
    completed: pl.DataFrame,
    people: pl.DataFrame,
    rule: TrainingRule,
) -> pl.DataFrame:
    """Training (S5, N3): the aspect or competency that lies furthest below what the rule asks, and the programme that
    covers it.

    `aspects` are aspect_scores, `competencies` the scores of a 360 round in percent (nip, competency_code, score; none
    where no round was held), `training` the training_year of the month, `completed` who completed which programme this
    year (nip, programme_id): such people are excluded, for the same programme again is no recommendation.
    """
    asked = {"_aspect": rule.below_score, "_competency": rule.below_competency}
    topics = pl.concat(
        [
            aspects.filter(pl.col("topic").is_in(rule.aspects)).select(
                "nip", "topic", "score", pl.lit(asked["_aspect"]).alias("_asked")
            ),
            competencies.select(
                "nip",
                pl.col("competency_code").alias("topic"),
                "score",
                pl.lit(asked["_competency"]).alias("_asked"),
            ),
        ]
    ).drop_nulls("score")
    order = pl.col("topic").replace_strict(ASPECTS, range(len(ASPECTS)), default=len(ASPECTS), return_dtype=pl.Int64)
    weakest = (
        topics.filter(pl.col("score").round(6) < pl.col("_asked"))
        .with_columns(_short=(pl.col("_asked") - pl.col("score")).round(6), _order=order)
        .sort("nip", "_short", "_order", "topic", descending=[False, True, False, False])
        .group_by("nip", maintain_order=True)
        .first()
        .with_columns(programme_id=_covers(rule.programmes))
    )
    done = completed.select("nip", "programme_id", pl.lit(True).alias("_is_done")).unique()
    named = weakest.join(done, on=["nip", "programme_id"], how="left").join(
        training.select("nip", "hours", "expected_hours"), on="nip", how="left"
    )
    hours = pl.when(pl.col("hours").is_not_null()).then(
        pl.format("; {} of {} hours of training this year", pl.col("hours").round(2), "expected_hours")
    )
    uncovered = pl.when(pl.col("programme_id").is_null()).then(pl.lit("; no programme is named for it"))
    rows = named.select(
        pl.col("nip").alias("subject_id"),
        pl.lit("training").alias("action_code"),
        pl.when("_is_done").then(pl.lit("already_completed")).otherwise(pl.format("weak_{}", "topic")).alias("reason"),
        pl.format(
            "{} {}, asked for are {}{}{}",
            "topic",
            pl.col("score").round(2),
            "_asked",
            uncovered.fill_null(""),
            hours.fill_null(""),
        ).alias("evidence"),
        "programme_id",
        pl.when("_is_done").then(pl.lit("excluded")).otherwise(pl.lit("recommended")).alias("status_code"),
    )
    return unless_excluded(rows, people)


def promoted(
    monthly: pl.DataFrame, attendance: pl.DataFrame, people: pl.DataFrame, rule: PromotionRule, month: str
) -> pl.DataFrame:
    """Advanced training or promotion pool (S5): results above expectation, behaviour at least as expected, in `months`
    months running. Excluded, with the reason: an unexcused day this year, an open objection in one of those months.
    Above now with earlier months missing, or unexcused days of the year that are not known: not computable."""
    months = [add_months(month, -k) for k in range(rule.months)]
    recent = monthly.filter(pl.col("period").is_in(months) & pl.col("result_rating").is_not_null())
    course = recent.group_by("nip").agg(
        pl.len().alias("_count"),
        _is_high().fill_null(False).all().alias("_is_high"),
        (pl.col("period") == month).any().alias("_is_now"),
        (pl.col("objection_code") == "open").any().alias("_is_open"),
        pl.format("{} in {}", pl.col("result_score").round(2), "period").sort_by("period").alias("_course"),
    )
    listed = (
        course.filter("_is_high", "_is_now")
        .with_columns(objection_code=pl.when("_is_open").then(pl.lit("open")))
        .join(attendance.select("nip", "unexcused_year_count"), on="nip", how="left")
        .join(people, on="nip", how="left")
        .with_columns(reason=_why_not())
    )
    has_all = pl.col("_count") == rule.months
    unknown = pl.when(~has_all).then(pl.lit("earlier_months_missing")).otherwise(_why_unknown())
    return listed.select(
        pl.col("nip").alias("subject_id"),
        pl.lit("advanced_training").alias("action_code"),
        pl.coalesce("reason", unknown, pl.lit("sustained_results")).alias("reason"),
        pl.format("result {}", pl.col("_course").list.join(", ")).alias("evidence"),
        pl.lit(rule.programme_id, dtype=pl.String).alias("programme_id"),
        pl.when(pl.col("reason").is_not_null())
        .then(pl.lit("excluded"))
        .when(unknown.is_not_null())
        .then(pl.lit("not_computable"))
        .otherwise(pl.lit("recommended"))
        .alias("status_code"),
    )


def warned(attendance: pl.DataFrame) -> pl.DataFrame:
    """Discipline early warning (PP 94/2021): a threshold of unexcused days is reached. Absences in a month whose year
    counter lacks earlier months: not computable. A sanction needs a hearing; this is none."""
    is_reached = pl.col("discipline_threshold_code").is_not_null()
    is_open = (pl.col("absent_count") > 0) & pl.col("unexcused_year_count").is_null()
    return attendance.filter(is_reached | is_open).select(
        pl.col("nip").alias("subject_id"),
        pl.lit("discipline_warning").alias("action_code"),
        pl.coalesce("discipline_threshold_code", pl.lit("earlier_months_missing")).alias("reason"),
        pl.format(
            "{} unexcused days since {}, longest run {} working days, {} in the month",
            _counted("year"),
            pl.col("counted_from_date").cast(pl.String).fill_null("unknown"),
            _counted("run"),
            "absent_count",
        ).alias("evidence"),
        pl.lit(None, dtype=pl.String).alias("programme_id"),
        pl.when(is_reached).then(pl.lit("recommended")).otherwise(pl.lit("not_computable")).alias("status_code"),
    )


def _counted(counter: str) -> pl.Expr:
    """A counter in words: `at least` where days that nobody recorded may be more."""
    count = pl.col(f"unexcused_{counter}_count").cast(pl.String)
    is_least = pl.col(f"unexcused_{counter}_reason") == "days_not_recorded"
    return pl.when(is_least).then(pl.format("at least {}", count)).otherwise(count).fill_null("unknown")


def objected(evaluations: pl.DataFrame, month: str) -> pl.DataFrame:
    """Objection open: a rating of the month, or of a longer period that ends with it or runs on, waits for the decision
    of the evaluator's superior (14 days after receipt to object; the decision is final). One that came late is listed
    as such: whether it is heard is a person's decision too."""
    is_late = pl.col("objection_code") == "late"
    of_month = evaluations.filter(
        pl.col("period").is_in(list(periods_of(month).values())) & pl.col("objection_code").is_in(["open", "late"])
    )
    told = pl.when(is_late).then(pl.format("{} (late)", "period")).otherwise("period")
    named = of_month.group_by("nip").agg(told.unique().sort().str.join(", ").alias("period"), is_late.all())
    return named.select(
        pl.col("nip").alias("subject_id"),
        pl.lit("objection_open").alias("action_code"),
        pl.when("objection_code").then(pl.lit("objected_late")).otherwise(pl.lit("not_decided")).alias("reason"),
        pl.format("objection to the rating of {}", "period").alias("evidence"),
        pl.lit(None, dtype=pl.String).alias("programme_id"),
        pl.lit("recommended").alias("status_code"),
    )


def unproven(monthly: pl.DataFrame, people: pl.DataFrame, rule: InsufficientEvidenceRule, month: str) -> pl.DataFrame:
    """Insufficient evidence: the evaluation was not computable in `months` months running; reason is the last one's."""
    months = [add_months(month, -k) for k in range(rule.months)]
    silent = monthly.filter(pl.col("period").is_in(months) & (pl.col("status_code") == "not_computable"))
    course = silent.group_by("nip").agg(
        pl.len().alias("_count"),
        pl.col("reason").sort_by("period").last(),
        pl.format("{} in {}", "reason", "period").sort_by("period").str.join(", ").alias("evidence"),
    )
    rows = course.filter(pl.col("_count") == rule.months).select(
        pl.col("nip").alias("subject_id"),
        pl.lit("insufficient_evidence").alias("action_code"),
        "reason",
        "evidence",
        pl.lit(None, dtype=pl.String).alias("programme_id"),
        pl.lit("recommended").alias("status_code"),
    )
    return unless_excluded(rows, people)


def _is_high() -> pl.Expr:
    return (pl.col("result_rating") == "di_atas") & pl.col("behaviour_rating").is_in(["di_atas", "sesuai"])


def _why_not() -> pl.Expr:
    """Why somebody with high results is not named all the same."""
    return (
        pl.when(pl.col("unexcused_year_count") > 0)
        .then(pl.lit("unexcused_days"))
        .when(pl.col("objection_code") == "open")
        .then(pl.lit("objection_open"))
        .otherwise("excluded_reason")
    )


def _why_unknown() -> pl.Expr:
    """Without the counter nobody can say that there was no unexcused day: neither clean nor guilty."""
    return pl.when(pl.col("unexcused_year_count").is_null()).then(pl.lit(DAYS_UNKNOWN))


def aspect_scores(kpi: pl.DataFrame, month: str) -> pl.DataFrame:
    """One row per employee and aspect with a computable indicator in `month`: nip, topic (the aspect), score, their
    weighted mean."""
    rows = kpi.filter(
        pl.col("subject_kind") == "employee",
        pl.col("period") == month,
        pl.col("weight") > 0,
        pl.col("status_code") == "computed",
    ).sort("subject_id", "indicator_id")
    return rows.group_by(
        pl.col("subject_id").alias("nip"), pl.col("aspect_code").alias("topic"), maintain_order=True
    ).agg(((pl.col("weight") * pl.col("score")).sum() / pl.col("weight").sum()).alias("score"))


def _covers(programmes: dict[str, str]) -> pl.Expr:
    if not programmes:
        return pl.lit(None, dtype=pl.String)
    return pl.col("topic").replace_strict(
        list(programmes), list(programmes.values()), default=None, return_dtype=pl.String
    )
