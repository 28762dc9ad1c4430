"""Which months run, how much of each and why: what a file touches, what differs from the last time, who looks at it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kinerja_pipeline.facts.periods import months_between
from kinerja_pipeline.landing.ledger import Delivery
from kinerja_pipeline.orchestration.affected import (
    Basis,
    Cause,
    affected,
    differences,
    looks_back,
    periods_moved,
    reach,
    reaches,
)
from kinerja_pipeline.orchestration.basis import token
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.policies.model import Policy

SALOR = load_policies()["salor"]
ALL = months_between("2025-01", "2027-12")
FILE = Cause("delivery", "a.csv", "d1")


def policy(lookback: int = 12, **indicators: Any) -> Policy:
    periods = SALOR.periods.model_copy(update={"task_lookback_months": lookback})
    return SALOR.model_copy(update={"periods": periods, "indicators": indicators})


def line(feed: str = "task_record", name: str = "a.csv", delivery: str = "d1", **changes: Any) -> Delivery:
    months = changes.pop("months", {"2026-03": 5})
    start = Delivery(
        1, delivery, feed, name, "2026-04-01T00:00:00+00:00", "landed", None, 5, 5, {}, months, "append", "*.csv",
        f"{min(months)}-01", f"{max(months)}-28", "f",
    )  # fmt: skip
    return dataclasses.replace(start, **changes)


# ---- what a file touches ---------------------------------------------------------------------------------------------


def test_a_file_touches_the_months_of_its_rows() -> None:
    assert reach(line(months={"2026-03": 5, "2026-05": 1, "2026-06": 0})) == {"2026-03", "2026-05"}
    assert reach(line("employee", months={"dated": 3}, first_event_date=None)) == {"dated"}
    assert reach(line(months={"2026-03": 0})) == set()


@pytest.mark.parametrize(
    ("first", "last", "touched"),
    [
        ("2026-03-10", "2026-03-20", {"2026-03"}),
        # 36 hours: the first two days of the month reach back, the last two reach on.
        ("2026-03-02", "2026-03-29", {"2026-02", "2026-03"}),
        ("2026-03-03", "2026-03-30", {"2026-03", "2026-04"}),
        (None, None, {"2026-02", "2026-03", "2026-04"}),
    ],
)
def test_taps_touch_the_neighbour_only_within_36_hours(first: str | None, last: str | None, touched: set[str]) -> None:
    assert reach(line("attendance_log", first_event_date=first, last_event_date=last)) == touched


def test_measurements_touch_the_month_a_year_after_too() -> None:
    assert reach(line("indicator_measurement")) == {"2026-03", "2027-03"}


def test_a_file_read_anew_touches_where_its_rows_lay_before() -> None:
    """Under the mended mapping the rows lie in April; March has lost them."""
    lines = [line(), line("task_record", "b.csv", "d2"), line(months={"2026-04": 5})]
    assert reaches(lines) == [{"2026-03"}, {"2026-03"}, {"2026-03", "2026-04"}]


def test_a_key_delivered_again_in_another_month_touches_both() -> None:
    assert reaches([line(), line(delivery="d2", months={"2026-04": 1})], {1: {"2026-03"}})[1] == {"2026-03", "2026-04"}


# ---- what differs ----------------------------------------------------------------------------------------------------

THEN = Basis(
    month="2026-02",
    line_count=3,
    ledger="l",
    rules="r",
    code="1.0+c",
    registers="g",
    corrections="",
    as_of="2026-02-28",
    overdue=(),
    listed_count=3,
    policies=dict.fromkeys(("2026-02", "2026-Q1", "2026-S1", "2026"), "p1"),
    closed=(),
    earlier={"2026-01": "t1"},
    published="w",
)


def told(new: tuple[Delivery, ...] = (), later: tuple[str, ...] = (), **changes: Any) -> tuple[list[str], list[str]]:
    whole, onward = differences(THEN, dataclasses.replace(THEN, **changes), new, later)
    return [c.code for c in whole], [c.code for c in onward]


def test_nothing_new_is_no_reason_to_run() -> None:
    assert told() == ([], [])
    assert told(line_count=9, ledger="other", listed_count=9) == ([], []), "lines that touch other months"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"new": (line(),)}, "delivery"),
        ({"registers": "h"}, "register"),
        ({"corrections": "x"}, "correction"),
        ({"rules": "s", "policies": {**THEN.policies, "2026-02": "p2"}}, "policy"),
        ({"code": "1.1+c"}, "code"),
        ({"as_of": "2026-02-27"}, "day"),
        ({"overdue": ("task_record",)}, "day"),
    ],
)
def test_what_facts_rest_on_runs_the_month_whole(changes: dict[str, Any], code: str) -> None:
    assert told(**changes)[0] == [code]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"policies": {**THEN.policies, "2026-02": "p2"}}, "policy"),
        ({"closed": ("2026-02",)}, "day"),
        ({"earlier": {"2026-01": "t2"}}, "month"),
        ({"earlier": {}}, "month"),
        ({"published": ""}, "warehouse"),
    ],
)
def test_what_only_later_rooms_rest_on_runs_those_alone(changes: dict[str, Any], code: str) -> None:
    assert told(**changes) == ([], [code])


def test_a_policy_of_the_longer_period_alone_is_its_last_months_business() -> None:
    year = {"policies": {**THEN.policies, "2026": "p2"}}
    assert told(**year) == ([], ["policy"])
    assert told(later=("2026-08",), **year) == ([], [])
    assert told(later=("2027-01",), **year) == ([], ["policy"])


def test_what_a_month_rests_on_has_another_token_when_it_is_computed_from_something_else() -> None:
    same = dataclasses.replace(THEN, listed_count=9, earlier={}, published="x")
    assert token(same) == token(THEN)
    for changes in ({"line_count": 4}, {"registers": "h"}, {"policies": {**THEN.policies, "2026-02": "p2"}}):
        assert token(dataclasses.replace(THEN, **changes)) != token(THEN)


# ---- which months follow ---------------------------------------------------------------------------------------------


def run(*months: str, published: list[str] = ALL, versions: tuple[Policy, ...] = ()) -> dict[str, str]:
    found = affected({m: [FILE] for m in months}, {}, published, versions or (policy(),))
    return {each.month: each.depth for each in found}


def test_a_month_alone_runs_alone_until_others_are_published() -> None:
    assert run("2026-03", published=[]) == {"2026-03": "whole"}
    assert run("2026-03", published=["2026-02", "2026-03"]) == {"2026-03": "whole"}
    assert run() == {}


def test_months_that_look_back_at_a_month_compute_no_facts_of_their_own() -> None:
    # Growth and counters of March 2027 are the last to read March 2026.
    assert run("2026-03") == {"2026-03": "whole", **dict.fromkeys(months_between("2026-04", "2027-03"), "onward")}
    assert run("2026-03", "2026-05", published=["2026-04", "2027-05", "2027-06"]) == {
        "2026-03": "whole",
        "2026-04": "onward",
        "2026-05": "whole",
        "2027-05": "onward",
    }


def test_months_run_in_order_each_with_its_reasons() -> None:
    closed = Cause("day", "closed: 2026-02")
    found = affected({"2026-03": [FILE]}, {"2026-02": [closed]}, ["2026-02", "2026-03", "2026-04"], (policy(),))
    assert [(each.month, each.depth, [c.text for c in each.causes]) for each in found] == [
        ("2026-02", "onward", ["closed: 2026-02"]),
        ("2026-03", "whole", ["a.csv", "looks at 2026-02"]),
        ("2026-04", "onward", ["looks at 2026-02"]),
    ]


def test_a_longer_look_back_of_any_version_reaches_further() -> None:
    assert max(run("2026-01", versions=(policy(), policy(18), policy(3)))) == "2027-07"
    assert max(run("2026-01", versions=(policy(3),))) == "2027-01"


@pytest.mark.parametrize(("fact", "months"), [("task_outcome", 20), ("attendance_day", 12)])
def test_growth_of_tasks_reads_last_years_look_back_too(fact: str, months: int) -> None:
    """Growth of December 2027's backlog opens that of December 2026, which reads back to its own months before."""
    counted = next(i for i in SALOR.indicators.values() if i.fact == "task_outcome")
    growth = counted.model_copy(update={"statistic": "growth", "fact": fact})
    assert looks_back([policy(8, growth=growth)]) == months


def test_the_published_periods_around_the_months_may_move_and_no_others() -> None:
    published = {"2026-02", "2026-03", "2026-Q1", "2026-S1", "2026", "2025"}
    assert periods_moved(["2026-03", "2026-04"], published) == ["2026-Q1", "2026-S1", "2026", "2026-03"]
