"""Coaching after a decline, and reward nominations: who is named, who is excluded and why."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from follow_up_world import DECLINE, REWARD, absent, evaluated, given, named
from kpi_world import SALOR

from kinerja_pipeline.kpi.follow_up import follow_up

# ---- coaching --------------------------------------------------------------------------------------------------------


def course(*scores: float | None, nip: str = "ani") -> pl.DataFrame:
    """Result scores of January to May; None is a month without a score."""
    months = ("2026-01", "2026-02", "2026-03", "2026-04", "2026-05")
    rows = [{"nip": nip, "period": m, "result_score": s} for m, s in zip(months, scores, strict=True)]
    return evaluated(*rows)


def test_two_low_months_ten_points_under_the_three_before_recommend_coaching() -> None:
    # Mean of January to March is 98; 88 and 87.5 are both at least 10 below.
    seen = named(DECLINE, course(96, 98, 100, 88, 87.5))["ani"]
    assert (seen["action_code"], seen["status_code"], seen["reason"]) == ("coaching", "recommended", "declined")
    assert (seen["subject_kind"], seen["period"], seen["rule_id"]) == ("employee", "2026-05", "the_rule")
    assert seen["programme_id"] == "pb-1"
    assert all(number in seen["evidence"] for number in ("88", "87.5", "98", "2026-04", "2026-05"))


@pytest.mark.parametrize(
    "scores",
    [
        (96, 98, 100, 88.01, 80),  # one of the two only 9.99 under the mean
        (96, 98, 100, 90, 70),  # 90 is not below 90
        (96, 98, 100, 85, 90),  # recovered
        (85, 84, 83, 80, 79),  # always low: no decline against the own baseline
        (100, 100, 100, 100, 100),
    ],
)
def test_no_coaching_without_a_decline(scores: tuple[float, ...]) -> None:
    assert named(DECLINE, course(*scores)) == {}


def test_exactly_ten_points_is_enough_in_decimal_arithmetic() -> None:
    # Mean of 99.9, 99.8 and 99.7 is 99.8, exactly 10 above 89.8.
    assert named(DECLINE, course(99.9, 99.8, 99.7, 89.8, 89.8))["ani"]["status_code"] == "recommended"


@pytest.mark.parametrize(
    "scores",
    [
        (None, 98, 100, 80, 80),  # a month of the baseline is missing
        (96, 98, 100, None, 80),  # the month before is missing
        (None, None, None, None, 80),  # new here
    ],
)
def test_low_now_with_earlier_months_missing_is_not_computable(scores: tuple[float | None, ...]) -> None:
    seen = named(DECLINE, course(*scores))["ani"]
    assert (seen["status_code"], seen["reason"]) == ("not_computable", "earlier_months_missing")


def test_a_good_month_before_says_no_even_if_the_baseline_is_missing() -> None:
    assert named(DECLINE, course(None, None, None, 95, 80)) == {}


def test_no_score_now_says_nothing() -> None:
    assert named(DECLINE, course(96, 98, 100, 80, None)) == {}


def test_the_rule_counts_months_over_the_turn_of_the_year() -> None:
    months = ("2025-09", "2025-10", "2025-11", "2025-12", "2026-01")
    rows = evaluated(*({"period": m, "result_score": s} for m, s in zip(months, (100, 100, 100, 70, 70), strict=True)))
    policy = SALOR.model_copy(update={"follow_up": {"decline": DECLINE}})
    seen = follow_up(given(evaluations=rows), policy, "2026-01")
    assert seen["status_code"].to_list() == ["recommended"]


def test_the_rules_numbers_are_the_policys() -> None:
    rule = DECLINE.model_copy(update={"months": 1, "drop": 5, "baseline_months": 1, "below_score": 100})
    assert named(rule, course(None, None, None, 99, 94))["ani"]["status_code"] == "recommended"
    assert named(rule, course(None, None, None, 99, 94.01)) == {}


def test_quarters_are_no_months() -> None:
    quarters = evaluated({"period_kind": "quarter", "period": "2026-05", "result_score": 50})
    assert named(DECLINE, quarters) == {}


# ---- reward ----------------------------------------------------------------------------------------------------------


def star(nip: str, score: float, **changes: Any) -> dict[str, Any]:
    return {"nip": nip, "result_score": score, "result_rating": "di_atas", "behaviour_rating": "sesuai", **changes}


def fates(rows: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {nip: (row["status_code"], row["reason"]) for nip, row in rows.items()}


BEST = ("recommended", "best_of_unit")


def test_the_best_of_each_unit_is_nominated() -> None:
    people = evaluated(
        star("ani", 115),
        star("budi", 114),
        star("citra", 111, unit_id="disdik"),
        star("dewi", 120, result_rating="sesuai"),
    )
    seen = named(REWARD, people, absent(ani=0, budi=0, citra=0))
    assert fates(seen) == {"ani": BEST, "citra": BEST}
    assert seen["ani"]["action_code"] == "reward"
    assert "115" in seen["ani"]["evidence"]
    assert "tied" not in seen["ani"]["evidence"]


def test_ties_are_all_listed_and_say_so() -> None:
    people = evaluated(star("ani", 115), star("budi", 115), star("citra", 115), star("dewi", 112))
    seen = named(REWARD, people, absent(ani=0, budi=0, citra=0, dewi=0))
    assert fates(seen) == {"ani": BEST, "budi": BEST, "citra": BEST}
    assert "tied with 2 others" in seen["budi"]["evidence"]


def test_two_places_are_two_scores() -> None:
    people = evaluated(star("ani", 118), star("budi", 115), star("citra", 115), star("dewi", 112))
    rule = REWARD.model_copy(update={"places": 2})
    assert sorted(named(rule, people, absent(ani=0, budi=0, citra=0, dewi=0))) == ["ani", "budi", "citra"]


def test_an_unexcused_day_this_year_excludes_and_takes_nobodys_place() -> None:
    people = evaluated(star("ani", 119), star("budi", 115))
    seen = named(REWARD, people, absent(ani=1, budi=0))
    assert fates(seen) == {"ani": ("excluded", "unexcused_days"), "budi": BEST}


def test_an_open_objection_excludes_and_a_decided_one_does_not() -> None:
    people = evaluated(star("ani", 119, objection_code="open"), star("budi", 115, objection_code="upheld"))
    seen = named(REWARD, people, absent(ani=0, budi=0))
    assert fates(seen) == {"ani": ("excluded", "objection_open"), "budi": BEST}


UNKNOWN = ("not_computable", "unexcused_days_unknown")


@pytest.mark.parametrize("attendance", [absent(ani=None, budi=0), absent(budi=0)])
def test_who_has_no_known_counter_of_unexcused_days_is_not_nominated_and_takes_nobodys_place(
    attendance: pl.DataFrame,
) -> None:
    people = evaluated(star("ani", 119), star("budi", 115))
    seen = named(REWARD, people, attendance)
    assert fates(seen) == {"ani": UNKNOWN, "budi": BEST}
    assert "tied" not in seen["budi"]["evidence"]


def test_a_known_reason_to_exclude_is_told_before_an_unknown_counter() -> None:
    people = evaluated(star("ani", 119, objection_code="open"))
    assert fates(named(REWARD, people)) == {"ani": ("excluded", "objection_open")}


def test_an_excluded_twin_is_no_tie() -> None:
    people = evaluated(star("ani", 115), star("budi", 115))
    seen = named(REWARD, people, absent(ani=0, budi=2))
    assert "tied" not in seen["ani"]["evidence"]


@pytest.mark.parametrize("behaviour", ["di_bawah", None])
def test_without_behaviour_as_expected_nobody_is_nominated(behaviour: str | None) -> None:
    assert named(REWARD, evaluated(star("ani", 119, behaviour_rating=behaviour)), absent(ani=0)) == {}


def test_last_months_star_is_not_this_months() -> None:
    assert named(REWARD, evaluated(star("ani", 119, period="2026-04")), absent(ani=0)) == {}


def test_nobody_to_name_gives_an_empty_table() -> None:
    assert named(DECLINE, evaluated()) == {}
    assert named(REWARD, evaluated()) == {}
