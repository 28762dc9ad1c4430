"""Rules that are added to a feed's contract: what a policy's dates and codes or a row's subject tell.

Here: appraisal rounds -> rules of feedback_response, subjects -> the register that must know them; the split then
applies and counts them like any other. Not here: what the contract page says itself (data_contracts/), the split.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace

from kinerja_pipeline.contracts.model import Contract, Rule
from kinerja_pipeline.policies.model import Appraisal, AppraisalRound, Policy

FEED = "feedback_response"
JUDGING: Mapping[str, tuple[str, ...]] = {
    FEED: ("employee", "org_unit"),
    "indicator_measurement": ("org_unit",),
    "indicator_target": ("org_unit",),
}
"""Feeds whose rows name a subject, and the registers that must know it. What a unit is called is published to everyone,
so a name, a number or a complaint that somebody writes in its place must not pass for one."""

Rounds = Mapping[str, tuple[AppraisalRound, Appraisal]]
"""Appraisal rounds by id, each with the rules by which it is held."""


def with_policy_rules(
    contract: Contract,
    policy: Policy,
    computed: Mapping[str, Iterable[str]] | None = None,
    rounds: Rounds | None = None,
) -> Contract:
    """The contract with the rules that are added to it; feeds that judge nobody stay as they are.

    `computed` are the rounds that have been computed, each with the deliveries that its answers came from: a round is
    computed once, so answers that arrive afterwards are rejected. `rounds` are those of all versions of a dated policy
    (else those of `policy`): an answer may come months before its round counts.
    """
    subjects = [_SUBJECTS[register] for register in JUDGING.get(contract.name, ())]
    if contract.name != FEED:
        return replace(contract, rules=(*contract.rules, *subjects)) if subjects else contract
    if rounds is None:
        rounds = {name: (held, policy.appraisal) for name, held in policy.appraisal.rounds.items()}
    return replace(contract, rules=(*contract.rules, *subjects, *_answer_rules(rounds, computed or {})))


_SUBJECTS = {
    "employee": Rule(
        "subject_id__unknown",
        "reference",
        ("subject_id",),
        "error",
        "an employee who is judged must be known to employee",
        predicate="subject_kind = 'employee'",
        reference=("employee", ("nip",)),
    ),
    "org_unit": Rule(
        "subject_id__unknown__unit",
        "reference",
        ("subject_id",),
        "error",
        "a unit that is judged must be known to org_unit",
        predicate="subject_kind = 'unit'",
        reference=("org_unit", ("unit_id",)),
    ),
}


def _answer_rules(rounds: Rounds, computed: Mapping[str, Iterable[str]]) -> Iterable[Rule]:
    unknown = f"round_id NOT IN ({_texts(rounds)})" if rounds else "round_id IS NOT NULL"
    yield _row("round_id__unknown", "round_id must be a round that the region's policy declares", unknown, "round_id")
    if not rounds:
        return
    yield _each_round(
        "submitted_at__before__round",
        "an answer to a round must not be sent before the round opens",
        {name: f"submitted_at < {_midnight(each.opens)}" for name, (each, _) in rounds.items()},
        "submitted_at",
    )
    yield _each_round(
        "submitted_at__after__round",
        "an answer to a round must not be sent after the round has closed",
        {
            name: f"submitted_at >= {_midnight(each.closes + dt.timedelta(days=1))}"
            for name, (each, _) in rounds.items()
        },
        "submitted_at",
    )
    yield _each_round(
        "element_code__outside__round",
        "element_code must be a competency of the round",
        {
            name: f"element_code NOT IN ({_texts(rules.competencies_of(each))})"
            for name, (each, rules) in rounds.items()
        },
        "element_code",
    )
    yield _each_round(
        "survey_code__outside__round",
        "survey_code must be that of the round",
        {name: f"survey_code <> '{each.survey_code}'" for name, (each, _) in rounds.items()},
        "survey_code",
    )
    yield _each_round(
        "role_code__outside__round",
        "role_code must be a role that the policy's appraisal names",
        {name: f"role_code NOT IN ({_texts(rules.roles)})" for name, (_, rules) in rounds.items()},
        "role_code",
    )
    yield _each_round(
        "subject_kind__outside__round",
        "an appraisal judges employees",
        dict.fromkeys(rounds, "subject_kind <> 'employee'"),
        "subject_kind",
    )
    scales = " or ".join(str(scale) for scale in sorted({rules.scale_max for _, rules in rounds.values()}))
    yield _each_round(
        "scale_max__outside__round",
        f"answers to a round are on the scale from 1 to {scales}",
        {name: f"scale_max <> {rules.scale_max}" for name, (_, rules) in rounds.items()},
        "scale_max",
    )
    late = {name: ids for name, ids in computed.items() if name in rounds}
    # Asked before there is a computed round, too: running again then asks the same.
    yield _each_round(
        "round_id__already_computed",
        "a round is computed once; answers that are delivered later cannot enter it",
        {name: f"_delivery_id NOT IN ({_texts(ids)})" if list(ids) else "TRUE" for name, ids in late.items()},
    )


def _each_round(name: str, text: str, conditions: Mapping[str, str], *columns: str) -> Rule:
    predicate = " OR ".join(f"(round_id = '{held}' AND {bad})" for held, bad in conditions.items()) or "FALSE"
    return _row(name, text, predicate, *columns, "round_id")


def _row(name: str, text: str, predicate: str, *columns: str) -> Rule:
    return Rule(name, "row", columns, "error", text, predicate=predicate)


def _texts(words: Iterable[str]) -> str:
    """SQL texts. All words are identifiers of the policy or hexadecimal, so that none holds a quote."""
    return ", ".join(f"'{word}'" for word in words)


def _midnight(day: dt.date) -> str:
    return f"TIMESTAMP '{day.isoformat()} 00:00:00'"
