"""What a deployment needs to work, looked at: each finding in a sentence, with what to do, and done where that is safe.

Here: versions, home, disk, policies, warehouse, clock, daemon, alerts, what killed processes leave behind, what is kept
too long. Not here: whether months are complete or out of date (kinerja status, plan), wrong rows (checks).
"""

from __future__ import annotations

import datetime as dt
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from kinerja_pipeline.alerts.standing import read_register
from kinerja_pipeline.contracts.model import ContractError, Contracts, load_contracts
from kinerja_pipeline.home import (
    Home,
    HomeError,
    alert_settings,
    check_writable,
    init_home,
    is_warehouse_elsewhere,
    runs_by_itself,
)
from kinerja_pipeline.landing.ledger import read_ledger
from kinerja_pipeline.landing.refusals import no_region
from kinerja_pipeline.orchestration.abandoned import abandoned
from kinerja_pipeline.orchestration.alerting import ways
from kinerja_pipeline.orchestration.deployment import Deployment
from kinerja_pipeline.orchestration.leftovers import leftovers, remove
from kinerja_pipeline.orchestration.retention import past, tidied
from kinerja_pipeline.orchestration.settings import write_instance_settings
from kinerja_pipeline.policies.dated import Policies
from kinerja_pipeline.policies.loader import PolicyError, load_policies
from kinerja_pipeline.warehouse.database import WarehouseError, damage, is_up_to_date, migrate, open_warehouse

Level = Literal["good", "warning", "error"]

LEAST_BYTES, ENOUGH_BYTES = 200 * 2**20, 2**30
"""Free space below which a run may not end, and below which somebody should look."""
SKEW = dt.timedelta(minutes=5)
PRIVATE = ("landing", "lake", "corrections", "dagster")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: how it is, what to do, and how that is done by itself where nothing can be lost by it."""

    subject: str
    level: Level
    text: str
    advice: str = ""
    cure: Callable[[], object] | None = None


def examined(home: Home, url: str, now: dt.datetime) -> Iterator[Finding]:
    """Everything, in the order in which it matters; what depends on something broken is not looked at."""
    yield from _versions()
    if not home.is_initialised:
        yield Finding("home", "error", f"{home.root} is no home.", "Make it: `kinerja init`.", lambda: _made(home))
        return
    yield from _home(home)
    yield from _disk(home)
    policies = None
    try:
        contracts, policies = load_contracts(), load_policies(home.policies)
        Deployment(contracts, policies).check()
        yield Finding("policies", "good", f"{len(policies)} regions: {', '.join(policies)}.")
    except (ContractError, PolicyError) as error:
        yield Finding("policies", "error", str(error), "Mend the file; until then nothing runs.")
    yield from _warehouse(home, url)
    if policies is not None:
        yield from _clock(home, policies, now)
        yield from _orphans(home, policies, now)
        yield from _retention(home, contracts, policies, now)
        yield from _runs(home, now)
        yield from _alerts(home, Deployment(contracts, policies))


def _versions() -> Iterator[Finding]:
    wrong = []
    for line in metadata.requires("kinerja-pipeline") or []:
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            found = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{wanted.name} is missing")
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            wrong.append(f"{wanted.name} {found} does not fit {wanted.specifier}")
    own = metadata.version("kinerja-pipeline")
    if wrong:
        advice = "Install it anew from constraints.txt: `make clean`, then `make demo` or `make test`."
        yield Finding("versions", "error", f"kinerja {own}: {'; '.join(wrong)}.", advice)
    else:
        yield Finding("versions", "good", f"kinerja {own} with everything it needs.")


def _made(home: Home) -> None:
    init_home(home)
    write_instance_settings(home)


def _home(home: Home) -> Iterator[Finding]:
    folders = (home.policies, home.corrections, home.dagster, home.reports, home.locks)
    missing = [folder.name for folder in folders if not folder.is_dir()]
    if missing or not (home.dagster / "dagster.yaml").exists():
        told = ", ".join([*missing, *([] if (home.dagster / "dagster.yaml").exists() else ["dagster/dagster.yaml"])])
        yield Finding("home", "error", f"{home.root} lacks {told}.", "`kinerja init` makes it.", lambda: _made(home))
        return
    try:
        check_writable(home)
    except HomeError as error:
        yield Finding("home", "error", str(error))
        return
    seen = [name for name in PRIVATE if (home.root / name).stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    if seen:

        def close() -> None:
            for name in seen:
                (home.root / name).chmod(0o700)

        text = f"{', '.join(seen)} can be read by other accounts of this machine; names and NIPs are in there."
        yield Finding("home", "warning", text, f"chmod 700 in {home.root}.", close)
        return
    yield Finding("home", "good", str(home.root))


def _disk(home: Home) -> Iterator[Finding]:
    free = shutil.disk_usage(home.root).free
    text = f"{free / 2**30:,.1f} GiB free."
    advice = f"Make room on the disk of {home.root}: a run that finds it full stops, and publishes nothing."
    level: Level = "error" if free < LEAST_BYTES else "warning" if free < ENOUGH_BYTES else "good"
    yield Finding("disk", level, text, "" if level == "good" else advice)


def _warehouse(home: Home, url: str) -> Iterator[Finding]:
    if not is_warehouse_elsewhere() and not home.warehouse.exists():
        yield Finding("warehouse", "good", "Nothing is published yet.")
        return
    engine = open_warehouse(url)
    try:
        if broken := damage(engine):
            advice = "Bring back the last copy of warehouse.db, or move it away and run `kinerja run --all --again`."
            yield Finding("warehouse", "error", f"The file is damaged: {broken}.", advice)
        elif is_up_to_date(engine):
            yield Finding("warehouse", "good", "It can be read, and has the tables and views of this version.")
        else:
            text = "Its tables or views are those of another version."

            def bring_up_to_date() -> None:
                fresh = open_warehouse(url)
                migrate(fresh)
                fresh.dispose()

            advice = "`kinerja migrate`; the next publication does it too."
            yield Finding("warehouse", "warning", text, advice, bring_up_to_date)
    except WarehouseError as error:
        yield Finding("warehouse", "error", str(error))
    finally:
        engine.dispose()


def _clock(home: Home, policies: Policies, now: dt.datetime) -> Iterator[Finding]:
    ahead = []
    for region in policies:
        received = [dt.datetime.fromisoformat(line.received_at) for line in read_ledger(home.landing / region)]
        if received and max(received) > now + SKEW:
            ahead.append(f"a file of {region} of {max(received):%Y-%m-%d %H:%M} UTC")
    if ahead:
        text = f"It is {now:%Y-%m-%d %H:%M} UTC here, and there is {', '.join(ahead)}."
        advice = "Set this machine's clock (or that of whoever delivered): which version of a row counts depends on it."
        yield Finding("clock", "warning", text, advice)
    else:
        yield Finding("clock", "good", f"{now:%Y-%m-%d %H:%M} UTC.")


def _orphans(home: Home, policies: Policies, now: dt.datetime) -> Iterator[Finding]:
    if left := leftovers(home, policies, now):
        text = f"{len(left)} files left by killed processes, the first is {left[0].relative_to(home.root)}."
        advice = "Remove them, nothing reads them. The schedule `weekly_tidying` does it."
        yield Finding("leftovers", "warning", text, advice, lambda: remove(left))
    strange = sorted({name for name in _regions_of(home.lake) if name not in policies})
    if strange:
        first = no_region(strange[0], policies)
        text = f"The lake has data of {', '.join(strange)}: there is {first}"
        advice = "Bring its policy back, or remove its folders under lake/ when they are not needed any more."
        yield Finding("leftovers", "warning", text, advice)
    if not left and not strange:
        yield Finding("leftovers", "good", "None.")


def _regions_of(lake: Path) -> Iterator[str]:
    """The regions for which a room keeps a table: a folder of months or one file, both named by the region."""
    for table in lake.glob("*/*"):
        if table.is_dir() and not table.name.startswith("."):
            yield from (path.stem for path in table.iterdir() if not path.name.startswith("."))


def _retention(home: Home, contracts: Contracts, policies: Policies, now: dt.datetime) -> Iterator[Finding]:
    from dagster import DagsterInstance

    with DagsterInstance.from_config(str(home.dagster)) as instance:
        found = past(home, policies, contracts, instance, now)
    if not found:
        yield Finding("retention", "good", "Nothing is kept longer than the policies say.")
        return

    def remove() -> None:
        with DagsterInstance.from_config(str(home.dagster)) as opened:
            tidied(home, policies, contracts, opened, now)

    text = f"Kept longer than the policies' `retention` says: {found}."
    advice = "Let go of them; counts, reasons and every published number stay. The schedule `weekly_tidying` does it."
    yield Finding("retention", "warning", text, advice, remove)


def _runs(home: Home, now: dt.datetime) -> Iterator[Finding]:
    from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

    with DagsterInstance.from_config(str(home.dagster)) as instance:
        started = instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTED]))
        dead = {run.run_id: why for run in started if (why := abandoned(home, instance, run))}
        if dead:

            def close() -> None:
                with DagsterInstance.from_config(str(home.dagster)) as opened:
                    for run in opened.get_runs(RunsFilter(run_ids=list(dead))):
                        opened.report_run_failed(run, dead[run.run_id])

            text = f"{len(dead)} runs are called started, and what launched them is gone."
            yield Finding("runs", "warning", text, "The daemon waits for them; they must be closed.", close)
        else:
            yield Finding("runs", "good", f"{len(started)} under way.")
        beats = [s.last_heartbeat.timestamp for s in instance.get_daemon_statuses().values() if s.last_heartbeat]
        healthy = [s for s in instance.get_daemon_statuses().values() if s.required and s.healthy]
    if healthy:
        yield Finding("daemon", "good", f"Its last sign was {max(0, round(now.timestamp() - max(beats)))} s ago.")
    elif runs_by_itself():
        text = "KINERJA_SCHEDULES is on, and no daemon runs: no new file is seen, nothing is closed by itself."
        yield Finding("daemon", "error", text, "Start `kinerja ui`, or the service that runs it.")
    else:
        yield Finding("daemon", "good", "None runs; nothing here is declared to run by itself (KINERJA_SCHEDULES).")


def _alerts(home: Home, deployment: Deployment) -> Iterator[Finding]:
    try:
        declared = [way.name for way in ways(alert_settings(), deployment)]
    except HomeError as error:
        yield Finding("alerts", "error", str(error), "Mend the environment; until then nobody is told of a fault.")
        return
    paused = read_register(home).paused
    failing = [f"{name} ({paused[name].why})" for name in declared if name in paused]
    if failing:
        advice = "Nothing is lost, it is tried again. `kinerja doctor --send-test-alert` shows whether it works."
        yield Finding("alerts", "warning", f"Not delivered: {', '.join(failing)}.", advice)
    elif declared:
        yield Finding("alerts", "good", f"Sent to: {', '.join(declared)}.")
    elif runs_by_itself():
        text = "KINERJA_SCHEDULES is on, and nobody is told of faults."
        advice = "Set KINERJA_SMTP_URL with KINERJA_ALERT_EMAIL_TO, or KINERJA_ALERT_WEBHOOK (docs/deployment.md)."
        yield Finding("alerts", "warning", text, advice)
    else:
        yield Finding("alerts", "good", "None are sent; nothing here is declared to run by itself.")
