"""For those who write down what a region has decided: its policy checked, in words, and as a schema for editors.

Here: policy. Not here: what a policy may say, or what is wrong with one (policies/).
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kinerja_pipeline.cli.frame import MonthType, stop


@click.group(short_help="Check and read what the regions have decided.")
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
        stop(str(error))
    if region not in policies:
        stop(f"There is {no_region(region, policies)}")
    asked = month or f"{dt.datetime.now(policies[region].zone):%Y-%m}"
    ruling = policies.in_force(region, asked)
    click.echo(explained(ruling, asked, policy_version(ruling)))


@policy.command("schema", short_help="The JSON Schema of a policy file.")
def policy_schema() -> None:
    """Print the JSON Schema of a policy file; editors complete and check with it."""
    import json

    from kinerja_pipeline.policies.check import policy_schema as schema

    click.echo(json.dumps(schema(), indent=2, ensure_ascii=False))
