"""The reshape: a declaration turns a supplier's rows into the feed's, and every row of the file is accounted for."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.landing.readers import UnreadableFile, read_source
from kinerja_pipeline.landing.reshape import LandingError, Reshaped, reshape
from kinerja_pipeline.policies.mapping import FileMapping

FEEDS = load_contracts().incoming
SURVEY = {"survey_code": "skm", "subject_kind": "unit", "subject_id": "x", "role_code": "public", "scale_max": "4"}


def reshaped(feed: str, text: str, lookups: dict[str, pl.DataFrame] | None = None, **declared: Any) -> Reshaped:
    mapping = FileMapping(reader="csv", **declared)
    contract = FEEDS[feed]
    return reshape(read_source(text.encode(), f"{feed}/file.csv", mapping, contract), mapping, contract, lookups)


def rows(result: Reshaped, *columns: str) -> list[tuple[Any, ...]]:
    return result.landed.select(columns).rows()


def test_columns_of_the_same_name_need_no_declaration_and_missing_ones_are_null() -> None:
    result = reshaped("device_pin", "nip,pin,device_id,valid_from,phone\n9,51,1,2026-01-01,0812\n")
    assert result.landed.columns == [*FEEDS["device_pin"].names, "_source_row", "_problem", "_raw"]
    assert rows(result, "device_id", "pin", "valid_from", "nip", "valid_to") == [("1", "51", "2026-01-01", "9", None)]


def test_empty_texts_become_null_and_codes_are_applied_to_the_stripped_text() -> None:
    result = reshaped(
        "leave_permit",
        "permit_id,nip,jenis,part,start_date,end_date\n1,9, CT ,\\N,2026-01-01,  \n2,9,XX,whole,\\N,2026-01-02\n",
        empty=["\\N"],
        columns={"kind_code": "jenis"},
        codes={"kind_code": {"CT": "cuti_tahunan"}, "part": {"": "whole"}},
    )
    assert rows(result, "kind_code", "part", "start_date", "end_date") == [
        ("cuti_tahunan", "whole", "2026-01-01", None),
        ("XX", "whole", None, "2026-01-02"),
    ]


def test_the_code_star_stands_for_any_other_text_but_not_for_an_empty_one() -> None:
    result = reshaped(
        "device_pin",
        "pin,nip,valid_from,x\n51,9,2026-01-01,a\n52,9,2026-01-01,b\n53,9,2026-01-01,\n",
        columns={"device_id": "x"},
        codes={"device_id": {"a": "gate", "*": "other"}},
    )
    assert rows(result, "device_id") == [("gate",), ("other",), (None,)]


def test_constants_fill_a_column_the_supplier_does_not_deliver() -> None:
    result = reshaped("device_pin", "pin,nip,valid_from\n51,9,2026-01-01\n", constants={"device_id": "gate"})
    assert rows(result, "device_id", "pin") == [("gate", "51")]


def test_rows_set_aside_are_counted_by_name_and_only_once() -> None:
    result = reshaped(
        "device_pin",
        "device_id,pin,nip,valid_from,kind\n1,51,9,2026-01-01,x\n1,52,9,2026-01-01, y \n1,53,9,2026-01-01,z\n1,54\n",
        set_aside={"test_rows": {"column": "kind", "values": ["x", "y"]}, "again": {"column": "kind", "values": ["y"]}},
    )
    assert rows(result, "pin", "_problem") == [("53", None), ("54", "row__short")]
    assert (result.file_row_count, result.set_aside) == (4, {"test_rows": 2})


def test_a_lookup_adds_columns_and_an_unknown_id_leaves_them_empty() -> None:
    ids = pl.DataFrame({"id": ["a", "b "], "number": ["9", "8"]})
    result = reshaped(
        "device_pin",
        "device_id,pin,valid_from,who\n1,51,2026-01-01,b\n1,52,2026-01-01,c\n1,53,2026-01-01, a\n",
        {"ids.csv": ids},
        lookup=[{"file": "ids.csv", "on": "who", "key": "id", "take": {"nip": "number"}}],
    )
    assert rows(result, "pin", "nip") == [("51", "8"), ("52", None), ("53", "9")]


def test_a_wide_survey_becomes_one_row_per_answer_and_silence_is_counted() -> None:
    result = reshaped(
        "feedback_response",
        "id,at,Q8,Q9\n1,2026-01-05,4,3\n2,2026-01-05,,2\n3,2026-01-05,-,\n4,2026-01-05\n",
        empty=["-"],
        columns={"response_id": "id", "submitted_at": "at"},
        unpivot={"columns": {"Q8": "u9", "Q9": "u8"}, "code_to": "element_code", "value_to": "score"},
        constants=SURVEY,
    )
    assert rows(result, "response_id", "element_code", "score", "_source_row", "_problem") == [
        ("1", "u9", "4", 2, None),
        ("1", "u8", "3", 2, None),
        ("2", "u8", "2", 3, None),
        ("4", None, None, 5, "row__short"),
    ]
    assert (result.file_row_count, result.set_aside) == (4, {"no_answer": 1})


LABELS = {"Tidak sesuai": "1", "Kurang sesuai": "2", "Sesuai": "3", "Sangat sesuai": "4"}


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        (
            "no,waktu,Syarat,Waktu\n1,2026-04-01 09:00,Kurang sesuai, Sangat sesuai \n2,2026-04-01 10:00,,Cukup\n",
            {
                "columns": {"response_id": "no", "submitted_at": "waktu"},
                "unpivot": {
                    "columns": {"Syarat": "u1", "Waktu": "u3"},
                    "code_to": "element_code",
                    "value_to": "score",
                },
            },
        ),
        (
            "no,waktu,soal,jawaban\n1,2026-04-01 09:00,11,Kurang sesuai\n1,2026-04-01 09:00,13, Sangat sesuai \n"
            "2,2026-04-01 10:00,13,Cukup\n",
            {
                "columns": {
                    "response_id": "no",
                    "submitted_at": "waktu",
                    "element_code": "soal",
                    "score": "jawaban",
                },
                "codes": {"element_code": {"11": "u1", "13": "u3"}},
            },
        ),
    ],
    ids=["wide", "long"],
)
def test_answers_given_as_labels_become_scores_and_an_unknown_label_stays_to_be_rejected(
    text: str, declared: dict[str, Any]
) -> None:
    codes = {"score": LABELS, **declared.pop("codes", {})}
    result = reshaped("feedback_response", text, constants=SURVEY, codes=codes, **declared)
    assert rows(result, "response_id", "element_code", "score") == [
        ("1", "u1", "2"),
        ("1", "u3", "4"),
        ("2", "u3", "Cukup"),
    ]


def test_an_event_log_becomes_one_row_per_case_in_file_order() -> None:
    result = reshaped(
        "task_record",
        "case,unit,what,at\nb,U1,open,2026-01-02\na,U1,open,2026-01-01\nb,U2,done,2026-01-09\nb,U3,closed,2026-01-10\n"
        ",U1,open,2026-01-03\na,U1\n",
        fold={
            "by": ["case"],
            "take": {
                "unit_id": {"column": "unit"},
                "opened_at": {"column": "at"},
                "completed_at": {"column": "at", "pick": "last", "where": {"what": ["done"]}},
                "evidence": {"column": "what", "pick": "last"},
            },
        },
        columns={"task_id": "case"},
        constants={"task_type": "service_request", "status_code": "completed"},
    )
    assert rows(result, "task_id", "unit_id", "opened_at", "completed_at", "evidence", "_source_row", "_problem") == [
        ("b", "U1", "2026-01-02", "2026-01-09", "closed", 2, None),
        ("a", "U1", "2026-01-01", None, "open", 3, None),
        (None, "U1", "2026-01-03", "2026-01-03", "open", 6, None),
        ("a", "U1", None, None, None, 7, "row__short"),
    ]
    assert result.file_row_count == 6


def test_a_column_the_fold_does_not_keep_is_a_fault_of_the_mapping() -> None:
    fold = {"by": ["case"], "take": {"opened_at": {"column": "at"}}}
    constants = {"task_type": "service_request", "status_code": "open"}
    with pytest.raises(UnreadableFile, match="columns names 'att', which the fold does not keep"):
        reshaped(
            "task_record", "case,at\n", fold=fold, columns={"task_id": "case", "due_at": "att"}, constants=constants
        )


def test_rows_that_do_not_add_up_stop_the_landing() -> None:
    mapping = FileMapping(reader="csv", constants={"device_id": "1"})
    source = read_source(b"pin,nip,valid_from\n51,9,2026-01-01\n", "x", mapping, FEEDS["device_pin"])
    with pytest.raises(LandingError, match="2 rows were read, but 1 landed and 0 were set aside"):
        reshape(pl.concat([source, source]), mapping, FEEDS["device_pin"])


def test_a_file_written_month_first_is_told_by_the_whole_file() -> None:
    # 03/25 can only be month first; 03/05 alone would pass for the third of May, in another month than its neighbour.
    source = pl.DataFrame(
        {
            "nip": ["199001012015011001"] * 3,
            "work_date": ["03/25/2026", "03/05/2026", "2026-03-06"],
            "schedule_id": ["off"] * 3,
            "_source_row": pl.Series([2, 3, 4], dtype=pl.UInt32),
            "_problem": pl.Series([None] * 3, dtype=pl.String),
            "_raw": pl.Series([None] * 3, dtype=pl.String),
        }
    )
    roster = load_contracts().incoming["shift_roster"]
    landed = reshape(source, FileMapping(reader="csv"), roster).landed
    assert landed["_problem"].to_list() == ["work_date__month_first", "work_date__month_first", None]


PREDICATES = {"Sangat Baik": "sangat_baik", "Di Atas Ekspektasi": "di_atas", "Diatas Ekspektasi": "di_atas"}


def test_codes_fit_in_any_case_and_with_any_blanks_where_the_mapping_says_so() -> None:
    text = "subject_id,predicate\n1,SANGAT BAIK\n2, sangat  baik \n3,Sangat Baik\n4,SANGATBAIK\n5,\n"
    given = {"constants": {"subject_kind": "employee", "period_kind": "month", "period": "2026-03"}}
    strict = reshaped("performance_rating", text, codes={"predicate": PREDICATES}, **given)
    assert strict.landed["predicate"].to_list() == ["SANGAT BAIK", " sangat  baik ", "sangat_baik", "SANGATBAIK", None]
    loose = reshaped("performance_rating", text, codes={"predicate": PREDICATES}, codes_ignore_case=True, **given)
    assert loose.landed["predicate"].to_list() == ["sangat_baik"] * 3 + ["SANGATBAIK", None]


def test_codes_that_differ_in_case_only_must_mean_the_same() -> None:
    same = {"predicate": {"Baik": "baik", "BAIK": "baik"}}
    FileMapping(reader="csv", codes_ignore_case=True, codes=same)
    with pytest.raises(ValueError, match=r"codes\.kind: 'S' and 's' differ in case only; keep one"):
        FileMapping(reader="csv", codes_ignore_case=True, codes={"kind": {"S": "sick", "s": "shift"}})
