"""The page of a month says what is published, in two languages, names people only where it must, and runs nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from page_reader import Reader
from report_world import (
    LISTED,
    NAMES,
    NIPS,
    march,
    of_warehouse,
    policy,
    with_texts,
)

from kinerja_pipeline.policies.loader import policy_version
from kinerja_pipeline.reports.figures import Figures
from kinerja_pipeline.reports.page import page
from kinerja_pipeline.reports.telling import Links
from kinerja_pipeline.reports.words import LANGUAGES, number, percent

EMPTY_SAYS = {
    "id": (
        "Tidak ada jawaban survei pada bulan ini.",
        "Tidak ada tugas yang jatuh tempo.",
        "Tidak ada kehadiran pada bulan ini.",
        "Tidak ada penilaian pada bulan ini.",
        "Tidak ada saran tindak lanjut.",
        "Tidak ada data yang diterima.",
    ),
    "en": (
        "There are no survey answers in this month.",
        "There are no tasks that were due.",
        "There is no attendance in this month.",
        "There are no evaluations in this month.",
        "No follow-up is recommended.",
        "No data were delivered.",
    ),
}


@pytest.fixture(scope="module")
def indonesian(shown: Figures) -> list[str]:
    return Reader(page(shown, policy(), "id")).lines


@pytest.fixture(scope="module")
def english(shown: Figures) -> list[str]:
    return Reader(page(shown, policy(), "en")).lines


def test_the_page_says_which_month_how_far_and_which_publication_it_shows(indonesian: list[str]) -> None:
    assert "Salor (Papua Selatan), Maret 2026 | ditutup" in indonesian
    # 02:30 UTC is 11:30 in Salor.
    assert (
        "Data sampai 31 Maret 2026 · diterbitkan 6 April 2026 11.30 WIT · penerbitan salor-00000002 · "
        "kebijakan 2026.1+aaaa" in indonesian
    )


def test_satisfaction_by_unit_and_element_is_told_with_interval_class_and_change(
    indonesian: list[str], english: list[str]
) -> None:
    assert (
        "Dinas Dukcapil | 80,00 | B | 75,25–84,75 | 10 / 97 | +1,50 | jawaban kurang dari sampel, jawaban beruntun"
        in indonesian
    )
    assert "RSUD Salor | 90.00 | A | 88.00–92.00 | 30 / – | –" in english
    assert "Persyaratan | 3,50 | 87,50 | 40 | 3,20 – 3,60" in indonesian
    assert "Waktu penyelesaian | – | – | – | – – –" in indonesian, "an element nobody answered is no zero"


def test_work_in_time_adds_up_tasks_and_never_averages_shares(indonesian: list[str], english: list[str]) -> None:
    assert "Februari 2026 | 80,0 % | 8 / 10" in indonesian
    assert "Maret 2026 | 84,4 % | 27 / 32" in indonesian
    assert "Dinas Dukcapil | 9 | 12 | 75.0% | 85%" in english


def test_attendance_counts_presence_by_tap_and_neither_leave_nor_what_was_not_recorded(indonesian: list[str]) -> None:
    # Ani late, Budi absent; Cici present, Eko with one tap; Dedi on leave and Fitri not recorded are no working days.
    assert "Dinas Dukcapil | 50,0 % | 0,0 % | 2 | 1 | 1 | 0 | 1 | 0" in indonesian
    assert "RSUD Salor | 100,0 % | 100,0 % | 2 | 2 | 0 | 0 | 0 | 1" in indonesian
    assert "hadir | 75,0 % | tepat jam kerja | 66,7 % | hari terlambat | 1 | hari pulang cepat | 0 | " in "".join(
        line for line in indonesian if line.startswith("hadir | 75")
    )
    # The first is a Sunday, the third on has no rows: fields without a number.
    assert "Salor (Papua Selatan) | 75" in indonesian


def test_predicates_are_told_beside_their_pattern_and_no_rating_is_changed(indonesian: list[str]) -> None:
    assert "Dinas Dukcapil | 13 | 12 | 1 | 10 | 1 | 0 | 0 | Baik | tidak sesuai: 2 orang" in indonesian
    assert "RSUD Salor | 4 | 3 | 0 | 3 | 0 | 0 | 0 | – | unit terlalu kecil" in indonesian
    assert "Salor (Papua Selatan) | 17 | 15 | 1 | 13 | 1 | 0 | 0" in indonesian
    assert "Saran predikat yang tidak dapat dihitung: penilaian perilaku belum selesai 1." in indonesian


def test_follow_up_is_listed_by_rule_with_reason_and_evidence_in_words(
    indonesian: list[str], english: list[str]
) -> None:
    assert (
        "Ani Wanggai | Analis | Dinas Dukcapil | kinerja menurun | nilai hasil 80,5 pada Februari 2026, 70,25 pada "
        "Maret 2026; rata-rata 3 bulan sebelumnya: 95" in indonesian
    )
    assert (
        "Budi Kaize | Analis | Dinas Dukcapil | 4 hari tanpa alasan setahun | 4 hari tanpa alasan sejak 1 Januari "
        "2026, berturut-turut 1 hari kerja, 1 dalam bulan ini" in indonesian
    )
    assert "Cici Mahuze | Analis | RSUD Salor | time weak | time 60, asked for are 80 | Manajemen waktu" in english
    assert "Dinas Dukcapil | kekurangan pegawai | 2 dari 9 jabatan terisi" in indonesian
    assert "Dikecualikan: cuti atau sakit lama 1." in indonesian


def test_data_quality_names_the_worst_rule_and_links_to_the_validation_page(shown: Figures) -> None:
    html = page(shown, policy(), "id", links=Links("laporan.xlsx", {"task_record": "../v/task_record.html"}))
    reader = Reader(html)
    assert "Catatan tugas | 1.000 | 960 | 30 | 10 | 3,00 % | 5 % | task_type__code" in reader.lines
    assert "10,00 % ▼" in reader.lines, "beyond the tolerance"
    assert [link for link in reader.links if not link.startswith("#")] == ["laporan.xlsx", "../v/task_record.html"]
    assert "attendance_log/rusak.dat | 1 April 2026 10.00 WIT | not text" in reader.lines
    # The file of January holds no row of March.
    assert "Berkas yang mendasari laporan: Catatan tugas (1)." in reader.lines


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_section_has_its_plot_and_every_plot_a_name(shown: Figures, language: str) -> None:
    html = page(shown, policy(), language)  # type: ignore[arg-type]
    assert html.count('role="img"') == html.count("<svg") == 6
    assert html.count('role="img" aria-label="') == 6
    assert html.count('<table class="heat">') == 2
    assert f'<html lang="{language}">' in html


def test_only_the_follow_up_lists_name_people_and_no_nip_is_shown(shown: Figures) -> None:
    html = page(shown, policy(), "id")
    before, rest = html.split('<section id="follow-up">')
    lists, after = rest.split('<section id="data">')
    assert [NAMES[nip] for nip in NIPS if NAMES[nip] in lists] == [NAMES[nip] for nip in LISTED]
    assert [name for name in NAMES.values() if name in before + after] == []
    assert [nip for nip in NIPS if nip in html] == []
    assert "Terbatas: daftar tindak lanjut memuat nama pegawai." in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_for_everyone_names_nobody_and_tells_of_people_only_as_a_whole(shown: Figures, language: str) -> None:
    html = page(shown, policy(), language, "everyone")  # type: ignore[arg-type]
    assert [secret for secret in (*NIPS, *NAMES.values()) if secret in html] == []
    people = html[html.index('<section id="attendance">') : html.index('<section id="data">')]
    assert "Dinas Dukcapil" not in people
    assert "attendance_log/rusak.dat" not in html
    assert "Dinas Dukcapil" in html, "services are told of units"


def test_a_region_of_few_people_is_not_told_to_everyone(shown: Figures) -> None:
    # On the fullest day four people worked: anybody who knows three of them would know the fourth.
    lines = Reader(page(shown, policy(), "id", "everyone")).lines
    hidden = "Tidak ditampilkan: orangnya terlalu sedikit untuk tidak dikenali."
    assert lines.count(hidden) == 1
    few = dataclasses.replace(shown, predicates=shown.predicates.filter(unit_id="RSUD"))
    assert Reader(page(few, policy(), "id", "everyone")).lines.count(hidden) == 2


def test_a_nip_that_a_sentence_quotes_is_hidden(shown: Figures) -> None:
    quoting = shown.follow_up.with_columns(evidence=pl.format("row of {}", pl.lit(NIPS[0])))
    html = page(dataclasses.replace(shown, follow_up=quoting), policy(), "id")
    assert NIPS[0] not in html
    assert "row of •••" in html


def test_no_text_of_the_data_becomes_part_of_the_page(published: Callable[..., Path], shown: Figures) -> None:
    poison = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>&lt;"
    poisoned = of_warehouse(published(with_texts(march(), poison)))
    for audience in ("officials", "everyone"):
        clean = Reader(page(shown, policy(), "id", audience))  # type: ignore[arg-type]
        html = page(poisoned, policy(), "id", audience, Links("<b>.xlsx", {"task_record": '"><b>'}))  # type: ignore[arg-type]
        reader = Reader(html)
        assert poison in "".join(reader.parts), "the world holds no such text"
        assert reader.tags <= clean.tags
        assert reader.attributes <= clean.attributes
        assert "<script" not in html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("audience", ["officials", "everyone"])
def test_a_month_without_rows_says_so_section_by_section(empty: Figures, language: str, audience: str) -> None:
    lines = Reader(page(empty, policy(), language, audience)).lines  # type: ignore[arg-type]
    assert set(EMPTY_SAYS[language]) <= set(lines)
    note = {"id": "Bulan ini belum ditutup: angka-angka", "en": "This month is not closed: the figures"}[language]
    assert [line for line in lines if line.startswith(note)]


def test_a_later_publication_and_a_changed_policy_are_told(shown: Figures, indonesian: list[str]) -> None:
    changed = [line for line in indonesian if line.startswith("Kebijakan daerah berubah sejak penerbitan itu")]
    assert changed, "the world was published with another policy"
    same = dataclasses.replace(
        shown,
        publication={**shown.publication, "policy_version": policy_version(policy())},
        newest={**shown.newest, "publication_id": "salor-00000009"},
    )
    lines = Reader(page(same, policy(), "id")).lines
    assert not [line for line in lines if line.startswith("Kebijakan daerah berubah")]
    assert [line for line in lines if line.endswith("(penerbitan terakhir daerah: salor-00000009).")]


def test_numbers_are_written_as_each_language_writes_them_and_halves_go_up() -> None:
    assert (number(1234.5, "id", 1), number(1234.5, "en", 1)) == ("1.234,5", "1,234.5")
    assert (number(2.5, "id"), number(0.125, "id", 2), number(None, "id")) == ("3", "0,13", "–")
    assert (percent(0.84375, "id"), percent(0.0055, "en", 2), percent(None, "en")) == ("84,4 %", "0.55%", "–")
