"""What an operator writes into a policy stays a text in the reports, as what a supplier delivers does
(test_monthly_page, test_monthly_workbook)."""

from __future__ import annotations

import itertools
import re
import zipfile
from io import BytesIO
from typing import Any

import pytest
from page_reader import Reader
from report_world import policy

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.policies.model import Policy
from kinerja_pipeline.reports.figures import Figures
from kinerja_pipeline.reports.page import page
from kinerja_pipeline.reports.workbook import workbook

POISON = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>&lt;",
    "=HYPERLINK(\"http://127.0.0.1\",\"x\")",
    "@SUM(A1)",
    "http://127.0.0.1",
)  # fmt: skip


@pytest.fixture(scope="module")
def hostile() -> Policy:
    """The policy with an attack in every label and in the source of every indicator."""
    texts = itertools.cycle(POISON)

    def poisoned(value: Any) -> Any:
        if isinstance(value, dict) and set(value) == {"id", "en"}:
            return dict.fromkeys(value, next(texts))
        if isinstance(value, dict):
            return {k: next(texts) if k == "source" and isinstance(v, str) else poisoned(v) for k, v in value.items()}
        return [poisoned(v) for v in value] if isinstance(value, list) else value

    return Policy.model_validate(poisoned(policy().model_dump(mode="json", by_alias=True)))


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("audience", ["officials", "everyone"])
def test_no_text_of_a_policy_becomes_part_of_the_page(
    language: Any, audience: Any, shown: Figures, hostile: Policy
) -> None:
    clean = Reader(page(shown, policy(), language, audience))
    html = page(shown, hostile, language, audience)
    reader = Reader(html)
    assert reader.tags <= clean.tags
    assert reader.attributes <= clean.attributes
    assert "<script" not in html


def test_no_text_of_a_policy_becomes_a_formula_or_a_link(shown: Figures, hostile: Policy) -> None:
    with zipfile.ZipFile(BytesIO(workbook(shown, hostile, load_contracts().outgoing, "id"))) as book:
        for name in book.namelist():
            if name.startswith("xl/worksheets/sheet"):
                assert not re.search(r"<f[ >]|<hyperlink", book.read(name).decode()), name
