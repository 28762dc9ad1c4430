"""A policy as officials read it: what is in force in a month, in Indonesian, with every number that decides something.

Here: policy -> text. Not here: what the keys mean to a computer (policies/model), printing (the command line).
"""

from __future__ import annotations

from collections.abc import Iterator

from kinerja_pipeline.policies.allowance import Allowance
from kinerja_pipeline.policies.model import (
    Band,
    Deduction,
    EmploymentStatus,
    Indicator,
    Periods,
    Policy,
    Retention,
    Span,
    Target,
    Weekday,
    WorkedDayType,
    WorkingDay,
)

DAYS: dict[Weekday, str] = {
    "mon": "Senin",
    "tue": "Selasa",
    "wed": "Rabu",
    "thu": "Kamis",
    "fri": "Jumat",
    "sat": "Sabtu",
    "sun": "Minggu",
}
MONTHS = (
    *("Januari", "Februari", "Maret", "April", "Mei", "Juni"),
    *("Juli", "Agustus", "September", "Oktober", "November", "Desember"),
)
BASES = {"allowance": "seluruh tunjangan", "attendance_part": "bagian kehadiran dari tunjangan"}
STATUSES: dict[EmploymentStatus, str] = {"pns": "PNS", "pppk": "PPPK", "pppk_paruh_waktu": "PPPK paruh waktu"}
DAY_TYPES: dict[WorkedDayType, str] = {
    "normal": "hari biasa",
    "friday": "Jumat",
    "ramadan": "Ramadan",
    "shift": "giliran kerja",
}
SUBJECTS = {"employee": "pegawai", "unit": "unit", "region": "daerah"}
ASPECTS = {"quantity": "kuantitas", "quality": "kualitas", "time": "waktu", "cost": "biaya"}
DIRECTIONS = {"higher": "makin tinggi makin baik", "lower": "makin rendah makin baik", "range": "dalam rentang"}
TASK_TYPES = {"service_request": "Permohonan", "complaint": "Pengaduan", "routine": "Tugas rutin", "project": "Proyek"}
FOLLOW_UPS = {"decline": "pembinaan", "reward": "penghargaan"}


def formula(indicator: Indicator) -> str:
    """How the value is formed, in words of the fact's columns: 100 * sum(done) / sum(planned) where is_due."""
    above = indicator.numerator
    match indicator.statistic:
        case "ratio":
            value = f"sum({above}) / sum({indicator.denominator})"
        case "growth":
            value = f"sum({above}) / the same of last year"
        case "median" | "p90":
            value = f"{indicator.statistic}({above})"
        case _:
            value = f"sum({above})"
    scale = f"{indicator.scale:g} * " if indicator.scale != 1 else ""
    return f"{scale}{value}{f' where {indicator.filter}' if indicator.filter else ''}"


def _periods(periods: Periods) -> Iterator[str]:
    yield f"  Bulan ditutup pada tanggal {periods.closing_day} bulan berikutnya."
    how = "langsung diterbitkan dan dicatat" if periods.restating == "automatic" else "menunggu persetujuan"
    yield f"  Perubahan angka bulan yang sudah ditutup: {how}."


def _retention(retention: Retention) -> Iterator[str]:
    for what, months in (
        ("Isi baris yang ditolak (alasan dan hitungannya tetap)", retention.quarantine_months),
        ("Catatan proses Dagster, kecuali yang terakhir per partisi", retention.run_months),
    ):
        yield f"  {what}: {f'{months} bulan' if months else 'tanpa batas'}."


def explained(policy: Policy, month: str, version: str) -> str:
    """The policy in force in `month`, section by section."""
    name = f"{MONTHS[int(month[5:]) - 1]} {month[:4]}"
    parts = [
        [
            f"{policy.labels.id}: kebijakan yang berlaku pada {name} (versi {version})",
            f"Zona waktu: {policy.time_zone}",
        ],
        ["KALENDER", *_calendar(policy, month)],
        ["JADWAL KERJA", *_schedules(policy, month)],
        ["POTONGAN", *_deductions(policy, month)],
        *([["TUNJANGAN (TPP)", *_allowance(policy.allowance)]] if policy.allowance else []),
        ["DISIPLIN (peringatan dini, PP 94/2021)", *_discipline(policy, month)],
        ["INDIKATOR", *_indicators(policy)],
        *([["STANDAR LAYANAN", *_standards(policy)]] if policy.tasks.standard_hours else []),
        ["AMBANG PENILAIAN", *_thresholds(policy)],
        ["TINDAK LANJUT", *_follow_up(policy)],
        *([["BATAS PENGIRIMAN", *_deadlines(policy)]] if policy.deliveries else []),
        ["PERIODE", *_periods(policy.periods)],
        ["MASA SIMPAN", *_retention(policy.retention)],
    ]
    return "\n\n".join("\n".join(part) for part in parts)


def _calendar(policy: Policy, month: str) -> Iterator[str]:
    kinds = {"public": "hari libur nasional", "government": "cuti bersama"}
    national = " dan ".join(kinds[c] for c in policy.calendar.holiday_categories)
    yield f"  {national.capitalize()} mengikuti ketetapan pusat."
    for off in policy.calendar.days_off:
        if f"{off.date:%Y}" == month[:4]:
            yield f"  Libur daerah: {off.date:%d-%m-%Y} {off.label}"
    for span in policy.calendar.ramadan:
        if f"{span.start:%Y}" == month[:4]:
            yield f"  Ramadan: {_span(span)}"


def _span(span: Span) -> str:
    return f"{span.start:%d-%m-%Y} s.d. {span.end:%d-%m-%Y}"


def _schedules(policy: Policy, month: str) -> Iterator[str]:
    for name, schedule in policy.schedules.items():
        marks = ["bawaan"] if name == policy.attendance.default_schedule else []
        marks += [f"bawaan {STATUSES[s]}" for s, own in policy.attendance.schedule_by_employment.items() if own == name]
        marks += ["bergiliran"] if schedule.is_rostered else []
        marks += [f"luwes {schedule.flexible_minutes} menit"] if schedule.flexible_minutes else []
        hours = schedule.hours(month)
        yield f"  {schedule.labels.id} ({', '.join([name, *marks])})"
        for title, week in (("", hours.week), ("Ramadan: ", hours.ramadan or {})):
            for days, text in _same_hours(week):
                yield f"    {title}{days}: {text}"


def _same_hours(week: dict[Weekday, WorkingDay]) -> Iterator[tuple[str, str]]:
    hours = {day: _hours(worked) for day in DAYS if (worked := week.get(day))}
    for text in dict.fromkeys(hours.values()):
        yield ", ".join(DAYS[day] for day, own in hours.items() if own == text), text


def _hours(day: WorkingDay) -> str:
    pause = f", istirahat {day.break_minutes} menit mulai {day.break_start:%H.%M}" if day.break_minutes else ""
    return f"{day.start:%H.%M}-{day.end:%H.%M}{pause}"


def _deductions(policy: Policy, month: str) -> Iterator[str]:
    tables = policy.deductions_in_force(month)
    if not tables:
        yield "  Belum ada aturan potongan yang berlaku."
    for rules in tables:
        yield from _deduction(rules)
    if minutes := policy.attendance.late_minutes_per_unexcused_day:
        yield f"  Setiap {minutes} menit terlambat dalam setahun dihitung sehari tidak masuk tanpa keterangan"


def _deduction(rules: Deduction) -> Iterator[str]:
    whose = [STATUSES[status] for status in rules.employment_status] + [DAY_TYPES[kind] for kind in rules.day_types]
    of = f" ({', '.join(whose)})" if whose else ""
    yield f"  Berlaku sejak {rules.valid_from}{of}, dari {BASES[rules.base]}. Dasar: {rules.source}"
    for title, bands, share in (
        ("Terlambat", rules.late, rules.late_minute_share),
        ("Pulang cepat", rules.early, rules.early_minute_share),
    ):
        each = f"{_percent(share)} setiap menit" if share is not None else "tanpa potongan"
        yield f"  {title}: {'; '.join(_bands(bands)) or each}"
    if rules.late_tolerance_minutes:
        yield f"  Terlambat sampai {rules.late_tolerance_minutes} menit tidak dipotong"
    if rules.make_up_minutes:
        yield f"  Terlambat sampai {rules.make_up_minutes} menit dapat diganti dengan pulang lebih lambat"
    if rules.counts_seconds:
        yield "  Menit yang baru dimulai dihitung penuh"
    yield f"  Tidak tap masuk atau pulang: {_percent(rules.missing_tap_share)}"
    yield f"  Tidak masuk tanpa keterangan: {_percent(rules.absent_day_share)} sehari"
    yield f"  Paling banyak {_percent(rules.month_cap_share)} sebulan"


def _allowance(rules: Allowance) -> Iterator[str]:
    yield (
        f"  {_percent(rules.discipline_weight)} disiplin (bagian kehadiran), {_percent(rules.productivity_weight)} "
        f"produktivitas. Dasar: {rules.source}"
    )
    earned = rules.productivity
    for predicate, share in (earned.by_predicate or {}).items():
        yield f"  Predikat {predicate.replace('_', ' ')}: {_percent(share)} dari bagian produktivitas"
    for band in earned.by_score:
        yield f"  Nilai hasil sejak {_number(band.from_score)}: {_percent(band.share)} dari bagian produktivitas"
    if earned.full_score is not None:
        yield f"  Bagian produktivitas sebanding dengan nilai hasil, penuh sejak {_number(earned.full_score)}"


def _bands(bands: list[Band]) -> Iterator[str]:
    for number, band in enumerate(bands):
        until = f"-{bands[number + 1].from_minutes - 1}" if number + 1 < len(bands) else " atau lebih"
        yield f"{band.from_minutes}{until} menit = {band.code} {_percent(band.share)}"


def _percent(share: float) -> str:
    return f"{share * 100:.4g}".replace(".", ",") + " %"


def _number(value: float) -> str:
    return f"{value:.10g}".replace(".", ",")


def _discipline(policy: Policy, month: str) -> Iterator[str]:
    counters = {"year": "hari dalam setahun", "run": "hari kerja berturut-turut"}
    for threshold in (t for t in policy.discipline if t.is_in_force(month)):
        yield f"  {threshold.code}: {threshold.days} {counters[threshold.counter]}"


def _indicators(policy: Policy) -> Iterator[str]:
    for name, indicator in policy.indicators.items():
        if not indicator.is_active:
            continue
        subjects = ", ".join(SUBJECTS[s] for s in indicator.subjects)
        weight = f"bobot {_percent(indicator.weight)}" if indicator.weight else "tanpa bobot"
        yield f"  {indicator.labels.id} ({name}): {subjects}; aspek {ASPECTS[indicator.aspect]}; {weight}"
        yield f"    Target: {_target(indicator.target, indicator)} ({DIRECTIONS[indicator.direction]})"
        yield f"    Rumus: {formula(indicator)} [{indicator.fact}]"


def _target(target: Target, indicator: Indicator) -> str:
    if indicator.direction == "range" and target.low is not None and target.high is not None:
        return f"{_number(target.low)} s.d. {_number(target.high)} {_unit(indicator.unit)}"
    text = f"{_number(target.value or 0)} {_unit(indicator.unit)}{' sebulan' if target.kind == 'additive' else ''}"
    levels = "; ".join(f"{level} {_number(value)}" for level, value in target.by_position.items())
    return f"{text}{f'; menurut jenjang: {levels}' if levels else ''}"


def _unit(unit: str) -> str:
    return {"percent": "persen", "hours": "jam", "working hours": "jam kerja", "score": "nilai"}.get(unit, unit)


def _standards(policy: Policy) -> Iterator[str]:
    for kind, hours in policy.tasks.standard_hours.items():
        yield f"  {TASK_TYPES[kind]} tanpa batas waktu: {_number(hours)} jam kerja"


def _deadlines(policy: Policy) -> Iterator[str]:
    for feed, expected in policy.deliveries.items():
        yield f"  {feed}: {expected.files} berkas, paling lambat tanggal {expected.due_day} bulan berikutnya"


def _thresholds(policy: Policy) -> Iterator[str]:
    rules = policy.evaluation
    yield (
        f"  Hasil kerja: di atas ekspektasi bila lebih dari {_number(rules.result_above)}, sesuai sejak "
        f"{_number(rules.result_meets)}, di bawah bila kurang"
    )
    yield (
        f"  Perilaku kerja: di atas ekspektasi sejak {_number(rules.behaviour_above)}, sesuai sejak "
        f"{_number(rules.behaviour_meets)}"
    )
    yield f"  Indikator yang dapat dihitung paling sedikit {_percent(rules.minimum_coverage_share)} dari bobot"
    yield f"  Nilai gabungan: {_percent(rules.result_weight)} hasil, {_percent(1 - rules.result_weight)} perilaku"


def _follow_up(policy: Policy) -> Iterator[str]:
    for name, rule in policy.follow_up.items():
        numbers = rule.model_dump(exclude={"rule", "labels"}, exclude_none=True)
        said = ", ".join(f"{key} {_said(value)}" for key, value in numbers.items())
        yield f"  {rule.labels.id} ({name}): {said}"


def _said(value: object) -> object:
    if isinstance(value, list):
        return "/".join(value)
    return _number(value) if isinstance(value, int | float) else value
