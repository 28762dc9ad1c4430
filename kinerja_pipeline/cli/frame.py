"""The frame that every command stands in: the group itself, what a month looks like, how things are said and refused.

Here: what several modules of commands need: parameter types, the console, an error told as one sentence with exit code
1. Not here: any command, nor what only one module of commands needs.
"""

from __future__ import annotations

import errno
import os
import re
import socket
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
            stop(f"{error.filename}: {error.strerror}.")
        except Exception as error:
            if type(error).__module__.startswith("kinerja_pipeline."):
                stop(str(error))
            # Late: no command that ends well needs it. Dagster's own databases lie on the same disk as everything.
            from kinerja_pipeline.alerts.fault import passing_cause

            if (cause := passing_cause(error)) is None:
                raise
            stop(
                f"The machine or a database failed under the command: {cause}. What was published so far stays, whole; "
                "`kinerja doctor` may say more. Mend it and run again."
            )


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
      kinerja plan         what a run would do, and which published periods may move
      kinerja run --all    take in new files, compute and publish what has changed
      kinerja status       what is published, what was refused
      kinerja explain      where a published number comes from
      kinerja report       a month's report for officials, made again
      kinerja ui           lineage, runs and checks in the browser
    """
    if home is not None:
        os.environ["KINERJA_HOME"] = str(home.absolute())


def write_new(file: Path, content: bytes, advice: str = "name another file", mode: int = 0o666) -> None:
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as written:
            written.write(content)
    except FileExistsError:
        stop(f"{file} is there already; {advice}.")
    except FileNotFoundError:
        stop(f"{file}: there is no folder {file.parent}.")


def check_is_home(home: Any) -> None:
    if not home.is_initialised:
        stop(f"{home.root} is not a home yet: run `kinerja init` first, or name another with --home.")


def check_listens(host: str, port: int) -> None:
    """Ends the command when no server could listen there: a server's own words for it are none."""
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        # Python adds the address to the sentence of the operating system.
        why = str(error.strerror).partition(" (while")[0]
        stop(f"{host}:{port} cannot be listened on: {why}. Take another --port or --host.")


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def new_console() -> Any:
    from kinerja_pipeline.cli import console

    return console.new_console()


def stop(message: str) -> NoReturn:
    from kinerja_pipeline.plain import visible

    click.echo("\n".join(map(visible, message.split("\n"))), err=True)
    sys.exit(1)
