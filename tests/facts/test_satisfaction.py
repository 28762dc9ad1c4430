"""The public's satisfaction with a unit (SKM, IKM): index, class, sample, interval, flags. Worked out by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from facts_world import day, frame, local, make_policy

from kinerja_pipeline.facts import satisfaction as of_satisfaction
from kinerja_pipeline.facts.satisfaction import (
    half_up,
    required_sample,
    satisfaction,
    satisfaction_element,
    satisfaction_index,
)
from kinerja_pipeline.policies.model import Policy

POLICY = make_policy()
ELEMENTS = [f"u{n}" for n in range(1, 10)]
LATER = dt.date(2026, 12, 31)

Answers = list[tuple[Any, ...]]


def response(
    number: int, scores: Sequence[float | None], at: str | None = None, unit: str = "U1", **changes: Any
) -> Answers:
    """One respondent's answers to u1, u2, ...; None is no answer. Responses come an hour apart unless told."""
    values = {"survey": "skm", "kind": "unit", "role": "public", "scale": 4} | changes
    submitted = local(at) if at else local("2026-04-06 00:00") + dt.timedelta(hours=number)
    return [
        (
            f"r{number}",
            f"u{n}",
            values["survey"],
            submitted,
            values["kind"],
            unit,
            values["role"],
            score,
            values["scale"],
        )
        for n, score in enumerate(scores, start=1)
        if score is not None
    ]


def answers(*responses: Answers) -> pl.DataFrame:
    return frame(
        [row for one in responses for row in one],
        response_id=pl.String,
        element_code=pl.String,
        survey_code=pl.String,
        submitted_at=pl.Datetime("us"),
        subject_kind=pl.String,
        subject_id=pl.String,
        role_code=pl.String,
        score=pl.Float64,
        scale_max=pl.Int64,
    )


def units(*rows: tuple[str, str, str | None, int | None]) -> pl.DataFrame:
    return frame(
        [(unit, day(start), day(end), served) for unit, start, end, served in rows],
        unit_id=pl.String,
        valid_from=pl.Date,
        valid_to=pl.Date,
        population_served=pl.Int64,
    )


def index(
    given: pl.DataFrame,
    *columns: str,
    policy: Policy = POLICY,
    period: str = "2026-04",
    as_of: dt.date = LATER,
    served: int | None = None,
) -> tuple[Any, ...]:
    rows = satisfaction_index(given, units(("U1", "2020-01-01", None, served)), policy, period, as_of)
    assert rows.height == 1
    return rows.select(columns).row(0)


def weighted(weight: float) -> Policy:
    survey = POLICY.surveys["skm"].model_copy(update={"element_weight": weight})
    return POLICY.model_copy(update={"surveys": {"skm": survey}})


# A printed table: 163 answers to every element, the sums below. NRR of u1 = 541/163 = 3.319...
PRINTED = [541, 530, 520, 600, 528, 545, 550, 580, 510]


def printed_table() -> pl.DataFrame:
    """163 respondents whose answers to each element are 3 and, as often as the sum asks, 4."""
    fours = [total - 3 * 163 for total in PRINTED]
    return answers(*(response(n, [4.0 if n < four else 3.0 for four in fours]) for n in range(163)))


def test_a_printed_table_of_163_answers_is_reproduced() -> None:
    # Sum of the nine sums is 4904; 25 * 4904 / (163 * 9) = 83.5719...
    assert index(printed_table(), "respondent_count", "index_value", "class_code", "status_code") == (
        163,
        83.57,
        "B",
        "computed",
    )
    assert index(printed_table(), "index_value_raw") == (pytest.approx(83.571915, abs=1e-6),)


@pytest.mark.parametrize(("weight", "expected", "raw"), [(0.111, 83.49, 83.488344), (0.11, 82.74, 82.736196)])
def test_tables_printed_with_a_rounded_weight_are_reproduced(weight: float, expected: float, raw: float) -> None:
    columns = ("index_value", "index_value_raw", "element_weight")
    assert index(printed_table(), *columns, policy=weighted(weight)) == (expected, pytest.approx(raw, abs=1e-6), weight)


def test_the_maximum_depends_on_the_printed_weight() -> None:
    best = answers(response(1, [4.0] * 9))
    assert index(best, "index_value") == (100.0,)
    assert index(best, "index_value", policy=weighted(0.111)) == (99.9,)
    assert index(best, "index_value", policy=weighted(0.11)) == (99.0,)


def one_element(total: int, count: int) -> tuple[pl.DataFrame, Policy]:
    """A survey of one element with `count` answers that sum to `total` on a scale of 100: the index is their mean."""
    survey = POLICY.surveys["skm"]
    single = survey.model_copy(update={"elements": {"u1": survey.elements["u1"]}, "scale_max": 100})
    low, extra = divmod(total, count)
    rows = [response(n, [low + (1.0 if n < extra else 0.0)], scale=100) for n in range(count)]
    return answers(*rows), POLICY.model_copy(update={"surveys": {"skm": single}})


@pytest.mark.parametrize(
    ("total", "count", "value", "code"),
    [
        (7660, 100, 76.60, "C"),
        (7661, 100, 76.61, "B"),
        (15321, 200, 76.61, "B"),  # 76.605 rounds up, and only then is classified
        (30641, 400, 76.60, "C"),  # 76.6025
        (8830, 100, 88.30, "B"),
        (8831, 100, 88.31, "A"),
        (6499, 100, 64.99, "D"),
        (6500, 100, 65.00, "C"),
        (2499, 100, 24.99, None),
    ],
)
def test_the_index_is_rounded_half_up_and_then_classified(
    total: int, count: int, value: float, code: str | None
) -> None:
    given, policy = one_element(total, count)
    assert index(given, "index_value", "class_code", policy=policy) == (value, code)


def test_half_up_sees_the_half_that_binary_fractions_miss() -> None:
    values = pl.DataFrame({"v": [2.675, 1.005, 76.604999, 0.125]}).select(half_up(pl.col("v"), 2))
    assert values["v"].to_list() == [2.68, 1.01, 76.6, 0.13]


def test_elements_have_their_own_counts_and_means() -> None:
    given = answers(response(1, [4.0] * 9), response(2, [3.0, None] + [3.0] * 7))
    elements = satisfaction_element(given, units(), POLICY, "2026-04", LATER)
    assert elements.height == 9
    columns = ("unit_id", "survey_code", "period", "element_code", "answer_count", "mean_score")
    assert elements.select(columns).rows()[:2] == [
        ("U1", "skm", "2026-04", "u1", 2, 3.5),
        ("U1", "skm", "2026-04", "u2", 1, 4.0),
    ]
    assert elements["weighted_score"][0] == pytest.approx(3.5 / 9)
    # (8 * 3.5 + 4.0) * 25 / 9
    assert index(given, "respondent_count", "index_value") == (2, 88.89)


def test_an_element_nobody_answered_makes_the_index_not_computable() -> None:
    given = answers(response(1, [4.0] * 8))
    columns = ("status_code", "index_value", "index_value_raw", "class_code", "ci_low", "respondent_count")
    assert index(given, *columns) == ("not_computable", None, None, None, None, 1)
    elements = satisfaction_element(given, units(), POLICY, "2026-04", LATER)
    assert elements.filter(pl.col("element_code") == "u9").select("answer_count", "mean_score").row(0) == (0, None)


def test_only_the_publics_answers_about_units_in_known_surveys_count() -> None:
    given = answers(
        response(1, [4.0] * 9),
        response(2, [1.0] * 9, role="superior"),
        response(3, [1.0] * 9, kind="employee"),
        response(4, [1.0] * 9, survey="parents"),
        [("r1", "suggestion", "skm", local("2026-04-06 09:00"), "unit", "U1", "public", 1.0, 4)],
    )
    assert index(given, "respondent_count", "index_value") == (1, 100.0)


def test_only_the_periods_answers_up_to_as_of_count() -> None:
    given = answers(
        response(0, [4.0] * 9, at="2026-03-31 23:59"),
        response(1, [3.0] * 9, at="2026-04-01 00:00"),
        response(2, [2.0] * 9, at="2026-04-30 23:59"),
        response(3, [1.0] * 9, at="2026-05-01 00:00"),
    )
    assert index(given, "respondent_count", "index_value") == (2, 62.5)
    assert index(given, "respondent_count", "index_value", as_of=dt.date(2026, 4, 29)) == (1, 75.0)
    assert index(given, "respondent_count", "period", period="2026-Q2") == (3, "2026-Q2")
    assert index(given, "respondent_count", "index_value", period="2026") == (4, 62.5)


def test_another_scale_generalises_the_25_and_a_stray_scale_is_flagged() -> None:
    ten = POLICY.surveys["skm"].model_copy(update={"scale_max": 10})
    policy = POLICY.model_copy(update={"surveys": {"skm": ten}})
    given = answers(response(1, [9.0] * 9, scale=10))
    assert index(given, "index_value", "flag_codes", policy=policy) == (90.0, "straight_lining")
    mixed = answers(response(1, [4.0, 3.0] * 4 + [4.0]), response(2, [9.0] * 9, scale=10))
    assert index(mixed, "respondent_count", "index_value", "flag_codes") == (1, 88.89, "other_scale")


@pytest.mark.parametrize(
    ("population", "required"), [(10, 10), (15, 14), (100, 80), (1000, 278), (10000, 370), (100000, 383), (0, 0)]
)
def test_the_required_sample_is_that_of_krejcie_and_morgan(population: int, required: int) -> None:
    # The formula gives 382.6 for 100,000; the printed table says 384.
    assert pl.DataFrame({"n": [population]}).select(required_sample(pl.col("n"))).item() == required


def test_the_required_sample_uses_the_population_on_the_last_day() -> None:
    served = units(("U1", "2020-01-01", None, 100), ("U1", "2026-04-15", None, 10), ("U1", "2026-05-01", None, 1000))
    rows = satisfaction_index(answers(response(1, [4.0, 3.0] * 4 + [4.0])), served, POLICY, "2026-04", LATER)
    assert rows.select("required_count", "flag_codes").row(0) == (10, "low_response")


def test_without_a_population_nothing_is_required() -> None:
    assert index(answers(response(1, [4.0, 3.0] * 4 + [4.0])), "required_count", "flag_codes") == (None, None)


def test_the_interval_comes_from_complete_responses() -> None:
    # Complete responses with means 4, 3 and 2: 100, 75 and 50, sd 25; 1.96 * 25 / sqrt(3) = 28.2902
    given = answers(*(response(n, [float(n)] * 9) for n in (2, 3, 4)), response(9, [1.0] + [None] * 8))
    low, high = index(given, "ci_low", "ci_high")
    # u1 has a mean of 2.5, the others 3: (2.5 + 8 * 3) * 25 / 9 = 73.6111
    assert low == pytest.approx(73.611111 - 28.290163, abs=1e-5)
    assert high == pytest.approx(73.611111 + 28.290163, abs=1e-5)
    assert index(answers(response(1, [3.0] * 9)), "ci_low", "ci_high") == (None, None)


def test_flags_inform_and_remove_nothing() -> None:
    straight = [response(n, [3.0] * 9) for n in range(2)]
    varied = [response(n, [3.0, 4.0] * 4 + [3.0]) for n in range(2, 4)]
    assert index(answers(*straight, *varied), "flag_codes") == (None,)  # half is not above half
    columns = ("flag_codes", "respondent_count")
    assert index(answers(*straight, varied[0]), *columns, served=100) == ("low_response,straight_lining", 3)


def test_five_submissions_within_a_minute_are_a_burst() -> None:
    def spread(*seconds: int) -> Any:
        start = local("2026-04-06 09:00")
        times = [str(start + dt.timedelta(seconds=second)) for second in seconds]
        given = answers(*(response(n, [3.0, 4.0] * 4 + [3.0], at=time) for n, time in enumerate(times)))
        return index(given, "flag_codes")[0]

    assert spread(0, 10, 20, 30, 60) == "burst"
    assert spread(0, 10, 20, 30, 61) is None
    assert spread(0, 1, 2, 3) is None


@pytest.mark.parametrize(
    ("second", "at", "flag"),
    [
        ([3.0, 4.0] * 4 + [3.0], "2026-04-06 09:00", "exact_repeat"),
        ([3.0, 4.0] * 4 + [2.0], "2026-04-06 09:00", None),
        ([3.0, 4.0] * 4, "2026-04-06 09:00", None),
        ([3.0, 4.0] * 4 + [3.0], "2026-04-06 09:01", None),  # somebody else who thinks the same
    ],
)
def test_the_same_answers_at_the_same_moment_are_a_repeat_and_stay_counted(
    second: list[float], at: str, flag: str | None
) -> None:
    first = response(1, [3.0, 4.0] * 4 + [3.0], at="2026-04-06 09:00")
    seen = index(answers(first, response(2, second, at=at)), "flag_codes", "respondent_count")
    assert seen == (flag, 2)


def test_the_same_answers_about_two_units_are_no_repeat() -> None:
    same = [3.0, 4.0] * 4 + [3.0]
    given = answers(response(1, same, at="2026-04-06 09:00"), response(2, same, at="2026-04-06 09:00", unit="U2"))
    assert satisfaction_index(given, units(), POLICY, "2026-04", LATER)["flag_codes"].to_list() == [None, None]


def test_units_and_surveys_do_not_mix() -> None:
    given = answers(response(1, [4.0] * 9), response(2, [2.0] * 9, unit="U2"))
    rows = satisfaction_index(given, units(), POLICY, "2026-04", LATER)
    assert rows.select("unit_id", "index_value").rows() == [("U1", 100.0), ("U2", 50.0)]


def test_no_answers_give_empty_tables() -> None:
    assert satisfaction_index(answers(), units(), POLICY, "2026-04", LATER).height == 0
    assert satisfaction_element(answers(), units(), POLICY, "2026-04", LATER).height == 0


def test_some_units_at_a_time_the_tables_of_all_periods_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    said = answers(
        *(response(n, [3.0, 4.0, 3.3] * 3, unit=f"U{n % 5}", at=f"2026-0{1 + n % 4}-07 09:00") for n in range(40))
    )
    served = units(*((f"U{n}", "2020-01-01", None, 100 * n) for n in range(6)))
    told = [(POLICY, period, LATER) for period in ("2026-04", "2026-Q1", "2026")]
    expected = {
        "satisfaction_element": pl.concat(satisfaction_element(said, served, *each) for each in told),
        "satisfaction_index": pl.concat(satisfaction_index(said, served, *each) for each in told),
    }
    for at_once in (10**6, 8):
        monkeypatch.setattr(of_satisfaction, "ANSWERS_AT_ONCE", at_once)
        seen = satisfaction(said.lazy(), served, told)
        assert all(seen[table].equals(frame) for table, frame in expected.items())
