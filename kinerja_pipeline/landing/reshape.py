"""The declared reshape: source rows -> landed rows of the feed, with the proof that no row of the file went missing.

Here: set_aside, lookup, unpivot or fold, columns, constants, codes, empty texts; pure functions on frames. Not here:
reading the file (landing/readers), and any judgement about a value (validated/split).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.landing.source import OWN_COLUMNS
from kinerja_pipeline.policies.mapping import FileMapping, Fold, Lookup, Unpivot, folded
from kinerja_pipeline.validated.parsing import cleaned, is_month_first

NO_ANSWER = "no_answer"
ANY_TEXT = "*"


class LandingError(AssertionError):
    """Rows went missing between the file and the landing: a fault of the program, never of the data."""


@dataclass(frozen=True, slots=True)
class Reshaped:
    """The landed rows of one file, how many rows the file had, and how many of them were set aside, by name."""

    landed: pl.DataFrame
    file_row_count: int
    set_aside: Mapping[str, int] = field(default_factory=dict)


def reshape(
    source: pl.DataFrame, mapping: FileMapping, contract: Contract, lookups: Mapping[str, pl.DataFrame] | None = None
) -> Reshaped:
    """What the mapping makes of a file: all contract columns as text, `_source_row`, `_problem`, `_raw`.

    `lookups` holds the id files by name. Rows that the reader could not read whole land once, as they are. A folded
    case carries the place of its first row. Raises LandingError when the rows do not add up.
    """
    rows = source.with_columns(pl.lit(1, pl.UInt32).alias("_rows"))
    rows, aside = _set_aside(rows, mapping)
    for lookup in mapping.lookup:
        rows = _looked_up(rows, lookup, (lookups or {})[lookup.file])
    if mapping.unpivot is not None:
        rows, unanswered = _unpivoted(rows, mapping.unpivot, mapping.empty)
        aside = {**aside, **({NO_ANSWER: unanswered} if unanswered else {})}
    elif mapping.fold is not None:
        rows = _folded(rows, mapping.fold, mapping.empty)
    _prove(source, rows, aside, is_folded=mapping.fold is not None)
    landed = rows.select(*(_landed_column(c, rows, mapping) for c in contract.names), *OWN_COLUMNS)
    return Reshaped(_with_month_first(landed, contract), source.height, aside)


def _text(column: str) -> pl.Expr:
    return pl.col(column).fill_null("").str.strip_chars()


def _is_empty(column: str, empty: list[str]) -> pl.Expr:
    return _text(column).is_in(["", *(e.strip() for e in empty)])


def _set_aside(rows: pl.DataFrame, mapping: FileMapping) -> tuple[pl.DataFrame, dict[str, int]]:
    if not mapping.set_aside:
        return rows, {}
    # In a short or long row no cell is sure to stand in its column; a row with a numeric cell is whole.
    is_whole = pl.col("_problem").is_null() | pl.col("_problem").str.ends_with("__numeric")
    named = pl.coalesce(
        pl.when(is_whole & _text(aside.column).is_in([v.strip() for v in aside.values])).then(pl.lit(name))
        for name, aside in mapping.set_aside.items()
    )
    rows = rows.with_columns(named.alias("_aside"))
    counts = rows.drop_nulls("_aside").group_by("_aside").len()
    kept = rows.filter(pl.col("_aside").is_null()).drop("_aside")
    return kept, {name: int(count) for name, count in sorted(counts.rows())}


def _looked_up(rows: pl.DataFrame, lookup: Lookup, ids: pl.DataFrame) -> pl.DataFrame:
    """Rows with the id file's columns beside them; an id that the file does not have leaves them empty."""
    known = ids.select(
        pl.col(lookup.key).str.strip_chars().alias("_id"), *(pl.col(c).alias(n) for n, c in lookup.take.items())
    )
    known = known.filter(pl.col("_id") != "").unique(maintain_order=True)
    if known["_id"].is_duplicated().any():
        raise LandingError(f"lookup {lookup.file}: an id stands twice with different values")
    rows = rows.with_columns(_text(lookup.on).alias("_id"))
    rows = rows.drop(n for n in lookup.take if n in rows.columns)
    return rows.join(known, on="_id", how="left", maintain_order="left").drop("_id")


def _unpivoted(rows: pl.DataFrame, unpivot: Unpivot, empty: list[str]) -> tuple[pl.DataFrame, int]:
    """One row per answered column, in the order the mapping names them; a row without any answer is counted instead."""
    made = {unpivot.code_to, unpivot.value_to}
    keep = [c for c in rows.columns if c not in unpivot.columns and c not in made]
    none = pl.lit(None, pl.String)
    whole = rows.filter(pl.col("_problem").is_null())
    broken = rows.filter(pl.col("_problem").is_not_null())
    answers = [
        whole.filter(~_is_empty(column, empty)).select(
            *keep, pl.lit(code).alias(unpivot.code_to), pl.col(column).alias(unpivot.value_to)
        )
        for column, code in unpivot.columns.items()
    ]
    silent = whole.select(pl.all_horizontal(_is_empty(c, empty) for c in unpivot.columns).sum()).item()
    once = broken.select(*keep, none.alias(unpivot.code_to), none.alias(unpivot.value_to))
    return pl.concat([*answers, once]).sort("_source_row", maintain_order=True), int(silent)


def _folded(rows: pl.DataFrame, fold: Fold, empty: list[str]) -> pl.DataFrame:
    """One row per case, events in file order; an event that names no case lands once by itself."""
    is_case = pl.col("_problem").is_null() & pl.all_horizontal(~_is_empty(c, empty) for c in fold.by)
    cases = rows.filter(is_case)
    taken = []
    for name, take in fold.take.items():
        value = pl.col(take.column)
        if take.where:
            allowed = [_text(c).is_in([v.strip() for v in values]) for c, values in take.where.items()]
            value = value.filter(pl.all_horizontal(allowed))
        taken.append(
            (value.first(ignore_nulls=False) if take.pick == "first" else value.last(ignore_nulls=False)).alias(
                f"_take_{name}"
            )
        )
    by = [c for c in fold.by if c not in fold.take]
    own = [pl.col("_source_row").first(), pl.col("_problem").first(), pl.col("_raw").first(), pl.col("_rows").sum()]
    folded = cases.group_by([pl.col(c).alias(f"_by_{c}") for c in fold.by], maintain_order=True).agg(*taken, *own)
    shape = [*(pl.col(f"_by_{c}").alias(c) for c in by), *(pl.col(f"_take_{n}").alias(n) for n in fold.take)]
    alone = rows.filter(~is_case).select(
        *by, *(pl.col(t.column).alias(n) for n, t in fold.take.items()), *OWN_COLUMNS, "_rows"
    )
    return pl.concat([folded.select(*shape, *OWN_COLUMNS, "_rows"), alone]).sort("_source_row", maintain_order=True)


def _landed_column(name: str, rows: pl.DataFrame, mapping: FileMapping) -> pl.Expr:
    """One contract column: its constant, or its source column with codes applied and empty texts made null.

    The code "" stands for an empty cell, "*" for any other text that has no code of its own.
    """
    if name in mapping.constants:
        return pl.lit(mapping.constants[name], pl.String).alias(name)
    source = mapping.columns.get(name, name)
    if source not in rows.columns:
        return pl.lit(None, pl.String).alias(name)
    fold = folded if mapping.codes_ignore_case else str.strip
    codes = {fold(k): v or None for k, v in mapping.codes.get(name, {}).items()}
    label = _text(source)
    if mapping.codes_ignore_case:
        label = label.str.to_lowercase().str.replace_all(r"\s+", " ")
    other = pl.lit(codes.pop(ANY_TEXT), pl.String) if ANY_TEXT in codes else pl.col(source)
    value: pl.Expr = pl.when(~_is_empty(source, mapping.empty)).then(other)
    if codes:
        mapped = label.replace_strict(list(codes), list(codes.values()), default=None, return_dtype=pl.String)
        value = pl.when(label.is_in(list(codes))).then(mapped).otherwise(value)
    if "" in codes:
        value = (
            pl.when(_is_empty(source, mapping.empty) & ~_text(source).is_in(list(codes)))
            .then(pl.lit(codes[""], pl.String))
            .otherwise(value)
        )
    return value.alias(name)


def _with_month_first(landed: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Marks the separated dates of a file that was written month first. Only the whole file tells: once its rows are
    laid out by their misread months, 03/05/2026 would pass for the third of May."""
    dated = [c for c in contract.columns if c.kind in ("date", "timestamp")]
    found = [pl.when(is_month_first(cleaned(c))).then(pl.lit(f"{c.name}__month_first")) for c in dated]
    return landed.with_columns(_problem=pl.coalesce("_problem", *found))


def _prove(source: pl.DataFrame, rows: pl.DataFrame, aside: Mapping[str, int], *, is_folded: bool) -> None:
    """Every row of the file became landed rows or was set aside by name, counted from the frames themselves."""
    landed = int(rows["_rows"].sum()) if is_folded else rows["_source_row"].n_unique()
    apart = sum(aside.values())
    if landed + apart != source.height or source["_source_row"].n_unique() != source.height:
        raise LandingError(
            f"{source.height} rows were read, but {landed} landed and {apart} were set aside. "
            "Nothing was kept of the file; keep it and report this."
        )
