"""What fuzzing starts from, and what once broke a reader: each file is read or refused, never a traceback."""

from __future__ import annotations

import pytest
from fuzz_readers import CORPUS, TARGETS

FILES = sorted(p for p in CORPUS.glob("*/*") if p.is_file())


@pytest.mark.parametrize("file", FILES, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_a_file_of_the_corpus_is_read_or_refused(file: object) -> None:
    TARGETS[file.parent.name](file.read_bytes())  # type: ignore[attr-defined]


def test_every_reader_has_a_corpus() -> None:
    assert {p.parent.name for p in FILES} == set(TARGETS)
