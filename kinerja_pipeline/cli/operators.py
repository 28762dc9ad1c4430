"""For operators: a home made, filled, run, run again and looked at.

Here: init, demo, plan, run, replay, status, report, ui. Not here: what a run does (orchestration/), what a status says
(warehouse/overview, landing/refusals).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from kinerja_pipeline.cli.frame import MonthType, check_is_home, check_listens, counted, new_console, stop

if TYPE_CHECKING:
    from kinerja_pipeline.contracts.words import Language


@click.command(short_help="Make an empty home that works.")
def init() -> None:
    """Make an empty home that works; a home that is there keeps everything it holds."""
    from kinerja_pipeline.home import home_from_environment

    home = home_from_environment()
    _make(home)
    click.echo(f"Home ready: {home.root}")
    click.echo(f"Next: put delivered files into {home.landing}/<region>/<feed>/, then `kinerja run --all`.")


@click.command(short_help="A made-up world of five regions, computed and published.")
@click.option("--employees", default=300, show_default=True, type=click.IntRange(1), help="Employees per region.")
def demo(employees: int) -> None:
    """Write the made-up world of five regions, run the pipeline over it, and show what an official would look at."""
    from kinerja_pipeline.demo.summary import show_summary
    from kinerja_pipeline.demo.world import DEMO_MONTHS, write_world
    from kinerja_pipeline.home import home_from_environment

    home = home_from_environment()
    _make(home)
    console = new_console()
    with console.status("Writing the files of five regions, January to June 2026 ..."):
        write_world(home, employees_per_region=employees)
    is_done = _run(home, None, *DEMO_MONTHS, None)
    show_summary(home, console)
    sys.exit(0 if is_done else 1)


@click.command(short_help="Take in new files, then validate, compute and publish months.")
@click.option("--region", "regions", multiple=True, help="Region id; may be given several times.")
@click.option("--all", "everything", is_flag=True, help="Every region.")
@click.option("--month", type=MonthType(), help="One month, as 2026-03.")
@click.option("--from", "first", type=MonthType(), help="First month of a range; without --to up to now.")
@click.option("--to", "last", type=MonthType(), help="Last month of a range; without --from since the first.")
@click.option("--again", is_flag=True, help="Every month that has rows, also where nothing has changed.")
@click.option(
    "--today", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Compute as of this day (2026-04-06), not today."
)
def run(
    regions: tuple[str, ...],
    everything: bool,
    month: str | None,
    first: str | None,
    last: str | None,
    again: bool,
    today: Any,
) -> None:
    """Take in new files, then validate, compute and publish months.

    \b
      kinerja run --all                               whatever has changed (`kinerja plan` shows it beforehand)
      kinerja run --all --again                       everything there is
      kinerja run --region salor --month 2026-03      one month of one region, changed or not
      kinerja run --all --from 2026-01 --to 2026-03   a range of every region, changed or not

    Changed means: files delivered since, another policy, contract or program, registers or corrections that say
    something else, days gone by. Of published months that look at those (up to a year after) the indicators are
    computed and published again too.

    Exit code: 0 done, 1 a file was refused or a month failed, 2 the command line is wrong.
    """
    from kinerja_pipeline.home import check_writable, home_from_environment

    if everything and regions:
        raise click.UsageError("take either --region or --all")
    if not everything and not regions:
        raise click.UsageError("name a region with --region, or take --all")
    if again and (month or first or last):
        raise click.UsageError("the months named run again anyway; leave --again out")
    if month and (first or last):
        raise click.UsageError("take either --month or --from/--to")
    if first and last and last < first:
        raise click.UsageError(f"the range ends ({last}) before it begins ({first})")
    home = home_from_environment()
    check_is_home(home)
    check_writable(home)
    scope = "every" if again else "changed"
    is_done = _run(home, regions or None, month or first, month or last, today.date() if today else None, scope)
    sys.exit(0 if is_done else 1)


@click.command(short_help="Run again what the quarantine holds, after a contract or mapping was mended.")
@click.option("--region", "regions", multiple=True, help="Region id; may be given several times.")
@click.option("--all", "everything", is_flag=True, help="Every region.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Say what would be run, and run nothing.")
@click.option(
    "--today", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Compute as of this day (2026-04-06), not today."
)
def replay(regions: tuple[str, ...], everything: bool, is_dry: bool, today: Any) -> None:
    """Run the months again whose deliveries hold rejected rows; what passes now is published.

    Nothing has to be delivered again: files whose mapping changed are read anew (and stay the deliveries they were),
    and every month is judged from all deliveries each time it runs.

    \b
      kinerja replay --region salor --dry-run    which months, how many rows by reason, which files
      kinerja replay --region salor

    Exit code: 0 done, 1 a file was refused or a month failed, 2 the command line is wrong.
    """
    from kinerja_pipeline.contracts.model import load_contracts
    from kinerja_pipeline.home import check_writable, home_from_environment
    from kinerja_pipeline.landing.refusals import no_region
    from kinerja_pipeline.orchestration.replay import quarantined_count
    from kinerja_pipeline.orchestration.replay_plan import show_plan
    from kinerja_pipeline.orchestration.storage import Lake
    from kinerja_pipeline.policies.loader import load_policies

    if everything and regions:
        raise click.UsageError("take either --region or --all")
    if not everything and not regions:
        raise click.UsageError("name a region with --region, or take --all")
    home = home_from_environment()
    check_is_home(home)
    policies, feeds, console = load_policies(home.policies), load_contracts().incoming.values(), new_console()
    for region in regions:
        if region not in policies:
            stop(f"There is {no_region(region, policies)}")
    chosen = [name for name in (regions or policies) if regions or (home.landing / name).is_dir()]
    for region in chosen:
        show_plan(home, policies[region], load_contracts(), console)
    if is_dry:
        return
    check_writable(home)
    before = {region: quarantined_count(Lake(home.lake), region, feeds) for region in chosen}
    is_done = _run(home, chosen, None, None, today.date() if today else None, "rejected")
    for region, count in before.items():
        left = quarantined_count(Lake(home.lake), region, feeds)
        console.print(f"{region}: {count:,} rows were in quarantine, {left:,} are now.", highlight=False)
    sys.exit(0 if is_done else 1)


@click.command(short_help="What a run would do, and which published periods may move.")
@click.option("--region", "regions", multiple=True, help="Region id; may be given several times (else every region).")
@click.option("--approve", "is_approved", is_flag=True, help="Let what waits for approval run, as it is listed now.")
@click.option("--json", "is_json", is_flag=True, help="Everything, for machines.")
@click.option(
    "--today", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="As of this day (2026-04-06), not today."
)
def plan(regions: tuple[str, ...], is_approved: bool, is_json: bool, today: Any) -> None:
    """Say beforehand what `kinerja run --all` would do; change nothing.

    Which files it would take in or refuse, which months it would run and why (files, another policy or program,
    registers, days gone by), and which published periods may move: closed ones apart.

    In the column "computed": `all` from the delivered rows on, `indicators` only what looks at a month before.

    What waits for approval (closed months where the policy says so, more months at once than it lets run unasked) is
    said too; --approve lets exactly what is listed run. Files that come later need to be approved again.
    """
    import json

    from kinerja_pipeline.contracts.model import load_contracts
    from kinerja_pipeline.home import home_from_environment
    from kinerja_pipeline.landing.refusals import no_region
    from kinerja_pipeline.orchestration.approval import approve
    from kinerja_pipeline.orchestration.plan import as_values, show
    from kinerja_pipeline.orchestration.plan import plan as planned
    from kinerja_pipeline.orchestration.resources import local_day
    from kinerja_pipeline.policies.loader import load_policies

    home = home_from_environment()
    check_is_home(home)
    policies, contracts, console = load_policies(home.policies), load_contracts(), new_console()
    for region in regions:
        if region not in policies:
            stop(f"There is {no_region(region, policies)}")
    chosen = [name for name in (regions or policies) if regions or (home.landing / name).is_dir()]
    found = []
    for region in chosen:
        day = local_day(policies[region], today.date() if today else None)
        found.append(planned(home, policies, contracts, region, day))
        if not is_json:
            show(found[-1], console)
        if is_approved:
            approve(home, region, found[-1].months)
            if not is_json:
                console.print(f"{region}: approved.", highlight=False)
    if is_json:
        click.echo(json.dumps([as_values(each) for each in found], ensure_ascii=False, indent=2))
    elif not chosen:
        console.print(f"No region has files: put them into {home.landing}/<region>/<feed>/ first.", highlight=False)


@click.command(short_help="What is published, which files were refused, which faults stand.")
@click.option("--region", help="One region only.")
def status(region: str | None) -> None:
    """What is published, which delivered files were refused, with the reason, and which faults stand."""
    from kinerja_pipeline.alerts.message import standing
    from kinerja_pipeline.home import home_from_environment, warehouse_url
    from kinerja_pipeline.landing.refusals import no_region, refused, strays
    from kinerja_pipeline.policies.loader import load_policies
    from kinerja_pipeline.warehouse.overview import overview

    home, console = home_from_environment(), new_console()
    check_is_home(home)
    policies = load_policies(home.policies)
    if region is not None and region not in policies:
        stop(f"There is {no_region(region, policies)}")
    published = overview(warehouse_url(home), region)
    if published is None:
        console.print(
            f"Nothing{f' of {region}' if region else ''} is published yet. Put files into "
            f"{home.landing}/{region or '<region>'}/<feed>/ and run `kinerja run --all`, or try `kinerja demo`.",
            highlight=False,
            soft_wrap=True,
        )
    else:
        console.print(published)
    for name in (region,) if region else policies:
        _tell(console, "yellow", "refused", refused(home, name))
    _tell(console, "red", "stands", standing(home, region))
    if region is None:
        _tell(console, "yellow", "refused", strays(home, policies))


@click.command(short_help="A month's report for officials, made again.")
@click.option("--region", required=True, help="Region id.")
@click.option("--month", required=True, type=MonthType(), help="The published month, as 2026-03.")
@click.option("--lang", type=click.Choice(["id", "en"]), default="id", show_default=True, help="Language.")
def report(region: str, month: str, lang: Language) -> None:
    """Write the report of a published month: a page and a workbook for officials, a page for everyone.

    Every run writes it in Indonesian; this makes it again, or in English. Page and workbook name people in their
    follow-up lists: only this account may read them. The page for everyone names nobody.
    """
    from kinerja_pipeline.contracts.model import load_contracts
    from kinerja_pipeline.home import home_from_environment, warehouse_url
    from kinerja_pipeline.policies.loader import load_policies
    from kinerja_pipeline.reports.monthly import write_report

    home = home_from_environment()
    check_is_home(home)
    policies, contracts = load_policies(home.policies), load_contracts()
    for file in write_report(home, warehouse_url(home), policies, contracts, region, month, lang):
        click.echo(f"Written: {file}")


@click.command(short_help="Is everything there that a run needs?")
@click.option("--fix", is_flag=True, help="Do what can be done without losing anything.")
@click.option("--send-test-alert", "is_test", is_flag=True, help="Only send a test to everybody who gets alerts.")
def doctor(fix: bool, is_test: bool) -> None:
    """Look at versions, home, disk, policies, warehouse, clock, daemon, leftovers, alerts; say what to do about each
    finding.

    Exit code 1 when something keeps runs from working.
    """
    import datetime as dt

    from kinerja_pipeline.home import home_from_environment, warehouse_url
    from kinerja_pipeline.orchestration.doctor import examined

    if is_test:
        sys.exit(_send_test_alert(dt.datetime.now(dt.UTC)))
    home, is_broken = home_from_environment(), False
    marks = {"good": ("green", "good   "), "warning": ("yellow", "warning"), "error": ("red", "error  ")}
    for finding in examined(home, warehouse_url(home), dt.datetime.now(dt.UTC)):
        colour, mark = marks[finding.level]
        click.echo(f"{click.style(mark, fg=colour)}  {finding.subject:<10} {finding.text}")
        if finding.level == "good":
            continue
        if fix and finding.cure is not None:
            finding.cure()
            click.echo(f"{'':21}Done: {finding.advice}")
            continue
        if finding.advice:
            by_itself = " (--fix does it)" if finding.cure is not None else ""
            click.echo(f"{'':21}{finding.advice}{by_itself}")
        is_broken |= finding.level == "error"
    sys.exit(1 if is_broken else 0)


@click.command(short_help="Lineage, runs and checks in the browser.")
@click.option("--port", default=3000, show_default=True, type=click.IntRange(1, 65535), help="Where it listens.")
@click.option("--host", default="127.0.0.1", show_default=True, help="There is no login: keep it on this machine.")
@click.option("--read-only", is_flag=True, help="Look, but launch nothing; the daemon is not started.")
def ui(port: int, host: str, read_only: bool) -> None:
    """Lineage, runs and checks in the browser (Dagster), with the daemon for schedules."""
    from kinerja_pipeline.home import home_from_environment
    from kinerja_pipeline.orchestration.serving import check_loads, serve

    home = home_from_environment()
    _make(home)
    check_loads(home)
    check_listens(host, port)
    click.echo(f"Opening http://{host}:{port} for {home.root}; stop with Ctrl-C.")
    sys.exit(serve(home, host, port, read_only=read_only))


def _run(home: Any, regions: Any, first: str | None, last: str | None, today: Any, scope: Any = "changed") -> bool:
    """Launches and tells; whether nothing was refused and nothing failed."""
    from kinerja_pipeline.orchestration.launch import launch

    console = new_console()
    outcome = launch(home, regions=regions, first=first, last=last, today=today, console=console, scope=scope)
    _tell(console, "yellow", "refused", outcome.refused)
    _tell(console, "yellow", "left out", outcome.skipped)
    _tell(console, "red", "failed", outcome.failed)
    _tell(console, "yellow", "alerts", list(dict.fromkeys(outcome.untold)))
    counts = [f"{counted(outcome.done, 'region-month')} published in {outcome.seconds:.0f} s"]
    counts += [f"{len(outcome.failed)} failed"] if outcome.failed else []
    if outcome.refused:
        counts.append(f"{counted(len(outcome.refused), 'file')} refused (they stay where they are)")
    console.print(f"{', '.join(counts)}.", highlight=False)
    nothing = outcome.skipped and not outcome.done
    return not (outcome.failed or outcome.refused or nothing)


def _send_test_alert(now: Any) -> int:
    from kinerja_pipeline.contracts.model import load_contracts
    from kinerja_pipeline.home import alert_settings, home_from_environment
    from kinerja_pipeline.orchestration.alerting import try_out, ways
    from kinerja_pipeline.orchestration.deployment import Deployment
    from kinerja_pipeline.policies.loader import load_policies

    deployment = Deployment(load_contracts(), load_policies(home_from_environment().policies))
    declared = ways(alert_settings(), deployment)
    if not declared:
        stop("No way is declared: set KINERJA_SMTP_URL with KINERJA_ALERT_EMAIL_TO, or KINERJA_ALERT_WEBHOOK.")
    found = list(try_out(declared, now))
    for name, problem in found:
        click.echo(f"{name}: {problem or 'sent'}")
    return 1 if any(problem for _, problem in found) else 0


def _make(home: Any) -> None:
    from kinerja_pipeline.home import check_writable, init_home
    from kinerja_pipeline.orchestration.settings import write_instance_settings

    init_home(home)
    check_writable(home)
    write_instance_settings(home)


def _tell(console: Any, colour: str, word: str, lines: list[str]) -> None:
    """One line each: what people search for or copy is not folded."""
    from rich.text import Text

    for line in lines:
        console.print(Text(word, style=colour) + Text(f" {line}"), highlight=False, soft_wrap=True)
