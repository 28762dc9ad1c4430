"""The migrated database and the contracts say the same; migrating is safe to repeat."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.contracts.tables import warehouse_schema, warehouse_tables
from kinerja_pipeline.warehouse.database import WarehouseError, is_migrated, migrate, open_warehouse, reading, writing
from kinerja_pipeline.warehouse.publish import Published, PublishRefused
from kinerja_pipeline.warehouse.status import region_month_status

FrameOf = Callable[..., pl.DataFrame]
Publish = Callable[..., list[Published]]
RowsOf = Callable[..., list[tuple[object, ...]]]


def test_the_migrated_database_is_what_the_contracts_promise(engine: sa.Engine) -> None:
    migrate(engine)
    schema = warehouse_schema(engine.dialect.name)
    options = {
        "version_table_schema": schema,
        "include_schemas": schema is not None,
        "include_name": lambda name, kind, _parents: kind != "schema" or name == schema,
    }
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        difference = compare_metadata(context, warehouse_tables(load_contracts().outgoing, engine.dialect.name))
    assert difference == []


def test_the_database_carries_the_comments_of_the_contracts(postgresql_url: str) -> None:
    engine = open_warehouse(postgresql_url)
    migrate(engine)
    with engine.connect() as connection:
        columns = sa.inspect(connection).get_columns("region", schema="reporting")
    engine.dispose()
    assert next(c["comment"] for c in columns if c["name"] == "label_id") == "Name in Indonesian."


def test_migrating_twice_changes_nothing(engine: sa.Engine) -> None:
    migrate(engine)
    migrate(engine)
    with reading(engine) as connection:
        assert is_migrated(connection)


def test_a_warehouse_of_a_newer_version_is_left_alone(engine: sa.Engine) -> None:
    migrate(engine)
    table = "alembic_version" if engine.dialect.name == "sqlite" else "reporting.alembic_version"
    with writing(engine) as connection:
        connection.exec_driver_sql(f"UPDATE {table} SET version_num = '9999'")
    with pytest.raises(WarehouseError, match=r"revision 9999.*newer version\. Update kinerja; nothing was changed"):
        migrate(engine)


def test_only_the_operator_may_read_a_new_sqlite_warehouse(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/deep/warehouse.db"
    engine = open_warehouse(url)
    migrate(engine)
    engine.dispose()
    assert (tmp_path / "deep" / "warehouse.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://localhost/x", "runs on SQLite or PostgreSQL, not on mysql"),
        ("warehouse.db", "not a database address"),
        ("sqlite://", "A SQLite warehouse is a file"),
    ],
)
def test_an_address_that_cannot_be_a_warehouse_is_refused_with_advice(url: str, message: str) -> None:
    with pytest.raises(WarehouseError, match=message):
        open_warehouse(url)


def test_an_unreachable_server_is_named_without_its_password() -> None:
    engine = open_warehouse("postgresql://kinerja:geheim@127.0.0.1:1/none")
    with pytest.raises(WarehouseError, match=r"kinerja:\*\*\*@127\.0\.0\.1:1/none cannot be reached") as refused:
        migrate(engine)
    engine.dispose()
    assert "geheim" not in str(refused.value)


def test_migrating_says_what_it_did(engine: sa.Engine) -> None:
    done = migrate(engine)
    assert done[0] == "revision 0001: The first tables"
    assert done[-1].endswith("views made")
    assert migrate(engine) == []


def test_the_first_publication_migrates_by_itself(frame_of: FrameOf, publish_to: Publish, rows_of: RowsOf) -> None:
    publish_to(kpi=frame_of("kpi", {"indicator_id": "a"}))
    assert rows_of("kpi", "indicator_id") == [("a",)]


def test_nothing_is_migrated_or_written_when_a_frame_is_refused(
    engine: sa.Engine, frame_of: FrameOf, publish_to: Publish
) -> None:
    with pytest.raises(PublishRefused):
        publish_to(kpi=frame_of("kpi", {"indicator_id": "a", "aspect_code": "speed"}))
    assert region_month_status(engine).is_empty()
    with engine.connect() as connection:
        assert not sa.inspect(connection).has_table("kpi", schema=warehouse_schema(engine.dialect.name))
