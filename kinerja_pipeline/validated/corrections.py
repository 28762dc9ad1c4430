"""The register of corrections: what a person decided that a delivered row must say, or that it must not count.

Here: `corrections/<region>.yaml` of the home, which landed rows its entries mean, and applying them before the split.
Not here: repairing by rule (a mapping's codes do that), the split itself. A delivered file is never changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.contracts.pages import PageError, line_of, read_page
from kinerja_pipeline.policies.loader import near_word
from kinerja_pipeline.policies.terms import Model
from kinerja_pipeline.validated.parsing import landing_month

DROPPED = "correction__dropped"
"""The reason of a row that a correction takes out: it counts as rejected, so that every delivery still adds up."""

SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "feed": pl.String,
    "_delivery_id": pl.String,
    "_source_row": pl.UInt32,
    "_month": pl.String,
    "where": pl.List(pl.Struct({"column": pl.String, "value": pl.String})),
    "action": pl.String,
    "column": pl.String,
    "expected": pl.String,
    "value": pl.String,
    "reason": pl.String,
    "owner": pl.String,
    "date": pl.Date,
    "entry": pl.Int64,
}
"""One row per correction and landed row that it means; `where` tells the landed rows of one line apart."""


class CorrectionError(Exception):
    """A correction cannot be applied; the message names file, line and entry, and what the source says now."""


def _text(value: object) -> object:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{value} is not a text; write it in quotes, as the landed row says it")
    return value


Cell = Annotated[str, BeforeValidator(_text)]


class Correction(Model):
    """One decision about delivered rows. They are named by key (`where`: columns of the feed and what they say; the
    latest delivery of them counts) or by place (`file` and `row`, with `where` for one answer of a wide row).

    `replace` writes `value` into `column`, `drop` takes the row out. `expected` is what `column` says in the source
    (empty text: nothing): should another delivery say otherwise, the correction stops the run until a person looks.
    """

    feed: str
    where: dict[str, Cell] = Field(default_factory=dict)
    file: str | None = None
    row: Annotated[int, Field(ge=1)] | None = None
    action: Literal["replace", "drop"] = "replace"
    column: str
    expected: Cell
    value: Cell | None = None
    reason: Annotated[str, Field(min_length=3)]
    owner: Annotated[str, Field(min_length=2)]
    date: dt.date

    @model_validator(mode="after")
    def _consistent(self) -> Correction:
        if (self.file is None) != (self.row is None):
            raise ValueError("file and row go together; write both, or name the row by its key with where")
        if self.file is None and not self.where:
            raise ValueError("no row is named; write where (key columns) or file and row")
        if (self.action == "replace") != (self.value is not None):
            raise ValueError("replace needs a value (empty text: nothing), drop takes none")
        if self.action == "replace" and self.value == self.expected:
            raise ValueError("value is what the source is expected to say; nothing would change")
        return self


class Register(Model):
    """A region's corrections, in the order in which they were decided."""

    corrections: list[Correction] = Field(default_factory=list)


def register_path(folder: Path, region: str) -> Path:
    return folder / f"{region}.yaml"


def read_register(path: Path, feeds: Mapping[str, Contract]) -> Register:
    """The register at `path`; an empty one when there is none. Raises CorrectionError naming file and line."""
    if not path.is_file():
        return Register()
    try:
        page = read_page(path)
    except PageError as error:
        raise CorrectionError(f"corrections/{error}") from error
    try:
        register = Register.model_validate(page)
    except ValidationError as error:
        first = error.errors()[0]
        raise _wrong(path, first["loc"], _said(first)) from None
    for number, entry in enumerate(register.corrections):
        _check_names(path, number, entry, feeds)
    return register


def _said(error: Any) -> str:
    place = error["loc"]
    if error["type"] == "extra_forbidden":
        known = Register.model_fields if len(place) == 1 else Correction.model_fields
        return f"this key is not known{near_word(str(place[-1]), known)}"
    return str(error["msg"]).removeprefix("Value error, ")


def _wrong(path: Path, place: Sequence[str | int], text: str) -> CorrectionError:
    line, _ = line_of(path, place)
    entry = f" (entry {int(place[1]) + 1})" if len(place) > 1 else ""
    return CorrectionError(f"corrections/{path.name}, line {line}{entry}: {place[-1]}: {text}")


def _check_names(path: Path, number: int, entry: Correction, feeds: Mapping[str, Contract]) -> None:
    place: tuple[str | int, ...] = ("corrections", number)
    if entry.feed not in feeds:
        raise _wrong(path, (*place, "feed"), f"'{entry.feed}' is no feed{near_word(entry.feed, feeds)}")
    contract = feeds[entry.feed]
    for name in entry.where:
        if name not in contract.names:
            text = f"{contract.name} has no column '{name}'{near_word(name, contract.names)}"
            raise _wrong(path, (*place, "where", name), text)
    if entry.column not in contract.names:
        text = f"{contract.name} has no column '{entry.column}'{near_word(entry.column, contract.names)}"
        raise _wrong(path, (*place, "column"), text)
    missing = [name for name in contract.key if name not in entry.where] if entry.file is None else []
    if missing:
        text = f"the key of {contract.name} is {', '.join(contract.key)}; {missing[0]} is missing"
        raise _wrong(path, (*place, "where"), text)


# ---- which rows are meant --------------------------------------------------------------------------------------------


def resolved(
    path: Path,
    feeds: Mapping[str, Contract],
    zone: str,
    landed: Callable[[str], pl.DataFrame],
    deliveries: pl.DataFrame,
) -> pl.DataFrame:
    """One row per correction of the register and landed row that it means (SCHEMA). `landed` gives a feed's landed rows
    of all months, `deliveries` the region's ledger. Raises CorrectionError when an entry means no row, or when the
    source says something else than the entry expects."""
    register = read_register(path, feeds)
    frames: dict[str, pl.DataFrame] = {}
    parts = [pl.DataFrame(schema=SCHEMA)]
    cells: dict[tuple[str, int, str], int] = {}
    for number, entry in enumerate(register.corrections):
        if entry.feed not in frames:
            frames[entry.feed] = landed(entry.feed).with_row_index("_position")
        contract = feeds[entry.feed]
        rows = _meant(path, number, entry, frames[entry.feed], contract, deliveries)
        if entry.action == "replace":
            rows = rows.filter(pl.col("_sequence") == pl.col("_sequence").max())
            _check_month(path, number, entry, rows, contract, zone)
        for position in rows["_position"]:
            # Each entry is held against the source: of two that write one cell, one would be lost unseen.
            cell = (entry.feed, position, entry.column if entry.action == "replace" else DROPPED)
            if (earlier := cells.setdefault(cell, number)) != number:
                text = f"entry {earlier + 1} corrects the same cell already; keep one of the two"
                raise _wrong(path, ("corrections", number, "column"), text)
        parts.append(_as_rows(entry, number, rows))
    return pl.concat(parts)


def _meant(
    path: Path, number: int, entry: Correction, rows: pl.DataFrame, contract: Contract, deliveries: pl.DataFrame
) -> pl.DataFrame:
    place: tuple[str | int, ...] = ("corrections", number)
    own = deliveries.filter(pl.col("feed") == entry.feed, pl.col("status_code") == "landed")
    if entry.file is not None:
        of_file = own.filter(pl.col("file_name") == entry.file).sort("sequence")
        if of_file.is_empty():
            known = own["file_name"].unique().sort().to_list()
            text = f"no file '{entry.file}' of {entry.feed} has landed{near_word(entry.file, known)}"
            raise _wrong(path, (*place, "file"), text)
        latest = of_file["delivery_id"][-1]
        rows = rows.filter(pl.col("_delivery_id") == latest, pl.col("_source_row") == entry.row)
    for name, said in entry.where.items():
        rows = rows.filter(_cell(contract, name) == _cleaned(contract, name, said))
    if rows.is_empty():
        where = f"row {entry.row} of {entry.file}" if entry.file is not None else "this key"
        more = " that says so" if entry.file is not None and entry.where else ""
        text = f"no landed row of {entry.feed} is {where}{more}; correct the entry, or delete it"
        raise _wrong(path, (*place, "row" if entry.file is not None else "where"), text)
    order = own.sort("sequence").unique("delivery_id", keep="last")
    order = order.select(pl.col("delivery_id").alias("_delivery_id"), pl.col("sequence").alias("_sequence"))
    rows = rows.join(order, on="_delivery_id", how="left", maintain_order="left")
    latest_rows = rows.filter(pl.col("_sequence") == pl.col("_sequence").max())
    stated = latest_rows.select(_cell(contract, entry.column)).to_series().unique().sort().to_list()
    if stated != [_cleaned(contract, entry.column, entry.expected)]:
        now = "what it says is personal" if contract.column(entry.column).is_personal else f"now {_quoted(stated)}"
        text = (
            f"the source no longer says '{entry.expected}' in {entry.column}, {now}. "
            "Delete the entry if the supplier has corrected it, or write what the source says"
        )
        raise _wrong(path, (*place, "expected"), text)
    return rows


def _quoted(values: Iterable[str | None]) -> str:
    return ", ".join(f"'{value}'" if value else "nothing" for value in values)


def _cell(contract: Contract, name: str) -> pl.Expr:
    """A cell as it is compared: without blanks around it and the characters that the contract strips; never null."""
    text = pl.col(name).fill_null("").str.strip_chars()
    for character in contract.column(name).strip:
        text = text.str.replace_all(character, "", literal=True)
    return text


def _cleaned(contract: Contract, name: str, text: str) -> str:
    cleaned = pl.DataFrame({name: [text]}).select(_cell(contract, name)).item()
    return str(cleaned)


def _check_month(path: Path, number: int, entry: Correction, rows: pl.DataFrame, contract: Contract, zone: str) -> None:
    """A row stays in the month in which it landed: months are told apart before anything is corrected."""
    if entry.column != contract.month_from:
        return
    told = rows.with_columns(pl.lit(entry.value or None, pl.String).alias(entry.column))
    months = told.select("_month", landing_month(contract, zone).alias("_new"))
    if len(other := months.filter(pl.col("_new").ne_missing(pl.col("_month")))):
        moved = f"{other['_month'][0]} to {other['_new'][0] or 'no month'}"
        text = f"{entry.column} says which month a row belongs to, and this moves it from {moved}; drop the row instead"
        raise _wrong(path, ("corrections", number, "value"), f"{text}, and have it delivered anew")


def _as_rows(entry: Correction, number: int, rows: pl.DataFrame) -> pl.DataFrame:
    where = [{"column": name, "value": text} for name, text in entry.where.items()]
    fixed = {
        "feed": entry.feed,
        "action": entry.action,
        "column": entry.column,
        "expected": entry.expected,
        "value": entry.value,
        "reason": entry.reason,
        "owner": entry.owner,
        "date": entry.date,
        "entry": number + 1,
    }
    named = rows.select("_delivery_id", "_source_row", "_month").unique(maintain_order=True)
    return named.with_columns(
        *(pl.lit(value).cast(SCHEMA[name]).alias(name) for name, value in fixed.items()),
        pl.lit(pl.Series("where", [where], dtype=SCHEMA["where"])).first().alias("where"),
    ).select(list(SCHEMA))


# ---- applying them ---------------------------------------------------------------------------------------------------


def corrected(landed: pl.DataFrame, contract: Contract, corrections: pl.DataFrame) -> pl.DataFrame:
    """The landed rows as the register says they must read; a dropped row gets DROPPED as its problem. `corrections` are
    those that `resolved` found."""
    own = corrections.filter(pl.col("feed") == contract.name)
    place = ["_delivery_id", "_source_row"]
    if own.is_empty() or landed.is_empty():
        return landed
    numbered = landed.with_row_index("_position")
    touched = numbered.join(own.select(place).unique(), on=place, how="semi", maintain_order="left")
    if touched.is_empty():
        return landed
    # What tells rows apart is what they said as they landed, whatever an earlier entry made of it.
    told = sorted({w["column"] for where in own["where"] for w in where})
    touched = touched.with_columns(_cell(contract, name).alias(f"_as_landed_{name}") for name in told)
    for one in own.iter_rows(named=True):
        said = {w["column"]: _cleaned(contract, w["column"], w["value"]) for w in one["where"]}
        is_meant = pl.all_horizontal(
            *(pl.col(name) == one[name] for name in place),
            *(pl.col(f"_as_landed_{name}") == text for name, text in said.items()),
        )
        name, value = ("_problem", DROPPED) if one["action"] == "drop" else (one["column"], one["value"] or None)
        touched = touched.with_columns(pl.when(is_meant).then(pl.lit(value, pl.String)).otherwise(name).alias(name))
    touched = touched.select(numbered.columns)
    left = numbered.join(touched.select("_position"), on="_position", how="anti", maintain_order="left")
    return pl.concat([left, touched]).sort("_position").drop("_position")


def described(one: Mapping[str, Any], *, is_personal: bool) -> str:
    """A correction as one line for people; what a personal column says is left out."""
    if one["action"] == "drop":
        what = "dropped"
    elif is_personal:
        what = f"{one['column']} replaced"
    else:
        what = f"{one['column']}: '{one['expected']}' -> '{one['value']}'"
    return f"{what} ({one['reason']}; {one['owner']}, {one['date']:%Y-%m-%d})"


def stray_registers(folder: Path, regions: Collection[str]) -> Iterator[str]:
    """Files of corrections that belong to no region, and so are applied by nobody, each as a sentence."""
    for path in sorted(folder.glob("[!.]*")) if folder.is_dir() else ():
        if path.stem not in regions or path.suffix != ".yaml":
            near = near_word(path.stem, regions) or "."
            yield f"corrections/{path.name}: it is called like no region{near} Name it <region>.yaml."
