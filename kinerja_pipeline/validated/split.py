"""The split: landed text + contract -> valid, rejected and superseded rows, and a tally that adds up.

Here: one pass of booleans per rule, reasons only for the rejected rows, which of several versions of a key stands.
Not here: reading the landed files (landing/), the text's reading (validated/parsing), what the rules are (contracts/).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate, pairwise
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
_STRETCHES = 16
"""Repeated keys of several parts are looked for in so many stretches of their hashes, one after the other."""

Aside = Callable[[pl.DataFrame], pl.LazyFrame]
"""Keeps the typed rows of a part until all parts are judged, and gives them back, some columns at a time."""


class ConservationError(Exception):
    """Rows went missing between landing and the split: a fault of the program, never of the data."""


class _Stood(NamedTuple):
    """Typed rows as they were kept, and which of them stand and which are replaced by another row of their key."""

    rows: pl.LazyFrame
    is_valid: pl.Series
    is_superseded: pl.Series


@dataclass(frozen=True, slots=True)
class Split:
    """What became of the landed rows of one feed and partition.

    rejected: the contract columns as delivered (text), `_delivery_id`, `_source_row`, `_reasons`, `_raw`.
    tally: one row per delivery and rule that failed, and one per delivery with rule_id `all`.
    asked_count: rows that the reader could take apart; only they are asked the rules.
    null_counts: of those, the values that are missing or unreadable, by column.
    unchecked: rules that refer to a feed which was not there to be asked.
    columns: those of the valid rows: the typed ones of the contract, `_delivery_id`, `_source_row`.
    stood: the other rows, part by part, for as long as they are kept.
    """

    rejected: pl.DataFrame
    tally: pl.DataFrame
    asked_count: int
    null_counts: Mapping[str, int]
    unchecked: tuple[str, ...]
    columns: tuple[str, ...]
    stood: tuple[_Stood, ...]

    def valid_parts(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The valid rows, or some of their columns, in the parts in which they landed; at least one."""
        wanted = self.columns if columns is None else columns
        for part in self.stood:
            yield part.rows.select(wanted).collect().filter(part.is_valid)

    @property
    def valid(self) -> pl.DataFrame:
        """The valid rows together."""
        return pl.concat(self.valid_parts())

    @property
    def superseded(self) -> pl.DataFrame:
        """`_delivery_id`, `_source_row` of rows that a later or repeated row replaces."""
        return pl.concat(part.rows.select(_OWN).collect().filter(part.is_superseded) for part in self.stood)


class _Part(NamedTuple):
    """What is kept of landed rows that were judged together.

    rows: typed contract columns, `_OWN`, `_is_bad`, `_is_inside` (it is of the month asked for), `_hash` of the key of
    a good row; row_count: how many.
    hashes: the same in order, without nulls; repeated: those that stand here more than once.
    landed, rejected, warned, counted: of the rows inside; by delivery as they came, the bad ones with their reasons,
    by delivery and rule that warns, the values that are absent and the rows that are whole.
    """

    rows: pl.LazyFrame
    row_count: int
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
    aside: Aside = pl.DataFrame.lazy,
) -> Split:
    """Splits the landed rows of `month` (all rows of a dated feed); rows of other months only decide which version
    stands.

    `landed` may come in parts, so that one of them at a time stands in memory as text; a delivery's rows are all in one
    part. `aside` keeps the typed rows of each part. `references` holds the validated frames of the feeds that the
    region declares, with the columns that rules ask for; a rule whose feed is not declared is not applied.
    `deliveries` has delivery_id, sequence, delivery_mode and delivery_scope. Raises ConservationError.
    """
    asked = [r for r in contract.rules if r.reference is None or r.reference[0] in references]
    rules = sorted(asked, key=lambda rule: rule.what == "conflict")
    known = {r.name: _known(r, references) for r in rules if r.reference is not None}
    frames = [landed] if isinstance(landed, pl.DataFrame) else landed
    parts = [_part(frame, contract, rules, zone, known, month, aside) for frame in frames]
    superseded = _superseded(parts, contract, deliveries)
    rejected = pl.concat([part.rejected for part in parts])
    warned = pl.concat([_counted(_no_failures()), *(frame for part in parts for frame in part.warned)])
    *nulls, asked_count = pl.concat([part.counted for part in parts]).sum().row(0)
    stood, ended = [], []
    for part, start in zip(parts, _starts(parts), strict=True):
        first, until = superseded.search_sorted(pl.Series([start, start + part.row_count]))
        rows = part.rows.select("_delivery_id", "_is_bad", "_is_inside").collect()
        is_old, is_good = _flags(superseded[first:until] - start, part.row_count), rows["_is_inside"] & ~rows["_is_bad"]
        stood.append(_Stood(part.rows, is_good & ~is_old, is_good & is_old))
        ended.append(_ended(rows, stood[-1]))
    tally = _tally(pl.concat(ended), rejected, warned, contract)
    _conserve(pl.concat([part.landed for part in parts]), pl.concat(ended), rejected, contract.name)
    unchecked = tuple(r.name for r in contract.rules if r not in rules)
    null_counts = dict(zip(contract.names, nulls, strict=True))
    columns = (*contract.names, *_OWN)
    return Split(rejected, tally, asked_count, null_counts, unchecked, columns, tuple(stood))


def conserved(valid: Iterable[pl.DataFrame], tally: pl.DataFrame, feed: str) -> Iterator[pl.DataFrame]:
    """The valid rows of a feed, part by part as they are read back. Raises ConservationError at their end where they
    are not as many as the tally says."""
    counted, handed_on = tally.filter(rule_id="all")["valid_count"].sum(), 0
    for part in valid:
        handed_on += len(part)
        yield part
    if handed_on != counted:
        raise ConservationError(
            f"{feed}: {counted} rows are valid but {handed_on} were read back. Nothing was published; keep the files "
            "and report this."
        )


def _part(
    landed: pl.DataFrame,
    contract: Contract,
    rules: Sequence[Rule],
    zone: str,
    known: Mapping[str, pl.DataFrame],
    month: str | None,
    aside: Aside,
) -> _Part:
    landed = landed.with_row_index("_row")
    judged = _judged(landed, contract, [r for r in rules if r.what != "conflict"], zone, known)
    failing = [r.name for r in rules if r.severity == "error" and r.what != "conflict"]
    judged = judged.with_columns(_is_bad=pl.any_horizontal(pl.col(failing)) | pl.col("_problem").is_not_null())
    judged = judged.with_columns(_hashes(judged, contract.key))
    hashes = judged["_hash"].drop_nulls().sort()
    repeated = _repeated(hashes)
    conflict = _conflicts(judged.filter(pl.col("_hash").is_in(repeated.implode())), contract)
    judged = judged.with_columns(_flags(conflict, len(judged)).alias("key__conflict")).with_columns(
        pl.col("_is_bad") | pl.col("key__conflict"), _is_inside=_is_inside(landed, month)
    )
    inside, count = judged["_is_inside"], len(judged)
    rows = aside(judged.select(*contract.names, *_OWN, "_is_bad", "_is_inside", "_hash"))
    if not inside.all():
        judged, landed = judged.filter(inside), landed.filter(inside)
    is_whole = pl.col("_problem").is_null()
    absent = [(pl.col(name).is_null() & is_whole).sum().alias(name) for name in contract.names]
    return _Part(
        rows,
        count,
        hashes,
        repeated,
        landed["_delivery_id"].value_counts(name="landed"),
        _with_reasons(judged, landed, contract, rules),
        [_warned(judged.filter(pl.col(r.name) & is_whole), r.name) for r in rules if r.severity == "warning"],
        judged.select(*absent, is_whole.sum().alias("_asked_count")),
    )


def _starts(parts: Sequence[_Part]) -> list[int]:
    """How many rows stand before each part."""
    return [0, *accumulate(part.row_count for part in parts)][: len(parts)]


def _warned(rows: pl.DataFrame, rule: str) -> pl.DataFrame:
    return _counted(rows.select(*_OWN, pl.lit(rule).alias("rule_id")))


def _no_failures() -> pl.DataFrame:
    return pl.DataFrame(schema={"_delivery_id": pl.String, "_source_row": pl.UInt32, "rule_id": pl.String})


def _counted(failures: pl.DataFrame) -> pl.DataFrame:
    """By delivery and rule: how many rows fail it, and the first of them."""
    return failures.group_by(pl.col("_delivery_id").alias("delivery_id"), "rule_id").agg(
        pl.len().alias("failed_count"), pl.col("_source_row").min().alias("first_source_row")
    )


def _is_inside(landed: pl.DataFrame, month: str | None) -> pl.Series | pl.Expr:
    return pl.lit(True) if month is None else (landed["_month"] == month).fill_null(False)


def _flags(rows: pl.Series, length: int) -> pl.Series:
    """True at the given places."""
    return pl.repeat(False, length, dtype=pl.Boolean, eager=True).scatter(rows, True)


def _judged(
    landed: pl.DataFrame, contract: Contract, rules: Iterable[Rule], zone: str, known: Mapping[str, pl.DataFrame]
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
    values = values.with_columns(_is_known(values, r, known[r.name]) for r in rules if r.reference is not None)
    values = values.with_columns(_fails(rule, contract).fill_null(False).alias(rule.name) for rule in rules)
    return values.drop(c for c in values.columns if c.startswith(("_absent_", "_known_", "_swapped_")))


def _dated(contract: Contract) -> list[Column]:
    return [c for c in contract.columns if c.kind in ("date", "timestamp")]


def _swapped(texts: pl.DataFrame, name: str) -> pl.Series:
    """Where a separated date stands in a delivery that writes them month first."""
    separated = texts.filter(pl.col(name).str.contains(DAY_FIRST)).select("_row", "_delivery_id", name)
    swapped = separated.filter(is_month_first(pl.col(name)).over("_delivery_id"))
    return _flags(swapped["_row"], len(texts))


def _known(rule: Rule, references: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """What the columns of a reference may say."""
    assert rule.reference is not None
    table, columns = rule.reference
    return references[table].select(columns).unique().with_columns(pl.lit(True).alias(f"_known_{rule.name}"))


def _is_known(values: pl.DataFrame, rule: Rule, known: pl.DataFrame) -> pl.Series:
    """True where the columns of a reference are known to its table, null elsewhere."""
    *columns, name = known.columns
    keys = values.select(rule.columns)
    return keys.join(known, left_on=list(rule.columns), right_on=columns, how="left", maintain_order="left")[name]


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
    """The rows, counted through all parts and in order, that another row of the key replaces.

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
    repeated = parts[0].repeated if len(parts) == 1 else _repeated_among([part.hashes for part in parts])
    is_suspect = pl.col("_hash").is_in(repeated.implode()) & ~pl.col("_is_bad")
    ranked = (
        _gathered(parts, [*key, *_OWN], lambda rows: rows.filter(is_suspect))
        .join(order, on="_delivery_id", how="left", maintain_order="left")
        .sort(pl.col("sequence"), -pl.col("_source_row").cast(pl.Int64), descending=True, maintain_order=True)
        .with_columns(_is_first=pl.struct(key).is_first_distinct())
    )
    replaced = [ranked.filter(~pl.col("_is_first"))["_row"]]
    is_whole = (pl.col("delivery_mode") == "full").any() & (pl.len() > 1)
    of_scopes = order.filter(is_whole.over("delivery_scope"))
    if len(of_scopes):
        flags = ["_is_bad", "_is_inside", "sequence", "delivery_mode", "delivery_scope"]
        rows = _gathered(parts, [*key, *flags], lambda rows: rows.join(of_scopes.lazy(), on="_delivery_id"))
        replaced += [_dropped_by_full(own, key) for own in rows.partition_by("delivery_scope")]
    return pl.concat(replaced).sort()


def _gathered(
    parts: Sequence[_Part], columns: Sequence[str], of_part: Callable[[pl.LazyFrame], pl.LazyFrame]
) -> pl.DataFrame:
    """Some rows of every part, with `_row`: their place in all parts."""
    starts = zip(parts, _starts(parts), strict=True)
    numbered = (part.rows.with_row_index("_row", offset=start) for part, start in starts)
    return pl.concat(of_part(rows).select(*columns, "_row").collect() for rows in numbered)


def _hashes(judged: pl.DataFrame, key: Iterable[str]) -> pl.Series:
    """A number for each good row's key, null for other rows: those of a row's cells (each column has its own seed) put
    together by exclusive or. A struct's hash gives as much in four times the time."""
    cells = reduce(operator.xor, (pl.col(name).hash(seed) for seed, name in enumerate(key)))
    return judged.select(pl.when(~pl.col("_is_bad")).then(cells).alias("_hash")).to_series()


def _repeated(ordered: pl.Series) -> pl.Series:
    """What stands there more than once. Rows with such a hash may share a key, value by value."""
    return ordered.filter(ordered == ordered.shift()).unique()


def _repeated_among(ordered: Sequence[pl.Series]) -> pl.Series:
    """What stands more than once in all of them, each in order; they are put together a stretch at a time."""
    bounds = pl.Series([2**64 // _STRETCHES * n for n in range(1, _STRETCHES)], dtype=pl.UInt64)
    cuts = [[0, *each.search_sorted(bounds), len(each)] for each in ordered]
    together = (
        pl.concat(each[first:until] for each, (first, until) in zip(ordered, stretch, strict=True))
        for stretch in zip(*(pairwise(cut) for cut in cuts), strict=True)
    )
    return pl.concat(_repeated(hashes.sort()) for hashes in together)


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


def _ended(rows: pl.DataFrame, stood: _Stood) -> pl.DataFrame:
    """How the rows inside ended, by delivery."""
    is_bad, is_inside = pl.col("_is_bad"), pl.col("_is_inside")
    counts = {"landed_count": is_inside, "rejected_count": is_inside & is_bad}
    counts |= {"valid_count": pl.col("_is_valid"), "superseded_count": pl.col("_is_superseded")}
    flagged = rows.with_columns(_is_valid=stood.is_valid, _is_superseded=stood.is_superseded)
    return flagged.group_by(delivery_id="_delivery_id").agg(**{name: each.sum() for name, each in counts.items()})


def _tally(ended: pl.DataFrame, rejected: pl.DataFrame, warned: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    per_delivery = ended.group_by("delivery_id").agg(pl.exclude("delivery_id").sum()).filter(pl.col("landed_count") > 0)
    total = per_delivery.with_columns(
        rule_id=pl.lit("all"), severity_code=pl.lit("error"), failed_count=pl.col("rejected_count")
    )
    reasons = rejected.select("_delivery_id", "_source_row", pl.col("_reasons").alias("rule_id")).explode("rule_id")
    failed = (("error", _counted(reasons.drop_nulls("rule_id"))), ("warning", warned))
    per_rule = pl.concat([rows.with_columns(severity_code=pl.lit(code)) for code, rows in failed])
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


def _conserve(landed: pl.DataFrame, ended: pl.DataFrame, rejected: pl.DataFrame, feed: str) -> None:
    """landed = valid + rejected + superseded, per delivery: the rows as they landed, against those that are handed on
    (valid, superseded) and those that stand in the quarantine."""
    handed_on = ended.select("delivery_id", ended=pl.col("valid_count") + pl.col("superseded_count"))
    refused = rejected.group_by(delivery_id="_delivery_id").agg(ended=pl.len())
    ends = pl.concat([handed_on, refused]).group_by("delivery_id").agg(pl.col("ended").cast(pl.Int64).sum())
    counts = landed.group_by(delivery_id="_delivery_id").agg(pl.col("landed").sum())
    counts = counts.join(ends, on="delivery_id", how="full", coalesce=True)
    wrong = counts.fill_null(0).filter(pl.col("landed") != pl.col("ended"))
    if len(wrong):
        row = wrong.row(0, named=True)
        raise ConservationError(
            f"{feed}, delivery {row['delivery_id'][:12]}: {row['landed']} rows landed but {row['ended']} ended as "
            "valid, rejected or superseded. Nothing was published; keep the file and report this."
        )
