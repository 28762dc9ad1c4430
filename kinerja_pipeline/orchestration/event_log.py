"""Dagster's event log in one SQLite file of the home, through one engine that is kept.

Here: where the log lies and how it is opened. Not here: what is logged. Dagster's own SQLite log makes an engine for
every event, which compiles each statement anew: half of a run's processor time (benchmarks/event_log.py). A deployment
on several machines names PostgreSQL storage in dagster.yaml instead.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from dagster import AssetKey, DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetEventTagsTable, AssetKeyTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite import consolidated_sqlite_event_log
from dagster._core.storage.sql import create_engine, get_alembic_config, stamp_alembic_rev
from dagster._serdes import ConfigurableClassData
from sqlalchemy import bindparam, event, func, inspect, select

from kinerja_pipeline.home import home_from_environment

BUSY_SECONDS = 60

_LATEST = (
    select(func.max(SqlEventLogStorageTable.c.id))
    .where(
        SqlEventLogStorageTable.c.asset_key == bindparam("asset"),
        SqlEventLogStorageTable.c.dagster_event_type == bindparam("type"),
        SqlEventLogStorageTable.c.partition.in_(bindparam("partitions", expanding=True)),
    )
    .group_by(SqlEventLogStorageTable.c.partition)
)
_LATEST_TAGS = (
    select(
        SqlEventLogStorageTable.c.partition,
        AssetEventTagsTable.c.key,
        AssetEventTagsTable.c.value,
        AssetKeyTable.c.asset_details,
    )
    .join(AssetEventTagsTable, AssetEventTagsTable.c.event_id == SqlEventLogStorageTable.c.id)
    .join(AssetKeyTable, AssetKeyTable.c.asset_key == SqlEventLogStorageTable.c.asset_key)
    .where(
        SqlEventLogStorageTable.c.id.in_(_LATEST),
        AssetEventTagsTable.c.key.in_(bindparam("keys", expanding=True)),
    )
)


class HomeEventLogStorage(ConsolidatedSqliteEventLogStorage):
    """The event log of the home named by KINERJA_HOME; dagster.yaml names this class and nothing else."""

    @classmethod
    def config_type(cls) -> Mapping[str, Any]:
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> HomeEventLogStorage:
        return cls(str(home_from_environment().dagster / "events"), inst_data)

    def _init_db(self) -> None:
        """Makes the tables in a file beside, which then takes its place unless another process was first: whoever sees
        the file sees all its tables, also when the process that made it was killed halfway."""
        place = Path(self.get_db_path())  # type: ignore[no-untyped-call]
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".new-") as beside:
            made = ConsolidatedSqliteEventLogStorage(beside)
            with made._connect() as connection:
                # Dagster's own stamp is not committed; without it a later `dagster instance migrate` starts from zero.
                stamp_alembic_rev(get_alembic_config(consolidated_sqlite_event_log.__file__), connection)
            with suppress(FileExistsError):
                place.hardlink_to(made.get_db_path())  # type: ignore[no-untyped-call]

    @cached_property
    def _engine(self) -> Any:
        engine = create_engine(self._conn_string, connect_args={"timeout": BUSY_SECONDS})
        # With a write-ahead log this is safe against a killed process; only a power cut may lose the last events.
        event.listen(engine, "connect", lambda opened, _: opened.execute("PRAGMA synchronous=NORMAL"))
        return engine

    @contextmanager
    def _connect(self) -> Iterator[Any]:
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @cached_property
    def _tables(self) -> frozenset[str]:
        return frozenset(inspect(self._engine).get_table_names())

    @cached_property
    def _asset_key_columns(self) -> frozenset[str]:
        return frozenset(column["name"] for column in inspect(self._engine).get_columns(AssetKeyTable.name))

    # Dagster asks these two for every event; the file has had all its tables and columns since it was made.
    def has_table(self, table_name: str) -> bool:
        return table_name in self._tables

    def _has_asset_key_col_on_connection(self, conn: object, column_name: str) -> bool:
        return column_name in self._asset_key_columns

    def _store_asset_event(self, conn: Any, event: EventLogEntry, event_id: int) -> None:
        """As Dagster's, in the other order: after an asset's first event there is a row to update, and inserting it
        once more fails every time, which costs more than storing the event. The update locks the file for writing, so
        that nobody inserts between the two."""
        said = event.dagster_event
        if said is None or said.asset_key is None:
            return
        has_times = self._has_asset_key_col_on_connection(conn, "last_materialization_timestamp")
        values = self._get_asset_entry_values(event, event_id, has_times)
        key = said.asset_key.to_string()
        if not values:
            return
        if not conn.execute(AssetKeyTable.update().values(**values).where(AssetKeyTable.c.asset_key == key)).rowcount:
            conn.execute(AssetKeyTable.insert().values(asset_key=key, **values))

    def get_latest_tags_by_partition(
        self,
        asset_key: AssetKey,
        event_type: DagsterEventType,
        tag_keys: Sequence[str],
        asset_partitions: Sequence[str] | None = None,
        before_cursor: int | None = None,
        after_cursor: int | None = None,
    ) -> Mapping[str, Mapping[str, str]]:
        """As Dagster's, which every input of every step asks and builds two statements for; this one is built once.
        What of an asset was wiped, Dagster knows better."""
        asked = (asset_key, event_type, tag_keys, asset_partitions, before_cursor, after_cursor)
        if asset_partitions is None or before_cursor is not None or after_cursor is not None:
            return super().get_latest_tags_by_partition(*asked)
        named = {"asset": asset_key.to_string(), "type": event_type.value}
        with self.index_connection() as connection:  # type: ignore[no-untyped-call]
            several = {"partitions": list(asset_partitions), "keys": list(tag_keys)}
            rows = connection.execute(_LATEST_TAGS, {**named, **several}).all()
        if any(row.asset_details for row in rows):
            return super().get_latest_tags_by_partition(*asked)
        found: dict[str, dict[str, str]] = {}
        for row in rows:
            found.setdefault(row.partition, {})[row.key] = row.value
        return found

    def dispose(self) -> None:
        self._engine.dispose()
        super().dispose()  # type: ignore[no-untyped-call]
