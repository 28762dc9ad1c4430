"""Spoiled files and pages: a sentence for people or rows that add up; never a traceback, a hang, or all the memory.

`make reliability` tries 10,000 of them, each with a limit of time and memory, and prints the table; every test run
tries 300. docs/reliability.md says what becomes of each kind.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest
from bad_input import LARGE, SMALL, Good
from bad_input_trial import Seen, good_files, together, trial_of_files, trial_of_pages
from told import Told

REGIONS = ("mamuju", "manokwari", "nanggalo", "pariaman", "salor")
SECONDS, MEGABYTES = 60, 2_000
"""What one file may take: the largest of these are of ten megabytes."""
FILES, PAGES, BATCH = 8_500, 1_500, 100


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[Good]]]:
    folder = tmp_path_factory.mktemp("bad_input")
    return folder, good_files(folder)


def test_250_spoiled_files_are_refused_in_words_or_land_without_losing_a_row(
    good: tuple[Path, dict[str, list[Good]]],
) -> None:
    folder, files = good
    each = 250 // len(REGIONS)
    seen = together(
        [
            trial_of_files(folder, region, files[region], range(n * each, (n + 1) * each), SMALL, _unheard, None)
            for n, region in enumerate(REGIONS)
        ]
    )
    _holds(seen)
    assert sum(one.trials for one in seen.values()) == 250
    assert min(sum(one.refused for one in seen.values()), sum(one.landed for one in seen.values())) > 50


def test_50_spoiled_pages_are_read_or_refused_in_words(tmp_path: Path) -> None:
    seen = trial_of_pages(tmp_path, range(50), SMALL, _unheard, None)
    _holds(seen)
    assert sum(one.trials for one in seen.values()) == 50
    assert sum(one.refused for one in seen.values()) > 25


@pytest.mark.long
def test_10000_spoiled_files_and_pages(good: tuple[Path, dict[str, list[Good]]], told: Told) -> None:
    folder, files = good
    work: list[tuple[str, list[Good], range, bool]] = []
    for place, start in enumerate(range(0, FILES, BATCH)):
        region = REGIONS[place % len(REGIONS)]
        # Every eighth lot goes as far as a million columns.
        work.append((region, files[region], range(start, start + BATCH), place % 8 == 0))
    work += [("", [], range(s, s + BATCH), s == FILES) for s in range(FILES, FILES + PAGES, BATCH)]
    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(lambda lot: _in_a_process(folder, *lot), work))
    seen = together(parts)
    print(f"\n{_table(seen)}")
    all_of = together([{"all": one} for one in seen.values()])["all"]
    told.row("spoiled files and pages", all_of.trials, lost=all_of.lost_rows)
    _holds(seen)
    whole = [sum(getattr(one, name) for one in seen.values()) for name in ("trials", "lost_rows")]
    assert whole == [FILES + PAGES, 0]
    assert max(one.longest for one in seen.values()) < SECONDS
    assert max(one.peak_megabytes for one in seen.values()) < MEGABYTES


def _unheard(number: int, text: str) -> None:
    pass


def _holds(seen: Mapping[str, Seen]) -> None:
    said = [f"{kind}: {text}" for kind, one in seen.items() for text in one.tracebacks]
    assert not said, "\n".join(said[:20])
    assert all(one.trials == one.refused + one.landed for one in seen.values() if one.trials), seen


def _in_a_process(folder: Path, region: str, files: list[Good], seeds: range, is_large: bool) -> dict[str, Seen]:
    """A lot of cases in a process of its own; one that ends it, or outstays its time, is told by its name."""
    name = f"lot-{seeds.start}"
    process = multiprocessing.get_context("spawn").Process(
        target=_lot, args=(folder, name, region, files, seeds, is_large)
    )
    process.start()
    process.join(SECONDS * BATCH)
    process.kill()
    result = folder / f"{name}.json"
    if process.exitcode == 0:
        return {kind: Seen(**one) for kind, one in json.loads(result.read_text()).items()}
    last = (folder / f"{name}.txt").read_text().splitlines()[-1]
    return {"ended the process": Seen(trials=len(seeds), tracebacks=[f"exit code {process.exitcode} after {last}"])}


def _lot(folder: Path, name: str, region: str, files: list[Good], seeds: range, is_large: bool) -> None:
    size = LARGE if is_large else SMALL
    with (folder / f"{name}.txt").open("w", encoding="utf-8", errors="backslashreplace") as log:

        def told(number: int, text: str) -> None:
            print(number, text, file=log, flush=True)

        if files:
            seen = trial_of_files(folder, region, files, seeds, size, told, SECONDS)
        else:
            seen = trial_of_pages(folder, seeds, size, told, SECONDS)
    (folder / f"{name}.json").write_text(json.dumps({kind: asdict(one) for kind, one in seen.items()}))


def _table(seen: Mapping[str, Seen]) -> str:
    names = ("trials", "refused", "landed", "lost rows", "tracebacks", "longest s", "peak MB")
    head = f"{'fault':32}" + "".join(f"{name:>12}" for name in names)
    lines = [
        f"{kind:32}{one.trials:12}{one.refused:12}{one.landed:12}{one.lost_rows:12}{len(one.tracebacks):12}"
        f"{one.longest:12.2f}{one.peak_megabytes:12}"
        for kind, one in [*seen.items(), ("all", together([{"all": one} for one in seen.values()])["all"])]
    ]
    return "\n".join([head, *lines])
