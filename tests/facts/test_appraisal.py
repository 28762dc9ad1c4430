"""A round's roles, competencies, raters and behaviour, worked out by hand from DOMAIN sections 4 and 9."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest
from appraisal_world import AFTER, CLOSES, MONTH, ROUND, Said, answers, rules_of, staff
from pydantic import ValidationError

from kinerja_pipeline.facts.appraisal import APPRAISAL_SCHEMAS, appraisal
from kinerja_pipeline.policies.model import Appraisal

KEPALA, ANI, BUDI, CITRA, DEWI = "kepala", "ani", "budi", "citra", "dewi"
UNIT = staff(
    (KEPALA, "dinkes", "pengawas", "bupati"),
    (ANI, "dinkes", "pelaksana", KEPALA),
    (BUDI, "dinkes", "pelaksana", KEPALA),
    (CITRA, "dinkes", "pelaksana", KEPALA),
    (DEWI, "dinkes", "pelaksana", KEPALA),
)


def computed(*said: Said, rules: Appraisal | None = None, register: pl.DataFrame = UNIT) -> Mapping[str, pl.DataFrame]:
    return appraisal(answers(*said), register, rules or rules_of(), MONTH, AFTER, delivery_ids=["d1"])


def said_of(nip: str, role: str, *marks: tuple[float, float]) -> list[Said]:
    """One rater for each pair of marks (competencies a and b)."""
    return [(nip, role, f"{nip}-{role}-{n}", {"a": a, "b": b}) for n, (a, b) in enumerate(marks)]


def roles(tables: Mapping[str, pl.DataFrame], nip: str = ANI) -> dict[str, tuple[Any, ...]]:
    rows = tables["appraisal_role"].filter(pl.col("nip") == nip)
    return {r[0]: r[1:] for r in rows.select("role_code", "rater_count", "mean_score", "is_suppressed").rows()}


def behaviour(tables: Mapping[str, pl.DataFrame], nip: str = ANI) -> tuple[Any, ...]:
    rows = tables["behaviour_score"].filter(pl.col("nip") == nip)
    return rows.select("behaviour_score", "has_opinion", "is_pending").row(0)


def profile(tables: Mapping[str, pl.DataFrame], nip: str = ANI) -> dict[str, tuple[Any, ...]]:
    rows = tables["competency_profile"].filter(pl.col("nip") == nip)
    names = ("competency_code", "score", "unit_mean", "gap", "is_strength", "is_weakness", "is_suppressed")
    return {r[0]: r[1:] for r in rows.select(names).rows()}


SUPERIOR = said_of(ANI, "superior", (4, 5))
PEERS = said_of(ANI, "peer", (3, 4), (4, 4), (5, 4))


def test_superior_and_peers_make_the_score_half_and_half() -> None:
    # Superior 4.5 of 5 = 90 %, peers (12 + 12) / 6 = 4.0 = 80 %: 0.5 * 90 + 0.5 * 80.
    tables = computed(*SUPERIOR, *PEERS)
    assert roles(tables) == {"superior": (1, 4.5, False), "peer": (3, 4.0, False)}
    assert behaviour(tables) == (85.0, True, False)


def test_a_leader_is_judged_from_three_sides() -> None:
    # 0.5 * 80 + 0.3 * 60 + 0.2 * 100 = 78
    subordinates = said_of(KEPALA, "subordinate", (5, 5), (5, 5), (5, 5), (5, 5))
    peers = said_of(KEPALA, "peer", (3, 3), (3, 3), (3, 3))
    tables = computed(*said_of(KEPALA, "superior", (4, 4)), *peers, *subordinates)
    assert behaviour(tables, KEPALA) == (pytest.approx(78.0), True, False)


def test_two_peers_are_too_few_and_the_score_waits_for_them() -> None:
    tables = computed(*SUPERIOR, *PEERS[:2])
    assert roles(tables)["peer"] == (2, None, True)
    assert behaviour(tables) == (None, False, True)


def test_a_role_nobody_answered_is_absent_and_not_zero() -> None:
    tables = computed(*SUPERIOR)
    assert roles(tables) == {"superior": (1, 4.5, False), "peer": (0, None, True)}
    assert behaviour(tables) == (None, False, True)


def test_where_the_policy_renormalises_the_other_roles_carry_the_score() -> None:
    # (0.5 * 80 + 0.2 * 100) / 0.7 = 85.71...; the peers are missing.
    rules = rules_of(on_missing="renormalise")
    subordinates = said_of(KEPALA, "subordinate", (5, 5), (5, 5), (5, 5), (5, 5))
    tables = computed(*said_of(KEPALA, "superior", (4, 4)), *subordinates, rules=rules)
    assert behaviour(tables, KEPALA) == (pytest.approx(60 / 0.7), True, False)


def test_the_superior_alone_is_no_opinion_of_others() -> None:
    rules = rules_of(on_missing="renormalise")
    assert behaviour(computed(*SUPERIOR, *PEERS[:2], rules=rules)) == (90.0, False, False)
    assert behaviour(computed(*PEERS[:2], rules=rules)) == (None, False, True), "nothing is left to renormalise"


def test_all_subordinates_who_are_asked_must_answer() -> None:
    # The register knows four.
    three, four = [(5.0, 5.0)] * 3, [(5.0, 5.0)] * 4
    assert roles(computed(*said_of(KEPALA, "subordinate", *three)), KEPALA)["subordinate"] == (3, None, True)
    assert roles(computed(*said_of(KEPALA, "subordinate", *four)), KEPALA)["subordinate"] == (4, 5.0, False)


def test_two_subordinates_are_too_few_though_they_are_all() -> None:
    register = staff(("k", "u", "pengawas", None), ("x", "u", "pelaksana", "k"), ("y", "u", "pelaksana", "k"))
    tables = computed(*said_of("k", "subordinate", (5, 5), (5, 5)), register=register)
    assert roles(tables, "k")["subordinate"] == (2, None, True)


def test_what_people_say_of_themselves_is_shown_and_never_counts() -> None:
    tables = computed(*SUPERIOR, *PEERS, *said_of(ANI, "self", (1, 1)))
    assert roles(tables)["self"] == (1, 1.0, False)
    assert behaviour(tables) == (85.0, True, False)
    assert profile(tables)["a"][0] == 80.0


def test_a_competency_that_one_peer_answered_is_in_no_mean() -> None:
    peers: list[Said] = [*((ANI, "peer", f"p{n}", {"a": 4.0}) for n in range(3)), (ANI, "peer", "p3", {"b": 1.0})]
    tables = computed(*SUPERIOR, *peers)
    assert roles(tables)["peer"] == (4, 4.0, False)
    # b: the superior's 5 of 5 alone.
    assert profile(tables)["b"][0] == 100.0


def test_four_raters_of_four_competencies_do_not_make_three_of_one() -> None:
    peers: list[Said] = [(ANI, "peer", f"p{n}", {"ab"[n % 2]: 4.0}) for n in range(4)]
    assert roles(computed(*peers))["peer"] == (4, None, True)


def test_a_profile_stands_beside_the_unit() -> None:
    # a: superior 80, peers 80. b: superior 100, peers 80 -> 90. The others have 60 everywhere.
    others = [row for nip in (BUDI, CITRA) for row in said_of(nip, "superior", (3, 3))]
    seen = profile(computed(*SUPERIOR, *PEERS, *others))
    assert seen["a"] == (80.0, pytest.approx(200 / 3), pytest.approx(40 / 3), True, False, False)
    assert seen["b"] == (90.0, 70.0, 20.0, True, False, False)


def test_a_weakness_lies_under_the_unit_by_the_policys_points() -> None:
    # Ani's superior gives 3 and 4 of 5; the unit has 60, 80, 70 -> no, by hand: a is 60 against (60+75+75)/3 = 70.
    said = [
        *said_of(ANI, "superior", (3, 4)),
        *said_of(BUDI, "superior", (3.75, 4)),
        *said_of(CITRA, "superior", (3.75, 4)),
    ]
    seen = profile(computed(*said))
    assert seen["a"] == (60.0, pytest.approx(70.0), pytest.approx(-10.0), False, True, False)
    assert seen["b"] == (80.0, 80.0, 0.0, False, False, False)


def test_two_people_are_no_unit_to_be_compared_with() -> None:
    seen = profile(computed(*SUPERIOR, *said_of(BUDI, "superior", (3, 3))))
    assert seen["a"] == (80.0, None, None, None, None, False)


def test_a_competency_without_enough_raters_has_no_score() -> None:
    assert profile(computed(*PEERS[:2]))["a"] == (None, None, None, None, None, True)


def test_raters_are_told_of_units_only_and_of_units_with_people_enough() -> None:
    register = staff(
        *((f"u{n}", "u", "pelaksana", None) for n in range(4)), *((f"v{n}", "v", "pelaksana", None) for n in range(4))
    )
    high = [row for n in range(3) for row in said_of(f"u{n}", "peer", (5, 5), (5, 5), (5, 5))]
    low = [row for n in range(3) for row in said_of(f"v{n}", "peer", (3, 3), (4, 4), (5, 5))]
    tables = computed(*high, *low, register=register)["rater_unit"]
    names = ("unit_id", "rater_count", "expected_count", "leniency", "spread", "is_suppressed")
    rows = {r[0]: r[1:] for r in tables.select(names).rows()}
    # Four colleagues can ask three each: 12. Marks 100, against 60, 80, 100 thrice: the region's mean is 90.
    assert rows["u"] == (9, 12, pytest.approx(10.0), 0.0, False)
    # sd of 60, 80, 100 thrice each: sqrt(3 * 2 * 400 / 8) = 17.32...
    assert rows["v"] == (9, 12, pytest.approx(-10.0), pytest.approx(300**0.5), False)
    fewer = computed(*high[:6], *low, register=register)["rater_unit"].row(0, named=True)
    assert (fewer["rater_count"], fewer["leniency"], fewer["spread"], fewer["is_suppressed"]) == (6, None, None, True)


def test_expected_raters_come_from_the_register() -> None:
    # Kepala: superior 1, no colleagues, 4 subordinates. Each of the four: superior 1, three colleagues (not Kepala).
    tables = computed(*SUPERIOR)["rater_unit"]
    assert tables.select("unit_id", "rater_count", "expected_count").rows() == [("dinkes", 1, 1 + 0 + 4 + 4 * (1 + 3))]


def test_no_more_colleagues_are_expected_than_the_policy_asks() -> None:
    register = staff(*((f"u{n}", "u", "pelaksana", None) for n in range(11)))
    tables = computed(*said_of("u1", "peer", (3, 3)), register=register)["rater_unit"]
    assert tables["expected_count"].to_list() == [55]


def test_someone_who_has_left_is_judged_without_a_unit() -> None:
    tables = computed(*said_of("gone", "superior", (4, 4)), rules=rules_of(on_missing="renormalise"))
    assert behaviour(tables, "gone") == (80.0, False, False)
    assert profile(tables, "gone")["a"] == (80.0, None, None, None, None, False)


def test_until_the_day_after_closing_there_is_nothing() -> None:
    given = answers(*SUPERIOR, *PEERS)
    open_ = appraisal(given, UNIT, rules_of(), MONTH, CLOSES)
    assert {name: len(frame) for name, frame in open_.items()} == dict.fromkeys(APPRAISAL_SCHEMAS, 0)
    closed = appraisal(given, UNIT, rules_of(), MONTH, AFTER)
    assert closed["appraisal_round"]["round_id"].to_list() == [ROUND]


def test_a_round_may_wait_for_late_files() -> None:
    waiting = {ROUND: rules_of().rounds[ROUND].model_copy(update={"computed_from": dt.date(2026, 4, 10)})}
    rules = rules_of().model_copy(update={"rounds": waiting})
    given = answers(*SUPERIOR)
    assert appraisal(given, UNIT, rules, MONTH, dt.date(2026, 4, 9))["appraisal_role"].is_empty()
    assert len(appraisal(given, UNIT, rules, MONTH, dt.date(2026, 4, 10))["appraisal_role"]) == 2


def test_a_round_without_answers_is_not_spent() -> None:
    nothing = appraisal(answers(), UNIT, rules_of(), MONTH, AFTER)
    assert nothing["appraisal_round"].is_empty()
    later = appraisal(answers(*SUPERIOR), UNIT, rules_of(), MONTH, AFTER, before=nothing)
    assert len(later["appraisal_round"]) == 1


def test_a_computed_round_is_never_computed_again() -> None:
    first = computed(*SUPERIOR, *PEERS)
    one_more = answers(*SUPERIOR, *PEERS, (ANI, "peer", "late", {"a": 1.0, "b": 1.0}))
    again = appraisal(one_more, staff(), rules_of(on_missing="renormalise"), MONTH, dt.date(2026, 9, 1), before=first)
    for name, frame in first.items():
        assert again[name].equals(frame), name


def test_another_month_and_another_round_are_not_this_one() -> None:
    assert appraisal(answers(*SUPERIOR), UNIT, rules_of(), "2026-04", AFTER)["appraisal_role"].is_empty()
    strange = pl.concat([answers(*SUPERIOR, *PEERS), answers(*said_of(ANI, "peer", (1, 1)), round_id=None)])
    assert roles(appraisal(strange, UNIT, rules_of(), MONTH, AFTER))["peer"] == (3, 4.0, False)


def test_the_tables_have_their_columns_and_types() -> None:
    tables = computed(*SUPERIOR, *PEERS)
    assert {name: dict(frame.schema) for name, frame in tables.items()} == {
        name: {c: t() if isinstance(t, type) else t for c, t in schema.items()}
        for name, schema in APPRAISAL_SCHEMAS.items()
    }
    assert tables["appraisal_round"].row(0) == (ROUND, MONTH, AFTER, ["d1"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"roles": {"superior": {"weight": 0.5}, "peer": {"weight": 0.5, "minimum": 2}}},
            "peer.minimum must be at least 3",
        ),
        ({"roles": {"superior": {"weight": 0.6}}, "by_position": {}}, "weights sum to 0.6, not 1"),
        ({"roles": {"self": {"weight": 1}}, "by_position": {}}, "give self no weight"),
        ({"by_position": {"jpt": {"superior": 0.5, "subordinate": 0.6}}}, "by_position.jpt: the weights sum to 1.1"),
        ({"competencies": {}}, "there are no competencies"),
        ({"roles": {}, "by_position": {}}, "rounds need roles"),
        ({"unit_minimum": 2}, "greater than or equal to 3"),
    ],
)
def test_a_policy_that_would_tell_a_rater_or_cannot_add_up_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        rules_of(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"closes": "2026-03-01"}, "closes is before opens"),
        ({"closes": "2026-04-02"}, "closes after its period; let it count in 2026-04"),
        ({"opens": "2025-03-31"}, "more than eleven months"),
        ({"computed_from": "2026-03-27"}, "computed_from must be after closes"),
    ],
)
def test_a_round_with_impossible_dates_is_refused(changes: dict[str, Any], message: str) -> None:
    held = {"labels": {"id": "x", "en": "x"}, "period": MONTH, "opens": "2026-03-02", "closes": "2026-03-27"}
    with pytest.raises(ValidationError, match=message):
        rules_of(rounds={ROUND: held | changes})


def test_a_month_has_one_round() -> None:
    held = {"labels": {"id": "x", "en": "x"}, "period": MONTH, "opens": "2026-03-02", "closes": "2026-03-27"}
    with pytest.raises(ValidationError, match="two rounds count in 2026-03"):
        rules_of(rounds={"one": held, "two": held})
