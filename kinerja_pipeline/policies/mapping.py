"""How a supplier's files become rows of a feed, as a policy declares it.

Here: the keys under `feeds`. Not here: doing it (landing/reshape, landing/source), what a feed's rows
must be (contracts).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from kinerja_pipeline.policies.terms import Identifier, Model


class Lookup(Model):
    """Adds columns from an id file that the supplier delivers beside the data (`landing/<region>/lookup/<file>`)."""

    file: str
    on: str
    key: str
    take: dict[str, str]


class Unpivot(Model):
    """A wide row becomes one row per named source column: `columns` maps it to the code it stands for."""

    columns: dict[str, str]
    code_to: str
    value_to: str


class FoldTake(Model):
    """One column of a folded case: the value of `column` in the first or last row of the case that `where` allows."""

    column: str
    pick: Literal["first", "last"] = "first"
    where: dict[str, list[str]] = {}


class Fold(Model):
    """An event log becomes one row per case; `by` are the source columns that name the case, rows in file order."""

    by: list[str]
    take: dict[str, FoldTake]


class SetAside(Model):
    """Rows of a file that do not belong to the feed (profile answers among scores): counted by name, never lost."""

    column: str
    values: list[str]


def folded(text: str) -> str:
    """The text in small letters and single blanks."""
    return " ".join(text.lower().split())


class FileMapping(Model):
    """How one supplier's files become rows of a feed. The steps run in this order:
    set_aside, lookup, unpivot or fold, columns, constants, codes.

    `sheet` is a sheet's name or a pattern (`*`, `Rekap *`): all that fit are read, each with its own header, and
    `sheet_as` names the source column that holds the sheet's name. Row 7 of the workbook's third sheet is then row
    20000007. With `codes_ignore_case` a code fits its text in any case and with any blanks. `contract_version` says for
    which version of the feed's contract the files are made; a mapping for an older one names the columns of then.
    """

    files: str = "*"
    reader: Literal["attlog", "csv", "xlsx", "jsonl", "parquet"]
    delimiter: str = ","
    encoding: Literal["utf-8", "windows-1252", "utf-16"] = "utf-8"
    header_row: Annotated[int, Field(ge=0, le=100)] = 1
    column_names: list[str] = []
    sheet: str | None = None
    sheet_as: str | None = None
    delivery: Literal["append", "delta", "full"] = "append"
    empty: list[str] = []
    set_aside: dict[Identifier, SetAside] = {}
    lookup: list[Lookup] = []
    unpivot: Unpivot | None = None
    fold: Fold | None = None
    columns: dict[str, str] = {}
    constants: dict[str, str] = {}
    codes: dict[str, dict[str, str]] = {}
    codes_ignore_case: bool = False
    contract_version: Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6}){0,2}$")] | None = None

    @model_validator(mode="after")
    def _one_shape(self) -> FileMapping:
        if self.reader != "xlsx" and (self.sheet is not None or self.sheet_as is not None):
            raise ValueError(f"sheet and sheet_as are of workbooks; reader {self.reader} has no sheets")
        for column, codes in self.codes.items() if self.codes_ignore_case else ():
            for label, code in codes.items():
                same = [k for k, v in codes.items() if folded(k) == folded(label) and v != code]
                if same:
                    raise ValueError(f"codes.{column}: '{label}' and '{same[0]}' differ in case only; keep one")
        if self.unpivot and self.fold:
            raise ValueError("declare either unpivot or fold, not both")
        if self.header_row == 0 and not self.column_names and self.reader == "csv":
            raise ValueError("a CSV without header (header_row: 0) needs column_names")
        return self
