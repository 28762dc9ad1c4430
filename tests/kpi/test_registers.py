"""The tables that describe the others: unit paths, data quality, deliveries, periods."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from kpi_world import SALOR, by, frame_of, policy_with

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.policies.loader import policy_version
from kinerja_pipeline.validated.split import TALLY_SCHEMA
from kinerja_pipeline.warehouse.registers import data_quality, delivery, indicator, org_unit, period_status, region

# ---- units -----------------------------------------------------------------------------------------------------------


def paths(*rows: tuple[str, str | None]) -> dict[str, str]:
    units = frame_of(
        [{"unit_id": unit, "parent_unit_id": parent, "valid_from": dt.date(2026, 1, 1)} for unit, parent in rows],
        unit_id=pl.String,
        parent_unit_id=pl.String,
        valid_from=pl.Date,
    )
    return dict(org_unit(units).select("unit_id", "unit_path").iter_rows())


def test_a_units_path_leads_from_the_top_down_to_it() -> None:
    assert paths(("puskesmas", "dinkes"), ("dinkes", "setda"), ("setda", None)) == {
        "setda": "setda",
        "dinkes": "setda/dinkes",
        "puskesmas": "setda/dinkes/puskesmas",
    }


def test_a_parent_that_no_register_knows_ends_the_path() -> None:
    assert paths(("puskesmas", "dinkes")) == {"puskesmas": "puskesmas"}


def test_a_circle_of_parents_is_cut_where_it_closes() -> None:
    assert paths(("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")) == {
        "a": "c/b/a",
        "b": "a/c/b",
        "c": "b/a/c",
        "d": "c/b/a/d",
    }


def test_the_latest_form_of_a_unit_names_its_parent_and_every_form_has_the_path() -> None:
    units = pl.DataFrame(
        {
            "unit_id": ["puskesmas", "dinkes", "puskesmas", "setda"],
            "parent_unit_id": ["setda", None, "dinkes", None],
            "valid_from": [dt.date(2024, 1, 1), dt.date(2024, 1, 1), dt.date(2026, 1, 1), dt.date(2024, 1, 1)],
        }
    )
    result = org_unit(units)
    assert result["unit_path"].to_list() == ["dinkes/puskesmas", "dinkes", "dinkes/puskesmas", "setda"]
    assert result.drop("unit_path").equals(units)


def test_no_units_no_paths() -> None:
    assert paths() == {}


# ---- region and indicators -------------------------------------------------------------------------------------------


def test_the_region_says_its_clock_and_policy() -> None:
    assert region(SALOR).to_dicts() == [
        {
            "region": "salor",
            "label_id": "Salor (Papua Selatan)",
            "label_en": "Salor (South Papua)",
            "time_zone": "Asia/Jayapura",
            "policy_version": policy_version(SALOR),
        }
    ]


def test_an_indicators_formula_can_be_read_by_people() -> None:
    policy = policy_with(
        time={"source": "DOMAIN section 6"},
        cost={"numerator": "cost_spent", "denominator": "cost_planned", "filter": None, "scale": 1},
        visits={"numerator": "1", "denominator": None, "statistic": "count", "is_active": False},
    )
    rows = by(indicator([policy, policy]), "indicator_id")
    assert {name: row["formula"] for name, row in rows.items()} == {
        "time": "100 * sum(CASE WHEN is_on_time THEN 1 ELSE 0 END) / sum(1) where is_due",
        "cost": "sum(cost_spent) / sum(cost_planned)",
    }
    assert (rows["time"]["law"], rows["cost"]["law"], rows["time"]["source"]) == (
        "DOMAIN section 6",
        None,
        "task_outcome",
    )


# ---- periods ---------------------------------------------------------------------------------------------------------


def states(month: str, published: list[str], today: dt.date) -> dict[str, dict[str, Any]]:
    return by(period_status(SALOR, month, published, today), "period")


def codes(rows: dict[str, dict[str, Any]]) -> dict[str, tuple[str, int]]:
    return {period: (row["status_code"], row["month_count"]) for period, row in rows.items()}


def test_the_running_month_is_open_and_counts_up_to_yesterday() -> None:
    rows = states("2026-03", ["2026-01", "2026-02"], dt.date(2026, 3, 18))
    assert codes(rows) == {
        "2026-03": ("open", 1),
        "2026-Q1": ("open", 3),
        "2026-S1": ("partial", 3),
        "2026": ("partial", 3),
    }
    assert rows["2026-03"]["as_of_date"] == rows["2026"]["as_of_date"] == dt.date(2026, 3, 17)
    assert rows["2026-03"]["closed_at"] is None


def test_a_month_closes_on_the_closing_day_of_the_next() -> None:
    # The policy's closing day is the 5th: on the 4th the month is still open.
    assert SALOR.periods.closing_day == 5
    assert states("2026-03", [], dt.date(2026, 4, 4))["2026-03"]["status_code"] == "open"
    row = states("2026-03", [], dt.date(2026, 4, 5))["2026-03"]
    assert (row["status_code"], row["as_of_date"]) == ("closed", dt.date(2026, 3, 31))
    # Midnight of 5 April in Jayapura, nine hours ahead of UTC.
    assert row["closed_at"] == dt.datetime(2026, 4, 4, 15, tzinfo=dt.UTC)


def test_a_quarter_closes_with_its_last_month_and_stays_partial_while_one_is_missing() -> None:
    late = dt.date(2026, 7, 1)
    whole = states("2026-02", ["2026-01", "2026-03"], late)
    assert codes(whole)["2026-Q1"] == ("closed", 3)
    assert whole["2026-Q1"]["closed_at"] == dt.datetime(2026, 4, 4, 15, tzinfo=dt.UTC)
    missing = states("2026-02", ["2026-03"], late)
    assert codes(missing) == {
        "2026-02": ("closed", 1),
        "2026-Q1": ("partial", 2),
        "2026-S1": ("partial", 2),
        "2026": ("partial", 2),
    }
    assert missing["2026-Q1"]["as_of_date"] == dt.date(2026, 3, 31)


def test_december_closes_in_january() -> None:
    year = [f"2026-{m:02}" for m in range(1, 13)]
    assert codes(states("2026-12", year, dt.date(2027, 1, 4)))["2026"] == ("open", 12)
    assert codes(states("2026-12", year, dt.date(2027, 1, 5)))["2026"] == ("closed", 12)


# ---- data quality ----------------------------------------------------------------------------------------------------

INCOMING = load_contracts().incoming


def tally(*rows: dict[str, Any]) -> pl.DataFrame:
    base = {"feed": "task_record", "delivery_id": "a", "severity_code": "error"}
    return frame_of([{**base, **row} for row in rows], **TALLY_SCHEMA)


def whole(landed: int, valid: int, rejected: int, superseded: int, **changes: Any) -> dict[str, Any]:
    counts = {"landed_count": landed, "valid_count": valid, "rejected_count": rejected, "superseded_count": superseded}
    return {"rule_id": "all", **counts, "failed_count": rejected, **changes}


def failed(rule: str, landed: int, count: int, **changes: Any) -> dict[str, Any]:
    return {"rule_id": rule, "landed_count": landed, "rejected_count": count, "failed_count": count, **changes}


def test_data_quality_adds_up_over_deliveries() -> None:
    tallies = [
        tally(
            *(whole(10, 6, 3, 1), failed("nip__pattern", 10, 2), failed("due_at__before__opened_at", 10, 2)),
            *(whole(5, 5, 0, 0, delivery_id="b"), whole(5, 4, 1, 0, delivery_id="c")),
            failed("nip__pattern", 5, 1, delivery_id="c"),
        ),
        tally(whole(7, 7, 0, 0, feed="employee")),
    ]
    rows = by(data_quality(tallies, INCOMING, "2026-03"), "feed", "rule_id")
    names = ("landed_count", "valid_count", "rejected_count", "superseded_count")
    assert {key: tuple(row[n] for n in names) for key, row in rows.items()} == {
        ("task_record", "all"): (20, 15, 4, 1),
        ("task_record", "nip__pattern"): (20, None, 3, None),
        ("task_record", "due_at__before__opened_at"): (20, None, 2, None),
        ("employee", "all"): (7, 7, 0, 0),
    }
    everything = rows["task_record", "all"]
    assert everything["rejected_share"] == pytest.approx(4 / 20)
    assert (everything["tolerance_share"], everything["period"]) == (0.05, "2026-03")
    assert rows["task_record", "nip__pattern"]["rejected_share"] == pytest.approx(3 / 20)
    assert rows["employee", "all"]["tolerance_share"] == 0.02


def test_a_warning_rejects_nothing() -> None:
    warned = failed("shared_at__before__observed_at", 4, 0, severity_code="warning", failed_count=2)
    rows = by(data_quality([tally(whole(4, 4, 0, 0), warned)], INCOMING, "2026-03"), "rule_id")
    line = rows["shared_at__before__observed_at"]
    assert (line["severity_code"], line["rejected_count"], line["rejected_share"]) == ("warning", 0, 0)


def test_no_deliveries_no_data_quality() -> None:
    assert data_quality([tally()], INCOMING, "2026-03").is_empty()


def test_a_deliverys_counts_wait_until_all_its_months_are_validated() -> None:
    ledger = pl.DataFrame(
        {
            "feed": ["task_record"] * 3,
            "file_name": [f"task_record/{name}.csv" for name in "abc"],
            "reason": None,
            "delivery_id": ["a", "b", "c"],
            "row_count": [10, 5, None],
        },
        schema_overrides={"row_count": pl.Int64, "reason": pl.String},
    )
    march = tally(whole(6, 5, 1, 0), whole(5, 5, 0, 0, delivery_id="b"))
    april = tally(whole(4, 3, 0, 1))
    counted = ("valid_count", "rejected_count", "superseded_count")
    early = by(delivery(ledger, [march]), "delivery_id")
    assert tuple(early["a"][c] for c in counted) == (None, None, None)
    assert tuple(early["b"][c] for c in counted) == (5, 0, 0)
    late = by(delivery(ledger, [march, april]), "delivery_id")
    assert tuple(late["a"][c] for c in counted) == (8, 1, 1)
    assert tuple(late["c"][c] for c in counted) == (None, None, None), "a refused file has no rows to count"
    assert late["a"]["sha256"] == "a"


def test_a_delivery_that_is_called_by_somebodys_number_is_told_without_it() -> None:
    # Analysts read this table, and may see nobody's number.
    number = "198501012010011001"
    ledger = pl.DataFrame(
        {
            "feed": ["task_record"],
            "file_name": [f"task_record/{number}.csv"],
            "reason": [f"{number}.csv: it is empty"],
            "delivery_id": ["a"],
            "row_count": [None],
        },
        schema_overrides={"row_count": pl.Int64},
    )
    (row,) = delivery(ledger, [tally()]).rows(named=True)
    assert (row["file_name"], row["reason"]) == ("task_record/(NIP).csv", "(NIP).csv: it is empty")
