"""`kinerja ui` as a process: what it starts ends with it. Programs that only wait stand in for Dagster's."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.orchestration import serving

STANDS_IN = """
import pathlib, sys, time
if "-s" in sys.argv:
    pathlib.Path(sys.argv[sys.argv.index("-s") + 1]).touch()
time.sleep(0 if sys.argv[1] == "dagster_webserver" and {web_ends} else 600)
"""


def serve_stand_ins(home: Home, web_ends: bool, read_only: bool, told: Connection) -> None:
    """`kinerja ui` in a process of its own; tells what it starts, and last of all what it says to people."""

    def started(home: Home, module: list[str]) -> subprocess.Popen[bytes]:
        code = STANDS_IN.replace("{web_ends}", str(web_ends))
        process = subprocess.Popen([sys.executable, "-S", "-c", code, *module])
        told.send((module[0], process.pid))
        return process

    os.environ["KINERJA_HOME"] = str(home.root)
    setattr(serving, "_started", started)  # noqa: B010 (the process ends with the command)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may ignore it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    init_home(home)
    said = io.StringIO()
    with redirect_stderr(said), redirect_stdout(said):
        code = serving.serve(home, "127.0.0.1", 3999, read_only=read_only)
    told.send((said.getvalue(), code))
    sys.exit(code)


@dataclass(frozen=True, slots=True)
class Served:
    process: BaseProcess
    told: Connection

    def next(self) -> tuple[str, int]:
        assert self.told.poll(60)
        name, number = self.told.recv()
        return str(name), int(number)

    def end(self, number: signal.Signals | None = None) -> tuple[int | None, str]:
        """The exit code, and everything said to people."""
        if number is not None:
            os.kill(self.process.pid or 0, number)
        text, code = self.next()
        self.process.join(60)
        assert self.process.exitcode == code
        return code, text


Serve = Callable[..., Served]


@pytest.fixture
def served(loaded: BaseContext, tmp_path: Path) -> Iterator[Serve]:
    """served(web_ends, read_only): the command, running over an empty home."""
    processes = []

    def begin(*, web_ends: bool = False, read_only: bool = False) -> Served:
        told, tells = loaded.Pipe(duplex=False)
        process = loaded.Process(target=serve_stand_ins, args=(Home(tmp_path), web_ends, read_only, tells))
        process.start()
        processes.append(process)
        return Served(process, told)

    yield begin
    for process in processes:
        process.kill()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_command_and_everything_it_started(served: Serve, number: signal.Signals) -> None:
    command = served()
    children = dict(command.next() for _ in range(3))
    assert command.end(number) == (0, "")
    assert list(children) == ["dagster", "dagster_webserver", "dagster._daemon"]
    assert [name for name, pid in children.items() if is_running(pid)] == []


def test_when_one_of_them_dies_the_others_end_too_and_the_command_says_which(served: Serve) -> None:
    command = served(web_ends=True)
    children = dict(command.next() for _ in range(3))
    code, told = command.end()
    assert code == 1
    assert "web server has ended by itself" in told
    assert [name for name, pid in children.items() if is_running(pid)] == []


def test_a_read_only_view_has_no_daemon(served: Serve) -> None:
    command = served(read_only=True)
    assert [command.next()[0] for _ in range(2)] == ["dagster", "dagster_webserver"]
    assert command.end(signal.SIGTERM) == (0, ""), "nothing else was started"


def test_a_second_daemon_on_one_home_is_refused_and_who_only_looks_is_not(served: Serve) -> None:
    first = served()
    assert [first.next()[0] for _ in range(3)][-1] == "dagster._daemon"
    second = served()
    second.process.join(60)
    assert second.process.exitcode == 1
    with pytest.raises(EOFError):
        second.next()  # It has started nothing.
    looking = served(read_only=True)
    assert [looking.next()[0] for _ in range(2)] == ["dagster", "dagster_webserver"]
    assert looking.end(signal.SIGTERM) == (0, "")
    assert first.end(signal.SIGTERM) == (0, "")
    again = served()
    assert [again.next()[0] for _ in range(3)][-1] == "dagster._daemon"
    assert again.end(signal.SIGTERM) == (0, "")
