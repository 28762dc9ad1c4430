"""A feed is overdue when its contract's cadence, or the region's own deadline, has passed without it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from kinerja_pipeline.contracts.model import Cadence, Contract, load_contracts
from kinerja_pipeline.landing.freshness import Freshness, freshness, month_due, sentence
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.policies.model import Deadline, Policy

INCOMING = load_contracts().incoming
LOG, REGISTER, RATINGS = INCOMING["attendance_log"], INCOMING["employee"], INCOMING["performance_rating"]
SALOR = load_policies()["salor"]


def policy(**deadlines: Deadline) -> Policy:
    """Salor from January 2026 on, in Jayapura (UTC+9), with no deadlines but these."""
    return SALOR.model_copy(update={"deliveries": deadlines, "first_month": "2026-01", "time_zone": "Asia/Jayapura"})


def ledger(*files: tuple[str, str, dict[str, int], str | None]) -> pl.DataFrame:
    """Landed files: feed, when they came (UTC), rows by month, the last day that their rows speak of."""
    rows: list[dict[str, Any]] = [
        {
            "feed": feed,
            "status_code": "landed",
            "received_at": dt.datetime.fromisoformat(came).replace(tzinfo=dt.UTC),
            "months": [{"name": month, "row_count": count} for month, count in months.items()],
            "first_event_date": dt.date(2026, 1, 1) if last else None,
            "last_event_date": dt.date.fromisoformat(last) if last else None,
        }
        for feed, came, months, last in files
    ]
    counts = pl.List(pl.Struct({"name": pl.String, "row_count": pl.Int64}))
    days = dict.fromkeys(("first_event_date", "last_event_date"), pl.Date)
    texts = {"feed": pl.String, "status_code": pl.String}
    return pl.DataFrame(rows, schema={**texts, "received_at": pl.Datetime("us", "UTC"), "months": counts, **days})


def told(contract: Contract, found: Freshness, rules: Policy, today: dt.date) -> str:
    return sentence(found, contract, rules, today)


def test_a_month_is_due_so_many_days_after_it_ends_or_on_the_region_s_own_day() -> None:
    assert month_due(LOG, policy(), "2026-02") == dt.date(2026, 3, 10)
    assert month_due(LOG, policy(attendance_log=Deadline(due_day=5)), "2026-02") == dt.date(2026, 3, 5)
    assert RATINGS.cadence == Cadence(3, 30)
    assert {month_due(RATINGS, policy(), f"2026-0{n}") for n in (1, 2, 3)} == {dt.date(2026, 4, 30)}
    assert month_due(INCOMING["device_outage"], policy(), "2026-02") is None, "nobody promised outages"


def test_taps_of_a_month_are_overdue_the_day_after_they_were_due() -> None:
    came = ledger(("attendance_log", "2026-02-03 01:00", {"2026-01": 40}, "2026-01-31"))
    assert not freshness(LOG, policy(), came, dt.date(2026, 3, 10)).is_overdue
    today = dt.date(2026, 3, 12)
    found = freshness(LOG, policy(), came, today)
    assert found == ("attendance_log", True, "2026-02", dt.date(2026, 3, 10), "2026-01", dt.date(2026, 2, 3))
    assert told(LOG, found, policy(), today) == (
        "Overdue: rows of 2026-02 should have come by 2026-03-10, 2 days ago; the last file came on 2026-02-03, the "
        "last rows are of 2026-01. Ask Bagian Organisasi for the file and put it into landing/salor/; if it is there, "
        "`kinerja status` says why it was refused."
    )


def test_the_day_is_that_of_the_region() -> None:
    came = ledger(("attendance_log", "2026-03-09 20:00", {"2026-02": 40}, "2026-02-28"))
    assert freshness(LOG, policy(), came, dt.date(2026, 3, 11)).received == dt.date(2026, 3, 10)


def test_a_clock_that_was_lost_does_not_stand_for_the_month_in_which_it_landed() -> None:
    came = ledger(("attendance_log", "2026-03-02 01:00", {"2026-01": 40, "2026-03": 2}, "2026-01-31"))
    found = freshness(LOG, policy(), came, dt.date(2026, 4, 12))
    assert (found.asked, found.is_overdue, found.last_month) == ("2026-03", True, "2026-01")


def test_rows_of_one_month_are_enough_for_a_feed_of_every_quarter() -> None:
    came = ledger(("performance_rating", "2026-04-20 01:00", {"2026-02": 9}, "2026-02-28"))
    assert freshness(RATINGS, policy(), came, dt.date(2026, 5, 2)).asked == "2026-03"
    assert not freshness(RATINGS, policy(), came, dt.date(2026, 5, 2)).is_overdue
    assert freshness(RATINGS, policy(), came, dt.date(2026, 8, 2)).is_overdue


def test_rows_that_came_before_they_were_due_are_enough() -> None:
    """Of the quarter before there never were any; what is late now is asked here."""
    came = ledger(("performance_rating", "2026-04-20 01:00", {"2026-04": 9}, "2026-04-18"))
    assert freshness(RATINGS, policy(), came, dt.date(2026, 5, 2)).asked == "2026-03"
    assert not freshness(RATINGS, policy(), came, dt.date(2026, 5, 2)).is_overdue


def test_a_register_is_overdue_when_it_has_not_come_again() -> None:
    came = ledger(("employee", "2026-01-05 01:00", {"dated": 12}, None))
    assert REGISTER.cadence == Cadence(3, 15)
    assert not freshness(REGISTER, policy(), came, dt.date(2026, 4, 20)).is_overdue
    found = freshness(REGISTER, policy(), came, dt.date(2026, 4, 21))
    assert (found.is_overdue, found.due) == (True, dt.date(2026, 4, 20))
    assert told(REGISTER, found, policy(), dt.date(2026, 4, 21)).startswith(
        "Overdue: a file should have come by 2026-04-20, 1 day ago; the last file came on 2026-01-05. Ask BKPSDM "
    )


def test_a_feed_that_the_region_does_not_have_is_no_fault() -> None:
    without = policy().model_copy(update={"feeds": {}})
    found = freshness(LOG, without, ledger(), dt.date(2026, 6, 1))
    assert not found.is_overdue
    assert told(LOG, found, without, dt.date(2026, 6, 1)) == "The region has no attendance_log: nothing is expected."


def test_a_feed_of_which_nothing_ever_came_is_asked_for_only_where_the_region_says_so() -> None:
    assert not freshness(LOG, policy(), ledger(), dt.date(2026, 6, 1)).is_overdue
    promised = policy(attendance_log=Deadline(due_day=5))
    found = freshness(LOG, promised, ledger(), dt.date(2026, 6, 1))
    assert (found.is_overdue, found.asked) == (True, "2026-04")
    assert "; no file has come yet." in told(LOG, found, promised, dt.date(2026, 6, 1))


def test_before_the_first_month_is_due_nothing_is() -> None:
    assert freshness(LOG, policy(attendance_log=Deadline(due_day=5)), ledger(), dt.date(2026, 2, 5)).due is None
