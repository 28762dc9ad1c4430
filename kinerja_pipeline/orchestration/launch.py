"""Running the jobs from the command line: which partitions, in which order, through Dagster.

Here: what is launched for a region, one month after the other. Not here: which months (months), regions in processes
of their own (side_by_side), what a job does, the UI (serving), Dagster's settings (settings).
"""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    Definitions,
    ExecuteInProcessResult,
    MultiPartitionKey,
    RunsFilter,
)
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.storage.tags import MAX_RETRIES_TAG, REPOSITORY_LABEL_TAG

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.facts.periods import spans
from kinerja_pipeline.home import Home, warehouse_url
from kinerja_pipeline.landing.deliveries import has_unread
from kinerja_pipeline.landing.refusals import no_region, refused, strays
from kinerja_pipeline.orchestration.affected import Affected, Depth
from kinerja_pipeline.orchestration.alerting import Alerts
from kinerja_pipeline.orchestration.approval import permitted, read_approval, told
from kinerja_pipeline.orchestration.basis import Present, are_registers_current, present
from kinerja_pipeline.orchestration.deployment import Deployment, looking_back, partition_key
from kinerja_pipeline.orchestration.faults import INTERRUPTED
from kinerja_pipeline.orchestration.replay import quarantined
from kinerja_pipeline.orchestration.resources import COMMAND_TAG, KILLED_COMMAND, local_day, locked
from kinerja_pipeline.orchestration.settings import write_instance_settings
from kinerja_pipeline.orchestration.side_by_side import Tell, side_by_side
from kinerja_pipeline.policies.loader import load_policies

if TYPE_CHECKING:
    from rich.console import Console

Scope = Literal["changed", "every", "rejected"]
"""Which months run where none are named."""

LOCATION = "kinerja_pipeline.definitions"
"""What Dagster calls this code location wherever it is loaded: in workspace.yaml, by `kinerja ui`, by `dg`."""

STOPPED = "Stopped. What was published so far stays, whole; run again for the rest."

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class LaunchError(Exception):
    """The run cannot start; the message says why and what to do."""


@dataclass
class Outcome:
    """What a launch did: published region-months, what was left out and why, failures, refused files and alerts that
    could not be sent, each as a sentence for people."""

    done: int = 0
    skipped: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def short(self) -> str:
        """In a few words; why something failed or was left out is told in the end."""
        if not self.done and not self.failed:
            return "nothing to publish"
        published = f"{self.done} month{'s' * (self.done != 1)} published"
        return f"{published}, {len(self.failed)} failed" if self.failed else published

    def add(self, other: Outcome) -> None:
        self.done += other.done
        self.skipped += other.skipped
        self.failed += other.failed
        self.refused += other.refused
        self.untold += other.untold


def launch(
    home: Home,
    *,
    regions: Sequence[str] | None,
    first: str | None,
    last: str | None,
    today: dt.date | None,
    console: Console,
    scope: Scope = "changed",
) -> Outcome:
    """Lands every region asked for, then runs its months in order; a failing region does not stop the others.

    Without `first` and `last`, the months that `scope` names: what changed since they were computed, every month, or
    those with rejected rows. Published months that look at them are run too, in order, as far as they look (affected),
    so that the end is the same in whatever order months were asked for.
    """
    from kinerja_pipeline.orchestration.progress import shown
    from kinerja_pipeline.warehouse.database import check_warehouse

    write_instance_settings(home)
    policies = load_policies(home.policies)
    if unknown := [r for r in regions or () if r not in policies]:
        raise LaunchError(f"There is {no_region(unknown[0], policies)}")
    Deployment(load_contracts(), policies).check()
    outcome, start = Outcome(), time.perf_counter()
    outcome.refused += [] if regions else strays(home, policies)
    chosen = [r for r in dict.fromkeys(regions or policies) if regions or (home.landing / r).is_dir()]
    if not chosen:
        known = "".join(f"\n- {line}" for line in outcome.refused)
        raise LaunchError(f"No region has files: put them into {home.landing}/<region>/<feed>/ first.{known}")
    check_warehouse(warehouse_url(home))
    found: dict[str, Outcome] = {}
    with shown(chosen, console) as waiting:
        begin = partial(_launching, home, first, last, today, scope)
        try:
            for region, ended in side_by_side(begin, chosen, waiting.tell):
                found[region] = ended
                waiting.ended(region, ended.short())
        except KeyboardInterrupt as error:
            raise LaunchError(STOPPED) from error
    for region in chosen:
        outcome.add(found[region])
    outcome.seconds = time.perf_counter() - start
    return outcome


def _launching(
    home: Home, first: str | None, last: str | None, today: dt.date | None, scope: Scope
) -> Callable[[str, Tell], Outcome]:
    """What a process does for each region: the policies of a whole country take longer to read than one of its regions
    to compute, so they are read once."""
    from kinerja_pipeline.definitions import build_definitions

    contracts, policies = load_contracts(), load_policies(home.policies)
    definitions, deployment = build_definitions(contracts, policies), Deployment(contracts, policies)
    return partial(_launch_region, home, first, last, today, scope, definitions, deployment)


def _launch_region(
    home: Home,
    first: str | None,
    last: str | None,
    today: dt.date | None,
    scope: Scope,
    definitions: Definitions,
    deployment: Deployment,
    region: str,
    tell: Tell,
) -> Outcome:
    """Lands a region and runs its months."""
    outcome, policies, contracts = Outcome(), deployment.policies, deployment.contracts
    tell(region, "waiting for another run", 0, None)
    with DagsterInstance.from_config(str(home.dagster)) as instance, _only_launch(home, region, instance):
        tell(region, "landing", 0, None)
        policy = policies[region]
        is_landed = are_registers_current(home, policy, contracts) and not has_unread(home, region, policy, contracts)
        if not is_landed and not _executed(definitions, deployment, instance, "land", region, today, outcome):
            tell(region, "failed", 0, 0)
            return outcome
        outcome.refused += refused(home, region)
        day = local_day(policies[region], today)
        now = present(home, policies, contracts, region, day)
        found, without = _months(now, first, last, scope)
        outcome.skipped += without
        approved = read_approval(home, region)
        may = permitted(found, now.statuses, policies[region].periods, approved, is_asked=True)
        outcome.skipped += [told(region, may.waiting, may.why)] if may.waiting else []
        months = may.months
        for number, each in enumerate(months):
            tell(region, each.month, number, len(months))
            key = partition_key(region, each.month)
            if _executed(definitions, deployment, instance, "region_month", key, today, outcome, each.depth):
                outcome.done += 1
        tell(region, "", len(months), len(months))
    return outcome


@contextmanager
def _only_launch(home: Home, region: str, instance: DagsterInstance) -> Iterator[None]:
    """One command line at a time works on a region. A run of an earlier one that is still called started was killed:
    it is closed, for it would keep the daemon from the region for ever."""
    with locked(home, f"{region}-command"):
        killed = RunsFilter(statuses=[DagsterRunStatus.STARTED], tags={COMMAND_TAG: region})
        for run in instance.get_runs(killed):
            instance.report_run_failed(run, KILLED_COMMAND)
        yield


def _months(now: Present, first: str | None, last: str | None, scope: Scope) -> tuple[list[Affected], list[str]]:
    """The months to run, in order; then what was asked for in vain, as sentences."""
    span = [m for m in now.known if (first or m) <= m <= (last or m)]
    if not span:
        have = (
            f"there are rows of {', '.join(spans(now.known))}" if now.known else "no file of this region has landed yet"
        )
        asked = first if first == last else f"{first or 'the beginning'} to {last or now.latest}"
        wanted = f"rows of {asked}" if first or last else "rows of any month"
        return ([], []) if scope == "rejected" else ([], [f"{now.region}: no file has {wanted} ({have})."])
    if scope == "rejected":
        held = quarantined(now.lake, now.region, now.contracts.incoming.values())
        return now.affected({*held["month"], *now.stale()[0]}), []
    return now.affected(span if first or last or scope == "every" else None), []


def _executed(
    definitions: Definitions,
    deployment: Deployment,
    instance: DagsterInstance,
    job: str,
    partition: str,
    today: dt.date | None,
    outcome: Outcome,
    depth: Depth = "whole",
) -> bool:
    config = {**QUIET, "resources": {"clock": {"config": {"today": today.isoformat() if today else ""}}}}
    region = partition.keys_by_dimension["region"] if isinstance(partition, MultiPartitionKey) else partition
    graph = definitions.resolve_asset_graph()
    result = definitions.resolve_job_def(job).execute_in_process(
        asset_selection=None if depth == "whole" else sorted(looking_back(graph)),
        instance=instance,
        partition_key=partition,
        run_config=config,
        raise_on_error=False,
        # The jobs' pages list the runs that name their code location, which runs of this process do not of themselves.
        # Whoever types a command decides whether it is typed again.
        tags={
            COMMAND_TAG: region,
            REPOSITORY_LABEL_TAG: f"{SINGLETON_REPOSITORY_NAME}@{LOCATION}",
            MAX_RETRIES_TAG: "0",
        },
    )
    if not result.success and INTERRUPTED in _errors(result):
        raise LaunchError(STOPPED)  # Left to itself Dagster would go on with the next month.
    ended = instance.get_run_by_id(result.run_id)
    outcome.untold += Alerts().of_runs(deployment, instance, [ended] if ended else [])
    if not result.success:
        outcome.failed.append(f"{_named(partition)}: {_why(result)}")
    return result.success


def _named(partition: str) -> str:
    if isinstance(partition, MultiPartitionKey):
        return " ".join(partition.keys_by_dimension[name] for name in ("region", "month"))
    return partition


def _errors(result: ExecuteInProcessResult) -> dict[str, str]:
    """The messages of the first failed step by class, from what Dagster raised to what was at the bottom of it."""
    for event in result.all_node_events:
        if event.is_step_failure and event.step_failure_data.error:
            chain = [event.step_failure_data.error]
            while chain[-1].cause is not None:
                chain.append(chain[-1].cause)
            return {str(error.cls_name): error.message.strip() for error in chain}
    return {}


def _why(result: ExecuteInProcessResult) -> str:
    """The message of the first failed step: our own error, which is written for people, else the innermost one."""
    errors = _errors(result)
    if not errors:
        return "the run failed before its first step; see `kinerja ui`"
    ours = [name for name, message in errors.items() if message.startswith("kinerja_pipeline.")]
    told = ours[0] if ours else list(errors)[-1]
    # Dagster puts the class and its module before the message.
    text = re.sub(rf"^[\w.]*{re.escape(told)}: ", "", errors[told])
    return text if ours else f"{told}: {text.splitlines()[0] if text else 'without a message'} (more in `kinerja ui`)"
