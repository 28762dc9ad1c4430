"""What Dagster's event log costs a run: its own SQLite log, ours with a kept engine, and none, side by side.

    python benchmarks/event_log.py

Ten trivial assets, alternating; processor time per run. Ours exists to be cheaper than Dagster's own.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from dagster import DagsterInstance, Definitions, asset
from measuring import Figure, Timed, in_turn, ratio, show, told

OURS = """\
event_log_storage:
  module: kinerja_pipeline.orchestration.event_log
  class: HomeEventLogStorage
"""


def ten_assets() -> Definitions:
    def made(number: int):  # type: ignore[no-untyped-def]
        @asset(name=f"asset_{number}")
        def nothing() -> None: ...

        return nothing

    return Definitions(assets=[made(n) for n in range(10)])


def run(instance: DagsterInstance) -> None:
    job = ten_assets().get_implicit_global_asset_job_def()
    job.execute_in_process(
        instance=instance, run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    )


def figures() -> tuple[list[Figure], dict[str, Timed]]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["KINERJA_HOME"] = str(Path(folder) / "home")
        places = {"Dagster's own": Path(folder) / "own", "ours": Path(folder) / "ours"}
        for name, place in places.items():
            place.mkdir()
            settings = OURS if name == "ours" else ""
            (place / "dagster.yaml").write_text(f"telemetry: {{enabled: false}}\n{settings}", encoding="utf-8")

        def on_disk(name: str) -> None:
            with DagsterInstance.from_config(str(places[name])) as instance:
                run(instance)

        def in_memory() -> None:
            with DagsterInstance.ephemeral() as instance:
                run(instance)

        timed = in_turn(
            {
                "ours": lambda: on_disk("ours"),
                "Dagster's own": lambda: on_disk("Dagster's own"),
                "in memory": in_memory,
            },
            clock=time.process_time,
        )
    name = "event log of a run of ten assets / Dagster's own SQLite log"
    return [Figure(name, ratio(timed, "ours", "Dagster's own"), 0.9, "x", told(timed))], timed


if __name__ == "__main__":
    show(figures()[0])
