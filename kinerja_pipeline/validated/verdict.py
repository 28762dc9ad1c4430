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
from kinerja_pipeline.contracts.words import Language, words
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
    rejected ones as the split hands them over, `unchecked` the feeds that references could not be asked of."""

    file: str
    contract: Contract
    landed: int
    valid: int
    rejected: int
    superseded: int
    set_aside: Mapping[str, int]
    failures: pl.DataFrame
    rows: pl.DataFrame
    unchecked: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        return self.rejected == 0

    def table(self, language: Language = "en") -> Table:
        """The kinds of bad rows: rule, what it asks, how many rows, the first line."""
        from rich.table import Table

        said = SAID[language]
        title = f"{self.file} {said['as']} {self.contract.name} {self.contract.version}"
        table = Table(title=title, title_justify="left")
        for heading in ("kind", "asked"):
            table.add_column(said[heading])
        for heading in ("rows", "first"):
            table.add_column(said[heading], justify="right")
        for row in self.failures.iter_rows(named=True):
            asked = self.asked(row["rule_id"], language, is_warning=row["severity_code"] == "warning")
            table.add_row(row["rule_id"], asked, number(row["failed_count"], language), str(row["first_source_row"]))
        return table

    def asked(self, rule_id: str, language: Language = "en", *, is_warning: bool = False) -> str:
        """What a rule asks, in words, with what a reference did not find."""
        missing = not_found(rule_id, self.rows, self.contract, language)
        found = f"; {missing}" if missing else ""
        return f"{words(rule_id, self.contract, language)}{found}{SAID[language]['warning'] if is_warning else ''}"

    def sentence(self, language: Language = "en") -> str:
        """The verdict in words, with what to do."""
        said = SAID[language]
        aside = "".join(f", {number(count, language)} {said['aside']} {name}" for name, count in self.set_aside.items())
        counts = ", ".join(
            f"{number(count, language)} {said[name]}"
            for name, count in (("valid", self.valid), ("rejected", self.rejected), ("superseded", self.superseded))
        )
        rows = said["row" if self.landed == 1 else "rows"]
        unchecked = f" {said['unchecked']} {', '.join(self.unchecked)}." if self.unchecked else ""
        outcome = said["good" if self.is_good else "bad"]
        return f"{number(self.landed, language)} {rows}: {counts}{aside}. {outcome}{unchecked}"


EXAMPLES = 5
"""So many missing values are named."""

SAID: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "as": "as",
        "kind": "kind of bad row",
        "asked": "what is asked",
        "rows": "rows",
        "row": "row",
        "first": "first line",
        "line": "line",
        "reasons": "reasons",
        "columns": "columns",
        "valid": "valid",
        "rejected": "rejected",
        "superseded": "superseded",
        "aside": "set aside as",
        "warning": " (a warning: the rows are used)",
        "good": "The file is good.",
        "bad": "Correct the rows listed and check again; delivered as it is, the other rows would still be used.",
        "unchecked": "Not checked, for nothing was delivered yet:",
        "value": "different value not found in",
        "values": "different values not found in",
        "personal": "(personal, so not shown)",
        "more": "more rows; correct these first and check again",
    },
    "id": {
        "as": "sebagai",
        "kind": "jenis baris salah",
        "asked": "yang diminta",
        "rows": "baris",
        "row": "baris",
        "first": "baris pertama",
        "line": "baris",
        "reasons": "alasan",
        "columns": "kolom",
        "valid": "sah",
        "rejected": "ditolak",
        "superseded": "digantikan",
        "aside": "disisihkan sebagai",
        "warning": " (peringatan: barisnya tetap dipakai)",
        "good": "Berkas ini baik.",
        "bad": "Perbaiki baris yang disebut dan periksa lagi; bila dikirim begini, baris lainnya tetap dipakai.",
        "unchecked": "Tidak diperiksa, karena belum ada kiriman:",
        "value": "nilai berbeda tidak ditemukan di",
        "values": "nilai berbeda tidak ditemukan di",
        "personal": "(data pribadi, tidak ditampilkan)",
        "more": "baris lagi; perbaiki yang ini dahulu dan periksa lagi",
    },
}


def number(count: int, language: Language) -> str:
    return f"{count:,}".replace(",", ".") if language == "id" else f"{count:,}"


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
        unchecked,
    )


def not_found(rule_id: str, rejected: pl.DataFrame, contract: Contract, language: Language = "en") -> str | None:
    """Of a reference that rows failed: how many different values it did not find, and which, unless personal."""
    said = SAID[language]
    rule = next((r for r in contract.rules if r.name == rule_id), None)
    if rule is None or rule.reference is None:
        return None
    failing = rejected.filter(pl.col("_reasons").list.contains(rule.name))
    values = failing.select(cleaned(contract.column(name)) for name in rule.columns).unique().sort(rule.columns)
    if values.is_empty():
        return None
    noun = said["value" if len(values) == 1 else "values"]
    count = f"{number(len(values), language)} {noun} {rule.reference[0]}"
    if any(contract.column(name).is_personal for name in rule.columns):
        return f"{count} {said['personal']}"
    shown = ", ".join(" ".join(map(str, row)) for row in values.head(EXAMPLES).rows())
    return f"{count}: {shown}{', ...' if len(values) > EXAMPLES else ''}"


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
