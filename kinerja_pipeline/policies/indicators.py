"""Indicator declarations -> expressions: parsed, checked against the fact's columns, ready to run in one aggregation.

Here: what a declaration may say and the errors its author needs. Not here: running it (kpi/indicators).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl
import sqlglot
from sqlglot import exp

from kinerja_pipeline.contracts.model import Contract, Contracts, Kind
from kinerja_pipeline.contracts.sources import Source, resolved
from kinerja_pipeline.policies.loader import PolicyError, near_word
from kinerja_pipeline.policies.model import Indicator, Policy

MAX_EXPRESSION = 500
"""Characters; thousands of chained terms crash the engine, and nobody could read them."""

ROW_FUNCTIONS = (
    *(
        exp.Case,
        exp.If,
        exp.And,
        exp.Or,
        exp.Coalesce,
        exp.Nullif,
        exp.Least,
        exp.Greatest,
        exp.Abs,
        exp.Round,
        exp.Floor,
    ),
    *(exp.Ceil, exp.Cast, exp.Lower, exp.Upper, exp.Length, exp.Left, exp.Right, exp.Substring, exp.StartsWith),
)
"""What a declaration may call: functions of one row. An unknown name may be an aggregate that only the engine knows."""

SUBJECT_COLUMN: Mapping[str, str | None] = {"employee": "nip", "unit": "unit_id", "region": None}
"""The column of a fact that names the subject; the region has every row."""

_OF_SUBJECT: Mapping[str, type[pl.DataType]] = {"nip": pl.String, "unit_id": pl.String}
DERIVED: Mapping[str, Mapping[str, type[pl.DataType]]] = {
    "attendance_day": dict.fromkeys(("is_workday", "is_present"), pl.Boolean),
    "task_outcome": dict.fromkeys(("is_due", "is_opened", "is_completed", "is_backlog"), pl.Boolean),
    "training_year": {},
    "feedback_answer": {**_OF_SUBJECT, "is_response": pl.Boolean, "feedback_days": pl.Float64},
    "indicator_measurement": {**_OF_SUBJECT, "is_latest": pl.Boolean},
    "indicator_target": {"is_starting": pl.Boolean, **_OF_SUBJECT},
    "employee_plan": {
        **dict.fromkeys(("nip", "unit_id", "position_level"), pl.String),
        **dict.fromkeys(("target_count", "agreed_count"), pl.Int64),
        "has_target": pl.Boolean,
    },
}
"""Named columns that the facts add for declarations, so that none needs date arithmetic."""

_DAY = ("attendance_day.status_code",)
_SUBJECT = ("subject_kind", "subject_id")
_MEMBER = ("employee.unit_id", "employee.assignment_code", "employee.valid_from", "employee.valid_to")
_ANSWER, _MEASURED, _AGREED = (
    tuple(f"{feed}.{column}" for column in _SUBJECT)
    for feed in ("feedback_response", "indicator_measurement", "indicator_target")
)
DERIVED_FROM: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "attendance_day": {"is_workday": _DAY, "is_present": (*_DAY, "attendance_day.tap_count")},
    "task_outcome": {
        "is_due": ("task_outcome.due_at", "task_outcome.status_code", "run"),
        "is_opened": ("task_outcome.opened_at", "run"),
        "is_completed": ("task_outcome.completed_at", "task_outcome.status_code", "run"),
        "is_backlog": (*(f"task_outcome.{c}" for c in ("opened_at", "completed_at", "status_code")), "run"),
    },
    "training_year": {},
    "feedback_answer": {
        "nip": _ANSWER,
        "unit_id": (*_ANSWER, *_MEMBER),
        "is_response": tuple(f"feedback_response.{c}" for c in ("response_id", "subject_id", "element_code")),
        "feedback_days": ("feedback_response.observed_at", "feedback_response.shared_at"),
    },
    "indicator_measurement": {
        "nip": _MEASURED,
        "unit_id": _MEASURED,
        "is_latest": (*_MEASURED, "indicator_measurement.indicator_id", "indicator_measurement.period"),
    },
    "indicator_target": {
        "is_starting": ("indicator_target.period", "run"),
        "nip": _AGREED,
        "unit_id": (*_AGREED, *_MEMBER),
    },
    "employee_plan": {
        "nip": ("employee.nip",),
        "unit_id": _MEMBER,
        "position_level": ("employee.position_level", *_MEMBER[1:]),
        "target_count": (
            *_AGREED,
            "indicator_target.indicator_id",
            "indicator_target.period",
            "employee.position_level",
            "policy",
        ),
        "agreed_count": (*_AGREED, "indicator_target.indicator_id", "indicator_target.period", "policy"),
        "has_target": (
            *_AGREED,
            "indicator_target.indicator_id",
            "indicator_target.period",
            "employee.position_level",
            "policy",
        ),
    },
}
"""Where these columns come from, in the words of contract pages."""

_DTYPES: Mapping[Kind, pl.DataType | type[pl.DataType]] = {
    "string": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "boolean": pl.Boolean,
    "date": pl.Date,
    "timestamp": pl.Datetime("us"),
}


class DeclarationError(PolicyError):
    """A declared indicator cannot be computed; `place` says where in the policy."""

    def __init__(self, region: str, place: tuple[str, ...], text: str) -> None:
        super().__init__(f"policy {region}: {'.'.join(place)}: {text}")
        self.place, self.text = place, text


@dataclass(frozen=True, slots=True)
class CompiledIndicator:
    """One indicator as row expressions over its fact: `keep` selects rows, the other two are summed over them."""

    indicator_id: str
    declared: Indicator
    keep: pl.Expr
    numerator: pl.Expr
    denominator: pl.Expr | None

    @property
    def columns(self) -> frozenset[str]:
        """What it reads of its fact: its subjects', and what the declaration names."""
        named = (e.meta.root_names() for e in (self.keep, self.numerator, self.denominator) if e is not None)
        return frozenset(column for column in SUBJECT_COLUMN.values() if column).union(*named)


def fact_pages(contracts: Contracts) -> Mapping[str, Contract | None]:
    """The page that describes a fact's columns; what stands on none is in DERIVED."""
    return {
        "attendance_day": contracts.outgoing["attendance_day"],
        "task_outcome": contracts.outgoing["task_outcome"],
        "training_year": contracts.outgoing["training_year"],
        "feedback_answer": contracts.incoming["feedback_response"],
        "indicator_measurement": contracts.incoming["indicator_measurement"],
        "indicator_target": contracts.outgoing["indicator_target"],
        "employee_plan": None,
    }


def fact_columns(contracts: Contracts) -> dict[str, dict[str, pl.DataType | type[pl.DataType]]]:
    """The columns a declaration may name, with their types, by fact."""
    return {
        fact: {**{c.name: _DTYPES[c.kind] for c in (contract.columns if contract else ())}, **DERIVED[fact]}
        for fact, contract in fact_pages(contracts).items()
    }


def indicator_sources(declared: Indicator, contracts: Contracts) -> frozenset[Source]:
    """The columns that an indicator is computed from: those that its expressions name and those that say whose rows
    they are, named columns of the fact followed to the columns that they come from."""
    page, named = fact_pages(contracts)[declared.fact], DERIVED_FROM[declared.fact]
    texts = [text for text in (declared.filter, declared.numerator, declared.denominator) if text]
    columns = {column for text in texts for column in _names(text)}
    columns |= {column for subject in declared.subjects if (column := SUBJECT_COLUMN[subject])}
    if declared.statistic == "last":
        columns |= {"is_latest"} & named.keys()
    found: set[Source] = set()
    for column in columns:
        if column in named:
            found |= set(resolved(contracts, named[column]))
        elif page is not None:
            found.add(Source("feed" if page.direction == "incoming" else "table", page.name, column))
    return frozenset(found)


@cache
def _names(text: str) -> frozenset[str]:
    return frozenset(column.name for column in sqlglot.parse_one(text).find_all(exp.Column))


def compiled(policy: Policy, contracts: Contracts) -> tuple[CompiledIndicator, ...]:
    """The active indicators of a policy. Raises PolicyError naming indicator, key, and the nearest right name."""
    facts = fact_columns(contracts)
    active = {name: declared for name, declared in policy.indicators.items() if declared.is_active}
    return tuple(_compiled(policy.region, name, declared, facts) for name, declared in active.items())


def wrong_declarations(policy: Policy, contracts: Contracts) -> Iterator[DeclarationError]:
    """What `compiled` would refuse: the first mistake of every active indicator."""
    facts = fact_columns(contracts)
    for name, declared in policy.indicators.items():
        try:
            if declared.is_active:
                _compiled(policy.region, name, declared, facts)
        except DeclarationError as error:
            yield error


def _compiled(
    region: str,
    name: str,
    declared: Indicator,
    facts: Mapping[str, Mapping[str, pl.DataType | type[pl.DataType]]],
) -> CompiledIndicator:
    def refused(key: str, text: str) -> DeclarationError:
        return DeclarationError(region, ("indicators", name, key), text)

    if declared.fact not in facts:
        raise refused("fact", f"there is no fact '{declared.fact}'{near_word(declared.fact, facts)}")
    columns = facts[declared.fact]
    for subject in declared.subjects:
        if (column := SUBJECT_COLUMN[subject]) and column not in columns:
            raise refused("subjects", f"the rows of {declared.fact} name no {subject}; leave {subject} out")

    def expression(key: str, text: str | None, *, yields: str) -> pl.Expr | None:
        if not text:
            return None
        try:
            return _row_expression(text, tuple(columns.items()), yields)
        except ValueError as error:
            raise refused(key, str(error)) from None

    keep = expression("filter", declared.filter, yields="yes or no")
    numerator = expression("numerator", declared.numerator, yields="number")
    denominator = expression("denominator", declared.denominator, yields="number")
    if numerator is None:
        raise refused("numerator", "is empty; write 1 to count rows")
    if declared.unit == "percent" and declared.scale == 1 and _is_share(declared):
        raise refused("scale", "a share is 0 to 1; write scale: 100 for the unit percent")
    return CompiledIndicator(
        name,
        declared,
        keep=pl.lit(True) if keep is None else keep.fill_null(False),
        numerator=numerator,
        denominator=denominator,
    )


# Regions and their versions declare most indicators alike: each text is parsed once.
@cache
def _row_expression(
    text: str, columns: tuple[tuple[str, pl.DataType | type[pl.DataType]], ...], yields: str
) -> pl.Expr:
    """A declared text as a value of one row of a fact. Raises ValueError, in words for the author."""
    return _typed(_expression(text, dict(columns)), text, dict(columns), yields)


def _expression(text: str, columns: Iterable[str]) -> pl.Expr:
    """Raises ValueError, in words for the author."""
    if len(text) > MAX_EXPRESSION:
        raise ValueError(f"longer than {MAX_EXPRESSION} characters; name a column for it instead")
    try:
        tree = sqlglot.parse_one(text)
    except sqlglot.errors.SqlglotError as error:
        raise ValueError(f"'{text}' is not an SQL expression: {str(error).splitlines()[0]}") from None
    if tree.find(exp.Query, exp.AggFunc, exp.Window, exp.Star, exp.Alias, exp.Block):
        raise ValueError(f"'{text}' must be a value of one row; sums and selections are the pipeline's part")
    if unknown := next((f for f in tree.find_all(exp.Func) if not isinstance(f, ROW_FUNCTIONS)), None):
        offered = ", ".join(f.sql_name() for f in ROW_FUNCTIONS if not issubclass(f, exp.Connector))
        raise ValueError(f"the function {unknown.sql()} is not offered; there are {offered}")
    known = set(columns)
    for column in tree.find_all(exp.Column):
        if column.name not in known:
            raise ValueError(f"no column '{column.name}' in the fact{near_word(column.name, known)}")
    try:
        return pl.sql_expr(text)
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"'{text}' cannot be computed: {str(error).splitlines()[0]}") from None


def _typed(
    expression: pl.Expr, text: str, columns: Mapping[str, pl.DataType | type[pl.DataType]], yields: str
) -> pl.Expr:
    """The expression, tried on an empty frame of the fact. Raises ValueError where it gives something else."""
    try:
        dtype = pl.DataFrame(schema=columns).select(_=expression).schema["_"]
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"'{text}' cannot be computed: {str(error).splitlines()[0]}") from None
    if yields == "yes or no" and dtype != pl.Boolean:
        raise ValueError(f"'{text}' must say yes or no, and gives {_said(dtype)}; compare it with something")
    if yields == "number" and not dtype.is_numeric():
        advice = "; write CASE WHEN ... THEN 1 ELSE 0 END" if dtype == pl.Boolean else ""
        raise ValueError(f"'{text}' must be a number, and gives {_said(dtype)}{advice}")
    return expression


def _said(dtype: pl.DataType) -> str:
    if dtype == pl.Boolean:
        return "yes or no"
    if dtype == pl.Null:
        return "nothing"
    if dtype.is_numeric():
        return "a number"
    return "text" if dtype == pl.String else "a time"


def _is_share(declared: Indicator) -> bool:
    """Whether a ratio counts rows out of rows: a numerator of noughts and ones over 1."""
    numerator = sqlglot.parse_one(declared.numerator)
    if declared.denominator != "1" or not isinstance(numerator, exp.Case):
        return False
    results = [branch.args["true"] for branch in numerator.args["ifs"]]
    results += [numerator.args["default"]] if numerator.args.get("default") is not None else []
    return all(isinstance(r, exp.Literal) and r.name in ("0", "1") for r in results)
