"""Attendance, predicates and follow-up: three sections of the page, which tell everyone of the region as a whole.

For officials they tell of units too, and the follow-up lists name people; those left out are counted, not named. Here:
figures -> plots and tables. Not here: the figures (reports/figures), evidence in words (reports/evidence).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import polars as pl

from kinerja_pipeline.kpi.distribution import LEVELS
from kinerja_pipeline.reports import charts
from kinerja_pipeline.reports.evidence import evidence, reason_words, words_of_region
from kinerja_pipeline.reports.figures import DAY_COUNTS, LEVEL_COUNTS, PERSON, Attended, month_days
from kinerja_pipeline.reports.frame import table, tiles
from kinerja_pipeline.reports.telling import MOST_LINES, MOST_UNITS, Telling, hidden, is_small, more, none
from kinerja_pipeline.reports.words import ACTIONS, NOTHING, PREDICATES, REASONS, STATES, day, number, said, weekday

HEAT_FROM = (1.0, 0.98, 0.95, 0.9, 0.8)
"""Attendance from which a field of the heat map has level 0, 1, ...; below the last it is darkest."""


def attendance(told: Telling) -> Iterator[str]:
    attended = told.figures.attended
    if attended.days.is_empty():
        yield none(told, "Tidak ada kehadiran pada bulan ini.", "There is no attendance in this month.")
        return
    region = attended.region.row(0, named=True)
    if not told.names_people and is_small(told, max(attended.days["workday_count"].to_list())):
        yield hidden(told)
        return
    yield tiles(
        (
            (told.say("hadir", "present"), told.share(region["attendance_share"])),
            (told.say("tepat jam kerja", "punctual"), told.share(region["punctuality_share"])),
            (told.say("hari terlambat", "days begun late"), told.count(region["late_count"])),
            (told.say("hari pulang cepat", "days left early"), told.count(region["early_count"])),
            (told.say("hari tanpa alasan", "days without reason"), told.count(region["absent_count"])),
            (told.say("hari tidak terekam", "days not recorded"), told.count(region["not_recorded_count"])),
        )
    )
    units = attended.units.head(MOST_UNITS) if told.names_people else attended.units.head(0)
    yield _attendance_map(told, attended, units)
    note = told.say(
        "Angka: persen hari kerja yang dihadiri; makin gelap, makin rendah. Kosong: tidak ada hari kerja yang dapat "
        "dinilai. Cuti dan izin penuh bukan hari kerja; tidak terekam bukan tidak hadir.",
        "Figures: percent of working days with presence; the darker, the lower. Empty: no working day that can be "
        "judged. Leave is no working day; not recorded is not absent.",
    )
    yield f'<p class="soft">{note}</p>'
    if units.is_empty():
        return
    head = (
        told.say("unit", "unit"),
        told.say("hadir", "present"),
        told.say("tepat jam", "punctual"),
        *(told.say("hari kerja", "working days"), told.say("dihadiri", "attended"), told.say("terlambat", "late")),
        *(told.say("pulang cepat", "left early"), told.say("tanpa alasan", "no reason")),
        told.say("tidak terekam", "not recorded"),
    )
    rows = [
        (
            escape(row["unit_name"]),
            told.share(row["attendance_share"]),
            told.share(row["punctuality_share"]),
            *(told.count(row[name]) for name in DAY_COUNTS),
        )
        for row in units.iter_rows(named=True)
    ]
    yield table(head, rows, range(1, len(head)))
    yield more(told, len(attended.units) - len(units))


def _attendance_map(told: Telling, attended: Attended, units: pl.DataFrame) -> str:
    days, language = month_days(told.figures.month), told.language
    columns = ("unit_id", "work_date", "attendance_share", "workday_count")
    found = {(unit, date): (share, count) for unit, date, share, count in attended.days.select(columns).iter_rows()}

    def row(unit_id: str | None, name: str) -> tuple[str, list[charts.Cell]]:
        cells = []
        for date in days:
            share, count = found.get((unit_id, date), (None, 0))
            at = f"{name}, {weekday(date, language)} {day(date, language)}"
            if share is None:
                cells.append(charts.Cell("", None, at))
                continue
            level = sum(share < start for start in HEAT_FROM)
            people = told.text("hari kerja", "working days")
            cells.append(
                charts.Cell(number(100 * share, language), level, f"{at}: {told.share(share)}, {count} {people}")
            )
        return name, cells

    rows = [row(None, told.label(told.policy.labels))]
    rows += [row(unit, name) for unit, name in units.select("unit_id", "unit_name").iter_rows()]
    head = [(str(date.day), f"{weekday(date, language)} {day(date, language)}") for date in days]
    return charts.heat(told.text("Kehadiran per hari (%)", "Attendance by day (%)"), head, rows)


# ---- predicates ------------------------------------------------------------------------------------------------------


def predicates(told: Telling) -> Iterator[str]:
    units, language = told.figures.predicates, told.language
    if units.is_empty():
        yield none(told, "Tidak ada penilaian pada bulan ini.", "There are no evaluations in this month.")
        return
    if not told.names_people and is_small(told, int(units["evaluated_count"].sum())):
        yield hidden(told)
        return
    yield f'<p class="soft">{_explained_predicates(told)}</p>'
    levels = [said(level, PREDICATES, language) for level in LEVELS]
    shown = units.head(MOST_UNITS) if told.names_people else units.head(0)
    of_region = [int(units[name].sum()) for name in LEVEL_COUNTS]

    def note(row: Mapping[str, Any]) -> str:
        return {True: "✓", False: f"✗ {row['change_count']}", None: ""}[row["is_conformant"]]

    rows = [(told.label(told.policy.labels), of_region, "")]
    rows += [
        (row["unit_name"], [row[name] for name in LEVEL_COUNTS], note(row))
        for row in shown.iter_rows(named=True)
        if row["evaluated_count"]
    ]
    title = told.text("Sebaran predikat (orang)", "Distribution of predicates (people)")
    yield charts.stacks(title, levels, rows)
    counts = ("employee_count", "evaluated_count", *LEVEL_COUNTS)
    head = [told.say("unit", "unit"), told.say("pegawai", "people"), told.say("dinilai", "evaluated")]
    head += map(escape, levels)
    whole = [f"<b>{escape(told.label(told.policy.labels))}</b>"]
    whole += [told.count(int(units[name].sum())) for name in counts]
    cells = []
    if told.names_people:
        head += [told.say("predikat organisasi", "organisation"), told.say("pedoman sebaran", "guidance")]
        whole += ["", ""]
        for row in shown.iter_rows(named=True):
            pattern = said(row["pattern_code"], PREDICATES, language)
            figures = [told.count(row[name]) for name in counts]
            cells.append([escape(row["unit_name"]), *figures, escape(pattern), escape(_conformity(told, row))])
    yield table(head, [whole, *cells], range(1, 1 + len(counts)))
    if told.names_people:
        yield more(told, len(units) - len(shown))
    yield from _unjudged(told)


def _explained_predicates(told: Telling) -> str:
    return told.say(
        "Predikat yang berlaku: yang resmi, atau bila belum ada, yang disarankan menurut matriks. Pedoman sebaran "
        "(SE MenPANRB 3/2023) hanya dibandingkan, tidak ada penilaian yang diubah: ✓ sesuai, ✗ dengan jumlah paling "
        "sedikit orang yang predikatnya harus berbeda.",
        "The predicate in force: the official one, or where there is none, the one the matrix recommends. The guidance "
        "on distribution (SE MenPANRB 3/2023) is compared and changes no rating: ✓ conforms, ✗ with the fewest people "
        "whose predicate would have to differ.",
    )


def _conformity(told: Telling, row: Mapping[str, Any]) -> str:
    if row["is_conformant"] is None:
        return said(row["note"], REASONS, told.language)
    if row["is_conformant"]:
        return told.text("sesuai", "conforms")
    return told.text(f"tidak sesuai: {row['change_count']} orang", f"does not: {row['change_count']} people")


def _unjudged(told: Telling) -> Iterator[str]:
    if told.figures.unjudged.is_empty():
        return
    words = ", ".join(
        f"{said(row['reason'], REASONS, told.language)} {told.count(row['person_count'])}"
        for row in told.figures.unjudged.iter_rows(named=True)
    )
    title = told.say("Saran predikat yang tidak dapat dihitung", "Recommended predicates that are not computable")
    yield f"<p>{title}: {escape(words)}.</p>"


# ---- follow-up -------------------------------------------------------------------------------------------------------


def follow_up(told: Telling) -> Iterator[str]:
    lines, policy = told.figures.follow_up, told.policy
    if lines.is_empty():
        yield none(told, "Tidak ada saran tindak lanjut.", "No follow-up is recommended.")
        return
    words = told.say(
        "Saran dengan alasan dan bukti, untuk diputuskan oleh pejabat. Peringatan dini bukan hukuman.",
        "Recommendations with reason and evidence, for officials to decide. An early warning is no sanction.",
    )
    yield f'<p class="soft">{words}</p>'
    if not told.names_people:
        yield _follow_up_counts(told)
        return
    topics = words_of_region(policy, told.language)
    for rule_id in lines["rule_id"].unique(maintain_order=True):
        own = lines.filter(rule_id=rule_id)
        advised = own.filter(status_code="recommended")
        yield f"<h3>{escape(_rule(told, rule_id))} ({told.count(len(advised))})</h3>"
        if len(advised):
            yield _list(told, advised.head(MOST_LINES), topics)
            yield more(told, len(advised) - MOST_LINES)
        yield from _left_out(told, own, topics)


def _rule(told: Telling, rule_id: str) -> str:
    rule = told.policy.follow_up.get(rule_id)
    return told.label(rule.labels) if rule else rule_id


def _list(told: Telling, lines: pl.DataFrame, topics: Mapping[str, str]) -> str:
    is_people = (lines["subject_kind"] == PERSON).any()
    head = [told.say("pegawai", "employee"), told.say("unit", "unit")] if is_people else [told.say("unit", "unit")]
    head += [told.say("alasan", "reason"), told.say("bukti", "evidence")]
    has_programme = lines["programme_name"].is_not_null().any()
    head += [told.say("program", "programme")] if has_programme else []
    rows = []
    for row in lines.iter_rows(named=True):
        unit = escape(row["unit_name"] or told.label(told.policy.labels))
        who = [unit]
        if is_people:
            position = f'<br><span class="soft">{escape(row["position"])}</span>' if row["position"] else ""
            unknown = told.text("nama tidak diketahui", "name unknown")
            who = [f"{escape(row['name'] or unknown)}{position}", unit]
        cells = [
            *who,
            escape(reason_words(row["reason"], told.policy, topics, told.language)),
            escape(evidence(row["evidence"], told.language, topics)),
        ]
        rows.append([*cells, escape(row["programme_name"] or NOTHING)] if has_programme else cells)
    return table(head, rows)


def _left_out(told: Telling, lines: pl.DataFrame, topics: Mapping[str, str]) -> Iterator[str]:
    """Who was left out, and where nothing could be said: how many, and why; the workbook names them."""
    for status in ("excluded", "not_computable"):
        own = lines.filter(status_code=status)
        if own.is_empty():
            continue
        counts = own.group_by("reason").len().sort("len", "reason", descending=[True, False])
        why = ", ".join(
            f"{reason_words(code, told.policy, topics, told.language)} {told.count(count)}"
            for code, count in counts.iter_rows()
        )
        state = said(status, STATES, told.language).capitalize()
        yield f'<p class="soft">{escape(state)}: {escape(why)}.</p>'


def _follow_up_counts(told: Telling) -> str:
    lines = told.figures.follow_up
    head = (
        *(told.say("aturan", "rule"), told.say("tindakan", "action"), told.say("disarankan", "recommended")),
        *(told.say("dikecualikan", "excluded"), told.say("tidak dapat dihitung", "not computable")),
    )
    rows = []
    for rule_id, action in lines.select("rule_id", "action_code").unique(maintain_order=True).iter_rows():
        own = lines.filter(rule_id=rule_id, action_code=action)
        counts = [len(own.filter(status_code=s)) for s in ("recommended", "excluded", "not_computable")]
        name = escape(_rule(told, rule_id))
        rows.append((name, escape(said(action, ACTIONS, told.language)), *map(told.count, counts)))
    return table(head, rows, (2, 3, 4))
