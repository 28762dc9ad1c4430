"""What a split counted, as the evidence that its contract is judged by, and the judgement as it is kept.

Here: Split -> Counts -> Judgement -> one document. Not here: the counting (validated/split), how a contract is judged
(contracts/validation), files and Dagster.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.contracts.validation import Counts, Judgement, judge_counts
from kinerja_pipeline.validated.split import Split

SAMPLES = 5
"""Rows of a broken rule that a document points to, each the first one of its delivery."""


def judged(contract: Contract, result: Split) -> Judgement:
    """The judgement of a feed's split; rules that could not be asked are left out, for nobody knows their outcome."""
    asked = tuple(r for r in contract.rules if r.name not in result.unchecked)
    return judge_counts(replace(contract, rules=asked), counts(result))


def counts(result: Split) -> Counts:
    """The tally's deliveries taken together."""
    total = result.tally.filter(pl.col("rule_id") == "all")
    by_rule = result.tally.filter(pl.col("rule_id") != "all").group_by("rule_id").agg(pl.col("failed_count").sum())
    return Counts(
        landed=int(total["landed_count"].sum()),
        rejected=int(total["rejected_count"].sum()),
        rows=result.asked_count,
        failed=dict(by_rule.iter_rows()),
        nulls=result.null_counts,
    )
