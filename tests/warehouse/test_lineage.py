"""Columns lead back to what suppliers deliver: every one says from where, and nothing delivered is forgotten."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from kinerja_pipeline.contracts.model import ContractError, contracts_folder, load_contracts
from kinerja_pipeline.contracts.sources import Source, outer_sources
from kinerja_pipeline.policies.indicators import DERIVED, DERIVED_FROM, indicator_sources
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.warehouse.columns import selected
from kinerja_pipeline.warehouse.lineage import KEPT, Lineage, asked_of, lineage
from kinerja_pipeline.warehouse.views import load_views

CONTRACTS = load_contracts()
TASKS = {"task": ("region", "task_id", "unit_id", "is_done", "hours"), "unit": ("region", "unit_id", "name")}


@cache
def house() -> Lineage:
    return lineage(CONTRACTS, load_views(), load_policies().values())


def table(name: str) -> Source:
    return Source("table", *name.split("."))


def feeds(source: Source) -> set[str]:
    return {end.text for end in house().rests_on(source) if end.kind == "feed"}


# ---- what pages say --------------------------------------------------------------------------------------------------


def test_every_published_column_says_where_it_comes_from() -> None:
    silent = [f"{t.name}.{c.name}" for t in CONTRACTS.outgoing.values() for c in t.columns if not c.sources]
    assert silent == []


def page_with(folder: Path, old: str, new: str, page: str = "outgoing/training_year") -> str:
    """What is complained about when the house's pages have this instead of that."""
    for file in contracts_folder().glob("*/*.odcs.yaml"):
        target = folder / file.parent.name / file.name
        target.parent.mkdir(exist_ok=True)
        text = file.read_text(encoding="utf-8")
        if target == folder / f"{page}.odcs.yaml":
            assert old in text
            text = text.replace(old, new, 1)
        target.write_text(text, encoding="utf-8")
    with pytest.raises(ContractError) as caught:
        load_contracts(folder)
    return str(caught.value)


def test_a_source_that_does_not_exist_is_refused_with_its_line_and_the_nearest_name(tmp_path: Path) -> None:
    told = page_with(tmp_path, "[training_year.hours, ", "[training_year.hour, ")
    line = next(
        number
        for number, text in enumerate((tmp_path / "outgoing/training_year.odcs.yaml").read_text().splitlines(), start=1)
        if "training_year.hour," in text
    )
    assert told == (
        f"training_year.odcs.yaml, line {line}: hours_share: source 'training_year.hour' is not known; "
        "did you mean 'training_year.hours'?"
    )


def test_columns_that_are_computed_from_each_other_are_refused(tmp_path: Path) -> None:
    told = page_with(tmp_path, "[training_record.hours,", "[training_year.hours_share, training_record.hours,")
    assert told.startswith("columns are computed from each other: ")
    assert {"training_year.hours", "training_year.hours_share"} <= set(told.replace(":", "").split())


def test_a_feed_cannot_say_where_its_columns_come_from(tmp_path: Path) -> None:
    old = "description: The person's number on that device"
    told = page_with(tmp_path, old, f"transformSourceObjects: [policy]\n        {old}", page="incoming/attendance_log")
    assert "pin: a feed's column comes from its supplier" in told


def test_a_name_that_a_feed_and_a_table_share_means_the_feed() -> None:
    assert house().direct[table("employee.unit_id")] == {Source("feed", "employee", "unit_id")}


def test_a_star_stands_for_every_column_of_a_table() -> None:
    told = house().direct[table("restatement.new_value")]
    assert {table(f"kpi.{name}") for name in CONTRACTS.outgoing["kpi"].names} <= told


def test_a_tables_own_columns_are_followed_out_of_it() -> None:
    outside = outer_sources(CONTRACTS, CONTRACTS.outgoing["task_outcome"])["is_on_time"]
    assert {source.text for source in outside} == {
        *(f"task_record.{c}" for c in ("completed_at", "due_at", "opened_at", "task_type", "status_code")),
        "policy",
    }


# ---- nothing delivered is forgotten ----------------------------------------------------------------------------------


def test_a_delivered_column_is_published_asked_by_a_rule_or_kept_for_a_reason() -> None:
    idle = {
        f"{feed.name}.{column}"
        for feed in CONTRACTS.incoming.values()
        for column in set(feed.names) - house().used_by(feed.name).keys() - asked_of(feed).keys()
    }
    assert idle == KEPT.keys()


def test_a_device_s_state_button_reaches_no_published_column() -> None:
    reached = {source.text for column in house().direct for source in house().rests_on(column)}
    assert "attendance_log.tapped_at" in reached
    assert "attendance_log.state_code" not in reached


# ---- ways back -------------------------------------------------------------------------------------------------------


def test_a_share_of_training_rests_on_records_and_on_the_policy() -> None:
    ends = house().rests_on(table("training_year.hours_share"))
    assert {end.text for end in ends} == {
        *(f"training_record.{c}" for c in ("hours", "nip", "completed_date", "is_training")),
        "policy",
        "run",
    }


def test_an_indicator_rests_on_the_columns_that_its_expressions_name_and_on_its_subjects() -> None:
    declared = load_policies()["salor"].indicators["task_on_time"]
    direct = {source.text for source in indicator_sources(declared, CONTRACTS)}
    assert direct == {*(f"task_outcome.{c}" for c in ("is_on_time", "due_at", "status_code", "nip", "unit_id")), "run"}
    assert "task_record.due_at" in feeds(Source("indicator", "task_on_time"))


def test_a_figure_rests_on_every_indicator_that_is_declared() -> None:
    assert {"task_record.due_at", "attendance_log.tapped_at", "training_record.hours"} <= feeds(table("kpi.actual"))
    assert feeds(table("kpi.weight")) == set()


def test_named_columns_of_facts_say_where_they_come_from() -> None:
    assert {fact: set(columns) for fact, columns in DERIVED.items()} == {
        fact: set(columns) for fact, columns in DERIVED_FROM.items()
    }


def test_every_column_of_a_view_leads_back_to_feeds_or_words() -> None:
    views = [source for source in house().direct if source.kind == "view"]
    assert {source.name for source in views} == {view.name for view in load_views()}
    assert [source.text for source in views if not house().rests_on(source)] == []
    assert {end.kind for source in views for end in house().rests_on(source)} <= {"feed", "origin"}


def test_the_rank_of_a_unit_rests_on_what_its_people_did_and_its_name_on_the_register() -> None:
    assert feeds(Source("view", "unit_league", "unit_name")) == {"org_unit.name"}
    assert {"task_record.completed_at", "leave_permit.kind_code"} <= feeds(Source("view", "unit_league", "place"))


# ---- reading SQL -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "made"),
    [
        ("SELECT t.hours + 1 AS more FROM task AS t", {("task", "hours")}),
        ("SELECT CASE WHEN is_done THEN 1 END AS x FROM task", {("task", "is_done")}),
        ("SELECT count(*) FILTER (WHERE is_done) AS x FROM task", {("task", "*"), ("task", "is_done")}),
        ("SELECT rank() OVER (ORDER BY hours) AS x FROM task", {("task", "hours")}),
        ("SELECT i.n AS x FROM (SELECT count(*) AS n FROM task) AS i", {("task", "*")}),
        ("SELECT u.name AS x FROM task AS t JOIN unit AS u ON u.unit_id = t.unit_id", {("unit", "name")}),
        ("SELECT hours AS x FROM task UNION ALL SELECT name FROM unit", {("task", "hours"), ("unit", "name")}),
        ("SELECT 'a' AS x FROM task", set()),
    ],
)
def test_a_column_of_a_select_is_made_from_what_decides_what_it_says(sql: str, made: set[tuple[str, str]]) -> None:
    assert set(next(iter(selected(sql, TASKS).values()))) == made


def test_values_alone_are_told_without_conditions_counts_and_ranks() -> None:
    sql = "SELECT CASE WHEN is_done THEN hours END AS a, count(*) AS b, rank() OVER (ORDER BY hours) AS c FROM task"
    made = selected(sql, TASKS, only_values=True)
    assert made == {"a": {("task", "hours")}, "b": set(), "c": set()}
