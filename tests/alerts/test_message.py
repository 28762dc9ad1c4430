"""An alert in words: what, where, how many, what to do, where to look; Indonesian unless English is asked for."""

from __future__ import annotations

from typing import get_args

from kinerja_pipeline.alerts.fault import Fault, Kind
from kinerja_pipeline.alerts.message import WORDS, document, line, subject, text
from kinerja_pipeline.alerts.standing import Standing

SINCE = "2026-04-06T02:30:00+00:00"


def refused(number: int) -> Standing:
    name = f"task_record/tugas_{number}.csv"
    return Standing(
        Fault(
            "files salor", name, "refused_file", "d", f"{name}: it is empty", region="salor", feed="task_record",
            file=name, owner="Bagian Organisasi", path="/assets/landing/task_record",
        ),
        SINCE,
    )  # fmt: skip


REFUSED_PUBLICATION = Standing(
    Fault(
        "run salor 2026-03", "publication", "publication", "c", "publication: Nothing was published\n- kpi: 3 rows", 1,
        "salor", "2026-03", path="/runs/abc",
    ),
    SINCE,
)  # fmt: skip

LETTER = """\
GANGGUAN BARU (1)

1. Berkas ditolak
   Di mana  : salor, task_record, task_record/tugas_1.csv
   Pemilik  : Bagian Organisasi
   Berapa   : 1 berkas
   Apa      : task_record/tugas_1.csv: it is empty
   Lakukan  : Perbaiki berkas menurut alasannya, periksa dengan `kinerja check`, lalu kirim lagi ke map yang sama. \
Berkas yang ditolak tetap di tempatnya; tidak ada barisnya yang dihitung.
   Lihat    : `kinerja status --region salor`, https://kinerja.salor.example/assets/landing/task_record

SUDAH PULIH (1)

1. Penerbitan ditolak; yang sudah terbit tetap: salor, 2026-03 (sejak 2026-04-06 02:30 UTC)

Dikirim sekali saat gangguan mulai dan sekali saat pulih. `kinerja status` menyebutkan semua yang masih ada.
"""


def test_an_alert_says_what_where_how_many_what_to_do_and_where_to_look() -> None:
    assert text([refused(1)], [REFUSED_PUBLICATION], "id", "https://kinerja.salor.example") == LETTER


def test_the_same_in_english() -> None:
    told = text([REFUSED_PUBLICATION], [], "en")
    assert "1. Publication refused; what is published stays\n   Where    : salor, 2026-03\n" in told
    assert "   What     : publication: Nothing was published\n              - kpi: 3 rows\n" in told
    assert "Berkas" not in told


def test_very_many_refused_files_of_a_feed_are_one_block_that_says_how_many() -> None:
    told = text([refused(number) for number in range(500)], [], "id")
    assert "   Berapa   : 500 berkas\n" in told
    assert "dan 490 lagi" in told
    assert told.count("it is empty") == 10
    assert told.count("Lakukan") == 1


def test_the_subject_is_one_line_that_names_the_places() -> None:
    assert subject([refused(1), refused(2)], [], "id") == "[Kinerja] Berkas ditolak: salor"
    assert subject([refused(1), REFUSED_PUBLICATION], [], "id") == "[Kinerja] 2 gangguan: salor, salor 2026-03"
    assert subject([], [REFUSED_PUBLICATION], "en") == "[Kinerja] Cured: salor 2026-03"


def test_a_document_holds_the_text_for_chat_programs_and_the_parts_for_others() -> None:
    page = document([refused(1)], [], "en", "https://k.example")
    (fault,) = page["begun"]
    assert (fault["region"], fault["feed"], fault["count"]) == ("salor", "task_record", 1)
    assert fault["link"] == "https://k.example/assets/landing/task_record"
    assert fault["command"] == "kinerja status --region salor"
    assert "1. File refused" in page["text"]
    assert page["cured"] == []


def test_every_kind_of_fault_has_words_in_both_languages() -> None:
    assert set(WORDS) == set(get_args(Kind))
    for words in WORDS.values():
        assert all(len(pair) == 2 and all(pair) and pair[0] != pair[1] for pair in words)


def test_a_standing_fault_is_one_line_in_the_status() -> None:
    told = line(REFUSED_PUBLICATION.fault, SINCE)
    assert told.startswith("salor 2026-03 (since 2026-04-06T02:30Z): Publication refused; what is published stays.")
    assert "\n" not in told
