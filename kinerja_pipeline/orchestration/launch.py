"""Running the jobs from the command line: which partitions, in which order, through Dagster, one after the other.

Here: the instance settings of a home, launching in this process, serving the UI. Not here: what a job does.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dagster import DagsterInstance, Definitions, ExecuteInProcessResult

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.facts.periods import add_months, month_of, months_between
from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.deliveries import deliveries, landed_months
from kinerja_pipeline.orchestration.deployment import partition_key
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.policies.model import Policy

if TYPE_CHECKING:
    from rich.console import Console

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

INSTANCE_SETTINGS = """\
# Dagster's settings of this home. The runs' history stands in the folders beside this file.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 2
    tag_concurrency_limits:
      # Two months of a region share its quarter and year: one run per region at a time.
      - key: dagster/partition/region
        value: {applyLimitPerUniqueValue: true}
        limit: 1
event_log_storage:
  module: kinerja_pipeline.orchestration.event_log
  class: HomeEventLogStorage
run_queue:
  dequeue_interval_seconds: 1
run_monitoring:
  enabled: true
  free_slots_after_run_end_seconds: 30
"""


class LaunchError(Exception):
    """The run cannot start; the message says why and what to do."""


@dataclass
class Outcome:
    """What a launch did: published region-months, failures and refused files, each as a sentence for people."""

    done: int = 0
    failed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    seconds: float = 0.0


def write_instance_settings(home: Home) -> None:
    """Writes dagster.yaml where there is none; an operator's own settings stay."""
    path = home.dagster / "dagster.yaml"
    if not path.exists():
        path.write_text(INSTANCE_SETTINGS, encoding="utf-8")


def launch(
    home: Home,
    *,
    regions: Sequence[str] | None,
    first: str | None,
    last: str | None,
    today: dt.date | None,
    console: Console,
) -> Outcome:
    """Lands every region asked for, then runs its months in order; a failing region does not stop the others.

    Without `first`, every month that has landed rows; later months that are already published are recomputed from their
    indicators on, because they look back at earlier ones.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from kinerja_pipeline.definitions import build_definitions

    write_instance_settings(home)
    policies = load_policies(home.policies)
    if unknown := [r for r in regions or () if r not in policies]:
        raise LaunchError(f"there is no region '{unknown[0]}'; known are {', '.join(policies)}")
    definitions = build_definitions(load_contracts(), policies)
    chosen = [r for r in (regions or policies) if regions or (home.landing / r).is_dir()]
    if not chosen:
        raise LaunchError(f"no region has files: put them into {home.landing}/<region>/<feed>/ first")
    outcome, start = Outcome(), time.perf_counter()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with DagsterInstance.from_config(str(home.dagster)) as instance, Progress(*columns, console=console) as progress:
        for region in chosen:
            task = progress.add_task(region, total=None)
            if not _executed(definitions, instance, "land", region, today, outcome):
                continue
            outcome.refused += refused(home, region)
            months = _months(home, policies[region], first, last, today)
            progress.update(task, total=len(months))
            for month in months:
                progress.update(task, description=f"{region} {month}")
                if _executed(definitions, instance, "region_month", partition_key(region, month), today, outcome):
                    outcome.done += 1
                progress.advance(task)
            progress.update(task, description=region)
    outcome.seconds = time.perf_counter() - start
    return outcome


def _months(home: Home, policy: Policy, first: str | None, last: str | None, today: dt.date | None) -> list[str]:
    """The months to run, in order: those asked for, or all with events; then published ones that look back at them."""
    region = policy.region
    landed = _event_months(home, region)
    latest = month_of(today or dt.datetime.now(policy.zone).date())
    published = set(Lake(home.lake).months("kpi", "measure", region))
    if first is None:
        return sorted(m for m in landed | published if m <= latest)
    asked = months_between(first, last or latest)
    lookback = add_months(asked[-1], max(policy.periods.task_lookback_months, 11)) if asked else ""
    after = [m for m in sorted(published) if asked and asked[-1] < m <= lookback]
    return [*asked, *after]


def _event_months(home: Home, region: str) -> set[str]:
    """The months in which something happened, by the deliveries' own dates. A month that holds nothing but rows whose
    date could not be believed (a clock reset to 2000 lands in the month of its delivery) waits until it has events."""
    ledger = deliveries(home, region).drop_nulls(["first_event_date", "last_event_date"])
    spans = [
        (feed, set(months_between(str(first)[:7], str(last)[:7])))
        for feed, first, last in ledger.select("feed", "first_event_date", "last_event_date").iter_rows()
    ]
    return {month for feed, span in spans for month in span & set(landed_months(home, region, feed))}


def refused(home: Home, region: str) -> list[str]:
    """The region's refused files, each with the reason, as sentences."""
    ledger = deliveries(home, region)
    lines = ledger.filter(ledger["status_code"] == "refused")
    return [f"{region}: {row['file_name']}: {row['reason']}" for row in lines.iter_rows(named=True)]


def _executed(
    definitions: Definitions,
    instance: DagsterInstance,
    job: str,
    partition: str,
    today: dt.date | None,
    outcome: Outcome,
) -> bool:
    config = {**QUIET, "resources": {"clock": {"config": {"today": today.isoformat() if today else ""}}}}
    result = definitions.resolve_job_def(job).execute_in_process(
        instance=instance, partition_key=partition, run_config=config, raise_on_error=False
    )
    if not result.success:
        outcome.failed.append(f"{job} {partition}: {_why(result)}")
    return result.success


def _why(result: ExecuteInProcessResult) -> str:
    """The innermost message of the first failed step: our own errors are written for people."""
    for event in result.all_node_events:
        if event.is_step_failure and (error := event.step_failure_data.error):
            while error.cause is not None:
                error = error.cause
            return (
                f"{error.cls_name}: {error.message.strip().splitlines()[0]}" if error.message else str(error.cls_name)
            )
    return "the run failed before its first step; see `kinerja ui`"


def serve(home: Home, host: str, port: int, *, read_only: bool) -> int:
    """Runs Dagster's web server for the home, and its daemon unless read-only; returns the exit code."""
    write_instance_settings(home)
    environment = {**os.environ, "DAGSTER_HOME": str(home.dagster), "KINERJA_HOME": str(home.root)}
    location = ["-m", "kinerja_pipeline.definitions"]
    web = [sys.executable, "-m", "dagster_webserver", "-h", host, "-p", str(port), *location]
    commands: list[list[str]] = [[*web, *(["--read-only"] if read_only else [])]]
    if not read_only:
        commands.append([sys.executable, "-m", "dagster._daemon", "run", *location])
    running = [subprocess.Popen(c, env=environment) for c in commands]
    try:
        return running[0].wait()
    except KeyboardInterrupt:
        return 0
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()
