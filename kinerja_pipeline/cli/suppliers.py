"""For suppliers, and those who keep the contracts with them: a file judged before it is delivered; what is agreed.

Here: check, contracts. Not here: how a file is judged (validated/), or what makes a change breaking
(contracts/versions).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kinerja_pipeline.cli.frame import counted, new_console, stop, write_new

if TYPE_CHECKING:
    from kinerja_pipeline.contracts.words import Language


@click.command(short_help="What does the contract say of FILE? Nothing is kept.")
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
@click.option("--lang", type=click.Choice(["en", "id"]), default="en", show_default=True, help="Language.")
def check(file: Path, feed: str, region: str, workbook: Path | None, lang: Language) -> None:
    """Say what the contract says of FILE, before it is delivered. Nothing is kept.

    The workbook holds what the file says, personal data too; only this account may read it.

    Exit code: 0 the file is good, 1 some rows would be rejected or the file cannot be read.
    """
    from kinerja_pipeline.contracts.model import load_contracts
    from kinerja_pipeline.home import home_from_environment
    from kinerja_pipeline.policies.loader import load_policies
    from kinerja_pipeline.validated.verdict import verdict
    from kinerja_pipeline.validated.verdict_workbook import verdict_workbook

    home = home_from_environment()
    result = verdict(file, feed, region, home, load_policies(home.policies), load_contracts())
    if workbook is not None:
        write_new(workbook, verdict_workbook(result, lang), "name another file with --xlsx", mode=0o600)
        click.echo(f"Written: {workbook}")
    console = new_console()
    if len(result.failures):
        console.print(result.table(lang))
    console.print(result.sentence(lang), highlight=False, soft_wrap=True)
    sys.exit(0 if result.is_good else 1)


@click.group(short_help="Changes since the last release; empty files for suppliers.")
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
    click.echo(f"{counted(len(diffs), 'table')}: {', '.join(counts)}.")
    if open_count:
        stop(f"{counted(open_count, 'table')} cannot be released like this; see the lines 'to do'.")
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
    click.echo(f"{counted(len(pages.incoming) + len(pages.outgoing), 'table')} locked in {lock_path()}.")


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
        stop(f"There is no feed '{feed}'; known are {', '.join(incoming)}.")
    target = file or Path(f"{feed}.{ending}")
    content = (xlsx_template if ending == "xlsx" else csv_template)(incoming[feed])
    write_new(target, content, "name another file with --to")
    click.echo(f"Written: {target}")
