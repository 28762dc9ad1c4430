"""Answers and measurements name their employee or their unit, whichever they are about."""

from __future__ import annotations

import polars as pl

from kinerja_pipeline.kpi.subjects import answers_by_subject, measurements_by_subject

ROWS = pl.DataFrame({"subject_kind": ["employee", "unit", "region"], "subject_id": ["ani", "dinkes", "salor"]})


def test_a_row_names_the_subject_it_is_about_and_no_other() -> None:
    for of in (answers_by_subject, measurements_by_subject):
        assert of(ROWS).select("nip", "unit_id").rows() == [("ani", None), (None, "dinkes"), (None, None)]
