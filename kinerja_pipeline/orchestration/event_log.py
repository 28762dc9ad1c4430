"""Dagster's event log in one SQLite file of the home, through one engine that is kept.

Here: where the log lies and how it is opened. Not here: what is logged. Dagster's own SQLite log makes an engine for
every event, which compiles each statement anew: half of a run's processor time (benchmarks/event_log.py). A deployment
on several machines names PostgreSQL storage in dagster.yaml instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.sql import create_engine
from dagster._serdes import ConfigurableClassData

from kinerja_pipeline.home import home_from_environment

BUSY_SECONDS = 60


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

    @cached_property
    def _engine(self) -> Any:
        return create_engine(self._conn_string, connect_args={"timeout": BUSY_SECONDS})

    @contextmanager
    def _connect(self) -> Iterator[Any]:
        with self._engine.connect() as connection, connection.begin():
            # With a write-ahead log this is safe against a killed process; only a power cut may lose the last events.
            connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
            yield connection

    def dispose(self) -> None:
        self._engine.dispose()
        super().dispose()  # type: ignore[no-untyped-call]
