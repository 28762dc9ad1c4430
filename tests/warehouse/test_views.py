"""The views say on both databases what was worked out by hand for a tiny published world."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from analyst_world import AGUS, BETTY, CORNELIA, DOMINGGUS, NAMES, VERSION, publish_world
from click.testing import CliRunner

from kinerja_pipeline.cli import main
from kinerja_pipeline.contracts.tables import warehouse_schema
from kinerja_pipeline.warehouse import database, views
from kinerja_pipeline.warehouse.database import migrate, writing
from kinerja_pipeline.warehouse.views import load_views

README = Path(__file__).parent.parent.parent / "README.md"
HERE = "region = 'manokwari' AND period = '2026-03'"


def rows(engine: sa.Engine, view: str, columns: str, where: str = HERE) -> list[tuple[object, ...]]:
    """What a reader sees, in the order of the columns asked for; PostgreSQL's decimals as SQLite's floats."""
    schema = warehouse_schema(engine.dialect.name)
    name = f"{schema}.{view}" if schema else view
    with engine.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT {columns} FROM {name} WHERE {where}")
        return sorted((tuple(map(_plain, row)) for row in found), key=repr)


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value


def test_a_person_and_a_unit_stand_once_as_last_known(world: sa.Engine) -> None:
    found = rows(world, "employee_latest", "nip, employee_name, unit_id, unit_name", "region = 'manokwari'")
    assert found[0] == (AGUS, "Agus Wanggai", "DINKES", "Dinas Kesehatan")
    assert len(found) == 4
    assert rows(world, "unit_latest", "unit_id, unit_name", "region = 'salor'") == [("SLR-BKD", "BKD Salor")]


def test_a_unit_is_placed_by_the_weighted_mean_of_what_could_be_computed(world: sa.Engine) -> None:
    columns = "place, unit_id, result_score, coverage_share, evaluated_count, baik_or_better_count"
    assert rows(world, "unit_league", columns) == [
        (1, "DINKES", 93.33, 0.75, 2, 1),
        (2, "DUKCAPIL", 85.5, 1.0, None, None),
    ]
    assert rows(world, "unit_result", "computed_count, indicator_count", f"{HERE} AND unit_id = 'DINKES'") == [(2, 3)]


def test_an_employee_is_placed_within_the_unit_and_without_a_result_not_at_all(world: sa.Engine) -> None:
    assert rows(world, "employee_league", "unit_id, place, ranked_count, nip, employee_name, result_score") == [
        ("DINKES", 1, 2, BETTY, "Betty Rumbiak", 112.5),
        ("DINKES", 2, 2, AGUS, "Agus Wanggai", 92.0),
        ("DUKCAPIL", 1, 1, CORNELIA, "Cornelia Mandacan", 70.0),
        ("DUKCAPIL", None, 1, DOMINGGUS, "Dominggus Saiba", None),
    ]


def test_the_ikm_ranking_says_whether_enough_people_answered(world: sa.Engine) -> None:
    assert rows(world, "ikm_ranking", "place, unit_name, index_value, class_code, is_enough") == [
        (1, "Dinas Kesehatan", 79.25, "B", True),
        (2, "Dinas Dukcapil", 75.5, "C", False),
    ]


def test_the_on_time_trend_leaves_out_what_is_cancelled_and_judges_only_what_is_due(world: sa.Engine) -> None:
    where = "region = 'manokwari'"
    columns = "unit_id, task_type, period, task_count, judged_count, on_time_count, on_time_percent, change"
    assert rows(world, "on_time_trend", columns, where) == [
        ("DINKES", "service_request", "2026-02", 2, 2, 1, 50.0, None),
        ("DINKES", "service_request", "2026-03", 5, 4, 3, 75.0, 25.0),
        ("DUKCAPIL", "complaint", "2026-03", 1, 1, 0, 0.0, None),
    ]


def test_the_unit_trend_tells_the_change_to_the_month_before(world: sa.Engine) -> None:
    columns = "unit_id, period, result_score, result_score_before, change"
    assert rows(world, "unit_trend", columns, "region = 'manokwari'") == [
        ("DINKES", "2026-02", 80.0, None, None),
        ("DINKES", "2026-03", 93.33, 80.0, 13.33),
        ("DUKCAPIL", "2026-02", 95.0, None, None),
        ("DUKCAPIL", "2026-03", 85.5, 95.0, -9.5),
    ]


def test_the_lists_name_people_with_reason_and_status(world: sa.Engine) -> None:
    assert rows(world, "reward_list", "nip, employee_name, unit_name, status_code, reason") == [
        (AGUS, "Agus Wanggai", "Dinas Kesehatan", "excluded", "objection_open"),
        (BETTY, "Betty Rumbiak", "Dinas Kesehatan", "recommended", "best_of_unit"),
    ]
    assert rows(world, "coaching_list", "action_code, nip, employee_name, supervisor_nip, reason, programme_id") == [
        ("coaching", CORNELIA, NAMES[CORNELIA], AGUS, "declined", None),
        ("training", CORNELIA, NAMES[CORNELIA], AGUS, "weak_time", "DIK-1"),
    ]


def test_the_board_names_the_worst_error_of_a_feed(world: sa.Engine) -> None:
    columns = "feed, valid_count, rejected_count, is_tolerated, worst_rule_id, worst_rejected_count"
    assert rows(world, "data_quality_board", columns) == [
        ("employee", 6, 0, True, None, None),
        ("task_record", 95, 5, False, "task_type__code", 4),
    ]


def test_the_allowance_effect_is_told_per_person_and_per_unit(world: sa.Engine) -> None:
    assert rows(world, "allowance_effect", "unit_id, nip, deduction_share, deduction_base_code, allowance_share") == [
        ("DINKES", AGUS, 0.02, "allowance", 0.98),
        ("DINKES", BETTY, 0.0, "allowance", 0.91),
        ("DUKCAPIL", CORNELIA, 0.25, "allowance", None),
    ]
    columns = "unit_id, employee_count, deducted_count, mean_deduction_share, mean_allowance_share, late_minutes"
    assert rows(world, "allowance_effect_unit", columns) == [
        ("DINKES", 2, 1, 0.01, 0.945, 95),
        ("DUKCAPIL", 1, 1, 0.25, None, 200),
    ]


def test_the_dictionary_marks_the_policy_in_force(world: sa.Engine) -> None:
    columns = "indicator_id, policy_version, is_in_force, label_id, source"
    assert rows(world, "indicator_dictionary", columns, "region = 'manokwari'") == [
        ("on_time", VERSION, True, "Tepat waktu", "task_outcome")
    ]


def test_attendance_and_output_of_a_month_stand_side_by_side(world: sa.Engine) -> None:
    columns = "nip, attendance_share, late_minutes, task_count, on_time_share, mean_quality_score, result_score"
    assert rows(world, "attendance_productivity", columns) == [
        (AGUS, 1.0, 95, 2, 1.0, 85.0, 92.0),
        (BETTY, 1.0, 0, 2, 0.5, 80.0, 112.5),
        (CORNELIA, 0.8, 200, 1, 0.0, 80.0, 70.0),
    ]


def test_the_public_and_the_superiors_stand_side_by_side(world: sa.Engine) -> None:
    assert rows(world, "superior_and_public", "unit_id, index_value, rated_count, baik_or_better_share") == [
        ("DINKES", 79.25, 2, 0.5),
        ("DUKCAPIL", 75.5, 1, 1.0),
    ]
    assert rows(world, "superior_and_public", "rated_count, baik_or_better_share", "period = '2026-02'") == [
        (0, None),
        (0, None),
    ]


def test_every_view_has_a_test_here(world: sa.Engine) -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [v.name for v in load_views() if f'"{v.name}"' not in text] == []


# ---- how they get there ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", load_views(), ids=lambda v: v.name)
def test_every_view_says_what_a_row_is_and_for_whom(view: views.View) -> None:
    assert view.grain.startswith("One row per ")
    assert view.audience


def test_every_view_is_listed_by_the_command_and_named_in_the_readme() -> None:
    told = CliRunner().invoke(main, ["views"]).output
    readme = README.read_text(encoding="utf-8")
    for view in load_views():
        assert view.name in told
        assert f"`{view.name}`" in readme


def test_a_changed_file_is_made_anew_and_an_unchanged_one_left(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(engine)
    with monkeypatch.context() as patch:
        patch.setattr(database, "create_views", pytest.fail)
        migrate(engine)
    changed = tuple(
        replace(v, sql=v.sql.replace("form.sector", "upper(form.sector) AS sector")) if v.name == "unit_latest" else v
        for v in load_views()
        if v.name != "unit_trend"
    )
    monkeypatch.setattr(views, "load_views", lambda: changed)
    migrate(engine)
    publish_world(engine)
    assert rows(engine, "unit_latest", "sector", "region = 'salor'") == [("S",)]
    schema = warehouse_schema(engine.dialect.name)
    assert "unit_trend" not in sa.inspect(engine).get_view_names(schema=schema)


def test_a_view_that_somebody_else_made_is_left_alone(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(engine)
    schema = warehouse_schema(engine.dialect.name)
    prefix = f"{schema}." if schema else ""
    with writing(engine) as connection:
        connection.exec_driver_sql(f"CREATE VIEW {prefix}mine AS SELECT region FROM {prefix}region")
    monkeypatch.setattr(views, "load_views", lambda: ())
    migrate(engine)
    assert sa.inspect(engine).get_view_names(schema=schema) == ["mine"]


def test_a_view_that_cannot_be_made_leaves_the_old_ones(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_world(engine)
    broken = tuple(replace(v, sql="SELECT nothing FRM nowhere") if v.name == "unit_trend" else v for v in load_views())
    monkeypatch.setattr(views, "load_views", lambda: broken)
    with pytest.raises(database.WarehouseError, match="cannot be brought up to date, nothing was changed"):
        migrate(engine)
    monkeypatch.undo()
    assert len(rows(engine, "unit_trend", "unit_id", HERE)) == 2
