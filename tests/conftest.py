"""What every test may ask for: a PostgreSQL server of its own, a warehouse on either database, a browser,
and servers for the letters and documents of alerts.

The server is started by the session itself (own_postgresql); with xdist every worker has one.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from home_warehouse import SERVER
from hypothesis import HealthCheck, settings
from own_postgresql import Server, own_postgresql
from post_office import Hook, Mail, hook_server, mail_server
from told import Told

from kinerja_pipeline.orchestration.side_by_side import processes
from kinerja_pipeline.warehouse.database import migrate, open_warehouse

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# The same worlds in every run, so that a change is not refused for what another one broke; `make properties` tries
# worlds of its own. A slow machine fails neither.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("steady", _UNTIMED, derandomize=True)
settings.register_profile("other_worlds", _UNTIMED)
settings.load_profile("steady")
_DATABASES = itertools.count(1)
_LONG = ("line", "real", "warehouse")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The folders with long files come first: at the end of a run no worker waits for the last file of another."""
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.relative_to(here).parts[0] not in _LONG)


@pytest.fixture(scope="session")
def loaded() -> BaseContext:
    """For work in a process of its own, above all one that is killed."""
    return processes()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[sa.URL]:
    """The address of a running server's maintenance database; databases on it are made per test."""
    if SERVER in os.environ:
        yield sa.make_url(os.environ[SERVER])
        return
    with own_postgresql() as server:
        yield server.url


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that one test alone uses, and may stop."""
    with own_postgresql() as server:
        yield server


def pytest_addoption(parser: pytest.Parser) -> None:
    told = "where the homes of tests publish to; tests that ask for a database by themselves take both in any case"
    parser.addoption("--warehouse", choices=("sqlite", "postgresql"), default="sqlite", help=told)


_WHILE_IT_RUNS = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """With `--warehouse postgresql` one server for all workers, started by the process that starts them."""
    if config.getoption("--warehouse") == "postgresql" and not os.environ.get("PYTEST_XDIST_WORKER"):
        server = _WHILE_IT_RUNS.enter_context(own_postgresql())
        os.environ[SERVER] = server.url.render_as_string(hide_password=False)


_TOLD = Told()


@pytest.fixture(scope="session")
def told() -> Told:
    return _TOLD


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _TOLD.rows:
        terminalreporter.section("what was broken, and what became of it")
        terminalreporter.write_line("\n".join(_TOLD.table()))


def pytest_unconfigure() -> None:
    _WHILE_IT_RUNS.close()


@contextmanager
def _database(server: sa.URL, template: str = "template1") -> Iterator[str]:
    """The address of an empty database, or of a copy of one that nobody is connected to; dropped afterwards."""
    name = f"test_{os.getpid()}_{next(_DATABASES)}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()


@pytest.fixture
def postgresql_url(postgresql_server: sa.URL) -> Iterator[str]:
    """An empty database for one test."""
    with _database(postgresql_server) as url:
        yield url


DatabaseOn = Callable[[str], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def copy_of(postgresql_server: sa.URL) -> DatabaseOn:
    """copy_of(url): a context with the address of a copy of that database, to which nobody may be connected."""
    return lambda url: _database(postgresql_server, sa.make_url(url).database or "")


@pytest.fixture(scope="module")
def shared_postgresql_url(postgresql_server: sa.URL) -> Iterator[str]:
    """A database that the tests of a module share and only read."""
    with _database(postgresql_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def warehouse_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty warehouse; a test that asks for it runs on both databases."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'warehouse.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def engine(warehouse_url: str) -> Iterator[sa.Engine]:
    """An empty warehouse, opened; a test that asks for it runs on both databases."""
    opened = open_warehouse(warehouse_url)
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse's file with all tables and no rows; tests copy it."""
    path = tmp_path_factory.mktemp("migrated") / "warehouse.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: sa.URL) -> Iterator[str]:
    """The address of a warehouse with all tables and no rows; tests copy it."""
    with _database(postgresql_server) as url:
        _migrate(url)
        yield url


def _migrate(url: str) -> None:
    opened = open_warehouse(url)
    migrate(opened)
    opened.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """A warehouse with all tables and no rows, for one test; a test that asks for it runs on both databases."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "warehouse.db")
            url = f"sqlite:///{tmp_path / 'warehouse.db'}"
        else:
            copy_of: DatabaseOn = request.getfixturevalue("copy_of")
            url = stack.enter_context(copy_of(request.getfixturevalue("migrated_postgresql")))
        opened = open_warehouse(url)
        stack.callback(opened.dispose)
        yield opened


@pytest.fixture
def mail() -> Iterator[Mail]:
    with mail_server() as server:
        yield server


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hook_server() as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's Chromium, else the one that Playwright has fetched. As long as it is open, Playwright's event loop
    counts as running in this thread, and nothing else can run one: so it is closed with the module."""
    # Late: most test runs look at nothing.
    from playwright.sync_api import Error, sync_playwright

    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=program)
        except Error as error:
            pytest.fail(
                "Pages are looked at in a browser, and none starts: install Chromium (Debian: apt install chromium), "
                f"or let Playwright fetch one (.venv/bin/playwright install --only-shell chromium).\n{error.message}"
            )
        yield started
        started.close()
