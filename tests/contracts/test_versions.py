"""Each kind of change to a contract page, whom it breaks by hand, and the version that it asks for."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kinerja_pipeline.cli import main
from kinerja_pipeline.contracts import versions
from kinerja_pipeline.contracts.model import (
    Column,
    Contract,
    Contracts,
    Direction,
    Rule,
    RuleFamily,
    load_contracts,
    read_contract,
)
from kinerja_pipeline.contracts.versions import (
    ELSEWHERE,
    WORDS_ONLY,
    TableDiff,
    VersionsError,
    compared,
    lock_path,
    lock_text,
    read_lock,
    table_diff,
    write_lock,
)

PAGE = """\
apiVersion: v3.1.0
kind: DataContract
id: visit
name: Visits
version: 1.2.3
status: active
team: {name: Bagian Organisasi}
schema:
  - name: visit
    logicalType: object
    description: One row per visit.
    dataGranularityDescription: nip x visited_at
    customProperties:
      - {property: monthFrom, value: visited_at}
      - {property: tolerancePercent, value: 5}
    relationships:
      - {type: foreignKey, from: [visit.nip, visit.place], to: [post.nip, post.place]}
    properties:
      - name: nip
        logicalType: string
        required: true
        primaryKey: true
        primaryKeyPosition: 1
        classification: restricted
        description: Who came.
        logicalTypeOptions: {pattern: "^[0-9]{18}$"}
        customProperties: [{property: strip, value: "'-"}]
      - name: visited_at
        logicalType: timestamp
        primaryKey: true
        primaryKeyPosition: 2
        description: When.
      - name: place
        logicalType: string
        description: Where.
        quality:
          - {type: library, metric: invalidValues, mustBe: 0, arguments: {validValues: [office, home]}}
      - name: people
        logicalType: integer
        description: How many.
        logicalTypeOptions: {minimum: 0, maximum: 90}
      - name: score
        logicalType: number
        description: How good.
        logicalTypeOptions: {multipleOf: 0.01}
      - name: note
        logicalType: string
        description: What was said.
        logicalTypeOptions: {minLength: 2, maxLength: 50}
      - name: unit_id
        logicalType: string
        description: Whose guest.
        relationships: [{type: foreignKey, to: org_unit.unit_id}]
      - name: left_on
        logicalType: date
        description: The day of leaving.
      - name: left_at
        logicalType: timestamp
        description: Until when.
        customProperties: [{property: dateMeans, value: end_of_day}]
    quality:
      - name: left_at__before__visited_at
        type: sql
        query: SELECT COUNT(*) FROM visit WHERE left_at < visited_at
        mustBe: 0
        severity: error
        description: a visit ends after it began
      - name: people__many
        type: sql
        query: SELECT COUNT(*) FROM visit WHERE people > 50
        mustBe: 0
        severity: warning
        description: a visit of more than 50 people is rare
"""

S, C, B = "same", "compatible", "breaking"

WARNING = PAGE[PAGE.index("      - name: people__many") :]
NOTE = PAGE[PAGE.index("      - name: note") : PAGE.index("      - name: unit_id")]
RELATION = (
    "    relationships:\n      - {type: foreignKey, from: [visit.nip, visit.place], to: [post.nip, post.place]}\n"
)

# What changes, from, to; then whom it breaks as an incoming page, the same change undone there, as an outgoing page,
# undone there.
CHANGES: dict[str, tuple[str, str, str, str, str, str]] = {
    "words about the table": ("One row per visit.", "One row per call.", S, S, S, S),
    "words about a column": ("What was said.", "What was heard.", S, S, S, S),
    "where a column comes from": (
        "description: What was said.",
        "description: What was said.\n        transformSourceObjects: [policy]",
        S,
        S,
        S,
        S,
    ),
    "words of a rule": ("a visit ends after it began", "visits end late", S, S, S, S),
    "owner": ("Bagian Organisasi", "Dinas", S, S, S, S),
    "cadence": (
        "schema:\n",
        "slaProperties: [{property: frequency, value: 1, unit: m}, {property: latency, value: 10, unit: d}]\nschema:\n",
        S,
        S,
        S,
        S,
    ),
    "what a rule bears": ("mustBe: 0\n        severity: error", "mustBeLessThan: 5\n        unit: percent", S, S, S, S),
    "whether a rule blocks": (
        "mustBe: 0\n        severity: error",
        "mustBe: 0\n        severity: blocking",
        S,
        S,
        S,
        S,
    ),
    "grain in words": ("nip x visited_at", "nip and visited_at", S, S, S, S),
    "optional column gone": (NOTE, "", C, C, B, C),
    "required column new": (
        "      - name: note\n",
        "      - {name: why, logicalType: string, required: true, description: Why.}\n      - name: note\n",
        B,
        C,
        C,
        B,
    ),
    "column renamed": ("      - name: note\n", "      - name: remark\n", C, C, B, B),
    "column with a reference gone": (
        "relationships: [{type: foreignKey, to: org_unit.unit_id}]\n      - name: left_on",
        "relationships: [{type: foreignKey, to: org_unit.unit_id}]\n"
        "      - {name: host_id, logicalType: string, description: Who asked.,"
        " relationships: [{type: foreignKey, to: org_unit.unit_id}]}\n      - name: left_on",
        C,
        C,
        C,
        B,
    ),
    "whole number becomes any number": ("logicalType: integer", "logicalType: number", C, B, B, B),
    "day becomes a moment": (
        "left_on\n        logicalType: date",
        "left_on\n        logicalType: timestamp",
        C,
        B,
        B,
        B,
    ),
    "day becomes text": ("left_on\n        logicalType: date", "left_on\n        logicalType: string", C, B, B, B),
    "day becomes a truth": ("left_on\n        logicalType: date", "left_on\n        logicalType: boolean", B, B, B, B),
    "required": ("name: people\n", "name: people\n        required: true\n", B, C, C, B),
    "key gains a column": (
        "name: place\n",
        "name: place\n        primaryKey: true\n        primaryKeyPosition: 3\n",
        B,
        B,
        B,
        B,
    ),
    "key in another order": ("primaryKeyPosition: 2", "primaryKeyPosition: 0", C, C, C, C),
    "no longer personal": ("classification: restricted", "classification: internal", C, C, C, C),
    "pattern gone": ('{pattern: "^[0-9]{18}$"}', "{}", C, B, B, C),
    "another pattern beside": ("^[0-9]{18}$", "^[0-9]{18}$|^[0-9]{16}$", C, B, B, C),
    "another pattern": ("^[0-9]{18}$", "^[0-9]{16,18}$", B, B, B, B),
    "lower minimum": ("minimum: 0,", "minimum: -1,", C, B, B, C),
    "no minimum": ("minimum: 0, ", "", C, B, B, C),
    "lower maximum": ("maximum: 90", "maximum: 80", B, C, C, B),
    "no maximum": (", maximum: 90", "", C, B, B, C),
    "longer shortest text": ("minLength: 2", "minLength: 3", B, C, C, B),
    "no shortest text": ("minLength: 2, ", "", C, B, B, C),
    "longer longest text": ("maxLength: 50", "maxLength: 60", C, B, B, C),
    "no longest text": (", maxLength: 50", "", C, B, B, C),
    "one code more": ("[office, home]", "[office, home, field]", C, B, B, C),
    "another code": ("[office, home]", "[office, field]", B, B, B, B),
    "codes in another order": ("[office, home]", "[home, office]", C, C, C, C),
    "codes gone": (
        "        quality:\n          - {type: library, metric: invalidValues, mustBe: 0,"
        " arguments: {validValues: [office, home]}}\n",
        "",
        C,
        B,
        B,
        C,
    ),
    "more is stripped": ("'-", "'-/", C, B, B, B),
    "stripped in another order": ("'-", "-'", C, C, C, C),
    "rounded more finely": ("multipleOf: 0.01", "multipleOf: 0.001", C, C, B, B),
    "not rounded": ("{multipleOf: 0.01}", "{}", C, C, B, B),
    "a day means its start": ("customProperties: [{property: dateMeans, value: end_of_day}]", "tags: []", B, B, B, B),
    "month from another column": ("monthFrom, value: visited_at", "monthFrom, value: left_at", B, B, B, B),
    "no months": ("      - {property: monthFrom, value: visited_at}\n", "", B, B, B, B),
    "less tolerance": ("value: 5}", "value: 4}", B, C, C, B),
    "files of an older version are read": (
        "value: 5}\n",
        "value: 5}\n      - {property: supportedVersions, value: [{version: 0.9.0, renamed: {why: note}}]}\n",
        C,
        B,
        B,
        C,
    ),
    "error rule gone": (PAGE[PAGE.index("      - name: left_at__before") : -len(WARNING)], "", C, B, B, C),
    "warning rule gone": (WARNING, "", C, C, C, C),
    "error becomes a warning": ("severity: error", "severity: warning", C, B, B, C),
    "another condition of an error": ("left_at < visited_at", "left_at <= visited_at", B, B, B, B),
    "another condition of a warning": ("people > 50", "people > 40", C, C, C, C),
    "rule renamed": ("name: left_at__before__visited_at", "name: left_at__too_early", C, C, C, C),
    "reference of two columns gone": (RELATION, "", C, B, B, C),
    "reference to another table": ("[post.nip, post.place]", "[desk.nip, desk.place]", B, B, B, B),
    "reference of other columns": ("[visit.nip, visit.place]", "[visit.note, visit.place]", B, B, B, B),
    "reference of a column gone": (
        "        relationships: [{type: foreignKey, to: org_unit.unit_id}]\n",
        "",
        C,
        B,
        B,
        C,
    ),
}


def read(folder: Path, direction: Direction, *edits: tuple[str, str]) -> Contract:
    text = PAGE
    for old, new in edits:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    path = folder / "visit.odcs.yaml"
    path.write_text(text, encoding="utf-8")
    return read_contract(path, direction)


def pair(folder: Path, change: str, direction: Direction = "incoming") -> tuple[Contract, Contract]:
    old, new, *_ = CHANGES[change]
    return read(folder, direction), read(folder, direction, (old, new))


def locked(folder: Path, contract: Contract) -> Contract:
    """The contract as a lock gives it back."""
    path = folder / "lock.json"
    path.write_text(lock_text(tables(contract)), encoding="utf-8")
    lock = read_lock(path)
    return {**lock.incoming, **lock.outgoing}[contract.name]


def tables(*contracts: Contract) -> Contracts:
    sides: dict[str, dict[str, Contract]] = {"incoming": {}, "outgoing": {}}
    for contract in contracts:
        sides[contract.direction][contract.name] = contract
    return Contracts(**sides)


def at(contract: Contract, version: str) -> Contract:
    return dataclasses.replace(contract, version=version)


# ---- whom a change breaks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["incoming", "outgoing"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_and_its_undoing_are_classed_as_by_hand(change: str, direction: Direction, tmp_path: Path) -> None:
    *_, in_there, in_back, out_there, out_back = CHANGES[change]
    there, back = (in_there, in_back) if direction == "incoming" else (out_there, out_back)
    old, new = pair(tmp_path, change, direction)
    for before, after, level in ((old, new, there), (new, old, back)):
        diff = table_diff(locked(tmp_path, before), after)
        assert diff.level == level, diff.changes
        assert all(len(c.text) > 5 and "None" not in c.text for c in diff.changes), diff.changes


def differing(old: Any, new: Any) -> set[str]:
    return {f.name for f in dataclasses.fields(new) if getattr(old, f.name) != getattr(new, f.name)}


def test_every_field_that_is_compared_is_changed_by_some_case(tmp_path: Path) -> None:
    # A field that is new in the model needs a line above, and a judgement in versions.FIELDS.
    seen: dict[type, set[str]] = {Contract: set(), Column: set(), Rule: set()}
    families: set[str] = set()
    for change in CHANGES:
        old, new = pair(tmp_path, change)
        seen[Contract] |= differing(old, new)
        for one in old.columns:
            seen[Column] |= {n for other in new.columns if other.name == one.name for n in differing(one, other)}
        for rule in old.rules:
            seen[Rule] |= {n for other in new.rules if other.name == rule.name for n in differing(rule, other)}
        families |= {r.what for r in {*old.rules} ^ {*new.rules}}
    # Only a feed states bounds, and here a page is read as a published table, too.
    paired = {Contract: {"name", "direction", "version", "path", "bounds"}, Column: {"name"}, Rule: {"name", "what"}}
    for kind, names in seen.items():
        assert {f.name for f in dataclasses.fields(kind)} - names == paired[kind], kind
    assert families == set(RuleFamily.__args__)  # type: ignore[attr-defined]


def test_every_field_that_is_compared_has_a_judgement_of_its_own() -> None:
    names = {f.name for kind in (Column, Contract) for f in dataclasses.fields(kind)}
    assert set(versions.FIELDS) == names - ELSEWHERE - WORDS_ONLY


def test_a_field_that_nobody_has_judged_yet_breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "FIELDS", {})
    assert table_diff(*pair(tmp_path, "no longer personal")).level == "breaking"


def test_each_change_is_a_line_in_words_with_the_breaking_ones_first(tmp_path: Path) -> None:
    old = read(tmp_path, "incoming")
    new = read(tmp_path, "incoming", ("[office, home]", "[office, field]"), ("maximum: 90", "maximum: 99"))
    assert list(table_diff(old, new).lines()) == [
        "incoming/visit 1.2.3: breaking",
        "  breaking: place no longer allows home",
        "  compatible: place allows field too",
        "  compatible: people has a maximum of 99; it was 90",
        "  to do: raise the version to 2.0.0 (a breaking change asks for a new major version)",
    ]


# ---- versions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "version", "asks_for"),
    [
        ("words about the table", "1.2.3", None),
        ("words about the table", "1.2.4", None),
        ("words about the table", "1.2.2", "1.2.3"),
        ("lower minimum", "1.2.3", "1.3.0"),
        ("lower minimum", "1.2.9", "1.3.0"),
        ("lower minimum", "1.3.0", None),
        ("lower minimum", "2.0.0", None),
        ("lower maximum", "1.2.3", "2.0.0"),
        ("lower maximum", "1.9.0", "2.0.0"),
        ("lower maximum", "2.0.0", None),
        ("lower maximum", "0.9.0", "1.2.3"),
        ("lower maximum", "10.0.0", None),
    ],
)
def test_the_version_must_say_what_the_changes_are(
    change: str, version: str, asks_for: str | None, tmp_path: Path
) -> None:
    old, new = pair(tmp_path, change)
    remedy = table_diff(old, at(new, version)).remedy
    assert (remedy is None) if asks_for is None else (remedy or "").startswith(f"raise the version to {asks_for}")


@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "1.0.0-rc1", "eins"])
def test_a_version_that_is_no_version_is_named(version: str, tmp_path: Path) -> None:
    contract = at(read(tmp_path, "incoming"), version)
    with pytest.raises(VersionsError, match=r"incoming/visit: version '.+' is not major\.minor\.patch"):
        table_diff(contract, contract)


def test_a_new_table_is_compatible_and_needs_no_version(tmp_path: Path) -> None:
    (diff,) = compared(tables(), tables(read(tmp_path, "outgoing")))
    assert (diff.level, diff.remedy, diff.released) == ("compatible", None, None)


@pytest.mark.parametrize("direction", ["incoming", "outgoing"])
def test_a_table_whose_page_is_gone_is_breaking_until_it_is_withdrawn(direction: Direction, tmp_path: Path) -> None:
    contract, lock = read(tmp_path, direction), tmp_path / "lock.json"
    write_lock(tables(contract), lock)
    (diff,) = compared(read_lock(lock), tables())
    assert diff.level == "breaking"
    with pytest.raises(VersionsError, match=f"lock --withdraw {direction}/visit"):
        write_lock(tables(), lock)
    write_lock(tables(), lock, [f"{direction}/visit"])
    assert compared(read_lock(lock), tables()) == []


# ---- the lock --------------------------------------------------------------------------------------------------------


def test_the_lock_is_the_pages_and_breaking_changes_have_a_new_major_version() -> None:
    pages = load_contracts()
    low = ["\n".join(d.lines()) for d in compared(read_lock(lock_path()), pages) if d.remedy]
    assert low == [], "raise these versions, then run `kinerja contracts lock`"
    is_fresh = lock_path().read_text(encoding="utf-8") == lock_text(pages)
    assert is_fresh, "the lock is behind the pages: run `kinerja contracts lock` and commit it"


def test_a_lock_gives_back_every_page_unchanged(tmp_path: Path) -> None:
    pages, lock = load_contracts(), tmp_path / "lock.json"
    write_lock(pages, lock)
    diffs = compared(read_lock(lock), pages)
    assert len(diffs) == len(pages.incoming) + len(pages.outgoing)
    assert {d.level for d in diffs} == {"same"}


def test_the_lock_is_the_same_whatever_the_order_of_a_page(tmp_path: Path) -> None:
    contract = read(tmp_path, "incoming")
    turned = dataclasses.replace(contract, columns=contract.columns[::-1], rules=contract.rules[::-1])
    assert lock_text(tables(turned)) == lock_text(tables(contract))


def test_locking_is_refused_while_a_version_is_too_low_and_leaves_the_lock(tmp_path: Path) -> None:
    old, new = pair(tmp_path, "lower maximum")
    lock = tmp_path / "lock.json"
    write_lock(tables(old), lock)
    before = lock.read_bytes()
    with pytest.raises(VersionsError, match=r"incoming/visit: raise the version to 2\.0\.0"):
        write_lock(tables(new), lock)
    assert lock.read_bytes() == before
    write_lock(tables(at(new, "2.0.0")), lock)
    assert table_diff(read_lock(lock).incoming["visit"], at(new, "2.0.0")).level == "same"


def test_only_a_table_that_is_gone_can_be_withdrawn(tmp_path: Path) -> None:
    contract, lock = read(tmp_path, "incoming"), tmp_path / "lock.json"
    write_lock(tables(contract), lock)
    with pytest.raises(VersionsError, match="incoming/visit is not a locked table whose page is gone"):
        write_lock(tables(contract), lock, ["incoming/visit"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        '"incoming"',
        "{}",
        '{"incoming": {}}',
        '{"incoming": {}, "outgoing": {}, "sideways": {}}',
        '{"incoming": {"visit": {}}, "outgoing": {}}',
        '{"incoming": {"visit": {"version": "1.0.0", "columns": [], "rules": {}}}, "outgoing": {}}',
        '{"incoming": {"visit": {"version": "1.0.0", "columns": {"a": {"kindd": "x"}}, "rules": {}}}, "outgoing": {}}',
        '{"incoming": {"visit": {"version": "1.0.0", "columns": {}, "rules": {"a": 3}}}, "outgoing": {}}',
        "[" * 100_000,
    ],
)
def test_what_is_no_lock_is_told_with_what_to_do(text: str, tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(VersionsError, match=r"lock\.json: "):
        read_lock(path)


def test_a_lock_that_is_not_there_is_told_with_what_writes_it(tmp_path: Path) -> None:
    with pytest.raises(VersionsError, match="`kinerja contracts lock` writes it"):
        read_lock(tmp_path / "lock.json")


# ---- the command -----------------------------------------------------------------------------------------------------


def diff_against(path: Path) -> Result:
    return CliRunner().invoke(main, ["contracts", "diff", "--against", str(path)])


def test_diff_against_the_committed_lock_ends_with_0() -> None:
    result = CliRunner().invoke(main, ["contracts", "diff"])
    assert result.exit_code == 0, result.output
    assert "incoming/attendance_log 1.0.0: same\n" in result.output
    assert result.output.endswith(" 0 compatible, 0 breaking.\n")


def test_diff_against_an_older_lock_ends_with_1_and_names_the_column_and_what_to_do(tmp_path: Path) -> None:
    lock = json.loads(lock_path().read_text(encoding="utf-8"))
    del lock["incoming"]["task_record"]["columns"]["opened_at"]
    lock["outgoing"]["kpi"]["columns"]["old_score"] = {"kind": "number"}
    (tmp_path / "old.json").write_text(json.dumps(lock), encoding="utf-8")
    result = diff_against(tmp_path / "old.json")
    assert result.exit_code == 1
    assert "  breaking: opened_at is new and required\n" in result.output
    assert "  breaking: old_score is gone\n" in result.output
    assert "2 tables cannot be released like this" in result.output


def test_diff_against_a_file_that_is_no_lock_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_bytes(b"\xff\xfe")
    result = diff_against(tmp_path / "old.json")
    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 1
    assert "not UTF-8 text" in result.output


def test_lock_writes_beside_the_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "contracts_folder", lambda: tmp_path)
    result = CliRunner().invoke(main, ["contracts", "lock"])
    assert result.exit_code == 0, result.output
    assert [p.name for p in tmp_path.iterdir()] == ["contracts.lock.json"]
    assert (tmp_path / "contracts.lock.json").read_text(encoding="utf-8") == lock_text(load_contracts())


def test_a_diff_without_changes_asks_for_nothing() -> None:
    assert (TableDiff("incoming/visit", "1.0.0", "1.0.0", ()).level, TableDiff("a", "1.0.0", "1.0.0", ()).remedy) == (
        "same",
        None,
    )
