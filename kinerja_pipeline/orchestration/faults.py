"""What a step does when it fails: it tries again where a later attempt may do, and stops where none can.

Here: the decorator of every asset's body, and the check `last_run` that stays red until the next success. Not here:
which error means what (alerts/fault), who is told (orchestration/alerting).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from dagster import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    Backoff,
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    Failure,
    Jitter,
    MetadataValue,
    PartitionsDefinition,
    RetryPolicy,
    RetryRequested,
)
from dagster._core.storage.tags import RETRY_ON_ASSET_OR_OP_FAILURE_TAG

from kinerja_pipeline.alerts.fault import CURABLE, Kind, kind_of, told
from kinerja_pipeline.alerts.message import WORDS
from kinerja_pipeline.orchestration.resources import PARTITION_TAG, partition_of

BACKOFF = RetryPolicy(max_retries=4, delay=5, backoff=Backoff.EXPONENTIAL, jitter=Jitter.PLUS_MINUS)
"""About 5, 10, 20 and 40 seconds: a database that is started anew, a disk that somebody clears."""

INTERRUPTED = "DagsterExecutionInterruptedError"
"""What Dagster makes of Ctrl-C and SIGTERM."""

LAST_RUN = "last_run"
OF_REGION, OF_MONTH = AssetKey(["landing", "attendance_log"]), AssetKey(["warehouse", "period_status"])
"""The tables that carry the check, for taking files in and for a month: all of a run's tables would say the same."""

Body = TypeVar("Body", bound=Callable[..., Any])


def retrying(body: Body) -> Body:
    """The body of an asset. What may pass by itself is tried again with growing pauses; everything else ends the step
    at once with `Failure`, which says what to do.

    Dagster's own `retry_policy` stays out of it: it tries every error again, Ctrl-C too (tests/orchestration/
    test_faults.py shows it; when that fails, the policy can be handed to the assets).
    """

    @functools.wraps(body)
    def generator(context: AssetExecutionContext, *args: Any, **options: Any) -> Iterator[Any]:
        with _ended(context):
            yield from body(context, *args, **options)

    @functools.wraps(body)
    def function(context: AssetExecutionContext, *args: Any, **options: Any) -> Any:
        with _ended(context):
            return body(context, *args, **options)

    return generator if inspect.isgeneratorfunction(body) else function  # type: ignore[return-value]


@contextmanager
def _ended(context: AssetExecutionContext) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        kind, attempt = kind_of(error), context.retry_number
        if kind in CURABLE and attempt < BACKOFF.max_retries:
            raise RetryRequested(BACKOFF.max_retries, BACKOFF.calculate_delay(attempt + 1)) from error
        if kind in CURABLE:
            # The whole run may do later (run_retries in dagster.yaml); of other failures none does.
            context.instance.add_run_tags(context.run.run_id, {RETRY_ON_ASSET_OR_OP_FAILURE_TAG: "true"})
        text = told(error)
        stand(context.instance, context.run, kind, text)
        raise Failure(
            f"{text}\n{WORDS[kind].advice[1]}",
            metadata={"kind": kind, "said": text, "to do": WORDS[kind].advice[1]},
            allow_retries=False,
        ) from error


def last_run_spec(key: AssetKey, partitions: PartitionsDefinition[str]) -> AssetCheckSpec:
    return AssetCheckSpec(
        LAST_RUN,
        asset=key,
        partitions_def=partitions,
        description="The last run of this partition ended well. Red from the failure of any of its steps until the "
        "next success; says what failed and what to do.",
    )


def ended_well(key: AssetKey) -> AssetCheckResult:
    return AssetCheckResult(passed=True, asset_key=key, check_name=LAST_RUN, description="It ended well.")


def stand(instance: DagsterInstance, run: DagsterRun, kind: Kind, text: str) -> None:
    """Shows the fault on the run's partition, whichever step met it, until the next success."""
    region, month = partition_of(run)
    if not region:
        return  # Of a range of partitions none can be named.
    words = WORDS[kind]
    evaluation = AssetCheckEvaluation(
        asset_key=OF_MONTH if month else OF_REGION,
        check_name=LAST_RUN,
        passed=False,
        severity=AssetCheckSeverity.ERROR,
        description=f"{words.title[1]}. {text}\n{words.advice[1]}",
        metadata={"kind": MetadataValue.text(kind), "run": MetadataValue.dagster_run(run.run_id)},
        partition=run.tags[PARTITION_TAG],
    )
    # As the run's own: of an event without a run Dagster keeps one per check and partition, and refuses the second.
    said = DagsterEvent(DagsterEventType.ASSET_CHECK_EVALUATION.value, run.job_name, event_specific_data=evaluation)
    instance.report_dagster_event(said, run.run_id)
