"""What Dagster's event log costs a run: its own SQLite log, ours with a kept engine, and none, side by side.

    python benchmarks/event_log.py

Ten trivial assets with three outputs' worth of events each, five alternating repetitions; prints the median seconds of
processor time per run. Not a test: machines are noisy, so read the ratios.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from dagster import DagsterInstance, Definitions, asset

OURS = """\
event_log_storage:
  module: kinerja_pipeline.orchestration.event_log
  class: HomeEventLogStorage
"""
REPETITIONS = 5


def ten_assets() -> Definitions:
    def made(number: int):  # type: ignore[no-untyped-def]
        @asset(name=f"asset_{number}")
        def nothing() -> None: ...

        return nothing

    return Definitions(assets=[made(n) for n in range(10)])


def seconds(instance: DagsterInstance) -> float:
    job = ten_assets().get_implicit_global_asset_job_def()
    start = time.process_time()
    job.execute_in_process(
        instance=instance, run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    )
    return time.process_time() - start


def main() -> None:
    taken: dict[str, list[float]] = {"dagster's own": [], "ours": [], "in memory": []}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["KINERJA_HOME"] = str(Path(folder) / "home")
        for name, settings in (("dagster's own", ""), ("ours", OURS)):
            place = Path(folder) / name.replace(" ", "_").replace("'", "")
            place.mkdir()
            (place / "dagster.yaml").write_text(f"telemetry: {{enabled: false}}\n{settings}", encoding="utf-8")
        for _ in range(REPETITIONS + 1):
            for name in taken:
                place = Path(folder) / name.replace(" ", "_").replace("'", "")
                instance = (
                    DagsterInstance.ephemeral() if name == "in memory" else DagsterInstance.from_config(str(place))
                )
                with instance:
                    taken[name].append(seconds(instance))
    base = statistics.median(taken["dagster's own"][1:])
    for name, values in taken.items():
        middle = statistics.median(values[1:])
        print(f"{name:15} {middle:6.3f} s   {middle / base:5.2f} of dagster's own")


if __name__ == "__main__":
    main()
