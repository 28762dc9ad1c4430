"""A month with far fewer or far more rows than the months before it is shown."""

from __future__ import annotations

import dataclasses

import polars as pl

from kinerja_pipeline.contracts.model import Bound, load_contracts
from kinerja_pipeline.validated.usual import rows_by_feed, sentence, volume

LOG = load_contracts().incoming["attendance_log"]
# Usual are 50 % to 150 % of the median.
BEFORE = {"2025-12": 1_000, "2026-01": 900, "2026-02": 4_000}


def test_rows_are_held_against_the_median_of_the_months_before() -> None:
    few, right, many = (volume(LOG, "2026-03", rows, BEFORE, True) for rows in (499, 500, 1_501))
    assert (few.median, few.is_usual, right.is_usual, many.is_usual) == (1_000, False, True, False)
    assert sentence(few, LOG, "2026-03") == (
        "499 rows of 2026-03, 50% of the median of 3 months before (1000); usual are 50% to 150%. Ask Bagian "
        "Organisasi whether a file, a device or a unit is missing; what comes is taken in and the month computed again."
    )
    assert "delivered for two regions" in sentence(many, LOG, "2026-03")


def test_a_month_whose_files_may_still_come_has_not_too_few_rows() -> None:
    running = volume(LOG, "2026-03", 10, BEFORE, False)
    assert running.is_usual
    assert sentence(running, LOG, "2026-03").endswith("More files may come.")
    assert not volume(LOG, "2026-03", 9_000, BEFORE, False).is_usual


def test_two_months_do_not_say_what_is_usual() -> None:
    found = volume(LOG, "2026-03", 5, {"2026-01": 900, "2026-02": 1_000}, True)
    assert (found.is_usual, found.share) == (True, None)
    assert sentence(found, LOG, "2026-03") == "5 rows; fewer than 3 earlier months with rows say what is usual."


def test_months_longer_ago_than_half_a_year_do_not_count() -> None:
    found = volume(LOG, "2026-03", 5, {"2025-06": 1, "2025-07": 1, "2025-08": 1, **BEFORE}, True)
    assert found.months == ("2025-12", "2026-01", "2026-02")


def test_a_feed_without_rows_in_the_months_before_has_nothing_usual() -> None:
    assert volume(LOG, "2026-03", 70, dict.fromkeys(BEFORE, 0), True).is_usual


def test_a_page_that_says_nothing_bears_half_to_twice_as_many() -> None:
    silent = dataclasses.replace(LOG, bounds=())
    assert [volume(silent, "2026-03", rows, BEFORE, True).is_usual for rows in (499, 500, 2_000, 2_001)] == [
        False,
        True,
        True,
        False,
    ]
    wide = dataclasses.replace(LOG, bounds=(Bound("rows__usual", 0.0, 5.0, "error", "any"),))
    assert volume(wide, "2026-03", 0, BEFORE, True).is_usual


def test_a_row_that_was_delivered_again_is_counted_once() -> None:
    names = ("feed", "rule_id", "valid_count", "rejected_count", "superseded_count")
    tally = pl.DataFrame(
        [
            ("attendance_log", "all", 95, 3, 2),
            ("attendance_log", "pin__unknown", 0, 3, 0),
            ("attendance_log", "all", 49, 1, 50),
            ("task_record", "all", 7, 0, 0),
        ],
        schema=names,
        orient="row",
    )
    assert rows_by_feed(tally) == {"attendance_log": 148, "task_record": 7}
