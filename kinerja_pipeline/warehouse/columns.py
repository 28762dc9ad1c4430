"""Which columns of tables and views each column of a SELECT is made from.

Here: SQL text -> columns, through inner queries and set operations. Not here: what follows from it (warehouse/personal
classifies, warehouse/lineage tells the way back to the feeds).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

Column = tuple[str, str]
"""Relation and column; no relation where nobody knows it."""
Made = Mapping[str, frozenset[Column]]

ROWS = "*"
"""In the place of a column: the rows themselves, which count(*) counts."""

_DIALECT = "postgres"
_ORDERING = (exp.Rank, exp.DenseRank, exp.PercentRank, exp.RowNumber, exp.Count)
"""What tells how many or in which order, and no value."""


def selected(sql: str, relations: Mapping[str, Collection[str]], *, only_values: bool = False) -> Made:
    """The columns of a SELECT over `relations`, in order, each with the columns that decide what it says.

    With `only_values` just those whose values it can hand on: conditions, counts and ranks tell none. What selects or
    joins rows is in neither.
    """
    schema: dict[str, object] = {name: dict.fromkeys(columns, "text") for name, columns in relations.items()}
    tree = qualify(sqlglot.parse_one(sql, dialect=_DIALECT), schema=schema, dialect=_DIALECT, quote_identifiers=False)
    done: dict[int, Made] = {}
    # Inner queries come first, the whole one last.
    for scope in traverse_scope(tree):
        done[id(scope.expression)] = _outputs(scope, done, relations, only_values)
    return done[id(tree)]


def read_by(sql: str) -> frozenset[str]:
    """The relations that a SELECT reads, whatever for."""
    return frozenset(table.name for table in sqlglot.parse_one(sql, dialect=_DIALECT).find_all(exp.Table))


def _outputs(
    scope: Scope, done: Mapping[int, Made], relations: Mapping[str, Collection[str]], only_values: bool
) -> Made:
    if scope.set_operation_scopes:
        sides = [done[id(side.expression)] for side in scope.set_operation_scopes]
        values = [list(side.values()) for side in sides]
        return {name: frozenset().union(*(each[i] for each in values)) for i, name in enumerate(sides[0])}
    sources: dict[str, Made] = {
        alias: done[id(source.expression)]
        if isinstance(source, Scope)
        else {name: frozenset({(source.name, name)}) for name in relations[source.name]}
        for alias, source in scope.sources.items()
    }
    rows = {(source.name, ROWS) for source in _tables(scope)}
    select = scope.expression
    assert isinstance(select, exp.Select)

    def made(node: exp.Expr) -> Iterator[Column]:
        match node:
            case exp.Column():
                # What is not known is named without a relation.
                yield from sources.get(node.table, {}).get(node.name, {("", node.name)})
                return
            case exp.Select():
                for columns in done[id(node)].values():
                    yield from columns
                return
            case exp.Count() if not only_values and isinstance(node.this, exp.Star):
                yield from rows
                return
            case exp.Window() | exp.Filter() if only_values:
                parts = [node.this]
            case exp.If() if only_values:
                parts = [part for part in (node.args.get("true"), node.args.get("false")) if part is not None]
            case _ if only_values and isinstance(node, _ORDERING):
                parts = []
            case _:
                parts = list(node.iter_expressions())
        for part in parts:
            yield from made(part)

    return {column.alias_or_name: frozenset(made(column)) for column in select.selects}


def _tables(scope: Scope) -> Iterator[exp.Table]:
    """The relations whose rows a query goes through, those of its inner queries too."""
    for inner in scope.traverse():
        yield from (source for source in inner.sources.values() if isinstance(source, exp.Table))
