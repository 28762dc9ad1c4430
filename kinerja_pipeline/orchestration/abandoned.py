"""Runs that Dagster has lost sight of: called started though nobody works on them any more, or not launched again.

Here: telling such a run from one under way, and from one that failed. Not here: closing it (automation, doctor),
launching it again (Dagster's `run_retries`; automation for what these gave up). Dagster's code server looks after the
runs that it launched; when it is killed with them, nobody does (upstream: the default run launcher has no
`check_run_worker_health`), and they would keep their region for ever.
"""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.storage.tags import GRPC_INFO_TAG

from kinerja_pipeline.home import Home
from kinerja_pipeline.orchestration.resources import COMMAND_TAG, KILLED_COMMAND, is_locked

GIVEN_UP = "Failed to retry run"
"""What Dagster's daemon says of a run that it could not launch again."""
KILLED_SERVER = "The server that launched this run was killed, and the run with it."


def abandoned(home: Home, instance: DagsterInstance, run: DagsterRun) -> str | None:
    """Why nobody works on a run that has not ended; None where somebody does, or it cannot be known from here."""
    region = run.tags.get(COMMAND_TAG)
    if region is not None:
        # A command that lives holds the lock of its region.
        return None if is_locked(home, f"{region}-command") else KILLED_COMMAND
    if run.status != DagsterRunStatus.STARTED or GRPC_INFO_TAG not in run.tags:
        return None
    # Only a server behind a socket file is of this machine, and so are its processes' numbers.
    place = json.loads(run.tags[GRPC_INFO_TAG]).get("socket")
    if place is None or _answers(place) or any(_works(number) for number in _processes(instance, run.run_id)):
        return None
    return KILLED_SERVER


def is_given_up(instance: DagsterInstance, run: DagsterRun) -> bool:
    """Whether a run that was cut off should have been launched again and was not: no code server answered just then,
    and Dagster's daemon tries once."""
    events = instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT)
    return any(e.dagster_event is not None and e.dagster_event.message == GIVEN_UP for e in events)


def _answers(place: str) -> bool:
    with socket.socket(socket.AF_UNIX) as asked:
        asked.settimeout(5)
        try:
            asked.connect(place)
        except OSError:
            return False
    return True


def _processes(instance: DagsterInstance, run_id: str) -> list[int]:
    """The processes that the run says it started in."""
    events = instance.all_logs(run_id, of_type=DagsterEventType.ENGINE_EVENT)
    said = [e.dagster_event.engine_event_data.metadata.get("pid") for e in events if e.dagster_event is not None]
    return [int(str(number.value)) for number in said if number is not None]


def _works(number: int) -> bool:
    """Whether there is such a process, and it may be a run's: numbers are given again, above all after a restart."""
    try:
        os.kill(number, 0)
        return b"multiprocessing" in Path(f"/proc/{number}/cmdline").read_bytes()
    except ProcessLookupError:
        return False
    except OSError:
        return True  # Somebody's, and not to be looked at from here.
