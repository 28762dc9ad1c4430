"""The empty file that a supplier fills in is read without a refusal, by the contract's own column names."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from kinerja_pipeline.cli import main
from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.landing.readers import read_source
from kinerja_pipeline.landing.reshape import reshape
from kinerja_pipeline.policies.mapping import FileMapping

INCOMING = load_contracts().incoming


def template(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["contracts", "template", *arguments])
    return result.exit_code, result.output


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@pytest.mark.parametrize("feed", INCOMING)
def test_a_template_is_read_as_no_rows_by_a_mapping_without_columns(feed: str, ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"{feed}.{ending}"
    code, said = template(feed, "--format", ending, "--to", str(file))
    assert code == 0, said
    mapping = FileMapping.model_validate({"reader": ending})
    source = read_source(file.read_bytes(), file.name, mapping, INCOMING[feed])
    landed = reshape(source, mapping, INCOMING[feed], {}).landed
    assert len(landed) == 0
    assert set(INCOMING[feed].names) <= set(landed.columns)


def test_a_workbook_explains_its_columns_on_a_second_sheet(tmp_path: Path) -> None:
    file = tmp_path / "tasks.xlsx"
    template("task_record", "--format", "xlsx", "--to", str(file))
    words = pl.read_excel(file, sheet_id=2)
    assert words["column"].to_list() == list(INCOMING["task_record"].names)
    kind = words.row(by_predicate=pl.col("column") == "task_type", named=True)
    assert (kind["type"], kind["required"]) == ("string", "yes")
    assert kind["codes and limits"] == "one of service_request, complaint, routine, project"


def test_a_template_never_overwrites_and_says_which_feeds_there_are(tmp_path: Path) -> None:
    file = tmp_path / "tasks.csv"
    file.write_text("mine")
    code, said = template("task_record", "--to", str(file))
    assert (code, file.read_text()) == (1, "mine")
    assert "is there already; name another file with --to" in said
    code, said = template("task_recrd")
    assert code == 1
    assert said.startswith("There is no feed 'task_recrd'; known are attendance_log, ")
