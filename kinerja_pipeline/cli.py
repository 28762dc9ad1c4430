"""The command `kinerja`: thin: parse, call, print.

Here: commands, options, exit codes. Heavy imports (Polars, Dagster, SQLAlchemy) stay inside the commands, so that
`--help` answers at once. Exit codes: 0 done, 1 something was refused or failed, 2 the command line itself is wrong.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

MONTH = r"2026-03"
PERIODS = {
    "month": (r"[0-9]{4}-(0[1-9]|1[0-2])", "month", MONTH),
    "quarter": (r"[0-9]{4}-Q[1-4]", "quarter", "2026-Q1"),
    "period": (r"[0-9]{4}(-(0[1-9]|1[0-2]|Q[1-4]|S[12]))?", "period", "2026-03, 2026-Q1, 2026-S1 or 2026"),
}


class MonthType(click.ParamType[str]):
    """A month, or another kind of period, written as the warehouse writes it."""

    def __init__(self, kind: str = "month") -> None:
        self.shape, self.name, self.example = PERIODS[kind]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if re.fullmatch(self.shape, text):
            return text
        return self.fail(f"'{text}' is not a {self.name}; write it as {self.example}", param, ctx)


class Commands(click.Group):
    """Our own errors are written for people: they end a command with their message alone, never with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.filename is None or error.errno not in OPERATORS:
                raise
            _stop(f"{error.filename}: {error.strerror}.")
        except Exception as error:
            if not type(error).__module__.startswith("kinerja_pipeline."):
                raise
            _stop(str(error))


OPERATORS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.EISDIR)
"""What an operator can cure: rights, space, a file where a folder should be."""


@click.group(
    "kinerja", cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="The deployment's folder (else KINERJA_HOME, else ./kinerja_home).",
)
@click.version_option(package_name="kinerja-pipeline", prog_name="kinerja")
def main(home: Path | None) -> None:
    """From the files a government already has to KPI tables that can be trusted and explained.

    \b
    First steps:
      kinerja demo         a made-up world of five regions, computed and published
      kinerja init         an empty home; put files into landing/<region>/<feed>/
      kinerja check FILE   what does the contract say of this file? nothing is kept
      kinerja run --all    take in new files, compute and publish every month
      kinerja status       what is published, what was refused
      kinerja explain      where a published number comes from
      kinerja ui           lineage, runs and checks in the browser
    """
    if home is not None:
        os.environ["KINERJA_HOME"] = str(home.absolute())


@main.command(short_help="Make an empty home that works.")
def init() -> None:
    """Make an empty home that works; a home that is there keeps everything it holds."""
    from kinerja_pipeline.home import home_from_environment

    home = home_from_environment()
    _make(home)
    click.echo(f"Home ready: {home.root}")
    click.echo(f"Next: put delivered files into {home.landing}/<region>/<feed>/, then `kinerja run --all`.")


@main.command(short_help="A made-up world of five regions, computed and published.")
@click.option("--employees", default=300, show_default=True, type=click.IntRange(1), help="Employees per region.")
def demo(employees: int) -> None:
    """Write the made-up world of five regions, run the pipeline over it, and show what an official would look at."""
    from kinerja_pipeline.demo.summary import show_summary
    from kinerja_pipeline.demo.world import DEMO_MONTHS, write_world
    from kinerja_pipeline.home import home_from_environment

    home = home_from_environment()
    _make(home)
    console = _console()
    with console.status("Writing the files of five regions, January to June 2026 ..."):
        write_world(home, employees_per_region=employees)
    is_done = _run(home, None, *DEMO_MONTHS, None)
    show_summary(home, console)
    sys.exit(0 if is_done else 1)


@main.command(short_help="Take in new files, then validate, compute and publish months.")
@click.option("--region", "regions", multiple=True, help="Region id; may be given several times.")
@click.option("--all", "everything", is_flag=True, help="Every region, and every month that has rows.")
@click.option("--month", type=MonthType(), help="One month, as 2026-03.")
@click.option("--from", "first", type=MonthType(), help="First month of a range; without --to up to now.")
@click.option("--to", "last", type=MonthType(), help="Last month of a range; without --from since the first.")
@click.option(
    "--today", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Compute as of this day (2026-04-06), not today."
)
def run(
    regions: tuple[str, ...], everything: bool, month: str | None, first: str | None, last: str | None, today: Any
) -> None:
    """Take in new files, then validate, compute and publish months.

    \b
      kinerja run --all                               everything there is
      kinerja run --region salor --month 2026-03      one month of one region
      kinerja run --all --from 2026-01 --to 2026-03   a range of every region

    Published months that look at those asked for (the month before, and up to a year after) are computed again too.

    Exit code: 0 done, 1 a file was refused or a month failed, 2 the command line is wrong.
    """
    from kinerja_pipeline.home import check_writable, home_from_environment

    if everything and regions:
        raise click.UsageError("take either --region or --all")
    if not everything and not regions:
        raise click.UsageError("name a region with --region, or take --all")
    if not everything and not (month or first or last):
        raise click.UsageError("name a month with --month, a range with --from and --to, or take --all")
    if month and (first or last):
        raise click.UsageError("take either --month or --from/--to")
    if first and last and last < first:
        raise click.UsageError(f"the range ends ({last}) before it begins ({first})")
    home = home_from_environment()
    _check_is_home(home)
    check_writable(home)
    is_done = _run(home, regions or None, month or first, month or last, today.date() if today else None)
    sys.exit(0 if is_done else 1)


@main.command(short_help="Run again what the quarantine holds, after a contract or mapping was mended.")
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
    _check_is_home(home)
    policies, feeds, console = load_policies(home.policies), load_contracts().incoming.values(), _console()
    for region in regions:
        if region not in policies:
            _stop(f"There is {no_region(region, policies)}")
    chosen = [name for name in (regions or policies) if regions or (home.landing / name).is_dir()]
    for region in chosen:
        show_plan(home, policies[region], load_contracts(), console)
    if is_dry:
        return
    check_writable(home)
    before = {region: quarantined_count(Lake(home.lake), region, feeds) for region in chosen}
    is_done = _run(home, chosen, None, None, today.date() if today else None, is_replay=True)
    for region, count in before.items():
        left = quarantined_count(Lake(home.lake), region, feeds)
        console.print(f"{region}: {count:,} rows were in quarantine, {left:,} are now.", highlight=False)
    sys.exit(0 if is_done else 1)


def _run(home: Any, regions: Any, first: str | None, last: str | None, today: Any, *, is_replay: bool = False) -> bool:
    """Launches and tells; whether nothing was refused and nothing failed."""
    from kinerja_pipeline.orchestration.launch import launch

    console = _console()
    outcome = launch(home, regions=regions, first=first, last=last, today=today, console=console, is_replay=is_replay)
    _tell(console, "yellow", "refused", outcome.refused)
    _tell(console, "yellow", "left out", outcome.skipped)
    _tell(console, "red", "failed", outcome.failed)
    counts = [f"{_counted(outcome.done, 'region-month')} published in {outcome.seconds:.0f} s"]
    counts += [f"{len(outcome.failed)} failed"] if outcome.failed else []
    if outcome.refused:
        counts.append(f"{_counted(len(outcome.refused), 'file')} refused (they stay where they are)")
    console.print(f"{', '.join(counts)}.", highlight=False)
    nothing = outcome.skipped and not outcome.done
    return not (outcome.failed or outcome.refused or nothing)


@main.command(short_help="What is published, and which files were refused.")
@click.option("--region", help="One region only.")
def status(region: str | None) -> None:
    """What is published, and which delivered files were refused, with the reason."""
    from kinerja_pipeline.home import home_from_environment, warehouse_url
    from kinerja_pipeline.landing.refusals import no_region, refused, strays
    from kinerja_pipeline.policies.loader import load_policies
    from kinerja_pipeline.warehouse.overview import overview

    home, console = home_from_environment(), _console()
    _check_is_home(home)
    policies = load_policies(home.policies)
    if region is not None and region not in policies:
        _stop(f"There is {no_region(region, policies)}")
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
    if region is None:
        _tell(console, "yellow", "refused", strays(home, policies))


@main.command(short_help="Bring the warehouse's tables, views and roles up to date.")
@click.option("--roles", "with_roles", is_flag=True, help="PostgreSQL: make the roles too, and say who may read what.")
def migrate(with_roles: bool) -> None:
    """Bring the warehouse's tables and views up to date, and say what was done. A publication does the same first.

    With --roles, as somebody who may create roles: kinerja_publisher, kinerja_analyst (all regions, pseudonyms made
    with KINERJA_PSEUDONYM_KEY) and kinerja_region_<id> (the rows of one region). Later migrations keep them so.
    """
    from kinerja_pipeline.home import home_from_environment, pseudonym_key, warehouse_url
    from kinerja_pipeline.policies.loader import load_policies
    from kinerja_pipeline.warehouse import database
    from kinerja_pipeline.warehouse.access import Roles

    home = home_from_environment()
    if not os.environ.get("KINERJA_WAREHOUSE_URL"):
        _check_is_home(home)
    engine = database.open_warehouse(warehouse_url(home))
    try:
        roles = Roles(sorted(load_policies(home.policies)), pseudonym_key()) if with_roles else None
        done = database.migrate(engine, roles)
    finally:
        engine.dispose()
    for line in done or ["The warehouse is up to date."]:
        click.echo(line)


@main.command(short_help="The views that analysts read besides the tables.")
def views() -> None:
    """List the warehouse's views: what one row of each is, and who uses it."""
    from kinerja_pipeline.warehouse.views import load_views

    for view in sorted(load_views(), key=lambda view: view.name):
        click.echo(f"{view.name}\n  {view.grain}\n  For: {view.audience}")


@main.command(short_help="Every table, view and indicator in words, Indonesian and English.")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to write to (else reports/dictionary in the home).",
)
def dictionary(folder: Path | None) -> None:
    """Write the data dictionary from contracts, views and policies: as web pages and as Markdown, in two languages."""
    import datetime as dt

    from kinerja_pipeline.home import home_from_environment
    from kinerja_pipeline.policies.loader import load_policies
    from kinerja_pipeline.warehouse.dictionary import LANGUAGES, html, markdown
    from kinerja_pipeline.warehouse.dictionary import dictionary as sections_of

    home = home_from_environment()
    if folder is None:
        _check_is_home(home)
    policies, target = load_policies(home.policies), folder or home.reports / "dictionary"
    ruling = {
        region: policies.in_force(region, f"{dt.datetime.now(policies[region].zone):%Y-%m}") for region in policies
    }
    target.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        sections = sections_of(ruling, language)
        for ending, text in (("html", html(sections, language)), ("md", markdown(sections, language))):
            file = target / f"dictionary.{language}.{ending}"
            file.write_text(text, encoding="utf-8")
            click.echo(f"Written: {file}")


@main.command(short_help="Ask one of the prepared questions; without a name: list them.")
@click.argument("name", required=False)
@click.option("--region", help="One region only.")
@click.option("--period", help="Month (2026-03), quarter (2026-Q1), semester (2026-S1) or year (2026).")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Another parameter of the question.")
@click.option("--csv", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write the answer to this file.")
@click.option("--json", "is_json", is_flag=True, help="Print the answer as JSON.")
@click.option("--names", is_flag=True, help="Show personal columns: only for those who may see them.")
def query(
    name: str | None,
    region: str | None,
    period: str | None,
    settings: tuple[str, ...],
    file: Path | None,
    is_json: bool,
    names: bool,
) -> None:
    """Ask the warehouse one of the prepared questions; without NAME: list them with their parameters.

    \b
      kinerja query late_most_often --region salor --period 2026-03
      kinerja query services_finished_late --set limit=5 --csv late.csv

    Who a row is about is numbered in place of named, and what is said of a person hidden, unless --names is given.
    """
    from kinerja_pipeline.home import home_from_environment, warehouse_url
    from kinerja_pipeline.warehouse.queries import ask, load_queries, named_query

    if name is None:
        for each in load_queries().values():
            defaults = "".join(f"  {n} = {v}" for n, v in each.defaults.items())
            click.echo(f"{each.name}\n  {each.question_id}\n  {each.question_en}\n {defaults}")
        return
    if file is not None and is_json:
        raise click.UsageError("take either --csv or --json")
    given = {key: value for key, value in (("region", region), ("period", period)) if value is not None}
    for setting in settings:
        key, is_pair, value = setting.partition("=")
        if not is_pair:
            raise click.UsageError(f"'{setting}' is no setting; write it as limit=5")
        given[key] = value
    home = home_from_environment()
    answer = ask(warehouse_url(home), named_query(name), given, with_names=names)
    if is_json:
        click.echo(answer.json())
        return
    told = f"{_counted(len(answer.rows), 'row')} for {answer.told()}."
    if answer.hidden:
        told += f" Hidden: {', '.join(answer.hidden)} (--names shows them to those who may see them)."
    if file is not None:
        _write_new(file, answer.csv().encode())
        click.echo(f"Written: {file}. {told}")
        return
    console = _console()
    if answer.rows:
        console.print(answer.table())
    console.print(told, highlight=False, soft_wrap=True)


@main.command(short_help="The analysts' copy of the warehouse, in which nobody can be named.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--masked", is_flag=True, required=True, help="No names; pseudonyms in place of NIPs. The only kind.")
def export(file: Path, masked: bool) -> None:
    """Write the warehouse to the new SQLite file FILE, without names and with pseudonyms in place of NIPs.

    The pseudonyms join across tables and stay the same from copy to copy as long as KINERJA_PSEUDONYM_KEY does.
    """
    from kinerja_pipeline.home import home_from_environment, pseudonym_key, warehouse_url
    from kinerja_pipeline.warehouse.masking import export_masked

    copied = export_masked(warehouse_url(home_from_environment()), file.absolute(), pseudonym_key())
    click.echo(
        f"Written: {file}: {_counted(sum(copied.row_counts.values()), 'row')} of "
        f"{_counted(len(copied.row_counts), 'table')}, {copied.person_count} people under pseudonyms."
    )


@main.command(short_help="Where a published number comes from, down to lines of files.")
@click.option("--region", required=True, help="Region id.")
@click.option("--nip", help="The employee whose numbers are asked for.")
@click.option("--unit", help="The unit whose numbers are asked for; without --nip and --unit the region's own.")
@click.option("--month", type=MonthType(), help=f"Month, as {MONTH}.")
@click.option("--quarter", type=MonthType("quarter"), help="Quarter, as 2026-Q1.")
@click.option("--period", type=MonthType("period"), help="Any period: 2026-03, 2026-Q1, 2026-S1, 2026.")
@click.option("--indicator", help="One indicator, with its rows; else all of them, and the evaluation.")
@click.option("--rows", default=20, show_default=True, type=click.IntRange(0), help="Rows listed (0: all).")
@click.option("--lang", type=click.Choice(["id", "en"]), default="id", show_default=True, help="Language.")
@click.option("--json", "is_json", is_flag=True, help="Everything, for machines.")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="What was published on that day (2026-04-06), where nothing has changed since.",
)
def explain(
    region: str,
    nip: str | None,
    unit: str | None,
    month: str | None,
    quarter: str | None,
    period: str | None,
    indicator: str | None,
    rows: int,
    lang: str,
    is_json: bool,
    as_of: Any,
) -> None:
    """Walk a published number back: evaluation, scores, sums, rows that count, lines of the delivered files.

    \b
      kinerja explain --region salor --nip 199001052016091001 --month 2026-03
      kinerja explain --region salor --unit DKP --quarter 2026-Q1 --indicator task_on_time

    Other people than the one asked for are shown as "employee 1"; who rated whom is never shown.
    """
    import json

    from kinerja_pipeline.contracts.model import load_contracts
    from kinerja_pipeline.home import home_from_environment, warehouse_url
    from kinerja_pipeline.policies.loader import load_policies
    from kinerja_pipeline.warehouse.explain import explain as explained
    from kinerja_pipeline.warehouse.explained import as_values, show

    if nip is not None and unit is not None:
        raise click.UsageError("take either --nip or --unit")
    asked = [each for each in (month, quarter, period) if each is not None]
    if len(asked) != 1:
        raise click.UsageError("name one period with --month, --quarter or --period")
    home = home_from_environment()
    _check_is_home(home)
    found = explained(
        home,
        warehouse_url(home),
        load_policies(home.policies),
        load_contracts(),
        region=region,
        subject_kind="employee" if nip is not None else "unit" if unit is not None else "region",
        subject_id=nip or unit or region,
        period=asked[0],
        indicator=indicator,
        as_of=as_of.date() if as_of else None,
    )
    if is_json:
        click.echo(json.dumps(as_values(found), ensure_ascii=False, indent=2))
    else:
        show(found, _console(), lang, rows)  # type: ignore[arg-type]


@main.command(short_help="Lineage, runs and checks in the browser.")
@click.option("--port", default=3000, show_default=True, type=click.IntRange(1, 65535), help="Where it listens.")
@click.option("--host", default="127.0.0.1", show_default=True, help="There is no login: keep it on this machine.")
@click.option("--read-only", is_flag=True, help="Look, but launch nothing; the daemon is not started.")
def ui(port: int, host: str, read_only: bool) -> None:
    """Lineage, runs and checks in the browser (Dagster), with the daemon for schedules."""
    from kinerja_pipeline.home import home_from_environment
    from kinerja_pipeline.orchestration.serving import check_serves, serve

    home = home_from_environment()
    _make(home)
    check_serves(home, host, port)
    click.echo(f"Opening http://{host}:{port} for {home.root}; stop with Ctrl-C.")
    sys.exit(serve(home, host, port, read_only=read_only))


@main.command(short_help="What does the contract say of FILE? Nothing is kept.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--feed", required=True, help="Which feed the file is, for example attendance_log.")
@click.option("--region", required=True, help="Whose file it is.")
@click.option(
    "--xlsx",
    "workbook",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OUT.xlsx",
    help="Also write the verdict as a workbook: the bad rows with their faulty cells marked.",
)
def check(file: Path, feed: str, region: str, workbook: Path | None) -> None:
    """Say what the contract says of FILE, before it is delivered. Nothing is kept.

    The workbook holds what the file says, personal data too; only this account may read it.

    Exit code: 0 the file is good, 1 some rows would be rejected or the file cannot be read.
    """
    from kinerja_pipeline.contracts.model import load_contracts
    from kinerja_pipeline.home import home_from_environment
    from kinerja_pipeline.policies.loader import load_policies
    from kinerja_pipeline.validated.verdict import verdict

    home = home_from_environment()
    from kinerja_pipeline.validated.verdict_workbook import verdict_workbook

    result = verdict(file, feed, region, home, load_policies(home.policies), load_contracts())
    if workbook is not None:
        _write_new(workbook, verdict_workbook(result), "name another file with --xlsx", mode=0o600)
        click.echo(f"Written: {workbook}")
    console = _console()
    if len(result.failures):
        console.print(result.table())
    console.print(result.sentence(), highlight=False, soft_wrap=True)
    sys.exit(0 if result.is_good else 1)


@main.group(short_help="Changes since the last release; empty files for suppliers.")
def contracts() -> None:
    """The contract pages: what changed since the last release and whom it breaks; empty files for suppliers."""


@contracts.command("diff", short_help="Same, compatible or breaking, per table.")
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="LOCK",
    help="Another lock file than the one beside the pages, for example that of an older release.",
)
def contracts_diff(against: Path | None) -> None:
    """Say per table what changed since the last release: same, compatible or breaking, a line per change.

    A change of an incoming page breaks when it refuses what suppliers could deliver before; a change of an outgoing
    page breaks when an analyst's query could meet what it was promised never to meet.

    Exit code: 0 each version says what its changes are (breaking: a new major version; compatible: at least a new
    minor version), 1 some version must be raised first.
    """
    from kinerja_pipeline.contracts.model import load_contracts
    from kinerja_pipeline.contracts.versions import compared, lock_path, lock_text, read_lock

    path, pages = against or lock_path(), load_contracts()
    diffs = compared(read_lock(path), pages)
    for diff in diffs:
        for line in diff.lines():
            click.echo(line)
    counts = [f"{sum(d.level == level for d in diffs)} {level}" for level in ("same", "compatible", "breaking")]
    open_count = sum(d.remedy is not None for d in diffs)
    click.echo(f"{_counted(len(diffs), 'table')}: {', '.join(counts)}.")
    if open_count:
        _stop(f"{_counted(open_count, 'table')} cannot be released like this; see the lines 'to do'.")
    if path.read_text(encoding="utf-8") != lock_text(pages):
        click.echo("Every version says what its changes are; `kinerja contracts lock` makes this the released state.")


@contracts.command("lock", short_help="Make the pages the released state.")
@click.option(
    "--withdraw",
    "withdrawn",
    multiple=True,
    metavar="TABLE",
    help="A table whose page is gone for good, as outgoing/kpi; may be given several times.",
)
def contracts_lock(withdrawn: tuple[str, ...]) -> None:
    """Write the lock file anew: the pages as they are become the released state that later changes are compared with.

    Refused (exit code 1) while a changed table has not the version number that its changes ask for.
    """
    from kinerja_pipeline.contracts.model import load_contracts
    from kinerja_pipeline.contracts.versions import lock_path, write_lock

    pages = load_contracts()
    write_lock(pages, lock_path(), withdrawn)
    click.echo(f"{_counted(len(pages.incoming) + len(pages.outgoing), 'table')} locked in {lock_path()}.")


@contracts.command("template", short_help="An empty file with the header that a feed asks for.")
@click.argument("feed")
@click.option(
    "--format", "ending", type=click.Choice(["csv", "xlsx"]), default="csv", show_default=True, help="Its kind."
)
@click.option(
    "--to",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write (else ./FEED.csv or .xlsx).",
)
def contracts_template(feed: str, ending: str, file: Path | None) -> None:
    """Write an empty file of FEED for a supplier to fill in; a workbook explains its columns on a second sheet.

    Its columns are called as the contract calls them, so a mapping needs no `columns` for it.
    """
    from kinerja_pipeline.contracts.model import load_contracts
    from kinerja_pipeline.contracts.template import csv_template, xlsx_template

    incoming = load_contracts().incoming
    if feed not in incoming:
        _stop(f"There is no feed '{feed}'; known are {', '.join(incoming)}.")
    target = file or Path(f"{feed}.{ending}")
    content = (xlsx_template if ending == "xlsx" else csv_template)(incoming[feed])
    _write_new(target, content, "name another file with --to")
    click.echo(f"Written: {target}")


@main.group(short_help="Check and read what the regions have decided.")
def policy() -> None:
    """What the regions have decided: check it, read it, complete it in an editor."""


@policy.command("check", short_help="Everything that is wrong in the policies.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True), required=False)
def policy_check(file: Path | None) -> None:
    """Say everything that is wrong in the policies (or only in FILE), a line each."""
    from kinerja_pipeline.contracts.model import load_contracts
    from kinerja_pipeline.home import home_from_environment
    from kinerja_pipeline.policies.check import check_policies

    problems = check_policies(home_from_environment().policies, load_contracts(), file)
    for problem in problems:
        click.echo(str(problem))
    if not problems:
        click.echo(f"{file.name if file else 'Every policy'} is in order.")
    sys.exit(1 if problems else 0)


@policy.command("explain", short_help="A region's policy in words.")
@click.argument("region")
@click.option("--month", type=MonthType(), help="The month it is asked for, as 2026-03 (else the running one).")
def policy_explain(region: str, month: str | None) -> None:
    """The policy of REGION in force in a month, in words (in Indonesian, for officials)."""
    import datetime as dt

    from kinerja_pipeline.home import home_from_environment
    from kinerja_pipeline.landing.refusals import no_region
    from kinerja_pipeline.policies.explain import explained
    from kinerja_pipeline.policies.loader import PolicyError, load_policies, policy_version

    try:
        policies = load_policies(home_from_environment().policies)
    except PolicyError as error:
        _stop(str(error))
    if region not in policies:
        _stop(f"There is {no_region(region, policies)}")
    asked = month or f"{dt.datetime.now(policies[region].zone):%Y-%m}"
    ruling = policies.in_force(region, asked)
    click.echo(explained(ruling, asked, policy_version(ruling)))


@policy.command("schema", short_help="The JSON Schema of a policy file.")
def policy_schema() -> None:
    """Print the JSON Schema of a policy file; editors complete and check with it."""
    import json

    from kinerja_pipeline.policies.check import policy_schema as schema

    click.echo(json.dumps(schema(), indent=2, ensure_ascii=False))


def _make(home: Any) -> None:
    from kinerja_pipeline.home import check_writable, init_home
    from kinerja_pipeline.orchestration.settings import write_instance_settings

    init_home(home)
    check_writable(home)
    write_instance_settings(home)


def _write_new(file: Path, content: bytes, advice: str = "name another file", mode: int = 0o666) -> None:
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as written:
            written.write(content)
    except FileExistsError:
        _stop(f"{file} is there already; {advice}.")
    except FileNotFoundError:
        _stop(f"{file}: there is no folder {file.parent}.")


def _check_is_home(home: Any) -> None:
    if not home.is_initialised:
        _stop(f"{home.root} is not a home yet: run `kinerja init` first, or name another with --home.")


def _tell(console: Any, colour: str, word: str, lines: list[str]) -> None:
    """One line each: what people search for or copy is not folded."""
    from rich.markup import escape

    for line in lines:
        console.print(f"[{colour}]{word}[/] {escape(line)}", highlight=False, soft_wrap=True)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _console() -> Any:
    from rich.console import Console

    # A pipe gets whole lines: a table must not fold at 80 columns because nobody looks at it.
    return Console() if sys.stdout.isatty() else Console(width=140)


def _stop(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
