"""Serving the browser's view of a home: Dagster's code server, web server and daemon, as one command that stops whole.

Here: which processes run, with which settings, until when. Not here: what they show (definitions, metadata) and
launching from the command line (launch).
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from subprocess import Popen

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.home import Home
from kinerja_pipeline.orchestration.deployment import Deployment
from kinerja_pipeline.orchestration.launch import LOCATION
from kinerja_pipeline.orchestration.settings import make_databases, write_instance_settings
from kinerja_pipeline.policies.loader import load_policies

STOP_SECONDS = 30
_PR_SET_PDEATHSIG = 1


class ServingError(Exception):
    """The home cannot be served; the message says why and what to do."""


def check_loads(home: Home) -> None:
    """Raises what would otherwise end in a server's log: PolicyError, ContractError."""
    Deployment(load_contracts(), load_policies(home.policies)).check()


def serve(home: Home, host: str, port: int, *, read_only: bool) -> int:
    """Runs Dagster's web server for the home, and its daemon unless read-only, until Ctrl-C, SIGTERM or a closed
    terminal; returns the exit code.

    Both ask one code server. Left alone the daemon starts one of its own, and a new one every minute. Raises
    ServingError where another command's daemon works on the home.
    """
    write_instance_settings(home)
    make_databases(home)
    with nullcontext() if read_only else _only_daemon(home):
        return _served(home, host, port, read_only=read_only)


@contextmanager
def _only_daemon(home: Home) -> Iterator[None]:
    """Two daemons would both ask for every run. The lock is the operating system's: a killed command leaves none."""
    home.locks.mkdir(parents=True, exist_ok=True)
    # No region is called so: their ids begin with a letter.
    with (home.locks / "-daemon.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ServingError(
                f"Another `kinerja ui` serves {home.root} already, with its daemon. Stop that one, or only look with "
                "--read-only and another --port."
            ) from error
        yield


def _served(home: Home, host: str, port: int, *, read_only: bool) -> int:
    running: dict[str, Popen[bytes]] = {}
    # Noted and not raised: an exception between starting a process and keeping it would leave that one behind.
    asked: list[int] = []
    before = {number: signal.signal(number, lambda number, _: asked.append(number)) for number in _stopping()}
    try:
        with tempfile.TemporaryDirectory(prefix="kinerja-") as place:
            socket, workspace = Path(place, "code"), Path(place, "workspace.yaml")
            workspace.write_text(
                f"load_from: [{{grpc_server: {{socket: {json.dumps(str(socket))}, location_name: {LOCATION}}}}}]\n"
            )
            code = ["dagster", "code-server", "start", "--log-level", "warning", "-s", str(socket), "-m", LOCATION]
            web = ["dagster_webserver", "-h", host, "-p", str(port), "-w", str(workspace)]
            daemon = ["dagster._daemon", "run", "-w", str(workspace)]
            running["code server"] = _started(home, code)
            while not (asked or _ended(running) or socket.exists()):
                time.sleep(0.1)
            if socket.exists():
                running["web server"] = _started(home, [*web, "--read-only"] if read_only else web)
                running |= {} if read_only else {"daemon": _started(home, daemon)}
            while not (asked or _ended(running)):
                time.sleep(0.2)
            if not asked:
                print(f"Dagster's {_ended(running)[0]} has ended by itself; the lines above say why.", file=sys.stderr)
            return 0 if asked else 1
    finally:
        # The code server last: those that ask it would complain.
        _stop([process for name, process in running.items() if name != "code server"])
        _stop([process for name, process in running.items() if name == "code server"])
        for number, handler in before.items():
            signal.signal(number, handler)


def _stopping() -> list[signal.Signals]:
    """The signals that end the command; `nohup` asks to outlive a closed terminal."""
    outlives = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [signal.SIGINT, signal.SIGTERM, *([] if outlives else [signal.SIGHUP])]


def _started(home: Home, module: list[str]) -> Popen[bytes]:
    environment = {**os.environ, "DAGSTER_HOME": str(home.dagster), "KINERJA_HOME": str(home.root)}
    # A session of its own: the terminal's Ctrl-C reaches this command alone, which stops the others in order.
    command = [sys.executable, "-m", *module]
    return Popen(command, env=environment, start_new_session=True, preexec_fn=_ended_with(os.getpid()))


def _ended_with(parent: int) -> Callable[[], None] | None:
    """What a process does first: on Linux the kernel ends it when the command is killed, for nobody else would, and the
    service that starts the command again would have two daemons."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)

    def begin() -> None:
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return begin


def _ended(running: Mapping[str, Popen[bytes]]) -> list[str]:
    return [name for name, process in running.items() if process.poll() is not None]


def _stop(processes: list[Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
