"""What the UI says of a table and its checks: what was asked and found, where, and what to do; nobody is named."""

from __future__ import annotations

import dataclasses

import polars as pl
from dagster import AssetCheckResult, AssetCheckSeverity, AssetKey, MarkdownMetadataValue, StaticPartitionsDefinition

from kinerja_pipeline.contracts.model import Contract, Severity, load_contracts
from kinerja_pipeline.contracts.validation import Counts, Judgement, judge_counts, judge_published
from kinerja_pipeline.orchestration.checks import (
    conservation_check,
    contract_check,
    promise_check,
    rule_check_specs,
    rule_checks,
    sums_check,
    taps_check,
    volume_check,
)
from kinerja_pipeline.orchestration.metadata import column_schema
from kinerja_pipeline.validated.evidence import blocked, borne
from kinerja_pipeline.validated.owners import Owners
from kinerja_pipeline.validated.samples import Sample
from kinerja_pipeline.validated.usual import volume

KEY = AssetKey(["validated", "attendance_log"])
LOG = load_contracts().incoming["attendance_log"]


def tally(*lines: tuple[str, str, str, int, int, int, int, int, int | None]) -> pl.DataFrame:
    names = ("delivery_id", "rule_id", "severity_code", "landed_count", "valid_count", "rejected_count")
    frame = pl.DataFrame(lines, schema=[*names, "superseded_count", "failed_count", "first_source_row"], orient="row")
    return frame.with_columns(feed=pl.lit("attendance_log"))


# Two deliveries: 100 rows with 3 rejected and 2 superseded, 50 rows with 1 rejected.
TALLY = tally(
    ("b" * 64, "all", "error", 50, 49, 1, 0, 1, None),
    ("b" * 64, "pin__unknown", "error", 0, 0, 1, 0, 1, 31),
    ("a" * 64, "all", "error", 100, 95, 3, 2, 3, None),
    ("a" * 64, "pin__unknown", "error", 0, 0, 2, 0, 2, 7),
    ("a" * 64, "row__short", "error", 0, 0, 1, 0, 1, 9),
)


def judgement_of(contract: Contract, tally: pl.DataFrame) -> Judgement:
    total = tally.filter(pl.col("rule_id") == "all")
    landed, rejected = total["landed_count"].sum(), total["rejected_count"].sum()
    torn = tally.filter(pl.col("rule_id") == "row__short")["failed_count"].sum()
    failed = dict(tally.group_by("rule_id").agg(pl.col("failed_count").sum()).iter_rows())
    counts = Counts(int(landed), int(rejected), int(landed - torn), failed, dict.fromkeys(contract.names, 0))
    return judge_counts(contract, counts)


def checked(contract: Contract, tally: pl.DataFrame, *shown: Sample) -> AssetCheckResult:
    return contract_check(contract, KEY, judgement_of(contract, tally), tally, shown)


def text(result: AssetCheckResult, name: str) -> str:
    value = result.metadata[name]
    assert isinstance(value, MarkdownMetadataValue)
    return value.value or ""


def test_the_contract_check_names_the_broken_rules_first_with_a_row_to_look_at() -> None:
    result = checked(LOG, TALLY)
    assert result.passed
    assert result.description == (
        "4 of 150 rows rejected (2.67%, tolerance 5%): pin__unknown 3, row__short 1. Within tolerance."
    )
    rules = result.metadata["rules"]
    assert isinstance(rules, MarkdownMetadataValue)
    lines = (rules.value or "").splitlines()
    assert lines[2].startswith("| **pin__unknown** |")
    assert lines[2].endswith("| blocking | 3 | 80% | met | line 7 of delivery aaaaaaaa |")
    short = "the row must have as many cells as the header"
    assert lines[3].startswith(f"| **row__short** | {short} | error | 1 |  | met | line 9 ")
    assert "| device_id__missing | device_id must have a value | error | 0 |  | met | |" in lines
    assert result.metadata["expectations"].value == "15 of 15 met"
    assert len(lines) == 2 + len(LOG.rules) + 1, "every rule of the contract once, and the reader's own"


def test_a_bar_in_a_pattern_does_not_end_the_cell() -> None:
    rule = dataclasses.replace(LOG.rules[0], description="pin must match ^(a|b)$")
    rules = checked(dataclasses.replace(LOG, rules=(rule,)), TALLY).metadata["rules"]
    assert isinstance(rules, MarkdownMetadataValue)
    assert "^(a\\|b)$" in (rules.value or "")


def test_more_rejected_rows_than_the_contract_bears_fail_the_check_and_say_what_to_do() -> None:
    result = checked(LOG, tally(("a" * 64, "all", "error", 10, 9, 1, 0, 1, None)))
    assert (result.passed, result.severity) == (False, AssetCheckSeverity.WARN)
    assert "deliver the file again" in (result.description or "")


TASKS = load_contracts().incoming["task_record"]
LATE = "completed_at__before__opened_at"
THREE_EARLY = tally(
    ("a" * 64, "all", "error", 100, 97, 3, 0, 3, None),
    ("a" * 64, LATE, "error", 0, 0, 3, 0, 3, 12),
)


def with_tolerance(severity: Severity, share: float) -> Contract:
    """Task records of which only so many may be completed before they were opened."""
    changes = {LATE: {"tolerance_share": share, "severity": severity}}
    rules = tuple(dataclasses.replace(r, **changes.get(r.name, {})) for r in TASKS.rules)
    return dataclasses.replace(TASKS, rules=rules)


def test_a_rule_with_a_tolerance_of_its_own_fails_the_check_with_its_own_severity() -> None:
    assert checked(TASKS, THREE_EARLY).passed, "3 % of the rows are within the 5 % of the feed"
    assert checked(with_tolerance("error", 0.03), THREE_EARLY).passed
    severities: tuple[Severity, ...] = ("error", "warning")
    failed = [checked(with_tolerance(severity, 0.02), THREE_EARLY) for severity in severities]
    assert [(f.passed, f.severity) for f in failed] == [
        (False, AssetCheckSeverity.ERROR),
        (False, AssetCheckSeverity.WARN),
    ]
    assert f"{LATE}: 3 of 100, tolerance 2%." in (failed[0].description or "")


def test_the_row_to_look_at_first_breaks_the_rule_that_is_told_first() -> None:
    other = Sample("task_type__code", "task_record/lama.csv", 7, {"task_id": "T-0"})
    row = Sample(LATE, "task_record/maret.csv", 12, {"task_id": "T-1"})
    lines = pl.concat([THREE_EARLY, tally(("a" * 64, "task_type__code", "error", 0, 0, 1, 0, 1, 7))])
    failed = checked(with_tolerance("error", 0.02), lines, other, row)
    assert "First: task_record/maret.csv, line 12." in (failed.description or "")


def test_a_failed_check_says_what_to_do_in_both_languages_and_shows_rows() -> None:
    row = Sample(LATE, "task_record/maret.csv", 12, {"task_id": "T-1", "opened_at": "2026-03-02"})
    failed = checked(with_tolerance("error", 0.02), THREE_EARLY, row)
    assert "First: task_record/maret.csv, line 12." in (failed.description or "")
    assert text(failed, "what to do").startswith(f"- **{LATE}** (")
    assert "have the supplier correct opened_at and completed_at" in text(failed, "what to do")
    assert "minta pengirim memperbaiki opened_at dan completed_at" in text(failed, "yang harus dilakukan")
    cells = "task_id = `T-1`, opened_at = `2026-03-02`"
    assert text(failed, "rows to look at").endswith(f"| {LATE} | task_record/maret.csv | 12 | {cells} |")
    assert "what to do" not in checked(TASKS, THREE_EARLY, row).metadata


MOST_UNKNOWN = tally(
    ("a" * 64, "all", "error", 10, 1, 9, 0, 9, None),
    ("a" * 64, "pin__unknown", "error", 0, 0, 9, 0, 9, 3),
)


def test_a_blocking_rule_is_a_check_by_itself_and_says_that_nothing_is_published() -> None:
    (spec,) = rule_check_specs(LOG, KEY, StaticPartitionsDefinition(["salor"]))
    assert (spec.name, spec.blocking) == ("pin__unknown", True)
    assert spec.description == (
        "device_id and pin must be known to device_pin. Where more than 80% of the rows break it, nothing is computed "
        "or published from them."
    )
    (kept,) = rule_checks(LOG, KEY, borne(LOG, TALLY), ())
    assert kept.passed
    row = Sample("pin__unknown", "attendance_log/1.dat", 3, {"device_id": "m1", "pin": "99"})
    (failed,) = rule_checks(LOG, KEY, borne(LOG, MOST_UNKNOWN), [row])
    assert (failed.passed, failed.severity) == (False, AssetCheckSeverity.ERROR)
    assert failed.description == (
        "device_id and pin must be known to device_pin. 9 of 10 rows break it (tolerance 80%). First: "
        "attendance_log/1.dat, line 3. Nothing is published from these rows. To do: deliver device_pin with what is "
        "lacking (its months then run again), or have device_id and pin corrected."
    )
    error = blocked("salor", "2026-03", {"attendance_log": (LOG, borne(LOG, MOST_UNKNOWN))})
    assert str(error) == (
        "Nothing was computed or published for salor 2026-03; what was published stays.\n"
        "- attendance_log: 9 of 10 rows break pin__unknown (device_id and pin must be known to device_pin; at most 80% "
        "may); deliver device_pin with what is lacking (its months then run again), or have device_id and pin corrected"
    )


def test_rows_of_replaced_files_do_not_count() -> None:
    stale, now = MOST_UNKNOWN, TALLY.filter(pl.col("delivery_id") == "b" * 64)
    both = pl.concat([stale, now])
    result = contract_check(LOG, KEY, judgement_of(LOG, both), both, (), now)
    assert result.passed
    assert result.description == (
        "1 of 50 rows rejected (2.00%, tolerance 5%): pin__unknown 1. 10 rows of files that were replaced since do not "
        "count. Within tolerance."
    )


def test_an_unusual_month_and_taps_of_nobody_are_warnings() -> None:
    few = volume(LOG, "2026-03", 1, {"2025-12": 90, "2026-01": 90, "2026-02": 90}, True)
    results = [volume_check(LOG, KEY, "2026-03", few), taps_check(LOG, KEY, Owners(10, 5, 5, 0, 1, 0))]
    assert {(r.passed, r.severity) for r in results} == {(False, AssetCheckSeverity.WARN)}
    assert taps_check(LOG, KEY, None).passed


def test_sums_that_differ_from_their_parts_are_named() -> None:
    assert sums_check(KEY, 12, ()).description == "12 sums, all equal to their parts."
    failed = sums_check(KEY, 12, [f"kpi a{n}: wrong" for n in range(10)])
    assert not failed.passed
    assert "kpi a0: wrong; kpi a1: wrong" in (failed.description or "")
    assert "; and 2 more. Nothing was published; what was published stays." in (failed.description or "")


def test_a_month_without_deliveries_is_no_failure() -> None:
    result = checked(LOG, TALLY.clear())
    assert result.passed
    assert result.description == "0 of 0 rows rejected (0.00%, tolerance 5%). Within tolerance."


def test_a_lost_row_fails_conservation() -> None:
    kept = conservation_check(KEY, TALLY)
    lost = conservation_check(KEY, tally(("a" * 64, "all", "error", 10, 8, 1, 0, 1, None)))
    told = "2 of 2 deliveries add up: 150 rows landed = 144 valid + 4 rejected + 2 superseded."
    assert (kept.passed, kept.description) == (True, told)
    assert not lost.passed
    assert (lost.description or "").startswith(
        "1 of 1 deliveries do not add up (attendance_log aaaaaaaa): a fault of the"
    )


def test_fewer_rows_than_the_ledger_says_fail_conservation() -> None:
    ledger = pl.DataFrame({"feed": ["attendance_log"] * 2, "delivery_id": ["a" * 64, "b" * 64]})
    assert conservation_check(KEY, TALLY, ledger.with_columns(ledger_count=pl.Series([100, 50]))).passed
    assert not conservation_check(KEY, TALLY, ledger.with_columns(ledger_count=pl.Series([101, 50]))).passed


def test_the_column_schema_shows_who_may_see_a_column() -> None:
    tags = {column.name: column.tags for column in column_schema(LOG).columns}
    assert tags["pin"] == {"classification": "restricted"}
    assert list(tags) == list(LOG.names)


def test_the_check_of_a_published_table_names_what_it_breaks_and_no_value() -> None:
    contract = load_contracts().outgoing["region"]
    schema = dict.fromkeys(contract.names, pl.String)
    good = {"region": "salor", "label_id": "Salor", "label_en": "Salor", "time_zone": "Asia/Jayapura"}
    rows = pl.DataFrame([{**good, "policy_version": "1"}, {**good, "region": "mamuju"}], schema=schema)
    judgement = judge_published(contract, rows, "salor", ["2026-03"])
    result = promise_check(contract, KEY, 2, judgement, ["region: broken"])
    assert not result.passed
    assert result.description == (
        "2 rows, 5 of 7 expectations met: policy_version__missing: 1 of 2 (policy_version must have a value); "
        "region__other: 1 of 2 (a publication is of one region)"
    )
    assert promise_check(contract, KEY, 0, None, ["region: a column is missing"]).description == (
        "0 rows, 0 of 0 expectations met: region: a column is missing"
    )
