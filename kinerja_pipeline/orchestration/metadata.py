"""What the UI shows about a table: its columns from the contract, row counts, a table of rules.

Here: contract, judgement and tally -> Dagster metadata, never a value of a row. Not here: the counting and judging.
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
from kinerja_pipeline.contracts.validation import ALL, ROW_UNREADABLE, Judgement, Outcome
from kinerja_pipeline.orchestration.column_lineage import sources_table
from kinerja_pipeline.validated.corrections import DROPPED

_OTHERS = {DROPPED: "a person took the row out; the register of corrections says why"}


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


def contract_check_spec(contract: Contract, key: AssetKey, partitions: PartitionsDefinition[str]) -> AssetCheckSpec:
    """One check per feed with a table of its rules. It needs the asset's partitions, else results have none and stay
    PLANNED for ever."""
    return AssetCheckSpec(
        "contract",
        asset=key,
        partitions_def=partitions,
        description=f"Rejected rows stay within the tolerance of the contract ({contract.tolerance_share:.0%}).",
    )


def promise_check_spec(contract: Contract, key: AssetKey, partitions: PartitionsDefinition[str]) -> AssetCheckSpec:
    """One check per published table; it needs the asset's partitions, as above."""
    return AssetCheckSpec(
        "contract",
        asset=key,
        partitions_def=partitions,
        description="The rows keep what their contract promises analysts; if not, nothing is published.",
    )


def conservation_check_spec(key: AssetKey, partitions: PartitionsDefinition[str]) -> AssetCheckSpec:
    return AssetCheckSpec(
        "conservation",
        asset=key,
        partitions_def=partitions,
        blocking=True,
        description="landed = valid + rejected + superseded, for each delivery.",
    )


def contract_check(contract: Contract, key: AssetKey, judgement: Judgement, tally: pl.DataFrame) -> AssetCheckResult:
    """The judgement of one partition; it passes while rejected rows stay within the contract's tolerance. Counts and
    row numbers only, no values."""
    whole, total = judgement.of(ALL), tally.filter(pl.col("rule_id") == ALL).sum()
    share = whole.broken / whole.asked if whole.asked else 0.0
    broken = _broken(tally)
    reasons = ", ".join(f"{r['rule_id']} {r['failed_count']}" for r in broken if r["severity_code"] == "error")
    remedy = (
        "Within tolerance."
        if whole.is_met
        else "Ask the supplier to correct the rows that the quarantine lists and deliver them again; run the month."
    )
    return AssetCheckResult(
        passed=whole.is_met,
        asset_key=key,
        check_name="contract",
        severity=AssetCheckSeverity.WARN,
        description=f"{whole.broken} of {whole.asked} rows rejected ({share:.2%}, tolerance "
        f"{contract.tolerance_share:.0%}){': ' if reasons else ''}{reasons}. {remedy}",
        metadata={
            "landed": whole.asked,
            "valid": total["valid_count"].item() or 0,
            "rejected": whole.broken,
            "superseded": total["superseded_count"].item() or 0,
            "expectations": f"{sum(o.is_met for o in judgement.outcomes)} of {len(judgement.outcomes)} met",
            "rules": MetadataValue.md(_rules_table(contract, judgement, broken)),
        },
    )


def promise_check(
    contract: Contract, key: AssetKey, row_count: int, judgement: Judgement | None, problems: Sequence[str]
) -> AssetCheckResult:
    """The judgement of a published table's rows: counts only. A table whose columns or types are wrong has none."""
    outcomes = judgement.outcomes if judgement else ()
    unmet = [o for o in outcomes if not o.is_met]
    met = f"{len(outcomes) - len(unmet)} of {len(outcomes)}"
    told = [f"{o.rule}: {o.problem or f'{o.broken} of {o.asked}'} ({o.words})" for o in unmet] or list(problems)
    return AssetCheckResult(
        passed=not problems,
        asset_key=key,
        check_name="contract",
        severity=AssetCheckSeverity.ERROR,
        description=f"{row_count} rows, {met} expectations met{': ' if told else '.'}{'; '.join(told)}",
        metadata={"rows": row_count, "expectations": f"{met} met", "contract": f"{contract.name} {contract.version}"},
    )


def _broken(tally: pl.DataFrame) -> list[dict[str, Any]]:
    """The reasons for which rows failed, most rows first, each with a row to look at: rules, and the reader's own."""
    return (
        tally.filter((pl.col("rule_id") != ALL) & (pl.col("failed_count") > 0))
        .sort("delivery_id")
        .group_by("rule_id", "severity_code", maintain_order=True)
        .agg(pl.col("failed_count").sum(), pl.col("first_source_row", "delivery_id").first())
        .sort(["failed_count", "rule_id"], descending=[True, False])
        .to_dicts()
    )


def _rules_table(contract: Contract, judgement: Judgement, broken: Sequence[Mapping[str, Any]]) -> str:
    """Every rule of the contract, the broken ones first. Patterns hold bars, which would end a cell."""
    words = {r.name: r.description.replace("|", "\\|") for r in contract.rules}
    outcomes = {o.rule: o for o in judgement.outcomes}
    lines = ["| rule | what it asks | rows | expectation | for example |", "|---|---|---:|---|---|"]
    for row in broken:
        text = words.get(row["rule_id"], _OTHERS.get(row["rule_id"], "the reader must be able to take the row apart"))
        where = f"line {row['first_source_row']} of delivery {row['delivery_id'][:8]}"
        told = _told(outcomes.get(row["rule_id"], judgement.of(ROW_UNREADABLE)))
        lines.append(f"| **{row['rule_id']}** | {text} | {row['failed_count']} | {told} | {where} |")
    whole = [name for name in words if name not in {row["rule_id"] for row in broken}]
    lines += [f"| {name} | {words[name]} | 0 | {_told(outcomes.get(name))} | |" for name in whole]
    return "\n".join(lines)


def _told(outcome: Outcome | None) -> str:
    """Whether the expectation is met; what a feed bears of its rows, a rule bears of the values that are there."""
    if outcome is None:
        return "not asked"
    return "met" if outcome.is_met else f"not met: {outcome.broken} of {outcome.asked}"


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
