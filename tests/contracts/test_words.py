"""Every rule is told in both languages, and nothing is told twice or of a rule that is gone."""

from __future__ import annotations

import pytest

from kinerja_pipeline.contracts import validation
from kinerja_pipeline.contracts.model import Contract, load_contracts
from kinerja_pipeline.contracts.words import _READER, indonesian, labels, of_reader, words
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.validated.policy_rules import FEED, with_policy_rules

PAGES = load_contracts()
RULED = [with_policy_rules(PAGES.incoming[FEED], policy, {}) for policy in load_policies().values()]
EVERY = [*PAGES.incoming.values(), *PAGES.outgoing.values(), *RULED]
WHOLE = {
    getattr(validation, name) for name in ("ALL", "ROW_UNREADABLE", "KEY_REPEATED", "REGION_OTHER", "PERIOD_OTHER")
}


@pytest.mark.parametrize("contract", EVERY, ids=lambda c: f"{c.direction}-{c.name}")
def test_every_rule_has_a_sentence_in_both_languages(contract: Contract) -> None:
    for rule in contract.rules:
        told = indonesian(rule, contract)
        assert told, f"write one for {contract.name}.{rule.name} under rules in data_contracts/labels.id.yaml"
        assert rule.description
        assert told != rule.description


def test_every_reason_of_the_reader_and_every_question_to_a_whole_table_is_told_in_indonesian() -> None:
    assert set(labels()["rules"]) >= {*_READER, *WHOLE}
    assert of_reader("nip__numeric", "id").startswith("nip harus berupa teks")
    assert of_reader("row__torn", "id") == labels()["rules"]["row__unreadable"]


def test_an_indonesian_sentence_belongs_to_a_rule_that_is_there() -> None:
    names = {name for c in EVERY for r in c.rules for name in (r.name, f"{c.name}.{r.name}")}
    assert set(labels()["rules"]) <= names | set(_READER) | WHOLE


def test_a_condition_is_told_as_its_page_and_the_labels_say_it() -> None:
    tasks = PAGES.incoming["task_record"]
    assert words("due_at__before__opened_at", tasks, "en") == "due_at must not be earlier than opened_at"
    assert words("due_at__before__opened_at", tasks, "id") == "due_at tidak boleh lebih awal dari opened_at"
    assert words("unit_id__unknown", tasks, "id") == "unit_id harus dikenal di org_unit"
