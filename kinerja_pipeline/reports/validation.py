"""The validation report: one page per feed and period from the judgement that validated/ keeps.

Here: kept documents -> one HTML page, in Indonesian with a switch to English; no script, no network, no value of a row.
Not here: judging (contracts/validation), where documents and pages are (reports/assets).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
class Asked:
    """A rule with how many values it was asked of and how many broke it."""

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
        f'<p><a href="{escape(monthly)}">{both("Laporan bulan ini", "Report of this month")}</a></p>' if monthly else ""
    )
    return two_languages(
        title,
        f"<h1>{escape(kept['feed'])}</h1>"
        f'<p class="soft">{escape(kept["region"])} · {_period(kept)} · '
        f"{both('kontrak', 'contract')} {escape(kept['contract_version'])}</p>{back}"
        f"{''.join(sections)}",
    )


def two_languages(title: str, html: str) -> str:
    """A page in Indonesian with a switch to English."""
    switch = f'<label class="switch" for="en">{both("English", "Bahasa Indonesia")}</label>'
    return document(title, f'<input type="checkbox" id="en"><main>{switch}{html}</main>', style=STYLE)


def both(indonesian: str, english: str) -> str:
    return f'<span lang="id">{escape(indonesian)}</span><span lang="en">{escape(english)}</span>'


def counted(count: float) -> str:
    return both(number(count, "id"), number(count, "en"))


def shared(share: float | None) -> str:
    if share is None:
        return NOTHING
    return both(percent(share, "id", 2), percent(share, "en", 2))


def _period(kept: Document) -> str:
    return escape(kept["month"]) if kept["month"] else both("register daerah", "register of the region")


def _share(kept: Document) -> float | None:
    return kept["rejected"] / kept["landed"] if kept["landed"] else None


def _verdict(kept: Document) -> str:
    whole = next(r for r in kept["validation"]["results"] if r["expectation_config"]["meta"]["rule"] == "all")
    # Pages of before say nothing of files that were replaced.
    is_borne = kept.get("is_borne", whole["success"])
    if not kept["landed"]:
        words = both("Tidak ada baris yang diterima.", "No rows were delivered.")
    elif is_borne:
        words = both("Baris yang ditolak masih dalam batas kontrak.", "Rejected rows are within the tolerance.")
    else:
        words = both(
            "Baris yang ditolak melebihi batas kontrak: minta pengirim memperbaiki baris di bawah ini dan mengirim "
            "ulang.",
            "More rows were rejected than the contract bears: ask the supplier to correct the rows below and deliver "
            "them again.",
        )
    figures = [
        (both("diterima", "landed"), counted(kept["landed"])),
        (both("sah", "valid"), counted(kept["valid"])),
        (both("ditolak", "rejected"), counted(kept["rejected"])),
        (both("digantikan", "superseded"), counted(kept["superseded"])),
        (both("bagian ditolak", "share rejected"), shared(_share(kept))),
        (both("batas", "tolerance"), shared(kept["tolerance_share"])),
    ]
    return f'<section class="verdict{"" if is_borne else " bad"}"><p>{words}</p>{tiles(figures)}</section>'


def rules_of(validation: Document) -> list[Asked]:
    """The rules of a kept judgement, without the questions about a feed as a whole."""
    found = []
    for result in validation["results"]:
        config, counts = result["expectation_config"], result["result"]
        if config["meta"]["rule"] in ("all", "row__unreadable"):
            continue
        found.append(
            Asked(
                rule=config["meta"]["rule"],
                words=_words(config),
                # Nothing was counted where a condition could not be evaluated.
                asked=counts.get("element_count", 0) - counts.get("missing_count", 0),
                broken=counts.get("unexpected_count", 0),
                allowed=round(1 - config["kwargs"].get("mostly", 1.0), 12),
                is_met=result["success"],
                is_warning=config["meta"]["severity"] == "warning",
            )
        )
    return found


def _words(config: Mapping[str, Any]) -> str:
    meta = config["meta"]
    # A register that has not been judged for long may have been kept without Indonesian.
    return both(meta.get("words_id", meta["words"]), meta["words"])


def _reasons(kept: Document, files: Mapping[str, str]) -> str:
    broken = [(r.rule, r.words, r.broken, r.is_warning) for r in rules_of(kept["validation"]) if r.broken]
    for name, count in kept["reader_reasons"].items():
        broken.append((name, both(of_reader(name, "id"), of_reader(name, "en")), count, False))
    head = f"<h2>{both('Alasan tersering', 'Most frequent reasons')}</h2>"
    if not broken:
        none = both("Tidak ada baris yang melanggar aturan.", "No row breaks a rule.")
        return f"<section>{head}<p>{none}</p></section>"
    most, rows = max(count for _, _, count, _ in broken), []
    for rule, words, count, is_warning in sorted(broken, key=lambda b: (-b[2], b[0])):
        places = ", ".join(
            f"<code>{escape(files.get(delivery, delivery[:12]))}:{row}</code>"
            for delivery, row in kept["rows"].get(rule, [])
        )
        note = f' <span class="soft">{both("peringatan", "warning")}</span>' if is_warning else ""
        rows.append(
            f"<tr><td><code>{escape(rule)}</code>{note}<br>{words}"
            f'<br><span class="soft">{both("misalnya", "for example")} {places}</span></td>'
            f'<td class="n">{counted(count)}</td>'
            f'<td class="graph"><div class="bar" style="width:{100 * count / most:.1f}%"></div></td></tr>'
        )
    names = f"<th>{both('alasan', 'reason')}</th><th class=n>{both('baris', 'rows')}</th><th></th>"
    note = both(
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
            f'<tr><td>{_period(each)}</td><td class="n">{counted(each["landed"])}</td>'
            f'<td class="n">{counted(each["rejected"])}</td><td class="n">{shared(share)}</td>'
            f'<td class="graph">{bar}</td></tr>'
        )
    names = (
        f"<th>{both('bulan', 'month')}</th><th class=n>{both('diterima', 'landed')}</th>"
        f"<th class=n>{both('ditolak', 'rejected')}</th><th class=n>{both('bagian', 'share')}</th><th></th>"
    )
    return (
        f"<section><h2>{both('Perkembangan', 'Trend')}</h2>"
        f'<div class="wide"><table><tr>{names}</tr>{"".join(rows)}</table></div></section>'
    )


def _rules(kept: Document) -> str:
    unchecked = [
        f'<tr><td><code>{escape(rule)}</code></td><td colspan="4"></td>'
        f'<td class="soft">{both("tidak diperiksa", "not checked")}</td></tr>'
        for rule in kept["unchecked"]
    ]
    note = both("Diperiksa: nilai yang terisi dan terbaca.", "Asked: the values that are there and can be read.")
    return (
        f"<section><h2>{both('Semua aturan kontrak', 'All rules of the contract')}</h2>"
        f'{rules_table(rules_of(kept["validation"]), unchecked)}<p class="soft">{note}</p></section>'
    )


def rules_table(rules: Iterable[Asked], html_more: Iterable[str] = ()) -> str:
    rows = []
    for r in rules:
        share = r.broken / r.asked if r.asked else None
        told = (
            f'<span class="met">{both("terpenuhi", "met")}</span>'
            if r.is_met
            else f'<span class="unmet">{both("tidak terpenuhi", "not met")}</span>'
        )
        rows.append(
            f'<tr><td><code>{escape(r.rule)}</code><br>{r.words}</td><td class="n">{counted(r.asked)}</td>'
            f'<td class="n">{counted(r.broken)}</td><td class="n">{shared(share)}</td>'
            f'<td class="n">{shared(r.allowed)}</td><td>{told}</td></tr>'
        )
    names = (
        f"<th>{both('aturan', 'rule')}</th><th class=n>{both('diperiksa', 'asked')}</th>"
        f"<th class=n>{both('melanggar', 'broken')}</th><th class=n>{both('bagian', 'share')}</th>"
        f"<th class=n>{both('batas', 'tolerance')}</th><th></th>"
    )
    return f'<div class="wide"><table><tr>{names}</tr>{"".join(rows)}{"".join(html_more)}</table></div>'
