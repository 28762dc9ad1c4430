"""The page of a region's month, for officials, or for everyone: figures -> one HTML file in one language.

For officials it names people, in the follow-up lists alone, and no NIP anywhere. For everyone it names nobody: what
comes from people (attendance, predicates, follow-up) is told of the region as a whole. Here: order and words. Not here:
the figures (reports/figures), the workbook with every line (reports/workbook), where files lie (reports/monthly).
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import polars as pl

from kinerja_pipeline.policies.loader import policy_version
from kinerja_pipeline.policies.model import Policy
from kinerja_pipeline.reports import charts
from kinerja_pipeline.reports.figures import Figures
from kinerja_pipeline.reports.frame import document, table, tiles
from kinerja_pipeline.reports.people import attendance, follow_up, predicates
from kinerja_pipeline.reports.services import on_time, satisfaction
from kinerja_pipeline.reports.telling import MOST_LINES, Audience, Links, Telling, by_class, none
from kinerja_pipeline.reports.words import FEEDS, NOTHING, STATES, Language, day, instant, month_name, said

STYLE = (
    charts.STYLE
    + """
header { border-bottom: 3px solid var(--bar); padding-bottom: .8rem; margin-bottom: 1rem }
header .state { display: inline-block; border: 1px solid; border-radius: 4px; padding: 0 .5rem; margin-left: .6rem;
  font-size: .9rem; font-weight: 400; vertical-align: middle }
nav a { margin-right: 1rem } h3 { font-size: 1rem; margin: 1.3rem 0 .3rem } h3:first-of-type { margin-top: .4rem }
.note { border-left: 4px solid var(--bar); padding: .2rem .8rem; background: #f5f7f9 }
.secret { border-left-color: var(--bad) }
table:not(.heat) { font-size: .9rem } th.n { white-space: normal } td { overflow-wrap: break-word }
table:not(.heat) { min-width: 34rem } table:not(.heat) td:first-child { min-width: 9rem }
footer { color: var(--soft); font-size: .85rem }
@page { size: A4; margin: 14mm 12mm 16mm;
  @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #5d6b7a } }
@media print {
  body { background: #fff; font-size: 9.5pt } main { max-width: none; padding: 0 } nav { display: none }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact }
  section { border: 0; border-radius: 0; padding: 0; margin: 5mm 0 }
  .verdict { border-left: 6px solid var(--good); padding-left: 4mm } .wide { overflow: visible }
  figure, tr, dl, .note { break-inside: avoid } h2, h3, figcaption { break-after: avoid }
  thead { display: table-header-group } a { color: inherit; text-decoration: none }
  .chart { min-width: 0 } .heat { font-size: 5.6pt } .heat td { min-width: 0 } .heat th[scope=row] { min-width: 28mm }
  table:not(.heat) { font-size: 8pt; min-width: 0 } table:not(.heat) th { font-size: 7pt }
  th, td { padding: .25rem .5rem .25rem 0 }
}
"""
)


def page(
    figures: Figures, policy: Policy, language: Language, audience: Audience = "officials", links: Links | None = None
) -> str:
    """The page; `policy` is the one that ruled the month, for the region's own words."""
    told = Telling(figures, policy, language, audience, links or Links())
    sections = (
        ("satisfaction", told.say("Kepuasan masyarakat", "Public satisfaction"), satisfaction),
        ("time", told.say("Ketepatan waktu", "Work done in time"), on_time),
        ("attendance", told.say("Kehadiran", "Attendance"), attendance),
        ("predicates", told.say("Predikat kinerja", "Predicates"), predicates),
        ("follow-up", told.say("Tindak lanjut", "Follow-up"), follow_up),
        ("data", told.say("Mutu data", "Data quality"), _quality),
        ("sources", told.say("Sumber dan cara membaca", "Sources and how to read this"), _sources),
    )
    links_to = "".join(f'<a href="#{name}">{title}</a>' for name, title, _ in sections)
    if told.links.workbook:
        links_to += f'<a href="{escape(told.links.workbook)}">{told.say("Buku kerja (XLSX)", "Workbook (XLSX)")}</a>'
    body = "".join(
        f'<section id="{name}"><h2>{title}</h2>{"".join(make(told))}</section>' for name, title, make in sections
    )
    label, month = told.label(policy.labels), month_name(figures.month, language)
    return document(
        f"{told.text('Laporan kinerja', 'Performance report')}: {label}, {month}",
        f"<main>{_header(told, label, month)}<nav>{links_to}</nav>{_first(told)}{body}{_footer(told)}</main>",
        style=STYLE,
        language=language,
    )


def _header(told: Telling, label: str, month: str) -> str:
    status, publication = told.figures.status, told.figures.publication
    zone, language = told.policy.zone, told.language
    state = escape(said(status["status_code"], STATES, language))
    parts = [
        f'<header><p class="soft">{told.say("Laporan kinerja ASN", "Performance of civil servants")}</p>',
        f'<h1>{escape(label)}, {escape(month)}<span class="state">{state}</span></h1>',
        f'<p class="soft">{told.say("Data sampai", "Data up to")} {escape(day(status["as_of_date"], language))} · '
        f"{told.say('diterbitkan', 'published')} {escape(instant(publication['published_at'], zone, language))} · "
        f"{told.say('penerbitan', 'publication')} {escape(publication['publication_id'])} · "
        f"{told.say('kebijakan', 'policy')} {escape(publication['policy_version'])}</p></header>",
    ]
    if status["status_code"] != "closed":
        words = told.say(
            "Bulan ini belum ditutup: angka-angka masih dapat berubah.",
            "This month is not closed: the figures may still change.",
        )
        parts.append(f'<p class="note">{words}</p>')
    if told.names_people:
        words = told.say(
            "Terbatas: daftar tindak lanjut memuat nama pegawai. Hanya untuk pejabat yang berwenang; jangan "
            "diteruskan. Semua saran dan predikat yang dihitung adalah bahan pertimbangan; manusia yang memutuskan.",
            "Restricted: the follow-up lists name employees. Only for the officials in charge; do not pass it on. "
            "Every recommendation and computed predicate is for a person to decide.",
        )
        parts.append(f'<p class="note secret">{words}</p>')
    return "".join(parts)


def _first(told: Telling) -> str:
    """The figures that are looked at first."""
    figures = told.figures
    region = figures.attended.region.row(0, named=True)
    found = [(told.say("kehadiran", "attendance"), told.share(region["attendance_share"]))]
    if figures.in_time:
        first = figures.in_time[0]
        now = first.months.filter(period=figures.month)
        share = now["share"].item() if len(now) else None
        goal = f" / {told.share(first.target, 0)}" if first.target is not None else ""
        found.append((told.say("tugas tepat waktu / target", "tasks in time / target"), f"{told.share(share)}{goal}"))
    for heard in figures.surveys:
        codes = [each.code for each in reversed(by_class(heard.survey)[-2:])]
        good, best = len(heard.units.filter(pl.col("class_code").is_in(codes))), "/".join(codes)
        name = told.say(f"unit bermutu {best} ({heard.code})", f"units of class {best} ({heard.code})")
        found.append((name, f"{told.count(good)} / {told.count(len(heard.units))}"))
    people = figures.predicates
    counts = " / ".join(told.count(int(people[name].sum())) for name in ("evaluated_count", "employee_count"))
    found.append((told.say("pegawai berpredikat", "people with a predicate"), counts))
    advised = figures.follow_up.filter(status_code="recommended")
    found.append((told.say("saran tindak lanjut", "recommendations"), told.count(len(advised))))
    quality = figures.quality
    landed, rejected = (int(quality[name].sum()) for name in ("landed_count", "rejected_count"))
    found.append((told.say("baris ditolak", "rows rejected"), told.share(rejected / landed if landed else None, 2)))
    return f'<section class="verdict">{tiles(found)}</section>'


# ---- data ------------------------------------------------------------------------------------------------------------


def _quality(told: Telling) -> Iterator[str]:
    quality, language = told.figures.quality, told.language
    if quality.is_empty():
        yield none(told, "Tidak ada data yang diterima.", "No data were delivered.")
        return
    rows = list(quality.iter_rows(named=True))
    bars = [
        charts.Bar(
            said(row["feed"], FEEDS, language),
            row["rejected_share"],
            told.share(row["rejected_share"], 2),
            row["tolerance_share"],
            is_bad=not row["is_tolerated"],
        )
        for row in rows
    ]
    most = max([0.01, *(v for bar in bars for v in (bar.value, bar.mark) if v is not None)])
    title = told.text("Baris yang ditolak, dibanding toleransi kontrak", "Rows rejected, against the tolerance")
    yield charts.bars(title, bars, most * 1.05, told.text("toleransi; ▼ melampaui", "tolerance; ▼ beyond it"))
    head = (
        *(told.say("sumber data", "feed"), told.say("diterima", "landed"), told.say("sah", "valid")),
        *(told.say("ditolak", "rejected"), told.say("digantikan", "superseded"), told.say("bagian", "share")),
        *(told.say("toleransi", "tolerance"), told.say("kesalahan tersering", "most frequent mistake")),
    )
    cells = [
        (
            _feed(told, row["feed"]),
            *(told.count(row[f"{name}_count"]) for name in ("landed", "valid", "rejected", "superseded")),
            told.share(row["rejected_share"], 2),
            told.share(row["tolerance_share"], 0),
            f"<code>{escape(row['worst_rule_id'])}</code>" if row["worst_rule_id"] else NOTHING,
        )
        for row in rows
    ]
    yield table(head, cells, range(1, 7))
    if told.links.validation:
        words = told.say(
            "Nama sumber data membuka halaman pemeriksaannya.", "The name of a feed opens its validation page."
        )
        yield f'<p class="soft">{words}</p>'
    if told.names_people:
        yield from _refused(told)


def _feed(told: Telling, feed: str) -> str:
    name, link = escape(said(feed, FEEDS, told.language)), told.links.validation.get(feed)
    return f'<a href="{escape(link)}">{name}</a>' if link else name


def _refused(told: Telling) -> Iterator[str]:
    refused = told.figures.deliveries.filter(status_code="refused")
    if refused.is_empty():
        return
    yield f"<h3>{told.say('Berkas yang ditolak seluruhnya', 'Files refused as a whole')}</h3>"
    head = (told.say("berkas", "file"), told.say("diterima", "received"), told.say("alasan", "reason"))
    rows = [
        (
            f"<code>{escape(row['file_name'])}</code>",
            escape(instant(row["received_at"], told.policy.zone, told.language)),
            escape(row["reason"] or NOTHING),
        )
        for row in refused.head(MOST_LINES).iter_rows(named=True)
    ]
    yield table(head, rows)


def _sources(told: Telling) -> Iterator[str]:
    figures, language = told.figures, told.language
    files = figures.deliveries.filter(pl.col("status_code") == "landed").group_by("feed").len().sort("feed")
    named = ", ".join(f"{said(feed, FEEDS, language)} ({told.count(count)})" for feed, count in files.iter_rows())
    yield f"<p>{told.say('Berkas yang mendasari laporan', 'Files behind this report')}: {escape(named) or NOTHING}.</p>"
    if figures.laws:
        yield f"<p>{told.say('Dasar indikator', 'Sources of the indicators')}: {escape('; '.join(figures.laws))}.</p>"
    publication, newest = figures.publication, figures.newest
    of_month = told.say(
        f"Semua angka bulan ini berasal dari satu penerbitan, {publication['publication_id']} (program "
        f"{publication['code_version']}); bulan-bulan sebelumnya sebagaimana terbit saat laporan ini dibuat",
        f"Every figure of the month comes from one publication, {publication['publication_id']} (program "
        f"{publication['code_version']}); earlier months as they stood when this report was made",
    )
    state = told.say(
        f" (penerbitan terakhir daerah: {newest['publication_id']}).",
        f" (the region's last publication: {newest['publication_id']}).",
    )
    yield f"<p>{of_month}{state if newest['publication_id'] != publication['publication_id'] else '.'}</p>"
    if policy_version(told.policy) != publication["policy_version"]:
        words = told.say(
            "Kebijakan daerah berubah sejak penerbitan itu; sebutan di laporan ini menurut kebijakan yang sekarang.",
            "The region's policy has changed since; the names in this report are those of today's policy.",
        )
        yield f'<p class="note">{words}</p>'
    words = told.say(
        "– berarti tidak ada nilai atau tidak dapat dihitung; bukan nol. Asal setiap angka: kinerja explain.",
        "– means that there is no value, or none that could be computed; it is no zero. Where a number comes from: "
        "kinerja explain.",
    )
    yield f'<p class="soft">{words}</p>'


def _footer(told: Telling) -> str:
    publication = told.figures.publication
    words = told.say("Dibuat oleh Kinerja Pipeline dari penerbitan", "Made by Kinerja Pipeline from publication")
    who = told.say(". Terbatas: memuat nama pegawai.", ". Restricted: names employees.") if told.names_people else "."
    return f"<footer><p>{words} {escape(publication['publication_id'])}{who}</p></footer>"
