"""What only a policy's dates and codes can tell of an answer: rejected with a reason, and counted like any other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl
import pytest
from appraisal_world import ROUND, rules_of

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.policies.dated import Policies
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.policies.model import Appraisal, Policy
from kinerja_pipeline.validated.policy_rules import with_policy_rules
from kinerja_pipeline.validated.split import Split, split

CONTRACT = load_contracts().incoming["feedback_response"]
SALOR = load_policies()["salor"]
ANI = "199001012020012001"

GOOD: dict[str, str | None] = {
    "response_id": "r1",
    "element_code": "a",
    "survey_code": "appraisal",
    "round_id": ROUND,
    "submitted_at": "2026-03-10 09:00:00",
    "subject_kind": "employee",
    "subject_id": ANI,
    "role_code": "peer",
    "score": "4",
    "scale_max": "5",
}


def policy_of(rules: Appraisal) -> Policy:
    return SALOR.model_copy(update={"appraisal": rules})


def splits(
    *changes: Mapping[str, Any],
    policy: Policy | None = None,
    computed: Mapping[str, Iterable[str]] | None = None,
    register: Mapping[str, pl.DataFrame] | None = None,
) -> Split:
    """The split of rows that differ from the good one as told; each is its own response."""
    rows = [{**GOOD, "response_id": f"r{n}", **row} for n, row in enumerate(changes)]
    names = (*CONTRACT.names, "_delivery_id", "_problem", "_raw")
    landed = pl.DataFrame(
        [{"_delivery_id": "d1", **row} for row in rows], schema=dict.fromkeys(names, pl.String)
    ).with_columns(
        _source_row=pl.int_range(1, len(rows) + 1, dtype=pl.UInt32),
        _month=pl.col("submitted_at").str.slice(0, 7),
    )
    ledger = pl.DataFrame(
        {
            "delivery_id": ["d1", "d2"],
            "sequence": [1, 2],
            "delivery_mode": ["append", "append"],
            "delivery_scope": ["*", "*"],
        }
    )
    return split(
        landed,
        with_policy_rules(CONTRACT, policy or policy_of(rules_of()), computed),
        zone="Asia/Jayapura",
        references=register if register is not None else {"employee": pl.DataFrame({"nip": [ANI]})},
        deliveries=ledger,
    )


def test_a_good_answer_is_valid() -> None:
    assert splits({}).rejected.is_empty()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"submitted_at": "2026-03-28 00:00:00"}, "submitted_at__after__round"),
        ({"submitted_at": "2026-03-01 23:59:59"}, "submitted_at__before__round"),
        ({"round_id": "perilaku_2025_2"}, "round_id__unknown"),
        ({"element_code": "u1"}, "element_code__outside__round"),
        ({"survey_code": "skm"}, "survey_code__outside__round"),
        ({"role_code": "public"}, "role_code__outside__round"),
        ({"subject_kind": "unit", "subject_id": "dinkes"}, "subject_kind__outside__round"),
        ({"scale_max": "4"}, "scale_max__outside__round"),
        ({"subject_id": "199001012020012002"}, "subject_id__unknown"),
        ({"round_id": None}, "round_id__missing_for__role"),
    ],
)
def test_what_does_not_belong_to_the_round_is_rejected_with_one_reason_and_counted(
    change: dict[str, Any], reason: str
) -> None:
    result = splits({}, change)
    assert result.rejected["_reasons"].to_list() == [[reason]]
    line = result.tally.filter(pl.col("rule_id") == reason).row(0, named=True)
    assert (line["failed_count"], line["rejected_count"], line["severity_code"]) == (1, 1, "error")
    assert len(result.valid) == 1


def test_the_first_and_the_last_second_of_a_round_belong_to_it() -> None:
    edges = ({"submitted_at": "2026-03-02 00:00:00"}, {"submitted_at": "2026-03-27 23:59:59"})
    assert splits(*edges).rejected.is_empty()


def test_a_late_answer_is_late_in_the_regions_own_time() -> None:
    # 15:30 UTC is half past midnight of the 28th in Jayapura.
    [reasons] = splits({"submitted_at": "2026-03-27T15:30:00+00:00"}).rejected["_reasons"].to_list()
    assert reasons == ["submitted_at__after__round"]


def test_answers_delivered_after_the_round_was_computed_are_rejected() -> None:
    rows = ({"_delivery_id": "d1"}, {"_delivery_id": "d2"})
    result = splits(*rows, computed={ROUND: ["d1"]})
    assert result.valid["_delivery_id"].to_list() == ["d1"]
    assert result.rejected["_reasons"].to_list() == [["round_id__already_computed"]]


def test_an_answer_that_comes_too_late_replaces_none_that_counted() -> None:
    rows = ({"response_id": "r1", "_delivery_id": "d1"}, {"response_id": "r1", "score": "1", "_delivery_id": "d2"})
    result = splits(*rows, computed={ROUND: ["d1"]})
    assert (result.valid["score"].to_list(), len(result.superseded)) == ([4.0], 0)


def test_answers_of_the_public_are_none_of_a_rounds_business() -> None:
    public = {"round_id": None, "role_code": "public", "subject_kind": "unit", "subject_id": "dinkes"}
    public |= {"survey_code": "skm", "element_code": "u1", "scale_max": "4", "submitted_at": "2026-04-30 10:00:00"}
    assert splits(public).rejected.is_empty()
    assert splits(public, policy=SALOR).rejected.is_empty()


def test_a_region_without_rounds_knows_no_round() -> None:
    assert splits({}, policy=policy_of(Appraisal())).rejected["_reasons"].to_list() == [["round_id__unknown"]]


@pytest.mark.parametrize("feed", ["feedback_response", "indicator_measurement", "indicator_target"])
def test_what_is_no_unit_of_the_register_is_not_judged_as_one(feed: str) -> None:
    """Units are published to everyone; what somebody wrote in place of one may be a name or a complaint."""
    page = load_contracts().incoming[feed]
    rule = next(r for r in with_policy_rules(page, SALOR).rules if r.name == "subject_id__unknown__unit")
    assert (rule.reference, rule.severity) == (("org_unit", ("unit_id",)), "error")
    if feed == "feedback_response":
        answer = {"subject_kind": "unit", "role_code": "public", "round_id": None, "survey_code": "skm"}
        register = {"org_unit": pl.DataFrame({"unit_id": ["dinkes"]})}
        found = splits({**answer, "subject_id": "dinkes"}, {**answer, "subject_id": "Bu Ani"}, register=register)
        assert found.rejected["_reasons"].to_list() == [["subject_id__unknown__unit"]]
        assert found.rejected["subject_id"].to_list() == ["Bu Ani"]


def test_without_a_register_of_employees_nobody_is_unknown() -> None:
    assert splits({"subject_id": "199001012020012002"}, register={}).rejected.is_empty()


def test_other_feeds_keep_their_contract() -> None:
    tasks = load_contracts().incoming["task_record"]
    assert with_policy_rules(tasks, policy_of(rules_of())) is tasks


def test_a_round_is_held_by_the_policy_in_force_in_the_month_it_counts_in() -> None:
    before = policy_of(rules_of())
    [(name, held)] = before.appraisal.rounds.items()
    later = policy_of(before.appraisal.model_copy(update={"scale_max": 4}))

    def rounds(start: str) -> dict[str, Any]:
        return Policies({"salor": before}, {"salor": ((start, later),)}).rounds("salor")

    assert rounds(held.period) == {name: (held, later.appraisal)}
    assert rounds("2099-01") == {name: (held, before.appraisal)}
    without = policy_of(Appraisal())
    assert Policies({"salor": before}, {"salor": ((held.period, without),)}).rounds("salor") == {}
    rules = with_policy_rules(CONTRACT, without, rounds=rounds(held.period)).rules
    [scale] = [r.predicate for r in rules if r.name == "scale_max__outside__round"]
    assert scale == f"(round_id = '{name}' AND scale_max <> 4)"
