"""The register of corrections: a person's decision about a delivered row, which stops as soon as the source differs."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.landing.deliveries import land_region
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.policies.mapping import FileMapping
from kinerja_pipeline.policies.model import Policy
from kinerja_pipeline.validated.corrections import CorrectionError, described, stray_registers
from kinerja_pipeline.validated.judge import corrections_of, judge_month
from kinerja_pipeline.validated.split import Split

ANI, BUDI = "199001012015031001", "199102022016042002"
HEADER = "nip,programme_id,completed_date,hours\n"
FILE = f"{HEADER}{ANI},DIK-1,2026-03-05,8\n'{BUDI},DIK-1,2026-03-05,80\n{BUDI},DIK-2,2026-03-09,4\n"
"""Lines 2 to 4; in line 3 the NIP has an apostrophe, and 80 hours are a slip for 8."""

SLIP = f"""\
corrections:
  - feed: training_record
    where: {{nip: "{BUDI}", programme_id: DIK-1, completed_date: "2026-03-05"}}
    column: hours
    expected: "80"
    value: "8"
    reason: typing slip, certificate seen
    owner: Bagian Organisasi
    date: 2026-04-02
"""
CONTRACTS = load_contracts()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    init_home(home)
    return home


def policy(delivery: str = "delta", **more: object) -> Policy:
    mapping = FileMapping.model_validate({"reader": "csv", "delivery": delivery, **more})
    base = load_policies()["manokwari"]
    feeds = {"training_record": [mapping], "feedback_response": [survey()]}
    return base.model_copy(update={"feeds": feeds, "first_month": "2026-01"})


def survey() -> FileMapping:
    return FileMapping.model_validate(
        {
            "reader": "csv",
            "unpivot": {"columns": {"Q1": "u1", "Q2": "u2"}, "code_to": "element_code", "value_to": "score"},
            "columns": {"response_id": "id", "submitted_at": "at", "subject_id": "unit"},
            "constants": {"survey_code": "skm", "subject_kind": "unit", "role_code": "public", "scale_max": "4"},
        }
    )


def deliver(home: Home, text: str = FILE, name: str = "training_record/maret.csv", at: int = 1_775_000_000) -> None:
    path = home.landing / "manokwari" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (at, at))


def decide(home: Home, text: str) -> None:
    (home.corrections / "manokwari.yaml").write_text(text)


def split_of(home: Home, rules: Policy | None = None, feed: str = "training_record") -> Split:
    """Landed, corrected and split: March 2026 of one feed."""
    rules = rules or policy()
    land_region(home, "manokwari", rules, CONTRACTS)
    register = corrections_of(home, rules, CONTRACTS.incoming)
    pages = [CONTRACTS.incoming[feed]]
    ((_, result),) = judge_month(home, rules, "2026-03", pages, {}, corrections=register)
    return result


def refusal(home: Home, text: str) -> str:
    decide(home, text)
    with pytest.raises(CorrectionError) as error:
        split_of(home)
    return str(error.value)


def hours(result: Split) -> list[tuple[str, str, float, int]]:
    return result.valid.sort("_source_row").select("nip", "programme_id", "hours", "_source_row").rows()


AS_DELIVERED = [(ANI, "DIK-1", 8.0, 2), (BUDI, "DIK-1", 80.0, 3), (BUDI, "DIK-2", 4.0, 4)]
MENDED = [(ANI, "DIK-1", 8.0, 2), (BUDI, "DIK-1", 8.0, 3), (BUDI, "DIK-2", 4.0, 4)]


def test_without_a_register_rows_stay_as_delivered(home: Home) -> None:
    deliver(home)
    assert hours(split_of(home)) == AS_DELIVERED


def test_a_replaced_value_is_the_one_that_counts_and_the_row_keeps_its_line(home: Home) -> None:
    deliver(home)
    decide(home, SLIP)
    assert hours(split_of(home)) == MENDED
    assert (home.landing / "manokwari" / "training_record" / "maret.csv").read_text() == FILE


def test_a_row_may_be_named_by_file_and_line(home: Home) -> None:
    deliver(home)
    where = f'where: {{nip: "{BUDI}", programme_id: DIK-1, completed_date: "2026-03-05"}}'
    decide(home, SLIP.replace(where, "file: training_record/maret.csv\n    row: 3"))
    assert hours(split_of(home)) == MENDED


def test_a_dropped_row_is_rejected_with_its_reason_and_the_delivery_adds_up(home: Home) -> None:
    deliver(home)
    decide(home, SLIP.replace('    value: "8"\n', "    action: drop\n"))
    result = split_of(home)
    assert hours(result) == [AS_DELIVERED[0], AS_DELIVERED[2]]
    assert result.rejected.select("_source_row", "_reasons").rows() == [(3, ["correction__dropped"])]
    counts = ["landed_count", "valid_count", "rejected_count", "superseded_count"]
    tally = {row["rule_id"]: [row[name] for name in counts] for row in result.tally.to_dicts()}
    assert tally["all"] == [3, 2, 1, 0]
    assert tally["correction__dropped"][2] == 1


def test_a_row_that_was_rejected_is_believed_once_it_is_corrected(home: Home) -> None:
    deliver(home, FILE.replace("2026-03-05,80", "2026-03-05,delapan"))
    assert split_of(home).rejected["_reasons"].to_list() == [["hours__unreadable"]]
    decide(home, SLIP.replace('"80"', "delapan"))
    assert hours(split_of(home)) == MENDED


def test_an_empty_text_means_nothing_on_both_sides(home: Home) -> None:
    deliver(home, FILE.replace("2026-03-05,80", "2026-03-05,"))
    decide(home, SLIP.replace('"80"', '""'))
    assert hours(split_of(home)) == MENDED
    # Delivered whole under the same name; the version before it is kept, and now missing its hours again.
    deliver(home)
    decide(home, SLIP.replace('"8"', '""'))
    assert split_of(home).rejected["_reasons"].to_list() == [["hours__missing"]] * 2


def test_one_answer_of_a_wide_row_is_told_from_the_others(home: Home) -> None:
    deliver(home, "id,at,unit,Q1,Q2\nr1,2026-03-05 08:00:00,DKP,4,9\n", "feedback_response/survei.csv")
    entry = "{feed: feedback_response, file: feedback_response/survei.csv, row: 2, where: {element_code: u2}, "
    entry += 'column: score, expected: "9", value: "3", reason: sheet seen, owner: Dukcapil, date: 2026-04-02}'
    decide(home, f"corrections:\n  - {entry}\n")
    result = split_of(home, feed="feedback_response")
    assert result.valid.sort("element_code").select("element_code", "score").rows() == [("u1", 4.0), ("u2", 3.0)]


def test_the_latest_delivery_of_a_key_is_meant_and_the_older_one_stays_superseded(home: Home) -> None:
    deliver(home, f"{HEADER}{BUDI},DIK-1,2026-03-05,7\n", "training_record/a.csv", 1_774_000_000)
    deliver(home)
    decide(home, SLIP)
    result = split_of(home)
    assert hours(result) == MENDED
    assert len(result.superseded) == 1
    # Taken out, no older version of it may stand in its place.
    decide(home, SLIP.replace('    value: "8"\n', "    action: drop\n"))
    assert hours(split_of(home)) == [AS_DELIVERED[0], AS_DELIVERED[2]]


def test_two_entries_may_correct_two_columns_of_a_row(home: Home) -> None:
    deliver(home)
    second = SLIP.removeprefix("corrections:\n").replace("column: hours", "column: programme_id")
    second = second.replace('expected: "80"', "expected: DIK-1").replace('value: "8"', "value: DIK-9")
    decide(home, SLIP + second)
    assert (BUDI, "DIK-9", 8.0, 3) in hours(split_of(home))


# ---- when the source no longer says so -------------------------------------------------------------------------------


def test_a_supplier_who_delivers_anew_stops_the_correction_with_what_the_source_says_now(home: Home) -> None:
    deliver(home)
    decide(home, SLIP)
    split_of(home)
    deliver(home, FILE.replace(",80", ",6"), "training_record/perbaikan.csv", 1_776_000_000)
    assert refusal(home, SLIP) == (
        "corrections/manokwari.yaml, line 5 (entry 1): expected: the source no longer says '80' in hours, now '6'. "
        "Delete the entry if the supplier has corrected it, or write what the source says"
    )


def test_what_a_personal_column_says_is_not_told(home: Home) -> None:
    deliver(home)
    wrong = SLIP.replace("column: hours", "column: nip").replace('"80"', f'"{ANI}"').replace('"8"', f'"{BUDI}"')
    said = refusal(home, wrong.replace("expected: ", "expected: "))
    assert "what it says is personal" in said
    assert BUDI not in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("DIK-1, comp", "DIK-7, comp", "line 3 (entry 1): where: no landed row of training_record is this key"),
        ("column: hours", "column: hour", "line 4 (entry 1): column: training_record has no column 'hour'; did you"),
        ("feed: training_record", "feed: training", "line 2 (entry 1): feed: 'training' is no feed; did you mean"),
        ("programme_id: DIK-1, ", "", "line 3 (entry 1): where: the key of training_record is nip, programme_id, "),
        ('value: "8"', "value: 8", "line 6 (entry 1): value: 8 is not a text; write it in quotes"),
        ('value: "8"', 'value: "80"', "line 2 (entry 1): 0: value is what the source is expected to say"),
        ('    value: "8"\n', "", "line 2 (entry 1): 0: replace needs a value"),
        ("owner:", "owned:", "owner: Field required"),
        ("reason:", "reasons:", "reason: Field required"),
        ("date: 2026-04-02", "date: 2026-04-02\n    row: 3", "line 2 (entry 1): 0: file and row go together"),
        ("date: 2026-04-02", "date: 2026-04-02\n    why: x", "line 10 (entry 1): why: this key is not known"),
    ],
)
def test_a_wrong_entry_is_named_with_file_and_line(old: str, new: str, said: str, home: Home) -> None:
    deliver(home)
    assert old in SLIP
    assert said in refusal(home, SLIP.replace(old, new))


def test_two_entries_for_one_cell_are_refused_however_they_name_the_row(home: Home) -> None:
    deliver(home)
    by_place = "  - {feed: training_record, file: training_record/maret.csv, row: 3, column: hours, expected: '80', "
    said = refusal(home, f"{SLIP}{by_place}value: '9', reason: another, owner: Dinas, date: 2026-04-03}}\n")
    assert said.startswith("corrections/manokwari.yaml, line 10 (entry 2): column: entry 1 corrects the same cell")


def test_a_file_that_never_landed_is_named_with_the_one_that_was_meant(home: Home) -> None:
    deliver(home)
    where = f'where: {{nip: "{BUDI}", programme_id: DIK-1, completed_date: "2026-03-05"}}'
    said = refusal(home, SLIP.replace(where, "file: training_record/march.csv\n    row: 3"))
    assert (
        "no file 'training_record/march.csv' of training_record has landed; did you mean 'training_record/maret.csv'?"
        in said
    )
    said = refusal(home, SLIP.replace(where, "file: training_record/maret.csv\n    row: 9"))
    assert "no landed row of training_record is row 9 of training_record/maret.csv" in said


def test_a_correction_cannot_move_a_row_to_another_month(home: Home) -> None:
    deliver(home)
    moving = SLIP.replace("column: hours", "column: completed_date").replace('"80"', '"2026-03-05"')
    said = refusal(home, moving.replace('value: "8"', 'value: "2026-02-05"'))
    assert "this moves it from 2026-03 to 2026-02; drop the row instead, and have it delivered anew" in said
    decide(home, moving.replace('value: "8"', 'value: "2026-03-06"'))
    assert split_of(home).valid.filter(pl.col("_source_row") == 3)["completed_date"].dt.day().to_list() == [6]


def test_a_register_of_no_region_is_told(home: Home) -> None:
    decide(home, SLIP)
    (home.corrections / "manokwri.yaml").write_text(SLIP)
    assert list(stray_registers(home.corrections, ["manokwari", "salor"])) == [
        "corrections/manokwri.yaml: it is called like no region; did you mean 'manokwari'? Name it <region>.yaml."
    ]


def test_a_correction_is_told_in_a_line_without_personal_values(home: Home) -> None:
    deliver(home)
    decide(home, SLIP)
    land_region(home, "manokwari", policy(), CONTRACTS)
    (one,) = corrections_of(home, policy(), CONTRACTS.incoming).to_dicts()
    by = "(typing slip, certificate seen; Bagian Organisasi, 2026-04-02)"
    assert described(one, is_personal=False) == f"hours: '80' -> '8' {by}"
    assert described(one, is_personal=True) == f"hours replaced {by}"
