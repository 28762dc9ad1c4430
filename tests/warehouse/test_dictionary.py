"""The dictionary says everything that contracts, views and policies say, in both languages, and asks no network."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from kinerja_pipeline.cli import main
from kinerja_pipeline.contracts.model import contracts_folder, load_contracts
from kinerja_pipeline.contracts.sources import WORDS
from kinerja_pipeline.contracts.words import Language
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.warehouse.dictionary import LANGUAGES, Section, dictionary, html, markdown
from kinerja_pipeline.warehouse.lineage import KEPT
from kinerja_pipeline.warehouse.views import load_views

LABELS = yaml.safe_load((contracts_folder() / "labels.id.yaml").read_text(encoding="utf-8"))
TABLES = load_contracts().outgoing


@cache
def told_in(language: Language) -> list[Section]:
    return dictionary(load_policies(), language)


def sections(language: Language) -> dict[str, Section]:
    return {section.title: section for section in told_in(language)}


def test_a_column_is_told_with_type_classification_meaning_and_codes() -> None:
    told = sections("id")["employee"]
    assert told.sentences[0] == "Satu baris per daerah, pegawai, penugasan, dan awal penugasan."
    assert told.sentences[1] == "Kunci: region x nip x assignment_code x valid_from"
    assert ("`nip`", "string", "restricted", "NIP, 18 angka, selalu teks.", "") in told.rows
    status = next(row for row in sections("en")["employee"].rows if row[0] == "`employment_status`")
    assert status == ("`employment_status`", "string", "internal", TABLES["employee"].column(
        "employment_status").description, "pns, pppk, pppk_paruh_waktu")  # fmt: skip


def test_a_view_is_told_with_the_classification_that_its_sql_gives() -> None:
    told = sections("en")["employee_league"]
    assert told.sentences[1].startswith("For: heads of units.")
    kinds = {row[0]: row[1] for row in told.rows}
    assert (kinds["`employee_name`"], kinds["`place`"]) == ("restricted", "internal")


def test_an_indicator_is_told_with_its_regions_and_formula() -> None:
    rows = {row[0]: row for row in sections("id")["Indikator"].rows}
    told = rows["`task_on_time` Tugas selesai tepat waktu"]
    assert told[1] == "mamuju, manokwari, nanggalo, pariaman, salor"
    assert told[4] == "100 * sum(CASE WHEN is_on_time THEN 1 ELSE 0 END) / sum(1) where is_due"
    assert told[5] == "[`task_outcome`](#table-task_outcome)"


def test_a_column_is_told_with_what_it_is_computed_from_and_the_deliveries_it_rests_on() -> None:
    ways = {row[0]: row[1:] for row in sections("id")["Asal: training_year"].rows}
    assert ways["`expected_hours`"] == ("[kebijakan](#word-policy)", "[kebijakan](#word-policy)")
    hours, expected = (f"[{c}](#way-training_year.{c})" for c in ("hours", "expected_hours"))
    delivered = ", ".join(
        f"[{c}](#feed-training_record.{c})" for c in ("completed_date", "hours", "is_training", "nip")
    )
    assert ways["`hours_share`"] == (
        f"[`training_year`](#table-training_year) ({expected}, {hours})",
        f"[`training_record`](#feed-training_record) ({delivered}), [kebijakan](#word-policy), [proses](#word-run)",
    )


def test_of_very_many_delivered_columns_the_feeds_are_told_with_their_number() -> None:
    ways = {row[0]: row[1:] for row in sections("en")["Where they come from: evaluation"].rows}
    assert "[`attendance_log`](#feed-attendance_log) (3 columns)" in ways["`result_score`"][1]


def test_a_delivered_column_is_told_with_what_it_is_used_for_or_why_it_is_kept() -> None:
    feeds = [section for section in told_in("en") if section.anchor.startswith("feed-")]
    assert [s.title for s in feeds] == sorted(load_contracts().incoming)
    used = {f"{s.title}.{row[0][1:-1]}": row[-1] for s in feeds for row in s.rows}
    assert used["attendance_log.state_code"] == "key of the row"
    assert (
        used["task_record.evidence"] == "Kept for whoever looks for a task's evidence; no figure is computed from it."
    )
    rule = "agreed_at__missing_with__agreed_by"
    assert used["indicator_target.agreed_by"] == f"[`{rule}`](#rule-indicator_target.{rule})"
    assert used["org_unit.sector"] == "[`org_unit`](#table-org_unit) ([sector](#way-org_unit.sector))"


def test_a_rule_of_a_feed_is_told_in_words_of_the_language() -> None:
    rules = dict(sections("id")["Aturan antarkolom dan antarsumber: device_pin"].rows)
    assert rules["`nip__unknown`"] == "nip harus dikenal di employee"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_link_of_the_page_leads_to_a_place_that_it_has_once(language: Language) -> None:
    places: list[str] = []
    links: set[str] = set()

    class Page(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            named = dict(attrs)
            if place := named.get("id"):
                places.append(place)
            if tag == "a":
                links.add(str(named["href"]).removeprefix("#"))

    Page().feed(html(told_in(language), language))
    assert len(places) == len(set(places))
    assert links - set(places) == set()
    assert len(links) > 400


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_table_column_and_view_is_told_in_both_forms(language: Language) -> None:
    found = told_in(language)
    for text in (markdown(found, language), html(found, language)):
        for page in TABLES.values():
            assert page.name in text
            assert all(name in text for name in page.names)
        assert all(view.name in text for view in load_views())


def test_an_indonesian_text_names_something_that_is_there() -> None:
    columns = {c for page in TABLES.values() for c in (*page.names, *(f"{page.name}.{n}" for n in page.names))}
    assert set(LABELS["tables"]) <= set(TABLES)
    assert set(LABELS["columns"]) <= columns
    assert set(LABELS["views"]) <= {view.name for view in load_views()}


def test_the_page_is_one_file_that_asks_no_network_and_closes_what_it_opens() -> None:
    opened: list[str] = []

    class Page(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in ("script", "link", "img")
            assert not any((value or "").startswith("http") for _, value in attrs)
            if tag != "meta":
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Page().feed(html(told_in("id"), "id"))
    assert opened == []


def test_what_is_told_becomes_no_markup() -> None:
    told = [Section(2, "a", ("<b>",), ("x|y",), (("`c<d`", "1 < 2 | 3"),))]
    page = html(told, "en")
    assert "&lt;b&gt;" in page
    assert "<code>c&lt;d</code>" in page
    assert r"| `c<d` | 1 < 2 \| 3 |" in markdown(told, "en")


def test_the_command_writes_four_files(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        main, ["dictionary", "--to", str(tmp_path / "d")], env={"KINERJA_HOME": str(tmp_path / "none")}
    )
    assert done.exit_code == 0, done.output
    names = [f"dictionary.{language}.{ending}" for language in ("en", "id") for ending in ("html", "md")]
    assert sorted(p.name for p in (tmp_path / "d").iterdir()) == names


def test_every_table_column_and_view_has_its_indonesian_text_and_no_text_is_left_over() -> None:
    columns = {(page.name, name) for page in TABLES.values() for name in page.names}
    untold = [f"{table}.{name}" for table, name in columns if not {name, f"{table}.{name}"} & LABELS["columns"].keys()]
    assert sorted(untold) == []
    assert LABELS["tables"].keys() == TABLES.keys()
    assert LABELS["views"].keys() == {view.name for view in load_views()}
    known = {name for _, name in columns} | {f"{table}.{name}" for table, name in columns}
    assert LABELS["columns"].keys() - known == set()


def test_every_feed_word_and_reason_has_its_indonesian_text_and_no_text_is_left_over() -> None:
    feeds = load_contracts().incoming
    names = {name: {f"{feed.name}.{name}" for feed in feeds.values() if name in feed.names} for feed in feeds.values()
             for name in feed.names}  # fmt: skip
    texts = set(LABELS["feed_columns"])
    assert LABELS["feeds"].keys() == feeds.keys()
    assert [own for name, every in names.items() for own in every if not {name, own} & texts] == []
    assert texts - names.keys() - {own for every in names.values() for own in every} == set()
    assert LABELS["words"].keys() == LABELS["words_mean"].keys() == WORDS.keys()
    assert LABELS["kept"].keys() == KEPT.keys()
