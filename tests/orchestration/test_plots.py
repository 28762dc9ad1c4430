"""Small plots beside a table in the UI."""

from __future__ import annotations

import base64
import datetime as dt
import re
from xml.etree import ElementTree

import polars as pl
from dagster import MarkdownMetadataValue, MetadataValue

from kinerja_pipeline.orchestration.plots import achieved, bar, late_by_day, lateness, rejected_by_feed

AT = dt.datetime(2026, 3, 2, 22, 30, tzinfo=dt.UTC)
DAYS = {"nip": pl.String, "work_date": pl.Date, "first_in_at": pl.Datetime("us", "UTC"), "late_minutes": pl.Int64}


def days(late_by_day: dict[int, tuple[int, int]]) -> pl.DataFrame:
    """By day of March: how many came, and how many of them late; one more was absent."""
    rows = [
        (f"p{n}", dt.date(2026, 3, day), AT if n < came else None, 10 if n < late else 0)
        for day, (came, late) in late_by_day.items()
        for n in range(came + 1)
    ]
    return pl.DataFrame(rows, schema=DAYS, orient="row")


def text(value: MetadataValue[object]) -> str:
    assert isinstance(value, MarkdownMetadataValue)
    return value.value or ""


def test_lateness_has_a_bar_per_day_and_names_the_worst() -> None:
    told = lateness([late_by_day(days({2: (10, 1), 3: (10, 4), 4: (20, 0), 5: (4, 4)}))])
    assert told["late share"].value == round(9 / 44, 4)
    drawn = text(told["late by day"])
    assert drawn.endswith("at most 40%, on 2026-03-03"), "on the 5th too few came to be drawn"
    picture = re.search(r"base64,([^)]+)", drawn)
    assert picture
    svg = ElementTree.fromstring(base64.b64decode(picture.group(1)))
    path = svg[0].attrib["d"]
    assert re.findall(r"M(\d+) 90v-(\d+)", path) == [("28", "18"), ("42", "70"), ("56", "1")]
    assert len(drawn) < 2000, "it is kept twice for every month"


def test_of_few_people_no_lateness_is_told() -> None:
    assert lateness([late_by_day(days({2: (4, 1), 3: (3, 1)}))]) == {}


def test_rejected_shares_name_the_worst_feed_first() -> None:
    lines = [
        ("task_record", "all", 90, 9),
        ("task_record", "nip__unknown", 90, 9),
        ("attendance_log", "all", 300, 6),
        ("attendance_log", "all", 100, 4),
        ("training_record", "all", 0, 0),
    ]
    told = rejected_by_feed(
        pl.DataFrame(lines, schema=["feed", "rule_id", "landed_count", "rejected_count"], orient="row")
    )
    assert told["rejected share"].value == round(19 / 490, 4)
    assert text(told["rejected by feed"]).splitlines()[2:] == [
        "| task_record | 90 | 9 | 10.00% | ████████████ |",
        "| attendance_log | 400 | 10 | 2.50% | ███ |",
    ]


def test_the_regions_indicators_stand_against_their_targets_and_nobody_elses() -> None:
    rows = [
        ("region", "salor", "2026-03", "punctuality", 60.0, 90.0, 66.6667),
        ("region", "salor", "2026-Q1", "punctuality", 70.0, 90.0, 77.8),
        ("region", "salor", "2026-03", "unmeasured", None, 90.0, None),
        ("employee", "198008152006040001", "2026-03", "punctuality", 20.0, 90.0, 22.2),
    ]
    names = ["subject_kind", "subject_id", "period", "indicator_id", "actual", "target", "achievement"]
    told = achieved(pl.DataFrame(rows, schema=names, orient="row"), "2026-03")
    assert text(told["against targets"]).splitlines()[2:] == ["| punctuality | 60 | 90 | 66.7% | ████████ |"]


def test_a_bar_never_outgrows_its_cell() -> None:
    assert (bar(250, 100), bar(0, 100), bar(-1, 100), bar(1, 0)) == ("█" * 12, "", "", "")
    assert bar(1, 96) == "▏"
