"""Who is told of what: faults of runs, checks and refused files, once when they begin and once when they are cured.

Runs are real and tiny; letters and documents go to servers of the test.
"""

import datetime as dt
import errno
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    AssetSpec,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    MaterializeResult,
    RetryPolicy,
    SensorResult,
    build_sensor_context,
    materialize,
    multi_asset,
)
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.storage.tags import WILL_RETRY_TAG
from dagster._core.test_utils import create_run_for_test
from post_office import Hook, Mail

from kinerja_pipeline.alerts.standing import read_register
from kinerja_pipeline.cli import main
from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.home import Home, HomeError, alert_settings, init_home
from kinerja_pipeline.landing.assets import landing_assets
from kinerja_pipeline.landing.deliveries import land_region
from kinerja_pipeline.orchestration import doctor, faults
from kinerja_pipeline.orchestration.alerting import Alerts, tell, watch, ways
from kinerja_pipeline.orchestration.deployment import Deployment, partition_key
from kinerja_pipeline.orchestration.faults import OF_MONTH, OF_REGION, ended_well, last_run_spec, retrying
from kinerja_pipeline.orchestration.resources import COMMAND_TAG, Clock, HomeResource, RegionLock
from kinerja_pipeline.policies.dated import Policies
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.validated.evidence import Blocked
from kinerja_pipeline.warehouse.publish import PublishRefused

REGION, MONTH = "salor", "2026-03"
OPERATOR, ORGANISATION, PERSONNEL = "operator@salor.example", "organisasi@salor.example", "bkpsdm@salor.example"
NIP = "198503122010011007"
NOW = dt.datetime.now(dt.UTC)


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    contacts = {"Bagian Organisasi": [ORGANISATION], "BKPSDM": [PERSONNEL]}
    packaged = load_policies()
    policies = {REGION: packaged[REGION].model_copy(update={"contacts": contacts}), "mamuju": packaged["mamuju"]}
    return Deployment(load_contracts(), Policies(policies))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mail: Mail) -> Home:
    """A home whose alerts go by mail to the operator, and to the owners whom the policy names."""
    for name in ("KINERJA_ALERT_WEBHOOK", "KINERJA_ALERT_LANG", "KINERJA_UI_URL", "KINERJA_WAREHOUSE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("KINERJA_HOME", str(tmp_path))
    monkeypatch.setenv("KINERJA_SMTP_URL", mail.url)
    monkeypatch.setenv("KINERJA_ALERT_EMAIL_TO", OPERATOR)
    monkeypatch.setattr(faults, "BACKOFF", RetryPolicy(max_retries=1, delay=0))
    home = Home(tmp_path)
    init_home(home)
    return home


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as made:
        yield made


def subjects(mail: Mail, to: str = OPERATOR) -> list[str]:
    return [str(letter["Subject"]) for letter in mail.to(to)]


def text(mail: Mail, to: str = OPERATOR) -> str:
    """The last letter to that address."""
    return str(mail.to(to)[-1].get_content()).replace("\r\n", "\n")


# ---- refused files ---------------------------------------------------------------------------------------------------


def put(home: Home, name: str, data: bytes = b"") -> Path:
    path = home.landing / REGION / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def landed(home: Home, deployment: Deployment) -> list[str]:
    """Lands the region and tells of what was refused, as the asset does."""
    report = land_region(home, REGION, deployment.policies[REGION], deployment.contracts)
    return Alerts().refused(deployment, report)


def test_a_refused_file_is_told_to_the_operator_and_to_the_owner_of_its_feed_alone(
    home: Home, deployment: Deployment, mail: Mail
) -> None:
    put(home, "task_record/tugas_2026-02.csv")
    assert landed(home, deployment) == []
    assert subjects(mail) == subjects(mail, ORGANISATION) == [f"[Kinerja] Berkas ditolak: {REGION}"]
    assert subjects(mail, PERSONNEL) == []
    told = text(mail, ORGANISATION)
    assert "Di mana  : salor, task_record, task_record/tugas_2026-02.csv\n" in told
    assert "Pemilik  : Bagian Organisasi\n" in told
    assert "Berapa   : 1 berkas\n" in told
    assert "it is empty" in told
    assert "`kinerja status --region salor`" in told


def test_a_refused_file_is_told_once_until_it_is_delivered_anew_or_gone(
    home: Home, deployment: Deployment, mail: Mail
) -> None:
    path = put(home, "task_record/tugas_2026-02.csv")
    for _ in range(3):
        landed(home, deployment)
    assert len(mail.to(ORGANISATION)) == 1
    path.write_bytes(b"PK\x03\x04 no workbook and no CSV\x00\x01")
    landed(home, deployment)
    assert subjects(mail, ORGANISATION) == [f"[Kinerja] Berkas ditolak: {REGION}"] * 2, "another file, refused anew"
    path.unlink()
    landed(home, deployment)
    landed(home, deployment)
    assert subjects(mail, ORGANISATION)[2:] == [f"[Kinerja] Sudah pulih: {REGION}"]
    assert read_register(home).faults == ()


def test_many_files_refused_at_once_are_one_letter(home: Home, deployment: Deployment, mail: Mail) -> None:
    for number in range(30):
        put(home, f"task_record/tugas_{number}.csv")
        put(home, f"leave_permit/izin_{number}.csv")
    landed(home, deployment)
    assert [len(mail.to(to)) for to in (OPERATOR, ORGANISATION, PERSONNEL)] == [1, 1, 1]
    assert "Berapa   : 30 berkas\n" in text(mail, PERSONNEL)
    assert "leave_permit" in text(mail)
    assert "leave_permit" not in text(mail, ORGANISATION)


def test_the_number_of_a_person_in_a_files_name_is_told_to_nobody(
    home: Home, deployment: Deployment, mail: Mail
) -> None:
    put(home, f"leave_permit/izin_{NIP}.csv")
    landed(home, deployment)
    assert "leave_permit/izin_(NIP).csv" in text(mail)
    assert NIP not in text(mail) + text(mail, PERSONNEL) + str(mail.letters[0].items())


def test_landing_tells_by_itself_and_a_dead_mail_server_fails_it_not_and_is_said_once(
    home: Home, deployment: Deployment, monkeypatch: pytest.MonkeyPatch, instance: DagsterInstance, mail: Mail
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as place:
        nowhere = f"smtp://127.0.0.1:{place.getsockname()[1]}"
    put(home, "task_record/tugas_2026-02.csv")
    said = []
    for url in (nowhere, nowhere):
        monkeypatch.setenv("KINERJA_SMTP_URL", url)
        monkeypatch.setenv("KINERJA_ALERT_EMAIL_TO", OPERATOR)
        resources = {"home": HomeResource(), "clock": Clock(), "lock": RegionLock(), "alerts": Alerts()}
        done = materialize(landing_assets(deployment), resources=resources, instance=instance, partition_key=REGION)
        assert done.success
        logged = [entry.user_message for entry in instance.all_logs(done.run_id) if entry.level == 30]
        said.append([line for line in logged if "alert" in line])
    problem = "An alert could not be sent: mail server 127.0.0.1: Connection refused. It is kept and tried again."
    assert said == [[problem] * 2, []], "to the operator and to the owner"
    shown = {m.asset_key.path[-1]: m.metadata for m in done.asset_materializations_for_node("landing") if m.asset_key}
    assert "it is empty" in str(shown["task_record"]["to mend"].value)
    assert "to mend" not in shown["employee"]
    monkeypatch.setenv("KINERJA_SMTP_URL", mail.url)
    later = NOW + dt.timedelta(hours=1)
    assert tell(home, ways(alert_settings(), deployment), later) == []
    assert len(mail.to(OPERATOR)) == len(mail.to(ORGANISATION)) == 1, "nothing is lost"


# ---- runs ------------------------------------------------------------------------------------------------------------


def ran(
    instance: DagsterInstance,
    deployment: Deployment,
    error: BaseException | None = None,
    month: str = MONTH,
    checks: tuple[AssetCheckResult, ...] = (),
    tags: dict[str, str] | None = None,
) -> DagsterRun:
    """A run of a step `publication` over a region and month, which yields the checks and then raises the error."""

    @multi_asset(
        name="publication",
        specs=[AssetSpec(key) for key in {OF_MONTH, *(each.asset_key for each in checks if each.asset_key)}],
        check_specs=[
            last_run_spec(OF_MONTH, deployment.region_month),
            *(
                AssetCheckSpec(str(each.check_name), asset=each.asset_key, blocking=bool(each.metadata))
                for each in checks
                if each.asset_key
            ),
        ],
        partitions_def=deployment.region_month,
    )
    @retrying
    def publication(context: AssetExecutionContext) -> Iterator[MaterializeResult[None] | AssetCheckResult]:
        if error is not None:
            yield from checks
            raise error
        for key in {OF_MONTH, *(each.asset_key for each in checks if each.asset_key)}:
            yield MaterializeResult(asset_key=key)
        yield from checks
        yield ended_well(OF_MONTH)

    key = partition_key(REGION, month)
    done = materialize([publication], instance=instance, partition_key=key, raise_on_error=False, tags=tags)
    run = instance.get_run_by_id(done.run_id)
    assert run is not None
    return run


def seen(instance: DagsterInstance, deployment: Deployment, *runs: DagsterRun) -> list[str]:
    return Alerts().of_runs(deployment, instance, runs)


def test_a_refused_publication_is_told_once_and_its_cure_once(
    home: Home, deployment: Deployment, instance: DagsterInstance, mail: Mail
) -> None:
    for rows in (3, 5):
        refused = PublishRefused(f"Nothing was published.\n- kpi: {rows} rows\n- evaluation: {rows} rows")
        seen(instance, deployment, ran(instance, deployment, refused))
    assert subjects(mail) == [f"[Kinerja] Penerbitan ditolak; yang sudah terbit tetap: {REGION} {MONTH}"]
    assert "Berapa   : 2 masalah\n" in text(mail)
    assert "- kpi: 3 rows" in text(mail)
    well = ran(instance, deployment)
    seen(instance, deployment, well)
    seen(instance, deployment, well)
    assert subjects(mail)[1:] == [f"[Kinerja] Sudah pulih: {REGION} {MONTH}"]


def test_another_months_success_cures_nothing(
    home: Home, deployment: Deployment, instance: DagsterInstance, mail: Mail
) -> None:
    seen(instance, deployment, ran(instance, deployment, PublishRefused("no")))
    seen(instance, deployment, ran(instance, deployment, month="2026-02"))
    assert len(mail.to(OPERATOR)) == 1
    assert [fault.month for fault in read_register(home).standing] == [MONTH]


def test_a_database_that_is_gone_is_one_fault_however_many_months_ask_for_it(
    home: Home, deployment: Deployment, instance: DagsterInstance, mail: Mail
) -> None:
    for month in ("2026-01", "2026-02", "2026-03"):
        seen(instance, deployment, ran(instance, deployment, OSError(errno.EIO, "Input/output error"), month))
    assert len(mail.to(OPERATOR)) == 1
    assert "Mesin bermasalah" in subjects(mail)[0]
    seen(instance, deployment, ran(instance, deployment))
    assert len(mail.to(OPERATOR)) == 2


def test_what_a_library_says_of_a_value_is_told_to_nobody(
    home: Home, deployment: Deployment, instance: DagsterInstance, mail: Mail
) -> None:
    seen(instance, deployment, ran(instance, deployment, ValueError(f"cannot convert 'Budi {NIP}'")))
    assert "publication: ValueError\n" in text(mail)
    assert "Budi" not in text(mail)


def check(
    asset: str, severity: AssetCheckSeverity, *, passed: bool = False, blocking: bool = False
) -> AssetCheckResult:
    return AssetCheckResult(
        passed=passed,
        asset_key=AssetKey(["validated", asset]),
        check_name="volume",
        severity=severity,
        description="20 rows, usually 4000.",
        metadata={"blocking": True} if blocking else {},
    )


def test_a_check_of_error_severity_is_told_to_its_feeds_owner_too_and_a_warning_to_nobody(
    home: Home, deployment: Deployment, instance: DagsterInstance, mail: Mail
) -> None:
    run = ran(instance, deployment, checks=(check("task_record", AssetCheckSeverity.WARN),))
    assert run.status == DagsterRunStatus.SUCCESS
    seen(instance, deployment, run)
    assert mail.letters == []
    seen(instance, deployment, ran(instance, deployment, checks=(check("task_record", AssetCheckSeverity.ERROR),)))
    assert subjects(mail) == subjects(mail, ORGANISATION) == [f"[Kinerja] Pemeriksaan gagal: {REGION} {MONTH}"]
    assert "validated/task_record volume: 20 rows, usually 4000." in text(mail, ORGANISATION)
    passed = check("task_record", AssetCheckSeverity.ERROR, passed=True)
    seen(instance, deployment, ran(instance, deployment, checks=(passed,)))
    assert subjects(mail, ORGANISATION)[1:] == [f"[Kinerja] Sudah pulih: {REGION} {MONTH}"]


def test_a_blocking_check_is_told_as_a_check_and_not_as_a_broken_program_besides(
    home: Home, deployment: Deployment, instance: DagsterInstance, mail: Mail
) -> None:
    run = ran(instance, deployment, checks=(check("task_record", AssetCheckSeverity.ERROR, blocking=True),))
    assert run.status == DagsterRunStatus.FAILURE
    seen(instance, deployment, run)
    assert [fault.kind for fault in read_register(home).standing] == ["check"]
    assert len(mail.to(ORGANISATION)) == 1


def test_rows_that_stop_a_month_are_told_as_their_check_to_the_owner_and_not_as_a_broken_program(
    home: Home, deployment: Deployment, instance: DagsterInstance, mail: Mail
) -> None:
    stopped = Blocked("20 of 20 rows break pin__unknown")
    seen(
        instance,
        deployment,
        ran(instance, deployment, stopped, checks=(check("task_record", AssetCheckSeverity.ERROR),)),
    )
    assert [(fault.kind, fault.feed) for fault in read_register(home).standing] == [("check", "task_record")]
    assert len(mail.to(ORGANISATION)) == 1


def test_a_run_that_was_cut_off_is_told_and_shown_unless_it_is_launched_again(
    home: Home, deployment: Deployment, instance: DagsterInstance, mail: Mail
) -> None:
    tags = {"dagster/partition": REGION}
    again = create_run_for_test(
        instance, "land", status=DagsterRunStatus.FAILURE, tags={**tags, WILL_RETRY_TAG: "true"}
    )
    seen(instance, deployment, again)
    assert mail.letters == []
    killed = create_run_for_test(instance, "land", status=DagsterRunStatus.FAILURE, tags=tags)
    seen(instance, deployment, killed)
    assert subjects(mail) == [f"[Kinerja] Proses terhenti di tengah jalan: {REGION}"]
    shown = instance.event_log_storage.get_asset_check_execution_history(
        last_run_spec(OF_REGION, deployment.region).key, limit=1
    )
    assert shown[0].run_id == killed.run_id


def test_who_stops_a_command_by_hand_knows_it(
    home: Home, deployment: Deployment, instance: DagsterInstance, mail: Mail
) -> None:
    stopped = ran(instance, deployment, DagsterExecutionInterruptedError(), tags={COMMAND_TAG: REGION})
    assert stopped.status != DagsterRunStatus.SUCCESS
    seen(instance, deployment, stopped)
    assert mail.letters == []


# ---- the sensor, the webhook, the environment ------------------------------------------------------------------------


def test_the_sensor_tells_of_every_run_that_has_ended_since_it_looked_last_once(
    home: Home, deployment: Deployment, instance: DagsterInstance, mail: Mail
) -> None:
    sensor, cursor = watch(deployment), None

    def tick() -> str:
        nonlocal cursor
        result = sensor(build_sensor_context(instance, cursor=cursor))
        assert isinstance(result, SensorResult)
        cursor = result.cursor
        assert not result.run_requests
        return result.skip_reason.skip_message if result.skip_reason else ""

    ran(instance, deployment, PublishRefused("old"), month="2026-01")
    assert tick() == "0 runs have ended.", "what was before the first look is old"
    ran(instance, deployment, PublishRefused("no"))
    ran(instance, deployment, PublishRefused("no"), month="2026-02")
    assert tick() == "2 runs have ended."
    assert tick() == "0 runs have ended."
    assert subjects(mail) == [
        f"[Kinerja] Penerbitan ditolak; yang sudah terbit tetap: {REGION} 2026-02, {REGION} {MONTH}"
    ]
    ran(instance, deployment)
    assert tick() == "1 runs have ended."
    assert "SUDAH PULIH (1)" in text(mail)


def test_a_webhook_gets_the_same_in_english_where_asked_for(
    home: Home, deployment: Deployment, instance: DagsterInstance, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KINERJA_SMTP_URL")
    monkeypatch.delenv("KINERJA_ALERT_EMAIL_TO")
    monkeypatch.setenv("KINERJA_ALERT_WEBHOOK", hook.url)
    monkeypatch.setenv("KINERJA_ALERT_LANG", "en")
    monkeypatch.setenv("KINERJA_UI_URL", "https://kinerja.salor.example/")
    run = ran(instance, deployment, PublishRefused("kpi: 3 rows"))
    hook.status = 503
    assert seen(instance, deployment, run) == [
        "An alert could not be sent: webhook at 127.0.0.1: it answered 503. It is kept and tried again."
    ]
    hook.status = 200
    tell(home, ways(alert_settings(), deployment), NOW + dt.timedelta(hours=1))
    (fault,) = hook.pages[-1]["begun"]
    assert (fault["region"], fault["month"], fault["kind"]) == (REGION, MONTH, "publication")
    assert fault["link"] == f"https://kinerja.salor.example/runs/{run.run_id}"
    assert "1. Publication refused" in hook.pages[-1]["text"]
    assert "s3cret" not in json.dumps(hook.pages) + home.faults.read_text()


WRONG = {
    "KINERJA_ALERT_EMAIL_TO": ("operator", "'operator' is no e-mail address"),
    "KINERJA_SMTP_URL": ("mail.salor.example", "KINERJA_SMTP_URL starts with smtp:// or smtps://"),
    "KINERJA_ALERT_WEBHOOK": ("hooks.salor.example/x", "KINERJA_ALERT_WEBHOOK starts with https://"),
    "KINERJA_ALERT_LANG": ("nl", "KINERJA_ALERT_LANG is 'nl'; write id or en."),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_fails_no_run_and_doctor_says_which(
    name: str,
    home: Home,
    deployment: Deployment,
    instance: DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    value, told = WRONG[name]
    monkeypatch.setenv(name, value)
    with pytest.raises(HomeError, match=told.replace("(", r"\(")):
        alert_settings()
    (problem,) = seen(instance, deployment, ran(instance, deployment, PublishRefused("no")))
    assert told in problem
    assert [fault.month for fault in read_register(home).standing] == [MONTH], "it is noted all the same"


def test_where_nothing_is_declared_faults_are_noted_and_listed(
    home: Home, deployment: Deployment, instance: DagsterInstance, mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KINERJA_SMTP_URL")
    monkeypatch.delenv("KINERJA_ALERT_EMAIL_TO")
    assert seen(instance, deployment, ran(instance, deployment, PublishRefused("kpi: 3 rows"))) == []
    listed = kinerja("status", "--region", REGION)
    assert f"stands {REGION} {MONTH} (since " in listed.output
    assert "publication: kpi: 3 rows" in listed.output
    assert "stands" not in kinerja("status", "--region", "mamuju").output
    seen(instance, deployment, ran(instance, deployment))
    assert "stands" not in kinerja("status").output


def kinerja(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_doctor_names_who_gets_alerts_and_which_way_does_not_work(
    home: Home, deployment: Deployment, instance: DagsterInstance, mail: Mail
) -> None:
    def alerts() -> tuple[str, str]:
        (found,) = doctor._alerts(home, deployment)
        return found.level, found.text

    assert alerts() == ("good", f"Sent to: mail {OPERATOR}, mail {ORGANISATION}, mail {PERSONNEL}.")
    mail.refuses.add(OPERATOR)
    seen(instance, deployment, ran(instance, deployment, PublishRefused("no")))
    level, told = alerts()
    assert level == "warning"
    assert told.startswith(f"Not delivered: mail {OPERATOR} (mail server 127.0.0.1: it takes nothing")


def test_a_test_alert_goes_to_everybody_and_says_who_was_reached(home: Home, mail: Mail) -> None:
    sent = kinerja("doctor", "--send-test-alert")
    assert (sent.exit_code, sent.output) == (0, f"mail {OPERATOR}: sent\n")
    assert subjects(mail) == ["[Kinerja] Uji coba pemberitahuan"]
    mail.refuses.add(OPERATOR)
    refused = kinerja("doctor", "--send-test-alert")
    assert refused.exit_code == 1
    assert "it takes nothing for this address (550)" in refused.output
