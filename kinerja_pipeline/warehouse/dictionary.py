"""The data dictionary: every feed, table, view and indicator in words, Indonesian and English, as Markdown and as one
page, each column with what it is computed from and the delivered columns it rests on.

Here: contracts, views, policies, lineage and labels -> sections -> text. Not here: the texts themselves
(data_contracts, head comments of sql/views, the regions' policies), the ways of columns (warehouse/lineage).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any

from kinerja_pipeline.contracts.model import Column, Contract, load_contracts
from kinerja_pipeline.contracts.sources import WORDS, Source
from kinerja_pipeline.contracts.words import Language, labels
from kinerja_pipeline.contracts.words import words as rule_words
from kinerja_pipeline.plain import visible
from kinerja_pipeline.policies.explain import formula
from kinerja_pipeline.policies.indicators import fact_pages
from kinerja_pipeline.policies.model import Indicator, Policy
from kinerja_pipeline.reports.places import names_in
from kinerja_pipeline.warehouse.columns import ROWS
from kinerja_pipeline.warehouse.lineage import KEPT, Lineage, asked_of, lineage
from kinerja_pipeline.warehouse.personal import classified_relations
from kinerja_pipeline.warehouse.published import READ
from kinerja_pipeline.warehouse.views import View, load_views

LANGUAGES: tuple[Language, ...] = ("id", "en")

_WORDS: Mapping[Language, Mapping[str, str]] = {
    "id": {
        "title": "Kamus data",
        "origins": "Asal kolom",
        "origins_told": "Setiap kolom menyebut asalnya: kolom lain, sampai ke kolom kiriman, atau salah satu kata ini.",
        "word": "kata",
        "feeds": "Kiriman data",
        "tables": "Tabel",
        "views": "Tampilan siap pakai",
        "indicators": "Indikator",
        "grain": "Kunci",
        "for": "Untuk",
        "column": "kolom",
        "kind": "jenis",
        "measure": "satuan",
        "class": "klasifikasi",
        "means": "arti",
        "codes": "kode",
        "used": "dipakai untuk",
        "from": "dihitung dari",
        "rests": "bertumpu pada kiriman",
        "rules": "Aturan antarkolom dan antarsumber",
        "rule": "aturan",
        "asks": "yang diminta",
        "key": "kunci baris",
        "month": "menentukan bulan",
        "rows": "baris",
        "columns": "kolom",
        "lineage": "Asal",
        "reports": "Laporan bulanan",
        "report": "berkas",
        "reads": "membaca",
        "reports_told": "Lembar `Arti kolom` buku kerja menyebut tabel dan kolom di balik setiap judul kolomnya.",
        "indicator": "indikator",
        "regions": "daerah",
        "aspect": "aspek",
        "unit": "satuan",
        "formula": "rumus",
        "source": "fakta",
        "law": "dasar",
    },
    "en": {
        "title": "Data dictionary",
        "origins": "Where columns come from",
        "origins_told": "Every column names what it comes from: other columns, back to delivered ones, or these.",
        "word": "word",
        "feeds": "Feeds",
        "tables": "Tables",
        "views": "Views",
        "indicators": "Indicators",
        "grain": "Key",
        "for": "For",
        "column": "column",
        "kind": "type",
        "measure": "unit",
        "class": "classification",
        "means": "meaning",
        "codes": "codes",
        "used": "used for",
        "from": "computed from",
        "rests": "rests on delivered",
        "rules": "Rules between columns and feeds",
        "rule": "rule",
        "asks": "what it asks",
        "key": "key of the row",
        "month": "says the month",
        "rows": "rows",
        "columns": "columns",
        "lineage": "Where they come from",
        "reports": "Monthly report",
        "report": "files",
        "reads": "reads",
        "reports_told": "The sheet `Columns` of the workbook names the table and column behind each of its headings.",
        "indicator": "indicator",
        "regions": "regions",
        "aspect": "aspect",
        "unit": "unit",
        "formula": "formula",
        "source": "fact",
        "law": "law",
    },
}
_MEASURES: Mapping[str, tuple[str, str]] = {
    "_minutes": ("menit", "minutes"),
    "hours": ("jam", "hours"),
    "_count": ("jumlah", "count"),
    "_share": ("bagian (1 = seluruhnya)", "share (1 = all)"),
    "_percent": ("persen", "percent"),
    **dict.fromkeys(("cost", "cost_planned", "cost_spent"), ("rupiah", "rupiah")),
    "cost_per_hour": ("rupiah per jam", "rupiah an hour"),
}
"""What the end of a column's name says about its unit."""
_MOMENTS: Mapping[str, tuple[str, str]] = {
    "outgoing": ("saat, UTC", "instant, UTC"),
    "incoming": ("saat setempat", "local time"),
}
MANY, MOST = 20, 40
"""Delivered columns, and direct sources, that a cell still names one by one; of more it names tables and numbers."""

_LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<to>#[\w.*-]+)\)")
_CODE = re.compile(r"`([^`]*)`")
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:80rem;margin:2rem auto;padding:0 1rem;color:#1d2733}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem}.wide{overflow-x:auto}"
    "th,td{border-bottom:1px solid #d7dde4;padding:.3rem .6rem;text-align:left;vertical-align:top}"
    "th{background:#f2f5f8;white-space:nowrap}code{font-size:.88em;white-space:nowrap}"
    "td:first-child code{font-weight:600}.wide td:last-child{min-width:14rem}"
    "h2{margin-top:3rem;border-bottom:2px solid #d7dde4}h3{margin:2.2rem 0 .2rem}p{margin:.2rem 0;max-width:60rem}"
    "h4{margin:.6rem 0;color:#4a5866}.way td{font-size:.92em}"
    "a{color:#1a5a96;text-decoration:none}a:hover{text-decoration:underline}tr:target{background:#fff6d6}"
    "nav p{margin:.4rem 0;max-width:none}nav a{margin-right:.7rem;white-space:nowrap}"
)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with sentences and one table. A cell is plain text with `code` and [links](#anchor) in it; `anchors`
    names the rows."""

    level: int
    title: str
    sentences: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    anchor: str = ""
    anchors: tuple[str, ...] = ()


def dictionary(policies: Mapping[str, Policy], language: Language) -> list[Section]:
    """Everything there is to look up, in the order in which data goes. Indicators are those of the policies given."""
    words, contracts = _WORDS[language], load_contracts()
    ways = lineage(contracts, load_views(), policies.values())
    feeds = [part for _, c in sorted(contracts.incoming.items()) for part in _feed(c, ways, language)]
    tables = [part for _, c in sorted(contracts.outgoing.items()) for part in _table(c, ways, language)]
    views = [_view(view, ways, language) for view in sorted(load_views(), key=lambda view: view.name)]
    return [
        _origins(language),
        Section(1, words["feeds"], anchor="feeds"),
        *feeds,
        Section(1, words["tables"], anchor="tables"),
        *tables,
        Section(1, words["views"], anchor="views"),
        *views,
        *_indicators(policies, ways, language),
        _reports(language),
    ]


def _labels(language: Language) -> Mapping[str, Mapping[str, str]]:
    parts = ("tables", "columns", "views", "feeds", "feed_columns", "words", "words_mean", "kept")
    return labels() if language == "id" else {part: {} for part in parts}


def described_table(contract: Contract, language: Language) -> tuple[str, dict[str, str]]:
    """What a row of the table or feed is, and what each column means. A text without Indonesian stays English."""
    told, is_feed = _labels(language), contract.direction == "incoming"
    tables, columns = (told[name] for name in (("feeds", "feed_columns") if is_feed else ("tables", "columns")))
    return tables.get(contract.name, contract.description), {
        c.name: columns.get(f"{contract.name}.{c.name}", columns.get(c.name, c.description)) for c in contract.columns
    }


def described_view(view: View, language: Language) -> tuple[str, str]:
    """What a row of the view is, and for whom it is."""
    return _labels(language)["views"].get(view.name, view.grain), view.audience


# ---- sections --------------------------------------------------------------------------------------------------------


def _origins(language: Language) -> Section:
    words, means = _WORDS[language], _labels(language)["words_mean"]
    rows = tuple((_word(name, language), means.get(name, meaning)) for name, meaning in WORDS.items())
    anchors = tuple(f"word-{name}" for name in WORDS)
    header = (words["word"], words["means"])
    return Section(1, words["origins"], (words["origins_told"],), header, rows, "origins", anchors)


def _word(name: str, language: Language) -> str:
    return _labels(language)["words"].get(name, name)


def _feed(contract: Contract, ways: Lineage, language: Language) -> Iterator[Section]:
    words, (told, means) = _WORDS[language], described_table(contract, language)
    used, asked, kept = ways.used_by(contract.name), asked_of(contract), _labels(language)["kept"]

    def uses(column: str) -> str:
        own = [words.get(use, f"[`{use}`](#rule-{contract.name}.{use})") for use in asked.get(column, [])]
        name = f"{contract.name}.{column}"
        if not own and column not in used:
            return kept.get(name, KEPT[name])
        return "; ".join(filter(None, [_grouped(used.get(column, ()), language), ", ".join(own)]))

    rows = tuple((*_described(contract, c, means, language), uses(c.name)) for c in contract.columns)
    header = tuple(words[w] for w in ("column", "kind", "measure", "class", "means", "codes", "used"))
    sentences = (told, f"{words['grain']}: {contract.grain or ' x '.join(contract.key)}")
    anchors = _anchored("feed", contract.name, contract.names)
    yield Section(2, contract.name, sentences, *_filled(header, rows), *anchors)
    # What types, patterns, ranges and codes ask stands with the columns.
    if rules := [rule for rule in contract.rules if rule.what in ("row", "reference")]:
        told_rules = tuple((f"`{r.name}`", rule_words(r.name, contract, language)) for r in rules)
        title = f"{words['rules']}: {contract.name}"
        rule_anchors = _anchored("rule", contract.name, [rule.name for rule in rules])
        yield Section(3, title, (), (words["rule"], words["asks"]), told_rules, *rule_anchors)


def _table(contract: Contract, ways: Lineage, language: Language) -> Iterator[Section]:
    words, (told, means) = _WORDS[language], described_table(contract, language)
    header = tuple(words[w] for w in ("column", "kind", "measure", "class", "means", "codes"))
    rows = tuple(_described(contract, c, means, language) for c in contract.columns)
    sentences = (told, f"{words['grain']}: {contract.grain}")
    anchors = _anchored("table", contract.name, contract.names)
    yield Section(2, contract.name, sentences, *_filled(header, rows), *anchors)
    ways_of = tuple(
        (f"`{name}`", *_way(ways, Source("table", contract.name, name), language)) for name in contract.names
    )
    header = tuple(words[w] for w in ("column", "from", "rests"))
    title = f"{words['lineage']}: {contract.name}"
    yield Section(3, title, (), header, ways_of, *_anchored("way", contract.name, contract.names))


def _filled(
    header: tuple[str, ...], rows: tuple[tuple[str, ...], ...]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The table without the columns that say nothing in any row."""
    kept = [place for place, _ in enumerate(header) if any(row[place] for row in rows)]
    return tuple(header[i] for i in kept), tuple(tuple(row[i] for i in kept) for row in rows)


def _described(
    contract: Contract, column: Column, means: Mapping[str, str], language: Language
) -> tuple[str, str, str, str, str, str]:
    return (
        *(f"`{column.name}`", _kind(column), _measure(contract, column, language), column.classification),
        *(means[column.name], ", ".join(column.codes)),
    )


def _kind(column: Column) -> str:
    return f"{column.kind}, {column.step}" if column.step is not None else column.kind


def _measure(contract: Contract, column: Column, language: Language) -> str:
    ends = _MOMENTS[contract.direction] if column.kind == "timestamp" else None
    ends = ends or next((told for end, told in _MEASURES.items() if column.name.endswith(end)), ("", ""))
    return ends[0] if language == "id" else ends[1]


def _view(view: View, ways: Lineage, language: Language) -> Section:
    words = _WORDS[language]
    told, audience = described_view(view, language)
    sentences = (told, view.grain) if told != view.grain else (told, f"{words['for']}: {audience}")
    kinds = classified_relations()[view.name]
    rows = tuple(
        (f"`{name}`", kind, *_way(ways, Source("view", view.name, name), language)) for name, kind in kinds.items()
    )
    header = tuple(words[w] for w in ("column", "class", "from", "rests"))
    return Section(2, view.name, sentences, header, rows, *_anchored("view", view.name, tuple(kinds)))


def _indicators(policies: Mapping[str, Policy], ways: Lineage, language: Language) -> Iterator[Section]:
    """One row per indicator and way to compute it, with the regions that compute it so; then where each comes from."""
    words = _WORDS[language]
    regions: dict[tuple[str, ...], list[str]] = {}
    for region, policy in sorted(policies.items()):
        for name, indicator in sorted(policy.indicators.items()):
            if indicator.is_active:
                regions.setdefault((name, *_told(indicator, language)), []).append(region)
    told = sorted(regions.items())
    rows = tuple((f"`{name}` {label}", ", ".join(where), *rest) for (name, label, *rest), where in told)
    header = tuple(words[w] for w in ("indicator", "regions", "aspect", "unit", "formula", "source", "law"))
    yield Section(1, words["indicators"], (), header, rows, "indicators")
    names = sorted({name for (name, *_), _ in told})
    ways_of = tuple((f"`{name}`", *_way(ways, Source("indicator", name), language)) for name in names)
    header = tuple(words[w] for w in ("indicator", "from", "rests"))
    title = f"{words['lineage']}: {words['indicators'].lower()}"
    anchors = tuple(f"indicator-{name}" for name in names)
    yield Section(3, title, (), header, ways_of, "way-indicators", anchors)


def _told(indicator: Indicator, language: Language) -> tuple[str, ...]:
    label = indicator.labels.id if language == "id" else indicator.labels.en
    told: tuple[Any, ...] = (indicator.aspect, indicator.unit, formula(indicator), _fact(indicator), indicator.source)
    return (label, *(str(text or "") for text in told))


def _fact(indicator: Indicator) -> str:
    """The fact, with a link to what describes its columns."""
    page = fact_pages(load_contracts())[indicator.fact]
    if page is None:
        return f"`{indicator.fact}`"
    return f"[`{indicator.fact}`](#{'feed' if page.direction == 'incoming' else 'table'}-{page.name})"


def _reports(language: Language) -> Section:
    words, files = _WORDS[language], names_in(language)
    rows = ((", ".join(f"`{name}`" for name in files), _grouped((Source("table", name) for name in READ), language)),)
    return Section(1, words["reports"], (words["reports_told"],), (words["report"], words["reads"]), rows, "reports")


# ---- ways ------------------------------------------------------------------------------------------------------------


def _anchored(kind: str, name: str, columns: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    return f"{kind}-{name}", tuple(f"{kind}-{name}.{column}" for column in columns)


def _way(ways: Lineage, source: Source, language: Language) -> tuple[str, str]:
    """What a column is computed from, and the delivered columns it rests on."""
    direct, ends = ways.direct[source], ways.rests_on(source)
    return (
        _grouped(direct, language, is_long=len(direct) > MOST),
        _grouped(ends, language, is_long=sum(end.kind == "feed" for end in ends) > MANY),
    )


def _grouped(sources: Iterable[Source], language: Language, *, is_long: bool = False) -> str:
    """Columns by table, then the words: `attendance_day` (late_minutes, status_code), policy. Where there are too many
    their number stands for them."""
    words, parts = _WORDS[language], []
    for (kind, name), each in groupby(sorted(sources, key=_order), key=lambda source: source[:2]):
        if kind == "origin":
            to = "way-indicators" if name == "indicators" else f"word-{name}"
            parts.append(f"[{_word(name, language)}](#{to})")
            continue
        columns = [source.column for source in each]
        # The way goes on where the column's own way is told.
        way = "way" if kind == "table" else kind
        told = [
            words["rows"] if column == ROWS else f"[{column}](#{way}-{name}.{column})" for column in columns if column
        ]
        inside = f"{len(told)} {words['columns']}" if is_long else ", ".join(told)
        parts.append(f"[`{name}`](#{kind}-{name})" + (f" ({inside})" if told else ""))
    return ", ".join(parts)


def _order(source: Source) -> tuple[bool, Source]:
    return source.kind == "origin", source


# ---- text ------------------------------------------------------------------------------------------------------------


def markdown(sections: list[Section], language: Language) -> str:
    lines = [f"# {_WORDS[language]['title']}", ""]
    for section in sections:
        mark = f'<a id="{section.anchor}"></a>' if section.anchor else ""
        lines += [f"{'#' * (section.level + 1)} {mark}{_plain(section.title)}", ""]
        for sentence in section.sentences:
            lines += [_plain(sentence), ""]
        if section.header:
            lines += [_line(section.header), _line(("---",) * len(section.header))]
            for anchor, row in _named(section):
                mark = f'<a id="{anchor}"></a>' if anchor else ""
                lines.append(_line((mark + row[0], *row[1:])))
            lines.append("")
    return "\n".join(lines)


def _named(section: Section) -> Iterator[tuple[str, tuple[str, ...]]]:
    return zip(section.anchors or ("",) * len(section.rows), section.rows, strict=True)


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(_plain(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def _plain(text: str) -> str:
    """Outside `code` no tag, and no link but to a place on this page: a policy's words are words."""
    parts = re.split(r"(<a id=\"[\w.-]*\"></a>|`[^`]*`)", visible(text))
    for place in range(0, len(parts), 2):
        parts[place] = re.sub(r"\]\((?!#)", r"]\\(", re.sub(r"<(?=[A-Za-z/!?])", "&lt;", parts[place]))
    return "".join(parts)


def html(sections: list[Section], language: Language) -> str:
    """One page that asks nothing of the network."""
    title = _WORDS[language]["title"]
    parts = [f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{title}</title>']
    parts += ['<meta name="viewport" content="width=device-width, initial-scale=1">']
    parts += [f"<style>{_STYLE}</style><h1>{title}</h1><nav>{_contents(sections)}</nav>"]
    for section in sections:
        parts += [*_heading(section), *_rows(section)]
    return "\n".join([*parts, "</html>\n"])


def _contents(sections: list[Section]) -> str:
    """A line of links for every part of the page."""
    parts: list[list[str]] = []
    for section in sections:
        link = f'<a href="#{escape(section.anchor)}">{escape(section.title)}</a>'
        if section.level == 1:
            parts.append([f"<b>{link}</b>"])
        elif section.level == 2 and parts:
            parts[-1].append(link)
    return "".join(f"<p>{' '.join(links)}</p>" for links in parts)


def _heading(section: Section) -> Iterator[str]:
    heading = f"h{section.level + 1}"
    yield f'<{heading} id="{escape(section.anchor)}">{escape(section.title)}</{heading}>'
    yield from (f"<p>{_cell(sentence)}</p>" for sentence in section.sentences)


def _rows(section: Section) -> Iterator[str]:
    if not section.header:
        return
    look = "wide way" if section.level == 3 else "wide"
    yield f'<div class="{look}"><table><tr>{"".join(f"<th>{escape(h)}</th>" for h in section.header)}</tr>'
    for anchor, row in _named(section):
        named = f' id="{escape(anchor)}"' if anchor else ""
        yield f"<tr{named}>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>"
    yield "</table></div>"


def _cell(text: str) -> str:
    linked = _LINK.sub(lambda link: f'<a href="{link["to"]}">{link["text"]}</a>', escape(text))
    return _CODE.sub(r"<code>\1</code>", linked)
