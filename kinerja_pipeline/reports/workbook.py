"""The workbook of a region's month, for officials: every line of the page and more, to sort and filter.

One sheet per list; texts stay texts, whatever they begin with (spreadsheet). It names people in the follow-up sheet
alone, and no NIP anywhere. Here: figures -> bytes of an XLSX. Not here: the figures (reports/figures), the page.
"""

from __future__ import annotations

import datetime as dt
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.kpi.distribution import LEVELS
from kinerja_pipeline.policies.model import Policy
from kinerja_pipeline.reports.evidence import evidence, reason_words, words_of_region
from kinerja_pipeline.reports.figures import DAY_COUNTS, LEVEL_COUNTS, Figures
from kinerja_pipeline.reports.words import (
    ACTIONS,
    ASPECTS,
    FEEDS,
    FLAGS,
    PREDICATES,
    REASONS,
    STATES,
    SUBJECTS,
    UNITS,
    Language,
    Words,
    day,
    instant,
    month_name,
    said,
)
from kinerja_pipeline.spreadsheet import new_book, text_look, write_text
from kinerja_pipeline.warehouse.dictionary import described_table

COUNT, NUMBER, SHARE, DATE, TEXT = "count", "number", "share", "date", "text"
FORMATS = {COUNT: "#,##0", NUMBER: "#,##0.00", SHARE: "0.0%", DATE: "yyyy-mm-dd", TEXT: "@"}
WIDTHS = {COUNT: 15, NUMBER: 15, SHARE: 15, DATE: 14, TEXT: 30}
WRAPPED = 40
"""Characters of width from which a column's texts are wrapped."""


class _Column(NamedTuple):
    """A column of a sheet: which column of which table it shows (or a heading of its own), as what, and how wide."""

    name: str
    kind: str
    table: str = ""
    heading: str = ""
    width: int = 0


class _Sheet(NamedTuple):
    title: str
    columns: Sequence[_Column]
    rows: Iterable[Sequence[Any]]


def workbook(figures: Figures, policy: Policy, outgoing: Mapping[str, Contract], language: Language) -> bytes:
    """The workbook; `policy` is the one that ruled the month. The same figures give the same bytes."""
    file = io.BytesIO()
    book = new_book(file)
    published = figures.publication["published_at"]
    title = f"{policy.labels.id if language == 'id' else policy.labels.en}, {month_name(figures.month, language)}"
    book.set_properties({"title": title, "created": published.replace(tzinfo=None)})
    looks = _Looks(book)
    sheets = _sheets(figures, policy, language)
    _cover(book, looks, figures, policy, language, title, sheets)
    told = []
    for sheet in sheets:
        told += _list(book, looks, sheet, outgoing, language, title)
    _columns(book, looks, told, language)
    book.close()
    return file.getvalue()


class _Looks:
    """The formats of a book, made once."""

    def __init__(self, book: Any) -> None:
        top: dict[str, Any] = {"valign": "top"}
        text = {**top, "indent": 1}
        self.title = text_look(book, bold=True, font_size=14)
        self.bold = text_look(book, bold=True)
        self.plain = text_look(book, **text)
        self.wrapped = text_look(book, text_wrap=True, **text)
        self.head = text_look(book, bold=True, text_wrap=True, bg_color="#DCE6F1", bottom=1, **text)
        self.numbers = {kind: book.add_format({"num_format": shown, **top}) for kind, shown in FORMATS.items()}


# ---- what stands where -----------------------------------------------------------------------------------------------


def _sheets(figures: Figures, policy: Policy, language: Language) -> list[_Sheet]:
    t = _teller(language)
    return [
        _satisfaction(figures, policy, language),
        _elements(figures, policy, language),
        _on_time(figures, language),
        _attendance(figures, language),
        _predicates(figures, language),
        _follow_up(figures, policy, language),
        _indicators(figures, language),
        _quality(figures, language),
        _deliveries(figures, policy, language, t("Berkas", "Files")),
    ]


def _teller(language: Language) -> Callable[[str, str], str]:
    return lambda indonesian, english: indonesian if language == "id" else english


def _unit(language: Language, whole: str = "") -> tuple[_Column, _Column]:
    """A unit's name and code; `whole` says what an empty one means."""
    name, code = ("Unit kerja", "Kode unit") if language == "id" else ("Unit", "Unit code")
    return _Column("name", TEXT, "org_unit", f"{name}{whole}", 34), _Column("unit_id", TEXT, "org_unit", code, 18)


def _satisfaction(figures: Figures, policy: Policy, language: Language) -> _Sheet:
    table = "satisfaction_index"
    columns = (
        _Column("survey_code", TEXT, table),
        *_unit(language),
        *(_Column(name, NUMBER, table) for name in ("index_value",)),
        _Column("class_code", TEXT, table, width=10),
        *(_Column(name, NUMBER, table) for name in ("ci_low", "ci_high")),
        *(_Column(name, COUNT, table) for name in ("respondent_count", "required_count")),
        _Column("flag_codes", TEXT, table, width=45),
    )
    rows = [
        (
            _survey(policy, row["survey_code"], language),
            *(row["unit_name"], row["unit_id"], row["index_value"], row["class_code"], row["ci_low"], row["ci_high"]),
            *(row["respondent_count"], row["required_count"]),
            _coded(row["flag_codes"], FLAGS, language),
        )
        for heard in figures.surveys
        for row in heard.units.iter_rows(named=True)
    ]
    return _Sheet(_teller(language)("IKM", "Satisfaction"), columns, rows)


def _elements(figures: Figures, policy: Policy, language: Language) -> _Sheet:
    table = "satisfaction_element"
    columns = (
        _Column("survey_code", TEXT, table),
        *_unit(language),
        _Column("element_code", TEXT, table, width=40),
        _Column("answer_count", COUNT, table),
        _Column("mean_score", NUMBER, table),
        _Column("weighted_score", NUMBER, table),
    )
    rows = [
        (
            *(_survey(policy, heard.code, language), row["unit_name"], row["unit_id"]),
            _labelled(heard.survey.elements, row["element_code"], language),
            *(row["answer_count"], row["mean_score"], row["weighted_score"]),
        )
        for heard in figures.surveys
        for row in heard.by_unit.iter_rows(named=True)
    ]
    return _Sheet(_teller(language)("Unsur IKM", "Elements"), columns, rows)


def _survey(policy: Policy, code: str, language: Language) -> str:
    return _labelled({name: survey.labels for name, survey in policy.surveys.items()}, code, language)


def _labelled(labels: Mapping[str, Any], code: str, language: Language) -> str:
    own = labels.get(code)
    return code if own is None else str(own.id if language == "id" else own.en)


def _on_time(figures: Figures, language: Language) -> _Sheet:
    t = _teller(language)
    columns = (
        _Column("indicator_id", TEXT, "kpi", width=36),
        _Column("period", TEXT, "kpi", t("Bulan", "Month"), 12),
        *_unit(language, t(" (kosong: seluruh daerah)", " (empty: the whole region)")),
        _Column("numerator", COUNT, "kpi", t("Tugas tepat waktu", "Tasks in time")),
        _Column("denominator", COUNT, "kpi", t("Tugas jatuh tempo", "Tasks due")),
        _Column("actual", SHARE, "kpi", t("Bagian tepat waktu", "Share in time")),
        _Column("target", SHARE, "kpi"),
    )
    rows: list[Sequence[Any]] = []
    for each in figures.in_time:
        label = each.labels[language]
        whole = each.months.select("period", "numerator", "denominator", "share")
        rows += [(label, row[0], None, None, *row[1:], each.target) for row in whole.iter_rows()]
        units = each.units.select("unit_name", "unit_id", "numerator", "denominator", "share", "target_share")
        rows += [(label, figures.month, *row) for row in units.iter_rows()]
    return _Sheet(t("Tepat waktu", "In time"), columns, rows)


def _attendance(figures: Figures, language: Language) -> _Sheet:
    table = "attendance_month"
    columns = (
        *_unit(language),
        *(_Column(name, SHARE, table) for name in ("attendance_share", "punctuality_share")),
        *(_Column(name, COUNT, table) for name in DAY_COUNTS),
    )
    names = ("unit_name", "unit_id", "attendance_share", "punctuality_share", *DAY_COUNTS)
    return _Sheet(
        _teller(language)("Kehadiran", "Attendance"), columns, figures.attended.units.select(names).iter_rows()
    )


def _predicates(figures: Figures, language: Language) -> _Sheet:
    table = "unit_evaluation"
    counts = ("employee_count", "evaluated_count", "official_count", *LEVEL_COUNTS)
    counts += tuple(f"recommended_{level}_count" for level in LEVELS)
    columns = (
        *_unit(language),
        *(_Column(name, COUNT, table) for name in counts),
        _Column("pattern_code", TEXT, table, width=18),
        _Column("is_conformant", TEXT, table, width=14),
        _Column("change_count", COUNT, table),
        _Column("note", TEXT, table),
    )
    rows = [
        (
            *(row["unit_name"], row["unit_id"], *(row[name] for name in counts)),
            None if row["pattern_code"] is None else said(row["pattern_code"], PREDICATES, language),
            _yes(row["is_conformant"], language),
            row["change_count"],
            None if row["note"] is None else said(row["note"], REASONS, language),
        )
        for row in figures.predicates.iter_rows(named=True)
    ]
    return _Sheet(_teller(language)("Predikat", "Predicates"), columns, rows)


def _follow_up(figures: Figures, policy: Policy, language: Language) -> _Sheet:
    t, table = _teller(language), "follow_up"
    topics = words_of_region(policy, language)
    columns = (
        _Column("rule_id", TEXT, table, width=34),
        _Column("action_code", TEXT, table, width=26),
        _Column("status_code", TEXT, table, t("Keadaan", "Status"), 20),
        _Column("subject_kind", TEXT, table, width=12),
        _Column("name", TEXT, "employee", t("Nama pegawai", "Employee"), 32),
        _Column("position", TEXT, "employee", width=32),
        *_unit(language),
        _Column("reason", TEXT, table, t("Alasan", "Reason"), 30),
        _Column("evidence", TEXT, table, width=60),
        _Column("name", TEXT, "training_programme", t("Program pelatihan", "Training programme"), 30),
    )
    rules = {name: rule.labels for name, rule in policy.follow_up.items()}
    rows = [
        (
            _labelled(rules, row["rule_id"], language),
            said(row["action_code"], ACTIONS, language),
            said(row["status_code"], STATES, language),
            said(row["subject_kind"], SUBJECTS, language),
            *(row["name"], row["position"], row["unit_name"], row["unit_id"]),
            reason_words(row["reason"], policy, topics, language),
            evidence(row["evidence"], language, topics),
            row["programme_name"],
        )
        for row in figures.follow_up.iter_rows(named=True)
    ]
    return _Sheet(t("Tindak lanjut", "Follow-up"), columns, rows)


def _indicators(figures: Figures, language: Language) -> _Sheet:
    t = _teller(language)
    columns = (
        *_unit(language, t(" (kosong: seluruh daerah)", " (empty: the whole region)")),
        _Column("indicator_id", TEXT, "kpi", width=40),
        _Column("aspect_code", TEXT, "kpi", width=14),
        _Column("unit", TEXT, "indicator", t("Satuan", "Unit of the value"), 14),
        *(_Column(name, NUMBER, "kpi") for name in ("actual", "target", "score")),
        _Column("evidence_count", COUNT, "kpi"),
        _Column("status_code", TEXT, "kpi", t("Keadaan", "Status"), 20),
        _Column("reason", TEXT, "kpi", t("Alasan", "Reason")),
    )
    label = pl.coalesce(f"label_{language}", "indicator_id")
    names = ("aspect_code", "value_unit", "actual", "target", "score", "evidence_count", "status_code", "reason")
    rows = [
        (
            *row[:3],
            said(row[3], ASPECTS, language),
            said(row[4], UNITS, language),
            *row[5:9],
            said(row[9], STATES, language),
            *row[10:],
        )
        for row in figures.indicators.select("unit_name", "unit_id", label, *names).iter_rows()
    ]
    return _Sheet(t("Indikator", "Indicators"), columns, rows)


def _quality(figures: Figures, language: Language) -> _Sheet:
    table = "data_quality"
    counts = ("landed_count", "valid_count", "rejected_count", "superseded_count")
    columns = (
        _Column("feed", TEXT, table),
        *(_Column(name, COUNT, table) for name in counts),
        *(_Column(name, SHARE, table) for name in ("rejected_share", "tolerance_share")),
        _Column(
            "rule_id", TEXT, table, _teller(language)("Aturan yang tersering dilanggar", "Rule broken most often"), 40
        ),
    )
    names = (*counts, "rejected_share", "tolerance_share", "worst_rule_id")
    rows = [(said(feed, FEEDS, language), *rest) for feed, *rest in figures.quality.select("feed", *names).iter_rows()]
    return _Sheet(_teller(language)("Mutu data", "Data quality"), columns, rows)


def _deliveries(figures: Figures, policy: Policy, language: Language, title: str) -> _Sheet:
    table = "delivery"
    counts = ("row_count", "valid_count", "rejected_count", "superseded_count")
    columns = (
        _Column("feed", TEXT, table),
        _Column("file_name", TEXT, table, width=48),
        _Column("received_at", TEXT, table, _teller(language)("Saat berkas tiba", "Received"), 30),
        _Column("status_code", TEXT, table, _teller(language)("Keadaan", "Status"), 14),
        *(_Column(name, COUNT, table) for name in counts),
        *(_Column(name, DATE, table) for name in ("first_event_date", "last_event_date")),
        _Column("reason", TEXT, table, _teller(language)("Alasan", "Reason"), 60),
    )
    rows = [
        (
            *(said(row["feed"], FEEDS, language), row["file_name"]),
            instant(row["received_at"], policy.zone, language),
            said(row["status_code"], STATES, language),
            *(row[name] for name in (*counts, "first_event_date", "last_event_date", "reason")),
        )
        for row in figures.deliveries.iter_rows(named=True)
    ]
    return _Sheet(title, columns, rows)


def _coded(codes: str | None, words: Words, language: Language) -> str | None:
    return None if codes is None else ", ".join(said(code, words, language) for code in codes.split(","))


def _yes(value: bool | None, language: Language) -> str | None:
    yes, no = ("ya", "tidak") if language == "id" else ("yes", "no")
    return {True: yes, False: no, None: None}[value]


# ---- sheets ----------------------------------------------------------------------------------------------------------


def _cover(
    book: Any,
    looks: _Looks,
    figures: Figures,
    policy: Policy,
    language: Language,
    title: str,
    sheets: Sequence[_Sheet],
) -> None:
    t, publication, status = _teller(language), figures.publication, figures.status
    sheet = book.add_worksheet(t("Laporan", "Report"))
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 70)
    sheet.hide_gridlines(2)
    sheet.fit_to_pages(1, 0)
    write_text(sheet, 0, 0, title, looks.title)
    warning = t(
        "Terbatas: lembar Tindak lanjut memuat nama pegawai. Hanya untuk pejabat yang berwenang; jangan diteruskan.",
        "Restricted: the sheet Follow-up names employees. Only for the officials in charge; do not pass it on.",
    )
    write_text(sheet, 1, 0, warning, looks.bold)
    facts = (
        (t("Keadaan bulan", "State of the month"), said(status["status_code"], STATES, language)),
        (t("Data sampai", "Data up to"), day(status["as_of_date"], language)),
        (t("Diterbitkan", "Published"), instant(publication["published_at"], policy.zone, language)),
        (t("Penerbitan", "Publication"), publication["publication_id"]),
        (t("Versi kebijakan", "Policy version"), publication["policy_version"]),
        (t("Versi program", "Program version"), publication["code_version"]),
        (t("Lembar", "Sheets"), ", ".join(each.title for each in sheets)),
        (
            t("Cara membaca", "How to read this"),
            t(
                "Sel kosong berarti tidak ada nilai atau tidak dapat dihitung, bukan nol. Saran dan predikat yang "
                "dihitung adalah bahan pertimbangan; manusia yang memutuskan.",
                "An empty cell means no value, or none that could be computed; it is no zero. Recommendations and "
                "computed predicates are for a person to decide.",
            ),
        ),
    )
    for line, (name, value) in enumerate(facts, start=3):
        write_text(sheet, line, 0, name, looks.bold)
        write_text(sheet, line, 1, str(value), looks.wrapped)
        sheet.set_row(line, 15 * max(1, math.ceil(len(str(value)) / 62)))


def _list(
    book: Any, looks: _Looks, sheet: _Sheet, outgoing: Mapping[str, Contract], language: Language, title: str
) -> list[tuple[str, str, str]]:
    """One sheet; returns what its columns mean: sheet, heading, description."""
    page = book.add_worksheet(sheet.title)
    told = []
    for place, column in enumerate(sheet.columns):
        meaning = described_table(outgoing[column.table], language)[1][column.name]
        heading = column.heading or meaning.partition(";")[0].rstrip(".")
        write_text(page, 0, place, heading, looks.head)
        page.set_column(place, place, column.width or WIDTHS[column.kind])
        told.append((sheet.title, heading, f"{meaning} ({column.table}.{column.name})"))
    page.set_row(0, 78)
    last = 0
    for last, row in enumerate(sheet.rows, start=1):
        for place, (column, value) in enumerate(zip(sheet.columns, row, strict=True)):
            _cell(page, last, place, column, value, looks)
        longest = max([0.0, *(len(str(v)) / c.width for c, v in zip(sheet.columns, row, strict=True) if _wraps(c))])
        if longest > 1:
            # Not every program makes room for wrapped text by itself.
            page.set_row(last, 15 * math.ceil(longest * 1.1))
    if not last:
        none = "Tidak ada baris pada bulan ini." if language == "id" else "There are no rows in this month."
        write_text(page, 1, 0, none, looks.plain)
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, max(last, 1), len(sheet.columns) - 1)
    page.repeat_rows(0)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    # An ampersand begins a code of the spreadsheet's own.
    page.set_footer(f"&L{title.replace('&', '&&')}&R&P / &N")
    return told


def _wraps(column: _Column) -> bool:
    return column.kind == TEXT and column.width >= WRAPPED


def _cell(page: Any, line: int, place: int, column: _Column, value: Any, looks: _Looks) -> None:
    if value is None:
        return
    if column.kind == TEXT:
        write_text(page, line, place, str(value), looks.wrapped if _wraps(column) else looks.plain)
    elif isinstance(value, dt.date):
        page.write_datetime(line, place, value, looks.numbers[DATE])
    else:
        page.write_number(line, place, value, looks.numbers[column.kind])


def _columns(book: Any, looks: _Looks, told: Sequence[tuple[str, str, str]], language: Language) -> None:
    t = _teller(language)
    page = book.add_worksheet(t("Arti kolom", "Columns"))
    page.set_column(0, 0, 16)
    page.set_column(1, 1, 40)
    page.set_column(2, 2, 90)
    for place, heading in enumerate((t("Lembar", "Sheet"), t("Kolom", "Column"), t("Arti", "Meaning"))):
        write_text(page, 0, place, heading, looks.head)
    for line, row in enumerate(told, start=1):
        for place, text in enumerate(row):
            write_text(page, line, place, text, looks.wrapped if place else looks.plain)
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, len(told), 2)
