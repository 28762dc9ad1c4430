"""docs/promises.md: made from policies, contracts and tests, and not older than they are."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.warehouse.views import load_views

DOCS = Path(__file__).parents[2] / "docs"
MAKER: dict[str, Any] = runpy.run_path(str(DOCS / "promises.py"))
INITIALS = {"manokwari": ("M", 9), "salor": ("S", 8), "mamuju": ("A", 7), "pariaman": ("P", 7), "nanggalo": ("N", 5)}


def test_the_page_is_what_the_sources_say() -> None:
    assert MAKER["PAGE"].read_text(encoding="utf-8") == MAKER["page"](), "run `make docs`"


def test_every_region_declares_its_promises_and_every_promise_has_a_test() -> None:
    expected = {region: [f"{letter}{n}" for n in range(1, last + 1)] for region, (letter, last) in INITIALS.items()}
    assert {region: list(policy.promises) for region, policy in load_policies().items()} == expected
    assert sum(map(len, expected.values())) == 36
    proven = MAKER["proven"]()
    assert sorted(proven) == sorted(promise for own in expected.values() for promise in own)
    assert [name for tests in proven.values() for _, name, text in tests if not text] == []


def test_a_test_stands_in_the_file_of_its_promises_region() -> None:
    for promise, tests in MAKER["proven"]().items():
        region = next(region for region, (letter, _) in INITIALS.items() if promise.startswith(letter))
        assert {file for file, _, _ in tests} == {f"test_{region}_promises.py"}, promise


def test_a_promise_names_something_that_keeps_it() -> None:
    for policy in load_policies().values():
        for name, promise in policy.promises.items():
            assert promise.indicators or promise.follow_up or promise.tables, name
            assert set(promise.views) <= {view.name for view in load_views()}, name
