"""Every rule is told in both languages, and nothing is told twice or of a rule that is gone."""

from __future__ import annotations

import pytest

from kinerja_pipeline.contracts import validation
from kinerja_pipeline.contracts.model import Contract, RuleFamily, load_contracts
from kinerja_pipeline.contracts.words import _READER, _REMEDIES, indonesian, labels, of_reader, remedy, words
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.validated.policy_rules import JUDGING, with_policy_rules

PAGES = load_contracts()
RULED = [with_policy_rules(PAGES.incoming[feed], policy, {}) for feed in JUDGING for policy in load_policies().values()]
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


@pytest.mark.parametrize("contract", EVERY, ids=lambda c: f"{c.direction}-{c.name}")
def test_of_every_broken_rule_it_is_said_what_to_do_in_both_languages(contract: Contract) -> None:
    for name in (*(r.name for r in contract.rules), *_READER, "nip__numeric"):
        english, indonesian_text = remedy(name, contract, "en"), remedy(name, contract, "id")
        assert english != indonesian_text
        assert not {"{", "}"} & {*english, *indonesian_text}


def test_every_family_of_rules_has_a_remedy() -> None:
    families = {*RuleFamily.__args__, "reader", "dropped"}  # type: ignore[attr-defined]
    assert {language: set(said) for language, said in _REMEDIES.items()} == {"en": families, "id": families}


def test_a_remedy_names_the_columns_and_the_register_to_deliver() -> None:
    assert remedy("pin__unknown", PAGES.incoming["attendance_log"], "en") == (
        "deliver device_pin with what is lacking (its months then run again), or have device_id and pin corrected"
    )
    assert remedy("pin__unknown", PAGES.incoming["attendance_log"], "id") == (
        "kirim device_pin dengan yang belum ada (bulannya lalu dihitung lagi), atau perbaiki device_id dan pin"
    )
    assert remedy("task_id__missing", PAGES.incoming["task_record"], "id").startswith("minta pengirim mengisi task_id")
