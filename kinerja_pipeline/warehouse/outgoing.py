"""An outgoing frame as it will stand in the warehouse: typed, rounded, sorted, checked against its contract, hashed.

Here: what needs only the frame and its contract. Not here: the database (warehouse/publish).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

import polars as pl

from kinerja_pipeline.contracts import validation
from kinerja_pipeline.contracts.model import Column, Contract, Kind
from kinerja_pipeline.contracts.validation import Judgement, Outcome, judge_published

_DTYPES: dict[Kind, pl.DataType | type[pl.DataType]] = {
    "string": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "boolean": pl.Boolean,
    "date": pl.Date,
    "timestamp": pl.Datetime("us", "UTC"),
}
_SLICE = 50_000


class Checked(NamedTuple):
    """A table's rows as they will be published, in the order of their key; what is wrong with them, in words for
    people; and the judgement of its contract, None where columns or types are so wrong that nothing can be asked."""

    contract: Contract
    rows: pl.DataFrame
    problems: list[str]
    judgement: Judgement | None


def outgoing_schema(contract: Contract) -> dict[str, pl.DataType | type[pl.DataType]]:
    """The columns of a table as frames have them."""
    return {c.name: _DTYPES[c.kind] for c in contract.columns}


def outgoing_rows(contract: Contract, frame: pl.DataFrame, region: str, periods: Collection[str]) -> Checked:
    """The rows as they will be published, and what their contract says of them.

    `periods` are those that the publication replaces; rows of other periods or regions are wrong. When columns or types
    are wrong the frame comes back empty, because nothing more can be said about it.
    """
    empty = pl.DataFrame(schema=outgoing_schema(contract))
    if problems := _column_problems(contract, frame) or _type_problems(contract, frame):
        return Checked(contract, empty, problems, None)
    if problems := _not_finite(contract, frame):
        return Checked(contract, empty, problems, None)
    typed = frame.select(pl.col(c.name).cast(_DTYPES[c.kind]) for c in contract.columns)
    rounded = typed.with_columns(
        half_up(typed[c.name], c.step) for c in contract.columns if c.kind == "number" and c.step is not None
    )
    rows = rounded.sort(contract.key, maintain_order=True)
    judgement = judge_published(contract, rows, region, periods)
    # A warning stops no publication.
    broken = (_problem(outcome, contract, rows, region, periods) for outcome in judgement.unmet("error"))
    return Checked(contract, rows, [*_nul_problems(contract, rows), *broken], judgement)


def document(checked: Checked, region: str, month: str, *, is_published: bool) -> dict[str, Any]:
    """What is kept of a table's judgement: Great Expectations' result, counts only, never a value of a row. It says
    nothing of when it was made: the same rows give the same document. A table that could not be judged keeps why."""
    contract, judgement = checked.contract, checked.judgement
    return {
        "table": contract.name,
        "region": region,
        "month": month,
        "contract_version": contract.version,
        "row_count": len(checked.rows),
        "is_published": is_published,
        "problems": checked.problems if judgement is None else [],
        "validation": judgement.document() if judgement else None,
    }


def half_up(values: pl.Series, step: float) -> pl.Series:
    """The values rounded to multiples of `step` (0.01), a half away from zero, as one would by hand: 2.675 -> 2.68.

    A value means its shortest decimal text, not the binary fraction behind it (2.67499999...).
    """
    decimals = _decimals(step)
    scaled = values.abs() * 10.0**decimals
    # A product is off by a few units in its last place; only a value that near to a half needs exact decimals.
    is_near = ((scaled - scaled.floor() - 0.5).abs() <= scaled * 1e-15 + 1e-9).fill_null(False)
    # Polars divides by a constant as times its reciprocal, which leaves 83.21000000000001: round once more.
    rounded = (values.sign() * (scaled + 0.5).floor() / 10.0**decimals).round(decimals)
    near = is_near.arg_true()
    if len(near):
        quantum = Decimal(1).scaleb(-decimals)
        exact = [float(Decimal(repr(v)).quantize(quantum, ROUND_HALF_UP)) for v in values.gather(near).to_list()]
        rounded = rounded.scatter(near, exact)
    # -0.0 is 0.0 to people, and another text to a hash.
    return rounded.set((rounded == 0).fill_null(False), 0.0).alias(values.name)


def _decimals(step: float) -> int:
    sign, digits, exponent = Decimal(repr(step)).normalize().as_tuple()
    if sign or digits != (1,) or not isinstance(exponent, int) or exponent > 0:
        raise ValueError(f"multipleOf must be 1, 0.1, 0.01, ...; found {step}")
    return -exponent


def content_hash(contract: Contract, rows: pl.DataFrame) -> str:
    """SHA-256 of the rows in key order, written so that equal tables give equal bytes on every database and machine."""
    text = [_canonical(column) for column in contract.columns]
    digest = hashlib.sha256((",".join(contract.names) + "\n").encode())
    for part in rows.iter_slices(_SLICE):
        digest.update(part.select(text).write_csv(include_header=False, line_terminator="\n").encode())
    return digest.hexdigest()


def _canonical(column: Column) -> pl.Expr:
    value = pl.col(column.name)
    match column.kind:
        case "string":
            # The sign keeps an empty text apart from a null.
            return (pl.lit("=") + value).alias(column.name)
        case "number" if column.step is not None:
            # Whole units of the last decimal: how floats are printed may change between versions.
            units = (value * 10.0 ** _decimals(column.step)).round(0)
            text = units.cast(pl.Int64, strict=False).cast(pl.String)
            return pl.coalesce(text, value.cast(pl.String)).alias(column.name)
        case "date":
            return value.dt.strftime("%Y-%m-%d")
        case "timestamp":
            return value.dt.strftime("%Y-%m-%d %H:%M:%S%.6f")
        case _:
            return value.cast(pl.String)


def _column_problems(contract: Contract, frame: pl.DataFrame) -> list[str]:
    missing = [c for c in contract.names if c not in frame.columns]
    surplus = [c for c in frame.columns if c not in contract.names]
    problems = []
    if missing:
        problems.append(f"{contract.name}: the columns {', '.join(missing)} are missing; the contract promises them")
    if surplus:
        advice = "drop them, or add them to the contract first"
        problems.append(f"{contract.name}: the columns {', '.join(surplus)} are not in the contract; {advice}")
    return problems


def _type_problems(contract: Contract, frame: pl.DataFrame) -> list[str]:
    problems = []
    for column in contract.columns:
        found = frame.schema[column.name]
        if not _is_kind(found, column.kind):
            hint = " in UTC" if column.kind == "timestamp" else ""
            problems.append(f"{contract.name}.{column.name}: must be a {column.kind}{hint}, the frame has {found}")
    return problems


def _is_kind(found: pl.DataType, kind: Kind) -> bool:
    if found == pl.Null:
        return True
    match kind:
        case "string":
            return found in (pl.String, pl.Categorical, pl.Enum)
        case "integer":
            return found.is_integer()
        case "number":
            return found.is_float() or found.is_integer()
        case "timestamp":
            # A naive timestamp is local time somewhere, and nobody could tell where.
            return isinstance(found, pl.Datetime) and found.time_zone == "UTC"
        case _:
            return found == _DTYPES[kind]


def _not_finite(contract: Contract, frame: pl.DataFrame) -> list[str]:
    problems = []
    for column in contract.columns:
        if frame.schema[column.name].is_float() and (count := _count(~frame[column.name].is_finite())):
            advice = "a division by zero is not computable: publish null and a reason"
            problems.append(f"{contract.name}.{column.name}: {_rows(count, frame)} hold infinity or NaN; {advice}")
    return problems


def _nul_problems(contract: Contract, rows: pl.DataFrame) -> Iterator[str]:
    texts = [column.name for column in contract.columns if column.kind == "string"]
    counts = rows.select(pl.col(texts).str.contains("\x00", literal=True).sum()).row(0, named=True)
    for name in texts:
        if count := counts[name]:
            where = f"{contract.name}.{name}"
            yield f"{where}: {_rows(count, rows)} hold a NUL character, which databases refuse; strip it"


def _problem(outcome: Outcome, contract: Contract, rows: pl.DataFrame, region: str, periods: Collection[str]) -> str:
    name, count = contract.name, _rows(outcome.broken, rows)
    if outcome.problem is not None:
        return (
            f"{name}: rule {outcome.rule} of {name}.odcs.yaml cannot be evaluated: {outcome.problem}; correct the query"
        )
    match outcome.rule:
        case validation.KEY_REPEATED:
            return f"{name}: {count} share their key ({', '.join(contract.key)}); a key names one row"
        case validation.REGION_OTHER:
            return f"{name}.region: {count} belong to another region than {region}; publish them there"
        case validation.PERIOD_OTHER:
            return f"{name}.period: {count} are of another period; this publication replaces {', '.join(periods)} only"
        case rule:
            # Values of personal columns never get into an outcome: messages end in logs.
            example = "" if outcome.example is None else f" ('{outcome.example}')"
            return f"{name}: {count} break {rule}{example}; {outcome.words}"


def _count(flags: pl.Series) -> int:
    return int(flags.sum())


def _rows(count: int, frame: pl.DataFrame) -> str:
    return f"{count} of {len(frame)} rows"
