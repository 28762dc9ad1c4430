"""Pages are read within bounds, and nothing is guessed that YAML would guess."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kinerja_pipeline.contracts.model import ContractError, read_contract
from kinerja_pipeline.contracts.pages import PageError, read_page


def read(folder: Path, text: str) -> dict[str, Any]:
    path = folder / "page.yaml"
    path.write_text(text, encoding="utf-8")
    return read_page(path)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(PageError) as caught:
        read(folder, text)
    return str(caught.value)


def billion_laughs() -> str:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    return "\n".join(lines)


def test_a_few_lines_that_stand_for_billions_of_values_are_refused(tmp_path: Path) -> None:
    # 10 values in line 1, 10 times as many in each further line: line 5 stands for more than 100,000.
    assert refusal(tmp_path, billion_laughs()).startswith("page.yaml, line 5: stands for more than 100,000 values")


def test_an_alias_that_contains_itself_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a: 1\nb: &b {c: [*b]}") == ("page.yaml, line 2: an alias contains itself; write it out")


def test_a_page_nested_deeper_than_people_read_is_refused_and_does_not_kill_the_process(tmp_path: Path) -> None:
    assert "nested more than 40 levels deep" in refusal(tmp_path, f"a: {'[' * 50_000}{']' * 50_000}")


def test_a_file_of_megabytes_is_refused_unread(tmp_path: Path) -> None:
    assert "larger than 1,000,000 bytes" in refusal(tmp_path, "a: " + "x" * 1_000_000)


def test_a_key_that_stands_twice_is_refused_and_not_silently_the_last(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a:\n  b: 1\n  c: 2\n  b: 3") == (
        "page.yaml, line 4: 'b' stands here and in line 2; keep one"
    )


def test_text_in_another_encoding_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "page.yaml"
    path.write_bytes("a: Käse".encode("latin-1"))
    with pytest.raises(PageError, match="save it as UTF-8"):
        read_page(path)


def test_a_byte_order_mark_does_not_hide_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "page.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1")
    assert read_page(path) == {"a": 1}


def test_aliases_and_merges_work_as_in_yaml(tmp_path: Path) -> None:
    assert read(tmp_path, "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a") == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"x": 1, "y": 2},
    }


def test_a_time_of_day_without_quotes_is_text_and_not_a_number_in_base_60(tmp_path: Path) -> None:
    assert read(tmp_path, "a: 16:00\nb: 07:30\nc: 16:00:30") == {"a": "16:00", "b": "07:30", "c": "16:00:30"}


def test_numbers_dates_and_yes_or_no_are_as_in_yaml(tmp_path: Path) -> None:
    page = read(tmp_path, "a: 12\nb: 0.5\nc: true\nd: 2026-03\ne:")
    assert page == {"a": 12, "b": 0.5, "c": True, "d": "2026-03", "e": None}


def test_a_contract_page_is_read_within_the_same_bounds(tmp_path: Path) -> None:
    path = tmp_path / "visit.odcs.yaml"
    path.write_text(billion_laughs(), encoding="utf-8")
    with pytest.raises(ContractError, match="stands for more than 100,000 values"):
        read_contract(path, "incoming")


@pytest.mark.parametrize(
    ("value", "kind"),
    [("!!bool perhaps", "bool"), ("!!int ''", "int"), ("!!float ''", "float"), ("!!timestamp soon", "timestamp"),
     ("2026-02-30", "timestamp"), ("0x_", "int")],
)  # fmt: skip
def test_a_value_that_is_not_what_it_is_called_is_named_with_its_line(value: str, kind: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, f"a: 1\nb: {value}\n")
    assert said.startswith("page.yaml, line 2: not readable as YAML: '")
    assert said.endswith(f"is no {kind}; quote it if it is a text")


def test_a_number_of_thousands_of_digits_is_refused(tmp_path: Path) -> None:
    assert "page.yaml, line 2: a number of 5,002 digits" in refusal(tmp_path, f"a: 1\nb: 0x{'f' * 5_000}\n")


def test_a_merge_that_nobody_finished_is_told_as_such(tmp_path: Path) -> None:
    text = "a:\n<<<<<<< HEAD\n  b: 1\n=======\n  b: 2\n>>>>>>> main\n"
    assert refusal(tmp_path, text).startswith("page.yaml, line 2: two versions were merged and nobody chose")


def test_a_control_character_is_refused_with_its_line(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a: é\nb: \x1b[2J\n").startswith("page.yaml, line 2: holds a control character")


def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    (tmp_path / "nothing.yaml").symlink_to(tmp_path / "none")
    for name in ("folder", "zero", "nothing"):
        with pytest.raises(PageError, match=f"{name}.yaml: is no file that can be read"):
            read_page(tmp_path / f"{name}.yaml")
