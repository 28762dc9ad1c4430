"""What a contract page says, as values: the page is read, checked and turned into Contract, Column and Rule.

Here: the ODCS v3.1 page -> immutable values, and the errors a page's author needs. Not here: running the rules
(validated/split), database tables (contracts/tables).
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib import resources
from pathlib import Path
from typing import Any, Literal, NamedTuple

import polars as pl

from kinerja_pipeline.contracts.pages import PageError, line_of, read_page

Kind = Literal["string", "integer", "number", "boolean", "date", "timestamp"]
Severity = Literal["error", "warning"]
Direction = Literal["incoming", "outgoing"]
RuleFamily = Literal[
    "missing",
    "unreadable",
    "month_first",
    "pattern",
    "length",
    "range",
    "code",
    "row",
    "reference",
    "month",
    "conflict",
]

PERSONAL = frozenset({"restricted", "confidential"})
"""Classifications whose values never leave their tables unmasked (logs, errors, previews, event log)."""

CLASSIFICATIONS = ("public", "internal", *sorted(PERSONAL))
TABLE_PROPERTIES = ("monthFrom", "tolerancePercent", "supportedVersions")
COLUMN_PROPERTIES = ("strip", "dateMeans")
REFERENCE_PROPERTIES = ("mustBe", "mustBeLessThan", "mustBeLessOrEqualTo", "unit", "severity")
"""The custom properties that mean something here; ODCS itself allows any."""

BLOCKING = "blocking"
"""The severity of a rule that rejects rows as an error does and, where more of them break it than the page tolerates,
keeps the whole partition from being computed and published."""
ROWS_USUAL, TAPS_OF_EMPLOYEES = "rows__usual", "taps__of_employees"
"""What a page may ask of a feed as a whole: rows of a month against those of the months before, and taps that belong to
people who are employed."""

ORIGINS = ("policy", "contract", "delivery", "program", "run", "indicators")
"""Where a published column can come from besides columns (contracts/sources says what each word means)."""

CONDITION_WORDS = frozenset({"and", "or", "not", "is", "null", "like", "in", "between", "true", "false"})
"""What a rule's condition may say beside columns, numbers and 'texts': what every engine reads alike."""


class ContractError(Exception):
    """A contract page is wrong; the message names the page, the place, and what to write instead."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table as its page states it. `step` is the unit of the last published decimal (0.01);
    `is_end_of_day` says that a delivered date without a time means the end of that day; `sources` what a published
    column is computed from, as its page writes it (contracts/sources)."""

    name: str
    kind: Kind
    description: str
    is_required: bool = False
    key_position: int | None = None
    classification: str = "internal"
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    codes: tuple[str, ...] = ()
    strip: str = ""
    step: float | None = None
    is_end_of_day: bool = False
    reference: tuple[str, str] | None = None
    sources: tuple[str, ...] = ()

    @property
    def is_personal(self) -> bool:
        return self.classification in PERSONAL


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason a row may fail. `name` is the check, the reason code and the key of the tally, all at once.

    `what` says which family the rule belongs to; `predicate` is the SQL condition of a bad row (`row`), or of
    the rows that a reference is asked of (`reference`, all rows when None). `tolerance_share` is the share of the rows
    that may break it, where the page says so for this rule; else the table's holds. More than that of a rule that
    `is_blocking` keeps the partition from being computed and published.
    """

    name: str
    what: RuleFamily
    columns: tuple[str, ...]
    severity: Severity
    description: str
    predicate: str | None = None
    reference: tuple[str, tuple[str, ...]] | None = None
    tolerance_share: float | None = None
    is_blocking: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """Between which shares something of a feed as a whole must lie: what, is its name."""

    name: str
    low: float
    high: float
    severity: Severity
    description: str


class Cadence(NamedTuple):
    """How often a feed is delivered: rows of every `months` months, at the latest `latency_days` after they end; of a
    register a delivery in every `months` months and as many days."""

    months: int
    latency_days: int


class Supported(NamedTuple):
    """The last release of an older major version whose files are still read, and how their rows become today's:
    columns by (name then, name now), columns new since with the text that they get, codes by (then, now)."""

    version: str
    renamed: tuple[tuple[str, str], ...] = ()
    added: tuple[tuple[str, str | None], ...] = ()
    codes: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Contract:
    """One table: an incoming feed that suppliers deliver, or an outgoing table that analysts are promised."""

    name: str
    direction: Direction
    version: str
    description: str
    grain: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    month_from: str | None = None
    tolerance_share: float = 0.0
    supported: tuple[Supported, ...] = ()
    bounds: tuple[Bound, ...] = ()
    cadence: Cadence | None = None
    owner: str = ""
    path: Path = field(default=Path(), compare=False)

    @property
    def key(self) -> tuple[str, ...]:
        keyed = [c for c in self.columns if c.key_position is not None]
        return tuple(c.name for c in sorted(keyed, key=lambda c: c.key_position or 0))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    @property
    def is_event(self) -> bool:
        """Event feeds are partitioned by month; dated feeds are one table per region."""
        return self.month_from is not None

    def column(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)

    def bound(self, name: str) -> Bound | None:
        return next((b for b in self.bounds if b.name == name), None)

    def tolerance_of(self, rule: Rule) -> float:
        return self.tolerance_share if rule.tolerance_share is None else rule.tolerance_share


@dataclass(frozen=True, slots=True)
class Contracts:
    """All pages of a folder: what suppliers deliver and what analysts are promised."""

    incoming: Mapping[str, Contract]
    outgoing: Mapping[str, Contract]


def contracts_folder() -> Path:
    """The pages: inside the installed package, or at the top of the checkout they are edited in."""
    inside = Path(str(resources.files("kinerja_pipeline"))) / "data_contracts"
    return inside if inside.is_dir() else inside.parent.parent / "data_contracts"


@cache
def load_contracts(folder: Path | None = None) -> Contracts:
    """Every page under `folder`, checked against the ODCS JSON Schema and our narrower rules.

    Raises ContractError naming page and line.
    """
    top = folder or contracts_folder()
    loaded: dict[Direction, dict[str, Contract]] = {"incoming": {}, "outgoing": {}}
    for direction, pages in loaded.items():
        for path in sorted((top / direction).glob("*.odcs.yaml")):
            contract = read_contract(path, direction)
            pages[contract.name] = contract
    _check_references(loaded["incoming"])
    _check_sources(loaded["incoming"], loaded["outgoing"])
    return Contracts(loaded["incoming"], loaded["outgoing"])


def read_contract(path: Path, direction: Direction) -> Contract:
    """One page. Raises ContractError when it is not valid ODCS or says something we cannot enforce."""
    try:
        page = read_page(path)
    except PageError as error:
        raise ContractError(str(error)) from error
    _check_schema(path, page)
    return _contract(path, page, direction)


@cache
def _odcs_schema() -> dict[str, Any]:
    text = resources.files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8")
    return json.loads(text)  # type: ignore[no-any-return]


@cache
def _odcs_validator() -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(_odcs_schema())


def _check_schema(path: Path, page: dict[str, Any]) -> None:
    # The compiled validator says yes in a millisecond where the Python one needs sixty; that one explains a no better.
    if _odcs_validator().is_valid(_jsonable(page)):
        return
    import jsonschema

    validator = jsonschema.validators.validator_for(_odcs_schema())(_odcs_schema())
    # A wrong value also makes its neighbours "unexpected": the deepest complaint is the cause.
    error = max(validator.iter_errors(_jsonable(page)), key=lambda e: (len(e.absolute_path), e.validator == "enum"))
    while error.context:
        error = max(error.context, key=lambda e: (len(e.absolute_path), e.validator == "additionalProperties"))
    place = list(error.absolute_path)
    suggestion = ""
    if unknown := re.findall(r"'([^']+)'(?=[^()]* (?:was|were) unexpected)", error.message):
        known = list((error.schema or {}).get("properties", {})) if isinstance(error.schema, dict) else []
        suggestion = _near(unknown[-1], known)
        place.append(unknown[-1])
    elif error.validator == "enum":
        suggestion = _near(str(error.instance), map(str, error.validator_value or ()))  # type: ignore[arg-type]
    line, _ = line_of(path, place)
    where = ".".join(map(str, error.absolute_path)) or "the page"
    raise ContractError(f"{path.name}, line {line}: {where}: {error.message[:200]}{suggestion}")


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _jsonable(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_jsonable(v) for v in value]
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where on a page: printed as page and line, looked up only when there is something to complain about."""

    path: Path
    steps: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return f"{self.path.name}, line {line_of(self.path, self.steps)[0]}"

    def of(self, *steps: str | int) -> _Place:
        return _Place(self.path, (*self.steps, *steps))


def _custom(place: _Place, section: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    custom = {str(p["property"]): p["value"] for p in section.get("customProperties", [])}
    _each_known(place, "custom property", custom, known)
    return custom


def _each_known(place: _Place, what: str, words: Iterable[str], known: Iterable[str]) -> None:
    for word in words:
        if word not in known:
            suggestion = _near(word, known) or f"; write one of {', '.join(known)}"
            raise ContractError(f"{place}: {what} '{word}' is not known{suggestion}")


def _contract(path: Path, page: dict[str, Any], direction: Direction) -> Contract:
    if len(page.get("schema", [])) != 1:
        raise ContractError(f"{path.name}: a page describes one table; found {len(page.get('schema', []))}")
    table = page["schema"][0]
    name = str(table["name"])
    if path.name != f"{name}.odcs.yaml":
        raise ContractError(f"{path.name}: describes '{name}', so the file must be called {name}.odcs.yaml")
    place = _Place(path, ("schema", 0))
    custom = _custom(place, table, TABLE_PROPERTIES)
    columns = tuple(_column(place.of("properties", i), p) for i, p in enumerate(table["properties"]))
    names = [c.name for c in columns]
    if repeated := {n for n in names if names.count(n) > 1}:
        raise ContractError(f"{place}: column '{sorted(repeated)[0]}' is stated twice; keep one")
    tolerance = custom.get("tolerancePercent", 0)
    if not isinstance(tolerance, int | float) or not 0 <= tolerance <= 100:
        raise ContractError(f"{place}: tolerancePercent is '{tolerance}'; write a number from 0 to 100")
    if not any(c.key_position for c in columns):
        raise ContractError(f"{place}: no column has primaryKey: true, so rows cannot be told apart")
    month_from = custom.get("monthFrom")
    if month_from is not None and month_from not in names:
        raise ContractError(f"{place}: monthFrom names '{month_from}', which is not a column{_near(month_from, names)}")
    rules = [
        rule
        for i, (column, said) in enumerate(zip(columns, table["properties"], strict=True))
        for rule in _tolerated(place.of("properties", i), _column_rules(column), said)
    ]
    asked = [(place.of("quality", i), q) for i, q in enumerate(table.get("quality", []))]
    of_feed = [(at, q) for at, q in asked if "metric" in q or q.get("type") == "custom"]
    if of_feed and direction == "outgoing":
        raise ContractError(f"{of_feed[0][0]}: a published table is asked rules of type sql only")
    rules += [_row_rule(at, name, names, q) for at, q in asked if (at, q) not in of_feed]
    relations = enumerate(table.get("relationships", []))
    rules += [_table_reference(place.of("relationships", i), name, names, r) for i, r in relations]
    if direction == "incoming":
        rules += _feed_rules(columns, month_from)
    if repeated := {r.name for r in rules if [x.name for x in rules].count(r.name) > 1}:
        raise ContractError(f"{place}: rule {sorted(repeated)[0]} is stated twice; rename one")
    return Contract(
        name=name,
        direction=direction,
        version=str(page["version"]),
        description=str(table["description"]).strip(),
        grain=str(table.get("dataGranularityDescription", "")),
        columns=columns,
        rules=tuple(rules),
        month_from=month_from,
        tolerance_share=float(tolerance) / 100,
        supported=tuple(_supported(place, custom.get("supportedVersions", []), names, str(page["version"]))),
        bounds=tuple(_bound(at, name, q) for at, q in of_feed),
        cadence=_cadence(_Place(path, ("slaProperties",)), page.get("slaProperties", [])),
        owner=str(page.get("team", {}).get("name", "")) if isinstance(page.get("team"), dict) else "",
        path=path,
    )


def _supported(place: _Place, stated: Any, names: list[str], version: str) -> Iterable[Supported]:
    shape = (
        "write a list of {version: 1.2.0, renamed: {then: now}, added: {column: text}, codes: {column: {then: now}}}"
    )
    if not isinstance(stated, list) or not all(isinstance(s, dict) for s in stated):
        raise ContractError(f"{place}: supportedVersions: {shape}")
    majors = [version.partition(".")[0]]
    for entry in stated:
        _each_known(place, "supportedVersions: key", entry, ("version", "renamed", "added", "codes"))
        older, parts = str(entry.get("version", "")), [entry.get(k, {}) for k in ("renamed", "added", "codes")]
        renamed, added, codes = parts
        if re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", older) is None or not all(isinstance(p, dict) for p in parts):
            raise ContractError(f"{place}: supportedVersions: {shape}")
        if (major := older.partition(".")[0]) in majors:
            raise ContractError(
                f"{place}: supportedVersions: major version {major} is read already; state others, once"
            )
        majors.append(major)
        _each_known(place, f"supportedVersions {older}: column", [*renamed.values(), *added, *codes], names)
        if len({*renamed.values(), *added}) < len(renamed) + len(added):
            raise ContractError(f"{place}: supportedVersions {older}: a column is renamed and added, or renamed twice")
        if taken := [then for then in renamed if then in names and then not in renamed.values() and then not in added]:
            raise ContractError(
                f"{place}: supportedVersions {older}: '{taken[0]}' is the name of a column that stands now"
            )
        yield Supported(
            older,
            tuple((str(then), str(now)) for then, now in renamed.items()),
            tuple((str(name), None if text is None else str(text)) for name, text in added.items()),
            tuple((str(name), tuple((str(a), str(b)) for a, b in pairs.items())) for name, pairs in codes.items()),
        )


def _near(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _column(place: _Place, page: Mapping[str, Any]) -> Column:
    name, options = page["name"], page.get("logicalTypeOptions", {})
    kinds = Kind.__args__  # type: ignore[attr-defined]
    if page.get("logicalType") not in kinds:
        raise ContractError(f"{place}: {name}: logicalType must be one of {', '.join(kinds)}")
    if not str(page.get("description", "")).strip():
        raise ContractError(f"{place}: {name}: has no description; say in a sentence what it holds")
    custom = _custom(place, page, COLUMN_PROPERTIES)
    _each_known(place, "dateMeans", [custom["dateMeans"]] if "dateMeans" in custom else [], ("end_of_day",))
    _each_known(place, "classification", [str(page.get("classification", "internal"))], CLASSIFICATIONS)
    _check_pattern(place, str(options.get("pattern", "")))
    codes: tuple[str, ...] = ()
    for quality in page.get("quality", []):
        values = quality.get("arguments", {}).get("validValues", [])
        if quality.get("metric") == "nullValues" and page.get("required"):
            continue
        if quality.get("metric") != "invalidValues" or not values or page["logicalType"] != "string":
            raise ContractError(
                f"{place}: {name}: a column's quality must be the metric invalidValues with arguments: "
                "{validValues: [...]}, on a string; or nullValues, on a required column"
            )
        codes = tuple(str(v) for v in values)
    reference = None
    for relation in page.get("relationships", []):
        table, _, column = str(relation["to"]).partition(".")
        reference = (table, column)
    return Column(
        name=str(page["name"]),
        kind=page["logicalType"],
        description=str(page["description"]).strip(),
        is_required=bool(page.get("required", False)),
        key_position=int(page.get("primaryKeyPosition", 1)) if page.get("primaryKey") else None,
        classification=str(page.get("classification", "internal")),
        pattern=options.get("pattern"),
        min_length=options.get("minLength"),
        max_length=options.get("maxLength"),
        minimum=options.get("minimum"),
        maximum=options.get("maximum"),
        codes=codes,
        strip=str(custom.get("strip", "")),
        step=options.get("multipleOf"),
        is_end_of_day=custom.get("dateMeans") == "end_of_day",
        reference=reference,
        sources=tuple(str(source) for source in page.get("transformSourceObjects", [])),
    )


def _check_pattern(place: _Place, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ContractError(f"{place}: pattern {pattern} is not a regular expression: {error}") from None
    if re.search(r"\(\?[=!<]|\\[1-9]", pattern):
        raise ContractError(
            f"{place}: pattern {pattern} looks around or back, which the engine cannot; write it without"
        )


def _column_rules(column: Column) -> Iterable[Rule]:
    one = (column.name,)
    if column.is_required:
        yield Rule(f"{column.name}__missing", "missing", one, "error", f"{column.name} must have a value")
    if column.kind != "string":
        yield Rule(f"{column.name}__unreadable", "unreadable", one, "error", f"{column.name} must be a {column.kind}")
    if column.kind in ("date", "timestamp"):
        text = f"{column.name} must not be written month first, as this file does; deliver 2026-03-31 or 31/03/2026"
        yield Rule(f"{column.name}__month_first", "month_first", one, "error", text)
    if column.pattern is not None:
        text = f"{column.name} must match {column.pattern}"
        yield Rule(f"{column.name}__pattern", "pattern", one, "error", text)
    if column.min_length is not None or column.max_length is not None:
        low, high = column.min_length or 0, column.max_length
        text = f"{column.name} must have {low} to {'any number of' if high is None else high} characters"
        yield Rule(f"{column.name}__length", "length", one, "error", text)
    if column.minimum is not None or column.maximum is not None:
        bounds = [f"at least {column.minimum}"] if column.minimum is not None else []
        bounds += [f"at most {column.maximum}"] if column.maximum is not None else []
        yield Rule(f"{column.name}__range", "range", one, "error", f"{column.name} must be {' and '.join(bounds)}")
    if column.codes:
        text = f"{column.name} must be one of {', '.join(column.codes)}"
        yield Rule(f"{column.name}__code", "code", one, "error", text)
    if column.reference is not None:
        table, name = column.reference
        text = f"{column.name} must be a {name} of {table}"
        yield Rule(f"{column.name}__unknown", "reference", one, "error", text, reference=(table, (name,)))


def _tolerated(place: _Place, rules: Iterable[Rule], page: Mapping[str, Any]) -> Iterable[Rule]:
    """A column's rules, with what its page says of how many rows may break them."""
    said: dict[RuleFamily, Mapping[str, Any]] = {
        "missing" if q["metric"] == "nullValues" else "code": q for q in page.get("quality", [])
    }
    for relation in page.get("relationships", []):
        said["reference"] = _custom(place, relation, REFERENCE_PROPERTIES)
    for rule in rules:
        yield _with_tolerance(place, rule, said.get(rule.what, {}))


def _with_tolerance(place: _Place, rule: Rule, said: Mapping[str, Any]) -> Rule:
    """`mustBe: 0` says what is asked of a row, and leaves how many may break it to the table's tolerance."""
    severity = said.get("severity", rule.severity)
    known = [*Severity.__args__, BLOCKING] if rule.what == "row" else ["error", BLOCKING]  # type: ignore[attr-defined]
    _each_known(place, f"rule {rule.name}: severity", [severity], known)
    bounds = [name for name in said if name.startswith("must")]
    share = None
    if bounds and bounds[0] != "mustBe":
        value = said[bounds[0]]
        is_share = said.get("unit") == "percent" and isinstance(value, int | float) and 0 <= value <= 100
        if bounds[0] not in REFERENCE_PROPERTIES or not is_share:
            raise ContractError(
                f"{place}: rule {rule.name}: write how many rows may break it as 'mustBeLessOrEqualTo: 5' (or "
                "mustBeLessThan) with 'unit: percent'; or 'mustBe: 0', then the table's tolerancePercent holds"
            )
        # Less than 5 % is not 5 %; no table has a billion rows.
        share = value / 100 - (1e-9 if bounds[0] == "mustBeLessThan" else 0)
    elif bounds and said["mustBe"] != 0:
        raise ContractError(
            f"{place}: rule {rule.name}: mustBe is {said['mustBe']}; no row may break a rule, so write 0"
        )
    is_blocking = severity == BLOCKING
    return replace(rule, severity="error" if is_blocking else severity, tolerance_share=share, is_blocking=is_blocking)


def _bound(place: _Place, table: str, quality: Mapping[str, Any]) -> Bound:
    """What is asked of a feed as a whole."""
    description, severity = str(quality.get("description", "")).strip(), quality.get("severity", "warning")
    _each_known(place, "severity", [severity], Severity.__args__)  # type: ignore[attr-defined]
    if not description or quality.get("unit") != "percent":
        raise ContractError(f"{place}: say in a description what is asked, and the bounds with 'unit: percent'")
    if quality.get("metric") == "rowCount" and "mustBeBetween" in quality:
        low, high = quality["mustBeBetween"]
        return Bound(ROWS_USUAL, low / 100, high / 100, severity, description)
    match quality.get("implementation"):
        # ODCS gives its operators to libraries and queries only.
        case {"reconcile": "taps__of_employees", "mustBeGreaterOrEqualTo": int() | float() as least, **rest} if (
            not rest
        ):
            return Bound(TAPS_OF_EMPLOYEES, least / 100, 1.0, severity, description)
    raise ContractError(
        f"{place}: of {table} as a whole can be asked: metric rowCount with mustBeBetween: [50, 200] (percent of the "
        "months before); type custom, engine kinerja, implementation: "
        f"{{reconcile: {TAPS_OF_EMPLOYEES}, mustBeGreaterOrEqualTo: 95}}"
    )


def _cadence(place: _Place, stated: Sequence[Mapping[str, Any]]) -> Cadence | None:
    """How often the feed comes, from `frequency` (unit m, months) and `latency` (unit d, days)."""
    if not stated:
        return None
    units = {"frequency": "m", "latency": "d"}
    _each_known(place, "property", [str(s["property"]) for s in stated], units)
    found = {s["property"]: s["value"] for s in stated if s.get("unit") == units[s["property"]]}
    if set(found) != set(units) or not all(isinstance(v, int) and v >= 0 for v in found.values()):
        raise ContractError(f"{place}: write frequency in months (value: 1, unit: m) and latency in days (unit: d)")
    if found["frequency"] not in (1, 2, 3, 4, 6, 12):
        raise ContractError(f"{place}: frequency is {found['frequency']} months; a year must be a multiple of it")
    return Cadence(found["frequency"], found["latency"])


def _feed_rules(columns: Sequence[Column], month_from: str | None) -> Iterable[Rule]:
    key = tuple(c.name for c in columns if c.key_position is not None)
    if month_from is not None:
        text = f"{month_from} must lie between the region's first month and a year after the delivery"
        yield Rule(f"{month_from}__month", "month", (month_from,), "error", text)
    if any(c.key_position is None for c in columns):
        text = f"{', '.join(key)} must not stand twice with different content in one delivery"
        yield Rule("key__conflict", "conflict", key, "error", text)


def _row_rule(place: _Place, table: str, names: list[str], quality: Mapping[str, Any]) -> Rule:
    query = " ".join(str(quality.get("query", "")).split())
    match = re.fullmatch(rf"SELECT COUNT\(\*\) FROM {table} WHERE (.+)", query)
    if not quality.get("name"):
        raise ContractError(f"{place}: a rule has no name: {query[:80]}; name it <column>__<what>")
    rule = str(quality["name"])
    if match is None:
        raise ContractError(
            f"{place}: rule {rule}: write the query as 'SELECT COUNT(*) FROM {table} WHERE <condition of a bad row>'"
        )
    predicate = match.group(1)
    words = re.findall(r"[A-Za-z_]\w*", re.sub(r"'[^']*'", "", predicate))
    _each_known(place, f"rule {rule}: column", [w for w in words if w.lower() not in CONDITION_WORDS], names)
    used = tuple(n for n in names if n in words)
    if not used:
        raise ContractError(f"{place}: rule {rule}: the condition names no column of {table}")
    try:
        pl.sql_expr(predicate)
    except pl.exceptions.PolarsError as error:
        raise ContractError(f"{place}: rule {rule}: '{predicate}' is no SQL condition: {error}") from None
    text = str(quality.get("description", "")).strip()
    return _with_tolerance(place, Rule(rule, "row", used, "error", text, predicate=predicate), quality)


def _table_reference(place: _Place, table: str, names: list[str], relation: Mapping[str, Any]) -> Rule:
    sides = [[side] if isinstance(side, str) else list(side) for side in (relation.get("from", []), relation["to"])]
    ours = [str(c).partition(".")[2] for c in sides[0]]
    theirs = [str(c).partition(".") for c in sides[1]]
    if not ours or len(ours) != len(theirs):
        raise ContractError(f"{place}: a relationship must name as many columns in 'from' as in 'to'")
    if wrong := [c for c in ours if c not in names]:
        raise ContractError(f"{place}: relationship from '{wrong[0]}', not a column of {table}{_near(wrong[0], names)}")
    other = theirs[0][0]
    text = f"{' and '.join(ours)} must be known to {other}"
    reference = (other, tuple(t[2] for t in theirs))
    rule = Rule(f"{ours[-1]}__unknown", "reference", tuple(ours), "error", text, reference=reference)
    return _with_tolerance(place, rule, _custom(place, relation, REFERENCE_PROPERTIES))


def _check_references(incoming: Mapping[str, Contract]) -> None:
    for contract in incoming.values():
        for rule in contract.rules:
            if rule.reference is None:
                continue
            table, columns = rule.reference
            target = incoming.get(table)
            if target is None or any(c not in target.names for c in columns):
                raise ContractError(
                    f"{contract.path.name}: rule {rule.name} points to {table}.{','.join(columns)}: no such column"
                )


def _check_sources(incoming: Mapping[str, Contract], outgoing: Mapping[str, Contract]) -> None:
    """Raises ContractError where a column names what is not there, or is computed from itself over others."""
    feeds = {f"{c.name}.{name}" for c in incoming.values() for name in c.names}
    tables = {c.name: {f"{c.name}.{name}" for name in c.names} for c in outgoing.values()}
    known = {
        *ORIGINS,
        *feeds,
        *(f"{name}.*" for name in tables),
        *(column for own in tables.values() for column in own),
    }
    computed: dict[str, set[str]] = {}
    for contract in (*incoming.values(), *outgoing.values()):
        for position, column in enumerate(contract.columns):
            place = _Place(contract.path, ("schema", 0, "properties", position, "transformSourceObjects"))
            if contract.direction == "incoming" and column.sources:
                raise ContractError(f"{place}: {column.name}: a feed's column comes from its supplier; leave this out")
            for source in column.sources:
                if source not in known:
                    suggestion = _near(source, known) or f"; write <table>.<column> or one of {', '.join(ORIGINS)}"
                    raise ContractError(f"{place}: {column.name}: source '{source}' is not known{suggestion}")
            if contract.direction == "outgoing":
                # A name that a feed and a table share means the feed (contracts/sources), where no way goes on.
                named = (tables[s[:-2]] if s.endswith(".*") else {s} for s in column.sources)
                computed[f"{contract.name}.{column.name}"] = set().union(*named) - feeds
    try:
        TopologicalSorter(computed).prepare()
    except CycleError as error:
        raise ContractError(f"columns are computed from each other: {' <- '.join(reversed(error.args[1]))}") from None
