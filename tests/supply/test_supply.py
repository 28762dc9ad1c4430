"""What the monthly look at the pins makes of the answers that it gets, and of getting none."""

from __future__ import annotations

import io

from pins import Pin
from rich.console import Console
from supply import Answers, answers, rounds, tell

RICH, CLICK = Pin("rich", "15.0.0", ""), Pin("click", "8.5.1", "")


def told(known: Answers) -> tuple[int, str]:
    console = Console(file=io.StringIO(), width=120)
    code = tell(console, "pypi", known, 2)
    return code, console.file.getvalue()  # type: ignore[attr-defined]


def test_an_advisory_is_told_with_what_mends_it_and_ends_with_one() -> None:
    vulns = [{"id": "PYSEC-1", "fix_versions": ["15.0.1", "16.0"]}, {"id": "PYSEC-2", "fix_versions": []}]
    said = {"dependencies": [{"name": "rich", "vulns": vulns}, {"name": "click", "vulns": []}]}
    known = answers(said, [RICH, CLICK])
    assert known == Answers({"rich 15.0.0": [("PYSEC-1", "15.0.1, 16.0"), ("PYSEC-2", "none yet")]}, {})
    code, text = told(known)
    assert code == 1
    assert all(word in text for word in ("rich 15.0.0", "PYSEC-1", "15.0.1, 16.0", "PYSEC-2", "none yet"))


def test_pins_that_the_service_knows_nothing_of_are_not_taken_for_sound() -> None:
    """pip-audit itself says `No known vulnerabilities found` and ends with 0 when an index answers for nothing."""
    said = {"dependencies": [{"name": "rich", "skip_reason": "not found"}]}
    known = answers(said, [RICH, CLICK])
    assert known == Answers({}, {"rich 15.0.0": "not found", "click 8.5.1": "it was left out of the answer"})
    code, text = told(known)
    assert code == 3
    assert "NOT KNOWN whether 2 of 2 pins are vulnerable: pypi did not answer (not found)" in text


def test_nothing_known_against_any_pin_ends_with_zero() -> None:
    said = {"dependencies": [{"name": name, "vulns": []} for name in ("rich", "click")]}
    assert told(answers(said, [RICH, CLICK])) == (0, "No advisory of pypi names any of the 2 pins.\n")


def test_no_round_of_questions_holds_two_versions_of_a_package() -> None:
    old = Pin("rich", "14.0.0", "")
    assert rounds([RICH, CLICK, old]) == [[CLICK, old], [RICH]]
