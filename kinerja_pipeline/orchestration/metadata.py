"""What the UI shows about a table: its columns from the contract, row counts, a table of rules.

Here: contract and tally -> Dagster metadata, never a value of a row. Not here: the counting (validated/, warehouse/).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    MetadataValue,
    PartitionsDefinition,
    TableColumn,
    TableColumnConstraints,
    TableSchema,
)

from kinerja_pipeline.contracts.model import Contract


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
    return {
        "dagster/column_schema": column_schema(contract),
        "contract": f"{contract.name} {contract.version}",
        "one row per": contract.grain,
    }


def counts(frame: pl.DataFrame, seconds: float) -> dict[str, MetadataValue[Any]]:
    return {"dagster/row_count": MetadataValue.int(len(frame)), "seconds": MetadataValue.float(round(seconds, 3))}


def contract_check_spec(contract: Contract, key: AssetKey, partitions: PartitionsDefinition[str]) -> AssetCheckSpec:
    """One check per feed with a table of its rules. It needs the asset's partitions, else results have none and stay
    PLANNED for ever."""
    return AssetCheckSpec(
        "contract",
        asset=key,
        partitions_def=partitions,
        description=f"Rejected rows stay within the tolerance of the contract ({contract.tolerance_share:.0%}).",
    )


def conservation_check_spec(key: AssetKey, partitions: PartitionsDefinition[str]) -> AssetCheckSpec:
    return AssetCheckSpec(
        "conservation",
        asset=key,
        partitions_def=partitions,
        blocking=True,
        description="landed = valid + rejected + superseded, for each delivery.",
    )


def contract_check(contract: Contract, key: AssetKey, tally: pl.DataFrame) -> AssetCheckResult:
    """The rules' counts of one partition against the contract's tolerance; counts and row numbers only, no values."""
    total = tally.filter(pl.col("rule_id") == "all").sum()
    landed, rejected = total["landed_count"].item() or 0, total["rejected_count"].item() or 0
    share = rejected / landed if landed else 0.0
    broken = _broken(tally)
    reasons = ", ".join(f"{r['rule_id']} {r['failed_count']}" for r in broken if r["severity_code"] == "error")
    remedy = (
        "Within tolerance."
        if share <= contract.tolerance_share
        else "Ask the supplier to correct the rows that the quarantine lists and deliver them again; run the month."
    )
    return AssetCheckResult(
        passed=share <= contract.tolerance_share,
        asset_key=key,
        check_name="contract",
        severity=AssetCheckSeverity.WARN,
        description=f"{rejected} of {landed} rows rejected ({share:.2%}, tolerance {contract.tolerance_share:.0%})"
        f"{': ' if reasons else ''}{reasons}. {remedy}",
        metadata={
            "landed": landed,
            "valid": total["valid_count"].item() or 0,
            "rejected": rejected,
            "superseded": total["superseded_count"].item() or 0,
            "rules": MetadataValue.md(_rules_table(contract, broken)),
        },
    )


def _broken(tally: pl.DataFrame) -> list[dict[str, Any]]:
    """The rules that rows broke, most rows first, each with a row to look at."""
    return (
        tally.filter((pl.col("rule_id") != "all") & (pl.col("failed_count") > 0))
        .sort("delivery_id")
        .group_by("rule_id", "severity_code", maintain_order=True)
        .agg(pl.col("failed_count").sum(), pl.col("first_source_row", "delivery_id").first())
        .sort(["failed_count", "rule_id"], descending=[True, False])
        .to_dicts()
    )


def _rules_table(contract: Contract, broken: Sequence[Mapping[str, Any]]) -> str:
    """Every rule of the contract, the broken ones first. Patterns hold bars, which would end a cell."""
    words = {r.name: r.description.replace("|", "\\|") for r in contract.rules}
    lines = ["| rule | what it asks | rows | for example |", "|---|---|---:|---|"]
    for row in broken:
        text = words.get(row["rule_id"], "the reader must be able to take the row apart")
        where = f"line {row['first_source_row']} of delivery {row['delivery_id'][:8]}"
        lines.append(f"| **{row['rule_id']}** | {text} | {row['failed_count']} | {where} |")
    whole = words.keys() - {row["rule_id"] for row in broken}
    lines += [f"| {name} | {text} | 0 | |" for name, text in words.items() if name in whole]
    return "\n".join(lines)


def conservation_check(key: AssetKey, tally: pl.DataFrame) -> AssetCheckResult:
    lines = tally.filter(pl.col("rule_id") == "all")
    ended = pl.col("valid_count") + pl.col("rejected_count") + pl.col("superseded_count")
    wrong = lines.filter(pl.col("landed_count") != ended)
    return AssetCheckResult(
        passed=wrong.is_empty(),
        asset_key=key,
        check_name="conservation",
        description=f"{len(lines)} of {len(lines)} deliveries add up."
        if wrong.is_empty()
        else f"{len(wrong)} of {len(lines)} deliveries do not add up: "
        "a fault of the program; nothing is published from this partition. Report it with the files.",
        metadata={"deliveries": len(lines), "deliveries that do not add up": len(wrong)},
    )
