"""What a publication changes in closed periods: from what to what, row by row and column by column, and why.

Here: comparing what stood with what comes, what of it may be told, undoing it to see what was published on a day. Not
here: the transaction (warehouse/publish), which cause it was (orchestration/basis).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.warehouse.outgoing import outgoing_schema

RESTATED = ("attendance_month", "evaluation", "follow_up", "kpi", "satisfaction_index")
"""The tables whose changes are recorded: what people are judged by."""
OPINION_FACT = "feedback_answer"
"""The fact of indicators that are means of what people say."""

_NO_VALUE = ("region", "policy_version")
"""Whose row it is, and the cause itself."""
_OF_RATERS = ("behaviour_score", "numeric_score", "behaviour_rating", "numeric_band_code")
_OF_OPINIONS = ("numerator", "denominator", "actual", "achievement", "score", "evidence_count")
_BAR = "|"

CHANGES: Mapping[str, type[pl.DataType]] = {
    "key": pl.String,
    "column_name": pl.String,
    "period": pl.String,
    "subject_kind": pl.String,
    "subject_id": pl.String,
    "change_code": pl.String,
    "old_value": pl.String,
    "new_value": pl.String,
    "is_suppressed": pl.Boolean,
}


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a closed period comes out otherwise: deliveries, a policy version or a version of the program."""

    code: Literal["delivery", "policy", "code"]
    id: str


@dataclass(slots=True)
class Undone:
    """A row as it stood, whether it was another one, and which of its values are not told."""

    row: dict[str, Any]
    is_changed: bool = False
    withheld: set[str] = field(default_factory=set)


def changes(contract: Contract, old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """One row per row of the table and column that differ (CHANGES); an added row has no old values, a removed one no
    new ones, and only the columns that say something are told."""
    key = [name for name in contract.key if name != "region"]
    names = [name for name in contract.names if name not in (*key, *_NO_VALUE)]
    before, after = _texts(contract, old, key, names), _texts(contract, new, key, names)
    is_there = pl.lit(True)
    joined = before.with_columns(_was=is_there).join(
        after.with_columns(_is=is_there), on=key, how="full", coalesce=True, suffix="__new"
    )
    differing = joined.filter(pl.any_horizontal(pl.col(n).ne_missing(pl.col(f"{n}__new")) for n in names))
    kind, subject, rest = _subject(key)
    code = pl.when(pl.col("_was").is_null()).then(pl.lit("added")).when(pl.col("_is").is_null()).then(pl.lit("removed"))
    told = differing.select(
        *key,
        *names,
        *(f"{n}__new" for n in names),
        _subject_kind=kind,
        _subject_id=subject,
        _row_key=pl.concat_str([subject, *(pl.col(n) for n in rest)], separator=_BAR),
        _change=code.otherwise(pl.lit("changed")),
    )
    parts = [
        told.filter(pl.col(name).ne_missing(pl.col(f"{name}__new"))).select(
            key="_row_key",
            column_name=pl.lit(name),
            period="period",
            subject_kind="_subject_kind",
            subject_id="_subject_id",
            change_code="_change",
            old_value=name,
            new_value=f"{name}__new",
            is_suppressed=pl.lit(False),
        )
        for name in names
    ]
    return pl.concat([pl.DataFrame(schema=CHANGES), *parts]).sort("key", "column_name")


def _subject(key: Sequence[str]) -> tuple[pl.Expr, pl.Expr, list[str]]:
    """Whom a row is about, and the other parts of its key."""
    if "subject_id" in key:
        return pl.col("subject_kind"), pl.col("subject_id"), [n for n in key if n != "subject_id"]
    name = "nip" if "nip" in key else "unit_id"
    return pl.lit("employee" if name == "nip" else "unit"), pl.col(name), [n for n in key if n != name]


def _texts(contract: Contract, rows: pl.DataFrame, key: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
    kinds = {column.name: column.kind for column in contract.columns}
    text = [
        pl.col(n).dt.strftime("%Y-%m-%d %H:%M:%S%.6f") if kinds[n] == "timestamp" else pl.col(n).cast(pl.String)
        for n in names
    ]
    return rows.select(*key, *text)


def tellable(found: Mapping[str, pl.DataFrame], opinions: Collection[str]) -> dict[str, pl.DataFrame]:
    """The changes by table, without the values of which two that differ by one answer would give away who gave it.

    Withheld are scores of behaviour, and what is mixed from them; of a person, indicators that are means of what people
    say (`opinions`, by id), the result score that such an indicator moves, and the sentences that quote either.
    """
    told = dict(found)
    is_person = pl.col("subject_kind") == "employee"
    indicator = pl.col("key").str.split(_BAR).list.get(2)
    judged: pl.DataFrame | None = None
    if (kpi := found.get("kpi")) is not None:
        is_opinion = is_person & indicator.is_in(list(opinions))
        told["kpi"] = _withheld(kpi, is_opinion & pl.col("column_name").is_in(_OF_OPINIONS))
        judged = kpi.filter(is_opinion & (pl.col("column_name") == "score")).select("subject_id", "period").unique()
    if (evaluation := found.get("evaluation")) is not None:
        column = pl.col("column_name")
        told["evaluation"] = _withheld(evaluation, column.is_in(_OF_RATERS))
        if judged is not None and len(judged):
            moved = told["evaluation"].join(judged.with_columns(_moved=True), on=["subject_id", "period"], how="left")
            is_moved = pl.col("_moved").fill_null(False) & (column == "result_score")
            told["evaluation"] = _withheld(moved, is_moved).drop("_moved").sort("key", "column_name")
    if (advice := found.get("follow_up")) is not None:
        told["follow_up"] = _withheld(advice, is_person & (pl.col("column_name") == "evidence"))
    return told


def _withheld(rows: pl.DataFrame, is_withheld: pl.Expr) -> pl.DataFrame:
    kept = [pl.when(~is_withheld).then(pl.col(name)).alias(name) for name in ("old_value", "new_value")]
    return rows.with_columns(*kept, is_suppressed=pl.col("is_suppressed") | is_withheld)


def undone(contract: Contract, rows: Iterable[Mapping[str, Any]], records: Iterable[Mapping[str, Any]]) -> list[Undone]:
    """The rows as they stood before the recorded changes, which come from the latest to the earliest."""
    key = [name for name in contract.key if name != "region"]
    kind_of = outgoing_schema(contract)
    _, _, rest = _subject(key)
    first = next(name for name in key if name not in rest)
    stood = {_BAR.join(str(row[n]) for n in (first, *rest)): Undone(dict(row)) for row in rows}
    for record in records:
        name, place = str(record["column_name"]), str(record["key"])
        if record["change_code"] == "added":
            stood.pop(place, None)
            continue
        if place not in stood:
            parts = dict(zip((first, *rest), place.split(_BAR), strict=False))
            stood[place] = Undone(
                {**dict.fromkeys(contract.names), "region": record["region"], **parts}, is_changed=True
            )
        one = stood[place]
        one.row[name] = _value(record["old_value"], kind_of[name])
        one.is_changed = True
        if record["is_suppressed"]:
            one.withheld.add(name)
    return list(stood.values())


def _value(text: str | None, kind: pl.DataType | type[pl.DataType]) -> Any:
    if text is None or kind == pl.String:
        return text
    if kind == pl.Boolean:
        return text == "true"
    return dt.date.fromisoformat(text) if kind == pl.Date else pl.Series([text]).cast(kind).item()
