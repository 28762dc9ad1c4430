"""Which rows are believed, which are rejected and why, which version of a key stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest
from validated_world import ZONE, deliveries, landed

from kinerja_pipeline.contracts.model import Column, Contract, Rule, load_contracts
from kinerja_pipeline.validated.split import ConservationError, Split, split

INCOMING = load_contracts().incoming
NIP, OTHER = "199001012020011001", "198505052010012002"


def roster(delivery: str, line: int, date: str | None, shift: str | None, nip: str = NIP) -> dict[str, Any]:
    return {"_delivery_id": delivery, "_source_row": line, "nip": nip, "work_date": date, "schedule_id": shift}


def task(delivery: str, line: int, task_id: str | None, opened: str, month: str, **cells: str | None) -> dict[str, Any]:
    base = {"task_type": "routine", "status_code": "open", "unit_id": "dinkes"}
    own = {"_delivery_id": delivery, "_source_row": line, "_month": month}
    return {**base, **own, "task_id": task_id, "opened_at": opened, **cells}


def of(feed: str, rows: list[Mapping[str, Any]], ledger: pl.DataFrame, month: str | None = None, **how: Any) -> Split:
    contract = INCOMING[feed]
    arguments = {"zone": ZONE, "references": {}, **how}
    return split(landed(contract, rows), contract, deliveries=ledger, month=month, **arguments)


def places(frame: pl.DataFrame) -> list[tuple[str, int]]:
    return sorted(frame.select("_delivery_id", "_source_row").iter_rows())


def reasons(result: Split) -> dict[tuple[str, int], list[str]]:
    return {(r["_delivery_id"], r["_source_row"]): r["_reasons"] for r in result.rejected.iter_rows(named=True)}


def counts(result: Split) -> dict[str, tuple[int, int, int, int]]:
    """Per delivery: landed, valid, rejected, superseded."""
    columns = ("landed_count", "valid_count", "rejected_count", "superseded_count")
    whole = result.tally.filter(pl.col("rule_id") == "all")
    return {line["delivery_id"]: tuple(line[c] for c in columns) for line in whole.iter_rows(named=True)}  # type: ignore[misc]


# ---- versions of a key -----------------------------------------------------------------------------------------------


def test_an_exact_repeat_is_superseded_and_the_first_row_stands() -> None:
    rows = [
        roster("a", 3, "2026-03-02", "off"),
        roster("a", 2, "2026-03-02", "off"),
        roster("a", 9, "02/03/2026", "off"),
    ]
    result = of("shift_roster", rows, deliveries(a="append"))
    assert places(result.valid) == [("a", 2)]
    assert places(result.superseded) == [("a", 3), ("a", 9)]
    assert counts(result) == {"a": (3, 1, 0, 2)}


def test_a_tap_exported_again_counts_once_and_two_states_in_a_second_are_two_taps() -> None:
    tap = {
        "device_id": "gate-1",
        "pin": "17",
        "tapped_at": "2026-03-02 07:31:00",
        "verify_code": "1",
        "_month": "2026-03",
    }
    rows = [
        {**tap, "state_code": "0", "_delivery_id": "a", "_source_row": 1},
        {**tap, "state_code": None, "_delivery_id": "a", "_source_row": 2},
        {**tap, "state_code": "0", "_delivery_id": "b", "_source_row": 1},
        {**tap, "state_code": None, "_delivery_id": "b", "_source_row": 5},
    ]
    result = of("attendance_log", rows, deliveries(a="append", b="append"), "2026-03")
    assert places(result.valid) == [("b", 1), ("b", 5)]
    assert counts(result) == {"a": (2, 0, 0, 2), "b": (2, 2, 0, 0)}


def test_the_later_delivery_of_a_key_wins() -> None:
    rows = [roster("a", 1, "2026-03-02", "off"), roster("b", 1, "2026-03-02", "shift_night")]
    result = of("shift_roster", rows, deliveries(a="append", b="append"))
    assert result.valid["schedule_id"].to_list() == ["shift_night"]
    assert counts(result) == {"a": (1, 0, 0, 1), "b": (1, 1, 0, 0)}


def test_later_means_by_sequence_and_not_by_name_or_place_in_the_frame() -> None:
    rows = [roster("a", 1, "2026-03-02", "shift_night"), roster("b", 1, "2026-03-02", "off")]
    result = of("shift_roster", rows, deliveries(b="append", a="append"))
    assert result.valid["schedule_id"].to_list() == ["shift_night"]


def test_a_later_bad_version_does_not_replace_a_good_one() -> None:
    rows = [roster("a", 1, "2026-03-02", "off"), roster("b", 1, "2026-03-02", None)]
    result = of("shift_roster", rows, deliveries(a="append", b="delta"))
    assert places(result.valid) == [("a", 1)]
    assert reasons(result) == {("b", 1): ["schedule_id__missing"]}


def test_two_stories_about_a_key_in_one_delivery_are_both_rejected() -> None:
    rows = [
        roster("a", 1, "2026-03-02", "off"),
        roster("a", 2, "2026-03-02", "shift_night"),
        roster("a", 3, "2026-03-02", "off"),
        roster("a", 4, "2026-03-03", "off"),
    ]
    result = of("shift_roster", rows, deliveries(a="append"))
    assert places(result.valid) == [("a", 4)]
    assert reasons(result) == {("a", line): ["key__conflict"] for line in (1, 2, 3)}


def test_a_conflict_leaves_the_earlier_delivery_standing() -> None:
    rows = [
        roster("a", 1, "2026-03-02", "shift_morning"),
        roster("b", 1, "2026-03-02", "off"),
        roster("b", 2, "2026-03-02", "shift_night"),
    ]
    result = of("shift_roster", rows, deliveries(a="append", b="append"))
    assert places(result.valid) == [("a", 1)]


def test_a_bad_twin_in_the_same_delivery_is_no_conflict() -> None:
    rows = [roster("a", 1, "2026-03-02", "off"), roster("a", 2, "2026-03-02", "x" * 41)]
    result = of("shift_roster", rows, deliveries(a="append"))
    assert places(result.valid) == [("a", 1)]
    assert reasons(result) == {("a", 2): ["schedule_id__length"]}


def test_bytes_delivered_twice_under_two_names_are_one_delivery() -> None:
    # The ledger then has two lines with one delivery_id; the row must not supersede itself.
    ledger = pl.concat([deliveries(a="append"), deliveries(a="append").with_columns(sequence=pl.lit(7, pl.Int64))])
    result = of("shift_roster", [roster("a", 1, "2026-03-02", "off")], ledger)
    assert counts(result) == {"a": (1, 1, 0, 0)}


def test_the_same_bytes_for_another_feed_do_not_decide_the_mode_of_this_one() -> None:
    ledger = pl.DataFrame(
        {
            "feed": ["shift_roster", "shift_roster", "employee"],
            "delivery_id": ["a", "b", "b"],
            "sequence": [1, 2, 3],
            "delivery_mode": ["append", "append", "full"],
            "delivery_scope": ["*", "*", "*"],
        }
    )
    rows = [roster("a", 1, "2026-03-02", "off"), roster("b", 1, "2026-03-03", "off")]
    assert of("shift_roster", rows, ledger).valid.height == 2


# ---- full deliveries -------------------------------------------------------------------------------------------------


def test_a_full_delivery_drops_the_keys_it_no_longer_names() -> None:
    rows = [
        roster("a", 1, "2026-03-02", "off"),
        roster("a", 2, "2026-03-03", "off"),
        roster("b", 1, "2026-03-03", "shift_night"),
    ]
    result = of("shift_roster", rows, deliveries(a="full", b="full"))
    assert places(result.valid) == [("b", 1)]
    assert counts(result) == {"a": (2, 0, 0, 2), "b": (1, 1, 0, 0)}


def test_what_comes_after_a_full_delivery_adds_up_again() -> None:
    rows = [
        roster("a", 1, "2026-03-02", "off"),
        roster("b", 1, "2026-03-03", "off"),
        roster("c", 1, "2026-03-04", "off"),
    ]
    result = of("shift_roster", rows, deliveries(a="append", b="full", c="append"))
    assert places(result.valid) == [("b", 1), ("c", 1)]


def test_a_full_delivery_drops_nothing_that_came_through_another_mapping() -> None:
    # Two offices each send the whole of their own roster.
    rows = [
        roster("a", 1, "2026-03-02", "off"),
        roster("b", 1, "2026-03-03", "off"),
        roster("c", 1, "2026-03-04", "off"),
    ]
    ledger = deliveries(
        a="full", b="full", c="full", scopes={"a": "kantor_*.csv", "b": "pasar_*.csv", "c": "kantor_*.csv"}
    )
    assert places(of("shift_roster", rows, ledger).valid) == [("b", 1), ("c", 1)]


def test_a_key_named_by_a_bad_row_keeps_its_earlier_good_version() -> None:
    rows = [
        roster("a", 1, "2026-03-02", "off"),
        roster("b", 1, "2026-03-02", None),
        roster("b", 2, "2026-03-03", "off"),
    ]
    result = of("shift_roster", rows, deliveries(a="full", b="full"))
    assert places(result.valid) == [("a", 1), ("b", 2)]


def test_what_a_full_delivery_dropped_does_not_come_back_with_a_bad_row_of_the_next() -> None:
    rows = [
        roster("a", 1, "2026-03-02", "off"),
        roster("b", 1, "2026-03-03", "off"),
        roster("c", 1, "2026-03-02", None),
        roster("c", 2, "2026-03-03", "off"),
    ]
    result = of("shift_roster", rows, deliveries(a="full", b="full", c="full"))
    assert places(result.valid) == [("c", 2)]
    assert counts(result) == {"a": (1, 0, 0, 1), "b": (1, 0, 0, 1), "c": (2, 1, 1, 0)}


def test_a_full_delivery_that_is_rejected_whole_drops_nothing() -> None:
    # Written month first: nothing in it can be believed, so neither can what it leaves out.
    rows = [
        roster("a", 1, "2026-03-02", "off"),
        roster("b", 1, "03/13/2026", "off"),
        roster("b", 2, "03/02/2026", "off"),
    ]
    result = of("shift_roster", rows, deliveries(a="full", b="full"))
    assert places(result.valid) == [("a", 1)]


def test_a_full_delivery_speaks_only_for_the_months_it_has_good_rows_of() -> None:
    # The unreadable date of the March file landed in April, its month of arrival; April's rows stay.
    rows = [
        task("april", 1, "t-1", "2026-04-10", "2026-04"),
        task("march", 1, "t-2", "2026-03-10", "2026-03"),
        task("march", 2, "t-3", "kemarin", "2026-04"),
    ]
    result = of("task_record", rows, deliveries(april="full", march="full"), "2026-04")
    assert places(result.valid) == [("april", 1)]
    assert reasons(result) == {("march", 2): ["opened_at__unreadable"]}


# ---- months ----------------------------------------------------------------------------------------------------------


def test_a_row_delivered_again_under_another_month_leaves_its_old_month() -> None:
    rows = [
        task("a", 1, "t-1", "2026-03-31", "2026-03"),
        task("a", 2, "t-2", "2026-03-31", "2026-03"),
        task("b", 1, "t-1", "2026-04-01", "2026-04"),
    ]
    march = of("task_record", rows, deliveries(a="append", b="delta"), "2026-03")
    april = of("task_record", rows, deliveries(a="append", b="delta"), "2026-04")
    assert places(march.valid) == [("a", 2)]
    assert counts(march) == {"a": (2, 1, 0, 1)}
    assert places(april.valid) == [("b", 1)]
    assert counts(april) == {"b": (1, 1, 0, 0)}


def test_a_full_delivery_that_moves_a_row_in_a_bad_version_leaves_the_old_one() -> None:
    rows = [
        task("a", 1, "t-1", "2026-03-31", "2026-03"),
        task("b", 1, "t-1", "2026-04-01", "2026-04", status_code="hilang"),
        task("b", 2, "t-2", "2026-03-01", "2026-03"),
    ]
    march = of("task_record", rows, deliveries(a="full", b="full"), "2026-03")
    assert places(march.valid) == [("a", 1), ("b", 2)]


def test_a_clock_reset_to_2000_is_rejected_in_the_month_of_arrival() -> None:
    tap = {"device_id": "gate-1", "pin": "17", "state_code": "0", "verify_code": "1", "_delivery_id": "a"}
    rows = [{**tap, "_source_row": 1, "_month": "2026-03", "tapped_at": "2000-01-01 00:03:00"}]
    assert reasons(of("attendance_log", rows, deliveries(a="append"), "2026-03")) == {("a", 1): ["tapped_at__month"]}


def test_the_wall_clock_of_the_region_decides_the_month() -> None:
    # 22:30 UTC on 31 March is 1 April in Jayapura.
    rows = [task("a", 1, "t-1", "2026-03-31T22:30:00Z", "2026-04")]
    result = of("task_record", rows, deliveries(a="append"), "2026-04", zone="Asia/Jayapura")
    assert result.valid["opened_at"].to_list() == [dt.datetime.fromisoformat("2026-04-01 07:30")]


# ---- reasons ---------------------------------------------------------------------------------------------------------


def test_a_row_has_every_reason_it_fails_for() -> None:
    rows = [roster("a", 1, "kapan", None, nip="123")]
    assert reasons(of("shift_roster", rows, deliveries(a="append"))) == {
        ("a", 1): ["nip__pattern", "work_date__unreadable", "schedule_id__missing"]
    }


def test_a_row_that_the_reader_could_not_cut_keeps_its_text_and_only_that_reason() -> None:
    raw = f"{NIP};2026-03-02;off;?;?"
    rows = [
        {**roster("a", 1, "rusak", None), "_problem": "row__long", "_raw": raw},
        roster("a", 2, "2026-03-02", "off"),
    ]
    result = of("shift_roster", rows, deliveries(a="append"))
    assert reasons(result) == {("a", 1): ["row__long"]}
    assert result.rejected["_raw"].to_list() == [raw]
    assert result.rejected["work_date"].to_list() == ["rusak"]
    lines = result.tally.filter(pl.col("rule_id") != "all").to_dicts()
    assert [(x["rule_id"], x["failed_count"], x["first_source_row"]) for x in lines] == [("row__long", 1, 1)]


def test_a_file_written_month_first_is_not_read_swapped() -> None:
    # 3 April and 4 March are both plausible; 15 March gives the file away. The other file is read as always.
    rows = [
        roster("english", 1, "03/04/2026", "off"),
        roster("english", 2, "03/15/2026", "off"),
        roster("english", 3, "2026-03-16", "off"),
        roster("house", 1, "03/04/2026", "off"),
    ]
    result = of("shift_roster", rows, deliveries(english="append", house="append"))
    assert reasons(result) == {
        ("english", 1): ["work_date__month_first"],
        ("english", 2): ["work_date__month_first"],
    }
    assert sorted(result.valid["work_date"]) == [dt.date(2026, 3, 16), dt.date(2026, 4, 3)]


def test_a_date_that_cannot_be_read_is_not_also_missing_or_too_early() -> None:
    done = {"status_code": "completed", "completed_at": "kemarin"}
    rows = [task("a", 1, "t-1", "2026-03-02", "2026-03", **done)]
    assert reasons(of("task_record", rows, deliveries(a="append"), "2026-03")) == {
        ("a", 1): ["completed_at__unreadable"]
    }


def test_a_month_first_date_is_not_also_before_another_date() -> None:
    rows = [
        task("a", 1, "t-1", "2026-06-02", "2026-06", due_at="06/05/2026"),
        task("a", 2, "t-2", "2026-06-02", "2026-06", due_at="06/25/2026"),
    ]
    result = of("task_record", rows, deliveries(a="append"), "2026-06")
    assert reasons(result) == {("a", 1): ["due_at__month_first"], ("a", 2): ["due_at__month_first"]}


def test_a_warning_is_counted_and_the_row_stays() -> None:
    answer = {
        "response_id": "r-1",
        "element_code": "u1",
        "survey_code": "skm",
        "submitted_at": "2026-03-02 09:00",
        "subject_kind": "unit",
        "subject_id": "dinkes",
        "role_code": "public",
        "score": "3",
        "scale_max": "4",
        "observed_at": "2026-03-02",
        "shared_at": "2026-03-01",
        "_month": "2026-03",
    }
    rows = [{**answer, "_delivery_id": "a", "_source_row": 4}]
    result = of("feedback_response", rows, deliveries(a="append"), "2026-03")
    assert counts(result) == {"a": (1, 1, 0, 0)}
    warning = result.tally.filter(pl.col("severity_code") == "warning").to_dicts()
    assert [(w["rule_id"], w["failed_count"], w["rejected_count"], w["first_source_row"]) for w in warning] == [
        ("shared_at__before__observed_at", 1, 0, 4)
    ]


def test_a_reference_to_a_feed_that_the_region_does_not_declare_is_not_checked() -> None:
    rows = [roster("a", 1, "2026-03-02", "off", nip=OTHER)]
    known = pl.DataFrame({"nip": [NIP]})
    assert of("shift_roster", rows, deliveries(a="append")).valid.height == 1
    result = of("shift_roster", rows, deliveries(a="append"), references={"employee": known})
    assert reasons(result) == {("a", 1): ["nip__unknown"]}
    nobody = known.clear()
    assert reasons(of("shift_roster", rows, deliveries(a="append"), references={"employee": nobody})) == {
        ("a", 1): ["nip__unknown"]
    }


def test_a_pin_is_known_only_together_with_its_device() -> None:
    tap = {"pin": "17", "tapped_at": "2026-03-02 07:31", "_month": "2026-03", "_delivery_id": "a"}
    rows = [{**tap, "device_id": "gate-1", "_source_row": 1}, {**tap, "device_id": "gate-2", "_source_row": 2}]
    # Three times the same pair, from three validities: a tap stays one tap.
    pins = pl.DataFrame({"device_id": ["gate-1"] * 3 + ["gate-2"], "pin": ["17"] * 3 + ["18"]})
    result = of("attendance_log", rows, deliveries(a="append"), "2026-03", references={"device_pin": pins})
    assert places(result.valid) == [("a", 1)]
    assert reasons(result) == {("a", 2): ["pin__unknown"]}


# ---- what comes out --------------------------------------------------------------------------------------------------


def test_valid_rows_are_typed_and_rejected_rows_are_as_delivered() -> None:
    rows = [roster("a", 1, "02/03/2026", " off ", nip="'199001012020011001"), roster("a", 2, " x ", "off")]
    result = of("shift_roster", rows, deliveries(a="append"))
    assert result.valid.to_dicts() == [
        {"nip": NIP, "work_date": dt.date(2026, 3, 2), "schedule_id": "off", "_delivery_id": "a", "_source_row": 1}
    ]
    assert result.rejected.to_dicts() == [
        {
            "nip": NIP,
            "work_date": " x ",
            "schedule_id": "off",
            "_delivery_id": "a",
            "_source_row": 2,
            "_reasons": ["work_date__unreadable"],
            "_raw": None,
        }
    ]


@pytest.mark.parametrize("feed", sorted(INCOMING))
def test_a_feed_without_rows_has_frames_of_the_same_shape(feed: str) -> None:
    contract = INCOMING[feed]
    month = "2026-03" if contract.is_event else None
    result = of(feed, [], deliveries(), month)
    kinds = {"string": pl.String, "integer": pl.Int64, "number": pl.Float64, "boolean": pl.Boolean}
    kinds |= {"date": pl.Date, "timestamp": pl.Datetime("us")}
    assert dict(result.valid.schema) == {
        **{c.name: kinds[c.kind] for c in contract.columns},
        "_delivery_id": pl.String,
        "_source_row": pl.UInt32,
    }
    assert result.rejected.schema["_reasons"] == pl.List(pl.String)
    assert (result.valid.height, result.rejected.height, result.superseded.height, result.tally.height) == (0, 0, 0, 0)


def test_the_tally_counts_each_rule_and_where_it_first_failed() -> None:
    rows = [
        roster("a", 2, "2026-03-02", "off"),
        roster("a", 3, "x", "off"),
        roster("a", 7, "y", None),
        roster("b", 5, "2026-03-02", "off"),
    ]
    tally = of("shift_roster", rows, deliveries(a="append", b="append")).tally
    seen = tally.select(
        *(
            "delivery_id",
            "rule_id",
            "landed_count",
            "valid_count",
            "rejected_count",
            "superseded_count",
            "failed_count",
        ),
        "first_source_row",
    )
    assert seen.rows() == [
        ("a", "all", 3, 0, 2, 1, 2, None),
        ("a", "schedule_id__missing", 3, None, 1, None, 1, 7),
        ("a", "work_date__unreadable", 3, None, 2, None, 2, 3),
        ("b", "all", 1, 1, 0, 0, 0, None),
    ]


def test_a_reference_table_that_multiplies_rows_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    # The split counts its own outcome: a fault of the program stops it before anything is published.
    monkeypatch.setattr(
        "kinerja_pipeline.validated.split._with_reasons", lambda bad, landed, contract, rules: landed.clear()
    )
    contract = Contract(
        *("thing", "incoming", "1", "One row per thing.", "id"),
        columns=(Column("id", "string", "The thing.", is_required=True, key_position=1),),
        rules=(Rule("id__missing", "missing", ("id",), "error", "id must have a value"),),
    )
    rows = landed(contract, [{"id": None, "_delivery_id": "a" * 64, "_source_row": 1}])
    monkeypatch.setattr("kinerja_pipeline.validated.split._tally", lambda *_: pl.DataFrame())
    with pytest.raises(ConservationError, match="thing, delivery aaaaaaaaaaaa: 1 rows landed but 0 ended"):
        split(rows, contract, zone=ZONE, references={}, deliveries=deliveries())


def test_a_measurement_is_of_a_month_or_of_a_day_that_the_calendar_has() -> None:
    contract = INCOMING["indicator_measurement"]
    good = ["2026-02", "2026-02-28", "2028-02-29", "2026-04-30", "2026-12-31"]
    bad = ["2026-02-29", "2026-02-30", "2026-04-31", "2026-13-01", "2026-04-00", "2026-4-1", "2026-04-01T00"]
    rows = [
        # What has no month lands in the month of its delivery.
        {"period": p, "subject_id": "crew", "value": "1", "_month": p[:7] if p in good else "2026-02"}
        for p in (*good, *bad)
    ]
    shared = {"indicator_id": "waste", "subject_kind": "unit", "_delivery_id": "d", "_source_row": 1}
    given = landed(contract, [shared | row for row in rows])
    found = [
        split(given, contract, zone=ZONE, references={}, deliveries=deliveries(d="delta"), month=month)
        for month in ("2026-02", "2028-02", "2026-04", "2026-12")
    ]
    assert sorted(pl.concat(f.valid for f in found)["period"]) == sorted(good)
    reasons = {row["period"]: row["_reasons"] for f in found for row in f.rejected.to_dicts()}
    assert reasons == {period: ["period__pattern"] for period in bad}
