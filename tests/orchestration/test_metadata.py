"""What the UI says of a table and its checks: counts and rules in words, never a value."""

from __future__ import annotations

import dataclasses

import polars as pl
from dagster import AssetCheckResult, AssetKey, MarkdownMetadataValue

from kinerja_pipeline.contracts.model import Contract, load_contracts
from kinerja_pipeline.contracts.validation import Counts, judge_counts, judge_published
from kinerja_pipeline.orchestration.metadata import column_schema, conservation_check, contract_check, promise_check

KEY = AssetKey(["validated", "attendance_log"])
LOG = load_contracts().incoming["attendance_log"]


def tally(*lines: tuple[str, str, str, int, int, int, int, int, int | None]) -> pl.DataFrame:
    names = ("delivery_id", "rule_id", "severity_code", "landed_count", "valid_count", "rejected_count")
    return pl.DataFrame(lines, schema=[*names, "superseded_count", "failed_count", "first_source_row"], orient="row")


# Two deliveries: 100 rows with 3 rejected and 2 superseded, 50 rows with 1 rejected.
TALLY = tally(
    ("b" * 64, "all", "error", 50, 49, 1, 0, 1, None),
    ("b" * 64, "pin__unknown", "error", 0, 0, 1, 0, 1, 31),
    ("a" * 64, "all", "error", 100, 95, 3, 2, 3, None),
    ("a" * 64, "pin__unknown", "error", 0, 0, 2, 0, 2, 7),
    ("a" * 64, "row__short", "error", 0, 0, 1, 0, 1, 9),
)


def checked(contract: Contract, tally: pl.DataFrame) -> AssetCheckResult:
    total = tally.filter(pl.col("rule_id") == "all")
    landed, rejected = total["landed_count"].sum(), total["rejected_count"].sum()
    torn = tally.filter(pl.col("rule_id") == "row__short")["failed_count"].sum()
    failed = dict(tally.group_by("rule_id").agg(pl.col("failed_count").sum()).iter_rows())
    counts = Counts(int(landed), int(rejected), int(landed - torn), failed, dict.fromkeys(contract.names, 0))
    return contract_check(contract, KEY, judge_counts(contract, counts), tally)


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
    assert lines[2].endswith("| 3 | met | line 7 of delivery aaaaaaaa |")
    assert lines[3].startswith("| **row__short** | the reader must be able to take the row apart | 1 | met | line 9 ")
    assert "| device_id__missing | device_id must have a value | 0 | met | |" in lines
    assert result.metadata["expectations"].value == "15 of 15 met"
    assert len(lines) == 2 + len(LOG.rules) + 1, "every rule of the contract once, and the reader's own"


def test_a_bar_in_a_pattern_does_not_end_the_cell() -> None:
    rule = dataclasses.replace(LOG.rules[0], description="pin must match ^(a|b)$")
    rules = checked(dataclasses.replace(LOG, rules=(rule,)), TALLY).metadata["rules"]
    assert isinstance(rules, MarkdownMetadataValue)
    assert "^(a\\|b)$" in (rules.value or "")


def test_more_rejected_rows_than_the_contract_bears_fail_the_check_and_say_what_to_do() -> None:
    result = checked(LOG, tally(("a" * 64, "all", "error", 10, 9, 1, 0, 1, None)))
    assert not result.passed
    assert "deliver them again" in (result.description or "")


def test_a_month_without_deliveries_is_no_failure() -> None:
    result = checked(LOG, TALLY.clear())
    assert result.passed
    assert result.description == "0 of 0 rows rejected (0.00%, tolerance 5%). Within tolerance."


def test_a_lost_row_fails_conservation() -> None:
    kept = conservation_check(KEY, TALLY)
    lost = conservation_check(KEY, tally(("a" * 64, "all", "error", 10, 8, 1, 0, 1, None)))
    assert (kept.passed, kept.description) == (True, "2 of 2 deliveries add up.")
    assert not lost.passed
    assert (lost.description or "").startswith("1 of 1 deliveries do not add up")


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
