"""Indicators: measures (numerators and denominators that add up) and the kpi rows made from them.

Here: one aggregation per fact and subject, roll-up, achievement and score. Not here: what an indicator is (policies/),
agreed targets (kpi/targets), weighting into an evaluation (kpi/evaluation).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import polars as pl

from kinerja_pipeline.facts.periods import months_of, period_kind
from kinerja_pipeline.kpi.targets import AGREED_SCHEMA
from kinerja_pipeline.policies.indicators import SUBJECT_COLUMN, CompiledIndicator

UNITS = 10_000
"""Numerators and denominators are summed as integers of 1/10000, so that no order of rows changes a total."""

MEASURE_SCHEMA: dict[str, type[pl.DataType]] = {
    "subject_kind": pl.String,
    "subject_id": pl.String,
    "indicator_id": pl.String,
    "month": pl.String,
    "numerator": pl.Int64,
    "denominator": pl.Int64,
    "evidence_count": pl.Int64,
}
SUBJECT = ("subject_kind", "subject_id", "indicator_id")
SUMS = pl.Struct({name: MEASURE_SCHEMA[name] for name in ("numerator", "denominator", "evidence_count")})
EMPLOYEES_AT_ONCE = 100_000
"""Their measures are laid out together, some ten rows of each."""
RESCANNED = ("median", "p90")
"""Statistics that no sum gives: a longer period sorts the values of all its months anew."""
DIVIDED = ("ratio", "median", "p90", "growth")
SUMS_PUBLISHED = ("ratio", "growth")
ENUMERATED = ("attendance_day", "task_outcome")
"""Facts that list all that happened: when no row of a subject fits, a count is zero. In the others a missing row is a
figure that nobody delivered."""

LATEST = {"indicator_measurement": "is_latest"}
"""Facts with several states of a stock in a month, and the column that marks the last one."""


def measures(
    facts: Mapping[str, pl.DataFrame | pl.LazyFrame],
    indicators: Iterable[CompiledIndicator],
    month: str,
    year_before: Mapping[str, pl.DataFrame | pl.LazyFrame] | None = None,
) -> pl.DataFrame:
    """The parts of `measure_parts` in one frame."""
    return _in_one(measure_parts(facts, indicators, month, year_before))


def measure_parts(
    facts: Mapping[str, pl.DataFrame | pl.LazyFrame],
    indicators: Iterable[CompiledIndicator],
    month: str,
    year_before: Mapping[str, pl.DataFrame | pl.LazyFrame] | None = None,
) -> Iterator[pl.DataFrame]:
    """One row per subject and indicator with evidence in `month`: numerator, denominator (in 1/10000), evidence_count;
    in parts that follow one another by SUBJECT: the employees by NIP, all rows of one in one part, then region and
    units.

    All indicators on a fact are computed in one aggregation per kind of subject. A median or percentile stands as a
    numerator over 1 or 2 and does not add up. `growth` has the same sum over `year_before` (the facts of the same month
    last year) as its denominator, and neither number where that month has no evidence.
    """
    indicators = list(indicators)
    growing = [i for i in indicators if i.declared.statistic == "growth"]
    now, before = _sums(facts, indicators), _sums(year_before or {}, growing)
    sums = {kind: _grown(now.pop(kind), before.pop(kind), growing) for kind in SUBJECT_COLUMN}
    employees = sums.pop("employee")
    for start in range(0, len(employees), EMPLOYEES_AT_ONCE):
        yield _long(employees.slice(start, EMPLOYEES_AT_ONCE), "employee", month)
    yield _in_one(_long(sums[kind], kind, month) for kind in sorted(sums))


def rescanned(
    facts: Sequence[Mapping[str, pl.DataFrame | pl.LazyFrame]], indicators: Iterable[CompiledIndicator], period: str
) -> pl.DataFrame:
    """The medians and percentiles of a period, from the facts of each of its months. Columns as in the measures."""
    chosen = [i for i in indicators if i.declared.statistic in RESCANNED]
    names = dict.fromkeys(i.declared.fact for i in chosen)
    whole = {name: pl.concat([month[name].lazy() for month in facts], how="vertical") for name in names if facts}
    return measures(whole, chosen, period)


def _sums(
    facts: Mapping[str, pl.DataFrame | pl.LazyFrame], indicators: Sequence[CompiledIndicator]
) -> dict[str, pl.DataFrame]:
    """By kind of subject, one row per `_subject` in their order, with the SUMS of every indicator.

    Rows of facts are summed as they are read, so that they never stand in memory together.
    """
    parts: dict[str, list[pl.DataFrame]] = {kind: [] for kind in SUBJECT_COLUMN}
    for fact, rows in facts.items():
        chosen = [i for i in indicators if i.declared.fact == fact]
        asked = [(kind, query) for kind in SUBJECT_COLUMN for query in _queries(rows.lazy(), kind, chosen)]
        # Together: what is laid beside the rows of a fact is computed once for all kinds.
        found = pl.collect_all([query for _, query in asked], engine="streaming")
        for (kind, _), part in zip(asked, found, strict=True):
            parts[kind].append(part)
    return {kind: _side_by_side(parts.pop(kind)) for kind in SUBJECT_COLUMN}


def _queries(rows: pl.LazyFrame, kind: str, indicators: Iterable[CompiledIndicator]) -> Iterator[pl.LazyFrame]:
    """The aggregations of a fact that give the SUMS of its indicators for a kind of subject: sums all together, medians
    one by one, each from the values that it sorts and nothing else."""
    column = SUBJECT_COLUMN[kind]
    keyed = rows.with_columns((pl.col(column) if column else pl.lit("")).alias("_subject")).drop_nulls("_subject")
    chosen = [i for i in indicators if kind in i.declared.subjects]
    if added := [_added(i).alias(i.indicator_id) for i in chosen if i.declared.statistic not in RESCANNED]:
        yield keyed.group_by("_subject").agg(added)
    for indicator in (i for i in chosen if i.declared.statistic in RESCANNED):
        counts, above, _ = counted(indicator)
        ranked = _ranked(pl.col("_value"), indicator.declared.statistic).alias(indicator.indicator_id)
        yield keyed.filter(counts).select("_subject", above.alias("_value")).group_by("_subject").agg(ranked)


def _added(indicator: CompiledIndicator) -> pl.Expr:
    """Both sums, over the rows that `keep` selects and that have both: what is missing is left out, not zero."""
    counts, above, below = counted(indicator)
    counts_zero = indicator.declared.statistic in ("count", "last", "growth") and indicator.declared.fact in ENUMERATED
    return pl.struct(
        numerator=pl.when(counts).then(above).sum(),
        denominator=pl.when(counts).then(below).sum(),
        evidence_count=(pl.len() if counts_zero else counts.sum()).cast(pl.Int64),
    )


def _ranked(values: pl.Expr, statistic: str) -> pl.Expr:
    """The mean of the two middle values, which are one when their number is odd; nearest rank: the smallest value that
    has nine tenths of them up to and with itself."""
    ordered, count = values.sort(), values.len().cast(pl.Int64)
    ranks = ((count - 1) // 2, count // 2) if statistic == "median" else ((9 * count - 1) // 10,)
    return pl.struct(
        numerator=pl.sum_horizontal(ordered.get(rank) for rank in ranks),
        denominator=pl.lit(len(ranks) * UNITS, dtype=pl.Int64),
        evidence_count=count,
    )


def _side_by_side(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """The subjects of all parts in their order, each with what the parts say of it."""
    subjects = [pl.DataFrame(schema={"_subject": pl.String}), *(part.select("_subject") for part in parts)]
    together = pl.concat(subjects).unique().sort("_subject")
    while parts:
        together = together.join(parts.pop(), on="_subject", how="left", maintain_order="left")
    return together


def _grown(now: pl.DataFrame, before: pl.DataFrame, growing: Iterable[CompiledIndicator]) -> pl.DataFrame:
    """The sums; of indicators that grow with last year's as denominator, and neither number without evidence then."""
    names = [i.indicator_id for i in growing if i.indicator_id in now.columns]
    if not names:
        return now
    # A fact that last year's month lacks gives evidence of nothing.
    lacking = [pl.lit(None, SUMS).alias(name) for name in names if name not in before.columns]
    then = before.with_columns(lacking).select("_subject", pl.col(names).name.prefix("_then_"))

    def of(name: str, number: str) -> pl.Expr:
        return pl.col(name).struct.field(number)

    def grown(name: str) -> pl.Expr:
        has_base = of(f"_then_{name}", "evidence_count") > 0
        return pl.struct(
            numerator=pl.when(has_base).then(of(name, "numerator")),
            denominator=pl.when(has_base).then(of(f"_then_{name}", "numerator")),
            evidence_count=of(name, "evidence_count"),
        )

    together = now.join(then, on="_subject", how="left", maintain_order="left")
    return together.with_columns(grown(name).alias(name) for name in names).select(now.columns)


def _long(sums: pl.DataFrame, kind: str, month: str) -> pl.DataFrame:
    """The measures of these subjects: one row per subject and indicator, in their order."""
    names = sorted(name for name in sums.columns if name != "_subject")
    if not names:
        return pl.DataFrame(schema=MEASURE_SCHEMA)
    long = sums.unpivot(names, index="_subject", variable_name="indicator_id", value_name="_sums")
    # Indicator stands after indicator, each by subject: taking one of each in turn sorts them by subject.
    place = pl.int_range(len(long), eager=True)
    return (
        long[place % len(names) * len(sums) + place // len(names)]
        .unnest("_sums")
        .filter(pl.col("evidence_count") > 0)
        .with_columns(subject_kind=pl.lit(kind), month=pl.lit(month))
        .rename({"_subject": "subject_id"})
        .select(list(MEASURE_SCHEMA))
    )


def _in_one(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    # After an empty one: of parts with one row and the same values Polars makes columns of a constant, and what is
    # divided by a constant is multiplied by its reciprocal (72000000 / 400000 = 180.00000000000003).
    return pl.concat([pl.DataFrame(schema=MEASURE_SCHEMA), *parts], rechunk=True)


def counted(indicator: CompiledIndicator) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Which rows count, and what each of them adds above and below the line (in 1/10000). Rows need a `_subject`."""
    above = indicator.numerator
    below = indicator.denominator if indicator.denominator is not None else pl.lit(1)
    # A declaration may be a mere number; the subject gives it the length of the group.
    is_counted = pl.col("_subject").is_not_null() & indicator.keep & above.is_not_null() & below.is_not_null()
    if indicator.declared.statistic == "last" and (latest := LATEST.get(indicator.declared.fact)):
        is_counted &= pl.col(latest)
    return is_counted, _units(above), _units(below)


def _units(expression: pl.Expr) -> pl.Expr:
    return (expression.cast(pl.Float64) * UNITS).round().cast(pl.Int64)


def rolled_up(
    monthly: pl.DataFrame,
    indicators: Iterable[CompiledIndicator],
    period: str,
    values: pl.DataFrame | None = None,
    last: str | None = None,
) -> pl.DataFrame:
    """The measures of a period from those of its months: sums, the last month's for a stock (statistic `last`), and
    for medians and percentiles of a longer period `values` (see rescanned), which no sum gives.

    Same columns as the monthly measures, without the month. Growth adds the months that have a year before. `last` is
    the last month with measures of anybody, where `monthly` are those of some subjects.
    """
    statistics = {i.indicator_id: i.declared.statistic for i in indicators}
    stocks, growing, sorted_anew = (
        [name for name, statistic in statistics.items() if statistic in kinds]
        for kinds in (("last",), ("growth",), RESCANNED if period_kind(period) != "month" else ())
    )
    inside = monthly.filter(pl.col("month").is_in(months_of(period)))
    latest = last or inside["month"].max()
    kept = inside.filter(
        ~pl.col("indicator_id").is_in(sorted_anew),
        ~pl.col("indicator_id").is_in(stocks) | (pl.col("month") == pl.lit(latest, pl.String)),
    )
    names = ("numerator", "denominator", "evidence_count")
    if inside["month"].n_unique() < 2:
        # One row per subject and indicator: there is nothing to add up.
        added = kept.select(*SUBJECT, *names)
    else:
        if growing:
            has_base = pl.col("denominator").is_not_null()
            lacks_base = ~has_base.any().over(SUBJECT)
            kept = kept.filter(~pl.col("indicator_id").is_in(growing) | has_base | lacks_base)
        sums = [pl.when(pl.col(c).is_not_null().any()).then(pl.col(c).sum()).alias(c) for c in names]
        added = kept.group_by(SUBJECT).agg(sums)
    if values is None or not sorted_anew:
        return added
    return pl.concat([added, values.filter(pl.col("indicator_id").is_in(sorted_anew)).select(added.columns)])


def kpi(
    measured: pl.DataFrame,
    indicators: Sequence[CompiledIndicator],
    people: pl.DataFrame,
    region: str,
    period: str,
    month_count: int,
    policy_version: str,
    agreed: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """One row per subject and indicator of a period: employees by NIP, then units and the region, each by indicator, so
    that sums over them always add in the same order (a half must not round both ways).

    `measured` are the period's measures (see rolled_up), `month_count` how many of its months they hold, `agreed` the
    targets agreed for it (kpi/targets). `people` has nip, unit_id and position_level of the period's employees: every
    one of them has a row for every employee indicator; without evidence it is not computable, with the reason. Units
    and the region have rows where there is evidence. Of some people and what was measured of them, or of units alone,
    it gives their rows.
    """
    agreed = pl.DataFrame(schema=AGREED_SCHEMA) if agreed is None else agreed
    named = pl.when(pl.col("subject_kind") == "region").then(pl.lit(region)).otherwise("subject_id")
    rows = _laid_out(measured, indicators, people)
    for known in (measured, agreed):
        rows = rows.join(known, on=SUBJECT, how="left", maintain_order="left")
    rows = rows.with_columns(pl.col("evidence_count").fill_null(0))
    return _scored(rows, max(month_count, 1)).select(
        "subject_kind",
        named.alias("subject_id"),
        "indicator_id",
        pl.lit(period_kind(period)).alias("period_kind"),
        pl.lit(period).alias("period"),
        "unit_id",
        "aspect_code",
        (pl.col("numerator") / UNITS).alias("numerator"),
        (pl.col("denominator") / UNITS).alias("denominator"),
        "actual",
        "target",
        "achievement",
        "score",
        "weight",
        "status_code",
        "reason",
        "evidence_count",
        pl.lit(policy_version).alias("policy_version"),
    )


def _laid_out(measured: pl.DataFrame, indicators: Sequence[CompiledIndicator], people: pl.DataFrame) -> pl.DataFrame:
    """The subjects and indicators of the period with what is declared of each."""
    declared = _declared(indicators).sort("indicator_id")
    of_employees = declared.filter(
        pl.col("indicator_id").is_in([i.indicator_id for i in indicators if "employee" in i.declared.subjects])
    )
    # What a declaration says of a position is laid out once per position, not once per person.
    positions = people.select(pl.col("position_level").unique()).join(of_employees, how="cross")
    positions = positions.join(_by_position(indicators), on=["indicator_id", "position_level"], how="left")
    employees = (
        people.sort("nip")
        .select(
            pl.lit("employee").alias("subject_kind"), pl.col("nip").alias("subject_id"), "unit_id", "position_level"
        )
        .join(positions.sort("indicator_id"), on="position_level", nulls_equal=True, maintain_order="left_right")
        .drop("position_level")
    )
    of_unit = pl.when(pl.col("subject_kind") == "unit").then("subject_id")
    others = (
        measured.filter(pl.col("subject_kind") != "employee")
        .select(SUBJECT)
        .sort(SUBJECT)
        .join(declared, on="indicator_id", maintain_order="left")
        .with_columns(of_unit.alias("unit_id"), value=pl.lit(None, pl.Float64))
    )
    return pl.concat([employees, others.select(employees.columns)])


def _by_position(indicators: Sequence[CompiledIndicator]) -> pl.DataFrame:
    """The targets that declarations set for a position."""
    rows = [(i.indicator_id, *target) for i in indicators for target in i.declared.target.by_position.items()]
    schema = {"indicator_id": pl.String, "position_level": pl.String, "value": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _declared(indicators: Sequence[CompiledIndicator]) -> pl.DataFrame:
    rows = [
        {
            "indicator_id": i.indicator_id,
            "aspect_code": i.declared.aspect,
            "statistic": i.declared.statistic,
            "scale": i.declared.scale,
            "direction": i.declared.direction,
            "formula": i.declared.formula,
            "weight": i.declared.weight,
            "cap": i.declared.cap,
            "minimum_evidence": i.declared.minimum_evidence,
            "low": i.declared.target.low,
            "high": i.declared.target.high,
            "is_additive": i.declared.target.kind == "additive",
            "base_target": i.declared.target.value if i.declared.direction != "range" else i.declared.target.low,
        }
        for i in indicators
    ]
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "indicator_id": pl.String,
        "aspect_code": pl.String,
        "statistic": pl.String,
        "scale": pl.Float64,
        "direction": pl.String,
        "formula": pl.String,
        "weight": pl.Float64,
        "cap": pl.Float64,
        "minimum_evidence": pl.Int64,
        "low": pl.Float64,
        "high": pl.Float64,
        "is_additive": pl.Boolean,
        "base_target": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema)


def _scored(rows: pl.DataFrame, months: int) -> pl.DataFrame:
    """Target, actual, achievement and score; an additive target of a partial period sums only the months it has."""
    is_divided, is_published = (pl.col("statistic").is_in(names) for names in (DIVIDED, SUMS_PUBLISHED))
    divisor = pl.when(is_divided).then(pl.col("denominator")).otherwise(pl.lit(UNITS))
    rows = rows.with_columns(
        target=_target(months),
        reason=pl.when(pl.col("evidence_count") == 0)
        .then(pl.lit("no_evidence"))
        .when((pl.col("statistic") == "growth") & pl.col("denominator").is_null())
        .then(pl.lit("no_base_year"))
        .when(pl.col("evidence_count") < pl.col("minimum_evidence"))
        .then(pl.lit("below_minimum_evidence"))
        .when(is_divided & (pl.col("denominator") == 0))
        .then(pl.lit("denominator_zero")),
        actual=pl.when((divisor != 0) & (pl.col("evidence_count") > 0)).then(
            pl.col("scale") * pl.col("numerator") / divisor
        ),
        numerator=pl.when(~pl.col("statistic").is_in(RESCANNED)).then(pl.col("numerator")),
        denominator=pl.when(is_published).then(pl.col("denominator")),
    )
    rows = rows.with_columns(reason=pl.coalesce("reason", unattainable()))
    is_computable = pl.col("reason").is_null()
    rows = rows.with_columns(
        actual=pl.when(is_computable).then("actual"),
        achievement=pl.when(is_computable).then(achievement()),
        status_code=pl.when(is_computable).then(pl.lit("computed")).otherwise(pl.lit("not_computable")),
    )
    # min_horizontal skips nulls: without the condition a missing achievement would become the cap.
    score = pl.when(pl.col("achievement").is_not_null()).then(pl.min_horizontal("achievement", "cap"))
    return rows.with_columns(score=score)


def _target(months: int) -> pl.Expr:
    """What was agreed for the subject and period; else by position; else the policy's constant (DOMAIN section 9).

    A level target holds as it is. An additive one sums the `months` that the period has: the agreed share of those that
    were agreed, the policy's monthly target for the others. A range is the policy's.
    """
    declared = pl.coalesce("value", "base_target")
    months_left = months - pl.col("agreed_months").fill_null(0)
    summed = pl.coalesce("agreed_whole", pl.col("agreed_sum").fill_null(0.0) + months_left * declared)
    level = pl.coalesce("agreed_level", declared)
    return (
        pl.when(pl.col("direction") == "range").then(declared).when(pl.col("is_additive")).then(summed).otherwise(level)
    )


def unattainable() -> pl.Expr:
    """Why an actual cannot be set against its target, null when it can (DOMAIN section 9)."""
    direction, target, actual = pl.col("direction"), pl.col("target"), pl.col("actual")
    inverse = (direction == "lower") & (pl.col("formula") == "inverse")
    return (
        pl.when(direction.is_in(["higher", "lower"]) & ~inverse & (target == 0))
        .then(pl.lit("target_zero"))
        .when(inverse & (actual == 0))
        .then(pl.lit("actual_zero"))
        .when((direction == "range") & (pl.col("high") <= pl.col("low")))
        .then(pl.lit("range_empty"))
    )


def achievement() -> pl.Expr:
    """Achievement in percent of target *t* by actual *a*, before the cap (DOMAIN section 9, after PP 30/2019):
    higher is better 100 a/t; lower is better 100 (2t - a)/t, not below 0, or 100 t/a where the policy says `inverse`;
    in a range 100 inside, else 100 - 100 distance/width, not below 0."""
    direction, t, a = pl.col("direction"), pl.col("target"), pl.col("actual")
    low, high = pl.col("low"), pl.col("high")
    distance = pl.max_horizontal(low - a, a - high, pl.lit(0.0))
    return (
        pl.when(direction == "higher")
        .then(100 * a / t)
        .when((direction == "lower") & (pl.col("formula") == "inverse"))
        .then(100 * t / a)
        .when(direction == "lower")
        .then(pl.max_horizontal(100 * (2 * t - a) / t, pl.lit(0.0)))
        .otherwise(pl.max_horizontal(100 - 100 * distance / (high - low), pl.lit(0.0)))
    )
