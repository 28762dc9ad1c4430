"""What the public says and what was done in time: two sections of the page, told of units to everyone.

Here: figures -> plots and tables. Not here: the figures (reports/figures), what is told of people (reports/people).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import polars as pl

from kinerja_pipeline.reports import charts
from kinerja_pipeline.reports.figures import Heard
from kinerja_pipeline.reports.frame import table
from kinerja_pipeline.reports.telling import MOST_UNITS, Telling, by_class, more, none
from kinerja_pipeline.reports.words import FLAGS, NOTHING, month_name, month_short, number, percent, said


def satisfaction(told: Telling) -> Iterator[str]:
    if not told.figures.surveys:
        yield none(told, "Tidak ada jawaban survei pada bulan ini.", "There are no survey answers in this month.")
    for heard in told.figures.surveys:
        yield f"<h3>{escape(told.label(heard.survey.labels))}</h3>"
        yield from _index(told, heard)
        yield from _elements(told, heard)


def _index(told: Telling, heard: Heard) -> Iterator[str]:
    shown = heard.units.head(MOST_UNITS)
    bands = [(each.minimum, each.code) for each in by_class(heard.survey)]
    dots = [
        charts.Dot(
            row["unit_name"],
            row["ci_low"],
            row["index_value"],
            row["ci_high"],
            told.text("tidak dapat dihitung", "not computable")
            if row["index_value"] is None
            else f"{told.decimal(row['index_value'])} {row['class_code'] or ''}",
        )
        for row in shown.iter_rows(named=True)
    ]
    known = [v for dot in dots for v in (dot.low, dot.value) if v is not None]
    low = max(0.0, min([60.0, *(v // 5 * 5 for v in known)]))
    title = told.text(
        "Indeks kepuasan (IKM) per unit, dengan selang kepercayaan 95 % dan mutu pelayanan",
        "Satisfaction index (IKM) by unit, with its 95 % interval and the classes",
    )
    yield charts.dots(title, dots, bands, (low, 100.0))
    head = (
        *(told.say("unit", "unit"), told.say("IKM", "index"), told.say("mutu", "class")),
        *(told.say("selang 95 %", "95 % interval"), told.say("jawaban / sampel", "answers / sample")),
        *(told.say("perubahan", "change"), told.say("perhatian", "flags")),
    )
    rows = [
        (
            escape(row["unit_name"]),
            told.decimal(row["index_value"]),
            escape(row["class_code"] or NOTHING),
            NOTHING
            if row["ci_low"] is None
            else f"{told.decimal(row['ci_low'])}{NOTHING}{told.decimal(row['ci_high'])}",
            f"{told.count(row['respondent_count'])} / {told.count(row['required_count'])}",
            _change(told, row),
            escape(
                ", ".join(said(code, FLAGS, told.language) for code in (row["flag_codes"] or "").split(",") if code)
            ),
        )
        for row in shown.iter_rows(named=True)
    ]
    yield table(head, rows, (1, 3, 4, 5))
    yield more(told, len(heard.units) - len(shown))


def _change(told: Telling, row: Mapping[str, Any]) -> str:
    if row["before_value"] is None or row["index_value"] is None:
        return NOTHING
    change = round(row["index_value"] - row["before_value"], 2)
    sign = "+" if change > 0 else ""
    return f"{sign}{told.decimal(change)}".replace("-", "−")


def _elements(told: Telling, heard: Heard) -> Iterator[str]:
    survey, language = heard.survey, told.language
    rows = list(heard.elements.iter_rows(named=True))
    names = {code: told.label(labels) for code, labels in survey.elements.items()}
    bands = [(each.minimum * survey.scale_max / 100, each.code) for each in by_class(survey)]
    dots = [
        charts.Dot(
            names[row["element_code"]],
            row["lowest_score"],
            row["mean_score"],
            row["highest_score"],
            number(row["mean_score"], language, 2),
        )
        for row in rows
    ]
    known = [v for dot in dots for v in (dot.low, dot.value) if v is not None]
    low = max(1.0, min([0.6 * survey.scale_max, *(v // 0.2 * 0.2 for v in known)]))
    title = told.text(
        "IKM menurut unsur: rata-rata jawaban di daerah, dengan unit terendah dan tertinggi",
        "The index by element: mean answer in the region, with the lowest and the highest unit",
    )
    yield charts.dots(title, dots, bands, (low, float(survey.scale_max)))
    head = (
        *(told.say("unsur", "element"), told.say("rata-rata", "mean"), told.say("dalam 100", "of 100")),
        *(told.say("jawaban", "answers"), told.say("unit terendah – tertinggi", "lowest – highest unit")),
    )
    cells = [
        (
            escape(names[row["element_code"]]),
            number(row["mean_score"], language, 2),
            NOTHING if row["mean_score"] is None else number(row["mean_score"] * 100 / survey.scale_max, language, 2),
            told.count(row["answer_count"]),
            f"{number(row['lowest_score'], language, 2)} – {number(row['highest_score'], language, 2)}",
        )
        for row in rows
    ]
    yield table(head, cells, (1, 2, 3, 4))
    yield _element_map(told, heard, names)


def _element_map(told: Telling, heard: Heard, names: Mapping[str, str]) -> str:
    survey = heard.survey
    scores = {(r["unit_id"], r["element_code"]): r["mean_score"] for r in heard.by_unit.iter_rows(named=True)}
    minima = [each.minimum for each in by_class(survey)]

    def cell(unit_id: str, unit_name: str, code: str) -> charts.Cell:
        score = scores.get((unit_id, code))
        if score is None:
            return charts.Cell(NOTHING, None, f"{unit_name}, {names[code]}")
        index = score * 100 / survey.scale_max
        reached = sum(index >= minimum for minimum in minima)
        level = min(5, 2 * (len(minima) - reached))
        shown = number(score, told.language, 1)
        return charts.Cell(shown, level, f"{unit_name}, {names[code]}: {number(score, told.language, 2)}")

    rows = [
        (name, [cell(unit, name, code) for code in survey.elements])
        for unit, name in heard.units.select("unit_id", "unit_name").head(MOST_UNITS).iter_rows()
    ]
    title = told.text(
        "Unsur per unit (makin gelap, makin rendah mutunya)", "Elements by unit (the darker, the lower the class)"
    )
    return charts.heat(title, [(code.upper(), name) for code, name in names.items()], rows)


# ---- tasks -----------------------------------------------------------------------------------------------------------


def on_time(told: Telling) -> Iterator[str]:
    figures, language = told.figures, told.language
    if not figures.in_time or not any(len(each.months) for each in figures.in_time):
        yield none(told, "Tidak ada tugas yang jatuh tempo.", "There are no tasks that were due.")
        return
    periods = sorted({p for each in figures.in_time for p in each.months["period"]})
    first = figures.in_time[0]
    shares = {each.indicator_id: dict(each.months.select("period", "share").iter_rows()) for each in figures.in_time}
    shown = figures.in_time[: len(charts.LINE_LOOKS)]
    series = [charts.Line(each.labels[language], [shares[each.indicator_id].get(p) for p in periods]) for each in shown]
    title = told.text("Tugas yang selesai tepat waktu, per bulan", "Tasks done in time, by month")
    target = None if first.target is None else (first.target, told.text("target", "target"))
    ticks = [month_short(period, language) for period in periods]
    yield charts.lines(title, ticks, series, lambda share: percent(share, language, 0), target)
    head = [told.say("bulan", "month")]
    for each in figures.in_time:
        head += [escape(each.labels[language]), told.say("tepat / jatuh tempo", "in time / due")]
    rows = []
    for period in periods:
        cells = [escape(month_name(period, language))]
        for each in figures.in_time:
            own = each.months.filter(period=period)
            found = own.row(0, named=True) if len(own) else None
            cells.append(told.share(found["share"] if found else None))
            cells.append(f"{told.count(found['numerator'])} / {told.count(found['denominator'])}" if found else NOTHING)
        rows.append(cells)
    yield table(head, rows, range(1, len(head)))
    for each in figures.in_time:
        yield from _on_time_units(told, each.labels[language], each.units)


def _on_time_units(told: Telling, label: str, units: pl.DataFrame) -> Iterator[str]:
    if units.is_empty():
        return
    shown = list(units.head(MOST_UNITS).iter_rows(named=True))
    title = f"{label}: {told.text('per unit, yang terendah dahulu', 'by unit, the lowest first')}"
    rows = [
        charts.Bar(
            row["unit_name"],
            row["share"],
            f"{told.share(row['share'], 0)}",
            row["target_share"],
            is_bad=row["target_share"] is not None and row["share"] < row["target_share"],
        )
        for row in shown
    ]
    yield charts.bars(title, rows, 1.0, told.text("target; ▼ di bawah target", "target; ▼ below it"))
    head = (
        *(told.say("unit", "unit"), told.say("tepat waktu", "in time"), told.say("jatuh tempo", "due")),
        *(told.say("bagian", "share"), told.say("target", "target")),
    )
    cells = [
        (
            escape(row["unit_name"]),
            told.count(row["numerator"]),
            told.count(row["denominator"]),
            told.share(row["share"]),
            told.share(row["target_share"], 0),
        )
        for row in shown
    ]
    yield table(head, cells, (1, 2, 3, 4))
    yield more(told, len(units) - len(shown))
