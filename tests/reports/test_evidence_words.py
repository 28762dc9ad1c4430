"""Every sentence of evidence that a follow-up rule can write is known in Indonesian, and every reason has words."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest
from report_world import policy

from kinerja_pipeline.kpi import distribution, evaluation, exclusions, follow_up_people, follow_up_units
from kinerja_pipeline.reports.evidence import evidence, words_of_region
from kinerja_pipeline.reports.words import PREDICATES, REASONS

SENTENCES = {
    "result 65.17 in 2026-05, 72.85 in 2026-06; mean of the 3 months before: 103.58": (
        "nilai hasil 65,17 pada Mei 2026, 72,85 pada Juni 2026; rata-rata 3 bulan sebelumnya: 103,58"
    ),
    "result 84.1 in 2026-01; mean of the 3 months before: not all known": (
        "nilai hasil 84,1 pada Januari 2026; rata-rata 3 bulan sebelumnya: belum semua diketahui"
    ),
    "result 115.0, behaviour di_atas, tied with 2 others": (
        "nilai hasil 115, perilaku di atas ekspektasi, bersama 2 orang lain yang bernilai sama"
    ),
    "time 55.42, asked for are 80.0; no programme is named for it; 6.5 of 20.0 hours of training this year": (
        "waktu 55,42, yang diminta 80; belum ada program yang ditetapkan; 6,5 dari 20 jam pelatihan tahun ini"
    ),
    "akuntabel 60.0, asked for are 70.0": "Akuntabel 60, yang diminta 70",
    "at least 3 unexcused days since 2026-01-01, longest run at least 2 working days, 1 in the month": (
        "paling sedikit 3 hari tanpa alasan sejak 1 Januari 2026, berturut-turut paling sedikit 2 hari kerja, 1 dalam "
        "bulan ini"
    ),
    "unknown unexcused days since unknown, longest run unknown working days, 1 in the month": (
        "jumlah hari tanpa alasan belum diketahui, hari yang belum diketahui, berturut-turut belum diketahui, 1 dalam "
        "bulan ini"
    ),
    "objection to the rating of 2026-03 (late), 2026-Q1": (
        "keberatan atas penilaian Maret 2026 (terlambat), triwulan 1 2026"
    ),
    "appraisal_pending in 2026-02, result_coverage_too_low in 2026-03": (
        "penilaian perilaku belum selesai pada Februari 2026, bukti hasil kerja kurang pada Maret 2026"
    ),
    "12 of 40 person-days not recorded": "12 dari 40 hari-orang tidak terekam",
    "attendance of 12 of 17 days came late, devices down for 180 minutes": (
        "kehadiran 12 dari 17 hari datang terlambat, mesin terganggu 180 menit"
    ),
    "3 people, need unknown": "3 orang, kebutuhan belum diketahui",
    "3 of 17 positions filled": "3 dari 17 jabatan terisi",
    "skm: 57 of 89 answers; parents: 5 of an unknown number of answers": (
        "Survei Kepuasan Masyarakat: 57 dari 89 jawaban; Survei Kepuasan Orang Tua: 5 jawaban, sampel belum diketahui"
    ),
    "0 of 368 answers": "0 dari 368 jawaban",
    "superiors: 1 of 3 baik or better; skm: 85.04 (B) of 13 answers": (
        "atasan: 1 dari 3 orang Baik atau lebih; Survei Kepuasan Masyarakat: 85,04 (B) dari 13 jawaban"
    ),
    "4 of 50 rows rejected (8.0 %): 3 key__conflict in task_record, 1 score__range in feedback_response": (
        "4 dari 50 baris ditolak (8 %): 3 key__conflict dalam Catatan tugas, 1 score__range dalam Jawaban survei"
    ),
}
KEYS = {"{}:{}", "weak_{}"}
"""Formats that are no evidence: a row's name, and a reason that stands for its topic."""


@pytest.mark.parametrize("sentence", SENTENCES)
def test_evidence_is_said_in_indonesian(sentence: str) -> None:
    assert evidence(sentence, "id", words_of_region(policy(), "id")) == SENTENCES[sentence]


def formats(module: ModuleType) -> list[str]:
    """The templates of `pl.format` in a module."""
    calls = [n for n in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(n, ast.Call)]
    named = [c for c in calls if ast.unparse(c.func) == "pl.format" and isinstance(c.args[0], ast.Constant)]
    return [str(c.args[0].value) for c in named if isinstance(c.args[0], ast.Constant)]


@pytest.mark.parametrize("module", [follow_up_people, follow_up_units], ids=lambda m: Path(m.__file__).stem)
def test_no_rule_writes_a_sentence_that_is_not_tried_here(module: ModuleType) -> None:
    """A rule with new words needs them in reports/evidence, and an example above."""
    unknown = []
    for template in {*formats(module)} - KEYS:
        parts = [re.escape(part) for part in template.split("{}")]
        if not any(re.search(".*".join(parts), sentence) for sentence in SENTENCES):
            unknown.append(template)
    assert unknown == []


def test_every_reason_that_the_rules_give_has_words() -> None:
    modules = (follow_up_people, follow_up_units, exclusions, evaluation, distribution)
    calls = [n for m in modules for n in ast.walk(ast.parse(inspect.getsource(m))) if isinstance(n, ast.Call)]
    literals = [c.args[0] for c in calls if ast.unparse(c.func) == "pl.lit"]
    given = {a.value for a in literals if isinstance(a, ast.Constant) and isinstance(a.value, str)}
    codes = {code for code in given if "_" in code and code.islower()}
    told_elsewhere = {"not_computable", "di_atas", "di_bawah", "advanced_training", "discipline_warning"}
    told_elsewhere |= {"insufficient_evidence", "complete_data", "fill_positions", "collect_feedback"}
    told_elsewhere |= {"compare_opinions", "correct_data", *PREDICATES}
    assert codes - told_elsewhere - set(REASONS) == set()
