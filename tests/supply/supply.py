"""The pinned lists against the world: `make supply`, once a month and before a new version (docs/supply-chain.md).

    python tests/supply/supply.py --tools .supply/bin      # the tools of supply.txt

Prints what is newer and what is known to be vulnerable, and writes dist/sbom.json (CycloneDX). Ends with 0 when
nothing is known against any pin, 1 when something is, 3 when not every pin was answered for: silence is no good answer.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pins import LISTS, ROOT, Pin, pins
from rich.console import Console
from rich.table import Table

KNOWN, UNASKED = 1, 3
SBOM = ROOT / "dist" / "sbom.json"
BIN = Path(sys.executable).parent


class Answers(NamedTuple):
    """What is known of the pins: of each vulnerable one identifiers and the versions that mend them; and which pins
    nobody has said anything about, with the reason."""

    vulnerable: Mapping[str, list[tuple[str, str]]]
    unasked: Mapping[str, str]


def everything() -> dict[Pin, list[str]]:
    """Every pin of every list once, with the lists it stands in."""
    found: dict[Pin, list[str]] = {}
    for name in LISTS:
        for pin in pins(name):
            found.setdefault(pin._replace(marker=""), []).append(name)
    return found


def rounds(names: Iterable[Pin]) -> list[list[Pin]]:
    """The pins so that no round holds two versions of a package: the tool takes one of each at a time."""
    made: list[list[Pin]] = []
    for pin in sorted(names):
        free = next((each for each in made if pin.name not in {other.name for other in each}), None)
        if free is None:
            made.append(free := [])
        free.append(pin)
    return made


def newer(packages: Sequence[str]) -> dict[str, set[str]]:
    """The newest versions of the packages on the index, whatever our own requirements allow."""
    command = [BIN / "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--no-deps"]
    command += ["--no-header", "--no-annotate", "-"]
    done = subprocess.run(command, input="\n".join(packages), capture_output=True, text=True)
    if done.returncode:
        raise OSError(_last_line(done.stderr))
    found: dict[str, set[str]] = {}
    for line in done.stdout.splitlines():
        name, _, version = line.partition(" ;")[0].partition("==")
        found.setdefault(name, set()).add(version)
    return found


def audited(tools: Path, service: str, asked: Sequence[Pin]) -> Answers:
    """What pip-audit learns of these pins. It ends well, too, when it learns nothing: what it skips is told apart."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("".join(f"{pin.name}=={pin.version}\n" for pin in asked))
        file.flush()
        command = [tools / "pip-audit", "--requirement", file.name, "--no-deps", "--disable-pip", "--format", "json"]
        command += ["--progress-spinner", "off", "--vulnerability-service", service]
        done = subprocess.run(command, capture_output=True, text=True)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        return Answers({}, dict.fromkeys((str_of(pin) for pin in asked), _last_line(done.stderr)))
    return answers(told, asked)


def answers(told: Mapping[str, Any], asked: Sequence[Pin]) -> Answers:
    """What pip-audit's JSON says of the pins that it was asked for."""
    spoken = {each["name"]: each for each in told["dependencies"]}
    vulnerable, unasked = {}, {}
    for pin in asked:
        said = spoken.get(pin.name, {"skip_reason": "it was left out of the answer"})
        if "skip_reason" in said:
            unasked[str_of(pin)] = said["skip_reason"]
        elif said["vulns"]:
            vulnerable[str_of(pin)] = [(v["id"], ", ".join(v["fix_versions"]) or "none yet") for v in said["vulns"]]
    return Answers(vulnerable, unasked)


def str_of(pin: Pin) -> str:
    return f"{pin.name} {pin.version}"


def write_sbom(tools: Path) -> None:
    """What is installed in .venv, with licences and who asks for whom."""
    SBOM.parent.mkdir(exist_ok=True)
    command = [tools / "cyclonedx-py", "environment", "--output-reproducible", "--no-validate", "--of", "JSON"]
    command += ["--pyproject", ROOT / "pyproject.toml", "--output-file", SBOM, BIN / "python"]
    subprocess.run(command, check=True, capture_output=True)


def tell(console: Console, service: str, known: Answers, count: int) -> int:
    """Prints what is known to be vulnerable; the code to end with."""
    if known.vulnerable:
        table = Table("package", "advisory", "mended in", title="Known to be vulnerable", title_justify="left")
        for package, found in known.vulnerable.items():
            for advisory, versions in found:
                table.add_row(package, advisory, versions)
        console.print(table)
    if known.unasked:
        reason = next(iter(known.unasked.values()))
        console.print(
            f"NOT KNOWN whether {len(known.unasked)} of {count} pins are vulnerable: {service} did not answer "
            f"({reason}). Run it where the service can be reached, or with the other one (--service).",
            style="red",
            soft_wrap=True,
        )
    elif not known.vulnerable:
        console.print(f"No advisory of {service} names any of the {count} pins.")
    return KNOWN if known.vulnerable else UNASKED if known.unasked else 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tools", type=Path, required=True, help="where the programs of supply.txt are")
    parser.add_argument("--service", choices=("pypi", "osv"), default="pypi", help="who is asked for advisories")
    given = parser.parse_args()
    console, all_pins = Console(), everything()

    try:
        newest = newer(sorted({pin.name for pin in all_pins}))
    except OSError as error:
        console.print(f"NOT KNOWN what is newer: {error}", style="red", soft_wrap=True)
    else:
        table = Table("package", "pinned", "newest", "list", title="Newer on the index", title_justify="left")
        for pin, where in sorted(all_pins.items()):
            if pin.version not in newest[pin.name]:
                table.add_row(pin.name, pin.version, ", ".join(sorted(newest[pin.name])), ", ".join(where))
        console.print(table if table.row_count else "Every pin is the newest version there is.")

    write_sbom(given.tools)
    console.print(f"Written: {SBOM.relative_to(ROOT)}")

    parts = [audited(given.tools, given.service, each) for each in rounds(all_pins)]
    known = Answers(
        {package: found for part in parts for package, found in part.vulnerable.items()},
        {package: reason for part in parts for package, reason in part.unasked.items()},
    )
    return tell(console, given.service, known, len(all_pins))


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no word of why")


if __name__ == "__main__":
    sys.exit(main())
