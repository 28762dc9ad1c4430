"""What a rule asks, as a sentence in Indonesian and English.

Here: rule -> sentence. English stands on the contract's page; Indonesian follows from what a column's rule says, or
stands in data_contracts/labels.id.yaml. Not here: pages and reports that show the sentences.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

from kinerja_pipeline.contracts.model import Contract, Kind, Rule, contracts_folder
from kinerja_pipeline.contracts.pages import read_page

Language = Literal["id", "en"]

_KINDS: Mapping[Kind, str] = {
    "string": "teks",
    "integer": "bilangan bulat",
    "number": "bilangan",
    "boolean": "ya atau tidak",
    "date": "tanggal",
    "timestamp": "tanggal dan jam",
}
_READER = {
    "correction__dropped": "a person took the row out; see the register of corrections",
    "row__short": "the row must have as many cells as the header",
    "row__long": "the row must not have more cells than the header",
    "line__unreadable": "the line must be whole: it is cut, damaged, or not in this format",
}
"""Reasons that no contract states: the reader's, and a person's decision."""
_NUMERIC = "__numeric"


@cache
def labels() -> Mapping[str, Mapping[str, str]]:
    """Indonesian texts by kind (tables, columns, views, feeds, rules, ...) and name."""
    return read_page(contracts_folder() / "labels.id.yaml")


def words(rule_id: str, contract: Contract, language: Language) -> str:
    """What a rule of the contract, or a reader's reason, asks. A text without Indonesian stays English."""
    rule = next((r for r in contract.rules if r.name == rule_id), None)
    if rule is None:
        return of_reader(rule_id, language)
    return (indonesian(rule, contract) if language == "id" else None) or rule.description


def indonesian(rule: Rule, contract: Contract) -> str | None:
    """The sentence of a rule: its own where it has one (under the table's name or for all tables), else the usual one
    of its family. None when nobody has written one."""
    own = labels()["rules"]
    if written := own.get(f"{contract.name}.{rule.name}") or own.get(rule.name):
        return written
    name = rule.columns[0]
    column = contract.column(name)
    match rule.what:
        case "missing":
            return f"{name} harus diisi"
        case "unreadable":
            return f"{name} harus dapat dibaca sebagai {_KINDS[column.kind]}"
        case "month_first":
            return (
                f"{name} tidak boleh ditulis bulan lebih dulu, seperti di berkas ini; kirim 2026-03-31 atau 31/03/2026"
            )
        case "pattern":
            return f"{name} harus berpola {column.pattern}"
        case "length":
            return f"panjang {name} {_bounds(column.min_length, column.max_length)} huruf"
        case "range":
            return f"{name} harus {_bounds(column.minimum, column.maximum)}"
        case "code":
            return f"{name} harus salah satu dari {', '.join(column.codes)}"
        case "reference":
            assert rule.reference is not None
            return f"{' dan '.join(rule.columns)} harus dikenal di {rule.reference[0]}"
        case "month":
            return f"{name} harus di antara bulan pertama daerah dan setahun sesudah pengiriman"
        case "conflict":
            return f"{', '.join(rule.columns)} tidak boleh ada dua kali dengan isi berbeda dalam satu kiriman"
        case "row":
            return None


def labelled(rule_id: str, english: str) -> str:
    """The Indonesian of a rule that belongs to no contract: of a feed as a whole, of a publication."""
    return labels()["rules"].get(rule_id, english)


def of_reader(rule_id: str, language: Language) -> str:
    """Why a reader could not take a row apart, or who took it out."""
    english = _READER.get(rule_id, "the row could not be taken apart")
    if not rule_id.endswith(_NUMERIC):
        return labelled(rule_id if rule_id in _READER else "row__unreadable", english) if language == "id" else english
    name = rule_id.removesuffix(_NUMERIC)
    if language == "id":
        return f"{name} harus berupa teks: lembar kerja membulatkan angka panjang, sehingga angkanya hilang"
    return f"{name} must be text: a spreadsheet rounds long numbers, the digits are lost"


def _bounds(low: float | None, high: float | None) -> str:
    said = [
        *([f"paling sedikit {low}"] if low is not None else []),
        *([f"paling banyak {high}"] if high is not None else []),
    ]
    return " dan ".join(said)


def remedy(rule_id: str, contract: Contract, language: Language) -> str:
    """What to do about rows that break a rule, or that a reader could not take apart."""
    rule = next((r for r in contract.rules if r.name == rule_id), None)
    what = "dropped" if rule_id == "correction__dropped" else rule.what if rule else "reader"
    columns = f" {'dan' if language == 'id' else 'and'} ".join(rule.columns) if rule else rule_id.removesuffix(_NUMERIC)
    table = rule.reference[0] if rule and rule.reference else ""
    return _REMEDIES[language][what].format(columns=columns, table=table, feed=contract.name)


_REMEDIES: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "missing": "have the supplier fill in {columns}, or name its column in the region's mapping of {feed}",
        "unreadable": "have the supplier write {columns} plainly (2026-03-31, 12.5), without words or signs around it",
        "month_first": "have the supplier write days as 2026-03-31; a spreadsheet in English swaps day and month",
        "pattern": "have the supplier correct {columns}; in a spreadsheet, as text, so that no digit is lost",
        "length": "have the supplier correct {columns}; if it is right, the contract's bound is too narrow",
        "range": "have the supplier correct {columns}; if it is right, the contract's bound is too narrow",
        "code": "translate the supplier's word in `codes` of the region's mapping of {feed}, or have it corrected",
        "row": "have the supplier correct {columns}, as the rule says",
        "reference": "deliver {table} with what is lacking (its months then run again), or have {columns} corrected",
        "month": "look at {columns} and the clock that wrote it: such rows belong to no month of the region",
        "conflict": "ask the supplier which of the rows is right, and have that one delivered alone",
        "reader": "have the file exported again, whole and as text; nothing can be said of such a row",
        "dropped": "nothing: a person took the row out, and the register of corrections says why",
    },
    "id": {
        "missing": "minta pengirim mengisi {columns}, atau sebutkan kolomnya di pemetaan {feed} daerah",
        "unreadable": "minta pengirim menulis {columns} apa adanya (2026-03-31, 12.5), tanpa kata atau tanda lain",
        "month_first": "minta tanggal ditulis sebagai 2026-03-31; lembar kerja Inggris menukar hari dan bulan",
        "pattern": "minta pengirim memperbaiki {columns}; di lembar kerja sebagai teks, agar angkanya utuh",
        "length": "minta pengirim memperbaiki {columns}; bila sudah benar, batas di kontrak terlalu sempit",
        "range": "minta pengirim memperbaiki {columns}; bila sudah benar, batas di kontrak terlalu sempit",
        "code": "terjemahkan kata pengirim di `codes` pada pemetaan {feed} daerah, atau minta diperbaiki",
        "row": "minta pengirim memperbaiki {columns} menurut aturan itu",
        "reference": "kirim {table} dengan yang belum ada (bulannya lalu dihitung lagi), atau perbaiki {columns}",
        "month": "periksa {columns} dan jam yang menulisnya: baris seperti itu bukan bulan mana pun dari daerah ini",
        "conflict": "tanyakan kepada pengirim baris mana yang benar, lalu minta itu saja yang dikirim",
        "reader": "minta berkas diekspor lagi, utuh dan sebagai teks; baris seperti itu tidak dapat dinilai",
        "dropped": "tidak ada: seseorang mengeluarkan baris ini, dan daftar koreksi menyebut alasannya",
    },
}
