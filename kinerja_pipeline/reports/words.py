"""Numbers, days and words of the reports, in Indonesian and English.

Here: values and codes -> text. Not here: what a region calls its own (its policy has labels), sentences of evidence
(reports/evidence), columns (data_contracts/labels.id.yaml).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from kinerja_pipeline.facts.periods import period_kind
from kinerja_pipeline.policies.explain import MONTHS as _BULAN

Language = Literal["id", "en"]
LANGUAGES: tuple[Language, ...] = ("id", "en")
NOTHING = "–"
"""Stands where there is no value: never a zero."""

_MONTHS: Mapping[Language, tuple[str, ...]] = {
    "id": _BULAN,
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}
_WEEKDAYS: Mapping[Language, tuple[str, ...]] = {
    "id": ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}

Words = Mapping[str, tuple[str, str]]

PREDICATES: Words = {
    "istimewa": ("Istimewa", "Outstanding"),
    "sangat_baik": ("Sangat Baik", "Very good"),
    "baik": ("Baik", "Good"),
    "butuh_perbaikan": ("Butuh Perbaikan", "Needs improvement"),
    "kurang": ("Kurang", "Poor"),
    "sangat_kurang": ("Sangat Kurang", "Very poor"),
}
RATINGS: Words = {
    "di_atas": ("di atas ekspektasi", "above expectation"),
    "sesuai": ("sesuai ekspektasi", "as expected"),
    "di_bawah": ("di bawah ekspektasi", "below expectation"),
}
STATES: Words = {
    "open": ("terbuka", "open"),
    "partial": ("belum lengkap", "partial"),
    "closed": ("ditutup", "closed"),
    "recommended": ("disarankan", "recommended"),
    "excluded": ("dikecualikan", "excluded"),
    "not_computable": ("tidak dapat dihitung", "not computable"),
    "computed": ("dihitung", "computed"),
    "landed": ("diterima", "landed"),
    "refused": ("ditolak", "refused"),
}
ACTIONS: Words = {
    "coaching": ("pembinaan", "coaching"),
    "training": ("pelatihan", "training"),
    "reward": ("penghargaan", "reward"),
    "advanced_training": ("pelatihan lanjutan atau promosi", "advanced training or promotion"),
    "discipline_warning": ("peringatan dini disiplin", "early warning of discipline"),
    "objection_open": ("memutus keberatan", "decide the objection"),
    "insufficient_evidence": ("melengkapi bukti kinerja", "complete the evidence"),
    "complete_data": ("melengkapi data", "complete the data"),
    "fill_positions": ("mengisi jabatan", "fill positions"),
    "collect_feedback": ("mengumpulkan jawaban survei", "collect feedback"),
    "compare_opinions": ("membandingkan pendapat", "compare opinions"),
    "correct_data": ("memperbaiki data", "correct the data"),
}
REASONS: Words = {
    "declined": ("kinerja menurun", "declined"),
    "earlier_months_missing": ("bulan sebelumnya belum ada", "earlier months missing"),
    "long_leave": ("cuti atau sakit lama", "on long leave"),
    "study": ("tugas belajar", "on study assignment"),
    "just_moved": ("baru pindah unit", "just moved"),
    "unexcused_days": ("ada hari tanpa alasan", "has unexcused days"),
    "unexcused_days_unknown": ("hari tanpa alasan belum diketahui", "unexcused days unknown"),
    "objection_open": ("keberatan belum diputus", "objection open"),
    "best_of_unit": ("terbaik di unitnya", "best of the unit"),
    "sustained_results": ("hasil tinggi berturut-turut", "sustained high results"),
    "already_completed": ("sudah mengikuti programnya", "programme completed already"),
    "not_decided": ("belum diputus", "not decided"),
    "objected_late": ("keberatan diajukan terlambat", "objected late"),
    "result_coverage_too_low": ("bukti hasil kerja kurang", "too little evidence of results"),
    "appraisal_pending": ("penilaian perilaku belum selesai", "appraisal of behaviour pending"),
    "behaviour_not_rated": ("perilaku belum dinilai", "behaviour not rated"),
    "attendance_not_recorded": ("kehadiran tidak terekam", "attendance not recorded"),
    "attendance_late": ("rekaman kehadiran terlambat", "attendance came late"),
    "devices_down": ("mesin presensi terganggu", "devices were down"),
    "needed_headcount_missing": ("kebutuhan pegawai belum diketahui", "need unknown"),
    "staffing_gap": ("kekurangan pegawai", "staffing gap"),
    "low_response": ("jawaban survei kurang", "too few answers"),
    "no_response": ("tidak ada jawaban survei", "no answers"),
    "population_unknown": ("penduduk yang dilayani belum diketahui", "population unknown"),
    "public_less_content": ("masyarakat kurang puas dibanding atasan", "the public is less content"),
    "superiors_less_content": ("atasan kurang puas dibanding masyarakat", "superiors are less content"),
    "unit_too_small": ("unit terlalu kecil", "unit too small"),
    "too_few_evaluated": ("yang dinilai terlalu sedikit", "too few evaluated"),
    "pattern_not_delivered": ("predikat organisasi belum dikirim", "organisation's predicate not delivered"),
    "pattern_unknown": ("predikat organisasi tidak dikenal", "organisation's predicate unknown"),
}
FLAGS: Words = {
    "low_response": ("jawaban kurang dari sampel", "fewer answers than the sample"),
    "straight_lining": ("banyak jawaban seragam", "many uniform answers"),
    "burst": ("jawaban beruntun", "answers in bursts"),
    "exact_repeat": ("jawaban berulang", "repeated answers"),
    "other_scale": ("skala lain", "another scale"),
}
ASPECTS: Words = {
    "quantity": ("kuantitas", "quantity"),
    "quality": ("kualitas", "quality"),
    "time": ("waktu", "time"),
    "cost": ("biaya", "cost"),
}
FEEDS: Words = {
    "attendance_log": ("Log presensi", "Attendance log"),
    "device_outage": ("Gangguan mesin", "Device outage"),
    "device_pin": ("PIN mesin", "Device PIN"),
    "employee": ("Pegawai", "Employee assignment"),
    "feedback_response": ("Jawaban survei", "Feedback response"),
    "indicator_measurement": ("Capaian indikator", "Indicator measurement"),
    "indicator_target": ("Target indikator", "Indicator target"),
    "leave_permit": ("Cuti dan izin", "Leave and permits"),
    "org_unit": ("Unit kerja", "Organisation unit"),
    "performance_rating": ("Penilaian resmi", "Performance rating"),
    "shift_roster": ("Daftar giliran", "Shift roster"),
    "task_record": ("Catatan tugas", "Task record"),
    "training_plan": ("Rencana pelatihan", "Training plan"),
    "training_record": ("Riwayat pelatihan", "Training record"),
}
UNITS: Words = {
    "percent": ("persen", "percent"),
    "score": ("nilai", "score"),
    "minutes": ("menit", "minutes"),
    "hours": ("jam", "hours"),
    "working hours": ("jam kerja", "working hours"),
    "days": ("hari", "days"),
    "working days": ("hari kerja", "working days"),
    "tasks": ("tugas", "tasks"),
    "tonnes": ("ton", "tonnes"),
    "visits": ("kunjungan", "visits"),
    "notes": ("catatan", "notes"),
    "observations": ("pengamatan", "observations"),
}
SUBJECTS: Words = {"employee": ("pegawai", "employee"), "unit": ("unit", "unit"), "region": ("daerah", "region")}


def said(code: str | None, words: Words, language: Language) -> str:
    """The words for a code; one without words is shown as it is, and a missing one as nothing."""
    if code is None:
        return NOTHING
    pair = words.get(code)
    return pair[language == "en"] if pair else code


def number(value: float | None, language: Language, decimals: int = 0) -> str:
    """1.234,5 in Indonesian, 1,234.5 in English; halves are rounded up."""
    if value is None:
        return NOTHING
    rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    text = f"{rounded:,}"
    return text if language == "en" else text.translate(str.maketrans(",.", ".,"))


def percent(share: float | None, language: Language, decimals: int = 1) -> str:
    """A share (0-1) as 84,2 % in Indonesian, 84.2% in English."""
    if share is None:
        return NOTHING
    # Decimals: 100 times a binary fraction is not always the percents that people see.
    text = number(float(Decimal(repr(share)) * 100), language, decimals)
    return f"{text}%" if language == "en" else f"{text} %"


def month_name(month: str, language: Language) -> str:
    """Maret 2026."""
    return f"{_MONTHS[language][int(month[5:]) - 1]} {month[:4]}"


def month_short(month: str, language: Language) -> str:
    """Mar 26: what fits below an axis."""
    return f"{_MONTHS[language][int(month[5:]) - 1][:3]} {month[2:4]}"


def period_name(period: str, language: Language) -> str:
    """Maret 2026, triwulan 1 2026, semester 2 2026, 2026."""
    match period_kind(period):
        case "month":
            return month_name(period, language)
        case "quarter":
            return f"{'triwulan' if language == 'id' else 'quarter'} {period[-1]} {period[:4]}"
        case "semester":
            return f"semester {period[-1]} {period[:4]}"
        case _:
            return period


def day(date: dt.date | None, language: Language) -> str:
    """5 April 2026."""
    return NOTHING if date is None else f"{date.day} {_MONTHS[language][date.month - 1]} {date.year}"


def weekday(date: dt.date, language: Language) -> str:
    """Senin."""
    return _WEEKDAYS[language][date.weekday()]


def instant(at: dt.datetime, zone: ZoneInfo, language: Language) -> str:
    """5 April 2026 09.12 WIT: on the wall clock of the region."""
    local = at.astimezone(zone)
    clock = f"{local:%H.%M}" if language == "id" else f"{local:%H:%M}"
    return f"{day(local.date(), language)} {clock} {local.tzname()}"
