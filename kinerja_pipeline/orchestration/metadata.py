"""What the UI shows about a table: its columns from the contract, who owns it, where its pages are, and row counts.

Here: contract and frame -> Dagster metadata, never a value of a row. Not here: checks (orchestration/checks), values
that everybody may see (orchestration/preview), plots. What never changes stands in definitions, not in each event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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


def team(contract: Contract | None) -> list[str]:
    """The owner of a page as the UI names it."""
    return [f"team:{contract.owner}"] if contract and contract.owner else []


def definition_metadata(contract: Contract) -> Mapping[str, Any]:
    """What an asset says of its table before anything is materialized. Delivered columns come from their suppliers."""
    told = {
        "dagster/column_schema": column_schema(contract),
        "contract": f"{contract.name} {contract.version}",
        "one row per": contract.grain,
        "pages": _pages(contract),
    }
    return told if contract.direction == "incoming" else {**told, "columns come from": sources_table(contract)}


def counts(rows: int, seconds: float) -> dict[str, MetadataValue[Any]]:
    return {"dagster/row_count": MetadataValue.int(rows), "seconds": MetadataValue.float(round(seconds, 3))}


def _pages(contract: Contract) -> MetadataValue[Any]:
    """Where the pages for people are. Browsers open no file from here: links lead to the asset that has its path."""
    name = contract.name
    if contract.direction == "incoming":
        place = f"{'<month>' if contract.is_event else 'register'}/{name}.html"
        lines = [f"[what its rules found](/assets/reports/validation): `reports/validation/<region>/{place}`"]
    else:
        lines = [
            "[the report of the month](/assets/reports/monthly): `reports/monthly/<region>/<month>/laporan.html`",
            "[whether its promises are kept](/assets/reports/published): "
            "`reports/validation/<region>/<month>/published_tables.html`",
        ]
    anchor = f"{'feed' if contract.direction == 'incoming' else 'table'}-{name}"
    lines.append(f"the dictionary, by `kinerja dictionary`: `reports/dictionary/dictionary.en.html#{anchor}`")
    return MetadataValue.md("\n".join(["In the home:", "", *(f"- {line}" for line in lines)]))
