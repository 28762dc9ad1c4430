"""Which columns of a view or a query are personal: the contracts' classifications, followed through the SQL.

Here: SQL text -> classification of each of its columns. Not here: following the columns (warehouse/columns), what is
done about it (warehouse/queries hides values, warehouse/masking replaces them).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from kinerja_pipeline.contracts.model import Contract, load_contracts
from kinerja_pipeline.warehouse.columns import selected
from kinerja_pipeline.warehouse.views import load_views

RESTRICTED, CONFIDENTIAL, OPEN = "restricted", "confidential", "internal"
"""Who somebody is; what is said of somebody; everything else."""

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
    made = selected(sql, relations, only_values=True)
    # What is not known is taken for the worst.
    return {
        name: _worst({relations.get(relation, {}).get(column, RESTRICTED) for relation, column in columns})
        for name, columns in made.items()
    }


def _worst(kinds: set[str]) -> str:
    return next((kind for kind in (RESTRICTED, CONFIDENTIAL) if kind in kinds), OPEN)
