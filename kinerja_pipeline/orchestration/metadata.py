"""What the UI shows about a table: its columns from the contract, and row counts.

Here: contract and frame -> Dagster metadata, never a value of a row. Not here: checks (orchestration/checks).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from dagster import MetadataValue, TableColumn, TableColumnConstraints, TableSchema

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.orchestration.column_lineage import sources_table


def column_schema(contract: Contract) -> TableSchema:
    """The contract's columns as Dagster's column schema, with descriptions, keys and classification."""
    return TableSchema(
        columns=[
            TableColumn(
                name=c.name,
                type=c.kind,
                description=c.description,
                constraints=TableColumnConstraints(
                    nullable=not c.is_required,
                    unique=contract.key == (c.name,),
                    other=[f"one of {', '.join(c.codes)}"] if c.codes else [],
                ),
                tags={"classification": c.classification},
            )
            for c in contract.columns
        ]
    )


def definition_metadata(contract: Contract) -> Mapping[str, Any]:
    """What an asset says of its table before anything is materialized. Delivered columns come from their suppliers."""
    told = {
        "dagster/column_schema": column_schema(contract),
        "contract": f"{contract.name} {contract.version}",
        "one row per": contract.grain,
    }
    return told if contract.direction == "incoming" else {**told, "columns come from": sources_table(contract)}


def counts(frame: pl.DataFrame, seconds: float) -> dict[str, MetadataValue[Any]]:
    return {"dagster/row_count": MetadataValue.int(len(frame)), "seconds": MetadataValue.float(round(seconds, 3))}
