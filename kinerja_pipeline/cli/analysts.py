"""For analysts: the warehouse brought up to date, asked, copied without names, and walked back to delivered files.

Here: migrate, views, dictionary, query, export, explore, explain. Not here: what a question or an explanation looks up
(warehouse/), or who may read what (warehouse/access).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinerja_pipeline.cli.frame import MONTH, MonthType, check_is_home, check_listens, counted, new_console, write_new

if TYPE_CHECKING:
    from kinerja_pipeline.contracts.words import Language


@click.command(short_help="Bring the warehouse's tables, views and roles up to date.")
@click.option("--roles", "with_roles", is_flag=True, help="PostgreSQL: make the roles too, and say who may read what.")
def migrate(with_roles: bool) -> None:
    """Bring the warehouse's tables and views up to date, and say what was done. A publication does the same first.

    With --roles, as somebody who may create roles: kinerja_publisher, kinerja_analyst (all regions, pseudonyms made
    with KINERJA_PSEUDONYM_KEY) and kinerja_region_<id> (the rows of one region). Later migrations keep them so.
    """
    from kinerja_pipeline.home import home_from_environment, is_warehouse_elsewhere, pseudonym_key, warehouse_url
    from kinerja_pipeline.policies.loader import load_policies
    from kinerja_pipeline.warehouse import database
    from kinerja_pipeline.warehouse.access import Roles

    home = home_from_environment()
    if not is_warehouse_elsewhere():
        check_is_home(home)
    engine = database.open_warehouse(warehouse_url(home))
    try:
        roles = Roles(sorted(load_policies(home.policies)), pseudonym_key()) if with_roles else None
        done = database.migrate(engine, roles)
    finally:
        engine.dispose()
    for line in done or ["The warehouse is up to date."]:
        click.echo(line)


@click.command(short_help="The views that analysts read besides the tables.")
def views() -> None:
    """List the warehouse's views: what one row of each is, and who uses it."""
    from kinerja_pipeline.warehouse.views import load_views

    for view in sorted(load_views(), key=lambda view: view.name):
        click.echo(f"{view.name}\n  {view.grain}\n  For: {view.audience}")


@click.command(short_help="Every table, view and indicator in words, Indonesian and English.")
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
        check_is_home(home)
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


@click.command(short_help="Ask one of the prepared questions; without a name: list them.")
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
    told = f"{counted(len(answer.rows), 'row')} for {answer.told()}."
    if answer.hidden:
        told += f" Hidden: {', '.join(answer.hidden)} (--names shows them to those who may see them)."
    if file is not None:
        write_new(file, answer.csv().encode())
        click.echo(f"Written: {file}. {told}")
        return
    console = new_console()
    if answer.rows:
        console.print(answer.table())
    console.print(told, highlight=False, soft_wrap=True)


@click.command(short_help="The analysts' copy of the warehouse, in which nobody can be named.")
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
        f"Written: {file}: {counted(sum(copied.row_counts.values()), 'row')} of "
        f"{counted(len(copied.row_counts), 'table')}, {copied.person_count} people under pseudonyms."
    )


@click.command(short_help="Look around in the masked copy with the browser (Datasette).")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8001, show_default=True, type=click.IntRange(1, 65535), help="The port to listen on.")
@click.option("--lang", type=click.Choice(["id", "en"]), default="id", show_default=True, help="Language.")
@click.option("--no-browser", is_flag=True, help="Only serve; open no browser.")
def explore(file: Path | None, host: str, port: int, lang: Language, no_browser: bool) -> None:
    """Show tables, views and prepared questions in the browser, read-only, with nobody's name in them.

    FILE is a copy that `kinerja export --masked` made; without it one is made, and removed at the end. Its pseudonyms
    are those of KINERJA_PSEUDONYM_KEY, or of a key that nobody keeps.
    """
    import secrets
    import tempfile

    from kinerja_pipeline.home import has_pseudonym_key, home_from_environment, pseudonym_key, warehouse_url
    from kinerja_pipeline.warehouse.explore import check_masked, serve
    from kinerja_pipeline.warehouse.masking import export_masked

    check_listens(host, port)
    with tempfile.TemporaryDirectory(prefix="kinerja-") as place:
        if file is None:
            key = pseudonym_key() if has_pseudonym_key() else secrets.token_hex(32)
            file = Path(place, "kinerja.db")
            export_masked(warehouse_url(home_from_environment()), file, key)
            kept = "" if has_pseudonym_key() else " (pseudonyms of this session only: KINERJA_PSEUDONYM_KEY is not set)"
            click.echo(f"A masked copy was made{kept}.")
        else:
            check_masked(file)
        click.echo(f"http://{host}:{port}/{file.stem}    Ctrl-C ends it.")
        serve(file.absolute(), lang, host, port, opens_browser=not no_browser)


@click.command(short_help="Where a published number comes from, down to lines of files.")
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
    help="What was published by that day (2026-04-06); of a period open then only while nothing has changed since.",
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
    lang: Language,
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
    check_is_home(home)
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
        show(found, new_console(), lang, rows)
