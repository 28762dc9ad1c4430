"""The data dictionary: every table, view and indicator in words, Indonesian and English, as Markdown and as one page.

Here: contracts, views, policies and labels -> sections -> text. Not here: the texts themselves (data_contracts, head
comments of sql/views, the regions' policies); nothing is described in this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from kinerja_pipeline.contracts.model import Column, Contract, load_contracts
from kinerja_pipeline.contracts.words import Language, labels
from kinerja_pipeline.policies.explain import formula
from kinerja_pipeline.policies.model import Indicator, Policy
from kinerja_pipeline.warehouse.personal import classified_relations
from kinerja_pipeline.warehouse.views import View, load_views

LANGUAGES: tuple[Language, ...] = ("id", "en")

_WORDS: Mapping[Language, Mapping[str, str]] = {
    "id": {
        "title": "Kamus data",
        "tables": "Tabel",
        "views": "Tampilan siap pakai",
        "indicators": "Indikator",
        "grain": "Kunci",
        "for": "Untuk",
        "column": "kolom",
        "kind": "jenis",
        "class": "klasifikasi",
        "means": "arti",
        "codes": "kode",
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
        "tables": "Tables",
        "views": "Views",
        "indicators": "Indicators",
        "grain": "Key",
        "for": "For",
        "column": "column",
        "kind": "type",
        "class": "classification",
        "means": "meaning",
        "codes": "codes",
        "indicator": "indicator",
        "regions": "regions",
        "aspect": "aspect",
        "unit": "unit",
        "formula": "formula",
        "source": "fact",
        "law": "law",
    },
}
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1d2733}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem}"
    "th,td{border-bottom:1px solid #d7dde4;padding:.3rem .6rem;text-align:left;vertical-align:top}"
    "th{background:#f2f5f8}code{font-size:.92em}nav a{margin-right:.8rem}"
)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its sentences and a table; `level` 1 is a chapter."""

    level: int
    title: str
    sentences: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def dictionary(policies: Mapping[str, Policy], language: Language) -> list[Section]:
    """The dictionary's sections; `policies` are those in force, by region. A text without Indonesian stays English."""
    words = _WORDS[language]
    tables = [_table(contract, language) for _, contract in sorted(load_contracts().outgoing.items())]
    views = [_view(view, language) for view in sorted(load_views(), key=lambda view: view.name)]
    header = tuple(words[w] for w in ("indicator", "regions", "aspect", "unit", "formula", "source", "law"))
    indicators = Section(1, words["indicators"], (), header, tuple(_indicators(policies, language)))
    return [Section(1, words["tables"]), *tables, Section(1, words["views"]), *views, indicators]


def _labels(language: Language) -> Mapping[str, Mapping[str, str]]:
    return labels() if language == "id" else {"tables": {}, "columns": {}, "views": {}}


def described_table(contract: Contract, language: Language) -> tuple[str, dict[str, str]]:
    """What a row of the table is, and what each column means. A text without Indonesian stays English."""
    told = _labels(language)
    return told["tables"].get(contract.name, contract.description), {
        c.name: told["columns"].get(f"{contract.name}.{c.name}", told["columns"].get(c.name, c.description))
        for c in contract.columns
    }


def described_view(view: View, language: Language) -> tuple[str, str]:
    """What a row of the view is, and for whom it is."""
    return _labels(language)["views"].get(view.name, view.grain), view.audience


def _table(contract: Contract, language: Language) -> Section:
    words = _WORDS[language]
    told, means = described_table(contract, language)
    rows = tuple(
        (f"`{c.name}`", _kind(c), c.classification, means[c.name], ", ".join(c.codes)) for c in contract.columns
    )
    header = tuple(words[w] for w in ("column", "kind", "class", "means", "codes"))
    return Section(2, contract.name, (told, f"{words['grain']}: {contract.grain}"), header, rows)


def _kind(column: Column) -> str:
    return f"{column.kind}, {column.step}" if column.step is not None else column.kind


def _view(view: View, language: Language) -> Section:
    words = _WORDS[language]
    told, audience = described_view(view, language)
    sentences = (told, view.grain) if told != view.grain else (told, f"{words['for']}: {audience}")
    rows = tuple((f"`{name}`", kind) for name, kind in classified_relations()[view.name].items())
    return Section(2, view.name, sentences, (words["column"], words["class"]), rows)


def _indicators(policies: Mapping[str, Policy], language: Language) -> Iterator[tuple[str, ...]]:
    """One row per indicator and way to compute it, with the regions that compute it so."""
    regions: dict[tuple[str, ...], list[str]] = {}
    for region, policy in sorted(policies.items()):
        for name, indicator in sorted(policy.indicators.items()):
            if indicator.is_active:
                regions.setdefault((name, *_told(indicator, language)), []).append(region)
    for (name, label, *told), where in sorted(regions.items()):
        yield f"`{name}` {label}", ", ".join(where), *told


def _told(indicator: Indicator, language: Language) -> tuple[str, ...]:
    label = indicator.labels.id if language == "id" else indicator.labels.en
    told: tuple[Any, ...] = (indicator.aspect, indicator.unit, formula(indicator), indicator.fact, indicator.source)
    return (label, *(str(text or "") for text in told))


def markdown(sections: list[Section], language: Language) -> str:
    lines = [f"# {_WORDS[language]['title']}", ""]
    for section in sections:
        lines += [f"{'#' * (section.level + 1)} {section.title}", ""]
        for sentence in section.sentences:
            lines += [sentence, ""]
        if section.header:
            lines += [_line(section.header), _line(("---",) * len(section.header))]
            lines += [*map(_line, section.rows), ""]
    return "\n".join(lines)


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def html(sections: list[Section], language: Language) -> str:
    """One page that asks nothing of the network."""
    title = _WORDS[language]["title"]
    links = " ".join(f'<a href="#{s.title}">{s.title}</a>' for s in sections if s.level == 2)
    parts = [f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{title}</title>']
    parts += [f"<style>{_STYLE}</style><h1>{title}</h1><nav>{links}</nav>"]
    for section in sections:
        heading = f"h{section.level + 1}"
        parts.append(f'<{heading} id="{escape(section.title)}">{escape(section.title)}</{heading}>')
        parts += [f"<p>{escape(sentence)}</p>" for sentence in section.sentences]
        if section.header:
            parts.append(f"<table><tr>{''.join(f'<th>{escape(h)}</th>' for h in section.header)}</tr>")
            parts += [f"<tr>{''.join(f'<td>{_cell(c)}</td>' for c in row)}</tr>" for row in section.rows]
            parts.append("</table>")
    return "\n".join([*parts, "</html>\n"])


def _cell(text: str) -> str:
    before, tick, rest = text.partition("`")
    code, _, after = rest.partition("`")
    return f"{escape(before)}<code>{escape(code)}</code>{escape(after)}" if tick else escape(text)
