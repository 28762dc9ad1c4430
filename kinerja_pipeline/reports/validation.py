"""The validation report: one page per feed and period from the judgement that validated/ keeps.

Here: kept documents -> one HTML page, in Indonesian with a switch to English; no script, no network, no value of a row.
Not here: judging (contracts/validation), where documents and pages are (reports/assets).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from kinerja_pipeline.contracts.words import of_reader
from kinerja_pipeline.reports.frame import document, tiles
from kinerja_pipeline.reports.words import NOTHING, number, percent

Document = Mapping[str, Any]

STYLE = """
.switch { float: right; cursor: pointer; color: var(--bar) }
.switch { border: 1px solid; border-radius: 4px; padding: .1rem .6rem }
#en { position: absolute; opacity: 0 } #en:focus-visible ~ main .switch { outline: 2px solid }
[lang=en] { display: none } #en:checked ~ main [lang=en] { display: inline }
#en:checked ~ main [lang=id] { display: none }
.bar { background: var(--bar); height: .6rem; margin-top: .4rem; border-radius: 2px; min-width: 2px }
.bar.bad { background: var(--bad) }
.graph { width: 40% }
"""


@dataclass(frozen=True, slots=True)
class _Reason:
    """A rule, or a reason of the reader, with how many values it was asked of and how many broke it."""

    rule: str
    words: str
    asked: int
    broken: int
    allowed: float
    is_met: bool
    is_warning: bool


def validation_page(
    kept: Document, earlier: Sequence[Document], files: Mapping[str, str], monthly: str | None = None
) -> str:
    """The page of one feed and period; `earlier` are the documents of earlier periods, `files` names the deliveries,
    `monthly` is where the month's report lies, seen from the page."""
    title = f"{kept['feed']}, {kept['region']}, {kept['month'] or 'register'}"
    sections = [_verdict(kept), _reasons(kept, files), _trend(kept, earlier), _rules(kept)]
    back = (
        f'<p><a href="{escape(monthly)}">{_text("Laporan bulan ini", "Report of this month")}</a></p>'
        if monthly
        else ""
    )
    return document(
        title,
        '<input type="checkbox" id="en"><main>'
        f'<label class="switch" for="en">{_text("English", "Bahasa Indonesia")}</label>'
        f"<h1>{escape(kept['feed'])}</h1>"
        f'<p class="soft">{escape(kept["region"])} · {_period(kept)} · '
        f"{_text('kontrak', 'contract')} {escape(kept['contract_version'])}</p>{back}"
        f"{''.join(sections)}</main>",
        style=STYLE,
    )


def _text(indonesian: str, english: str) -> str:
    return f'<span lang="id">{escape(indonesian)}</span><span lang="en">{escape(english)}</span>'


def _number(count: float) -> str:
    return _text(number(count, "id"), number(count, "en"))


def _percent(share: float | None) -> str:
    if share is None:
        return NOTHING
    return _text(percent(share, "id", 2), percent(share, "en", 2))


def _period(kept: Document) -> str:
    return escape(kept["month"]) if kept["month"] else _text("register daerah", "register of the region")


def _share(kept: Document) -> float | None:
    return kept["rejected"] / kept["landed"] if kept["landed"] else None


def _verdict(kept: Document) -> str:
    whole = next(r for r in kept["validation"]["results"] if r["expectation_config"]["meta"]["rule"] == "all")
    if not kept["landed"]:
        words = _text("Tidak ada baris yang diterima.", "No rows were delivered.")
    elif whole["success"]:
        words = _text("Baris yang ditolak masih dalam batas kontrak.", "Rejected rows are within the tolerance.")
    else:
        words = _text(
            "Baris yang ditolak melebihi batas kontrak: minta pengirim memperbaiki baris di bawah ini dan mengirim "
            "ulang.",
            "More rows were rejected than the contract bears: ask the supplier to correct the rows below and deliver "
            "them again.",
        )
    figures = [
        (_text("diterima", "landed"), _number(kept["landed"])),
        (_text("sah", "valid"), _number(kept["valid"])),
        (_text("ditolak", "rejected"), _number(kept["rejected"])),
        (_text("digantikan", "superseded"), _number(kept["superseded"])),
        (_text("bagian ditolak", "share rejected"), _percent(_share(kept))),
        (_text("batas", "tolerance"), _percent(kept["tolerance_share"])),
    ]
    return f'<section class="verdict{"" if whole["success"] else " bad"}"><p>{words}</p>{tiles(figures)}</section>'


def _all_reasons(kept: Document) -> list[_Reason]:
    found = []
    for result in kept["validation"]["results"]:
        config, counts = result["expectation_config"], result["result"]
        if config["meta"]["rule"] in ("all", "row__unreadable"):
            continue
        found.append(
            _Reason(
                rule=config["meta"]["rule"],
                words=_words(config),
                asked=counts["element_count"] - counts.get("missing_count", 0),
                broken=counts["unexpected_count"],
                allowed=round(1 - config["kwargs"].get("mostly", 1.0), 12),
                is_met=result["success"],
                is_warning=config["meta"]["severity"] == "warning",
            )
        )
    return found


def _words(config: Mapping[str, Any]) -> str:
    meta = config["meta"]
    # A register that has not been judged for long may have been kept without Indonesian.
    return _text(meta.get("words_id", meta["words"]), meta["words"])


def _reasons(kept: Document, files: Mapping[str, str]) -> str:
    broken = [(r.rule, r.words, r.broken, r.is_warning) for r in _all_reasons(kept) if r.broken]
    for name, count in kept["reader_reasons"].items():
        broken.append((name, _text(of_reader(name, "id"), of_reader(name, "en")), count, False))
    head = f"<h2>{_text('Alasan tersering', 'Most frequent reasons')}</h2>"
    if not broken:
        none = _text("Tidak ada baris yang melanggar aturan.", "No row breaks a rule.")
        return f"<section>{head}<p>{none}</p></section>"
    most, rows = max(count for _, _, count, _ in broken), []
    for rule, words, count, is_warning in sorted(broken, key=lambda b: (-b[2], b[0])):
        places = ", ".join(
            f"<code>{escape(files.get(delivery, delivery[:12]))}:{row}</code>"
            for delivery, row in kept["rows"].get(rule, [])
        )
        note = f' <span class="soft">{_text("peringatan", "warning")}</span>' if is_warning else ""
        rows.append(
            f"<tr><td><code>{escape(rule)}</code>{note}<br>{words}"
            f'<br><span class="soft">{_text("misalnya", "for example")} {places}</span></td>'
            f'<td class="n">{_number(count)}</td>'
            f'<td class="graph"><div class="bar" style="width:{100 * count / most:.1f}%"></div></td></tr>'
        )
    names = f"<th>{_text('alasan', 'reason')}</th><th class=n>{_text('baris', 'rows')}</th><th></th>"
    note = _text(
        "Satu baris dapat memiliki beberapa alasan.",
        "A row may have several reasons.",
    )
    return (
        f'<section>{head}<div class="wide"><table><tr>{names}</tr>{"".join(rows)}</table></div>'
        f'<p class="soft">{note}</p></section>'
    )


def _trend(kept: Document, earlier: Sequence[Document]) -> str:
    if not earlier:
        return ""
    shown = [*earlier, kept]
    most = max([*(s for d in shown if (s := _share(d))), kept["tolerance_share"], 1e-9])
    rows = []
    for each in shown:
        share = _share(each)
        colour = " bad" if share is not None and share > each["tolerance_share"] else ""
        bar = "" if not share else f'<div class="bar{colour}" style="width:{100 * share / most:.1f}%"></div>'
        rows.append(
            f'<tr><td>{_period(each)}</td><td class="n">{_number(each["landed"])}</td>'
            f'<td class="n">{_number(each["rejected"])}</td><td class="n">{_percent(share)}</td>'
            f'<td class="graph">{bar}</td></tr>'
        )
    names = (
        f"<th>{_text('bulan', 'month')}</th><th class=n>{_text('diterima', 'landed')}</th>"
        f"<th class=n>{_text('ditolak', 'rejected')}</th><th class=n>{_text('bagian', 'share')}</th><th></th>"
    )
    return (
        f"<section><h2>{_text('Perkembangan', 'Trend')}</h2>"
        f'<div class="wide"><table><tr>{names}</tr>{"".join(rows)}</table></div></section>'
    )


def _rules(kept: Document) -> str:
    rows = []
    for r in _all_reasons(kept):
        share = r.broken / r.asked if r.asked else None
        told = (
            f'<span class="met">{_text("terpenuhi", "met")}</span>'
            if r.is_met
            else f'<span class="unmet">{_text("tidak terpenuhi", "not met")}</span>'
        )
        rows.append(
            f'<tr><td><code>{escape(r.rule)}</code><br>{r.words}</td><td class="n">{_number(r.asked)}</td>'
            f'<td class="n">{_number(r.broken)}</td><td class="n">{_percent(share)}</td>'
            f'<td class="n">{_percent(r.allowed)}</td><td>{told}</td></tr>'
        )
    for rule in kept["unchecked"]:
        told = _text("tidak diperiksa", "not checked")
        rows.append(f'<tr><td><code>{escape(rule)}</code></td><td colspan="4"></td><td class="soft">{told}</td></tr>')
    names = (
        f"<th>{_text('aturan', 'rule')}</th><th class=n>{_text('diperiksa', 'asked')}</th>"
        f"<th class=n>{_text('melanggar', 'broken')}</th><th class=n>{_text('bagian', 'share')}</th>"
        f"<th class=n>{_text('batas', 'tolerance')}</th><th></th>"
    )
    note = _text("Diperiksa: nilai yang terisi dan terbaca.", "Asked: the values that are there and can be read.")
    return (
        f"<section><h2>{_text('Semua aturan kontrak', 'All rules of the contract')}</h2>"
        f'<div class="wide"><table><tr>{names}</tr>{"".join(rows)}</table></div><p class="soft">{note}</p></section>'
    )
