"""An explanation as people read it in a terminal, in Indonesian or English, and as JSON for machines.

Here: Explanation -> rich text or plain values. Not here: finding out (warehouse/explain).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from kinerja_pipeline.contracts.words import Language
from kinerja_pipeline.warehouse.explanation import Explanation, Figure, Judgement, Row, Source

WORDS: Mapping[str, tuple[str, str]] = {
    "employee": ("Pegawai", "Employee"),
    "unit": ("Unit", "Unit"),
    "region": ("Daerah", "Region"),
    "month": ("bulan", "month"),
    "quarter": ("triwulan", "quarter"),
    "semester": ("semester", "semester"),
    "year": ("tahun", "year"),
    "open": ("terbuka", "open"),
    "partial": ("belum lengkap", "partial"),
    "closed": ("ditutup", "closed"),
    "policy": ("Kebijakan yang berlaku", "Policy in force"),
    "published": ("Diterbitkan", "Published"),
    "by_program": ("program", "program"),
    "until": ("data sampai", "data up to"),
    "evaluation": ("PENILAIAN", "EVALUATION"),
    "indicator": ("Indikator", "Indicator"),
    "weight": ("Bobot", "Weight"),
    "score": ("Nilai", "Score"),
    "share": ("Bobot x nilai", "Weight x score"),
    "result_score": ("Nilai hasil kerja", "Result score"),
    "not_computable": ("tidak dapat dihitung", "not computable"),
    "result_rating": ("Hasil kerja", "Results"),
    "behaviour_rating": ("Perilaku kerja", "Behaviour"),
    "behaviour_score": ("Nilai perilaku", "Behaviour score"),
    "recommended_predicate": ("Predikat yang disarankan", "Recommended predicate"),
    "official_predicate": ("Predikat resmi", "Official predicate"),
    "numeric_score": ("Nilai gabungan", "Mixed score"),
    "objection_code": ("Keberatan", "Objection"),
    "none": ("tidak ada", "none"),
    "role": ("peran", "role"),
    "raters": ("penilai", "raters"),
    "withheld": ("ditahan: penilai terlalu sedikit", "withheld: too few raters"),
    "unrounded": (
        "Dihitung tanpa pembulatan; nilai di atas dibulatkan ke dua desimal.",
        "Computed without rounding; the scores above are rounded to two decimals.",
    ),
    "coverage": ("bobot yang dapat dihitung", "weight that is computable"),
    "formula": ("Rumus", "Formula"),
    "fact": ("Fakta", "Fact"),
    "law": ("Dasar", "Source of the rule"),
    "actual": ("Capaian", "Actual"),
    "target": ("Target", "Target"),
    "achievement": ("Capaian atas target", "Achievement"),
    "higher": ("makin tinggi makin baik", "higher is better"),
    "lower": ("makin rendah makin baik", "lower is better"),
    "range": ("dalam rentang", "within a range"),
    "capped": ("paling tinggi", "at most"),
    "rows": ("Baris yang dihitung", "Rows that count"),
    "more": ("baris lagi; --rows 0 menampilkan semuanya", "more rows; --rows 0 lists all"),
    "source": ("Sumber", "Delivered in"),
    "line": ("baris", "line"),
    "row": ("baris", "row"),
    "sheet": ("lembar", "sheet"),
    "year_before": ("tahun sebelumnya", "the year before"),
    "corrected": ("Koreksi", "Correction"),
    "dropped": ("dikeluarkan", "dropped"),
    "agreed_in": ("Target disepakati dalam", "Target agreed in"),
    "rated_in": ("Penilaian resmi dalam", "Official rating in"),
    "median": ("nilai tengah dari baris yang terurut", "the middle value of the rows in order"),
    "p90": ("peringkat ke-90 dari 100 baris yang terurut", "nearest rank at 90 percent of the rows in order"),
    "agrees": ("Dihitung ulang dari baris ini: sesuai.", "Counted again from these rows: the same."),
    "differs": (
        "Dihitung ulang dari baris ini: BERBEDA. Baris berubah sejak diterbitkan; jalankan `kinerja run` lagi.",
        "Counted again from these rows: DIFFERENT. The rows changed since; run the month again.",
    ),
    "appraisal": (
        "Jawaban orang tentang orang hanya dihitung, tidak pernah ditampilkan.",
        "What people say of people is counted and never listed.",
    ),
    "policy_changed": (
        "Rumus dalam kebijakan berubah sejak diterbitkan; jalankan bulan ini lagi untuk melihat barisnya.",
        "The policy's formula changed since; run the month again to see the rows.",
    ),
    "not_in_this_home": (
        "Baris tidak ada di home ini; jalankan di tempat bulan ini dihitung.",
        "The rows are not in this home; ask where the month was computed.",
    ),
    "restated": (
        "Begitulah angka ini terbit waktu itu; sejak itu berubah, dan baris waktu itu tidak disimpan.",
        "This is how it was published then; it has changed since, and the rows of then are not kept.",
    ),
    "withheld_then": (
        "Angka yang terbit waktu itu ditahan: selisihnya dapat mengungkap jawaban seseorang.",
        "What was published then is withheld: the difference could tell what one person said.",
    ),
    "no_rows": ("Tidak ada baris yang dihitung.", "No row counts."),
    "no_source": ("tidak ada berkas yang mencatatnya", "no file says so"),
    "files": ("Berkas", "Files"),
}
RATINGS: Mapping[str, tuple[str, str]] = {
    "di_atas": ("Di Atas Ekspektasi", "above expectation"),
    "sesuai": ("Sesuai Ekspektasi", "meets expectation"),
    "di_bawah": ("Di Bawah Ekspektasi", "below expectation"),
    "sangat_baik": ("Sangat Baik", "very good"),
    "baik": ("Baik", "good"),
    "butuh_perbaikan": ("Butuh Perbaikan", "needs improvement"),
    "kurang": ("Kurang", "poor"),
    "sangat_kurang": ("Sangat Kurang", "very poor"),
}


def as_values(explanation: Explanation) -> dict[str, Any]:
    """What the explanation says, as values that JSON knows; nothing is left out."""
    values: dict[str, Any] = _plain(asdict(explanation))
    for figure, shown in zip(explanation.figures, values["figures"], strict=True):
        shown["arithmetic"] = list(arithmetic(figure))
    return values


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case dt.date():
            return value.isoformat()
        case _:
            return value


def show(explanation: Explanation, console: Console, language: Language = "id", rows: int = 20) -> None:
    """Prints the explanation; `rows` of each figure, all of them when 0."""
    for part in _parts(explanation, language, rows):
        console.print(part, highlight=False, soft_wrap=isinstance(part, Text))


def arithmetic(figure: Figure) -> Iterator[str]:
    """The way from the sums to the score, with the published numbers put in: actual, achievement, score."""
    row = figure.published
    if row["status_code"] != "computed" or figure.hidden == "withheld_then":
        return
    actual, target = row["actual"], row["target"]
    if figure.scale is not None and row["numerator"] is not None:
        scale = f"{_number(figure.scale)} * " if figure.scale != 1 else ""
        below = f" / {_number(row['denominator'])}" if row["denominator"] is not None else ""
        if scale or below:
            yield f"{scale}{_number(row['numerator'])}{below} = {_number(actual)}"
    a, t = _number(actual), _number(target)
    match figure.direction:
        case "higher":
            way = f"100 * {a} / {t}"
        case "lower" if figure.inverse:
            way = f"100 * {t} / {a}"
        case "lower":
            way = f"100 * (2 * {t} - {a}) / {t}, >= 0"
        case _ if figure.target_range is not None:
            low, high = (_number(end) for end in figure.target_range)
            way = f"100 - 100 * distance({a}; {low}..{high}) / ({high} - {low}), >= 0"
        case _:
            way = a
    yield f"{way} = {_number(row['achievement'])}"
    if figure.cap is not None and row["score"] != row["achievement"]:
        yield f"min({_number(row['achievement'])}, {_number(figure.cap)}) = {_number(row['score'])}"


# ---- text ------------------------------------------------------------------------------------------------------------


def _parts(explanation: Explanation, language: Language, rows: int) -> Iterator[RenderableType]:
    def say(word: str) -> str:
        return _said(word, language)

    kind, status = explanation.subject_kind, explanation.status
    subject = explanation.labels[language] if kind == "region" else f"{say(kind)} {explanation.subject_id}"
    unit = f", unit {explanation.unit_id}" if kind == "employee" and explanation.unit_id else ""
    state = f"{say(str(status['period_kind']))} {explanation.period}, {say(str(status['status_code']))}"
    published = explanation.publication
    yield Text(f"{subject}{unit}, {explanation.labels[language]}, {state}", style="bold")
    yield Text(f"{say('policy')}: {explanation.policy_version}; {say('until')} {status['as_of_date']}")
    yield Text(
        f"{say('published')}: {str(published['published_at'])[:16]} UTC, {published['publication_id']}, "
        f"{say('by_program')} {published['code_version']}"
    )
    if explanation.evaluation is not None:
        yield from _evaluation(explanation.evaluation, explanation.figures, language)
    for figure in explanation.figures:
        yield from _figure(figure, language, rows, is_alone=len(explanation.figures) == 1)


def _evaluation(judgement: Judgement, figures: Sequence[Figure], language: Language) -> Iterator[RenderableType]:
    def say(word: str) -> str:
        return _said(word, language)

    row, rules = judgement.published, judgement.rules
    yield Text(f"\n{say('evaluation')}", style="bold")
    table = Table(show_footer=row["result_score"] is not None)
    weighed = [f for f in figures if f.published["weight"]]
    counted = [f for f in weighed if f.published["score"] is not None]
    weights = sum(f.published["weight"] for f in counted)
    mixed = sum(f.published["weight"] * f.published["score"] for f in counted)
    table.add_column(say("indicator"), footer=f"{say('result_score')} ~ {_number(mixed)} / {_number(weights)}")
    table.add_column(say("weight"), justify="right", footer=_number(weights))
    table.add_column(say("score"), justify="right", footer=_number(row["result_score"]))
    table.add_column(say("share"), justify="right", footer=_number(mixed))
    for figure in weighed:
        score = figure.published["score"]
        missing = f"{say('not_computable')} ({figure.published['reason']})"
        share = _number(figure.published["weight"] * score) if score is not None else "-"
        shown = _number(score) if score is not None else missing
        table.add_row(figure.labels[language], _number(figure.published["weight"]), shown, share)
    yield table
    yield Text(say("unrounded"))
    minimum = _number(rules["minimum_coverage_share"])
    yield Text(f"{say('coverage')}: {_number(row['coverage_share'])} (>= {minimum})")
    if row["reason"]:
        yield Text(f"{say('not_computable')}: {row['reason']}")
    above, meets = _number(rules["result_above"]), _number(rules["result_meets"])
    yield _judged("result_rating", row["result_rating"], f"> {above}; {meets}..{above}; < {meets}", language)
    if row["behaviour_score"] is not None:
        yield Text(f"{say('behaviour_score')}: {_number(row['behaviour_score'])}")
    for role in judgement.roles:
        told = f"{_number(role['mean_score'])} ({role['rater_count']} {say('raters')})"
        yield Text(f"  {say('role')} {role['role_code']}: {say('withheld') if role['is_suppressed'] else told}")
    above, meets = _number(rules["behaviour_above"]), _number(rules["behaviour_meets"])
    yield _judged("behaviour_rating", row["behaviour_rating"], f">= {above}; >= {meets}; < {meets}", language)
    yield _judged("recommended_predicate", row["recommended_predicate"], "PermenPANRB 6/2022", language)
    yield _judged("official_predicate", row["official_predicate"], "", language)
    if row["numeric_score"] is not None:
        yield Text(f"{say('numeric_score')}: {_number(row['numeric_score'])}")
    if row["objection_code"]:
        yield Text(f"{say('objection_code')}: {row['objection_code']}")
    if judgement.ratings:
        yield Text(f"{say('rated_in')}: {_places(judgement.ratings, language)}")


def _judged(name: str, code: Any, basis: str, language: Language) -> Text:
    told = _said("none", language) if code is None else RATINGS[code][language == "en"]
    return Text(f"{_said(name, language)}: {told}{f' ({basis})' if basis else ''}")


def _figure(figure: Figure, language: Language, rows: int, *, is_alone: bool) -> Iterator[RenderableType]:
    def say(word: str) -> str:
        return _said(word, language)

    row = figure.published
    yield Text(f"\n{figure.labels[language]} ({figure.indicator_id})", style="bold")
    yield Text(f"{say('formula')}: {figure.formula}; {say('fact')} {figure.fact}; {say(figure.direction)}")
    if figure.statistic in ("median", "p90"):
        yield Text(f"  {say(figure.statistic)}")
    if figure.law:
        yield Text(f"{say('law')}: {figure.law}")
    if row["status_code"] != "computed":
        yield Text(f"{say('not_computable')}: {row['reason']}")
    else:
        yield Text(
            f"{say('actual')}: {_number(row['actual'])} {figure.unit}; {say('target')}: {_number(row['target'])}"
        )
        for step in arithmetic(figure):
            yield Text(f"  {step}")
    if figure.targets:
        yield Text(f"{say('agreed_in')}: {_places(figure.targets, language)}")
    if figure.hidden is not None:
        yield Text(say(figure.hidden))
    elif not figure.rows:
        yield Text(say("no_rows"))
    elif is_alone:
        yield _rows_table(figure, language, rows)
    else:
        count = len(figure.rows)
        lines: dict[str, set[tuple[int | None, int]]] = {}
        for source in (s for r in figure.rows for s in r.sources):
            lines.setdefault(source.file, set()).add((source.sheet, source.number))
        files = ", ".join(f"{file} ({len(places)})" for file, places in sorted(lines.items()))
        yield Text(f"{say('rows')}: {count}. {say('files')}: {files or say('no_source')}")
    for source in sorted({s for row in figure.rows for s in row.sources if s.correction}, key=_order):
        yield Text(f"{say('corrected')}: {_places([source], language)}: {source.correction}")
    for source in figure.dropped:
        yield Text(f"{say('corrected')}: {_places([source], language)}: {source.correction or say('dropped')}")
    if figure.is_recounted is not None and figure.hidden is None:
        yield Text(say("agrees" if figure.is_recounted else "differs"), style="" if figure.is_recounted else "red")


def _order(source: Source) -> tuple[str, int, int]:
    return source.file, source.sheet or 0, source.number


def _rows_table(figure: Figure, language: Language, limit: int) -> RenderableType:
    """The rows, each with its files by number; what says the same of every row stands above the table."""
    shown = figure.rows[:limit] if limit else figure.rows
    names = [name for name in shown[0].values if len({str(row.values[name]) for row in figure.rows}) > 1]
    same = [f"{name} = {_cell(value)}" for name, value in shown[0].values.items() if name not in names]
    constant = ", ".join(same)
    title = f"{_said('rows', language)}: {len(figure.rows)}{f' ({constant})' if same else ''}"
    table = Table()
    for name in names:
        table.add_column(name)
    has_below = figure.published["denominator"] is not None
    table.add_column("+", justify="right")
    if has_below:
        table.add_column("/", justify="right")
    table.add_column(_said("source", language))
    files: dict[str, int] = {}
    for row in shown:
        sums = [_number(row.numerator), *([_number(row.denominator)] if has_below else [])]
        table.add_row(*(_cell(row.values[name]) for name in names), *sums, _origin(row, files, language))
    legend = "\n".join(f"({number}) {file}" for file, number in files.items())
    left = len(figure.rows) - len(shown)
    more = f"\n... {left} {_said('more', language)}" if left else ""
    return Group(Text(title), table, Text(f"{legend}{more}"))


def _origin(row: Row, files: dict[str, int], language: Language) -> str:
    numbered = (replace(s, file=f"({files.setdefault(s.file, len(files) + 1)})") for s in row.sources)
    places = _places(numbered, language) if row.sources else _said("no_source", language)
    return f"{_said('year_before', language)}: {places}" if row.is_year_before else places


def _places(sources: Iterable[Source], language: Language) -> str:
    """Files with their lines: task_record/tugas_2026-03.csv baris 12, 14."""
    by_file: dict[tuple[str, str, int | None], list[int]] = {}
    for source in sources:
        by_file.setdefault((source.file, source.unit, source.sheet), []).append(source.number)
    told = []
    for (file, unit, sheet), numbers in by_file.items():
        of_sheet = f" {_said('sheet', language)} {sheet}" if sheet else ""
        told.append(f"{file}{of_sheet} {_said(unit, language)} {', '.join(map(str, sorted(set(numbers))))}")
    return "; ".join(told)


def _said(word: str, language: Language) -> str:
    return WORDS[word][language == "en"]


def _cell(value: Any) -> str:
    return "" if value is None else _number(value) if isinstance(value, float) else str(value)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{round(value, 4):.12g}"
