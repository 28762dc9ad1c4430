"""Who is told of which fault, and when: what runs leave behind is looked at, noted, and told once.

Here: runs and refused files -> faults, the lock around what stands, whom each fault goes to, the sensor. Not here: what
stands (alerts/standing), the words (alerts/message), the sending (alerts/sending).

Whatever goes wrong here is said in a sentence and fails nothing: an alert is never worth a run.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from dagster import (
    AssetCheckSeverity,
    ConfigurableResource,
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)
from dagster._core.storage.tags import WILL_RETRY_TAG

from kinerja_pipeline.alerts.fault import CURABLE, Fault, Kind, cause_of, masked
from kinerja_pipeline.alerts.message import Language, document, subject, text
from kinerja_pipeline.alerts.sending import AlertError, post, send_mail
from kinerja_pipeline.alerts.standing import (
    Register,
    Standing,
    after_failing,
    after_telling,
    as_document,
    is_paused,
    news,
    read_register,
    settled,
    without_lost_ways,
)
from kinerja_pipeline.home import AlertSettings, Home, HomeError, alert_settings, home_from_environment
from kinerja_pipeline.landing.deliveries import LandingReport
from kinerja_pipeline.landing.refusals import lying_refused
from kinerja_pipeline.orchestration.deployment import Deployment
from kinerja_pipeline.orchestration.faults import INTERRUPTED, LAST_RUN, stand
from kinerja_pipeline.orchestration.resources import COMMAND_TAG, Clock, is_locked, locked, partition_of
from kinerja_pipeline.orchestration.storage import whole_file
from kinerja_pipeline.plain import unnumbered

BLOCKED = "DagsterAssetCheckFailedError"
ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE]
LOOK_SECONDS = 30
"""How often the sensor looks: what fails in between comes in one letter."""
OVERLAP = dt.timedelta(seconds=5)
"""Runs that end together may be entered in another order than they ended in."""
MOST_RUNS = 200
REGISTER, TELLING = "alerts", "alerts-telling"
"""Two locks: nobody who notes a fault waits for a mail server."""


# ---- from a run to faults --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """What a run says of a scope: the faults found there, and the names on which it decides (None: on all)."""

    scope: str
    faults: tuple[Fault, ...] = ()
    names: frozenset[str] | None = None


def looks(instance: DagsterInstance, run: DagsterRun, deployment: Deployment) -> Iterator[Look]:
    """Everything that an ended run says: of its steps, of the checks of error severity, of database and machine."""
    region, month = partition_of(run)
    steps = _of_type(instance, run, DagsterEventType.STEP_SUCCESS)
    passed = frozenset(event.step_key or "" for event in steps)
    broken_off = list(_of_type(instance, run, DagsterEventType.STEP_FAILURE))
    failed = [fault for event in broken_off if (fault := _failed(event, run, region, month))]
    checks = list(_checks(instance, run, region, month, deployment))
    broken = [fault for look in checks for fault in look.faults]
    is_success = run.status == DagsterRunStatus.SUCCESS
    if is_success or not failed:
        yield from checks
    # Whoever stopped a command by hand knows it.
    is_stopped = COMMAND_TAG in run.tags and any(INTERRUPTED in _classes(event) for event in broken_off)
    if not (is_success or failed or broken or is_stopped):
        failed = [_fault(run, region, month, "", "killed", "", "")]
    own = tuple(fault for fault in failed if fault.kind not in CURABLE)
    names = passed | {fault.name for fault in own} | ({""} if is_success else set())
    yield Look(f"run {region} {month}", own, frozenset(names))
    for kind in sorted(CURABLE):
        met = tuple(fault for fault in failed if fault.kind == kind)
        # One mail server's worth of letters for one database that is gone, however many months ask for it.
        # Taking files in asks no database.
        if met or (is_success and (month or kind == "machine")):
            yield Look(kind, met[:1])


def _failed(event: DagsterEvent, run: DagsterRun, region: str, month: str) -> Fault | None:
    """The fault of a step that failed by itself: what blocks is told as a check, an interruption as the run's."""
    classes, step = _classes(event), event.step_key or ""
    if BLOCKED in classes or INTERRUPTED in classes:
        return None
    data = event.step_failure_data.user_failure_data
    said: Mapping[str, Any] = data.metadata if data else {}
    kind: Kind = said["kind"].value if "kind" in said else "program"
    if kind == "check":
        return None
    detail = str(said["said"].value) if "said" in said else (classes[-1] if classes else "")
    return _fault(run, region, month, step, kind, cause_of(detail), f"{step}: {detail}")


def _classes(event: DagsterEvent) -> list[str]:
    """The classes of a failed step's error, from what Dagster raised to what was at the bottom of it."""
    error, found = event.step_failure_data.error, []
    while error is not None:
        found.append(str(error.cls_name))
        error = error.cause
    return found


def _fault(run: DagsterRun, region: str, month: str, step: str, kind: Kind, cause: str, detail: str) -> Fault:
    """A fault of a run; one of the database or the machine is nobody's month."""
    page = f"/runs/{run.run_id}"
    if kind in CURABLE:
        return Fault(kind, "", kind, "", masked(detail), region=region, month=month, path=page)
    count = max(1, sum(part.startswith("- ") for part in detail.splitlines())) if kind == "publication" else 1
    detail = masked(f"{detail}\n(run {run.run_id[:8]})".strip())
    return Fault(f"run {region} {month}", step, kind, cause, detail, count, region, month, path=page)


def _checks(
    instance: DagsterInstance, run: DagsterRun, region: str, month: str, deployment: Deployment
) -> Iterator[Look]:
    for event in _of_type(instance, run, DagsterEventType.ASSET_CHECK_EVALUATION):
        found = event.asset_check_evaluation_data
        if found.check_name == LAST_RUN or (not found.passed and found.severity != AssetCheckSeverity.ERROR):
            continue
        asset, scope = "/".join(found.asset_key.path), f"check {region} {month}"
        name = f"{asset} {found.check_name}"
        contract = deployment.contracts.incoming.get(found.asset_key.path[-1])
        is_feed = contract is not None and found.asset_key.path[0] in ("landing", "validated", "quarantine")
        fault = Fault(
            scope,
            name,
            "check",
            "",
            masked(f"{name}: {found.description or ''}"),
            region=region,
            month=month,
            feed=contract.name if contract is not None and is_feed else "",
            owner=contract.owner if contract is not None and is_feed else "",
            path=f"/assets/{asset}?view=checks&checkDetail={found.check_name}",
        )
        yield Look(scope, () if found.passed else (fault,), frozenset({name}))


def _of_type(instance: DagsterInstance, run: DagsterRun, kind: DagsterEventType) -> Iterator[DagsterEvent]:
    for entry in instance.all_logs(run.run_id, of_type=kind):
        if entry.dagster_event is not None:
            yield entry.dagster_event


def refusals(home: Home, deployment: Deployment, report: LandingReport) -> Look:
    """The region's refused files as faults, each of its feed's owner."""
    faults = []
    for line in lying_refused(home, report):
        contract = deployment.contracts.incoming.get(line.feed)
        faults.append(
            Fault(
                f"files {report.region}",
                _called(line.file_name),
                "refused_file",
                f"{line.delivery_id} {cause_of(line.reason or '')}",
                masked(line.reason or ""),
                region=report.region,
                feed=contract.name if contract else "",
                file=masked(line.file_name),
                owner=contract.owner if contract else "",
                path=f"/assets/landing/{line.feed}" if contract else "",
            )
        )
    return Look(f"files {report.region}", tuple(faults))


def _called(file_name: str) -> str:
    """The file's name as a fault is known by it; where it holds a person's number a digest tells it from its like."""
    clean = unnumbered(file_name)
    digest = hashlib.sha256(file_name.encode()).hexdigest()[:8]
    return clean if clean == file_name else f"{clean} {digest}"


# ---- what stands, and telling it -------------------------------------------------------------------------------------


def note(home: Home, found: Iterable[Look], now: dt.datetime) -> None:
    """Enters what was seen into what stands."""
    with locked(home, REGISTER):
        register = before = read_register(home)
        for each in found:
            register = settled(register, each.scope, each.faults, now, each.names)
        if register != before:
            _write(home, register)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to somebody: which faults it is for, and the sending."""

    name: str
    is_for: Callable[[Fault], bool]
    send: Callable[[list[Standing], list[Standing]], None]


def ways(settings: AlertSettings, deployment: Deployment) -> list[Way]:
    """Every declared way: each address of the operators and of the owners of feeds, and the webhook."""
    language: Language = "en" if settings.language == "en" else "id"
    found = []
    for address in _addresses(settings, deployment):

        def mail(begun: list[Standing], cured: list[Standing], to: str = address) -> None:
            told = text(begun, cured, language, settings.ui_url)
            send_mail(settings, to, subject(begun, cured, language), told)

        def concerns(fault: Fault, to: str = address) -> bool:
            policy = deployment.policies.get(fault.region)
            return to in settings.emails or (policy is not None and to in policy.contacts.get(fault.owner, ()))

        found.append(Way(f"mail {address}", concerns, mail))
    if settings.webhook:

        def call(begun: list[Standing], cured: list[Standing]) -> None:
            post(settings, document(begun, cured, language, settings.ui_url))

        found.append(Way("webhook", lambda _: True, call))
    return found


def try_out(declared: Iterable[Way], now: dt.datetime) -> Iterator[tuple[str, str]]:
    """Sends a test on every way; yields the way's name and what went wrong, empty where nothing did."""
    test = Standing(Fault("test", "", "test", "", ""), now.isoformat(timespec="seconds"))
    for way in declared:
        try:
            way.send([test], [])
            yield way.name, ""
        except AlertError as error:
            yield way.name, str(error)


def _addresses(settings: AlertSettings, deployment: Deployment) -> list[str]:
    if not settings.smtp_url:
        return []
    teams = [emails for policy in deployment.policies.values() for emails in policy.contacts.values()]
    return list(dict.fromkeys([*settings.emails, *(email for emails in teams for email in emails)]))


def tell(home: Home, declared: Iterable[Way], now: dt.datetime) -> list[str]:
    """Tells on every way what it has not told yet. Returns a sentence for each way that has just stopped working; it is
    tried again later, with what has come up until then. Nothing is done while another process tells."""
    declared = list(declared)
    if is_locked(home, TELLING):
        return []
    problems = []
    with locked(home, TELLING):
        for way in declared:
            register = read_register(home)
            wanted = [each.fault for each in register.faults if way.is_for(each.fault)]
            begun, cured = news(register, way.name, wanted)
            if not (begun or cured):
                _change(home, partial(after_telling, way=way.name, begun=(), cured=()))
                continue
            if is_paused(register, way.name, now):
                continue
            try:
                way.send(begun, cured)
            except AlertError as error:
                if way.name not in register.paused:
                    problems.append(f"An alert could not be sent: {error}. It is kept and tried again.")
                _change(home, partial(after_failing, way=way.name, why=str(error), now=now))
            else:
                _change(home, partial(after_telling, way=way.name, begun=begun, cured=cured))
        _change(home, partial(without_lost_ways, ways=[way.name for way in declared]))
    return problems


def _change(home: Home, change: Callable[[Register], Register]) -> None:
    """Others may have noted something since it was read."""
    with locked(home, REGISTER):
        before = read_register(home)
        if (after := change(before)) != before:
            _write(home, after)


def _write(home: Home, register: Register) -> None:
    with whole_file(home.faults) as file:
        file.write(as_document(register))


# ---- when ------------------------------------------------------------------------------------------------------------


class Alerts(ConfigurableResource[None]):
    """Faults noted and told, as the environment declares it when the run starts."""

    def refused(self, deployment: Deployment, report: LandingReport) -> list[str]:
        """Tells the owners of refused files, after a landing; what could not be told, in sentences."""
        home = home_from_environment()
        return _without_failing(lambda: self._told(home, deployment, [refusals(home, deployment, report)]))

    def of_runs(self, deployment: Deployment, instance: DagsterInstance, runs: Iterable[DagsterRun]) -> list[str]:
        """Notes and tells what ended runs leave behind. A run that will be tried again says nothing yet."""
        home = home_from_environment()
        ended = [run for run in runs if run.tags.get(WILL_RETRY_TAG) != "true"]

        def look() -> list[str]:
            found = []
            for run in ended:
                own = list(looks(instance, run, deployment))
                found += own
                for fault in (fault for each in own for fault in each.faults if fault.kind == "killed"):
                    # A step shows its own failure; nobody is left to show this one.
                    stand(instance, run, "killed", fault.detail)
            return self._told(home, deployment, found)

        return _without_failing(look)

    def _told(self, home: Home, deployment: Deployment, found: Iterable[Look]) -> list[str]:
        now = Clock().now()
        note(home, found, now)
        return tell(home, ways(alert_settings(), deployment), now)


def _without_failing(work: Callable[[], list[str]]) -> list[str]:
    try:
        return work()
    except HomeError as error:
        return [f"No alert can be sent: {error}"]
    except Exception as error:
        return [f"Alerts are out of order ({type(error).__name__}); the run goes on."]


def watch(deployment: Deployment) -> SensorDefinition:
    """The sensor that looks at every run that has ended, whoever launched it. It asks for no run itself."""

    @sensor(
        name="alerts",
        minimum_interval_seconds=LOOK_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description="Looks at the runs that have ended, and tells of faults once when they begin and once when they "
        "are cured, by e-mail and webhook where the environment declares these.",
    )
    def alerts(context: SensorEvaluationContext) -> SensorResult:
        seen: dict[str, Any] = json.loads(context.cursor) if context.cursor else {}
        runs, cursor = _ended_since(context.instance, seen)
        problems = Alerts().of_runs(deployment, context.instance, runs)
        for problem in problems:
            context.log.warning(problem)
        told = " ".join(problems) or f"{len(runs)} runs have ended."
        return SensorResult(skip_reason=SkipReason(told), cursor=json.dumps(cursor))

    return alerts


def _ended_since(instance: DagsterInstance, seen: Mapping[str, Any]) -> tuple[list[DagsterRun], dict[str, Any]]:
    """The runs that have ended since the last look, in order; at the first look none: they are old."""
    if "after" not in seen:
        newest = instance.get_run_records(limit=1, order_by="update_timestamp")
        last = newest[0].update_timestamp if newest else dt.datetime.fromtimestamp(0, dt.UTC)
        return [], {"after": last.isoformat(), "runs": []}
    after = dt.datetime.fromisoformat(seen["after"])
    records = instance.get_run_records(
        RunsFilter(statuses=ENDED, updated_after=after), limit=MOST_RUNS, order_by="update_timestamp", ascending=True
    )
    new = [record.dagster_run for record in records if record.dagster_run.run_id not in seen["runs"]]
    if not new:
        return [], dict(seen)
    from_then = records[-1].update_timestamp - OVERLAP
    known = [record.dagster_run.run_id for record in records if record.update_timestamp > from_then]
    return new, {"after": max(from_then, after).isoformat(), "runs": known}
