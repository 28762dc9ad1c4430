"""An alert in words, Indonesian or English: what, where, how many, what to do, where to look.

Here: faults -> subject, text, document. Not here: the texts of errors, which are the program's own (alerts/fault), and
whom it goes to (orchestration/alerting).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any, Literal, NamedTuple

from kinerja_pipeline.alerts.fault import Fault, Kind
from kinerja_pipeline.alerts.standing import Standing, read_register
from kinerja_pipeline.home import Home

Language = Literal["id", "en"]
MOST_NAMED = 10
"""Files of one feed that an alert names; of more it says how many."""


class Words(NamedTuple):
    """What a kind of fault is called, what one counts of it, and what to do: each Indonesian, English."""

    title: tuple[str, str]
    counted: tuple[str, str]
    advice: tuple[str, str]


RUNS = ("proses", "runs")
WORDS: Mapping[Kind, Words] = {
    "refused_file": Words(
        ("Berkas ditolak", "File refused"),
        ("berkas", "files"),
        (
            "Perbaiki berkas menurut alasannya, periksa dengan `kinerja check`, lalu kirim lagi ke map yang sama. "
            "Berkas yang ditolak tetap di tempatnya; tidak ada barisnya yang dihitung.",
            "Mend the file as the reason says, try it with `kinerja check`, then deliver it to the same folder again. "
            "The refused file stays where it is; none of its rows count.",
        ),
    ),
    "check": Words(
        ("Pemeriksaan gagal", "Check failed"),
        ("pemeriksaan", "checks"),
        (
            "Buka pemeriksaannya: di sana ada aturan, jumlah, dan jalan keluarnya. Setelah data diperbaiki, jalankan "
            "bulannya lagi.",
            "Open the check: it names the rule, the count and what to do. Run the month again once the data is mended.",
        ),
    ),
    "publication": Words(
        ("Penerbitan ditolak; yang sudah terbit tetap", "Publication refused; what is published stays"),
        ("masalah", "problems"),
        (
            "Angka yang dihitung melanggar janji kontrak tabel. Periksa kiriman dan kebijakan terakhir, lalu jalankan "
            "bulannya lagi; mengulang saja tidak menolong.",
            "What was computed breaks the contract of a table. Look at the last deliveries and policy changes, then "
            "run the month again; running it again alone does not help.",
        ),
    ),
    "correction": Words(
        ("Koreksi tidak cocok lagi", "A correction does not fit any more"),
        RUNS,
        (
            "Perbaiki corrections/<daerah>.yaml pada baris yang disebut; daerah ini tidak dihitung sampai selesai.",
            "Mend corrections/<region>.yaml where it says; nothing of the region is computed until then.",
        ),
    ),
    "declaration": Words(
        ("Kebijakan atau kontrak salah", "A policy or a contract is wrong"),
        RUNS,
        (
            "Perbaiki berkas yang disebut (`kinerja policy check` menunjukkan semuanya), lalu `kinerja run --all`.",
            "Mend the file that is named (`kinerja policy check` shows all that is wrong), then `kinerja run --all`.",
        ),
    ),
    "deployment": Words(
        ("Pemasangan salah", "The deployment is wrong"),
        RUNS,
        (
            "`kinerja doctor` menyebutkan apa yang kurang dan jalan keluarnya.",
            "`kinerja doctor` says what is missing and what to do.",
        ),
    ),
    "upstream": Words(
        ("Bahan belum ada", "What it is made from is not there yet"),
        RUNS,
        (
            "Jalankan bulannya dari awal, bukan satu tabel saja.",
            "Run the whole month, not one table of it.",
        ),
    ),
    "killed": Words(
        ("Proses terhenti di tengah jalan", "A run was cut off"),
        RUNS,
        (
            "Yang sudah terbit tetap utuh. Periksa mesinnya (`kinerja doctor`), lalu `kinerja run --all`.",
            "What is published stays whole. Look at the machine (`kinerja doctor`), then `kinerja run --all`.",
        ),
    ),
    "database": Words(
        ("Basis data tidak dapat dipakai", "The database cannot be used"),
        RUNS,
        (
            "Sudah dicoba beberapa kali. Hidupkan basis datanya (`kinerja doctor`), lalu `kinerja run --all` untuk "
            "bulan yang tertinggal.",
            "It was tried several times. Bring the database back (`kinerja doctor`), then `kinerja run --all` for the "
            "months left behind.",
        ),
    ),
    "machine": Words(
        ("Mesin bermasalah (disk, memori, atau jaringan)", "The machine is in trouble (disk, memory or network)"),
        RUNS,
        (
            "Sudah dicoba beberapa kali. Periksa disk dan memori (`kinerja doctor`), lalu `kinerja run --all`.",
            "It was tried several times. Look at disk and memory (`kinerja doctor`), then `kinerja run --all`.",
        ),
    ),
    "program": Words(
        ("Kesalahan program", "A fault of the program"),
        RUNS,
        (
            "Mengulang tidak menolong. Laporkan kepada pengelola program beserta nomor prosesnya.",
            "Running it again does not help. Report it to those who keep the program, with the run's number.",
        ),
    ),
    "test": Words(
        ("Uji coba pemberitahuan", "Test of the alerts"),
        ("uji coba", "tests"),
        ("Tidak ada yang perlu dilakukan: pemberitahuan sampai.", "Nothing needs to be done: alerts arrive."),
    ),
}
_LABELS: Mapping[str, tuple[str, str]] = {
    "where": ("Di mana", "Where"),
    "owner": ("Pemilik", "Owner"),
    "count": ("Berapa", "How many"),
    "what": ("Apa", "What"),
    "do": ("Lakukan", "To do"),
    "look": ("Lihat", "Look at"),
    "since": ("Sejak", "Since"),
}
_BEGUN = ("GANGGUAN BARU", "NEW FAULTS")
_CURED = ("SUDAH PULIH", "CURED")
_FOOT = (
    "Dikirim sekali saat gangguan mulai dan sekali saat pulih. `kinerja status` menyebutkan semua yang masih ada.",
    "Sent once when a fault begins and once when it is cured. `kinerja status` lists all that stands.",
)


def subject(begun: Sequence[Standing], cured: Sequence[Standing], language: Language) -> str:
    """One line: how many of what, and where."""
    places = sorted({_place(each.fault) for each in (*begun, *cured)} - {""})
    where = ", ".join(places[:3]) + (" ..." if len(places) > 3 else "")
    if begun:
        titles = list(dict.fromkeys(_said(WORDS[each.fault.kind].title, language) for each in begun))
        what = titles[0] if len(titles) == 1 else _said((f"{len(begun)} gangguan", f"{len(begun)} faults"), language)
    else:
        what = _said(("Sudah pulih", "Cured"), language)
    return f"[Kinerja] {what}{f': {where}' if where else ''}"


def text(begun: Sequence[Standing], cured: Sequence[Standing], language: Language, ui_url: str = "") -> str:
    """The whole alert, as plain text. Refused files of one feed are told together."""
    parts: list[str] = []
    for heading, listed in ((_BEGUN, begun), (_CURED, cured)):
        groups = [list(group) for _, group in groupby(sorted(listed, key=_together), _together)]
        if groups:
            parts.append(f"{_said(heading, language)} ({len(listed)})")
            tell = _block if heading is _BEGUN else _line
            parts += [tell(number, group, language, ui_url) for number, group in enumerate(groups, start=1)]
    return "\n\n".join([*parts, _said(_FOOT, language)]) + "\n"


def document(begun: Sequence[Standing], cured: Sequence[Standing], language: Language, ui_url: str) -> dict[str, Any]:
    """What a webhook gets. `text` is what chat programs show; the rest is for those that read on."""

    def page(each: Standing) -> dict[str, Any]:
        own = {name: value for name, value in asdict(each.fault).items() if name not in ("scope", "name", "path")}
        words = WORDS[each.fault.kind]
        told = {"title": _said(words.title, language), "to_do": _said(words.advice, language)}
        look = {"command": command(each.fault), "link": f"{ui_url}{each.fault.path}" if ui_url else None}
        return {**own, **told, **look, "since": each.since, "cured": each.cured}

    return {
        "subject": subject(begun, cured, language),
        "text": text(begun, cured, language, ui_url),
        "begun": [page(each) for each in begun],
        "cured": [page(each) for each in cured],
    }


def standing(home: Home, region: str | None) -> list[str]:
    """The faults that stand, of a region and of the whole deployment; refused files are listed by themselves."""
    return [
        line(each.fault, each.since)
        for each in read_register(home).faults
        if each.cured is None and each.fault.kind != "refused_file" and region in (None, each.fault.region)
    ]


def line(fault: Fault, since: str) -> str:
    """A standing fault as `kinerja status` lists it."""
    words = WORDS[fault.kind]
    first = fault.detail.partition("\n")[0]
    detail = f" {first}{'' if first.endswith(('.', ':')) else '.'}" if first else ""
    return f"{_place(fault) or 'everywhere'} (since {since[:16]}Z): {words.title[1]}.{detail} {words.advice[1]}"


def command(fault: Fault) -> str:
    """What to type to see more of it."""
    if fault.kind == "refused_file":
        return f"kinerja status --region {fault.region}"
    if fault.kind in ("database", "machine", "deployment", "killed"):
        return "kinerja doctor"
    if fault.kind == "declaration":
        return "kinerja policy check"
    return f"kinerja plan --region {fault.region}" if fault.region else "kinerja status"


def _together(each: Standing) -> tuple[str, ...]:
    """What is told in one block: refused files of a feed, any other fault alone."""
    fault = each.fault
    alone = "" if fault.kind == "refused_file" else f"{fault.scope} {fault.name}"
    return (fault.region, fault.month, fault.kind, fault.feed, alone)


def _block(number: int, group: Sequence[Standing], language: Language, ui_url: str) -> str:
    fault, words = group[0].fault, WORDS[group[0].fault.kind]
    count = sum(each.fault.count for each in group)
    look = f"`{command(fault)}`" + (f", {ui_url}{fault.path}" if ui_url and fault.path else "")
    lines = [f"{number}. {_said(words.title, language)}"]
    lines += [
        _labelled(label, value, language)
        for label, value in (
            ("where", _where(group)),
            ("owner", fault.owner),
            ("count", f"{count} {_said(words.counted, language)}"),
            ("what", _details(group, language)),
            ("do", _said(words.advice, language)),
            ("look", look),
        )
        if value
    ]
    return "\n".join(lines)


def _line(number: int, group: Sequence[Standing], language: Language, _ui_url: str) -> str:
    first = group[0]
    since = f"{_said(_LABELS['since'], language).lower()} {first.since[:16].replace('T', ' ')} UTC"
    return f"{number}. {_said(WORDS[first.fault.kind].title, language)}: {_where(group)} ({since})"


def _where(group: Sequence[Standing]) -> str:
    fault = group[0].fault
    files = [each.fault.file for each in group if each.fault.file]
    named = files[0] if len(files) == 1 else ""
    return ", ".join(part for part in (fault.region, fault.month, fault.feed, named) if part) or "-"


def _details(group: Sequence[Standing], language: Language) -> str:
    details = [each.fault.detail for each in group if each.fault.detail]
    more = len(details) - MOST_NAMED
    left = [_said((f"dan {more} lagi", f"and {more} more"), language)] if more > 0 else []
    return "\n".join([*details[:MOST_NAMED], *left])


def _labelled(label: str, value: str, language: Language) -> str:
    head = f"   {_said(_LABELS[label], language):<9}: "
    return head + value.replace("\n", "\n" + " " * len(head))


def _place(fault: Fault) -> str:
    return f"{fault.region} {fault.month}".strip()


def _said(words: tuple[str, str], language: Language) -> str:
    return words[0] if language == "id" else words[1]
