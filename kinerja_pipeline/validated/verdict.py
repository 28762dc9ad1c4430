"""What a contract says of one file before it is delivered: the same reading, reshape and split, with nothing kept.

Here: one file -> counts, first lines and what to do, per kind of bad row. Not here: landing it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from kinerja_pipeline.contracts.model import Contract, Contracts
from kinerja_pipeline.facts.periods import add_months, month_of
from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.deliveries import read_delivery
from kinerja_pipeline.landing.refusals import no_region
from kinerja_pipeline.policies.dated import Policies
from kinerja_pipeline.policies.model import Policy
from kinerja_pipeline.validated.parsing import cleaned, landing_month
from kinerja_pipeline.validated.policy_rules import with_policy_rules
from kinerja_pipeline.validated.split import split

if TYPE_CHECKING:
    from rich.table import Table


class VerdictError(Exception):
    """The question cannot be answered: no such region, feed or mapping; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the rows of one file, and the rules that some of them failed, most frequent first. `rows` are the
    rejected ones as the split hands them over, `missing` says of references what they did not find."""

    file: str
    contract: Contract
    landed: int
    valid: int
    rejected: int
    superseded: int
    set_aside: Mapping[str, int]
    failures: pl.DataFrame
    rows: pl.DataFrame
    missing: Mapping[str, str]
    unchecked: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        return self.rejected == 0

    def table(self) -> Table:
        """The kinds of bad rows: rule, what it asks, how many rows, the first line."""
        from rich.table import Table

        table = Table(title=f"{self.file} as {self.contract.name} {self.contract.version}", title_justify="left")
        table.add_column("kind of bad row")
        table.add_column("what is asked")
        table.add_column("rows", justify="right")
        table.add_column("first line", justify="right")
        for row in self.failures.iter_rows(named=True):
            asked = self.asked(row["rule_id"], is_warning=row["severity_code"] == "warning")
            table.add_row(row["rule_id"], asked, f"{row['failed_count']:,}", str(row["first_source_row"]))
        return table

    def asked(self, rule_id: str, *, is_warning: bool = False) -> str:
        """What a rule asks, in words, with what a reference did not find."""
        found = f"; {self.missing[rule_id]}" if rule_id in self.missing else ""
        return f"{self.words(rule_id)}{found}{' (a warning: the rows are used)' if is_warning else ''}"

    def words(self, rule_id: str) -> str:
        """What a rule asks, in words."""
        told = {r.name: r.description for r in self.contract.rules}
        return told.get(rule_id) or _asked_by_reader(rule_id)

    def sentence(self) -> str:
        """The verdict in words, with what to do."""
        kept = "".join(f", {count:,} set aside as {name}" for name, count in self.set_aside.items())
        counts = (
            f"{self.landed:,} row{'' if self.landed == 1 else 's'}: {self.valid:,} valid, {self.rejected:,} rejected, "
            f"{self.superseded:,} superseded{kept}."
        )
        unchecked = (
            f" Not checked, for nothing was delivered yet: {', '.join(self.unchecked)}." if self.unchecked else ""
        )
        if self.is_good:
            return f"{counts} The file is good.{unchecked}"
        advice = "Correct the rows listed and check again; delivered as it is, the other rows would still be used."
        return f"{counts} {advice}{unchecked}"


EXAMPLES = 5
"""So many missing values are named."""

READER_REASONS = {
    "correction__dropped": "a person took the row out; see the register of corrections",
    "row__short": "the row must have as many cells as the header",
    "row__long": "the row must not have more cells than the header",
    "line__unreadable": "the line must be whole: it is cut, damaged, or not in this format",
}


def _asked_by_reader(rule: str) -> str:
    if rule.endswith("__numeric"):
        return f"{rule.removesuffix('__numeric')} must be text: a spreadsheet rounds long numbers, the digits are lost"
    return READER_REASONS.get(rule, "the row could not be taken apart")


def verdict(file: Path, feed: str, region: str, home: Home, policies: Policies, contracts: Contracts) -> Verdict:
    """Reads `file` as `feed` of `region` and says what the contract says; references are those the home already holds.

    Raises VerdictError, and UnreadableFile when the file cannot be read as a whole.
    """
    if region not in policies:
        raise VerdictError(f"There is {no_region(region, policies)}")
    if feed not in contracts.incoming:
        raise VerdictError(f"There is no feed '{feed}'; known are {', '.join(contracts.incoming)}.")
    if not file.is_file():
        raise VerdictError(f"{file}: there is no such file.")
    policy = policies[region]
    contract = with_policy_rules(contracts.incoming[feed], policy, rounds=policies.rounds(region))
    reshaped = read_delivery(home, policy, contract, file)
    delivery = hashlib.sha256(file.read_bytes()).hexdigest()
    landed = reshaped.landed.with_columns(pl.lit(delivery).alias("_delivery_id"))
    if contract.is_event:
        arrival = dt.datetime.fromtimestamp(file.stat().st_mtime, policy.zone).date()
        landed = _with_month(landed, contract, policy, arrival)
    references, unchecked = _references(home, policy, contract)
    ledger = pl.DataFrame(
        {"delivery_id": [delivery], "sequence": [1], "delivery_mode": ["append"], "delivery_scope": [file.name]}
    )
    result = split(landed, contract, zone=policy.time_zone, references=references, deliveries=ledger)
    total = result.tally.filter(pl.col("rule_id") == "all").sum()
    return Verdict(
        file.name,
        contract,
        len(landed),
        total["valid_count"].item() or 0,
        total["rejected_count"].item() or 0,
        total["superseded_count"].item() or 0,
        reshaped.set_aside,
        result.tally.filter(pl.col("rule_id") != "all").sort("failed_count", "rule_id", descending=[True, False]),
        result.rejected,
        missing_values(result.rejected, contract),
        unchecked,
    )


def missing_values(rejected: pl.DataFrame, contract: Contract) -> dict[str, str]:
    """Of each reference that rows failed: how many different values it did not find, and which, unless personal."""
    told = {}
    for rule in contract.rules:
        if rule.reference is None:
            continue
        failing = rejected.filter(pl.col("_reasons").list.contains(rule.name))
        values = failing.select(cleaned(contract.column(name)) for name in rule.columns).unique().sort(rule.columns)
        if values.is_empty():
            continue
        count = f"{len(values):,} different value{'' if len(values) == 1 else 's'} not found in {rule.reference[0]}"
        if any(contract.column(name).is_personal for name in rule.columns):
            told[rule.name] = f"{count} (personal, so not shown)"
        else:
            shown = ", ".join(" ".join(map(str, row)) for row in values.head(EXAMPLES).rows())
            told[rule.name] = f"{count}: {shown}{', ...' if len(values) > EXAMPLES else ''}"
    return told


def _with_month(landed: pl.DataFrame, contract: Contract, policy: Policy, arrival: dt.date) -> pl.DataFrame:
    """The month each row would land in: its own, or none (and so rejected) when nobody would believe it, as landing
    judges it: before the region's first month, or over a year after the file was written."""
    month = landing_month(contract, policy.time_zone)
    is_near = month.is_between(pl.lit(policy.first_month), pl.lit(add_months(month_of(arrival), 12)))
    return landed.with_columns(pl.when(is_near).then(month).otherwise(pl.lit("")).alias("_month"))


def _references(home: Home, policy: Policy, contract: Contract) -> tuple[dict[str, pl.DataFrame], tuple[str, ...]]:
    from kinerja_pipeline.orchestration.storage import Lake

    lake = Lake(home.lake)
    wanted = sorted({r.reference[0] for r in contract.rules if r.reference and r.reference[0] in policy.feeds})
    have = {
        name: lake.read("validated", name, policy.region)
        for name in wanted
        if lake.has("validated", name, policy.region)
    }
    return have, tuple(name for name in wanted if name not in have)
