"""Hours of competence programmes against those expected, and planned programmes against what took place."""

from __future__ import annotations

from typing import Any

import polars as pl
from facts_world import ANI, BUDI, CITRA, day, employee_frame, frame, make_policy
from hypothesis import given
from hypothesis import strategies as st

from kinerja_pipeline.facts.training import training_programme, training_year
from kinerja_pipeline.policies.model import Policy

STAFF = employee_frame([(ANI, "dinkes", None, "2024-01-01", None), (BUDI, "disdik", None, "2024-01-01", None)])
YEAR = ["2026-01", "2026-02", "2026-03"]


def records(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """(nip, programme, day, hours, cost, whether it counts)."""
    return frame(
        [(nip, name, day(on), float(hours), None, None, cost, counts) for nip, name, on, hours, cost, counts in rows],
        nip=pl.String,
        programme_id=pl.String,
        completed_date=pl.Date,
        hours=pl.Float64,
        competency_code=pl.String,
        provider=pl.String,
        cost=pl.Float64,
        is_training=pl.Boolean,
    )


def plans(*rows: tuple[str, int, float, int, float | None]) -> pl.DataFrame:
    """(programme, year, hours of one place, places, cost)."""
    return frame(
        [
            (name, year, name.title(), "kompeten", hours, places, cost, "BPSDM")
            for name, year, hours, places, cost in rows
        ],
        programme_id=pl.String,
        year=pl.Int64,
        name=pl.String,
        competency_code=pl.String,
        planned_hours=pl.Float64,
        places=pl.Int64,
        cost=pl.Float64,
        provider=pl.String,
    )


def needs(*rows: tuple[str, int, str]) -> pl.DataFrame:
    return frame(list(rows), programme_id=pl.String, year=pl.Int64, nip=pl.String)


# ---- the year --------------------------------------------------------------------------------------------------------


def year_of(
    given_records: pl.DataFrame,
    policy: Policy,
    month: str = "2026-03",
    months: list[str] = YEAR,
    staff: pl.DataFrame = STAFF,
) -> dict[str, dict[str, Any]]:
    seen = training_year(given_records, staff, policy, month, months)
    return {row["nip"]: row for row in seen.iter_rows(named=True)}


def test_hours_of_the_year_so_far_stand_against_twenty(policy: Policy) -> None:
    seen = year_of(
        records(
            (ANI, "waktu", "2026-01-20", 8, None, True),
            (ANI, "mutu", "2026-03-05", 4.5, None, None),
            (ANI, "waktu", "2026-03-06", 2.5, None, True),
        ),
        policy,
    )[ANI]
    assert (seen["hours"], seen["expected_hours"], seen["hours_share"]) == (15.0, 20.0, 0.75)
    assert seen["programme_count"] == 2, "a programme taken twice is one programme"
    assert seen["month_hours"] == 7.0
    assert (seen["period"], seen["unit_id"], seen["counted_from_date"]) == ("2026-03", "dinkes", day("2026-01-01"))


def test_who_has_no_record_has_no_hours_and_a_row(policy: Policy) -> None:
    seen = year_of(records((ANI, "waktu", "2026-01-20", 8, None, True)), policy)[BUDI]
    assert (seen["hours"], seen["programme_count"], seen["hours_share"], seen["month_hours"]) == (0.0, 0, 0.0, 0.0)


def test_what_does_not_count_as_training_adds_no_hours(policy: Policy) -> None:
    seen = year_of(records((ANI, "kunjungan", "2026-02-10", 12, None, False)), policy)[ANI]
    assert (seen["hours"], seen["programme_count"]) == (0.0, 0)


def test_last_year_and_later_months_do_not_count(policy: Policy) -> None:
    rows = records((ANI, "a", "2025-12-31", 8, None, True), (ANI, "b", "2026-04-01", 8, None, True))
    assert year_of(rows, policy)[ANI]["hours"] == 0.0


def test_more_than_expected_is_more_than_one(policy: Policy) -> None:
    assert year_of(records((ANI, "pimpin", "2026-02-10", 30, None, True)), policy)[ANI]["hours_share"] == 1.5


def test_the_expected_hours_are_the_policys() -> None:
    policy = make_policy(training={"expected_hours": 24})
    seen = year_of(records((ANI, "waktu", "2026-02-10", 6, None, True)), policy)[ANI]
    assert (seen["hours_share"], seen["expected_hours"]) == (0.25, 24.0)


def test_a_missing_month_of_the_year_leaves_the_year_open(policy: Policy) -> None:
    rows = records((ANI, "waktu", "2026-03-10", 6, None, True))
    seen = year_of(rows, policy, months=["2026-01", "2026-03"])[ANI]
    assert (seen["hours"], seen["programme_count"], seen["hours_share"]) == (None, None, None)
    assert (seen["month_hours"], seen["counted_from_date"]) == (6.0, day("2026-03-01"))


def test_a_region_that_began_in_march_misses_nothing_before() -> None:
    policy = make_policy(first_month="2026-03")
    seen = year_of(records((ANI, "waktu", "2026-03-10", 6, None, True)), policy, months=["2026-03"])[ANI]
    assert (seen["hours"], seen["counted_from_date"]) == (6.0, day("2026-03-01"))


def test_the_staff_of_a_month_are_its_active_people_in_their_last_unit(policy: Policy) -> None:
    staff = employee_frame(
        [
            (ANI, "dinkes", None, "2024-01-01", "2026-03-14"),
            (ANI, "disdik", None, "2026-03-15", None),
            (BUDI, "disdik", None, "2024-01-01", "2026-02-28"),
            (CITRA, "disdik", None, "2026-04-01", None),
        ]
    )
    assert {nip: row["unit_id"] for nip, row in year_of(records(), policy, staff=staff).items()} == {ANI: "disdik"}


@given(st.lists(st.tuples(st.sampled_from([ANI, BUDI]), st.integers(1, 90), st.integers(0, 40)), max_size=12))
def test_months_add_up_to_the_year(rows: list[tuple[str, int, int]]) -> None:
    policy = make_policy()
    given_records = records(
        *(
            (nip, f"p{n}", f"2026-{1 + (d - 1) // 30:02d}-{1 + d % 28:02d}", h, None, True)
            for n, (nip, d, h) in enumerate(rows)
        )
    )
    months = [year_of(given_records, policy, month) for month in YEAR]
    for nip in (ANI, BUDI):
        assert sum(m[nip]["month_hours"] for m in months) == months[-1][nip]["hours"]


# ---- programmes ------------------------------------------------------------------------------------------------------


def programmes(*frames: pl.DataFrame) -> dict[tuple[str, int], dict[str, Any]]:
    rows = training_programme(*frames).to_dicts()
    return {(row["programme_id"], row["year"]): row for row in rows}


def test_planned_and_realised_stand_side_by_side() -> None:
    seen = programmes(
        plans(("waktu", 2026, 8, 10, 5_000_000)),
        records(
            (ANI, "waktu", "2026-01-20", 8, 400_000, True),
            (BUDI, "waktu", "2026-02-20", 6, 300_000, True),
            (ANI, "waktu", "2025-02-20", 8, 1, True),
        ),
        needs(),
    )
    row = seen["waktu", 2026]
    assert (row["planned_hours"], row["realised_hours"]) == (80.0, 14.0)
    assert (row["planned_places"], row["realised_places"]) == (10, 2)
    assert (row["planned_cost"], row["realised_cost"], row["cost_per_hour"]) == (5_000_000.0, 700_000.0, 50_000.0)
    assert (row["name"], row["competency_code"], row["provider"], row["unmet_count"]) == (
        "Waktu",
        "kompeten",
        "BPSDM",
        0,
    )
    assert seen["waktu", 2025]["planned_places"] is None


def test_hours_without_a_recorded_cost_are_not_free() -> None:
    rows = records((ANI, "a", "2026-01-20", 8, 400_000, True), (BUDI, "a", "2026-01-20", 8, None, True))
    row = programmes(plans(), rows, needs())["a", 2026]
    assert (row["realised_hours"], row["realised_cost"], row["cost_per_hour"]) == (16.0, 400_000.0, 50_000.0)


def test_no_recorded_cost_is_unknown_and_a_cost_of_zero_is_zero() -> None:
    rows = records((ANI, "told", "2026-01-20", 8, 0, True), (ANI, "untold", "2026-01-20", 8, None, True))
    seen = programmes(plans(), rows, needs())
    assert (seen["told", 2026]["realised_cost"], seen["told", 2026]["cost_per_hour"]) == (0.0, 0.0)
    assert (seen["untold", 2026]["realised_cost"], seen["untold", 2026]["cost_per_hour"]) == (None, None)


def test_a_programme_that_nobody_attended_has_its_row() -> None:
    row = programmes(plans(("waktu", 2026, 8, 10, None)), records(), needs())["waktu", 2026]
    assert (row["realised_hours"], row["realised_places"], row["realised_cost"]) == (0.0, 0, None)
    assert (row["planned_cost"], row["cost_per_hour"]) == (None, None)


def test_an_unmet_need_is_a_person_who_was_named_and_has_not_completed_it_that_year() -> None:
    seen = programmes(
        plans(("waktu", 2026, 8, 1, None)),
        records((ANI, "waktu", "2026-05-20", 8, None, True), (BUDI, "waktu", "2025-05-20", 8, None, True)),
        needs(("waktu", 2026, ANI), ("waktu", 2026, BUDI), ("waktu", 2026, BUDI), ("lain", 2026, CITRA)),
    )
    assert seen["waktu", 2026]["unmet_count"] == 1
    assert (seen["lain", 2026]["unmet_count"], seen["lain", 2026]["planned_places"]) == (1, None)


def test_nothing_planned_held_or_needed_is_an_empty_table() -> None:
    assert programmes(plans(), records(), needs()) == {}
