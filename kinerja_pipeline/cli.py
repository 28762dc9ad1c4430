"""The command `kinerja`: thin: parse, call, print.

Here: commands, options, exit codes. Heavy imports (Polars, Dagster, SQLAlchemy) stay inside the commands, so that
`--help` answers at once. Exit codes: 0 done, 1 something was refused or failed, 2 the command line itself is wrong.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

MONTH = r"2026-03"


class MonthType(click.ParamType[str]):
    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if len(text) == 7 and text[4] == "-" and text[:4].isdigit() and text[5:].isdigit() and 1 <= int(text[5:]) <= 12:
            return text
        return self.fail(f"'{text}' is not a month; write it as {MONTH}", param, ctx)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
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
      kinerja demo                     a made-up world of five regions, computed and published
      kinerja init                     an empty home; put files into landing/<region>/<feed>/
      kinerja check FILE ...           is this file good? nothing is kept
      kinerja run --all                take in new files, compute and publish every month they touch
      kinerja status                   what is published, what was refused
      kinerja ui                       lineage, runs and checks in the browser
    """
    if home is not None:
        os.environ["KINERJA_HOME"] = str(home.absolute())


@main.command()
def init() -> None:
    """Make an empty home that works."""
    from kinerja_pipeline.home import HomeError, home_from_environment, init_home
    from kinerja_pipeline.orchestration.launch import write_instance_settings

    home = home_from_environment()
    try:
        init_home(home)
    except HomeError as error:
        _stop(str(error))
    write_instance_settings(home)
    click.echo(f"Home ready: {home.root}")
    click.echo(f"Next: put delivered files into {home.landing}/<region>/<feed>/, then `kinerja run --all`.")


@main.command()
@click.option("--employees", default=300, show_default=True, help="Employees per region.")
def demo(employees: int) -> None:
    """Write the made-up world of five regions, run the pipeline over it, and show what an official would look at."""
    from kinerja_pipeline.demo.world import DEMO_MONTHS, write_world
    from kinerja_pipeline.home import home_from_environment, init_home
    from kinerja_pipeline.orchestration.launch import write_instance_settings

    home = home_from_environment()
    init_home(home)
    write_instance_settings(home)
    console = _console()
    with console.status("Writing the files of five regions, January to June 2026 ..."):
        write_world(home, employees_per_region=employees)
    failed = _run(home, None, *DEMO_MONTHS, None)
    from kinerja_pipeline.demo.summary import show_summary

    show_summary(home, console)
    sys.exit(1 if failed else 0)


@main.command()
@click.option("--region", "regions", multiple=True, help="Region id; may be given several times.")
@click.option("--all", "everything", is_flag=True, help="Every region and every month that has files.")
@click.option("--month", type=MonthType(), help="One month, as 2026-03.")
@click.option("--from", "first", type=MonthType(), help="First month of a range.")
@click.option("--to", "last", type=MonthType(), help="Last month of a range.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Compute as of this day instead of today.")
def run(
    regions: tuple[str, ...], everything: bool, month: str | None, first: str | None, last: str | None, today: Any
) -> None:
    """Take in new files, then validate, compute and publish months."""
    from kinerja_pipeline.home import home_from_environment

    if not everything and not regions:
        raise click.UsageError("name a region with --region, or take --all")
    if not everything and not (month or first):
        raise click.UsageError("name a month with --month, a range with --from and --to, or take --all")
    if month and (first or last):
        raise click.UsageError("take either --month or --from/--to")
    home = home_from_environment()
    if not home.is_initialised:
        _stop(f"{home.root} is not a home yet: run `kinerja init` first, or name another with --home.")
    failed = _run(
        home,
        regions or None,
        month or first,
        month or last or (None if everything else first),
        today.date() if today else None,
    )
    sys.exit(1 if failed else 0)


def _run(home: Any, regions: Any, first: str | None, last: str | None, today: Any) -> bool:
    from kinerja_pipeline.contracts.model import ContractError
    from kinerja_pipeline.orchestration.launch import LaunchError, launch
    from kinerja_pipeline.policies.loader import PolicyError

    console = _console()
    try:
        outcome = launch(home, regions=regions, first=first, last=last, today=today, console=console)
    except (LaunchError, PolicyError, ContractError) as error:
        _stop(str(error))
    for line in outcome.refused:
        console.print(f"[yellow]refused[/] {line}", highlight=False)
    for line in outcome.failed:
        console.print(f"[red]failed[/] {line}", highlight=False)
    console.print(
        f"{outcome.done} region-months published in {outcome.seconds:.0f} s"
        + (f", {len(outcome.failed)} failed" if outcome.failed else "")
        + (f", {len(outcome.refused)} files refused (they stay where they are)" if outcome.refused else "")
        + "."
    )
    return bool(outcome.failed)


@main.command()
@click.option("--region", help="One region only.")
def status(region: str | None) -> None:
    """What is published, and which deliveries were refused."""
    from kinerja_pipeline.home import home_from_environment, warehouse_url
    from kinerja_pipeline.warehouse.overview import overview, refused_deliveries

    home, console = home_from_environment(), _console()
    url = warehouse_url(home)
    if url.startswith("sqlite") and not home.warehouse.exists():
        _stop(
            f"Nothing is published yet in {home.root}. Put files into landing/ and run `kinerja run --all`, "
            "or try `kinerja demo`."
        )
    console.print(overview(url, region))
    for line in refused_deliveries(url, region):
        console.print(f"[yellow]refused[/] {line}", highlight=False)


@main.command()
@click.option("--port", default=3000, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="There is no login: keep it on this machine.")
@click.option("--read-only", is_flag=True, help="Look, but launch nothing.")
def ui(port: int, host: str, read_only: bool) -> None:
    """Lineage, runs and checks in the browser (Dagster), with the daemon for schedules."""
    from kinerja_pipeline.home import home_from_environment, init_home
    from kinerja_pipeline.orchestration.launch import serve

    home = home_from_environment()
    init_home(home)
    click.echo(f"Opening http://{host}:{port} for {home.root}; stop with Ctrl-C.")
    sys.exit(serve(home, host, port, read_only=read_only))


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--feed", required=True, help="Which feed the file is, for example attendance_log.")
@click.option("--region", required=True, help="Whose file it is.")
def check(file: Path, feed: str, region: str) -> None:
    """Say what the contract says of FILE, before it is delivered. Nothing is kept."""
    from kinerja_pipeline.contracts.model import ContractError, load_contracts
    from kinerja_pipeline.home import home_from_environment
    from kinerja_pipeline.landing.readers import UnreadableFile
    from kinerja_pipeline.policies.loader import PolicyError, load_policies
    from kinerja_pipeline.validated.verdict import VerdictError, verdict

    home = home_from_environment()
    try:
        result = verdict(file, feed, region, home, load_policies(home.policies), load_contracts())
    except (UnreadableFile, VerdictError, PolicyError, ContractError) as error:
        _stop(str(error))
    console = _console()
    console.print(result.table())
    console.print(result.sentence(), highlight=False)
    sys.exit(0 if result.is_good else 1)


def _console() -> Any:
    from rich.console import Console

    # A pipe gets whole lines: a table must not fold at 80 columns because nobody looks at it.
    return Console() if sys.stdout.isatty() else Console(width=140)


def _stop(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
