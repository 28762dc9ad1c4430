"""`kinerja ui` as a process: what it starts ends with it. Programs that only wait stand in for Dagster's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SERVES = """
import signal, subprocess, sys
from pathlib import Path
from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.orchestration import serving

STANDS_IN = '''
import pathlib, sys, time
if "-s" in sys.argv:
    pathlib.Path(sys.argv[sys.argv.index("-s") + 1]).touch()
time.sleep(0 if sys.argv[1] == "dagster_webserver" and {web_ends} else 600)
'''

def started(home, module):
    process = subprocess.Popen([sys.executable, "-c", STANDS_IN.replace("{web_ends}", sys.argv[2]), *module])
    print(module[0], process.pid, flush=True)
    return process

serving._started = started
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may ignore it
home = Home(Path(sys.argv[1]))
init_home(home)
sys.exit(serving.serve(home, "127.0.0.1", 3999, read_only=sys.argv[3] == "read-only"))
"""


@contextmanager
def served(home: Path, *, web_ends: bool = False, read_only: bool = False) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVES, str(home), str(web_ends), "read-only" if read_only else ""],
        env={**os.environ, "KINERJA_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def started(process: subprocess.Popen[str], count: int) -> dict[str, int]:
    assert process.stdout is not None
    lines = [process.stdout.readline().split() for _ in range(count)]
    return {name: int(number) for name, number in lines}


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_command_and_everything_it_started(tmp_path: Path, number: signal.Signals) -> None:
    with served(tmp_path) as process:
        children = started(process, 3)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (0, "")
    assert list(children) == ["dagster", "dagster_webserver", "dagster._daemon"]
    assert [name for name, pid in children.items() if is_running(pid)] == []


def test_when_one_of_them_dies_the_others_end_too_and_the_command_says_which(tmp_path: Path) -> None:
    with served(tmp_path, web_ends=True) as process:
        children = started(process, 3)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "web server has ended by itself" in told
    assert [name for name, pid in children.items() if is_running(pid)] == []


def test_a_read_only_view_has_no_daemon(tmp_path: Path) -> None:
    with served(tmp_path, read_only=True) as process:
        children = started(process, 2)
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)
    assert list(children) == ["dagster", "dagster_webserver"]
    assert rest == ""
