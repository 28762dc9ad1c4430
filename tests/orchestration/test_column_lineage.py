"""What the UI is told of the way of columns, and that it agrees with what the assets read."""

from __future__ import annotations

import pytest
from dagster import AssetKey, MarkdownMetadataValue, TableColumnLineageMetadataValue
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.definitions import build_definitions
from kinerja_pipeline.orchestration.column_lineage import KEY, MEASURE, sources_table
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.warehouse.assets import FACTS, KPI

CONTRACTS = load_contracts()
BETWEEN = {
    # Rows of the same feed, or counted from it, on their way to the table.
    "validated/attendance_margin": "validated/attendance_log",
    "facts/behaviour_score": "validated/feedback_response",
}
BY_ITS_ROWS = {
    # Which months have run, how many rows came and what became of them: no column, a word in the page.
    *(f"validated/{name}" for name in ("event_tally", "dated_tally", "arrival")),
    # Whose rows were believed and whose were not.
    *(f"{room}/{c.name}" for room in ("validated", "quarantine") for c in CONTRACTS.incoming.values() if c.is_event),
    "kpi/measure",
}


@pytest.fixture(scope="module")
def graph() -> AssetGraph:
    return build_definitions(CONTRACTS, load_policies()).resolve_asset_graph()


def room(table: str) -> str:
    return "kpi" if table in KPI else "facts"


def ways_of(graph: AssetGraph, room: str, table: str) -> dict[str, list[str]]:
    """The column lineage that stands in the asset's definition."""
    value = graph.get(AssetKey([room, table])).metadata[KEY]
    assert isinstance(value, TableColumnLineageMetadataValue)
    return {
        column: [f"{dep.asset_key.to_user_string()}.{dep.column_name}" for dep in deps]
        for column, deps in value.column_lineage.deps_by_column.items()
    }


def test_a_column_names_the_assets_and_columns_it_is_computed_from(graph: AssetGraph) -> None:
    ways = ways_of(graph, "facts", "attendance_month")
    assert ways["late_count"] == ["facts/attendance_day.late_minutes"]
    assert ways["attendance_share"] == ["facts/attendance_day.status_code", "facts/attendance_day.tap_count"]
    assert ways["region"] == []
    assert list(ways) == list(CONTRACTS.outgoing["attendance_month"].names)


def test_what_rests_on_indicators_comes_by_what_is_counted_for_them(graph: AssetGraph) -> None:
    assert ways_of(graph, "kpi", "kpi")["actual"] == [
        f"kpi/measure.{name}" for name in ("denominator", "evidence_count", "numerator")
    ]
    counted = ways_of(graph, *MEASURE)["numerator"]
    assert {"facts/task_outcome.is_on_time", "validated/feedback_response.score"} <= set(counted)


def test_a_published_table_is_the_fact_column_by_column(graph: AssetGraph) -> None:
    ways = ways_of(graph, "warehouse", "training_year")
    assert (ways["region"], ways["hours"]) == ([], ["facts/training_year.hours"])
    assert ways_of(graph, "warehouse", "org_unit")["name"] == ["validated/org_unit.name"]


def test_a_table_of_the_lake_without_a_contract_has_no_lineage(graph: AssetGraph) -> None:
    assert KEY not in graph.get(AssetKey(["facts", "behaviour_score"])).metadata


def test_the_table_to_read_names_sources_and_explains_the_words_it_uses() -> None:
    text = sources_table(CONTRACTS.outgoing["training_year"])
    assert isinstance(text, MarkdownMetadataValue)
    lines = (text.value or "").splitlines()
    assert "| `hours_share` | `training_year.hours`, `training_year.expected_hours` |" in lines
    assert "| `expected_hours` | *policy* |" in lines
    assert [line.split(":")[0] for line in lines if line.startswith("- ")] == ["- *policy*", "- *run*"]


def test_every_published_table_shows_the_table_before_anything_has_run(graph: AssetGraph) -> None:
    keys = [AssetKey(["warehouse", name]) for name in CONTRACTS.outgoing if name != "publication"]
    keys += [AssetKey([room(name), name]) for name in (*FACTS, *KPI)]
    shown = {key: graph.get(key).metadata.get("columns come from") for key in keys}
    assert [key for key, value in shown.items() if not isinstance(value, MarkdownMetadataValue)] == []


@pytest.mark.parametrize("table", [*FACTS, *KPI])
def test_columns_come_from_assets_that_the_asset_reads_and_from_all_of_them(graph: AssetGraph, table: str) -> None:
    """The lineage is written by hand on the pages, the dependencies by hand beside the code: they must agree."""
    key = AssetKey([room(table), table])
    ways = ways_of(graph, room(table), table)
    named = {dep.rpartition(".")[0] for deps in ways.values() for dep in deps}
    upstream, left = set(), [key]
    while left:
        fresh = graph.get(left.pop()).parent_keys - upstream
        upstream |= fresh
        left += fresh
    assert named <= {each.to_user_string() for each in upstream}
    read = {each.to_user_string() for each in graph.get(key).parent_keys}
    unnamed = {BETWEEN.get(each, each) for each in read} - named - BY_ITS_ROWS
    # Elements and index are made by one step, which reads the units for the index alone.
    assert unnamed <= ({"validated/org_unit"} if table == "satisfaction_element" else set())


def test_the_measure_reads_every_fact_that_an_indicator_counts(graph: AssetGraph) -> None:
    named = {dep.rpartition(".")[0] for dep in ways_of(graph, *MEASURE)["numerator"]}
    assert named <= {key.to_user_string() for key in graph.get(AssetKey(MEASURE)).parent_keys}
