"""Small plots beside a table in the UI: what an operator sees at a glance, a kilobyte each.

Here: frames -> pictures and bars as Markdown, over the whole region and never of few people. Not here: the plots of
reports (reports/charts). The UI shows an SVG only as an image; bars of letters are read by everything.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import polars as pl
from dagster import MetadataValue

from kinerja_pipeline.contracts.validation import ALL
from kinerja_pipeline.orchestration.preview import FEWEST_PEOPLE

Told = dict[str, MetadataValue[Any]]
_EIGHTHS = " ▏▎▍▌▋▊▉"
_CELLS = 12
_STEP, _HIGH = 14, 90


class Lateness(NamedTuple):
    """How many of some people came in the month; by_day: work_date, came, late."""

    people: int
    by_day: pl.DataFrame


def late_by_day(days: pl.DataFrame) -> Lateness:
    """Of facts/attendance_day, all days of some people."""
    came = days.filter(pl.col("first_in_at").is_not_null())
    is_late = pl.col("late_minutes").fill_null(0) > 0
    counted = came.group_by("work_date").agg(pl.len().alias("came"), is_late.sum().alias("late"))
    return Lateness(came["nip"].n_unique(), counted)


def lateness(parts: Iterable[Lateness]) -> Told:
    """How many of those who came were late, in the month and by day. Days on which only few came have no bar."""
    numbers, counted = zip(*parts, strict=True)
    if sum(numbers) < FEWEST_PEOPLE:
        return {}
    by_day = pl.concat(counted).group_by("work_date").agg(pl.col("came", "late").sum()).sort("work_date")
    many = by_day.filter(pl.col("came") >= FEWEST_PEOPLE)
    shares = [(day, late / of) for day, of, late in many.iter_rows()]
    share = int(by_day["late"].sum()) / int(by_day["came"].sum())
    return {
        "late share": MetadataValue.float(round(share, 4)),
        **({"late by day": MetadataValue.md(by_day_picture(shares))} if shares else {}),
    }


def rejected_by_feed(tally: pl.DataFrame) -> Told:
    """How many of the delivered rows were rejected, in all and by feed, over a tally; the worst feed first."""
    by_feed = (
        tally.filter(pl.col("rule_id") == ALL)
        .group_by("feed")
        .agg(pl.col("landed_count", "rejected_count").sum())
        .filter(pl.col("landed_count") > 0)
        .sort(pl.col("rejected_count") / pl.col("landed_count"), "feed", descending=[True, False])
    )
    if by_feed.is_empty():
        return {}
    lines = ["| feed | landed | rejected | share | |", "|---|---:|---:|---:|---|"]
    highest = max(rejected / landed for _, landed, rejected in by_feed.iter_rows())
    lines += [
        f"| {feed} | {landed} | {rejected} | {rejected / landed:.2%} | {bar(rejected / landed, highest)} |"
        for feed, landed, rejected in by_feed.iter_rows()
    ]
    return {**rejected_share(tally), "rejected by feed": MetadataValue.md("\n".join(lines))}


def rejected_share(tally: pl.DataFrame) -> Told:
    """Of the delivered rows; a number, of which the UI draws a line over the runs."""
    totals = tally.filter(pl.col("rule_id") == ALL).select(pl.col("landed_count", "rejected_count").sum())
    landed, rejected = totals.row(0)
    return {"rejected share": MetadataValue.float(round(rejected / landed, 4))} if landed else {}


def achieved(kpi: pl.DataFrame, month: str) -> Told:
    """The region's own indicators of the month against their targets, over kpi/kpi."""
    own = kpi.filter(
        (pl.col("subject_kind") == "region") & (pl.col("period") == month) & pl.col("achievement").is_not_null()
    ).sort("achievement", "indicator_id")
    if own.is_empty():
        return {}
    lines = ["| indicator of the region | actual | target | achieved | |", "|---|---:|---:|---:|---|"]
    for name, actual, target, share in own.select("indicator_id", "actual", "target", "achievement").iter_rows():
        lines.append(f"| {name} | {actual:.5g} | {target:.5g} | {share:.1f}% | {bar(share, 100)} |")
    return {"against targets": MetadataValue.md("\n".join(lines))}


def bar(value: float, highest: float) -> str:
    """As long as the value is of the highest, to an eighth of a letter; a value above is as long as the highest."""
    eighths = round(min(max(value / highest, 0), 1) * _CELLS * 8) if highest > 0 else 0
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).strip()


def by_day_picture(shares: Sequence[tuple[dt.date, float]]) -> str:
    """A bar per day of the month, where the day has one. The highest is named, for scale and for those who listen."""
    day, highest = max(shares, key=lambda each: (each[1], each[0]))
    top = max(highest, 0.01)
    bars = "".join(f"M{d.day * _STEP} {_HIGH}v-{max(1, round(s / top * (_HIGH - 20)))}" for d, s in shares)
    numbers = "".join(f"<text x='{n * _STEP}' y='{_HIGH + 14}'>{n}</text>" for n in (1, 5, 10, 15, 20, 25, 30))
    told = f"at most {highest:.0%}, on {day}"
    drawn = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{33 * _STEP}' height='{_HIGH + 20}' font-family='sans-serif' "
        f"font-size='11' fill='#788' text-anchor='middle'><path d='{bars}' stroke='#47a' stroke-width='9'/>"
        f"<path d='M6 {_HIGH}.5h{32 * _STEP}' stroke='#788'/>{numbers}"
        f"<text x='{day.day * _STEP}' y='{12}'>{highest:.0%}</text></svg>"
    )
    return f"![{told}](data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()})\n\n{told}"
