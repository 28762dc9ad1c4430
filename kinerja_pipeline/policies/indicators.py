"""Indicator declarations -> expressions: parsed, checked against the fact's columns, ready to run in one aggregation.

Here: what a declaration may say and the errors its author needs. Not here: running it (kpi/indicators).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl
import sqlglot
from sqlglot import exp

from kinerja_pipeline.contracts.model import Contracts
from kinerja_pipeline.policies.loader import PolicyError
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

DERIVED: Mapping[str, tuple[str, ...]] = {
    "attendance_day": ("is_workday", "is_present"),
    "task_outcome": ("is_due", "is_opened", "is_completed", "is_backlog"),
    "training_year": (),
    "feedback_answer": ("nip", "unit_id"),
    "indicator_measurement": ("nip", "unit_id"),
}
"""Named columns that the facts add for declarations, so that none needs date arithmetic."""


@dataclass(frozen=True, slots=True)
class CompiledIndicator:
    """One indicator as row expressions over its fact: `keep` selects rows, the other two are summed over them."""

    indicator_id: str
    declared: Indicator
    keep: pl.Expr
    numerator: pl.Expr
    denominator: pl.Expr | None


def fact_columns(contracts: Contracts) -> dict[str, tuple[str, ...]]:
    """The columns a declaration may name, by fact."""
    source = {
        "attendance_day": contracts.outgoing["attendance_day"].names,
        "task_outcome": contracts.outgoing["task_outcome"].names,
        "training_year": contracts.outgoing["training_year"].names,
        "feedback_answer": contracts.incoming["feedback_response"].names,
        "indicator_measurement": contracts.incoming["indicator_measurement"].names,
    }
    return {fact: (*columns, *DERIVED[fact]) for fact, columns in source.items()}


def compiled(policy: Policy, contracts: Contracts) -> tuple[CompiledIndicator, ...]:
    """The active indicators of a policy. Raises PolicyError naming indicator, key, and the nearest right name."""
    facts = fact_columns(contracts)
    active = {name: declared for name, declared in policy.indicators.items() if declared.is_active}
    return tuple(_compiled(policy.region, name, declared, facts) for name, declared in active.items())


def _compiled(region: str, name: str, declared: Indicator, facts: Mapping[str, tuple[str, ...]]) -> CompiledIndicator:
    place = f"policy {region}: indicators.{name}"
    if declared.fact not in facts:
        raise PolicyError(f"{place}.fact: there is no fact '{declared.fact}'{_near(declared.fact, facts)}")
    columns = facts[declared.fact]

    def expression(key: str, text: str | None) -> pl.Expr | None:
        return _expression(f"{place}.{key}", text, columns) if text else None

    keep = expression("filter", declared.filter)
    return CompiledIndicator(
        name,
        declared,
        keep=pl.lit(True) if keep is None else keep.fill_null(False),
        numerator=_expression(f"{place}.numerator", declared.numerator, columns),
        denominator=expression("denominator", declared.denominator),
    )


def _expression(place: str, text: str, columns: Iterable[str]) -> pl.Expr:
    if len(text) > MAX_EXPRESSION:
        raise PolicyError(f"{place}: longer than {MAX_EXPRESSION} characters; name a column for it instead")
    try:
        tree = sqlglot.parse_one(text)
    except sqlglot.errors.SqlglotError as error:
        raise PolicyError(f"{place}: '{text}' is not an SQL expression: {str(error).splitlines()[0]}") from None
    if tree.find(exp.Query, exp.AggFunc, exp.Window, exp.Star, exp.Alias, exp.Block):
        raise PolicyError(f"{place}: '{text}' must be a value of one row; sums and selections are the pipeline's part")
    if unknown := next((f for f in tree.find_all(exp.Func) if not isinstance(f, ROW_FUNCTIONS)), None):
        offered = ", ".join(f.sql_name() for f in ROW_FUNCTIONS if not issubclass(f, exp.Connector))
        raise PolicyError(f"{place}: the function {unknown.sql()} is not offered; there are {offered}")
    known = set(columns)
    for column in tree.find_all(exp.Column):
        if column.name not in known:
            raise PolicyError(f"{place}: no column '{column.name}' in the fact{_near(column.name, known)}")
    try:
        return pl.sql_expr(text)
    except pl.exceptions.PolarsError as error:
        raise PolicyError(f"{place}: '{text}' cannot be computed: {str(error).splitlines()[0]}") from None


def _near(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean '{near[0]}'?" if near else ""
