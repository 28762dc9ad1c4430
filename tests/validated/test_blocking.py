"""What stops a partition: too many rows of the files that still count break a blocking rule."""

from __future__ import annotations

import dataclasses
from typing import Any

import polars as pl

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.validated.evidence import borne, standing

PEOPLE = load_contracts().incoming["employee"]
ROUNDED = "nip__rounded"


def ledger(*files: dict[str, Any]) -> pl.DataFrame:
    """Landed files in the order of arrival; each is called like its delivery and has rows of March."""
    usual = {"feed": "employee", "status_code": "landed", "delivery_mode": "append", "delivery_scope": "*.csv"}
    rows = [
        {**usual, "sequence": n, "file_name": f["delivery_id"], "month": "2026-03", **f} for n, f in enumerate(files)
    ]
    months = pl.concat_list(pl.struct(name="month", row_count=pl.lit(1)))
    return pl.DataFrame(rows).with_columns(months.alias("months"))


def tally(*lines: tuple[str, int, int]) -> pl.DataFrame:
    """delivery, rows landed, rows that a spreadsheet has rounded."""
    each = [
        {"delivery_id": delivery, "rule_id": rule, "landed_count": landed, "failed_count": failed}
        for delivery, landed, failed in lines
        for rule in ("all", ROUNDED)
    ]
    return pl.DataFrame(each)


def counting(files: pl.DataFrame, *deliveries: str) -> list[str]:
    found = standing(tally(*((name, 1, 0) for name in deliveries)), files, "employee", "2026-03")
    return found["delivery_id"].unique().sort().to_list()


def test_files_that_add_up_all_count() -> None:
    assert counting(ledger({"delivery_id": "a"}, {"delivery_id": "b"}), "a", "b") == ["a", "b"]


def test_of_a_file_that_was_replaced_only_the_last_version_counts() -> None:
    files = ledger({"delivery_id": "a", "file_name": "x.csv"}, {"delivery_id": "b", "file_name": "x.csv"})
    assert counting(files, "a", "b") == ["b"]


def test_a_file_that_is_the_whole_truth_counts_alone_and_for_its_own_mapping() -> None:
    whole = {"delivery_mode": "full"}
    files = ledger(
        {"delivery_id": "a"} | whole, {"delivery_id": "b"} | whole, {"delivery_id": "c", "delivery_scope": "+"}
    )
    assert counting(files, "a", "b", "c") == ["b", "c"]


def test_a_file_that_says_nothing_of_the_month_replaces_nothing_of_it() -> None:
    whole = {"delivery_mode": "full"}
    files = ledger({"delivery_id": "a"} | whole, {"delivery_id": "b", "month": "2026-04"} | whole)
    assert counting(files, "a") == ["a"]


def test_files_of_other_feeds_and_refused_files_do_not_count() -> None:
    whole = {"delivery_mode": "full"}
    others = ({"delivery_id": "b", "feed": "org_unit"} | whole, {"delivery_id": "c", "status_code": "refused"} | whole)
    assert counting(ledger({"delivery_id": "a"}, *others), "a", "b", "c") == ["a"]


def test_a_share_at_the_tolerance_is_borne_and_one_row_more_is_not() -> None:
    def is_met(failed: int, tolerance: float) -> bool:
        changed = (dataclasses.replace(r, tolerance_share=tolerance) for r in PEOPLE.rules if r.name == ROUNDED)
        (found,) = borne(dataclasses.replace(PEOPLE, rules=tuple(changed)), tally(("a", 70, failed), ("b", 30, 0)))
        assert (found.broken, found.asked) == (failed, 100)
        return found.is_met

    assert [is_met(failed, 0.07) for failed in (0, 7, 8)] == [True, True, False]
    # What a page means by mustBeLessThan: 7.
    assert [is_met(failed, 0.07 - 1e-9) for failed in (6, 7)] == [True, False]


def test_nothing_delivered_breaks_nothing() -> None:
    assert all(each.is_met for each in borne(PEOPLE, tally(("a", 0, 0))))
