"""What a failing step does: it tries again what may pass, stops at what cannot, and leaves a check red until cured; and
nothing runs twice at once on one partition."""

import errno
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetsDefinition,
    AssetSpec,
    Backoff,
    DagsterInstance,
    DagsterRunStatus,
    Definitions,
    ExecuteInProcessResult,
    MaterializeResult,
    RetryPolicy,
    StaticPartitionsDefinition,
    materialize,
    multi_asset,
)
from dagster._core.definitions.asset_checks.asset_check_spec import AssetCheckKey
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.base import PartitionKeyFilter
from dagster._core.storage.tags import (
    MAX_RETRIES_TAG,
    RETRY_ON_ASSET_OR_OP_FAILURE_TAG,
    RETRY_STRATEGY_TAG,
    WILL_RETRY_TAG,
)
from dagster._core.test_utils import create_run_for_test
from dagster._utils.tags import TagConcurrencyLimitsCounter

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.definitions import build_definitions
from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.orchestration import faults
from kinerja_pipeline.orchestration.deployment import Deployment
from kinerja_pipeline.orchestration.faults import LAST_RUN, OF_MONTH, OF_REGION, ended_well, last_run_spec, retrying
from kinerja_pipeline.orchestration.resources import RegionLock
from kinerja_pipeline.orchestration.settings import INSTANCE_SETTINGS, write_instance_settings
from kinerja_pipeline.policies.dated import Policies
from kinerja_pipeline.policies.loader import PolicyError, load_policies

REGIONS = StaticPartitionsDefinition(["salor", "mamuju"])
NIP = "198503122010011007"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KINERJA_HOME", str(tmp_path))
    monkeypatch.setattr(faults, "BACKOFF", RetryPolicy(max_retries=2, delay=0, backoff=Backoff.EXPONENTIAL))


def landing_with(work: Callable[[int], object]) -> AssetsDefinition:
    """An asset in the place of landing whose body calls `work` with the number of the attempt."""

    @multi_asset(
        name="landing",
        specs=[AssetSpec(OF_REGION)],
        check_specs=[last_run_spec(OF_REGION, REGIONS)],
        partitions_def=REGIONS,
    )
    @retrying
    def landing(context: AssetExecutionContext) -> Iterator[MaterializeResult[None] | AssetCheckResult]:
        work(context.retry_number)
        yield MaterializeResult(asset_key=OF_REGION)
        yield ended_well(OF_REGION)

    return landing


def ran(instance: DagsterInstance, work: Callable[[int], object], region: str = "salor") -> ExecuteInProcessResult:
    return materialize([landing_with(work)], instance=instance, partition_key=region, raise_on_error=False)


def raises(*errors: Exception | None) -> tuple[Callable[[int], None], list[int]]:
    """Work that raises these errors, attempt by attempt; and the attempts that were made."""
    attempts: list[int] = []

    def work(attempt: int) -> None:
        attempts.append(attempt)
        if attempt < len(errors) and (error := errors[attempt]) is not None:
            raise error

    return work, attempts


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as made:
        yield made


def said(result: ExecuteInProcessResult) -> tuple[str, str]:
    (event,) = (e for e in result.all_node_events if e.is_step_failure)
    data = event.step_failure_data.user_failure_data
    assert data is not None
    return str(data.metadata["kind"].value), data.description or ""


BROKEN_DISK = OSError(errno.EIO, "Input/output error")


def test_what_may_pass_is_tried_again_with_growing_pauses_until_it_does(instance: DagsterInstance) -> None:
    work, attempts = raises(BROKEN_DISK, BROKEN_DISK, None)
    assert ran(instance, work).success
    assert attempts == [0, 1, 2]


def test_the_pauses_grow_to_somewhat_over_a_minute_and_differ_from_run_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    pauses = [[faults.BACKOFF.calculate_delay(n) for n in range(1, faults.BACKOFF.max_retries + 1)] for _ in range(5)]
    assert len({tuple(each) for each in pauses}) == 5
    assert all(0 <= sum(each) <= 150 for each in pauses)


def test_what_does_not_pass_ends_after_the_last_attempt_and_the_whole_run_may_do_later(
    instance: DagsterInstance,
) -> None:
    work, attempts = raises(*[BROKEN_DISK] * 9)
    result = ran(instance, work)
    assert (result.success, attempts) == (False, [0, 1, 2])
    assert said(result)[0] == "machine"
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags[RETRY_ON_ASSET_OR_OP_FAILURE_TAG] == "true"


def test_what_only_people_can_mend_is_tried_once_and_says_what_to_do(instance: DagsterInstance) -> None:
    work, attempts = raises(*[PolicyError("salor.yaml, line 3: 'x' is no feed")] * 9)
    result = ran(instance, work)
    assert (result.success, attempts) == (False, [0])
    kind, text = said(result)
    assert kind == "declaration"
    assert text.startswith("salor.yaml, line 3: 'x' is no feed\nMend the file that is named")
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert RETRY_ON_ASSET_OR_OP_FAILURE_TAG not in run.tags


def test_the_words_of_a_library_are_not_shown_for_they_may_quote_a_person(instance: DagsterInstance) -> None:
    work, _ = raises(ValueError(f"cannot convert '{NIP}'"))
    kind, text = said(ran(instance, work))
    assert (kind, NIP in text) == ("program", False)
    assert text.startswith("ValueError\n")


def checked(instance: DagsterInstance, region: str = "salor") -> bool | None:
    """Whether the region's check `last_run` is green; None when nothing was ever said."""
    found = instance.event_log_storage.get_asset_check_execution_history(
        AssetCheckKey(OF_REGION, LAST_RUN), limit=1, partition_filter=PartitionKeyFilter(key=region)
    )
    return found[0].status == AssetCheckExecutionRecordStatus.SUCCEEDED if found else None


def test_a_fault_stands_as_a_red_check_on_its_partition_until_the_next_success(instance: DagsterInstance) -> None:
    broken, _ = raises(PolicyError("wrong"))
    well, _ = raises()
    ran(instance, well)
    assert checked(instance) is True
    ran(instance, broken)
    assert checked(instance) is False
    ran(instance, well, region="mamuju")
    ran(instance, broken)
    assert (checked(instance), checked(instance, "mamuju")) == (False, True)
    ran(instance, well)
    assert checked(instance) is True


def test_a_blocking_check_that_fails_is_no_reason_to_try_again(instance: DagsterInstance) -> None:
    attempts = []

    @multi_asset(
        specs=[AssetSpec(OF_REGION)], check_specs=[AssetCheckSpec("conservation", asset=OF_REGION, blocking=True)]
    )
    @retrying
    def validated(context: AssetExecutionContext) -> Iterator[MaterializeResult[None] | AssetCheckResult]:
        attempts.append(context.retry_number)
        yield MaterializeResult(asset_key=OF_REGION)
        yield AssetCheckResult(passed=False, asset_key=OF_REGION, check_name="conservation")

    assert not materialize([validated], instance=instance, raise_on_error=False).success
    assert attempts == [0]


def test_dagsters_own_retry_policy_still_tries_an_interrupted_step_again(instance: DagsterInstance) -> None:
    """When this fails, @retrying can hand its policy to the assets."""
    attempts = []

    @multi_asset(specs=[AssetSpec("a")], retry_policy=RetryPolicy(max_retries=1))
    def interrupted(context: AssetExecutionContext) -> None:
        attempts.append(context.retry_number)
        raise DagsterExecutionInterruptedError

    materialize([interrupted], instance=instance, raise_on_error=False)
    assert attempts == [0, 1]


# ---- the whole deployment --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    return Deployment(load_contracts(), Policies({"salor": load_policies()["salor"]}))


@pytest.fixture(scope="module")
def definitions(deployment: Deployment) -> Definitions:
    return build_definitions(deployment.contracts, deployment.policies)


def bodies(definitions: Definitions) -> dict[str, Any]:
    jobs = [definitions.resolve_job_def(name) for name in ("land", "region_month")]
    return {node.name: node.definition for job in jobs for node in job.graph.nodes}


def test_every_step_of_both_jobs_tries_again_what_may_pass_and_holds_its_regions_lock(definitions: Definitions) -> None:
    """A new asset without `@retrying` and `lock` fails here."""
    steps = bodies(definitions)
    assert len(steps) > 10
    without = {name for name, step in steps.items() if "lock" not in step.required_resource_keys}
    assert without == set()
    plain = {name for name, s in steps.items() if not hasattr(s.compute_fn.decorated_fn, "__wrapped__")}
    assert plain == set()


def test_the_checks_of_the_last_run_stand_on_tables_that_every_run_of_their_kind_makes(
    definitions: Definitions,
) -> None:
    for name, key in (("land", OF_REGION), ("region_month", OF_MONTH)):
        layer = definitions.resolve_job_def(name).asset_layer
        assert AssetCheckKey(key, LAST_RUN) in layer.asset_graph.asset_check_keys
        assert key in layer.executable_asset_keys


def test_two_runs_of_one_region_are_never_at_work_at_once(instance: DagsterInstance) -> None:
    """As when the daemon and a command line, or two daemons, launch the same partition."""
    at_work: list[str] = []
    together: list[list[str]] = []

    @multi_asset(name="landing", specs=[AssetSpec(OF_REGION)], partitions_def=REGIONS)
    @retrying
    def landing(context: AssetExecutionContext, lock: RegionLock) -> MaterializeResult[None]:
        at_work.append(context.partition_key)
        time.sleep(0.1)
        together.append(list(at_work))
        at_work.remove(context.partition_key)
        return MaterializeResult(asset_key=OF_REGION)

    def launch() -> None:
        assert materialize([landing], resources={"lock": RegionLock()}, partition_key="salor").success

    threads = [threading.Thread(target=launch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [["salor"]] * 3


def settings() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(INSTANCE_SETTINGS)
    return found


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        ({"dagster/partition": "salor"}, {"dagster/partition": "salor"}, False),
        ({"dagster/partition": "salor"}, {"dagster/partition": "mamuju"}, True),
        (
            {"dagster/partition": "2026-02|salor", "dagster/partition/region": "salor"},
            {"dagster/partition": "2026-03|salor", "dagster/partition/region": "salor"},
            False,
        ),
        (
            {"dagster/partition": "2026-02|salor", "dagster/partition/region": "salor"},
            {"dagster/partition": "2026-02|mamuju", "dagster/partition/region": "mamuju"},
            True,
        ),
    ],
)
def test_the_queue_starts_no_second_run_of_a_partition(
    one: dict[str, str], other: dict[str, str], may: bool, instance: DagsterInstance
) -> None:
    first, second = (create_run_for_test(instance, "job", tags=tags) for tags in (one, other))
    limits = settings()["concurrency"]["runs"]["tag_concurrency_limits"]
    assert TagConcurrencyLimitsCounter(limits, [first]).is_blocked(second) is not may


def test_a_run_that_was_cut_off_is_launched_again_and_a_command_or_a_wrong_policy_is_not(tmp_path: Path) -> None:
    home = Home(tmp_path)
    init_home(home)
    write_instance_settings(home)
    with DagsterInstance.from_config(str(home.dagster)) as made:

        def will_retry(**tags: str) -> bool:
            run = create_run_for_test(made, "region_month", status=DagsterRunStatus.STARTED, tags=tags)
            made.report_run_failed(run)
            failed = made.get_run_by_id(run.run_id)
            assert failed is not None
            return failed.tags.get(WILL_RETRY_TAG) == "true"

        assert will_retry()
        assert not will_retry(**{MAX_RETRIES_TAG: "0"}), "a command line's"
        work, _ = raises(PolicyError("wrong"))
        failed = made.get_run_by_id(ran(made, work).run_id)
        assert failed is not None
        assert failed.tags[WILL_RETRY_TAG] == "false"
        lasting, _ = raises(*[BROKEN_DISK] * 9)
        failed = made.get_run_by_id(ran(made, lasting).run_id)
        assert failed is not None
        assert failed.tags[WILL_RETRY_TAG] == "true", "the disk may be mended by then"


def test_what_is_done_again_is_done_from_the_beginning(definitions: Definitions) -> None:
    for name in ("land", "region_month"):
        assert definitions.resolve_job_def(name).tags[RETRY_STRATEGY_TAG] == "ALL_STEPS"
