"""A round of 360-degree appraisal in a few lines: who works where under whom, and who said what of whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from kinerja_pipeline.policies.model import Appraisal

ROUND, MONTH = "perilaku_2026_1", "2026-03"
OPENS, CLOSES = dt.date(2026, 3, 2), dt.date(2026, 3, 27)
AFTER = dt.date(2026, 3, 28)

Place = tuple[str, str, str, str | None]
"""nip, unit, position level, superior"""
Said = tuple[str, str, str, Mapping[str, float]]
"""of whom, in which role, which response, what about each competency"""


def label(text: str) -> dict[str, str]:
    return {"id": text, "en": text}


def rules_of(competencies: Iterable[str] = ("a", "b"), **changes: Any) -> Appraisal:
    """The defaults of DOMAIN section 9 on a scale of 5, with one round in March."""
    leader = {"superior": 0.5, "peer": 0.3, "subordinate": 0.2}
    sections: dict[str, Any] = {
        "roles": {
            "superior": {"asked": 1, "minimum": 1, "weight": 0.5},
            "peer": {"asked": 5, "minimum": 3, "weight": 0.5},
            "subordinate": {"asked": "all", "minimum": 3},
            "self": {},
        },
        "by_position": {"pengawas": leader},
        "competencies": {c: label(c) for c in competencies},
        "rounds": {ROUND: {"labels": label("round"), "period": MONTH, "opens": OPENS, "closes": CLOSES}},
    }
    return Appraisal.model_validate(sections | changes)


def staff(*places: Place) -> pl.DataFrame:
    """The register of employees, all since 2020."""
    rows = [(nip, "utama", dt.date(2020, 1, 1), unit, level, above, None) for nip, unit, level, above in places]
    return pl.DataFrame(
        rows,
        schema={
            "nip": pl.String,
            "assignment_code": pl.String,
            "valid_from": pl.Date,
            "unit_id": pl.String,
            "position_level": pl.String,
            "supervisor_nip": pl.String,
            "valid_to": pl.Date,
        },
        orient="row",
    )


def answers(*said: Said, round_id: str | None = ROUND) -> pl.DataFrame:
    """feedback_response rows as validated leaves them."""
    rows = [
        (
            response,
            competency,
            "appraisal",
            round_id,
            dt.datetime.fromisoformat("2026-03-10 09:00"),
            "employee",
            nip,
            role,
            score,
            5,
        )
        for nip, role, response, scores in said
        for competency, score in scores.items()
    ]
    return pl.DataFrame(
        rows,
        schema={
            **dict.fromkeys(("response_id", "element_code", "survey_code", "round_id"), pl.String),
            "submitted_at": pl.Datetime("us"),
            **dict.fromkeys(("subject_kind", "subject_id", "role_code"), pl.String),
            "score": pl.Float64,
            "scale_max": pl.Int64,
        },
        orient="row",
    )
