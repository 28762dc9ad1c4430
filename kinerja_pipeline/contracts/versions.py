"""What changed in a contract since it was released, whom that breaks, and which version number it therefore asks for.

Here: contract pages against the lock file of released definitions -> changes in words; the lock's text. Not here: what
a page may say (contracts/model), and how an existing database gets from one shape to the next (sql/migrations).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from kinerja_pipeline.contracts.model import (
    Column,
    Contract,
    Contracts,
    Direction,
    Rule,
    RuleFamily,
    contracts_folder,
)

Level = Literal["same", "compatible", "breaking"]
Shift = Literal["narrower", "wider", "other", "free"]
"""What a change does to the rows a page allows: fewer, more, others, or it touches none of them."""

LEVELS: Mapping[tuple[Direction, Shift], Level] = {
    # A supplier is hurt by what is refused now and was accepted before.
    ("incoming", "narrower"): "breaking",
    ("incoming", "wider"): "compatible",
    ("incoming", "other"): "breaking",
    ("incoming", "free"): "compatible",
    # An analyst is hurt by what a query meets now and was promised never to meet.
    ("outgoing", "narrower"): "compatible",
    ("outgoing", "wider"): "breaking",
    ("outgoing", "other"): "breaking",
    ("outgoing", "free"): "compatible",
}

DERIVED: frozenset[RuleFamily] = frozenset(
    {"missing", "unreadable", "month_first", "pattern", "length", "range", "code", "month", "conflict"}
)
"""Families whose rules follow from what columns and table say; the others are stated, and locked, one by one."""

WORDS_ONLY = frozenset({"description", "grain", "owner", "path", "sources", "bounds", "cadence"})
"""What may change in any release: words about a table, not what it holds. Where a column comes from is one of them, and
how many rows are usual and how often they come."""

OF_CHECKS = frozenset({"tolerance_share", "is_blocking"})
"""What a rule says of its check: it moves no row from valid to rejected, and may change in any release."""

ELSEWHERE = frozenset({"name", "direction", "version", "columns", "rules", "key_position", "reference"})
"""What is compared as a whole: names by pairing, positions as the key, a column's reference as its rule."""

WIDER_KINDS = frozenset({("integer", "number"), ("date", "timestamp")})
"""Delivered text that reads as the first also reads as the second; and every text reads as a string."""


class VersionsError(Exception):
    """The lock or a version cannot be read, or a version is too low; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Change:
    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class TableDiff:
    """One table: its released version, the page's, and what lies between. A version is None where there is no table."""

    table: str
    released: str | None
    version: str | None
    changes: tuple[Change, ...]

    @property
    def level(self) -> Level:
        levels = {change.level for change in self.changes}
        return "breaking" if "breaking" in levels else "compatible" if levels else "same"

    @property
    def remedy(self) -> str | None:
        """What to do before this may be released; None when the version says what the changes are."""
        if self.released is None:
            return None
        if self.version is None:
            return (
                "bring the page back; or, when nobody delivers or reads the table any more, run "
                f"`kinerja contracts lock --withdraw {self.table}`"
            )
        old, new = _numbers(self.table, self.released), _numbers(self.table, self.version)
        if new < old:
            return f"raise the version to {self.released} at least: {self.version} is lower than what was released"
        if self.level == "breaking" and new[0] == old[0]:
            return f"raise the version to {old[0] + 1}.0.0 (a breaking change asks for a new major version)"
        if self.level == "compatible" and new[:2] == old[:2]:
            return f"raise the version to {old[0]}.{old[1] + 1}.0 (a compatible change asks for a new minor version)"
        return None

    def lines(self) -> Iterator[str]:
        if self.version is None or self.released is None:
            versions = self.version or self.released
        else:
            versions = self.version if self.version == self.released else f"{self.released} -> {self.version}"
        yield f"{self.table} {versions}: {self.level}"
        for change in self.changes:
            yield f"  {change.level}: {change.text}"
        if self.remedy:
            yield f"  to do: {self.remedy}"


# ---- the lock --------------------------------------------------------------------------------------------------------


def lock_path() -> Path:
    """The lock lies with the pages, in a checkout as in an installed package."""
    return contracts_folder() / "contracts.lock.json"


def lock_text(contracts: Contracts) -> str:
    """Every table's version and definition, sorted; what a page leaves at its default is left out."""
    both: Mapping[Direction, Mapping[str, Contract]] = {"incoming": contracts.incoming, "outgoing": contracts.outgoing}
    tables = {direction: {c.name: _defined(c) for c in some.values()} for direction, some in both.items()}
    return json.dumps(tables, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read_lock(path: Path) -> Contracts:
    """The released tables, as far as they are compared: without words and without derived rules.

    Raises VersionsError when it is not there or is no lock.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise VersionsError(f"{path}: there is no such file; `kinerja contracts lock` writes it.") from None
    except UnicodeDecodeError:
        raise VersionsError(f"{path}: not UTF-8 text, so not a lock of `kinerja contracts lock`.") from None
    try:
        page = json.loads(text)
        unknown = set(page) - {"incoming", "outgoing"}
        if unknown:
            raise VersionsError(f"{path}: '{sorted(unknown)[0]}' is neither incoming nor outgoing; is this a lock?")
        return Contracts(*(_released(direction, page[direction]) for direction in ("incoming", "outgoing")))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise VersionsError(
            f"{path}: no lock that this version of `kinerja contracts lock` wrote ({type(error).__name__}: {error}). "
            "Take it from the last release again."
        ) from None


def write_lock(contracts: Contracts, path: Path, withdrawn: Iterable[str] = ()) -> None:
    """Writes the lock anew, beside and then renamed.

    Raises VersionsError when a version does not yet say what its changes are: else the lock would forget them.
    """
    gone = set(withdrawn)
    if path.exists():
        diffs = compared(read_lock(path), contracts)
        if wrong := sorted(gone - {d.table for d in diffs if d.version is None}):
            raise VersionsError(
                f"{wrong[0]} is not a locked table whose page is gone, as incoming/<feed> or outgoing/<t>."
            )
        if low := [f"{d.table}: {d.remedy}." for d in diffs if d.remedy and d.table not in gone]:
            raise VersionsError("\n".join([*low, "Nothing was locked; `kinerja contracts diff` shows the changes."]))
    for contract in (*contracts.incoming.values(), *contracts.outgoing.values()):
        _numbers(_table(contract), contract.version)
    beside = path.with_name(f".{path.name}.part")
    with beside.open("w", encoding="utf-8", newline="\n") as file:
        file.write(lock_text(contracts))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _defined(contract: Contract) -> dict[str, Any]:
    return {
        "version": contract.version,
        **_stated(contract, ELSEWHERE | WORDS_ONLY),
        "columns": {c.name: _stated(c, {"name", "reference", *WORDS_ONLY}) for c in contract.columns},
        "rules": {r.name: _stated(r, {"name", "description", *OF_CHECKS}) for r in _stated_rules(contract)},
    }


def _stated(value: Any, without: Iterable[str]) -> dict[str, Any]:
    kept = [f for f in fields(value) if f.name not in without]
    return {f.name: getattr(value, f.name) for f in kept if f.default is MISSING or getattr(value, f.name) != f.default}


def _released(direction: Direction, tables: Mapping[str, Any]) -> dict[str, Contract]:
    return {
        name: Contract(
            name=name,
            direction=direction,
            description="",
            grain="",
            columns=tuple(Column(name=n, description="", **_frozen(c)) for n, c in table["columns"].items()),
            rules=tuple(Rule(name=n, description="", **_frozen(r)) for n, r in table["rules"].items()),
            **{key: value for key, value in table.items() if key not in ("columns", "rules")},
        )
        for name, table in tables.items()
    }


def _frozen(stated: Mapping[str, Any]) -> dict[str, Any]:
    def frozen(value: Any) -> Any:
        return tuple(frozen(v) for v in value) if isinstance(value, list) else value

    return {name: frozen(value) for name, value in stated.items()}


def _stated_rules(contract: Contract) -> Iterator[Rule]:
    return (rule for rule in contract.rules if rule.what not in DERIVED)


# ---- the comparison --------------------------------------------------------------------------------------------------


def compared(released: Contracts, pages: Contracts) -> list[TableDiff]:
    """Every table of either side, incoming first, each with what changed. Raises VersionsError for a wrong version."""
    found: list[TableDiff] = []
    for before, after in ((released.incoming, pages.incoming), (released.outgoing, pages.outgoing)):
        for name in sorted({*before, *after}):
            found.append(table_diff(before.get(name), after.get(name)))
    return found


def table_diff(released: Contract | None, page: Contract | None) -> TableDiff:
    """One table; None where it is not released yet, or its page is gone."""
    if released is None:
        assert page is not None
        _numbers(_table(page), page.version)
        return TableDiff(_table(page), None, page.version, (Change("compatible", "the table is new"),))
    if page is None:
        return TableDiff(_table(released), released.version, None, (Change("breaking", "the page is gone"),))
    for contract in (released, page):
        _numbers(_table(contract), contract.version)
    changes = [Change(LEVELS[page.direction, shift], text) for shift, text in _changes(released, page)]
    changes.sort(key=lambda change: change.level)  # "breaking" before "compatible"
    return TableDiff(_table(page), released.version, page.version, tuple(changes))


def _table(contract: Contract) -> str:
    return f"{contract.direction}/{contract.name}"


def _numbers(table: str, version: str) -> tuple[int, int, int]:
    match = re.fullmatch(r"([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})", str(version))
    if match is None:
        raise VersionsError(f"{table}: version '{version}' is not major.minor.patch; write it as 1.0.0.")
    major, minor, patch = match.groups()
    return int(major), int(minor), int(patch)


Found = tuple[Shift, str]


def _changes(old: Contract, new: Contract) -> Iterator[Found]:
    if set(old.key) != set(new.key):
        yield "other", f"the key is {', '.join(new.key)}; it was {', '.join(old.key)}"
    elif old.key != new.key:
        yield "free", f"the key's columns stand in another order: {', '.join(new.key)}"
    yield from _field_changes(old, new, "")
    before, after = ({c.name: c for c in contract.columns} for contract in (old, new))
    for name, column in before.items():
        if name in after:
            yield from _field_changes(column, after[name], f"{name} ")
        else:
            yield "wider", f"{name} is gone"
    for name, column in after.items():
        if name not in before:
            yield ("narrower", f"{name} is new and required") if column.is_required else ("free", f"{name} is new")
    yield from _rule_changes(old, new)


def _field_changes(old: Any, new: Any, subject: str) -> Iterator[Found]:
    for each in fields(new):
        before, after = getattr(old, each.name), getattr(new, each.name)
        if each.name in ELSEWHERE | WORDS_ONLY or before == after:
            continue
        tell = FIELDS.get(each.name)
        if tell is None:  # what nobody has thought through yet counts as the worst
            yield "other", f"{subject}has another {each.name}: {after}; it was {before}"
            continue
        for shift, text in tell(before, after):
            yield shift, f"{subject}{text}"


def _kind(old: str, new: str) -> Iterable[Found]:
    shift: Shift = "wider" if new == "string" or (old, new) in WIDER_KINDS else "other"
    yield shift, f"is of the type {new}, no longer {old}"


def _required(old: bool, new: bool) -> Iterable[Found]:
    yield ("narrower", "must have a value now") if new else ("wider", "may be empty now")


def _pattern(old: str | None, new: str | None) -> Iterable[Found]:
    if old is None:
        yield "narrower", f"must match {new} now"
    elif new is None:
        yield "wider", f"need not match {old} any more"
    elif new.startswith(f"{old}|"):
        # Each alternative is a pattern by itself: what fitted one of them fits any longer list of them.
        yield "wider", f"may also match {new.removeprefix(f'{old}|')}"
    elif old.startswith(f"{new}|"):
        yield "narrower", f"may no longer match {old.removeprefix(f'{new}|')}"
    else:
        yield "other", f"must match {new}, no longer {old}"


def _bound(what: str, is_lower: bool) -> Callable[[Any, Any], Iterable[Found]]:
    def changes(old: Any, new: Any) -> Iterable[Found]:
        if old is None:
            yield "narrower", f"{what} {new} now; there was no such limit"
        elif new is None:
            yield "wider", f"{what} {old} no more; there is no such limit now"
        elif isinstance(old, str) != isinstance(new, str):
            yield "other", f"{what} {new}; it was {old}"
        else:
            yield ("narrower" if (new > old) == is_lower else "wider"), f"{what} {new}; it was {old}"

    return changes


def _codes(old: tuple[str, ...], new: tuple[str, ...]) -> Iterable[Found]:
    if not old:
        yield "narrower", f"must be one of {', '.join(new)} now; any value was allowed"
    elif not new:
        yield "wider", f"may have any value now; it was one of {', '.join(old)}"
    else:
        if removed := [code for code in old if code not in new]:
            yield "narrower", f"no longer allows {', '.join(removed)}"
        if added := [code for code in new if code not in old]:
            yield "wider", f"allows {', '.join(added)} too"
        if set(old) == set(new):
            yield "free", "lists its codes in another order"


def _strip(old: str, new: str) -> Iterable[Found]:
    if removed := "".join(c for c in old if c not in new):
        yield "other", f"no longer drops these characters: {removed!r}"
    if added := "".join(c for c in new if c not in old):
        yield "wider", f"drops these characters too: {added!r}"
    if set(old) == set(new):
        yield "free", "states the characters it drops in another order"


def _step(old: float | None, new: float | None) -> Iterable[Found]:
    # A delivered number may have any decimals; a published one is another number when it is rounded otherwise.
    rounded = {value: "not rounded" if value is None else f"rounded to {value}" for value in (old, new)}
    yield "wider", f"is {rounded[new]}; it was {rounded[old]}"


def _end_of_day(old: bool, new: bool) -> Iterable[Found]:
    moment = {True: "end", False: "start"}
    yield "other", f"means the {moment[new]} of a day that is stated without a time; it meant the {moment[old]}"


def _tolerance(old: float, new: float) -> Iterable[Found]:
    yield ("narrower" if new < old else "wider"), f"{new:.4g} of the rows may be rejected as a share; it was {old:.4g}"


def _supported(old: tuple[Any, ...], new: tuple[Any, ...]) -> Iterable[Found]:
    before, after = ({entry[0]: tuple(entry) for entry in some} for some in (old, new))
    for version in before.keys() | after.keys():
        if version not in after:
            yield "narrower", f"files of version {version} are read no more"
        elif version not in before:
            yield "wider", f"files of version {version} are read too"
        elif before[version] != after[version]:
            yield "other", f"files of version {version} are read in another way"


FIELDS: Mapping[str, Callable[[Any, Any], Iterable[Found]]] = {
    "kind": _kind,
    "is_required": _required,
    "classification": lambda old, new: [("free", f"is classified as {new}; it was {old}")],
    "pattern": _pattern,
    "min_length": _bound("has a shortest length of", True),
    "max_length": _bound("has a greatest length of", False),
    "minimum": _bound("has a minimum of", True),
    "maximum": _bound("has a maximum of", False),
    "codes": _codes,
    "strip": _strip,
    "step": _step,
    "is_end_of_day": _end_of_day,
    "month_from": lambda old, new: [
        ("other", f"a row's month comes from {new or 'nowhere'}; it came from {old or 'nowhere'}")
    ],
    "tolerance_share": _tolerance,
    "supported": _supported,
}
"""What a change of each field of Column and Contract does, and how it is told."""


# ---- rules that are stated one by one --------------------------------------------------------------------------------


def _rule_changes(old: Contract, new: Contract) -> Iterator[Found]:
    before, after = ({r.name: r for r in _stated_rules(contract)} for contract in (old, new))
    removed = {name: rule for name, rule in before.items() if name not in after}
    for name, rule in after.items():
        if name in before:
            yield from _rule_change(before[name], rule)
            continue
        twin = next(
            (n for n, r in removed.items() if (_condition(r), r.severity) == (_condition(rule), rule.severity)), None
        )
        if twin is not None:
            removed.pop(twin)
            yield "free", f"rule {twin} is called {name} now"
        elif rule.what == "reference" and not set(rule.columns) <= set(old.names):
            yield "free", f"rule {name} comes with a new column"
        else:
            shift: Shift = "narrower" if rule.severity == "error" else "free"
            yield shift, f"rule {name} ({rule.severity}) is new: {rule.description}"
    for name, rule in removed.items():
        yield ("wider" if rule.severity == "error" else "free"), f"rule {name} ({rule.severity}) is gone"


def _rule_change(old: Rule, new: Rule) -> Iterator[Found]:
    if old.severity != new.severity:
        shift: Shift = "narrower" if new.severity == "error" else "wider"
        yield shift, f"rule {new.name} is of the severity {new.severity}; it was {old.severity}"
    if _condition(old) != _condition(new):
        # A condition that refuses on neither side, or only from now on, changes nobody's rows by itself.
        is_kept = old.severity == new.severity == "error"
        yield (
            ("other" if is_kept else "free"),
            f"rule {new.name} has another condition: {_told(new)}; it was {_told(old)}",
        )


def _condition(rule: Rule) -> tuple[Any, ...]:
    return tuple(
        getattr(rule, f.name) for f in fields(rule) if f.name not in {"name", "description", "severity", *OF_CHECKS}
    )


def _told(rule: Rule) -> str:
    if rule.reference is None:
        return str(rule.predicate)
    table, columns = rule.reference
    where = f" where {rule.predicate}" if rule.predicate else ""
    return f"{' and '.join(rule.columns)} known to {table} as {' and '.join(columns)}{where}"
