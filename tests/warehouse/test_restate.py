"""What changes in a closed period is recorded, from what to what and why; what could give a rater away is not told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from analyst_world import AGUS, BETTY, attended, evaluated, frame, person_kpi, recommended, unit_kpi

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.warehouse import publish as publishing
from kinerja_pipeline.warehouse.publish import Published
from kinerja_pipeline.warehouse.restate import Cause, changes, tellable, undone

MONTH = "2026-02"
CLOSED = {"period_status": [{"status_code": "closed", "month_count": 1}]}
DELIVERY = {MONTH: Cause("delivery", "d1,d2")}
Publish = Callable[..., list[Published]]
RowsOf = Callable[..., list[tuple[object, ...]]]


def frames(**tables: list[dict[str, Any]]) -> dict[str, pl.DataFrame]:
    return {table: frame(table, "manokwari", MONTH, rows) for table, rows in tables.items()}


def found(table: str, old: list[dict[str, Any]], new: list[dict[str, Any]]) -> pl.DataFrame:
    before, after = (frame(table, "manokwari", MONTH, rows) for rows in (old, new))
    return changes(load_contracts().outgoing[table], before, after)


def told(rows: pl.DataFrame) -> list[tuple[object, ...]]:
    return rows.select("key", "column_name", "change_code", "old_value", "new_value").rows()


# ---- comparing -------------------------------------------------------------------------------------------------------


def test_each_value_that_differs_is_a_row_and_nothing_else_is() -> None:
    same = attended(BETTY, 20, 19, 0, 0, 0.05)
    rows = found("attendance_month", [attended(AGUS, 20, 20, 1, 12, 0.01), same],
                 [attended(AGUS, 20, 20, 2, 10, 0.01), same])  # fmt: skip
    place = f"{AGUS}|{MONTH}"
    assert told(rows) == [
        (place, "late_count", "changed", "1", "2"),
        (place, "late_minutes", "changed", "12", "10"),
        # (20 - 1) / 20 and (20 - 2) / 20
        (place, "punctuality_share", "changed", "0.95", "0.9"),
    ]
    assert set(rows.select("subject_kind", "subject_id", "period").rows()) == {("employee", AGUS, MONTH)}


def test_rows_that_come_and_go_are_told_by_what_they_say() -> None:
    old, new = [unit_kpi("DINKES", "on_time", 1.0, 80.0)], [unit_kpi("DINKES", "quality", 1.0, None)]
    rows = found("kpi", old, new)
    by_row = {
        (key, change): dict(part.select("column_name", value).iter_rows())
        for (key, change), part in rows.group_by("key", "change_code")
        for value in ["old_value" if change == "removed" else "new_value"]
    }
    assert by_row == {
        ("DINKES|unit|on_time|month|2026-02", "removed"): {
            "unit_id": "DINKES", "aspect_code": "time", "weight": "1.0", "score": "80.0", "actual": "80.0",
            "status_code": "computed", "evidence_count": "1",
        },
        ("DINKES|unit|quality|month|2026-02", "added"): {
            "unit_id": "DINKES", "aspect_code": "time", "weight": "1.0", "status_code": "not_computable",
            "reason": "no_rows", "evidence_count": "1",
        },
    }  # fmt: skip


def test_another_policy_version_alone_changes_no_figure() -> None:
    row = unit_kpi("DINKES", "on_time", 1.0, 80.0)
    assert told(found("kpi", [row], [{**row, "policy_version": "2026.2"}])) == []


def test_what_was_published_comes_back_when_changes_are_undone() -> None:
    old = [evaluated(AGUS, "DINKES", 95.0, is_different=True), evaluated(BETTY, "DINKES", 90.0)]
    new = [evaluated(AGUS, "DINKES", 96.5, is_different=False)]
    contract = load_contracts().outgoing["evaluation"]
    records = found("evaluation", old, new).with_columns(region=pl.lit("manokwari")).to_dicts()
    stood = undone(contract, frame("evaluation", "manokwari", MONTH, new).to_dicts(), records)
    wanted = frame("evaluation", "manokwari", MONTH, old).drop("policy_version").sort("nip").to_dicts()
    rows = sorted(
        ({k: v for k, v in one.row.items() if k != "policy_version"} for one in stood), key=lambda r: r["nip"]
    )
    assert rows == wanted


def test_a_value_that_was_missing_is_missing_again_when_its_change_is_undone() -> None:
    old, new = [evaluated(AGUS, "DINKES", None)], [evaluated(AGUS, "DINKES", 95.0, is_different=False)]
    records = found("evaluation", old, new).with_columns(region=pl.lit("manokwari")).to_dicts()
    contract = load_contracts().outgoing["evaluation"]
    [stood] = undone(contract, frame("evaluation", "manokwari", MONTH, new).to_dicts(), records)
    assert (stood.row["result_score"], stood.row["is_different"]) == (None, None)


# ---- what is not told ------------------------------------------------------------------------------------------------


def withheld(rows: pl.DataFrame) -> set[tuple[str, str]]:
    hidden = rows.filter("is_suppressed")
    assert hidden.filter(pl.col("old_value").is_not_null() | pl.col("new_value").is_not_null()).is_empty()
    return set(hidden.select("subject_id", "column_name").iter_rows())


def test_scores_of_behaviour_are_never_old_and_new_values() -> None:
    old = evaluated(AGUS, "DINKES", 95.0, behaviour_score=80.0, numeric_score=90.5, behaviour_rating="sesuai")
    new = {**old, "behaviour_score": 91.0, "numeric_score": 93.8, "behaviour_rating": "di_atas", "result_score": 96.0}
    rows = tellable({"evaluation": found("evaluation", [old], [new])}, [])["evaluation"]
    columns = {"behaviour_score", "numeric_score", "behaviour_rating"}
    assert withheld(rows) == {(AGUS, name) for name in columns}
    assert ("result_score", "95.0", "96.0") in rows.select("column_name", "old_value", "new_value").rows()


def test_a_mean_of_what_people_say_of_a_person_and_the_result_it_moves_are_withheld() -> None:
    kpi = found(
        "kpi",
        [person_kpi(AGUS, "DINKES", "kindness", 80.0), person_kpi(BETTY, "DINKES", "on_time", 70.0)],
        [person_kpi(AGUS, "DINKES", "kindness", 85.0), person_kpi(BETTY, "DINKES", "on_time", 75.0)],
    )
    results = found(
        "evaluation",
        [evaluated(AGUS, "DINKES", 90.0), evaluated(BETTY, "DINKES", 70.0)],
        [evaluated(AGUS, "DINKES", 92.5), evaluated(BETTY, "DINKES", 75.0)],
    )
    rows = tellable({"kpi": kpi, "evaluation": results}, ["kindness"])
    assert withheld(rows["kpi"]) == {(AGUS, "actual"), (AGUS, "score")}
    assert withheld(rows["evaluation"]) == {(AGUS, "result_score")}
    assert ("70.0", "75.0") in rows["evaluation"].select("old_value", "new_value").rows()


def test_what_the_public_says_of_a_unit_is_told() -> None:
    kpi = found("kpi", [unit_kpi("DINKES", "skm", 1.0, 80.0)], [unit_kpi("DINKES", "skm", 1.0, 81.0)])
    assert withheld(tellable({"kpi": kpi}, ["skm"])["kpi"]) == set()


def test_sentences_about_people_are_withheld_for_they_quote_scores() -> None:
    old = recommended(AGUS, "training", "training", "weak_teamwork", "teamwork 62.5, asked for are 70")
    rows = found("follow_up", [old], [{**old, "evidence": "teamwork 61.0, asked for are 70"}])
    assert withheld(tellable({"follow_up": rows}, [])["follow_up"]) == {(AGUS, "evidence")}


# ---- publishing ------------------------------------------------------------------------------------------------------


@pytest.fixture
def publish_again(engine: sa.Engine) -> Callable[..., None]:
    def run(period: str = MONTH, causes: dict[str, Cause] | None = DELIVERY, **tables: list[dict[str, Any]]) -> None:
        publishing.publish(
            engine,
            load_contracts(),
            "manokwari",
            period,
            frames(**tables),
            versions=publishing.Versions("1.0", "2026.1"),
            now=dt.datetime(2026, 4, 6, tzinfo=dt.UTC),
            run_id="r",
            causes=causes,
        )

    return run


def test_a_closed_period_that_changes_leaves_a_record_with_its_cause(
    publish_again: Callable[..., None], rows_of: RowsOf
) -> None:
    before, after = [attended(AGUS, 20, 20, 1, 12, 0.01)], [attended(AGUS, 20, 20, 1, 10, 0.01)]
    # The first time nobody was told anything; then the period was open for the last time; then it is closed.
    publish_again(attendance_month=[attended(AGUS, 20, 20, 1, 99, 0.01)], period_status=[{"status_code": "open"}])
    publish_again(attendance_month=before, **CLOSED)
    assert rows_of("restatement", "key") == []
    publish_again(attendance_month=after, **CLOSED)
    publish_again(attendance_month=after, **CLOSED)
    columns = ("publication_id", "table_name", "key", "column_name", "old_value", "new_value", "cause_code", "cause_id")
    assert rows_of("restatement", *columns) == [
        ("manokwari-00000003", "attendance_month", f"{AGUS}|2026-02", "late_minutes", "12", "10", "delivery", "d1,d2")
    ]


def test_a_change_that_nobody_has_a_cause_for_is_the_programs(
    publish_again: Callable[..., None], rows_of: RowsOf
) -> None:
    for causes, late in ((DELIVERY, 1), ({"2026-01": DELIVERY[MONTH]}, 2), (None, 3)):
        publish_again(causes=causes, attendance_month=[attended(AGUS, 20, 20, 1, late, 0.01)], **CLOSED)
    assert rows_of("restatement", "new_value", "cause_code", "cause_id") == [("2", "code", "1.0"), ("3", "code", "1.0")]


def test_rows_that_leave_a_closed_period_are_recorded_too(publish_again: Callable[..., None], rows_of: RowsOf) -> None:
    rows = [evaluated(AGUS, "DINKES", 101.0), evaluated(BETTY, "DINKES", 95.0)]
    publish_again(evaluation=rows, **CLOSED)
    publish_again(evaluation=rows[:1], **CLOSED)
    found = rows_of("restatement", "change_code", "subject_id", "column_name", "old_value", "new_value")
    assert ("removed", BETTY, "result_score", "95.0", None) in found
    assert {(change, subject) for change, subject, *_ in found} == {("removed", BETTY)}
