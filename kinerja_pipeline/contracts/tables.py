"""Outgoing contracts as database tables.

Here: Contract -> sqlalchemy.Table: types, comments, primary key, indexes. Not here: connections and rows
(warehouse/), and how an existing database gets from one shape to the next (sql/migrations).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from kinerja_pipeline.contracts.model import Column, Contract, Kind

_TYPES: Mapping[Kind, sa.types.TypeEngine[Any]] = {
    "string": sa.String(),
    "integer": sa.BigInteger(),
    "number": sa.Double(),
    "boolean": sa.Boolean(),
    "date": sa.Date(),
    # UTC instants: timestamptz on PostgreSQL; on SQLite the text 2026-03-02 00:31:00.000000, which sorts by time.
    "timestamp": sa.DateTime(timezone=True),
}


def warehouse_schema(dialect: str) -> str | None:
    """The schema that holds the tables: `reporting`, or none on SQLite, which has no schemas."""
    return None if dialect == "sqlite" else "reporting"


def warehouse_tables(outgoing: Mapping[str, Contract], dialect: str) -> sa.MetaData:
    """Every outgoing contract as a table of one MetaData, for a database of `dialect` (`sqlite` or `postgresql`)."""
    metadata = sa.MetaData(schema=warehouse_schema(dialect))
    for contract in outgoing.values():
        warehouse_table(contract, metadata)
    return metadata


def warehouse_table(contract: Contract, metadata: sa.MetaData) -> sa.Table:
    """The table of one outgoing contract, added to `metadata`."""
    table = sa.Table(
        contract.name,
        metadata,
        *(_column(column) for column in contract.columns),
        sa.PrimaryKeyConstraint(*contract.key, name=f"pk_{contract.name}"),
        comment=contract.description,
    )
    if "period" in contract.names:
        # People and pages ask for a period first, then for a region; the key begins with the region.
        sa.Index(f"ix_{contract.name}_period", table.c.period, table.c.region)
    if contract.key[0] != "region":
        # What publications only add to grows with every night of every region; a publication asks for its own region.
        sa.Index(f"ix_{contract.name}_region", table.c.region, table.c[contract.key[0]])
    return table


def _column(column: Column) -> sa.Column[Any]:
    is_required = column.is_required or column.key_position is not None
    return sa.Column(column.name, _TYPES[column.kind], nullable=not is_required, comment=column.description)
