"""What judging costs: the import, a region and month by our run of the suites, and the same by the library's own run.

    python benchmarks/judging.py

All contracts as they stand, 200 rows in each published table; processor time. "First" imports the library, builds the
suites and looks up their metrics, which a process does once.

Measured on 2 cores with great-expectations 1.24.1: first feeds 3.7 (nearly all the import), first tables 0.8; then
14 feeds with 290 expectations 0.05, 27 tables with 473 expectations 0.21; by the library's own run 1.7 and 4.0.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import redirect_stderr

import polars as pl
from measuring import Figure, Timed, in_turn, show, told

from kinerja_pipeline.contracts.model import Contract, load_contracts
from kinerja_pipeline.contracts.validation import Counts, judge_counts, judge_published, published_rows

ROWS = 200
PERIODS = ("2026-03", "2026-Q1", "2026-S1", "2026")
DTYPES = {
    "string": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "boolean": pl.Boolean,
    "date": pl.Date,
    "timestamp": pl.Datetime("us", "UTC"),
}


def counts_of(contract: Contract) -> Counts:
    failed = {contract.rules[0].name: 3}
    return Counts(10_000, 5, 9_998, failed, dict.fromkeys(contract.names, 10))


def frame_of(contract: Contract) -> pl.DataFrame:
    schema = {c.name: DTYPES[c.kind] for c in contract.columns}
    return pl.DataFrame({name: [None] * ROWS for name in schema}, schema=schema)


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def figures() -> tuple[list[Figure], dict[str, Timed]]:
    contracts = load_contracts()
    feeds = list(contracts.incoming.values())
    tables = [(c, frame_of(c)) for c in contracts.outgoing.values()]

    def feeds_by_us() -> int:
        return sum(len(judge_counts(c, counts_of(c)).outcomes) for c in feeds)

    def documents() -> None:
        for judgement in judged:
            judgement.document()

    def tables_by_us() -> int:
        return sum(len(judge_published(c, frame, "manokwari", PERIODS).outcomes) for c, frame in tables)

    def feeds_by_the_library() -> None:
        from great_expectations.validator.validator import Validator

        from kinerja_pipeline.contracts.engines import EvidenceEngine
        from kinerja_pipeline.contracts.expectations import result_format, suite_of

        how = {"result_format": result_format(with_examples=False)}
        for c in feeds:
            engine = EvidenceEngine(c, counts_of(c))
            Validator(execution_engine=engine).graph_validate(suite_of(c).expectation_configurations, how)

    def tables_by_the_library() -> None:
        from great_expectations.validator.validator import Validator

        from kinerja_pipeline.contracts.engines import RecountEngine
        from kinerja_pipeline.contracts.expectations import result_format, suite_of

        how = {"result_format": result_format(with_examples=True)}
        for c, frame in tables:
            engine = RecountEngine(c, published_rows(c, frame, "manokwari", PERIODS))
            Validator(execution_engine=engine).graph_validate(suite_of(c).expectation_configurations, how)

    once = {
        "feeds, first": seconds(feeds_by_us),
        "tables, first": seconds(tables_by_us),
    }
    judged = [judge_counts(c, counts_of(c)) for c in feeds]
    # The library draws a progress bar per suite, whatever it is told.
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
        timed = in_turn(
            {
                "feeds": feeds_by_us,
                "their documents": documents,
                "tables": tables_by_us,
                "feeds by the library": feeds_by_the_library,
                "tables by the library": tables_by_the_library,
            },
            clock=time.process_time,
        )
    ours, theirs = (
        sum(timed[name].median for name in names)
        for names in (("feeds", "tables"), ("feeds by the library", "tables by the library"))
    )
    size = f"{len(feeds)} feeds ({feeds_by_us()} expectations) and {len(tables)} tables ({tables_by_us()})"
    detail = f"{told(timed)}; once a process: {', '.join(f'{name} {taken:.2g} s' for name, taken in once.items())}"
    return [Figure(f"judging {size} / by Great Expectations' own run", ours / theirs, 0.2, "x", detail)], timed


if __name__ == "__main__":
    show(figures()[0])
