"""What is fed to the readers and to the reader of YAML pages, and what may come of it: a sentence, or rows.

Not here: files that look real (tests/reliability/bad_input), the fuzzing itself (fuzz), the corpus of every test run
(test_corpus).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.contracts.pages import PageError, read_page
from kinerja_pipeline.landing.readers import UnreadableFile, read_source
from kinerja_pipeline.landing.reshape import reshape
from kinerja_pipeline.plain import visible
from kinerja_pipeline.policies.mapping import FileMapping

CORPUS = Path(__file__).with_name("corpus")
_LOG = FileMapping(reader="attlog", columns={"device_id": "device_number"})
_FEEDS = load_contracts().incoming
_PAGE = Path(tempfile.gettempdir()) / "fuzzed.yaml"


def _reader(mapping: FileMapping, feed: str) -> Callable[[bytes], None]:
    def feed_to(data: bytes) -> None:
        said = ""
        try:
            source = read_source(data, "fuzz/file", mapping, _FEEDS[feed])
        except UnreadableFile as refusal:
            said = str(refusal)
        if said:
            assert said.startswith("fuzz/file, ")
            assert visible(said) == said
            return
        result = reshape(source, mapping, _FEEDS[feed])
        assert result.file_row_count == result.landed["_source_row"].n_unique()
        assert result.landed["_source_row"].is_sorted()

    return feed_to


def _page(data: bytes) -> None:
    _PAGE.write_bytes(data)
    said = _PAGE.name
    try:
        read_page(_PAGE)
    except PageError as refusal:
        said = str(refusal)
    assert said.startswith(_PAGE.name)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "attlog": _reader(_LOG, "attendance_log"),
    "csv": _reader(FileMapping(reader="csv"), "device_pin"),
    "csv16": _reader(FileMapping(reader="csv", encoding="utf-16", delimiter="\t"), "device_pin"),
    "jsonl": _reader(FileMapping(reader="jsonl"), "device_pin"),
    "xlsx": _reader(FileMapping(reader="xlsx"), "device_pin"),
    "page": _page,
}
"""Parquet is not here: each of its files takes a process of half a second (tests/reliability tries hundreds)."""
