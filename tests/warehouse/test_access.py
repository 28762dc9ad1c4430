"""On PostgreSQL each role reads what it may and nothing else: tried by logging in as each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from analyst_world import AGUS, CORNELIA, ELIAS, NAMES, person, publish_rows, publish_world
from click.testing import CliRunner
from sqlalchemy.exc import DatabaseError

from kinerja_pipeline.cli import main
from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.warehouse import access, views
from kinerja_pipeline.warehouse.access import Roles
from kinerja_pipeline.warehouse.database import WarehouseError, migrate, open_warehouse, writing
from kinerja_pipeline.warehouse.masking import export_masked
from kinerja_pipeline.warehouse.pseudonyms import pseudonym
from kinerja_pipeline.warehouse.queries import ask, named_query
from kinerja_pipeline.warehouse.views import load_views, sql_folder

KEY = "a key of the tests, known to everybody, and longer than one block of SHA-256 is, too"
ROLES = Roles(("manokwari", "salor"), KEY)
ACCOUNTS = {
    "the_publisher": "kinerja_publisher",
    "an_analyst": "kinerja_analyst",
    "of_salor": "kinerja_region_salor",
    "of_manokwari": "kinerja_region_manokwari",
    "of_no_region": "kinerja_region",
    "a_stranger": None,
}
RELATIONS = [*load_contracts().outgoing, *(view.name for view in load_views())]
EVERYTHING = frozenset({"manokwari", "salor"})
As = Callable[[str], sa.Engine]


@pytest.fixture(scope="module")
def published(shared_postgresql_url: str) -> str:
    """The published world with its roles."""
    engine = open_warehouse(shared_postgresql_url)
    publish_world(engine)
    migrate(engine, ROLES)
    with engine.begin() as connection:
        for account, role in ACCOUNTS.items():
            known = connection.execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :n"), {"n": account}).scalar()
            if not known:
                connection.exec_driver_sql(f"CREATE ROLE {account} LOGIN")
                if role is not None:
                    connection.exec_driver_sql(f"GRANT {role} TO {account}")
    engine.dispose()
    return shared_postgresql_url


@pytest.fixture
def warehouse(published: str, copy_of: Callable[[str], AbstractContextManager[str]]) -> Iterator[sa.Engine]:
    """A copy of the published world with its roles, opened by the administrator."""
    with copy_of(published) as url:
        engine = open_warehouse(url)
        yield engine
        engine.dispose()


@pytest.fixture
def as_(warehouse: sa.Engine) -> Iterator[As]:
    """as_("of_salor"): the warehouse as that account finds it."""
    opened: list[sa.Engine] = []

    def login(account: str) -> sa.Engine:
        opened.append(open_warehouse(warehouse.url.set(username=account).render_as_string(hide_password=False)))
        return opened[-1]

    yield login
    for engine in opened:
        engine.dispose()


def fetched(engine: sa.Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def regions(engine: sa.Engine, relation: str) -> set[object]:
    return {region for (region,) in fetched(engine, f"SELECT region FROM {relation}")}


def forbidden(engine: sa.Engine, statement: str) -> None:
    refused = "permission denied|cannot (delete from|update) view"
    with pytest.raises(DatabaseError, match=refused), engine.begin() as connection:
        connection.exec_driver_sql(statement)


# ---- regions ---------------------------------------------------------------------------------------------------------


def wrongly_seen(warehouse: sa.Engine, account: sa.Engine, region: str) -> list[str]:
    """The tables and views in which the account sees anything but exactly the rows of its region."""
    wrong = []
    for relation in RELATIONS:
        query = f"SELECT region, count(*) FROM reporting.{relation} GROUP BY region"
        own = [row for row in fetched(warehouse, query) if row[0] == region]
        if fetched(account, query) != own:
            wrong.append(relation)
    return wrong


@pytest.mark.parametrize("region", sorted(EVERYTHING))
def test_a_region_sees_exactly_its_rows_in_every_table_and_view(region: str, warehouse: sa.Engine, as_: As) -> None:
    assert wrongly_seen(warehouse, as_(f"of_{region}"), region) == []
    assert regions(warehouse, "reporting.employee") == EVERYTHING


@pytest.mark.parametrize(
    "sabotage",
    [
        "DROP POLICY own_region ON reporting.kpi",
        "ALTER TABLE reporting.kpi DISABLE ROW LEVEL SECURITY",
        "CREATE POLICY too_much ON reporting.kpi FOR SELECT USING (true)",
        "ALTER VIEW reporting.reward_list SET (security_invoker = false)",
    ],
)
def test_a_policy_that_is_dropped_or_undone_is_noticed_and_mended(sabotage: str, warehouse: sa.Engine, as_: As) -> None:
    # The lists of Manokwari are long and those of Salor are empty: a view that reads as its owner shows too much.
    with warehouse.begin() as connection:
        connection.exec_driver_sql(sabotage)
    assert wrongly_seen(warehouse, as_("of_salor"), "salor") != []
    if "too_much" not in sabotage:
        migrate(warehouse, ROLES)
        assert wrongly_seen(warehouse, as_("of_salor"), "salor") == []


def test_an_account_of_no_region_sees_no_row(as_: As) -> None:
    assert {relation for relation in RELATIONS if regions(as_("of_no_region"), f"reporting.{relation}")} == set()


def test_a_region_writes_nothing_and_reads_no_other_schema(as_: As) -> None:
    salor = as_("of_salor")
    for statement in (
        "DELETE FROM reporting.kpi",
        "UPDATE reporting.employee SET name = 'x'",
        "INSERT INTO reporting.region SELECT * FROM reporting.region",
        "SELECT * FROM reporting_masked.employee",
        "SELECT * FROM reporting_key.pseudonym_key",
        "SELECT * FROM reporting.alembic_version",
        "CREATE TABLE reporting.mine (n integer)",
        "SET ROLE kinerja_publisher",
    ):
        forbidden(salor, statement)


# ---- analysts --------------------------------------------------------------------------------------------------------


def test_an_analyst_sees_every_region_and_nobody_by_name_or_number(warehouse: sa.Engine, as_: As) -> None:
    analyst = as_("an_analyst")
    # One evidence quotes Agus' name, as no sentence of the program does: only the masked copy sweeps texts for names.
    secrets = [*NAMES, *(name for nip, name in NAMES.items() if nip != AGUS)]
    for relation in RELATIONS:
        rows = fetched(analyst, f"SELECT * FROM reporting_masked.{relation}")
        assert len(rows) == len(fetched(warehouse, f"SELECT 1 FROM reporting.{relation}")), relation
        assert [secret for secret in secrets if secret in repr(rows)] == [], relation
    assert regions(analyst, "reporting_masked.employee") == EVERYTHING


def test_the_pseudonyms_are_those_of_the_masked_copy(warehouse: sa.Engine, as_: As, tmp_path: Path) -> None:
    export_masked(warehouse.url.render_as_string(hide_password=False), tmp_path / "copy.db", KEY)
    copy = open_warehouse(f"sqlite:///{tmp_path / 'copy.db'}")
    query = "SELECT region, nip, assignment_code, name, supervisor_nip FROM {}employee ORDER BY 1, 2, 4"
    expected = fetched(copy, query.format(""))
    copy.dispose()
    assert sorted(fetched(as_("an_analyst"), query.format("reporting_masked.")), key=repr) == sorted(expected, key=repr)
    subjects = "SELECT DISTINCT subject_id FROM reporting_masked.follow_up WHERE rule_id IN ('staffing', 'training')"
    assert set(fetched(as_("an_analyst"), subjects)) == {("DINKES",), (pseudonym(KEY, CORNELIA),)}


def test_texts_lose_the_numbers_that_they_quote(as_: As) -> None:
    query = "SELECT evidence FROM reporting_masked.follow_up WHERE status_code = 'excluded'"
    assert fetched(as_("an_analyst"), query) == [("objection of (NIP)",)]


def test_a_key_that_suppliers_make_is_a_text_and_one_that_joins_stays() -> None:
    """A task may be numbered by somebody's NIP."""
    twins = {line.partition(" AS")[0]: line for line in access._masked_tables()}
    tasks = twins[f"CREATE VIEW {access.MASKED}.task_outcome"]
    assert "regexp_replace(t.task_id," in tasks
    assert "t.unit_id AS unit_id" in twins[f"CREATE VIEW {access.MASKED}.org_unit"]


def test_an_analyst_reads_neither_the_tables_nor_the_key_and_writes_nothing(as_: As) -> None:
    analyst = as_("an_analyst")
    for statement in (
        "SELECT * FROM reporting.employee",
        "SELECT * FROM reporting.reward_list",
        "SELECT * FROM reporting_key.pseudonym_key",
        "DELETE FROM reporting_masked.region",
        "UPDATE reporting_masked.employee SET position = 'x'",
        "CREATE VIEW reporting_masked.mine AS SELECT 1",
        "SET ROLE kinerja_region_salor",
    ):
        forbidden(analyst, statement)


def test_without_a_key_an_analyst_sees_nothing_rather_than_numbers(warehouse: sa.Engine, as_: As) -> None:
    with warehouse.begin() as connection:
        connection.exec_driver_sql("DELETE FROM reporting_key.pseudonym_key")
    assert fetched(as_("an_analyst"), "SELECT * FROM reporting_masked.employee") == []


def test_the_questions_are_answered_from_what_the_account_may_read(as_: As) -> None:
    def late(account: str) -> list[object]:
        url = as_(account).url.render_as_string(hide_password=False)
        answer = ask(url, named_query("late_most_often"), {"period": "2026-03"}, with_names=True)
        return [row[answer.columns.index("nip")] for row in answer.rows]

    assert late("of_manokwari") == [CORNELIA, AGUS]
    assert late("of_salor") == [ELIAS]
    assert late("an_analyst") == [pseudonym(KEY, nip) for nip in (CORNELIA, AGUS, ELIAS)]


# ---- the publisher and strangers -------------------------------------------------------------------------------------


def test_the_publisher_publishes_and_migrates_without_being_an_administrator(
    as_: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = as_("the_publisher")
    publish_world(publisher)
    publish_rows(publisher, "salor", "2026-03", {"employee": [person(AGUS, "SLR-BKD")]})
    assert fetched(as_("of_salor"), "SELECT nip FROM reporting.employee") == [(AGUS,)]
    changed = tuple(
        replace(v, sql=v.sql.replace("form.sector", "upper(form.sector) AS sector")) if v.name == "unit_latest" else v
        for v in load_views()
    )
    for module in (views, access):
        monkeypatch.setattr(module, "load_views", lambda: changed)
    assert migrate(publisher) != []
    assert migrate(publisher) == []
    assert fetched(as_("of_salor"), "SELECT sector FROM reporting.unit_latest") == [("S",)]
    assert ("S",) in fetched(as_("an_analyst"), "SELECT sector FROM reporting_masked.unit_latest")
    forbidden(publisher, "CREATE ROLE another")


def test_a_page_that_calls_a_column_restricted_masks_it_at_the_next_migration(
    warehouse: sa.Engine, as_: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    contracts = load_contracts()
    page = contracts.outgoing["employee"]
    columns = tuple(replace(c, classification="restricted") if c.name == "position" else c for c in page.columns)
    outgoing = {**contracts.outgoing, "employee": replace(page, columns=columns)}
    monkeypatch.setattr(access, "load_contracts", lambda: replace(contracts, outgoing=outgoing))
    assert migrate(warehouse) != []
    assert set(fetched(as_("an_analyst"), "SELECT position FROM reporting_masked.employee")) == {("(nama)",)}


def test_a_stranger_reads_nothing(as_: As) -> None:
    for schema in ("reporting", "reporting_masked"):
        forbidden(as_("a_stranger"), f"SELECT * FROM {schema}.region")


# ---- the command -----------------------------------------------------------------------------------------------------


def command(url: str, home: Path, *arguments: str, key: str | None = KEY) -> tuple[int, str]:
    environment = {"KINERJA_HOME": str(home), "KINERJA_WAREHOUSE_URL": url, "KINERJA_PSEUDONYM_KEY": key}
    done = CliRunner().invoke(main, ["migrate", *arguments], env=environment)
    return done.exit_code, done.output


def test_the_command_says_what_it_applied_and_can_be_given_again(postgresql_url: str, tmp_path: Path) -> None:
    code, told = command(postgresql_url, tmp_path, "--roles")
    assert code == 0, told
    assert "revision 0001: The first tables" in told
    assert "role kinerja_region_salor" in told
    assert "row-level security for the regions" in told
    assert command(postgresql_url, tmp_path) == (0, "The warehouse is up to date.\n")
    assert command(postgresql_url, tmp_path, "--roles")[0] == 0


def test_roles_need_a_key_and_postgresql(postgresql_url: str, tmp_path: Path) -> None:
    code, told = command(postgresql_url, tmp_path, "--roles", key=None)
    assert code == 1
    assert told.startswith("KINERJA_PSEUDONYM_KEY is not set")
    code, told = command(f"sqlite:///{tmp_path / 'w.db'}", tmp_path, "--roles")
    assert code == 1
    assert told.startswith("SQLite has no roles")


def test_a_region_too_long_for_a_role_is_refused(postgresql_url: str) -> None:
    engine = open_warehouse(postgresql_url)
    with pytest.raises(WarehouseError, match="give it a shorter, plain id"):
        migrate(engine, Roles(("x" * 60,), KEY))
    engine.dispose()


def test_no_file_holds_a_password() -> None:
    for file in (sql_folder() / "postgresql").glob("*.sql"):
        assert "password '" not in file.read_text(encoding="utf-8").lower()


def test_what_an_administrator_forgot_to_grant_is_said_in_a_sentence(warehouse: sa.Engine, as_: As) -> None:
    with writing(warehouse) as connection:
        connection.exec_driver_sql("DROP VIEW reporting.unit_trend")
    with pytest.raises(WarehouseError, match="nothing was changed: permission denied"):
        migrate(as_("an_analyst"))
