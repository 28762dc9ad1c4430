"""Reason and evidence of a follow-up line as officials read them.

Follow-up rules (kpi/follow_up_people, kpi/follow_up_units) write their evidence in English, one sentence per rule, and
so it is published. Here: those sentences in Indonesian, with periods, numbers and codes as people write them. Not here:
the evidence itself; a sentence that is not known stays English, and a test names it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from kinerja_pipeline.policies.model import Policy
from kinerja_pipeline.reports.words import ASPECTS, FEEDS, RATINGS, REASONS, Language, day, period_name, said

HIDDEN = "•••"
_NIP = re.compile(r"(?<![0-9A-Za-z])[0-9]{18}(?![0-9A-Za-z])")
_DATE = re.compile(r"(?<![\w-])[0-9]{4}-[0-9]{2}-[0-9]{2}(?![\w-])")
_PERIOD = re.compile(r"(?<![\w-])[0-9]{4}-(?:0[1-9]|1[0-2]|Q[1-4]|S[12])(?![\w-])")
_NUMBER = re.compile(r"(?<![\w.,-])([0-9]+)\.([0-9]+)(?![\w.-])")
_CODE = re.compile(r"[a-z][a-z_]*[a-z]")

_INDONESIAN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(english), indonesian)
    for english, indonesian in (
        (
            r"; mean of the (\d+) months before: not all known",
            r"; rata-rata \1 bulan sebelumnya: belum semua diketahui",
        ),
        (r"; mean of the (\d+) months before:", r"; rata-rata \1 bulan sebelumnya:"),
        (r"^result (?=[\d.]+(?: in |,))", "nilai hasil "),
        (r", behaviour (?=\w)", ", perilaku "),
        (r", tied with (\d+) others", r", bersama \1 orang lain yang bernilai sama"),
        (r", asked for are ([\d.]+)", r", yang diminta \1"),
        (r"; no programme is named for it", "; belum ada program yang ditetapkan"),
        (r"([\d.]+) of ([\d.]+) hours of training this year", r"\1 dari \2 jam pelatihan tahun ini"),
        (r"^at least (\d+) unexcused days since ", r"paling sedikit \1 hari tanpa alasan sejak "),
        (r"^unknown unexcused days since ", "jumlah hari tanpa alasan belum diketahui, sejak "),
        (r"^(\d+) unexcused days since ", r"\1 hari tanpa alasan sejak "),
        (r"sejak unknown", "hari yang belum diketahui"),
        (r", longest run at least (\d+) working days", r", berturut-turut paling sedikit \1 hari kerja"),
        (r", longest run unknown working days", ", berturut-turut belum diketahui"),
        (r", longest run (\d+) working days", r", berturut-turut \1 hari kerja"),
        (r", (\d+) in the month$", r", \1 dalam bulan ini"),
        (r"^objection to the rating of ", "keberatan atas penilaian "),
        (r"\(late\)", "(terlambat)"),
        (r"^(\d+) of (\d+) person-days not recorded", r"\1 dari \2 hari-orang tidak terekam"),
        (r"^attendance of (\d+) of (\d+) days came late", r"kehadiran \1 dari \2 hari datang terlambat"),
        (r", devices down for (\d+) minutes", r", mesin terganggu \1 menit"),
        (r"^(\d+) people, need unknown", r"\1 orang, kebutuhan belum diketahui"),
        (r"^(\d+) of (\d+) positions filled", r"\1 dari \2 jabatan terisi"),
        (r"(\d+) of an unknown number of answers", r"\1 jawaban, sampel belum diketahui"),
        (r"(\d+) of (\d+) answers", r"\1 dari \2 jawaban"),
        (r"of (\d+) answers", r"dari \1 jawaban"),
        (r"^superiors: (\d+) of (\d+) baik or better", r"atasan: \1 dari \2 orang Baik atau lebih"),
        (r"^(\d+) of (\d+) rows rejected", r"\1 dari \2 baris ditolak"),
        (r"(\d+ [\w]+) in (?=[a-z_]+(?:,|$))", r"\1 dalam "),
        (r"(?<=[\w.]) in (?=[0-9]{4}-)", " pada "),
    )
)


def evidence(text: str | None, language: Language, topics: Mapping[str, str]) -> str:
    """The sentence in words; `topics` are the region's own words for codes (aspects, competencies, surveys). A NIP that
    a sentence should ever quote is hidden."""
    if text is None:
        return ""
    told = _NIP.sub(HIDDEN, text)
    if language == "id":
        for english, indonesian in _INDONESIAN:
            told = english.sub(indonesian, told)
    told = _CODE.sub(lambda found: _word(found.group(), language, topics), told)
    told = _DATE.sub(lambda found: day(dt.date.fromisoformat(found.group()), language), told)
    told = _PERIOD.sub(lambda found: period_name(found.group(), language), told)
    return _NUMBER.sub(lambda found: _number(found.group(1), found.group(2), language), told)


def _word(code: str, language: Language, topics: Mapping[str, str]) -> str:
    if code in topics:
        return topics[code]
    return said(code, RATINGS if code in RATINGS else REASONS, language) if "_" in code or code in RATINGS else code


def _number(whole: str, fraction: str, language: Language) -> str:
    fraction = fraction.rstrip("0")
    return f"{whole}{',' if language == 'id' else '.'}{fraction}" if fraction else whole


def words_of_region(policy: Policy, language: Language) -> dict[str, str]:
    """The region's own words for codes that evidence and reasons quote."""
    competencies = [policy.appraisal.competencies, *(r.competencies for r in policy.appraisal.rounds.values())]
    labels = {code: each for own in competencies for code, each in own.items()}
    labels |= {code: survey.labels for code, survey in policy.surveys.items()}
    words = {code: each.id if language == "id" else each.en for code, each in labels.items()}
    return {**words, **{code: said(code, each, language) for each in (ASPECTS, FEEDS) for code in each}}


def reason_words(code: str | None, policy: Policy, topics: Mapping[str, str], language: Language) -> str:
    """A follow-up reason: of weak topics and thresholds of discipline in the region's own words."""
    if code is not None and code.startswith("weak_"):
        weak = topics.get(code.removeprefix("weak_"), code.removeprefix("weak_"))
        return f"{weak} {'lemah' if language == 'id' else 'weak'}"
    for threshold in policy.discipline:
        if threshold.code == code:
            return _threshold(threshold.counter, threshold.days, language)
    return said(code, REASONS, language)


def _threshold(counter: str, days: int, language: Language) -> str:
    if language == "id":
        return f"{days} hari tanpa alasan {'setahun' if counter == 'year' else 'berturut-turut'}"
    return f"{days} unexcused days {'in the year' if counter == 'year' else 'running'}"
