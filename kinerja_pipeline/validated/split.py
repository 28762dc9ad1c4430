"""The split: landed text + contract -> valid, rejected and superseded rows, and a tally that adds up.

Here: one pass of booleans per rule, reasons only for the rejected rows, which of several versions of a key stands.
Not here: reading the landed files (landing/), the text's reading (validated/parsing), what the rules are (contracts/).
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from typing import NamedTuple

import polars as pl

from kinerja_pipeline.contracts.model import Column, Contract, Rule
from kinerja_pipeline.validated.parsing import DAY_FIRST, cleaned, is_month_first, period_month, typed

TALLY_SCHEMA: dict[str, type[pl.DataType]] = {
    "feed": pl.String,
    "delivery_id": pl.String,
    "rule_id": pl.String,
    "severity_code": pl.String,
    "landed_count": pl.Int64,
    "valid_count": pl.Int64,
    "rejected_count": pl.Int64,
    "superseded_count": pl.Int64,
    "failed_count": pl.Int64,
    "first_source_row": pl.Int64,
}
_OWN = ("_delivery_id", "_source_row")


class ConservationError(Exception):
    """Rows went missing between landing and the split: a fault of the program, never of the data."""


@dataclass(frozen=True, slots=True)
class Split:
    """What became of the landed rows of one feed and partition.

    valid: typed contract columns, `_delivery_id`, `_source_row`.
    rejected: the contract columns as delivered (text), `_delivery_id`, `_source_row`, `_reasons`, `_raw`.
    superseded: `_delivery_id`, `_source_row` of rows that a later or repeated row replaces.
    tally: one row per delivery and rule that failed, and one per delivery with rule_id `all`.
    asked_count: rows that the reader could take apart; only they are asked the rules.
    null_counts: of those, the values that are missing or unreadable, by column.
    unchecked: rules that refer to a feed which was not there to be asked.
    """

    valid: pl.DataFrame
    rejected: pl.DataFrame
    superseded: pl.DataFrame
    tally: pl.DataFrame
    asked_count: int
    null_counts: Mapping[str, int]
    unchecked: tuple[str, ...]


class _Part(NamedTuple):
    """What is kept of landed rows that were judged together.

    judged: typed contract columns, `_OWN`, `_row` (from 0), `_is_bad`, `_is_inside` (it is of the month asked for).
    hashes: of the keys of its good rows; repeated: those that stand here more than once.
    landed, rejected, warned, counted: of the rows inside; by delivery as they came, the bad ones with their reasons,
    one frame per rule that warns, the values that are absent and the rows that are whole.
    """

    judged: pl.DataFrame
    hashes: pl.Series
    repeated: pl.Series
    landed: pl.DataFrame
    rejected: pl.DataFrame
    warned: list[pl.DataFrame]
    counted: pl.DataFrame


def split(
    landed: pl.DataFrame | Iterable[pl.DataFrame],
    contract: Contract,
    *,
    zone: str,
    references: Mapping[str, pl.DataFrame],
    deliveries: pl.DataFrame,
    month: str | None = None,
) -> Split:
    """Splits the landed rows of `month` (all rows of a dated feed); rows of other months only decide which version
    stands.

    `landed` may come in parts, so that one of them at a time stands in memory as text; a delivery's rows are all in one
    part. `references` holds the validated frames of the feeds that the region declares; a rule whose feed is not
    declared is not applied. `deliveries` has delivery_id, sequence, delivery_mode and delivery_scope. Raises
    ConservationError.
    """
    asked = [r for r in contract.rules if r.reference is None or r.reference[0] in references]
    rules = sorted(asked, key=lambda rule: rule.what == "conflict")
    frames = [landed] if isinstance(landed, pl.DataFrame) else landed
    parts = [_part(frame, contract, rules, zone, references, month) for frame in frames]
    superseded = _superseded(parts, contract, deliveries)
    rejected = pl.concat([part.rejected for part in parts])
    warned = pl.concat([_warned(rejected.clear(), None), *(frame for part in parts for frame in part.warned)])
    landed_counts = pl.concat([part.landed for part in parts])
    *nulls, asked_count = pl.concat([part.counted for part in parts]).sum().row(0)
    believed, replaced, ended = [], [], []
    for start in _starts(parts):
        # Let go as it is told apart, so that the rows of a month do not stand in memory twice.
        rows = parts.pop(0).judged
        is_old = superseded.slice(start, len(rows))
        is_good = rows["_is_inside"] & ~rows["_is_bad"]
        # Columns before rows: a filter copies every column that it is handed.
        believed.append(rows.select(*contract.names, *_OWN).filter(is_good & ~is_old))
        replaced.append(rows.select(*_OWN).filter(is_good & is_old))
        ended.append(_ended(rows.with_columns(is_old.alias("_is_superseded"))))
    valid, old = pl.concat(believed), pl.concat(replaced)
    tally = _tally(pl.concat(ended), rejected, warned, contract)
    _conserve(landed_counts, valid, rejected, old, contract.name)
    unchecked = tuple(r.name for r in contract.rules if r not in rules)
    null_counts = dict(zip(contract.names, nulls, strict=True))
    return Split(valid, rejected, old, tally, asked_count, null_counts, unchecked)


def _part(
    landed: pl.DataFrame,
    contract: Contract,
    rules: Sequence[Rule],
    zone: str,
    references: Mapping[str, pl.DataFrame],
    month: str | None,
) -> _Part:
    landed = landed.with_row_index("_row")
    judged = _judged(landed, contract, [r for r in rules if r.what != "conflict"], zone, references)
    failing = [r.name for r in rules if r.severity == "error" and r.what != "conflict"]
    judged = judged.with_columns(_is_bad=pl.any_horizontal(pl.col(failing)) | pl.col("_problem").is_not_null())
    hashes = _hashes(judged, contract.key)
    repeated = _repeated(hashes)
    conflict = _conflicts(judged.filter(hashes.is_in(repeated.implode())), contract)
    judged = judged.with_columns(_flags(conflict, len(judged)).alias("key__conflict")).with_columns(
        pl.col("_is_bad") | pl.col("key__conflict"), _is_inside=_is_inside(landed, month)
    )
    inside = judged["_is_inside"]
    kept = judged.select(*contract.names, *_OWN, "_row", "_is_bad", "_is_inside")
    if not inside.all():
        judged, landed = judged.filter(inside), landed.filter(inside)
    is_whole = pl.col("_problem").is_null()
    absent = [(pl.col(name).is_null() & is_whole).sum().alias(name) for name in contract.names]
    return _Part(
        kept,
        hashes,
        repeated,
        landed["_delivery_id"].value_counts(name="landed"),
        _with_reasons(judged, landed, contract, rules),
        [_warned(judged.filter(pl.col(r.name) & is_whole), r.name) for r in rules if r.severity == "warning"],
        judged.select(*absent, is_whole.sum().alias("_asked_count")),
    )


def _starts(parts: Sequence[_Part]) -> list[int]:
    """How many rows stand before each part."""
    return [0, *accumulate(len(part.judged) for part in parts)][: len(parts)]


def _warned(rows: pl.DataFrame, rule: str | None) -> pl.DataFrame:
    return rows.select(*_OWN, pl.lit(rule, pl.String).alias("rule_id"))


def _is_inside(landed: pl.DataFrame, month: str | None) -> pl.Series | pl.Expr:
    return pl.lit(True) if month is None else (landed["_month"] == month).fill_null(False)


def _flags(rows: pl.Series, length: int) -> pl.Series:
    """True at the given places."""
    return pl.repeat(False, length, dtype=pl.Boolean, eager=True).scatter(rows, True)


def _judged(
    landed: pl.DataFrame, contract: Contract, rules: Iterable[Rule], zone: str, references: Mapping[str, pl.DataFrame]
) -> pl.DataFrame:
    """Typed columns beside one boolean per rule, true where the row fails it."""
    own = ["_row", *_OWN, "_problem", *(["_month"] if "_month" in landed.columns else [])]
    texts = landed.select(*(cleaned(c).alias(c.name) for c in contract.columns), *own)
    values = texts.select(
        *(typed(c, pl.col(c.name), zone).alias(c.name) for c in contract.columns),
        *(pl.col(c.name).is_null().alias(f"_absent_{c.name}") for c in contract.columns),
        *(_swapped(texts, c.name).alias(f"_swapped_{c.name}") for c in _dated(contract)),
        *own,
    ).with_columns(pl.when(~pl.col(f"_swapped_{c.name}")).then(c.name).alias(c.name) for c in _dated(contract))
    values = values.with_columns(_known(values, r, references) for r in rules if r.reference is not None)
    values = values.with_columns(_fails(rule, contract).fill_null(False).alias(rule.name) for rule in rules)
    return values.drop(c for c in values.columns if c.startswith(("_absent_", "_known_", "_swapped_")))


def _dated(contract: Contract) -> list[Column]:
    return [c for c in contract.columns if c.kind in ("date", "timestamp")]


def _swapped(texts: pl.DataFrame, name: str) -> pl.Series:
    """Where a separated date stands in a delivery that writes them month first."""
    separated = texts.filter(pl.col(name).str.contains(DAY_FIRST)).select("_row", "_delivery_id", name)
    swapped = separated.filter(is_month_first(pl.col(name)).over("_delivery_id"))
    return _flags(swapped["_row"], len(texts))


def _known(values: pl.DataFrame, rule: Rule, references: Mapping[str, pl.DataFrame]) -> pl.Series:
    """True where the columns of a reference are known to its table, null elsewhere."""
    assert rule.reference is not None
    table, columns = rule.reference
    known = references[table].select(columns).unique().with_columns(pl.lit(True).alias(f"_known_{rule.name}"))
    keys = values.select(rule.columns)
    return keys.join(known, left_on=list(rule.columns), right_on=list(columns), how="left", maintain_order="left")[
        f"_known_{rule.name}"
    ]


def _fails(rule: Rule, contract: Contract) -> pl.Expr:
    """True where a row fails the rule. A value that is missing or unreadable fails only the rule that says so."""
    name = rule.columns[0]
    column, value = contract.column(name), pl.col(name)
    match rule.what:
        case "missing":
            return pl.col(f"_absent_{name}")
        case "unreadable":
            is_swapped = pl.col(f"_swapped_{name}") if column.kind in ("date", "timestamp") else pl.lit(False)
            return _is_doubtful(name) & ~is_swapped
        case "month_first":
            return pl.col(f"_swapped_{name}")
        case "pattern":
            return ~value.str.contains(column.pattern or "")
        case "length":
            length = value.str.len_chars()
            return (length < (column.min_length or 0)) | (length > (column.max_length or 2**31))
        case "range":
            low = value < column.minimum if column.minimum is not None else pl.lit(False)
            high = value > column.maximum if column.maximum is not None else pl.lit(False)
            return low | high
        case "code":
            return ~value.is_in(list(column.codes))
        case "row":
            assert rule.predicate is not None
            return pl.sql_expr(rule.predicate) & ~pl.any_horizontal(_is_doubtful(c) for c in rule.columns)
        case "reference":
            present = pl.all_horizontal(pl.col(c).is_not_null() for c in rule.columns)
            asked = pl.sql_expr(rule.predicate) if rule.predicate else pl.lit(True)
            return asked & present & pl.col(f"_known_{rule.name}").is_null()
        case "month":
            if column.kind == "string":
                return period_month(value) != pl.col("_month")
            # As numbers: writing every month as text takes longer than all other rules of a tap.
            landed_in = pl.col("_month").str.replace("-", "", literal=True).cast(pl.Int32, strict=False)
            month = value.dt.year() * 100 + value.dt.month().cast(pl.Int32)
            return value.is_not_null() & month.ne_missing(landed_in)
        case "conflict":
            raise AssertionError("conflicts are found between rows, not in one")


def _is_doubtful(name: str) -> pl.Expr:
    """Something was delivered, but not a value to believe: unreadable, or month first."""
    return ~pl.col(f"_absent_{name}") & pl.col(name).is_null()


def _conflicts(suspects: pl.DataFrame, contract: Contract) -> pl.Series:
    """The rows of deliveries that say two things about a key; `suspects` hold every good row of such a key."""
    others = [c for c in contract.names if c not in contract.key]
    if not others or suspects.is_empty():
        return suspects["_row"].clear()
    versions = suspects.select(pl.struct(others).n_unique().over([*contract.key, "_delivery_id"])).to_series()
    return suspects.filter(versions > 1)["_row"]


def _superseded(parts: Sequence[_Part], contract: Contract, deliveries: pl.DataFrame) -> pl.Series:
    """True for the rows, of all parts, that another row of the key replaces.

    The later good delivery of a key wins; within a delivery the first of identical rows stands. A `full` delivery also
    replaces every earlier row of its scope whose key it no longer names.
    """
    key = list(contract.key)
    # The same bytes may have been delivered under another name, or for another feed: one line per delivery, its last.
    own = deliveries.filter(pl.col("feed") == contract.name) if "feed" in deliveries.columns else deliveries
    order = (
        own.sort("sequence")
        .unique("delivery_id", keep="last")
        .select(pl.col("delivery_id").alias("_delivery_id"), "sequence", "delivery_mode", "delivery_scope")
    )
    repeated = parts[0].repeated if len(parts) == 1 else _repeated(pl.concat([part.hashes for part in parts]))
    judged = [p.judged.with_columns(pl.col("_row") + start) for p, start in zip(parts, _starts(parts), strict=True)]
    good = (part.hashes.is_in(repeated.implode()) & ~part.judged["_is_bad"] for part in parts)
    ranked = (
        pl.concat(rows.filter(is_suspect) for rows, is_suspect in zip(judged, good, strict=True))
        .join(order, on="_delivery_id", how="left", maintain_order="left")
        .sort(pl.col("sequence"), -pl.col("_source_row").cast(pl.Int64), descending=True, maintain_order=True)
        .with_columns(_is_first=pl.struct(key).is_first_distinct())
    )
    replaced = [ranked.filter(~pl.col("_is_first"))["_row"]]
    whole_scopes = order.filter(pl.col("delivery_mode") == "full").select("delivery_scope").unique()
    if len(whole_scopes):
        rows = pl.concat(judged).join(order.join(whole_scopes, on="delivery_scope", how="semi"), on="_delivery_id")
        replaced += [_dropped_by_full(own, key) for own in rows.partition_by("delivery_scope")]
    return _flags(pl.concat(replaced), sum(len(part.judged) for part in parts))


def _hashes(judged: pl.DataFrame, key: Iterable[str]) -> pl.Series:
    """A number for each good row's key, null for other rows: those of a row's cells (each column has its own seed) put
    together by exclusive or. A struct's hash gives as much in four times the time."""
    cells = reduce(operator.xor, (pl.col(name).hash(seed) for seed, name in enumerate(key)))
    return judged.select(pl.when(~pl.col("_is_bad")).then(cells).alias("hash")).to_series()


def _repeated(hashes: pl.Series) -> pl.Series:
    """What stands there more than once, found by sorting. Rows with such a hash may share a key, value by value."""
    ordered = hashes.sort()
    return ordered.filter(ordered == ordered.shift()).unique()


def _dropped_by_full(rows: pl.DataFrame, key: list[str]) -> pl.Series:
    """The rows that a later `full` delivery leaves out, of the rows of one scope.

    It speaks for a month, or for a register, only where one of its rows is good: a file that is rejected whole, or a
    stray row with an unreadable date, replaces nothing.
    """
    scope = rows.filter("_is_inside")
    full = scope.filter((pl.col("delivery_mode") == "full") & ~pl.col("_is_bad"))["sequence"].unique().sort()
    if full.is_empty():
        return scope.clear()["_row"]
    # A row stands while every later full delivery names its key, even in a bad version or another month.
    nth_last = pl.DataFrame({"sequence": full, "_nth": range(len(full), 0, -1)}, schema_overrides={"_nth": pl.Int64})
    named = rows.join(nth_last, on="sequence").select(*key, "_nth").unique().sort("_nth")
    named = named.with_columns(_position=pl.int_range(1, pl.len() + 1).over(key))
    unbroken = named.filter(pl.col("_nth") == pl.col("_position")).group_by(key).agg(pl.len().alias("_named_count"))
    later = len(full) - full.search_sorted(scope["sequence"], side="right").cast(pl.Int64)
    judged = scope.with_columns(_later_count=later).join(unbroken, on=key, how="left", nulls_equal=True)
    return judged.filter(pl.col("_later_count") > pl.col("_named_count").fill_null(0))["_row"]


def _with_reasons(
    judged: pl.DataFrame, landed: pl.DataFrame, contract: Contract, rules: Iterable[Rule]
) -> pl.DataFrame:
    """The bad rows as they were delivered; `judged` holds the same rows as `landed` in the same order."""
    named = [pl.when(pl.col(r.name)).then(pl.lit(r.name)) for r in rules if r.severity == "error"]
    reasons = (
        pl.when(pl.col("_problem").is_not_null())
        .then(pl.concat_list(pl.col("_problem")))
        .otherwise(pl.concat_list(named).list.drop_nulls())
    )
    text = landed.select(*contract.names, *_OWN, "_raw").filter(judged["_is_bad"])
    why = judged.filter("_is_bad").select(reasons).to_series()
    return text.with_columns(why.alias("_reasons")).select(*contract.names, *_OWN, "_reasons", "_raw")


def _ended(judged: pl.DataFrame) -> pl.DataFrame:
    """How the rows inside ended, by delivery."""
    is_bad, is_old, is_inside = (pl.col(name) for name in ("_is_bad", "_is_superseded", "_is_inside"))
    return judged.group_by(delivery_id="_delivery_id").agg(
        is_inside.sum().alias("landed_count"),
        (is_inside & ~is_bad & ~is_old).sum().alias("valid_count"),
        (is_inside & is_bad).sum().alias("rejected_count"),
        (is_inside & ~is_bad & is_old).sum().alias("superseded_count"),
    )


def _tally(ended: pl.DataFrame, rejected: pl.DataFrame, warned: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    per_delivery = ended.group_by("delivery_id").agg(pl.exclude("delivery_id").sum()).filter(pl.col("landed_count") > 0)
    total = per_delivery.with_columns(
        rule_id=pl.lit("all"), severity_code=pl.lit("error"), failed_count=pl.col("rejected_count")
    )
    reasons = rejected.select("_delivery_id", "_source_row", pl.col("_reasons").alias("rule_id")).explode("rule_id")
    failed = pl.concat(
        [rows.with_columns(severity_code=pl.lit(code)) for code, rows in (("error", reasons), ("warning", warned))]
    ).drop_nulls("rule_id")
    per_rule = failed.group_by(pl.col("_delivery_id").alias("delivery_id"), "rule_id", "severity_code").agg(
        pl.len().alias("failed_count"), pl.col("_source_row").min().alias("first_source_row")
    )
    # Reasons overlap (one row may have several), so valid and superseded rows are counted on the line `all` only.
    per_rule = per_rule.join(per_delivery.select("delivery_id", "landed_count"), on="delivery_id").with_columns(
        rejected_count=pl.when(pl.col("severity_code") == "error").then(pl.col("failed_count")).otherwise(0)
    )
    shape = pl.DataFrame(schema=TALLY_SCHEMA)
    parts = [part.with_columns(feed=pl.lit(contract.name)) for part in (total, per_rule)]
    aligned = [
        part.select(
            (pl.col(name) if name in part.columns else pl.lit(None)).cast(kind).alias(name)
            for name, kind in TALLY_SCHEMA.items()
        )
        for part in parts
    ]
    return pl.concat([shape, *aligned]).sort("delivery_id", "rule_id")


def _conserve(landed: pl.DataFrame, valid: pl.DataFrame, rejected: pl.DataFrame, old: pl.DataFrame, feed: str) -> None:
    """landed = valid + rejected + superseded, per delivery, counted from the frames themselves (`landed` as each part
    counted its own)."""
    ended = pl.concat([part["_delivery_id"] for part in (valid, rejected, old)]).value_counts(name="ended")
    counts = landed.group_by("_delivery_id").agg(pl.col("landed").sum())
    counts = counts.join(ended, on="_delivery_id", how="full", coalesce=True)
    wrong = counts.fill_null(0).filter(pl.col("landed") != pl.col("ended"))
    if len(wrong):
        row = wrong.row(0, named=True)
        raise ConservationError(
            f"{feed}, delivery {row['_delivery_id'][:12]}: {row['landed']} rows landed but {row['ended']} ended as "
            "valid, rejected or superseded. Nothing was published; keep the file and report this."
        )
