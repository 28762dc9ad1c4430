"""docs/promises.md: every promise of the packaged regions, what keeps it, and the tests that prove it.

Here: policies, contracts and the sources of tests/promises -> one page. Not here: the promises (each region's policy)
and what is still missing of one (the `Not yet:` line of its test). `python docs/promises.py` writes the page.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from kinerja_pipeline.contracts.model import Contracts, load_contracts
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.policies.model import Policy, Promise

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "promises.md"
TESTS = ROOT / "tests" / "promises"
NAMED = re.compile(r"test_([a-z][1-9][0-9]?)_\w+")
NOT_YET = "Not yet: "

OPENING = """\
# Promises

What each region asked for, and what keeps it. `make docs` makes this page from the policies
(`kinerja_pipeline/policies/<region>.yaml`, key `promises`), the contracts and the tests of `tests/promises`; a test
fails when it is out of date. Each test builds a world of a few rows, computes with the region's own policy and compares
with figures worked out by hand. *Not yet* is what a promise asks for beyond what is published today.

An indicator stands in `kpi` (its declaration in `indicator`), a rule's recommendations in `follow_up`.
"""
HEADINGS = """\
| | promise | indicators | follow-up rules | tables | views | test | kept |
|---|---|---|---|---|---|---|---|"""
Proofs = Mapping[str, list[tuple[str, str, str]]]
"""By promise: file, name and docstring of its tests."""


def page() -> str:
    """The page as it should be."""
    contracts, proofs, policies = load_contracts(), proven(), load_policies()
    overview = [
        _line(promise_id, promise, policy, contracts, proofs)
        for policy in policies.values()
        for promise_id, promise in policy.promises.items()
    ]
    parts = [OPENING, "\n".join([HEADINGS, *overview]) + "\n"]
    for region, policy in policies.items():
        parts.append(f"## {policy.labels.en} (`{region}`)\n")
        for promise_id, promise in policy.promises.items():
            parts.append("\n".join(_section(promise_id, promise, policy, contracts, proofs)) + "\n")
    return "\n".join(parts)


def proven() -> Proofs:
    """The tests whose names begin with a promise's id."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for path in sorted(TESTS.glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and (named := NAMED.fullmatch(node.name)):
                text = " ".join((ast.get_docstring(node) or "").split())
                found.setdefault(named[1].upper(), []).append((path.name, node.name, text))
    return found


def _line(promise_id: str, promise: Promise, policy: Policy, contracts: Contracts, proofs: Proofs) -> str:
    tests = proofs.get(promise_id, [])
    links = ", ".join(f"[{file}](../tests/promises/{file})" for file in dict.fromkeys(file for file, _, _ in tests))
    kept = "no test" if not tests else "in part" if any(NOT_YET in text for _, _, text in tests) else "yes"
    tables = _tables(promise, policy, contracts)
    codes = map(_codes, (promise.indicators, promise.follow_up, tables, promise.views))
    cells = [promise_id, promise.labels.en, *codes, links, kept]
    return f"| {' | '.join(cells)} |"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _section(promise_id: str, promise: Promise, policy: Policy, contracts: Contracts, proofs: Proofs) -> Iterator[str]:
    yield f"### {promise_id}. {promise.labels.en}\n"
    yield "| | |\n|---|---|"
    yield f"| asked for | {promise.labels.id} |"
    for name in promise.indicators:
        declared = policy.indicators[name]
        yield f"| indicator | `{name}`: {declared.labels.en}, per {', '.join(declared.subjects)} |"
    for name in promise.follow_up:
        yield f"| rule | `{name}`: {policy.follow_up[name].labels.en} |"
    yield f"| tables | {_codes(_tables(promise, policy, contracts))} |"
    if promise.views:
        yield f"| views | {_codes(promise.views)} |"
    tests = proofs.get(promise_id, [])
    for file, name, text in tests:
        proof, _, missing = text.partition(NOT_YET)
        yield f"| proven by | [`{name}`](../tests/promises/{file}): {proof.strip()} |"
        if missing:
            yield f"| not yet | {missing} |"
    if not tests:
        yield "| proven by | no test |"


def _tables(promise: Promise, policy: Policy, contracts: Contracts) -> list[str]:
    """The published tables: of the indicators and their facts, of the rules, and those the promise names."""
    facts = [policy.indicators[name].fact for name in promise.indicators]
    named = ["kpi"] * bool(promise.indicators) + ["follow_up"] * bool(promise.follow_up) + facts + promise.tables
    return [table for table in dict.fromkeys(named) if table in contracts.outgoing]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
