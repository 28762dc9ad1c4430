"""The checks that operators act on: what each asks, what was found, where, and what to do.

Here: judgements, counts and samples -> Dagster's check specs and results; of a row only what its contract lets
everybody see. Not here: judging (contracts/validation), counting, what a failed check keeps from happening (assets).

A spec needs the partitions of its asset, else results have none and stay planned for ever. Blocking rules are a check
each; the other rules of a feed are one check with a table, for each result costs a run some milliseconds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from dagster import AssetCheckResult, AssetCheckSeverity, AssetCheckSpec, AssetKey, MetadataValue, PartitionsDefinition

from kinerja_pipeline.contracts.model import ROWS_USUAL, TAPS_OF_EMPLOYEES, Contract, Rule, Severity
from kinerja_pipeline.contracts.validation import ALL, ROW_UNREADABLE, Judgement, Outcome
from kinerja_pipeline.contracts.words import Language, remedy, words
from kinerja_pipeline.landing import freshness
from kinerja_pipeline.landing.freshness import Freshness
from kinerja_pipeline.policies.model import Policy
from kinerja_pipeline.validated import owners, usual
from kinerja_pipeline.validated.evidence import Borne, borne, is_borne, rejected_of
from kinerja_pipeline.validated.owners import Owners
from kinerja_pipeline.validated.samples import Sample
from kinerja_pipeline.validated.usual import Volume

CONTRACT, CONSERVATION, VOLUME, FRESHNESS, TAPS, SUMS = (
    "contract",
    "conservation",
    "volume",
    "freshness",
    "taps_of_employees",
    "sum_of_parts",
)
SEVERITIES: Mapping[Severity, AssetCheckSeverity] = {
    "error": AssetCheckSeverity.ERROR,
    "warning": AssetCheckSeverity.WARN,
}
MOST_TOLD = 8
"""So many lines of a list are shown; how many there are stands before them."""
Partitions = PartitionsDefinition[str]


# ---- what is asked ---------------------------------------------------------------------------------------------------


def contract_check_spec(contract: Contract, key: AssetKey, partitions: Partitions) -> AssetCheckSpec:
    """One check per feed with a table of its rules."""
    own = sum(r.tolerance_share is not None and not r.is_blocking for r in contract.rules)
    rules = f"; {own} of its rules have a tolerance of their own" if own else ""
    asked = f"Rejected rows stay within the tolerance of the contract ({contract.tolerance_share:.0%}){rules}."
    return AssetCheckSpec(CONTRACT, asset=key, partitions_def=partitions, description=asked)


def blocking_rules(contract: Contract) -> list[Rule]:
    return [rule for rule in contract.rules if rule.is_blocking]


def rule_check_specs(contract: Contract, key: AssetKey, partitions: Partitions) -> list[AssetCheckSpec]:
    """One check per blocking rule of a feed."""
    return [
        AssetCheckSpec(
            rule.name,
            asset=key,
            partitions_def=partitions,
            blocking=True,
            description=f"{_sentence(words(rule.name, contract, 'en'))} Where more than "
            f"{contract.tolerance_of(rule):.0%} of the rows break it, nothing is computed or published from them.",
        )
        for rule in blocking_rules(contract)
    ]


def promise_check_spec(contract: Contract, key: AssetKey, partitions: Partitions) -> AssetCheckSpec:
    """One check per published table."""
    return AssetCheckSpec(
        CONTRACT,
        asset=key,
        partitions_def=partitions,
        description="The rows keep what their contract promises analysts; if not, nothing is published.",
    )


def conservation_check_spec(tally: AssetKey, partitions: Partitions) -> AssetCheckSpec:
    """One check for all feeds of a tally."""
    return AssetCheckSpec(
        CONSERVATION,
        asset=tally,
        partitions_def=partitions,
        blocking=True,
        description="landed = valid + rejected + superseded, for each delivery, and as many landed as the ledger says.",
    )


def volume_check_spec(contract: Contract, key: AssetKey, partitions: Partitions) -> AssetCheckSpec:
    bound = contract.bound(ROWS_USUAL) or usual.DEFAULT
    return AssetCheckSpec(
        VOLUME,
        asset=key,
        partitions_def=partitions,
        description=f"{_sentence(bound.description)} Usual are {bound.low:.0%} to {bound.high:.0%}.",
    )


def freshness_check_spec(contract: Contract, key: AssetKey, partitions: Partitions) -> AssetCheckSpec:
    asked = "Files come as often as the contract says"
    if contract.cadence:
        asked += f": every {contract.cadence.months} months, at the latest {contract.cadence.latency_days} days later"
    return AssetCheckSpec(FRESHNESS, asset=key, partitions_def=partitions, description=f"{asked}.")


def taps_check_spec(contract: Contract, key: AssetKey, partitions: Partitions) -> AssetCheckSpec:
    return AssetCheckSpec(
        TAPS,
        asset=key,
        partitions_def=partitions,
        description=f"At least {owners.least_share(contract):.0%} of the believed taps are of a PIN that somebody "
        "holds on that day, and of somebody employed then.",
    )


def sums_check_spec(key: AssetKey, partitions: Partitions) -> AssetCheckSpec:
    return AssetCheckSpec(
        SUMS,
        asset=key,
        partitions_def=partitions,
        blocking=True,
        description="Quarter, semester and year are the sum of their months, and units add up to the region, in "
        "numerators and denominators; if not, nothing is published.",
    )


# ---- what was found --------------------------------------------------------------------------------------------------


def contract_check(
    contract: Contract,
    key: AssetKey,
    judgement: Judgement,
    tally: pl.DataFrame,
    shown: Sequence[Sample] = (),
    standing: pl.DataFrame | None = None,
) -> AssetCheckResult:
    """The judgement of one partition. It passes while rejected rows stay within the contract's tolerance, and each rule
    with a tolerance of its own within that one; the severity is that of the rule, and a warning for the feed as a
    whole: rejected rows are set aside, the others are right. Of the `tally` the lines count that are `standing`."""
    now, total = tally if standing is None else standing, tally.filter(pl.col("rule_id") == ALL).sum()
    rejected, landed = rejected_of(now)
    share, broken = rejected / landed if landed else 0.0, _broken(now)
    over = [b for b in borne(contract, now) if not b.is_met and not b.rule.is_blocking]
    passed = is_borne(contract, now) and not over
    # The rows to look at first are those of the reason that is told first.
    named = [*(b.rule.name for b in over), *(r["rule_id"] for r in broken)]
    shown = sorted(shown, key=lambda each: named.index(each.rule_id) if each.rule_id in named else len(named))
    reasons = ", ".join(f"{r['rule_id']} {r['failed_count']}" for r in broken if r["severity_code"] == "error")
    told = [
        f"{rejected} of {landed} rows rejected ({share:.2%}, tolerance {contract.tolerance_share:.0%})"
        f"{': ' if reasons else ''}{reasons}.",
        *(f"{b.rule.name}: {b.broken} of {b.asked}, tolerance {b.tolerance_share:.0%}." for b in over),
    ]
    if old := (total["landed_count"].item() or 0) - landed:
        told.append(f"{old} rows of files that were replaced since do not count.")
    if passed:
        told.append("Within tolerance.")
    else:
        told += [f"First: {shown[0].file}, line {shown[0].line}."] if shown else []
        told.append("Ask the supplier to correct the rows that the quarantine lists and deliver the file again.")
    rules = [b.rule.name for b in over] or [r["rule_id"] for r in broken if r["severity_code"] == "error"]
    is_error = any(b.rule.severity == "error" for b in over)
    return AssetCheckResult(
        passed=passed,
        asset_key=key,
        check_name=CONTRACT,
        severity=SEVERITIES["error" if is_error else "warning"],
        description=" ".join(told),
        metadata={
            **{n: int(total[f"{n}_count"].item() or 0) for n in ("landed", "valid", "rejected", "superseded")},
            "expectations": f"{sum(o.is_met for o in judgement.outcomes)} of {len(judgement.outcomes)} met",
            "rules": MetadataValue.md(_rules_table(contract, judgement, _broken(tally))),
            **({} if passed else _what_to_do(contract, rules)),
            **({"rows to look at": MetadataValue.md(_samples_table(shown))} if shown else {}),
        },
    )


def rule_checks(
    contract: Contract, key: AssetKey, found: Iterable[Borne], shown: Sequence[Sample]
) -> list[AssetCheckResult]:
    """One result per blocking rule."""
    return [_rule_check(contract, key, each, shown) for each in found if each.rule.is_blocking]


def _rule_check(contract: Contract, key: AssetKey, found: Borne, shown: Sequence[Sample]) -> AssetCheckResult:
    rule, own = found.rule, [s for s in shown if s.rule_id == found.rule.name]
    told = f"{_sentence(words(rule.name, contract, 'en'))} {found.broken} of {found.asked} rows break it "
    told += f"(tolerance {found.tolerance_share:.0%})."
    if not found.is_met:
        first = f" First: {own[0].file}, line {own[0].line}." if own else ""
        told += f"{first} Nothing is published from these rows. To do: {remedy(rule.name, contract, 'en')}."
    return AssetCheckResult(
        passed=found.is_met,
        asset_key=key,
        check_name=rule.name,
        severity=AssetCheckSeverity.ERROR,
        description=told,
        metadata={
            "rows that break it": found.broken,
            "rows asked": found.asked,
            **({} if found.is_met else _what_to_do(contract, [rule.name])),
            **({"rows to look at": MetadataValue.md(_samples_table(own))} if own else {}),
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
    metadata: dict[str, int | str] = {
        "rows": row_count,
        "expectations": f"{met} met",
        "contract": f"{contract.name} {contract.version}",
    }
    if problems:
        metadata["what to do"] = (
            "What was published stays. Correct what computes the table, or its contract where that is wrong "
            f"({contract.name}.odcs.yaml); then run the month again. `kinerja explain` shows where a figure comes from."
        )
    return AssetCheckResult(
        passed=not problems,
        asset_key=key,
        check_name=CONTRACT,
        severity=AssetCheckSeverity.ERROR,
        description=f"{row_count} rows, {met} expectations met{': ' if told else '.'}{'; '.join(told)}",
        metadata=metadata,
    )


def conservation_check(key: AssetKey, tally: pl.DataFrame, landed: pl.DataFrame | None = None) -> AssetCheckResult:
    """`landed` is what the ledger says: feed, delivery_id, ledger_count."""
    lines = tally.filter(pl.col("rule_id") == ALL)
    ended = pl.sum_horizontal("valid_count", "rejected_count", "superseded_count")
    is_wrong = pl.col("landed_count") != ended
    if landed is not None:
        lines = lines.join(landed, on=["feed", "delivery_id"], how="left")
        is_wrong = is_wrong | (pl.col("landed_count") != pl.col("ledger_count")).fill_null(False)
    wrong = lines.filter(is_wrong)
    rows = lines.select(pl.col("landed_count", "valid_count", "rejected_count", "superseded_count").sum()).row(0)
    sums = "{} rows landed = {} valid + {} rejected + {} superseded".format(*rows)
    where = [f"{feed} {delivery[:8]}" for feed, delivery in wrong.select("feed", "delivery_id").head(MOST_TOLD).rows()]
    return AssetCheckResult(
        passed=wrong.is_empty(),
        asset_key=key,
        check_name=CONSERVATION,
        description=f"{len(lines)} of {len(lines)} deliveries add up: {sums}."
        if wrong.is_empty()
        else f"{len(wrong)} of {len(lines)} deliveries do not add up ({', '.join(where)}): "
        "a fault of the program; nothing is published from this partition. Report it with the files.",
        metadata={"deliveries": len(lines), "deliveries that do not add up": len(wrong)},
    )


def lost_check(key: AssetKey, problem: str) -> AssetCheckResult:
    """The same where counting the rows themselves already showed that some are missing."""
    return AssetCheckResult(passed=False, asset_key=key, check_name=CONSERVATION, description=problem)


def volume_check(contract: Contract, key: AssetKey, month: str, found: Volume) -> AssetCheckResult:
    return AssetCheckResult(
        passed=found.is_usual,
        asset_key=key,
        check_name=VOLUME,
        severity=SEVERITIES[found.bound.severity],
        description=usual.sentence(found, contract, month),
        metadata={"rows": found.rows, "usual rows": found.median or 0, "months compared": ", ".join(found.months)},
    )


def freshness_check(
    contract: Contract, key: AssetKey, policy: Policy, found: Freshness, today: dt.date
) -> AssetCheckResult:
    told = {"due": found.due, "last file": found.received, "last month with rows": found.last_month}
    return AssetCheckResult(
        passed=not found.is_overdue,
        asset_key=key,
        check_name=FRESHNESS,
        severity=AssetCheckSeverity.WARN,
        description=freshness.sentence(found, contract, policy, today),
        metadata={name: str(value) for name, value in told.items() if value is not None},
    )


def taps_check(contract: Contract, key: AssetKey, found: Owners | None) -> AssetCheckResult:
    """Not asked (None) of a region without a register of PINs."""
    bound = contract.bound(TAPS_OF_EMPLOYEES)
    return AssetCheckResult(
        passed=found is None or found.share >= owners.least_share(contract),
        asset_key=key,
        check_name=TAPS,
        severity=SEVERITIES[bound.severity if bound else "warning"],
        description=owners.sentence(found, contract) if found else "Not asked: the region has no register of PINs.",
        metadata={
            "taps": found.tap_count,
            "of employees": found.employee_count,
            "of PINs that nobody holds": found.nobody_count,
            "of people not employed": found.inactive_count,
        }
        if found
        else {},
    )


def sums_check(key: AssetKey, asked: int, problems: Sequence[str]) -> AssetCheckResult:
    more = f"; and {len(problems) - MOST_TOLD} more" if len(problems) > MOST_TOLD else ""
    return AssetCheckResult(
        passed=not problems,
        asset_key=key,
        check_name=SUMS,
        severity=AssetCheckSeverity.ERROR,
        description=f"{asked} sums, all equal to their parts."
        if not problems
        else f"Of {asked} sums some differ from their parts: {'; '.join(problems[:MOST_TOLD])}{more}. Nothing was "
        "published; what was published stays. Run the months of the period again; if it comes back, report it.",
        metadata={"sums": asked, "sums that differ": len(problems)},
    )


# ---- tables ----------------------------------------------------------------------------------------------------------


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


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
    outcomes = {o.rule: o for o in judgement.outcomes}
    lines = ["| rule | what it asks | severity | rows | tolerance | expectation | for example |"]
    lines.append("|---|---|---|---:|---:|---|---|")
    for row in broken:
        rule = next((r for r in contract.rules if r.name == row["rule_id"]), None)
        where = f"line {row['first_source_row']} of delivery {row['delivery_id'][:8]}"
        told = _told(outcomes.get(row["rule_id"], judgement.of(ROW_UNREADABLE)))
        text, bears = _cell(words(row["rule_id"], contract, "en")), _bears(contract, rule)
        severity = _severity(rule) if rule else row["severity_code"]
        count = row["failed_count"]
        lines.append(f"| **{row['rule_id']}** | {text} | {severity} | {count} | {bears} | {told} | {where} |")
    named = {row["rule_id"] for row in broken}
    lines += [
        f"| {r.name} | {_cell(r.description)} | {_severity(r)} | 0 | {_bears(contract, r)} | "
        f"{_told(outcomes.get(r.name))} | |"
        for r in contract.rules
        if r.name not in named
    ]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _severity(rule: Rule) -> str:
    return "blocking" if rule.is_blocking else rule.severity


def _bears(contract: Contract, rule: Rule | None) -> str:
    """A rule's own tolerance; the others share the table's."""
    return f"{contract.tolerance_of(rule):.0%}" if rule and rule.tolerance_share is not None else ""


def _told(outcome: Outcome | None) -> str:
    """Whether the expectation is met; what a feed bears of its rows, a rule bears of the values that are there."""
    if outcome is None:
        return "not asked"
    return "met" if outcome.is_met else f"not met: {outcome.broken} of {outcome.asked}"


def _what_to_do(contract: Contract, rules: Iterable[str]) -> dict[str, MetadataValue[Any]]:
    """What to do about each of the rules, in both languages."""
    named = list(rules)[:MOST_TOLD]
    languages: Mapping[str, Language] = {"what to do": "en", "yang harus dilakukan": "id"}
    return {
        name: MetadataValue.md(
            "\n".join(f"- **{n}** ({words(n, contract, spoken)}): {remedy(n, contract, spoken)}." for n in named)
        )
        for name, spoken in languages.items()
        if named
    }


def _samples_table(shown: Sequence[Sample]) -> str:
    """Where the rows stand and what everybody may see of them."""
    lines = ["| rule | file | line | cells |", "|---|---|---:|---|"]
    for each in shown[: 3 * MOST_TOLD]:
        cells = ", ".join(f"{name} = `{_cell(text.replace('`', ''))}`" for name, text in each.cells.items())
        lines.append(f"| {each.rule_id} | {_cell(each.file)} | {each.line} | {cells} |")
    return "\n".join(lines)
