"""Publishing a region and month against the database's own bulk load of the same rows, in one transaction.

    python benchmarks/publication.py --taps 100000

Publishing judges every table by its contract, hashes every part, keeps the ledger and what it replaced, under the
region's lock; the bulk load only writes: rows of the same tables through the driver (tuples into SQLite, COPY into
PostgreSQL), with the same keys. Each time into a fresh, empty warehouse; the server is the bench's own, and durable.
Both leave as many rows in each table. Then the same with a reader in another process that asks one question after the
other, which no publication waits for and which waits for none.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import sqlalchemy as sa
from big_month import MONTH, REGION, TODAY, big_month
from core import core
from measuring import Figure, Timed, in_turn, ratio, show, told

from kinerja_pipeline.contracts.model import Contracts, load_contracts
from kinerja_pipeline.contracts.tables import warehouse_tables
from kinerja_pipeline.home import Home
from kinerja_pipeline.orchestration.deployment import Deployment
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.warehouse.assets import outgoing
from kinerja_pipeline.warehouse.database import migrate, open_warehouse
from kinerja_pipeline.warehouse.publish import Versions, publish

# The tests know how to start a server.
sys.path.append(str(Path(__file__).parents[1] / "tests" / "warehouse"))
Frames = Mapping[str, pl.DataFrame]
Fresh = Callable[[], sa.Engine]


def figures(taps: int = 10**5, repetitions: int = 5) -> tuple[list[Figure], dict[str, Timed]]:
    from own_postgresql import own_postgresql

    found: list[Figure] = []
    timings: dict[str, Timed] = {}
    with tempfile.TemporaryDirectory() as place:
        home = Home(Path(place) / "home")
        big_month(home, taps)
        core(home, lambda *_: None)
        deployment = Deployment(load_contracts(), load_policies(home.policies))
        frames = outgoing(deployment, home, Lake(home.lake), REGION, MONTH, TODAY)
        with sqlite(Path(place)) as fresh:
            rows, timed = _measured("SQLite", fresh, deployment.contracts, frames, repetitions)
            found, timings = [*found, *rows], timings | timed
        with own_postgresql("") as server, postgresql(server.url) as fresh:
            rows, timed = _measured("PostgreSQL", fresh, deployment.contracts, frames, repetitions)
            found, timings = [*found, *rows], timings | timed
    return found, timings


def _measured(
    name: str, fresh: Fresh, contracts: Contracts, frames: Frames, repetitions: int
) -> tuple[list[Figure], dict[str, Timed]]:
    assert _published(fresh, contracts, frames) == _loaded(fresh, contracts, frames), "other numbers of rows"
    ready: Iterator[sa.Engine] = iter([fresh() for _ in range(3 * (repetitions + 1))])
    with reader() as reading:
        timed = in_turn(
            {
                "publication": lambda: _publish(next(ready), contracts, frames),
                "bulk load": lambda: _load(next(ready), contracts, frames),
                "with a reader": lambda: reading(next(ready), lambda engine: _publish(engine, contracts, frames)),
            },
            repetitions,
        )
    count = sum(len(frame) for frame in frames.values())
    label = f"publication of {count:,} rows / bulk load, {name}"
    own = told({work: timed[work] for work in ("publication", "bulk load")})
    beside = (
        f"{reading.count:,} reads, the longest {reading.longest:.2f} s; {told({'': timed['with a reader']}).strip()}"
    )
    return [
        Figure(label, ratio(timed, "publication", "bulk load"), 1.5, "x", own),
        Figure(
            "  with a reader asking all the time / alone",
            ratio(timed, "with a reader", "publication"),
            None,
            "x",
            beside,
        ),
    ], {f"{work}, {name}": of for work, of in timed.items()}


class Reading:
    """Publishes beside a reader in another process, and adds up what it tells."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.count, self.longest = 0, 0.0
        self._process = process

    def __call__(self, engine: sa.Engine, work: Callable[[sa.Engine], None]) -> None:
        self._say(engine.url.render_as_string(hide_password=False))
        self._hear()
        work(engine)
        self._say("stop")
        count, longest = self._hear().split()
        self.count, self.longest = self.count + int(count), max(self.longest, float(longest))

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def reader() -> Iterator[Reading]:
    command = [sys.executable, str(Path(__file__).with_name("publication_reader.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Reading(process)


def _publish(engine: sa.Engine, contracts: Contracts, frames: Frames) -> None:
    now = dt.datetime.combine(TODAY, dt.time(), dt.UTC)
    publish(engine, contracts, REGION, MONTH, frames, versions=Versions("bench", "bench"), now=now, run_id="bench")


def _load(engine: sa.Engine, contracts: Contracts, frames: Frames) -> None:
    tables = warehouse_tables(contracts.outgoing, engine.dialect.name).tables
    schema = "" if engine.dialect.name == "sqlite" else "reporting."
    with engine.begin() as connection:
        for name, frame in frames.items():
            if not frame.is_empty():
                _bulk(connection, tables[f"{schema}{name}"], frame)


def _bulk(connection: sa.Connection, table: sa.Table, frame: pl.DataFrame) -> None:
    """What the manual of each database says of loading many rows: prepared once and executed for all; COPY."""
    columns = ", ".join(frame.columns)
    plain = frame.with_columns(
        pl.col(pl.Date).dt.strftime("%Y-%m-%d"), pl.selectors.datetime().dt.strftime("%Y-%m-%d %H:%M:%S%.6f")
    )
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(frame.columns))
        connection.connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", plain.iter_rows())
        return
    with (
        connection.connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({columns}) FROM STDIN (FORMAT csv)") as copy,
    ):
        for part in plain.iter_slices(50_000):
            copy.write(part.write_csv(include_header=False).encode())


def _published(fresh: Fresh, contracts: Contracts, frames: Frames) -> dict[str, int]:
    engine = fresh()
    _publish(engine, contracts, frames)
    return _counted(engine, contracts, frames)


def _loaded(fresh: Fresh, contracts: Contracts, frames: Frames) -> dict[str, int]:
    engine = fresh()
    _load(engine, contracts, frames)
    return _counted(engine, contracts, frames)


def _counted(engine: sa.Engine, contracts: Contracts, frames: Frames) -> dict[str, int]:
    tables = warehouse_tables(contracts.outgoing, engine.dialect.name).tables
    schema = "" if engine.dialect.name == "sqlite" else "reporting."
    with engine.connect() as connection:
        return {
            name: connection.execute(sa.select(sa.func.count()).select_from(tables[f"{schema}{name}"])).scalar_one()
            for name in frames
        }


@contextmanager
def sqlite(folder: Path) -> Iterator[Fresh]:
    """Copies of one empty warehouse."""
    empty, numbers = folder / "empty.db", itertools.count()
    engine = open_warehouse(f"sqlite:///{empty}")
    migrate(engine)
    engine.dispose()

    def fresh() -> sa.Engine:
        path = folder / f"{next(numbers)}.db"
        shutil.copy(empty, path)
        return open_warehouse(f"sqlite:///{path}")

    yield fresh


@contextmanager
def postgresql(server: sa.URL) -> Iterator[Fresh]:
    """Databases made from one empty warehouse, dropped afterwards."""
    maintenance = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    made: list[str] = []
    engines: list[sa.Engine] = []

    def database(template: str) -> sa.engine.URL:
        made.append(f"kinerja_bench_{os.getpid()}_{len(made)}")
        with maintenance.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {made[-1]} TEMPLATE {template}")
        return server.set(database=made[-1])

    try:
        empty = open_warehouse(database("template1").render_as_string(hide_password=False))
        migrate(empty)
        empty.dispose()

        def fresh() -> sa.Engine:
            engines.append(open_warehouse(database(made[0]).render_as_string(hide_password=False)))
            return engines[-1]

        yield fresh
    finally:
        for engine in engines:
            engine.dispose()
        with maintenance.connect() as connection:
            for name in made:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--taps", type=int, default=10**5)
    show(figures(parser.parse_args().taps)[0])


if __name__ == "__main__":
    main()
