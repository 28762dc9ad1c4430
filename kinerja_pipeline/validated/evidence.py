"""What a split counted, as the evidence that its contract is judged by, and the judgement as it is kept.

Here: Split -> Counts -> Judgement -> one document; what of it stops a partition. Not here: the counting
(validated/split), how a contract is judged (contracts/validation), files and Dagster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import polars as pl

from kinerja_pipeline.contracts.model import Contract, Rule
from kinerja_pipeline.contracts.validation import Counts, Judgement, judge_counts
from kinerja_pipeline.contracts.words import remedy
from kinerja_pipeline.validated.split import Split

SAMPLES = 5
"""Rows of a broken rule that a document points to."""


class Blocked(Exception):
    """Rows break a rule on which nothing may be built; the message says which, how many, and what to do. Running again
    cures nothing: other files do."""


class Borne(NamedTuple):
    """How many rows break a rule with a tolerance of its own or one that blocks, of how many, and how many may."""

    rule: Rule
    broken: int
    asked: int
    tolerance_share: float

    @property
    def is_met(self) -> bool:
        return self.broken <= (self.tolerance_share + 1e-12) * self.asked


def borne(contract: Contract, tally: pl.DataFrame) -> list[Borne]:
    """The rules that are held to a tolerance one by one, by the deliveries of `tally`."""
    asked = int(tally.filter(pl.col("rule_id") == "all")["landed_count"].sum())
    failed = dict(tally.group_by("rule_id").agg(pl.col("failed_count").sum()).iter_rows())
    return [
        Borne(rule, failed.get(rule.name, 0), asked, contract.tolerance_of(rule))
        for rule in contract.rules
        if rule.is_blocking or rule.tolerance_share is not None
    ]


def standing(tally: pl.DataFrame, ledger: pl.DataFrame, feed: str, partition: str) -> pl.DataFrame:
    """The lines of a feed's tally whose deliveries still count: neither has another version of the file come since, nor
    a later file that is the whole truth for the partition (a month, or DATED). Else a mended file would mend nothing.
    """
    own = ledger.filter(pl.col("feed") == feed, pl.col("status_code") == "landed")
    speaks = pl.col("months").list.eval(pl.element().struct.field("name")).list.contains(partition)
    is_whole, sequence = (pl.col("delivery_mode") == "full") & speaks, pl.col("sequence")
    last_whole = sequence.filter(is_whole).max().over("delivery_scope")
    is_last = sequence == sequence.max().over("file_name")
    counts = own.filter(is_last & (sequence >= last_whole.fill_null(0)))
    return tally.filter(pl.col("delivery_id").is_in(counts["delivery_id"].implode()))


def blocked(region: str, month: str | None, found: Mapping[str, tuple[Contract, Sequence[Borne]]]) -> Blocked:
    """The error of a partition whose feeds (by name) break blocking rules."""
    lines = [
        f"- {name}: {each.broken} of {each.asked} rows break {each.rule.name} ({each.rule.description}; at most "
        f"{each.tolerance_share:.0%} may); {remedy(each.rule.name, contract, 'en')}"
        for name, (contract, rules) in found.items()
        for each in rules
    ]
    what = f"for {region} {month}" if month else f"from the registers of {region}"
    told = "\n".join(lines)
    return Blocked(f"Nothing was computed or published {what}; what was published stays.\n{told}")


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


def rejected_of(tally: pl.DataFrame) -> tuple[int, int]:
    """How many rows were rejected, of how many that landed."""
    rejected, landed = (
        tally.filter(pl.col("rule_id") == "all").select(pl.col("rejected_count", "landed_count").sum()).row(0)
    )
    return int(rejected), int(landed)


def is_borne(contract: Contract, tally: pl.DataFrame) -> bool:
    """Whether the rejected rows stay within what the contract tolerates of a feed as a whole."""
    rejected, landed = rejected_of(tally)
    return rejected <= (contract.tolerance_share + 1e-12) * landed


def document(
    contract: Contract,
    result: Split,
    judgement: Judgement,
    region: str,
    month: str | None,
    now: pl.DataFrame | None = None,
) -> dict[str, Any]:
    """What is kept of a feed's judgement: Great Expectations' result, how the rows ended, and where broken rows stand.

    Counts, delivery ids and row numbers only, never a value of a row. It says nothing of when it was made: the same
    rows give the same document. What is tolerated is asked of the lines of the tally that still count (`now`).
    """
    total = result.tally.filter(pl.col("rule_id") == "all")
    return {
        "feed": contract.name,
        "region": region,
        "month": month,
        "contract_version": contract.version,
        "tolerance_share": contract.tolerance_share,
        "is_borne": is_borne(contract, result.tally if now is None else now),
        **{name: int(total[f"{name}_count"].sum()) for name in ("landed", "valid", "rejected", "superseded")},
        "reader_reasons": reader_reasons(contract, result.tally),
        "unchecked": list(result.unchecked),
        "rows": _samples(result),
        "validation": judgement.document(),
    }


def reader_reasons(contract: Contract, tally: pl.DataFrame) -> dict[str, int]:
    """Why rows could not be taken apart, and how many: reasons of the reader, which no contract states."""
    rules = ["all", *(r.name for r in contract.rules)]
    found = tally.filter(~pl.col("rule_id").is_in(rules)).group_by("rule_id").agg(pl.col("failed_count").sum())
    return dict(found.sort("failed_count", "rule_id", descending=[True, False]).iter_rows())


def _samples(result: Split) -> dict[str, list[list[Any]]]:
    """For each broken rule some rows to look at, as delivery id and row number of the file."""
    rejected = result.rejected.select(
        pl.col("_reasons").alias("rule_id"), "_delivery_id", pl.col("_source_row").cast(pl.Int64)
    ).explode("rule_id")
    # A warning rejects nothing: of it only the first row of each delivery is known.
    first = result.tally.filter(pl.col("rule_id") != "all").select("rule_id", "delivery_id", "first_source_row")
    rows = pl.concat([rejected, first.rename(dict(zip(first.columns, rejected.columns, strict=True)))])
    kept = rows.drop_nulls().unique().sort(rows.columns).group_by("rule_id", maintain_order=True).head(SAMPLES)
    samples: dict[str, list[list[Any]]] = {}
    for rule, delivery, row in kept.iter_rows():
        samples.setdefault(rule, []).append([delivery, row])
    return samples
