"""A correction on its way through a whole run: published, counted, told, and stopped when the source no longer fits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from home_warehouse import change, copied, query
from line_world import Finished, kinerja, run, succeeded

from kinerja_pipeline.home import Home

FinishedOf = Callable[[str], Finished]


def decide(home: Home, *entries: str) -> None:
    home.corrections.mkdir(exist_ok=True)
    text = "".join(f"  - {{{entry}, reason: letter 12 seen, owner: Ortala, date: 2026-04-02}}\n" for entry in entries)
    (home.corrections / "salor.yaml").write_text(f"corrections:\n{text}")


def exam(home: Home) -> dict[str, float]:
    rows = query(
        home,
        """SELECT subject_id, numerator FROM kpi WHERE region = 'salor' AND period = '2026-03'
        AND indicator_id = 'exam_mean' AND subject_kind = 'unit'""",
    )
    return {str(unit): float(str(value)) for unit, value in rows}


@pytest.mark.scenario
def test_a_correction_is_published_counted_told_and_stops_when_the_source_changes(
    finished: FinishedOf, tmp_path: Path
) -> None:
    home = copied(finished("salor").home, tmp_path / "home")
    before = exam(home)
    first, second = sorted(before)[:2]
    file = home.landing / "salor" / "indicator_measurement" / "capaian_2026-03.csv"
    lines = file.read_text(encoding="windows-1252").splitlines()
    number = next(n for n, line in enumerate(lines, 1) if line.startswith(f"exam_mean;{first};"))
    said = lines[number - 1].split(";")[3]
    key = "feed: indicator_measurement, where: {indicator_id: exam_mean, subject_kind: unit, period: '2026-03', "
    dropped = before[second]
    whole = f"{dropped:.0f}" if dropped == int(dropped) else f"{dropped}"
    decide(
        home,
        f"{key}subject_id: {first}}}, column: numerator, expected: '{said}', value: '100'",
        f"{key}subject_id: {second}}}, action: drop, column: numerator, expected: '{whole}'",
    )
    succeeded(run(home, "--region", "salor", "--month", "2026-03"))
    after = {unit: value for unit, value in before.items() if unit != second}
    assert exam(home) == {**after, first: 100.0}
    quality = query(
        home,
        """SELECT rule_id, landed_count - valid_count - superseded_count, rejected_count FROM data_quality
        WHERE region = 'salor' AND period = '2026-03' AND feed = 'indicator_measurement' ORDER BY rule_id""",
    )
    assert ("all", 1, 1) in [(rule, left, count) for rule, left, count in quality if rule == "all"]
    assert "correction__dropped" in [rule for rule, *_ in quality]

    arguments = ("explain", "--region", "salor", "--month", "2026-03", "--indicator", "exam_mean")
    told = succeeded(kinerja(home, *arguments, "--unit", first))
    place = f"indicator_measurement/capaian_2026-03.csv baris {number}"
    assert f"Koreksi: {place}: numerator: '{said}' -> '100' (letter 12 seen; Ortala, 2026-04-02)" in told
    (figure,) = json.loads(succeeded(kinerja(home, *arguments, "--unit", first, "--json")))["figures"]
    assert (figure["rows"][0]["numerator"], figure["is_recounted"]) == (100.0, True)

    # March is closed: what was published before is kept, with the delivery that the correction is about.
    restated = query(
        home,
        f"""SELECT change_code, old_value, new_value, cause_code, file_name FROM restatement AS r
        JOIN delivery AS d ON d.region = r.region AND d.delivery_id = r.cause_id
        WHERE table_name = 'kpi' AND key = '{first}|unit|exam_mean|month|2026-03' AND column_name = 'numerator'""",
    )
    file_name = "indicator_measurement/capaian_2026-03.csv"
    assert restated == [("changed", str(before[first]), "100.0", "delivery", file_name)]
    change(
        home,
        """UPDATE publication SET published_at = '2026-04-10 02:00:00.000000'
        WHERE publication_id < (SELECT min(publication_id) FROM restatement)""",
    )
    asked = (*arguments, "--unit", first, "--as-of", "2026-04-12", "--json")
    (figure,) = json.loads(succeeded(kinerja(home, *asked)))["figures"]
    assert (figure["published"]["numerator"], figure["hidden"], figure["rows"]) == (before[first], "restated", [])
    (figure,) = json.loads(succeeded(kinerja(home, *arguments, "--unit", second, "--as-of", "2026-04-12", "--json")))[
        "figures"
    ]
    assert figure["published"]["numerator"] == before[second], "dropped since"

    # The supplier delivers the file again: the entry no longer fits, nothing of the region is computed or published.
    lines[number - 1] = lines[number - 1].replace(f";{said};", ";4321;", 1)
    file.with_name("capaian_2026-03_perbaikan.csv").write_text("\n".join(lines) + "\n", encoding="windows-1252")
    stopped = run(home, "--region", "salor", "--month", "2026-03")
    assert stopped.exit_code == 1
    assert (
        f"failed salor: corrections/salor.yaml, line 2 (entry 1): expected: the source no longer says '{said}' in "
        "numerator, now '4321'." in stopped.output
    )
    assert exam(home) == {**after, first: 100.0}
