"""The cookbook is answered on both databases, read-only, with bound parameters, and names nobody unasked."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from analyst_world import AGUS, BETTY, CORNELIA, DOMINGGUS, ELIAS, NAMES, publish_rows, surveyed, unit
from click.testing import CliRunner, Result

from kinerja_pipeline.cli import main
from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.warehouse.personal import CONFIDENTIAL, OPEN, RESTRICTED, classified, classified_relations
from kinerja_pipeline.warehouse.queries import Answer, Query, QueryError, ask, load_queries, named_query

README = Path(__file__).parent.parent.parent / "README.md"
QUERIES = load_queries()


def address(engine: sa.Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def asked(engine: sa.Engine, name: str, *, with_names: bool = True, **given: str) -> Answer:
    return ask(address(engine), named_query(name), given, with_names=with_names)


def cells(answer: Answer, *columns: str) -> list[tuple[object, ...]]:
    places = [answer.columns.index(column) for column in columns]
    return [tuple(row[place] for place in places) for row in answer.rows]


def kinerja(engine: sa.Engine, tmp_path: Path, *arguments: str) -> Result:
    environment = {"KINERJA_HOME": str(tmp_path), "KINERJA_WAREHOUSE_URL": address(engine)}
    return CliRunner().invoke(main, list(arguments), env=environment)


# ---- the questions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", QUERIES)
def test_every_question_is_answered_with_its_defaults_and_with_every_parameter_given(
    name: str, world: sa.Engine
) -> None:
    answer = asked(world, name)
    assert answer.columns
    given = {n: {"region": "manokwari", "period": "2026-03", "year": "2026", "unit": "DINKES"}.get(n, "1")
             for n in QUERIES[name].defaults}  # fmt: skip
    assert asked(world, name, **given).columns == answer.columns


@pytest.mark.parametrize("name", QUERIES)
def test_every_question_is_asked_in_two_languages_and_by_region(name: str) -> None:
    query = QUERIES[name]
    assert query.question_id.endswith("?")
    assert query.question_en.endswith("?")
    assert query.defaults["region"] == "all"


def test_there_are_questions_enough() -> None:
    assert len(QUERIES) >= 15


def test_who_was_late_most_often(world: sa.Engine) -> None:
    answer = asked(world, "late_most_often", region="manokwari", period="2026-03")
    assert cells(answer, "nip", "employee_name", "late_count", "late_minutes") == [
        (CORNELIA, NAMES[CORNELIA], 8, 200),
        (AGUS, NAMES[AGUS], 4, 95),
    ]
    assert cells(asked(world, "late_most_often", limit="1"), "nip") == [(CORNELIA,)]


def test_the_units_below_expectation_are_those_under_the_mark(world: sa.Engine) -> None:
    columns = ("unit_id", "result_score", "change")
    assert cells(asked(world, "units_below_expectation", period="2026-03"), *columns) == [("DUKCAPIL", 85.5, -9.5)]
    assert cells(asked(world, "units_below_expectation", period="2026-03", below="94"), *columns) == [
        ("DUKCAPIL", 85.5, -9.5),
        ("DINKES", 93.33, 13.33),
    ]


def test_the_predicates_that_differ_name_the_person(world: sa.Engine) -> None:
    answer = asked(world, "predicates_that_differ")
    assert cells(answer, "nip", "recommended_predicate", "official_predicate") == [(BETTY, "baik", "kurang")]


def test_opinions_disagree_where_superiors_praise_and_the_public_does_not(world: sa.Engine) -> None:
    columns = ("unit_id", "class_code", "baik_or_better_share")
    assert cells(asked(world, "opinions_that_disagree"), *columns) == [("DUKCAPIL", "C", 1.0)]


def test_who_has_no_agreed_target_leaves_out_those_who_have(world: sa.Engine) -> None:
    # Agus has a target that nobody agreed to.
    answer = asked(world, "people_without_agreed_target", region="manokwari")
    assert cells(answer, "nip") == [(CORNELIA,), (DOMINGGUS,), (AGUS,), (BETTY,)]


def test_the_latest_month_is_that_of_the_region_asked_for(world: sa.Engine) -> None:
    assert asked(world, "best_units", region="salor").parameters["period"] == "2026-03"
    assert cells(asked(world, "best_units", region="salor"), "unit_id", "place") == [("SLR-BKD", 1)]


def test_an_index_that_fell_twice_is_found_over_a_turn_of_the_year(engine: sa.Engine) -> None:
    for month, index in (("2025-12", 90.0), ("2026-01", 88.0), ("2026-02", 87.5)):
        publish_rows(
            engine,
            "manokwari",
            month,
            {
                "region": [{"label_id": "M", "label_en": "M", "time_zone": "Asia/Jayapura"}],
                "org_unit": [unit("DINKES", "Dinas Kesehatan")],
                "period_status": [{"status_code": "closed"}],
                "satisfaction_index": [
                    surveyed("DINKES", index, "B", 50, 100),
                    {**surveyed("DINKES", 89.0, "B", 50, 100), "survey_code": "parents"},
                    {**surveyed("DINKES", 80.0, "B", 50, 100), "period": f"{month[:4]}-Q{1 if index < 89 else 4}"},
                ],
            },
        )
    columns = ("survey_code", "index_two_months_before", "index_month_before", "index_value")
    assert cells(asked(engine, "ikm_fell_twice"), *columns) == [("skm", 90.0, 88.0, 87.5)]


# ---- what is personal ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", QUERIES)
def test_no_answer_names_anybody_unless_asked_to(name: str, world: sa.Engine) -> None:
    answer = asked(world, name, with_names=False)
    told = f"{answer.csv()}{answer.json()}"
    assert [secret for pair in NAMES.items() for secret in pair if secret in told] == []
    assert len(answer.rows) == len(asked(world, name).rows)


def test_people_are_numbered_and_what_is_said_of_them_is_hidden(world: sa.Engine) -> None:
    answer = asked(world, "best_of_each_unit", with_names=False, region="salor")
    assert cells(answer, "nip", "employee_name", "result_score", "unit_name") == [("•1", "•1", "•••", "BKD Salor")]
    assert answer.hidden == ("nip", "employee_name", "result_score", "recommended_predicate")


def test_what_is_said_of_a_unit_is_shown(world: sa.Engine) -> None:
    answer = asked(world, "staffing_gaps", with_names=False)
    assert cells(answer, "unit_id", "evidence") == [("DINKES", "2 of 5")]
    assert answer.hidden == ()


def test_a_number_in_a_file_name_is_hidden_although_the_column_is_open(world: sa.Engine) -> None:
    assert cells(asked(world, "refused_files", with_names=False), "file_name") == [("task_record/tugas_•••.csv",)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT nip FROM employee", {"nip": RESTRICTED}),
        ("SELECT upper(name) AS who FROM employee", {"who": RESTRICTED}),
        ("SELECT e.* FROM (SELECT region, nip AS x FROM evaluation) AS e", {"region": OPEN, "x": RESTRICTED}),
        ("SELECT avg(result_score) AS mean FROM evaluation", {"mean": CONFIDENTIAL}),
        ("SELECT count(DISTINCT nip) AS n FROM employee", {"n": OPEN}),
        ("SELECT CASE WHEN nip = 'x' THEN 1 ELSE 0 END AS n FROM employee", {"n": OPEN}),
        ("SELECT CASE WHEN region = 'x' THEN nip END AS n FROM employee", {"n": RESTRICTED}),
        ("SELECT lag(result_score) OVER (ORDER BY nip) AS b FROM evaluation", {"b": CONFIDENTIAL}),
        ("SELECT rank() OVER (ORDER BY result_score) AS place FROM evaluation", {"place": OPEN}),
        ("SELECT unit_id AS x FROM org_unit UNION SELECT nip FROM employee", {"x": RESTRICTED}),
        ("WITH a AS (SELECT nip AS n FROM employee) SELECT n FROM a", {"n": RESTRICTED}),
        ("SELECT (SELECT max(name) FROM employee) AS n FROM region", {"n": RESTRICTED}),
        ("SELECT employee_name AS n FROM employee_latest", {"n": RESTRICTED}),
    ],
)
def test_a_classification_is_followed_through_the_sql(sql: str, expected: dict[str, str]) -> None:
    assert classified(sql, classified_relations()) == expected


def test_every_table_and_view_is_classified() -> None:
    relations = classified_relations()
    assert set(load_contracts().outgoing) < set(relations)
    assert relations["employee_latest"]["employee_name"] == RESTRICTED


# ---- what a question cannot do ---------------------------------------------------------------------------------------


def test_a_value_is_bound_and_never_becomes_sql(world: sa.Engine) -> None:
    answer = asked(world, "how_a_unit_was_scored", unit="x' OR '1'='1")
    assert answer.rows == ()


def test_a_question_cannot_write(world: sa.Engine) -> None:
    table = "region" if world.dialect.name == "sqlite" else "reporting.region"
    query = Query("bad", "?", "?", {}, f"INSERT INTO {table} (region) VALUES ('x') RETURNING region")
    with pytest.raises(QueryError, match=r"could not be run: .*(readonly|read-only)"):
        ask(address(world), query, {}, with_names=True)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("late_most_oftn", {}, "There is no query 'late_most_oftn'; did you mean late_most_often?"),
        ("late_most_often", {"regon": "x"}, "has no parameter 'regon'; it takes region, period, limit."),
        (
            "late_most_often",
            {"region": "papua"},
            "Nothing is published of a region 'papua'; published are manok",
        ),
        ("late_most_often", {"period": "Maret 2026"}, "'Maret 2026' is not a period; write 2026-03, 2026-Q1"),
        ("late_most_often", {"limit": "ten"}, "'ten' is not a whole number; limit of late_most_often is one."),
    ],
)
def test_a_question_asked_wrongly_is_answered_with_what_to_write(
    name: str, given: dict[str, str], message: str, world: sa.Engine
) -> None:
    with pytest.raises(QueryError, match=message.replace("?", r"\?")):
        asked(world, name, **given)


# ---- the command -----------------------------------------------------------------------------------------------------


def test_without_a_name_the_questions_are_listed_with_their_parameters(world: sa.Engine, tmp_path: Path) -> None:
    told = kinerja(world, tmp_path, "query").output
    readme = README.read_text(encoding="utf-8")
    assert "kinerja query" in readme
    for query in QUERIES.values():
        assert all(text in told for text in (query.name, query.question_id, query.question_en))
    assert "region = all  period = latest month  limit = 10" in told


def test_the_answer_is_a_table_that_says_what_is_hidden(world: sa.Engine, tmp_path: Path) -> None:
    done = kinerja(world, tmp_path, "query", "late_most_often", "--region", "manokwari", "--period", "2026-03")
    assert done.exit_code == 0, done.output
    assert "Siapa yang paling sering terlambat?" in done.output
    assert "2 rows for region manokwari, period 2026-03, limit 10. Hidden: nip, employee_name" in done.output
    assert AGUS not in done.output
    named = kinerja(world, tmp_path, "query", "late_most_often", "--names", "--set", "limit=1")
    assert CORNELIA in named.output
    assert AGUS not in named.output


def test_the_answer_is_written_as_csv_once_and_printed_as_json(world: sa.Engine, tmp_path: Path) -> None:
    file = tmp_path / "late.csv"
    question = ("query", "late_most_often", "--names", "--period", "2026-03")
    assert f"Written: {file}" in kinerja(world, tmp_path, *question, "--csv", str(file)).output
    assert [row["nip"] for row in csv.DictReader(StringIO(file.read_text()))] == [CORNELIA, AGUS, ELIAS]
    again = kinerja(world, tmp_path, *question, "--csv", str(file))
    assert (again.exit_code, again.output) == (1, f"{file} is there already; name another file.\n")
    lines = json.loads(kinerja(world, tmp_path, *question, "--json").output)
    assert [line["late_minutes"] for line in lines] == [200, 95, 30]


def test_asking_before_anything_is_published_makes_no_file(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["query", "best_units"], env={"KINERJA_HOME": str(tmp_path)})
    assert done.exit_code == 1
    assert done.output.startswith("Nothing is published yet; run `kinerja run --all` or `kinerja demo` first.")
    assert list(tmp_path.iterdir()) == []
