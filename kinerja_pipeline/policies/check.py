"""Everything that is wrong in policy files, and the JSON Schema that editors complete them with.

Here: all problems at once, for the people who write the files. Not here: loading, which stops at the first
(policies/loader), and what a declaration may say (policies/indicators).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kinerja_pipeline.contracts.model import Contracts
from kinerja_pipeline.policies.indicators import wrong_declarations
from kinerja_pipeline.policies.loader import Problem, layers_of, near_word, read_policy_files
from kinerja_pipeline.policies.model import Policy


def check_policies(folder: Path | None, contracts: Contracts, file: Path | None = None) -> list[Problem]:
    """What is wrong in the packaged policies and those of `folder`, one problem per line; with `file`, only in that.

    A file that lies elsewhere is checked as if it lay in `folder`.
    """
    files, problems = read_policy_files(folder, file)
    versions: dict[str, list[Policy]] = {}
    for layers in layers_of(files):
        policy = layers.policy()
        if isinstance(policy, list):
            problems += policy
            continue
        before = versions.setdefault(layers.region, [])
        problems += layers.misdated_rounds(policy, before)
        before.append(policy)
        for feed in policy.feeds:
            if feed not in contracts.incoming:
                problems.append(
                    layers.problem(["feeds", feed], f"there is no feed '{feed}'{near_word(feed, contracts.incoming)}")
                )
        for name, promise in policy.promises.items():
            for number, table in enumerate(promise.tables):
                if table not in contracts.outgoing:
                    text = f"there is no published table '{table}'{near_word(table, contracts.outgoing)}"
                    problems.append(layers.problem(["promises", name, "tables", number], text))
        teams = sorted({contract.owner for contract in contracts.incoming.values()})
        for team in policy.contacts:
            if team not in teams:
                text = f"'{team}' owns no feed{near_word(team, teams)}; the contracts name {', '.join(teams)}"
                problems.append(layers.problem(["contacts", team], text))
        problems += [layers.problem(e.place, e.text) for e in wrong_declarations(policy, contracts)]
    # A mistake of the default is one mistake, though every region and version meets it.
    once = list(dict.fromkeys(problems))
    return once if file is None else [p for p in once if p.path.resolve() == file.resolve()]


def policy_schema() -> dict[str, Any]:
    """The JSON Schema of a policy file. A file states only what differs, so no key is required but those of list
    entries, which replace as a whole."""
    schema = Policy.model_json_schema()
    definitions: dict[str, Any] = schema["$defs"]
    partial: set[str] = set()

    def visit(node: Any) -> None:
        if not isinstance(node, dict):
            return
        name = str(node.get("$ref", "")).rpartition("/")[2]
        if name and name not in partial:
            partial.add(name)
            visit(definitions[name])
        for key, inside in node.items():
            if key in ("anyOf", "oneOf"):
                for option in inside:
                    visit(option)
            elif key in ("properties", "patternProperties"):
                for value in inside.values():
                    visit(value)
            elif key == "additionalProperties":
                visit(inside)

    visit(schema)
    for node in (schema, *(definitions[name] for name in partial)):
        node.pop("required", None)
    title = "Kinerja Pipeline policy file"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}
