"""Which version of its contract a delivery was made for, and how one of an older version becomes rows of today's.

Here: name, mapping and contract page -> the contract to read by, or why there is none; landed rows of then -> of now.
Not here: what a page may declare (contracts/model), when a version must be raised (contracts/versions).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

from kinerja_pipeline.contracts.model import Contract, Supported
from kinerja_pipeline.policies.mapping import FileMapping

FOLDER = re.compile(r"v([0-9]{1,6}(?:\.[0-9]{1,6}){0,2})")
"""A folder below the feed's that names a version: v1, v1.2, v1.2.0."""


class UnsupportedVersion(Exception):
    """A delivery names a version that nobody can read any more, or yet; the message says which can be read."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a delivery is read by: the contract as it was in `version`, and what brings its rows to today's (None where
    they need nothing)."""

    contract: Contract
    version: str
    older: Supported | None = None

    def brought_forward(self, landed: pl.DataFrame, today: Contract) -> pl.DataFrame:
        """Rows landed by the older contract as rows of today's: columns renamed, codes translated, new ones filled."""
        if self.older is None:
            return landed
        renamed = dict(self.older.renamed)
        rows = landed.rename(renamed)
        for old, new in renamed.items():
            problem = pl.col("_problem").str.replace(f"^{re.escape(old)}__", f"{new}__")
            rows = rows.with_columns(problem.alias("_problem"))
        codes = [pl.col(name).str.strip_chars().replace(dict(pairs)).alias(name) for name, pairs in self.older.codes]
        # A line that could not be taken apart gets no values: it had none.
        added = [
            pl.when(pl.col("_problem").is_null()).then(pl.lit(value, pl.String)).alias(name)
            for name, value in self.older.added
        ]
        others = [c for c in rows.columns if c not in today.names]
        return rows.with_columns(*codes, *added).select(*today.names, *others)


def named_version(within: str, mapping: FileMapping) -> str | None:
    """The version that the mapping states or a folder of the file names; None when neither does. Raises
    UnsupportedVersion when they differ."""
    folders = [match[1] for part in within.split("/")[:-1] if (match := FOLDER.fullmatch(part))]
    named = list(dict.fromkeys([*folders, *([mapping.contract_version] if mapping.contract_version else [])]))
    if len(named) > 1:
        raise UnsupportedVersion(
            f"its folder and its mapping name different versions of the contract ({' and '.join(named)}). "
            "Move the file, or correct contract_version in the mapping"
        )
    return named[0] if named else None


def reading_of(contract: Contract, named: str | None) -> Reading:
    """The contract to read a delivery by. Without a version it is today's; a version of the same major number asks for
    no more than today's, so that is read, too. Raises UnsupportedVersion."""
    if named is None:
        return Reading(contract, contract.version)
    today = _numbers(contract.version)
    wanted = _numbers(named)
    if wanted[0] == today[0] and wanted <= today[: len(wanted)]:
        return Reading(contract, named)
    for older in contract.supported:
        last = _numbers(older.version)
        if wanted[0] == last[0] and wanted <= last[: len(wanted)]:
            return Reading(as_it_was(contract, older), named, older)
    known = " and ".join([contract.version, *(s.version for s in contract.supported)])
    raise UnsupportedVersion(
        f"it names version {named} of {contract.name}; {known} can be read. Deliver it as {contract.version} "
        f"(`kinerja contracts template {contract.name}` writes an empty file), or correct the version that its folder "
        "or its mapping names"
    )


def as_it_was(contract: Contract, older: Supported) -> Contract:
    """The contract with the columns of an older version, for reading: names of then, without what came since."""
    names = {new: old for old, new in older.renamed}
    new = {name for name, _ in older.added}
    columns = tuple(replace(c, name=names.get(c.name, c.name)) for c in contract.columns if c.name not in new)
    month_from = names.get(contract.month_from, contract.month_from) if contract.month_from else None
    return replace(contract, version=older.version, columns=columns, rules=(), month_from=month_from, supported=())


def decides(contract: Contract, named: str | None) -> Mapping[str, object]:
    """What of all this decides how a file is read; nothing for a file that names no version."""
    if named is None:
        return {}
    try:
        return {"version": [named, reading_of(contract, named).older]}
    except UnsupportedVersion as problem:
        return {"version": str(problem)}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
