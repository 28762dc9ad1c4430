"""The page of what was published: every table of a month against the contract that promises it to analysts.

Here: kept judgements of published tables -> one HTML page, in Indonesian with a switch to English; no script, no
network, no value of a row. Not here: judging (contracts/validation), feeds (reports/validation).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from kinerja_pipeline.reports.frame import table, tiles
from kinerja_pipeline.reports.validation import Asked, Document, both, counted, rules_of, rules_table, two_languages


def published_page(kept: Sequence[Document], region: str, month: str, monthly: str) -> str:
    """The page of a region and month; `kept` holds one document per table, `monthly` is where the month's report lies,
    seen from the page."""
    judged = [(document, rules_of(document["validation"]) if document["validation"] else []) for document in kept]
    heading = both("Tabel yang diterbitkan", "Published tables")
    back = f'<p><a href="{escape(monthly)}">{both("Laporan bulan ini", "Report of this month")}</a></p>'
    sections = [_verdict(judged), _tables(judged), *(_rules(document, rules) for document, rules in judged)]
    return two_languages(
        f"{region}, {month}",
        f'<h1>{heading}</h1><p class="soft">{escape(region)} · {escape(month)}</p>{back}{"".join(sections)}',
    )


def _is_kept(document: Document, rules: Iterable[Asked]) -> bool:
    return not document["problems"] and all(r.is_met for r in rules)


def _verdict(judged: Sequence[tuple[Document, list[Asked]]]) -> str:
    good = sum(_is_kept(*each) for each in judged)
    is_good = good == len(judged)
    words = (
        both("Semua tabel memenuhi kontraknya.", "Every table keeps its contract.")
        if is_good
        else both("Ada tabel yang tidak memenuhi kontraknya.", "Some table does not keep its contract.")
    )
    figures = [
        (both("tabel", "tables"), counted(len(judged))),
        (both("memenuhi kontrak", "keep their contract"), counted(good)),
        (both("baris", "rows"), counted(sum(d["row_count"] for d, _ in judged))),
        (both("aturan diperiksa", "rules asked"), counted(sum(len(rules) for _, rules in judged))),
        (both("aturan dilanggar", "rules broken"), counted(sum(bool(r.broken) for _, rules in judged for r in rules))),
    ]
    return f'<section class="verdict{"" if is_good else " bad"}"><p>{words}</p>{tiles(figures)}</section>'


def _tables(judged: Sequence[tuple[Document, list[Asked]]]) -> str:
    head = [
        both("tabel", "table"),
        both("kontrak", "contract"),
        both("baris", "rows"),
        both("aturan", "rules"),
        both("dilanggar", "broken"),
        "",
    ]
    met = f'<span class="met">{both("terpenuhi", "met")}</span>'
    unmet = f'<span class="unmet">{both("tidak terpenuhi", "not met")}</span>'
    rows = [
        [
            f'<a href="#{escape(d["table"])}"><code>{escape(d["table"])}</code></a>',
            escape(d["contract_version"]),
            counted(d["row_count"]),
            counted(len(rules)),
            counted(sum(bool(r.broken) for r in rules)),
            met if _is_kept(d, rules) else unmet,
        ]
        for d, rules in judged
    ]
    return f"<section><h2>{both('Per tabel', 'By table')}</h2>{table(head, rows, numbers=(2, 3, 4))}</section>"


def _rules(document: Document, rules: list[Asked]) -> str:
    """A table's rules, folded away where all are met."""
    name, is_open = escape(document["table"]), "" if _is_kept(document, rules) else " open"
    problems = "".join(f"<p>{escape(problem)}</p>" for problem in document["problems"])
    return (
        f'<section id="{name}"><details{is_open}><summary><code>{name}</code></summary>'
        f"{problems}{rules_table(rules) if rules else ''}</details></section>"
    )
