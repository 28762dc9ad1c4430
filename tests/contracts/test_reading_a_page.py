"""A page that says something wrong is refused, with its line and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from kinerja_pipeline.contracts.model import Bound, Contract, ContractError, load_contracts, read_contract

PAGE = """\
apiVersion: v3.1.0
kind: DataContract
id: visit
name: Visits
version: 1.2.0
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
        customProperties: [{property: strip, value: "'"}]
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
      - name: left_at
        logicalType: timestamp
        description: Until when.
        customProperties: [{property: dateMeans, value: end_of_day}]
    quality:
      - name: left_at__before__visited_at
        type: sql
        query: SELECT COUNT(*) FROM visit WHERE left_at < visited_at
        mustBe: 0
        severity: warning
        description: a visit ends after it began
"""


def page(folder: Path, old: str = "", new: str = "") -> Path:
    assert old in PAGE
    path = folder / "visit.odcs.yaml"
    path.write_text(PAGE.replace(old, new, 1) if old else PAGE, encoding="utf-8")
    return path


def read(folder: Path, old: str = "", new: str = "") -> Contract:
    return read_contract(page(folder, old, new), "incoming")


def complaint(folder: Path, old: str, new: str) -> str:
    with pytest.raises(ContractError) as caught:
        read(folder, old, new)
    return str(caught.value)


def test_a_page_becomes_columns_and_rules(tmp_path: Path) -> None:
    contract = read(tmp_path)
    assert (contract.name, contract.version, contract.key) == ("visit", "1.2.0", ("nip", "visited_at"))
    assert (contract.month_from, contract.tolerance_share, contract.owner) == ("visited_at", 0.05, "Bagian Organisasi")
    assert [(r.name, r.what, r.severity) for r in contract.rules] == [
        ("nip__missing", "missing", "error"),
        ("nip__pattern", "pattern", "error"),
        ("visited_at__unreadable", "unreadable", "error"),
        ("visited_at__month_first", "month_first", "error"),
        ("place__code", "code", "error"),
        ("people__unreadable", "unreadable", "error"),
        ("people__range", "range", "error"),
        ("left_at__unreadable", "unreadable", "error"),
        ("left_at__month_first", "month_first", "error"),
        ("left_at__before__visited_at", "row", "warning"),
        ("place__unknown", "reference", "error"),
        ("visited_at__month", "month", "error"),
        ("key__conflict", "conflict", "error"),
    ]
    nip, left = contract.column("nip"), contract.column("left_at")
    assert (nip.strip, nip.is_required, nip.is_personal, left.is_end_of_day) == ("'", True, True, True)
    row, reference = contract.rules[9], contract.rules[10]
    assert (row.columns, row.predicate) == (("visited_at", "left_at"), "left_at < visited_at")
    assert (reference.columns, reference.reference) == (("nip", "place"), ("post", ("nip", "place")))


def test_an_outgoing_page_has_no_rules_of_deliveries(tmp_path: Path) -> None:
    names = {r.name for r in read_contract(page(tmp_path), "outgoing").rules}
    assert not names & {"visited_at__month", "key__conflict"}


def test_a_table_that_is_all_key_cannot_contradict_itself() -> None:
    assert "key__conflict" not in {r.name for r in load_contracts().incoming["attendance_log"].rules}


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("        required: true", "        requird: true", 21, "did you mean 'required'?"),
        ("        classification:", "        clasification:", 24, "did you mean 'classification'?"),
        ("restricted", "restrcted", 19, "classification 'restrcted' is not known; did you mean 'restricted'?"),
        ("{minimum: 0", "{minimun: 0", 41, "did you mean 'minimum'?"),
        ("{property: strip", "{property: strp", 19, "custom property 'strp' is not known; did you mean 'strip'?"),
        ("value: end_of_day", "value: endofday", 42, "dateMeans 'endofday' is not known; did you mean 'end_of_day'?"),
        ("property: monthFrom", "property: monthFrm", 9, "'monthFrm' is not known; did you mean 'monthFrom'?"),
        ("value: visited_at", "value: visitd_at", 9, "'visitd_at', which is not a column; did you mean 'visited_at'?"),
        ("value: 5}", "value: five}", 9, "tolerancePercent is 'five'; write a number from 0 to 100"),
        ("value: 5}", "value: 500}", 9, "tolerancePercent is '500'; write a number from 0 to 100"),
        ("logicalType: integer", "logicalType: whole", 39, "'whole' is not one of"),
        (
            "left_at\n        logicalType: timestamp",
            "left_at\n        logicalType: time",
            42,
            "must be one of string, integer",
        ),
        ("metric: invalidValues", "metric: invalidValue", 37, "did you mean 'invalidValues'?"),
        ("{validValues:", "{validValue:", 33, "validValues: [...]"),
        ("        description: Where.\n", "", 33, "place: has no description"),
        ("^[0-9]{18}$", "^[0-9", 19, "is not a regular expression"),
        ("^[0-9]{18}$", "^(?!0)[0-9]{18}$", 19, "looks around or back"),
        ("COUNT(*)", "nip", 47, "write the query as 'SELECT COUNT(*) FROM visit WHERE"),
        ("FROM visit", "FROM visits", 47, "write the query as 'SELECT COUNT(*) FROM visit WHERE"),
        ("left_at < visited_at", "lft_at < visited_at", 47, "column 'lft_at' is not known; did you mean 'left_at'?"),
        ("left_at < visited_at", "left_at < < visited_at", 47, "is no SQL condition"),
        ("left_at < visited_at", "1 = 2", 47, "names no column of visit"),
        ("severity: warning", "severity: warn", 47, "severity 'warn' is not known; did you mean 'warning'?"),
        ("      - name: left_at__before__visited_at\n        type", "      - type", 47, "a rule has no name"),
        (
            "      - name: left_at__before__visited_at",
            "      - name: people__range",
            9,
            "people__range is stated twice",
        ),
        ("      - name: place", "      - name: people", 9, "column 'people' is stated twice"),
        ("visit.place]", "visit.plce]", 17, "'plce', not a column of visit; did you mean 'place'?"),
        ("[post.nip, post.place]", "[post.nip]", 17, "as many columns in 'from' as in 'to'"),
        ("version: 1.2.0\n", "", 1, "'version' is a required property"),
        ("version: 1.2.0", "version: 1.2.0\nversion: 1.3.0", 6, "'version' stands here and in line 5"),
        ("name: Visits", "name: *visits", 4, "undefined alias"),
    ],
)
def test_a_wrong_word_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    text = complaint(tmp_path, old, new)
    assert text.startswith("visit.odcs.yaml")
    assert f"line {line}" in text
    assert says in text


def test_a_page_without_a_key_is_refused(tmp_path: Path) -> None:
    path = page(tmp_path)
    path.write_text(PAGE.replace("        primaryKey: true\n", ""), encoding="utf-8")
    with pytest.raises(ContractError, match="no column has primaryKey: true"):
        read_contract(path, "incoming")


def test_a_page_is_called_after_its_table(tmp_path: Path) -> None:
    path = page(tmp_path).rename(tmp_path / "visits.odcs.yaml")
    with pytest.raises(ContractError, match=r"the file must be called visit\.odcs\.yaml"):
        read_contract(path, "incoming")


def test_a_reference_to_a_table_that_no_page_describes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    page(tmp_path / "incoming")
    with pytest.raises(ContractError, match=r"rule place__unknown points to post\.nip,place: no such column"):
        load_contracts(tmp_path)


def test_an_empty_page_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "visit.odcs.yaml"
    path.write_text("")
    with pytest.raises(ContractError, match="holds no keys"):
        read_contract(path, "incoming")


def test_a_rule_says_how_many_rows_may_break_it_and_whether_more_stop_the_publication(tmp_path: Path) -> None:
    stated = "mustBe: 0\n        severity: warning"
    bears = "{metric: nullValues, mustBeLessOrEqualTo: 2, unit: percent, severity: blocking}"
    quality = f"        quality:\n          - {bears}\n"
    from_nip = '        customProperties: [{property: strip, value: "\'"}]\n'
    missing = next(r for r in read(tmp_path, from_nip, from_nip + quality).rules if r.name == "nip__missing")
    assert (missing.severity, missing.tolerance_share, missing.is_blocking) == ("error", 0.02, True)
    place = "validValues: [office, home]}}"
    code = next(
        r for r in read(tmp_path, place, place.replace("}}", "}, severity: blocking}")).rules if r.name == "place__code"
    )
    assert (code.severity, code.tolerance_share, code.is_blocking) == ("error", None, True)
    less = read(tmp_path, stated, "mustBeLessThan: 5\n        unit: percent\n        severity: warning")
    row = less.rules[[r.name for r in less.rules].index("left_at__before__visited_at")]
    assert (row.severity, row.is_blocking) == ("warning", False)
    assert 0.0499 < (row.tolerance_share or 0) < 0.05, "less than 5 % is not 5 %"
    to = "to: [post.nip, post.place]}"
    borne = "customProperties: [{property: mustBeLessOrEqualTo, value: 50}, {property: unit, value: percent}]}"
    known = next(r for r in read(tmp_path, to, f"{to[:-1]}, {borne}").rules if r.name == "place__unknown")
    assert (known.tolerance_share, known.is_blocking) == (0.5, False)


def test_a_tolerance_that_is_no_share_is_refused(tmp_path: Path) -> None:
    stated = "mustBe: 0\n        severity: warning"
    for wrong in ("mustBeLessThan: 5", "mustBeLessThan: 500\n        unit: percent", "mustBeGreaterThan: 5"):
        assert "mustBeLessOrEqualTo: 5" in complaint(tmp_path, stated, wrong)
    assert "write 0" in complaint(tmp_path, stated, "mustBe: 3")
    assert "severity 'fatal' is not known" in complaint(tmp_path, stated, "mustBe: 0\n        severity: fatal")
    assert "nullValues, on a required column" in complaint(tmp_path, "metric: invalidValues", "metric: nullValues")


USUAL = "      - {type: library, metric: rowCount, mustBeBetween: [40, 250], unit: percent, description: usual}\n"


def test_a_feed_says_how_many_rows_are_usual_and_how_often_they_come(tmp_path: Path) -> None:
    cadence = "slaProperties: [{property: frequency, value: 3, unit: m}, {property: latency, value: 10, unit: d}]\n"
    (bound,) = read(tmp_path, "    quality:\n      - name", f"    quality:\n{USUAL}      - name").bounds
    assert bound == Bound("rows__usual", 0.4, 2.5, "warning", "usual")
    assert read(tmp_path, "schema:\n", f"{cadence}schema:\n").cadence == (3, 10)
    assert read(tmp_path).cadence is None
    assert "a year must be a multiple" in complaint(
        tmp_path, "schema:\n", cadence.replace("value: 3", "value: 5") + "schema:\n"
    )
    assert "property 'latencyy' is not known; did you mean 'latency'?" in complaint(
        tmp_path, "schema:\n", cadence.replace("latency", "latencyy") + "schema:\n"
    )
    assert "in months (value: 1, unit: m)" in complaint(
        tmp_path, "schema:\n", cadence.replace("unit: d", "unit: h") + "schema:\n"
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("{minLength: 2}", "nip must have 2 to any number of characters"),
        ("{maxLength: 50}", "nip must have 0 to 50 characters"),
        ("{minLength: 2, maxLength: 50}", "nip must have 2 to 50 characters"),
    ],
)
def test_a_length_is_told_with_both_its_ends(options: str, told: str, tmp_path: Path) -> None:
    contract = read(tmp_path, '{pattern: "^[0-9]{18}$"}', options)
    assert [rule.description for rule in contract.rules if rule.name == "nip__length"] == [told]


def test_what_cannot_be_asked_of_a_feed_as_a_whole_is_refused(tmp_path: Path) -> None:
    place = "    quality:\n      - name"
    for wrong in (USUAL.replace("mustBeBetween: [40, 250]", "mustBe: 3"), USUAL.replace("rowCount", "duplicateValues")):
        assert "metric rowCount with mustBeBetween" in complaint(tmp_path, place, f"    quality:\n{wrong}      - name")
    with pytest.raises(ContractError, match="rules of type sql only"):
        read_contract(page(tmp_path, place, f"    quality:\n{USUAL}      - name"), "outgoing")
