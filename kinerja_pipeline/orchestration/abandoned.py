"""Runs that are called started and on which nobody works any more: whoever launched them was killed, and they with it.

Here: telling such a run from one under way. Not here: closing it (automation, doctor), launching it again (Dagster's
`run_retries`). Dagster's code server looks after the runs that it launched; when it is killed with them, nobody does
(upstream: the default run launcher has no `check_run_worker_health`), and they would keep their region for ever.
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
