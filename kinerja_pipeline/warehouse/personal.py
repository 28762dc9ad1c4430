"""Which columns of a view or a query are personal: the contracts' classifications, followed through the SQL.

Here: SQL text -> classification of each of its columns. Not here: what is done about it (warehouse/queries hides
values, warehouse/masking replaces them).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

from kinerja_pipeline.contracts.model import Contract, load_contracts
from kinerja_pipeline.warehouse.views import load_views

RESTRICTED, CONFIDENTIAL, OPEN = "restricted", "confidential", "internal"
"""Who somebody is; what is said of somebody; everything else."""

_DIALECT = "postgres"
_ORDERING = (exp.Rank, exp.DenseRank, exp.PercentRank, exp.RowNumber, exp.Count)
"""What tells how many or in which order, and no value."""
Classified = Mapping[str, str]
"""Column -> classification."""


@cache
def classified_relations() -> Mapping[str, Classified]:
    """Every published table and view, with the classification of its columns."""
    known: dict[str, Classified] = {name: _of_table(page) for name, page in load_contracts().outgoing.items()}
    for view in load_views():
        known[view.name] = classified(view.sql, known)
    return known


def _of_table(contract: Contract) -> Classified:
    return {c.name: c.classification if c.is_personal else OPEN for c in contract.columns}


def classified(sql: str, relations: Mapping[str, Classified]) -> Classified:
    """The columns of a SELECT over `relations`, in order, each as personal as the most personal value in it.

    Conditions, counts and ranks tell no value, so what they look at does not count.
    """
    schema: dict[str, object] = {name: dict.fromkeys(columns, "text") for name, columns in relations.items()}
    tree = qualify(sqlglot.parse_one(sql, dialect=_DIALECT), schema=schema, dialect=_DIALECT, quote_identifiers=False)
    done: dict[int, Classified] = {}
    # Inner queries come first, the whole one last.
    for scope in traverse_scope(tree):
        done[id(scope.expression)] = _outputs(scope, done, relations)
    return done[id(tree)]


def _outputs(scope: Scope, done: Mapping[int, Classified], relations: Mapping[str, Classified]) -> Classified:
    if scope.set_operation_scopes:
        sides = [done[id(side.expression)] for side in scope.set_operation_scopes]
        values = [list(side.values()) for side in sides]
        return {name: _worst({each[i] for each in values}) for i, name in enumerate(sides[0])}
    sources = {
        alias: done[id(source.expression)] if isinstance(source, Scope) else relations[source.name]
        for alias, source in scope.sources.items()
    }
    select = scope.expression
    assert isinstance(select, exp.Select)
    return {column.alias_or_name: _worst(_of_values(column, sources, done)) for column in select.selects}


def _worst(kinds: set[str]) -> str:
    return next((kind for kind in (RESTRICTED, CONFIDENTIAL) if kind in kinds), OPEN)


def _of_values(node: exp.Expr, sources: Mapping[str, Classified], done: Mapping[int, Classified]) -> set[str]:
    """The classifications of every value that the expression can hand on."""
    match node:
        case exp.Column():
            # What is not known is taken for the worst.
            return {sources.get(node.table, {}).get(node.name, RESTRICTED)}
        case exp.Select():
            return set(done[id(node)].values())
        case exp.Window() | exp.Filter():
            parts = [node.this]
        case exp.If():
            parts = [part for part in (node.args.get("true"), node.args.get("false")) if part is not None]
        case _ if isinstance(node, _ORDERING):
            parts = []
        case _:
            parts = list(node.iter_expressions())
    return {kind for part in parts for kind in _of_values(part, sources, done)}
