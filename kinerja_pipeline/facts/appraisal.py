"""360-degree appraisal: roles, competencies and behaviour of a closed round, and no way to single out a rater.

Here: answers of one round -> its tables. Source: practice that PP 30/2019 allows (DOMAIN sections 4 and 9). Not here:
the survey of the public (facts/satisfaction), which answers belong to a round (validated/policy_rules), ratings (kpi/).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import polars as pl

from kinerja_pipeline.policies.model import ANONYMOUS, Appraisal, AppraisalRound

UNITS = 10_000
"""Answers are summed as integers of 1/10000, so that no order of rows changes a total."""

APPRAISAL_SCHEMAS: Mapping[str, Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "appraisal_round": {
        "round_id": pl.String,
        "period": pl.String,
        "computed_date": pl.Date,
        "delivery_ids": pl.List(pl.String),
    },
    "appraisal_role": {
        "round_id": pl.String,
        "nip": pl.String,
        "period": pl.String,
        "role_code": pl.String,
        "rater_count": pl.Int64,
        "mean_score": pl.Float64,
        "is_suppressed": pl.Boolean,
    },
    "competency_profile": {
        "round_id": pl.String,
        "nip": pl.String,
        "period": pl.String,
        "competency_code": pl.String,
        "score": pl.Float64,
        "unit_mean": pl.Float64,
        "gap": pl.Float64,
        "is_strength": pl.Boolean,
        "is_weakness": pl.Boolean,
        "is_suppressed": pl.Boolean,
    },
    "rater_unit": {
        "round_id": pl.String,
        "unit_id": pl.String,
        "period": pl.String,
        "rater_count": pl.Int64,
        "expected_count": pl.Int64,
        "leniency": pl.Float64,
        "spread": pl.Float64,
        "is_suppressed": pl.Boolean,
    },
    "behaviour_score": {
        "round_id": pl.String,
        "nip": pl.String,
        "period": pl.String,
        "behaviour_score": pl.Float64,
        "has_opinion": pl.Boolean,
        "is_pending": pl.Boolean,
    },
}
"""The tables of a month; appraisal_round says which round was computed when, and from which deliveries."""

_ROLE = ["nip", "role_code"]
_CELL = [*_ROLE, "competency_code"]


def appraisal(
    answers: pl.DataFrame,
    employees: pl.DataFrame,
    rules: Appraisal,
    month: str,
    today: dt.date,
    *,
    delivery_ids: Iterable[str] = (),
    before: Mapping[str, pl.DataFrame] | None = None,
) -> dict[str, pl.DataFrame]:
    """The tables of the round that counts in `month`: empty until it has closed and has answers, computed once, then as
    they were.

    `answers` are the validated feedback_response rows from the round's opening on, `delivery_ids` the deliveries they
    come from, `before` the tables as the last run left them. A round in `before` is never computed again, whatever has
    changed since: of two published means that differ by one answer, the difference is that answer.
    """
    held = {name: each for name, each in rules.rounds.items() if each.period == month}
    known = [] if before is None else before["appraisal_round"]["round_id"].to_list()
    tables = {name: [pl.DataFrame(schema=schema)] for name, schema in APPRAISAL_SCHEMAS.items()}
    for name, each in held.items():
        if before is not None and name in known:
            for table, parts in tables.items():
                parts.append(before[table].filter(pl.col("round_id") == name))
        elif each.is_due(today) and len(own := answers.filter(pl.col("round_id") == name)):
            computed = appraisal_tables(own, employees, rules, each)
            computed["appraisal_round"] = pl.DataFrame(
                {"computed_date": [today], "delivery_ids": [sorted(delivery_ids)]},
                schema_overrides={"delivery_ids": pl.List(pl.String)},
            )
            for table, frame in computed.items():
                named = frame.with_columns(round_id=pl.lit(name), period=pl.lit(month))
                tables[table].append(named.select(list(APPRAISAL_SCHEMAS[table])))
    return {table: pl.concat(parts) for table, parts in tables.items()}


def appraisal_tables(
    answers: pl.DataFrame, employees: pl.DataFrame, rules: Appraisal, held: AppraisalRound
) -> dict[str, pl.DataFrame]:
    """appraisal_role, competency_profile, rater_unit and behaviour_score of one round, from its answers alone.

    **Why no published number singles out a rater.** A *cell* is what one role answered about one competency of one
    person. A role passes when as many raters answered as the policy needs; a cell passes when its role does and it has
    the role's minimum of answers itself. Every number here is made from passing cells and from nothing else:

    - role mean: over the role's passing cells, so a competency that one peer answered cannot be found by subtraction;
    - competency score and behaviour score: over passing cells and roles. A suppressed role enters neither, so it cannot
      be solved for from the score and the other roles; while a role is pending there is no behaviour score at all;
    - unit mean: over published scores, of at least `unit_minimum` people;
    - leniency and spread: over the answers in passing cells, of units with `unit_minimum` people who have an anonymous
      role that passes; the spread of one person's raters next to their mean would tell their answers. Leniency is made
      from the cells' totals, each answer counting the same, so that it adds no equation to those that the means give.

    So the published tables are the same whatever was said in a suppressed cell: there is nothing to solve. What stays
    visible by nature: how many answered, the superior's and one's own answers, that raters who all gave the lowest mark
    gave the lowest mark, and, from the spread, that the raters of each person in a unit agreed where all did.
    """
    asked = _asked(employees, rules, held)
    given = _given(answers)
    people = given.select("nip").unique().join(asked.place, on="nip", how="left")
    roles = _roles(given, _grid(people, rules).join(asked.raters, on=_ROLE, how="left"), rules)
    cells = _cells(given, roles, rules)
    return {
        "appraisal_role": _role_means(roles, cells, rules),
        "competency_profile": _profile(people, roles, cells, rules, held),
        "rater_unit": _units(given, asked, roles, cells, rules),
        "behaviour_score": _behaviour(roles, cells, rules),
    }


class _Asked(NamedTuple):
    """Who could be asked on the closing day: each employee's place, and how many raters each role should have."""

    place: pl.DataFrame
    raters: pl.DataFrame


def _asked(employees: pl.DataFrame, rules: Appraisal, held: AppraisalRound) -> _Asked:
    on = held.closes
    staff = (
        employees.filter(
            (pl.col("assignment_code") == "utama")
            & (pl.col("valid_from") <= on)
            & (pl.col("valid_to").is_null() | (pl.col("valid_to") >= on))
        )
        .sort("nip", "valid_from")
        .group_by("nip", maintain_order=True)
        .agg(pl.col("unit_id", "position_level", "supervisor_nip").last())
    )
    # Colleagues are the others of the unit, without one's superior and those one leads.
    led = staff.drop_nulls("supervisor_nip").group_by(pl.col("supervisor_nip").alias("nip"))
    unit_of = staff.select(pl.col("nip").alias("supervisor_nip"), pl.col("unit_id").alias("_superior_unit"))
    near = staff.join(unit_of, on="supervisor_nip", how="left")
    led_here = (
        near.filter(pl.col("unit_id") == pl.col("_superior_unit"))
        .group_by(pl.col("supervisor_nip").alias("nip"))
        .agg(pl.len().alias("_led_here"))
    )
    superior_here = (pl.col("unit_id") == pl.col("_superior_unit")).fill_null(False).cast(pl.Int64)
    led_of_unit = pl.col("_led_here").fill_null(0).cast(pl.Int64)
    available = (
        near.join(led.agg(pl.len().alias("subordinate")), on="nip", how="left")
        .join(led_here, on="nip", how="left")
        .select(
            "nip",
            pl.col("supervisor_nip").is_not_null().cast(pl.Int64).alias("superior"),
            (pl.len().over("unit_id").cast(pl.Int64) - 1 - superior_here - led_of_unit).alias("peer"),
            pl.col("subordinate").fill_null(0).cast(pl.Int64),
            pl.lit(1, dtype=pl.Int64).alias("self"),
        )
        .unpivot(index="nip", variable_name="role_code", value_name="_available")
    )
    limits = pl.DataFrame(
        {
            "role_code": list(rules.roles),
            "_limit": [None if g.asked == "all" else g.asked for g in rules.roles.values()],
        },
        schema={"role_code": pl.String, "_limit": pl.Int64},
    )
    # min_horizontal skips the null of a role that asks all.
    count = available.join(limits, on="role_code").select(
        *_ROLE, pl.min_horizontal("_available", "_limit").alias("_expected")
    )
    return _Asked(staff.select("nip", "unit_id", "position_level"), count)


def _given(answers: pl.DataFrame) -> pl.DataFrame:
    """The round's answers; the rules of validated have rejected all that is not one."""
    return answers.select(
        pl.col("subject_id").alias("nip"),
        "role_code",
        pl.col("element_code").alias("competency_code"),
        "response_id",
        (pl.col("score") * UNITS).round().cast(pl.Int64).alias("_score"),
    ).sort(*_CELL, "response_id")


def _grid(people: pl.DataFrame, rules: Appraisal) -> pl.DataFrame:
    """One row per person and role of the policy: the role's weight at the person's level, and how many must answer."""
    levels = people["position_level"].unique().to_list()
    weights = pl.DataFrame(
        [(level, role, float(rules.weights(level).get(role, 0))) for level in levels for role in rules.roles],
        schema={"position_level": pl.String, "role_code": pl.String, "_weight": pl.Float64},
        orient="row",
    )
    return people.join(weights, on="position_level", nulls_equal=True)


def _roles(given: pl.DataFrame, grid: pl.DataFrame, rules: Appraisal) -> pl.DataFrame:
    """The grid with rater_count, and `_passes`: as many raters answered as the policy needs."""
    settings = pl.DataFrame(
        [(role, g.minimum, g.asked == "all", role in ANONYMOUS) for role, g in rules.roles.items()],
        schema={"role_code": pl.String, "_minimum": pl.Int64, "_asks_all": pl.Boolean, "_is_anonymous": pl.Boolean},
        orient="row",
    )
    needed = pl.when(pl.col("_asks_all")).then(pl.max_horizontal("_minimum", "_expected")).otherwise(pl.col("_minimum"))
    raters = given.group_by(_ROLE).agg(pl.col("response_id").n_unique().cast(pl.Int64).alias("rater_count"))
    return (
        grid.join(settings, on="role_code")
        .join(raters, on=_ROLE, how="left")
        .with_columns(pl.col("rater_count").fill_null(0))
        .with_columns(_passes=pl.col("rater_count") >= needed)
    )


def _cells(given: pl.DataFrame, roles: pl.DataFrame, rules: Appraisal) -> pl.DataFrame:
    """The passing cells: their number of answers and total, in percent of the scale, and the role's weight."""
    sums = given.group_by(_CELL).agg(
        pl.col("response_id").n_unique().cast(pl.Int64).alias("_answers"), pl.col("_score").sum().alias("_total")
    )
    return (
        sums.join(roles.filter("_passes").select(*_ROLE, "_weight", "_minimum"), on=_ROLE)
        .filter(pl.col("_answers") >= pl.col("_minimum"))
        .with_columns(_percent=100 * pl.col("_total") / (pl.col("_answers") * UNITS * rules.scale_max))
        .sort(_CELL)
    )


def _role_means(roles: pl.DataFrame, cells: pl.DataFrame, rules: Appraisal) -> pl.DataFrame:
    """One row per person with answers and role that counts or answered: raters, and their mean on the scale.

    *Null when* suppressed: fewer raters than the role needs, or no competency with enough of their answers.
    """
    means = cells.group_by(_ROLE).agg((pl.col("_total").sum() / pl.col("_answers").sum()).alias("_mean"))
    return (
        roles.filter((pl.col("_weight") > 0) | (pl.col("rater_count") > 0))
        .join(means, on=_ROLE, how="left")
        .with_columns(mean_score=pl.col("_mean") / UNITS, is_suppressed=pl.col("_mean").is_null())
        .sort(_ROLE)
    )


def _behaviour(roles: pl.DataFrame, cells: pl.DataFrame, rules: Appraisal) -> pl.DataFrame:
    """One row per person with answers: role means in percent of the maximum, weighted by role.

    *Null when* pending: a role with weight is missing and the policy does not renormalise, or every such role is.
    `has_opinion`: peers or subordinates counted, which changes the mix of the numeric score (PP 30/2019 art. 41).
    """
    counted = _role_means(roles.filter(pl.col("_weight") > 0), cells, rules).with_columns(
        _weight=pl.when(~pl.col("is_suppressed")).then("_weight"),
        _percent=100 * pl.col("mean_score") / rules.scale_max,
    )
    scored = counted.group_by("nip", maintain_order=True).agg(
        ((pl.col("_weight") * pl.col("_percent")).sum() / pl.col("_weight").sum()).alias("_score"),
        pl.col("is_suppressed").any().alias("_misses"),
        pl.col("is_suppressed").all().alias("_misses_all"),
        (pl.col("_is_anonymous") & ~pl.col("is_suppressed")).any().alias("_opinion"),
    )
    is_pending = pl.col("_misses_all") if rules.on_missing == "renormalise" else pl.col("_misses")
    return (
        scored.with_columns(is_pending=is_pending)
        .with_columns(
            behaviour_score=pl.when(~pl.col("is_pending")).then("_score"),
            has_opinion=pl.col("_opinion") & ~pl.col("is_pending"),
        )
        .sort("nip")
    )


def _profile(
    people: pl.DataFrame, roles: pl.DataFrame, cells: pl.DataFrame, rules: Appraisal, held: AppraisalRound
) -> pl.DataFrame:
    """One row per person with answers and competency: the passing roles' score in percent, beside the unit's mean.

    *Null when* suppressed; unit_mean (and gap, strength, weakness) for units with too few scores.
    """
    codes = pl.DataFrame({"competency_code": list(rules.competencies_of(held))}, schema={"competency_code": pl.String})
    weighted = pl.col("_weight") * pl.col("_percent")
    scores = (
        cells.filter(pl.col("_weight") > 0)
        .group_by("nip", "competency_code", maintain_order=True)
        .agg((weighted.sum() / pl.col("_weight").sum()).alias("score"))
    )
    unit = ["unit_id", "competency_code"]
    rows = people.join(codes, how="cross").join(scores, on=["nip", "competency_code"], how="left")
    means = (
        rows.drop_nulls(["unit_id", "score"])
        .sort(*unit, "nip")
        .group_by(unit, maintain_order=True)
        .agg(pl.col("score").mean().alias("unit_mean"), pl.len().alias("_scores"))
        .filter(pl.col("_scores") >= rules.unit_minimum)
    )
    # Nine decimals: a gap of exactly the policy's points is not lost in binary.
    gap = (pl.col("score") - pl.col("unit_mean")).round(9)
    return (
        rows.join(means, on=unit, how="left")
        .with_columns(gap=gap)
        .with_columns(
            is_strength=pl.col("gap") >= rules.gap_points,
            is_weakness=pl.col("gap") <= -rules.gap_points,
            is_suppressed=pl.col("score").is_null(),
        )
        .sort("nip", "competency_code")
    )


def _units(
    given: pl.DataFrame, asked: _Asked, roles: pl.DataFrame, cells: pl.DataFrame, rules: Appraisal
) -> pl.DataFrame:
    """One row per unit: raters who answered and who should have, leniency and spread of their marks.

    Leniency is the unit's mean answer above the region's, in percent of the scale; spread the standard deviation of its
    marks, a mark being the mean of one rater's answers about one person. *Null when* suppressed: too few people in the
    unit have an anonymous role that passes.

    Leniency counts answers and not marks: the mark of the one rater who left a question out would weigh otherwise than
    the others, and their answer could be solved for from the unit's leniency and its role means.
    """
    expected = (
        _grid(asked.place, rules)
        .join(asked.raters, on=_ROLE)
        .filter(pl.col("_weight") > 0)
        .group_by("unit_id")
        .agg(pl.col("_expected").sum().alias("expected_count"))
    )
    counted = (
        roles.filter(pl.col("_weight") > 0).drop_nulls("unit_id").group_by("unit_id").agg(pl.col("rater_count").sum())
    )
    mean_answer = 100 * pl.col("_total").sum() / (pl.col("_answers").sum() * UNITS * rules.scale_max)
    passing = cells.filter(pl.col("_weight") > 0).join(roles.select(*_ROLE, "unit_id", "_is_anonymous"), on=_ROLE)
    marks = (
        given.join(passing.select(*_CELL, "unit_id", "_is_anonymous"), on=_CELL)
        .group_by(*_ROLE, "response_id", "unit_id", "_is_anonymous")
        .agg(
            (100 * pl.col("_score").sum() / (pl.len() * UNITS * rules.scale_max)).alias("_mark"),
            pl.col("_score").sum().alias("_total"),
            pl.len().cast(pl.Int64).alias("_answers"),
        )
        .sort(*_ROLE, "response_id")
        .with_columns(_region=mean_answer)
    )
    statistics = (
        marks.drop_nulls("unit_id")
        .group_by("unit_id", maintain_order=True)
        .agg(
            pl.col("nip").filter(pl.col("_is_anonymous")).n_unique().alias("_people"),
            (mean_answer - pl.col("_region").first()).alias("leniency"),
            pl.col("_mark").std().alias("spread"),
        )
        .filter(pl.col("_people") >= rules.unit_minimum)
    )
    return (
        expected.join(counted, on="unit_id", how="full", coalesce=True)
        .join(statistics, on="unit_id", how="left")
        .with_columns(pl.col("rater_count", "expected_count").fill_null(0), is_suppressed=pl.col("_people").is_null())
        .sort("unit_id")
    )
