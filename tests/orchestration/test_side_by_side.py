"""Regions in processes of their own: all are worked on, none outlives the command, and a killed one is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from kinerja_pipeline.orchestration import side_by_side as module
from kinerja_pipeline.orchestration.side_by_side import Result, SideBySideError, Tell, Work, side_by_side

PATIENCE_SECONDS = 60


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_cores", lambda: 2)


def given(work: Work[Result]) -> Work[Result]:
    return work


def process_of(region: str, tell: Tell) -> int:
    tell(region, "2026-01", 0, 1)
    return os.getpid()


def fails_for_salor(region: str, tell: Tell) -> str:
    if region == "salor":
        raise ValueError("salor's policy is gone")
    return region


def killed_for_salor(region: str, tell: Tell) -> str:
    if region == "salor":
        os.kill(os.getpid(), signal.SIGKILL)
    return region


def waits_for_ever(region: str, tell: Tell) -> None:
    tell(region, str(os.getpid()), 0, None)
    time.sleep(PATIENCE_SECONDS)


def counting() -> Work[tuple[int, int]]:
    """How many times this process has begun, and how many regions it has worked on since."""
    global begun
    begun, done = begun + 1, count(1)
    return lambda region, tell: (begun, next(done))


begun = 0


def untold(*_: object) -> None:
    """Nobody listens."""


def test_every_region_is_worked_on_elsewhere_and_tells_how_far_it_is() -> None:
    told: list[tuple[object, ...]] = []
    found = dict(
        side_by_side(partial(given, process_of), ["mamuju", "salor", "pariaman"], lambda *message: told.append(message))
    )
    assert sorted(found) == ["mamuju", "pariaman", "salor"]
    assert os.getpid() not in found.values()
    assert sorted(told) == [(region, "2026-01", 0, 1) for region in ("mamuju", "pariaman", "salor")]


def test_a_single_region_needs_no_other_process() -> None:
    assert dict(side_by_side(partial(given, process_of), ["salor"], untold)) == {"salor": os.getpid()}


def test_a_process_begins_once_for_all_its_regions() -> None:
    regions = ["mamuju", "manokwari", "nanggalo", "pariaman", "salor"]
    found = dict(side_by_side(counting, regions, untold)).values()
    assert {begun for begun, _ in found} == {1}
    assert max(done for _, done in found) > 1, "five regions, two processes"


def fails_to_begin() -> Work[str]:
    raise ValueError("the policies are gone")


def test_what_beginning_raises_is_raised() -> None:
    with pytest.raises(ValueError, match="the policies are gone"):
        list(side_by_side(fails_to_begin, ["mamuju", "salor"], untold))


def test_what_a_region_raises_is_raised() -> None:
    with pytest.raises(ValueError, match="salor's policy is gone"):
        list(side_by_side(partial(given, fails_for_salor), ["mamuju", "salor"], untold))


def region_named(region: str, tell: Tell) -> str | None:
    return os.environ.get("KINERJA_OFFICE")


def test_a_process_sees_the_environment_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    for office in ("Kantor Camat", "Dinas Pendidikan"):
        monkeypatch.setenv("KINERJA_OFFICE", office)
        assert set(dict(side_by_side(partial(given, region_named), ["mamuju", "salor"], untold)).values()) == {office}


def test_a_killed_process_is_told_in_words() -> None:
    with pytest.raises(SideBySideError, match="was killed, perhaps for want of memory"):
        list(side_by_side(partial(given, killed_for_salor), ["mamuju", "salor"], untold))


def test_no_process_outlives_a_killed_command() -> None:
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_side_by_side as here
if __name__ == "__main__":
    here.module._cores = lambda: 2
    say = lambda region, pid, *_: print(pid, flush=True)
    list(here.side_by_side(here.partial(here.given, here.waits_for_ever), ["mamuju", "salor"], say))
"""
    command = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert command.stdout
    workers = [int(command.stdout.readline()) for _ in range(2)]
    command.kill()
    command.communicate()
    end = time.monotonic() + PATIENCE_SECONDS / 2
    while any(_lives(worker) for worker in workers):
        assert time.monotonic() < end, "a process outlives its command"
        time.sleep(0.05)


def _lives(process: int) -> bool:
    try:
        # A killed process that nobody has asked about stays in the table as a zombie.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
