"""Salor's promises (policy implementation), each with Salor's own policy in a world of a few rows."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import polars as pl
import pytest
from dagster import DagsterInstance, SensorResult, build_sensor_context
from promise_world import (
    CONTRACTS,
    LATER,
    MONTH,
    POLICIES,
    advice,
    all_advice,
    answers,
    days,
    fates,
    figures,
    given,
    measured,
    published,
    results,
    rows_by,
    staff,
    tasks,
    units,
)

from kinerja_pipeline.definitions import build_definitions
from kinerja_pipeline.facts.attendance import attendance_month
from kinerja_pipeline.facts.feed_day import expected, feed_day
from kinerja_pipeline.facts.periods import in_force
from kinerja_pipeline.facts.satisfaction import satisfaction_index
from kinerja_pipeline.facts.targets import indicator_target
from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.kpi.distribution import unit_evaluation
from kinerja_pipeline.kpi.evidence import counted_rows, totals
from kinerja_pipeline.kpi.people import people
from kinerja_pipeline.kpi.subjects import answers_by_subject, targets_by_subject
from kinerja_pipeline.landing.deliveries import land_region
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.dated import Policies
from kinerja_pipeline.policies.indicators import compiled
from kinerja_pipeline.policies.loader import policy_version
from kinerja_pipeline.validated.split import TALLY_SCHEMA
from kinerja_pipeline.warehouse import registers
from kinerja_pipeline.warehouse.sources import EVIDENCE, sources

POLICY = POLICIES["salor"]


def test_s1_targets_are_agreed_with_the_civil_servant_before_the_period_starts() -> None:
    """The share of a unit's targets that were agreed before their period began; one without a recorded agreement was
    not, and every target is counted in the month its period begins."""
    agreed = given(
        "indicator_target",
        {"subject_id": "ani", "agreed_at": "2026-03-31 23:59"},
        {"subject_id": "budi", "agreed_at": "2026-04-01 00:00"},
        {"subject_id": "citra"},
        {"subject_id": "dinas", "subject_kind": "unit", "agreed_at": "2026-03-01 08:00"},
        indicator_id="task_on_time",
        subject_kind="employee",
        period="2026-Q2",
        target=90.0,
    )
    everybody = staff("ani", "budi", "citra")
    seen = {}
    for month in (MONTH, "2026-05"):
        fact = targets_by_subject(indicator_target(agreed, POLICY, month), people(everybody, LATER, LATER))
        row = figures(POLICY, {"indicator_target": fact}, everybody, period=month).get(
            ("dinas", "target_agreed_in_time"), {"actual": None}
        )
        seen[month] = row["actual"]
    assert seen == {MONTH: pytest.approx(100 / 3), "2026-05": None}


def test_s2_the_superiors_rating_and_the_public_survey_stand_side_by_side() -> None:
    """For the same unit and period: how superiors rated its people, and what the public answered; one does not move the
    other. Units where the two say opposite things are listed with both figures."""
    judged = results(
        *((nip, MONTH, 95.0) for nip in ("ani", "budi", "citra")), official_predicate="baik", policy_version="1"
    )
    said = answers("dinas", *[[2] * 9] * 4)
    (rated,) = unit_evaluation(judged, given("performance_rating"), POLICY.evaluation).to_dicts()
    (index,) = satisfaction_index(said, units(), POLICY, MONTH, LATER).to_dicts()
    assert (rated["unit_id"], rated["period"]) == (index["unit_id"], index["period"]) == ("dinas", MONTH)
    assert (rated["official_count"], rated["baik_count"]) == (3, 3)
    assert (index["index_value"], index["class_code"]) == (50.0, "D")
    seen = figures(POLICY, {"feedback_answer": answers_by_subject(said)}, staff("ani"))
    # 50 percent of the highest score against 80.
    assert (seen["dinas", "satisfaction"]["actual"], seen["dinas", "satisfaction"]["achievement"]) == (50.0, 62.5)
    assert ("ani", "satisfaction") not in seen
    # A school of which superiors say no good and the public 100, and a unit where both are content.
    school = results(*((nip, MONTH, 95.0) for nip in "def"), unit_id="smp", official_predicate="kurang")
    agreed = results(*((nip, MONTH, 95.0) for nip in "ghi"), unit_id="rsud", official_predicate="sangat_baik")
    heard = said.vstack(answers("smp", [4] * 9)).vstack(answers("rsud", *[[3] * 9, [4] * 9]))
    indexes = satisfaction_index(heard, units(), POLICY, MONTH, LATER)
    everybody = judged.vstack(school).vstack(agreed)
    found = advice(POLICY, "disagreement", evaluations=everybody, satisfaction=indexes)
    assert {unit: (row["reason"], row["evidence"]) for unit, row in found.items()} == {
        "dinas": (
            "public_less_content",
            "superiors: 3 of 3 baik or better; skm: 50.0 (D) of 4 answers",
        ),
        "smp": (
            "superiors_less_content",
            "superiors: 0 of 3 baik or better; skm: 100.0 (A) of 1 answers",
        ),
    }


def test_s3_schools_show_pupils_results_their_change_and_parents_satisfaction() -> None:
    """Mean exam results, their change against last year's mean, and parents' answers once there are enough of them."""
    now = measured(
        "exam_mean",
        {"subject_id": "smp", "numerator": 7600.0, "denominator": 100.0},
        {"subject_id": "new school", "numerator": 1000.0, "denominator": 20.0},
    )
    # Last year half as many pupils, with a mean of 80: the mean fell though the sum rose.
    before = measured("exam_mean", {"subject_id": "smp", "numerator": 4000.0, "denominator": 50.0}, period="2025-04")
    few, enough = ([[3] * 5] * n for n in (9, 10))
    said = answers("smp", *enough, survey="parents", elements="p")
    said = said.vstack(answers("new school", *few, survey="parents", elements="p")).vstack(answers("smp", [1] * 9))
    seen = figures(
        POLICY,
        {"indicator_measurement": now, "feedback_answer": answers_by_subject(said)},
        year_before={"indicator_measurement": before},
    )
    assert [seen[u, "exam_mean"]["actual"] for u in ("smp", "new school", "salor")] == [76.0, 50.0, 8600 / 120]
    assert seen["smp", "exam_change"]["actual"] == 95.0
    assert seen["new school", "exam_change"]["reason"] == "no_base_year"
    assert seen["smp", "parent_satisfaction"]["actual"] == 75.0
    assert seen["new school", "parent_satisfaction"]["reason"] == "below_minimum_evidence"


def test_s4_every_delivery_is_counted_and_a_months_state_is_told() -> None:
    """Rows landed, valid, rejected and superseded per feed and delivery with when it came, the rejected share against
    the feed's tolerance, and whether a month is open or closed."""
    shared = {"feed": "task_record", "delivery_id": "d1", "severity_code": "error", "landed_count": 10}
    counted = {"rule_id": "all", "valid_count": 8, "rejected_count": 1, "superseded_count": 1}
    tally = pl.DataFrame([shared | counted, shared | {"rule_id": "due_at__missing", "rejected_count": 1}], TALLY_SCHEMA)
    ledger = pl.DataFrame(
        {
            "feed": ["task_record"],
            "file_name": ["task_record/tugas.csv"],
            "reason": None,
            "delivery_id": ["d1"],
            "row_count": [10],
            "received_at": [dt.datetime(2026, 5, 2)],  # noqa: DTZ001
        },
        schema_overrides={"reason": pl.String},
    )
    quality = rows_by(registers.data_quality([tally], CONTRACTS.incoming, MONTH), "feed", "rule_id")
    whole = quality["task_record", "all"]
    assert (whole["landed_count"], whole["valid_count"], whole["rejected_count"], whole["superseded_count"]) == (
        *(10, 8),
        *(1, 1),
    )
    assert (whole["rejected_share"], whole["tolerance_share"]) == (0.1, 0.05)
    assert quality["task_record", "due_at__missing"]["rejected_count"] == 1
    (file,) = registers.delivery(ledger, [tally]).to_dicts()
    assert (file["received_at"].day, file["valid_count"], file["rejected_count"]) == (2, 8, 1)
    states = [
        registers.period_status(POLICY, MONTH, [], dt.date(2026, 5, day))["status_code"][0]
        for day in (POLICY.periods.closing_day - 1, POLICY.periods.closing_day)
    ]
    assert states == ["open", "closed"]


def _april() -> pl.DataFrame:
    """Two colleagues at one scanner, which was down on the 6th from 22:00 to 01:30; what it told of the 7th came on the
    20th of May, and of two files of answers the second on the 8th."""
    taps = [("ani", f"2026-04-0{day} {at}") for day in (6, 7) for at in ("07:20", "16:05")]
    judged = days(POLICY, [*taps, ("budi", "2026-04-06 07:20"), ("budi", "2026-04-06 16:05")], "ani", "budi")
    pins = given(
        "device_pin", *({"nip": n, "pin": n} for n in ("ani", "budi")), device_id="d1", valid_from="2020-01-01"
    )
    down = {"device_id": "d1", "started_at": "2026-04-06 22:00", "ended_at": "2026-04-07 01:30"}
    came = [
        ("attendance_log", "d1", dt.date(2026, 4, 6), dt.datetime(2026, 5, 2, tzinfo=dt.UTC)),
        ("attendance_log", "d1", dt.date(2026, 4, 7), dt.datetime(2026, 5, 20, tzinfo=dt.UTC)),
        *(("feedback_response", None, None, dt.datetime(2026, 5, day, tzinfo=dt.UTC)) for day in (2, 8)),
    ]
    arrivals = pl.DataFrame(came, schema=["feed", "device_id", "date", "received_at"], orient="row")
    outages = given("device_outage", down)
    asked = expected(judged, in_force(pins, ["device_id", "pin"]))
    return feed_day([asked], outages, arrivals, POLICY, MONTH, dt.date(2026, 4, 30), LATER)


def test_s4_what_was_expected_of_a_unit_on_a_day_stands_beside_what_came() -> None:
    """Per unit and day: people expected at a device and those who tapped, and whether their taps came in time; per feed
    the files expected by the policy's day and those that had come."""
    seen = rows_by(_april(), "feed", "unit_id", "date")
    first, second = (seen["attendance_log", "dinas", dt.date(2026, 4, day)] for day in (6, 7))
    assert [(row["expected_count"], row["received_count"]) for row in (first, second)] == [(2, 2), (2, 1)]
    assert [row["is_late"] for row in (first, second)] == [False, True]
    files = seen["feedback_response", "all", dt.date(2026, 5, 7)]
    assert (files["expected_count"], files["received_count"], files["is_late"]) == (2, 1, True)


def test_s5_the_good_are_proposed_for_more_and_the_others_for_coaching_each_with_its_rule() -> None:
    """Two lists: advanced training or promotion after half a year above expectation, and coaching or training; every
    line names its rule."""
    half = ["2025-11", "2025-12", "2026-01", "2026-02", "2026-03", MONTH]
    rows = [("ani", m, 115.0) for m in half]
    rows += [("five months", m, s) for m, s in zip(half, (110.0, 115.0, 115.0, 115.0, 115.0, 115.0), strict=True)]
    rows += [("falling", m, s) for m, s in zip(half, (99.0, 99.0, 99.0, 99.0, 80.0, 79.0), strict=True)]
    weak = published(
        "kpi",
        {"subject_id": "falling", "aspect_code": "quality", "score": 70.0},
        *({"subject_id": "ani", "aspect_code": "quality", "score": 118.0},),
        subject_kind="employee",
        indicator_id="task_quality",
        period=MONTH,
        weight=0.2,
        status_code="computed",
    )
    listed = all_advice(POLICY, evaluations=results(*rows), kpi=weak)
    lines = listed.filter(pl.col("subject_kind") == "employee").select("subject_id", "rule_id", "action_code").rows()
    assert sorted(line for line in lines if line[1] != "reward") == [
        ("ani", "promotion", "advanced_training"),
        ("falling", "decline", "coaching"),
        ("falling", "training", "training"),
    ]
    assert rows_by(listed.filter(pl.col("rule_id") == "promotion"), "subject_id")["ani"]["programme_id"] == "DIK-PIMPIN"


def test_s6_a_unit_that_records_too_little_is_named_and_nobody_is_absent_for_it() -> None:
    """Person-days that could not be recorded, per unit; a scanner that told nothing makes no absence."""
    # Two colleagues; on 6 April both came, on the 7th only Ani; the scanner tells nothing of the other 19 working days.
    taps = [("ani", f"2026-04-0{day} {at}") for day in (6, 7) for at in ("07:20", "16:05")]
    judged = days(POLICY, [*taps, ("budi", "2026-04-06 07:20"), ("budi", "2026-04-06 16:05")], "ani", "budi")
    month = attendance_month(judged, POLICY, MONTH)
    seen = advice(POLICY, "completeness", attendance_month=month)
    assert (seen["dinas"]["subject_kind"], seen["dinas"]["reason"]) == ("unit", "attendance_not_recorded")
    assert seen["dinas"]["evidence"] == "38 of 42 person-days not recorded"
    assert rows_by(month, "nip")["budi"]["absent_count"] == 1


def test_s6_late_data_and_devices_that_were_down_are_told_of_the_unit() -> None:
    """Minutes for which the unit's devices were down, and days whose attendance came late; a unit with much of either
    is named for help, and no person is."""
    seen = rows_by(_april().filter(pl.col("unit_id") == "dinas"), "date")
    # Two hours on the 6th, an hour and a half on the 7th; of the other working days nothing has come at all.
    assert [seen[dt.date(2026, 4, day)]["downtime_minutes"] for day in (6, 7, 8)] == [120, 90, 0]
    assert [seen[dt.date(2026, 4, day)]["is_late"] for day in (6, 7, 8)] == [False, True, True]
    named = advice(POLICY, "infrastructure", feed_day=_april())
    assert fates(named) == {"dinas": ("recommended", "attendance_late")}
    assert named["dinas"]["evidence"] == "attendance of 20 of 21 days came late, devices down for 210 minutes"
    assert {row["subject_kind"] for row in named.values()} == {"unit"}


def test_s7_attendance_and_productivity_stand_in_one_month_table() -> None:
    """Both for the same person and month, so that being there and getting done can be told apart."""
    taps = [("ani", f"2026-04-0{day} {at}") for day in (6, 7) for at in ("07:20", "16:05")]
    taps += [("budi", "2026-04-06 07:45"), ("budi", "2026-04-06 16:05")]
    done = tasks(
        POLICY,
        {"task_id": "1", "nip": "ani", "status_code": "open", "quantity_done": 1.0},
        {"task_id": "2", "nip": "budi", "completed_at": "2026-04-08 10:00", "quantity_done": 4.0},
        opened_at="2026-04-06 08:00",
        due_at="2026-04-10 16:00",
        quantity_planned=4.0,
    )
    facts = {"attendance_day": days(POLICY, taps, "ani", "budi"), "task_outcome": done}
    seen = figures(POLICY, facts, staff("ani", "budi"))
    names = ("attendance", "punctuality", "task_on_time", "task_quantity")
    assert {nip: [seen[nip, name]["actual"] for name in names] for nip in ("ani", "budi")} == {
        "ani": [100.0, 100.0, 0.0, 25.0],
        "budi": [50.0, 0.0, 100.0, 100.0],
    }
    assert {seen[nip, name]["period"] for nip in ("ani", "budi") for name in names} == {MONTH}


def test_s7_a_file_that_comes_is_landed_and_its_month_asked_for_at_the_next_two_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the sensor on, a delivered file is in the warehouse within a minute: it is landed at the next look (every
    five seconds), and its month runs at the one after. `benchmarks/latency.py` measures the whole way with `kinerja ui`
    running: about half a minute on two cores with a load of 3; with a load of 7 it was 40 s at the median of 20 files
    and 65 s at worst."""
    monkeypatch.setenv("KINERJA_HOME", str(tmp_path))
    monkeypatch.delenv("KINERJA_WAREHOUSE_URL", raising=False)
    home, definitions = Home(tmp_path), build_definitions(CONTRACTS, Policies({"salor": POLICY}))
    init_home(home)
    file = home.landing / "salor" / "task_record" / "tugas_2026-04.csv"
    file.parent.mkdir(parents=True)
    (mapping,) = POLICY.feeds["task_record"]
    told = {"task_id": "1", "unit_id": "dinas", "task_type": "Rutin", "opened_at": "06/04/2026 08:00"}
    names = [name for name in CONTRACTS.incoming["task_record"].names if name not in mapping.constants]
    lines = [[mapping.columns.get(name, name) for name in names], [told.get(name, "") for name in names]]
    file.write_text("".join(f"{';'.join(line)}\n" for line in lines))
    os.utime(file, (1_775_900_000, 1_775_900_000))
    asked, cursor = [], None
    with DagsterInstance.ephemeral() as instance:
        for _ in range(3):
            context = build_sensor_context(instance, cursor=cursor, definitions=definitions)
            result = definitions.resolve_sensor_def("new_files")(context)
            assert isinstance(result, SensorResult)
            cursor = result.cursor
            asked.append([(r.job_name, str(r.partition_key)) for r in result.run_requests or ()])
            # The daemon's part: it runs what is asked for; of landing only taking in the files matters here.
            land_region(home, "salor", POLICY, CONTRACTS)
    assert asked == [[("land", "salor")], [("region_month", "2026-04|salor")], []]


def test_s8_a_number_is_explained_by_its_rows_its_formula_and_its_policy(tmp_path: Path) -> None:
    """A figure carries numerator, denominator and evidence that can be counted again in the published rows, its formula
    in words and the version of the policy; a deduction carries the line that explains it. `kinerja explain` goes from a
    number down to the rows that count and the lines of the delivered files."""
    done = tasks(
        POLICY,
        {"task_id": "1", "completed_at": "2026-04-08 10:00"},
        {"task_id": "2", "completed_at": "2026-04-13 10:00"},
        {"task_id": "3", "completed_at": "2026-04-09 10:00"},
        {"task_id": "cancelled", "status_code": "cancelled"},
        nip="ani",
        opened_at="2026-04-06 08:00",
        due_at="2026-04-10 16:00",
    )
    row = figures(POLICY, {"task_outcome": done}, staff("ani"))["ani", "task_on_time"]
    own = done.filter((pl.col("nip") == "ani") & (pl.col("status_code") != "cancelled"))
    assert (row["numerator"], row["denominator"], row["evidence_count"]) == (2.0, 3.0, 3)
    assert (row["numerator"], row["denominator"]) == (own["is_on_time"].sum(), len(own))
    told = rows_by(registers.indicator([POLICY]), "indicator_id")["task_on_time"]
    assert told["formula"] == "100 * sum(CASE WHEN is_on_time THEN 1 ELSE 0 END) / sum(1) where is_due"
    assert row["policy_version"] == told["policy_version"] == policy_version(POLICY)
    # The three tasks were delivered in lines 2, 3 and 5 of a file; line 4 is the cancelled one, and does not count.
    (declared,) = (i for i in compiled(POLICY, CONTRACTS) if i.indicator_id == "task_on_time")
    lines = pl.DataFrame({"task_id": ["1", "2", "cancelled", "3"], "_source_row": [2, 3, 4, 5]})
    lake = Lake(tmp_path)
    lake.write(lines.with_columns(_delivery_id=pl.lit("d1")), "validated", "task_record", "salor", MONTH)
    counted = counted_rows(done, declared, "employee", "ani").with_row_index(EVIDENCE)
    delivered = sources("task_outcome", counted, lake, POLICY, MONTH)
    assert totals([counted], [], declared) == (2.0, 3.0, pytest.approx(200 / 3))
    assert delivered.select("feed", "_delivery_id", "_source_row").rows() == [
        ("task_record", "d1", line) for line in (2, 3, 5)
    ]
    late = rows_by(days(POLICY, [("ani", "2026-04-06 08:10"), ("ani", "2026-04-06 16:00")], "ani"), "work_date")
    line = late[dt.date(2026, 4, 6)]
    assert (line["deduction_share"], line["deduction_rule"]) == (0.01, "TL2 31-60 min 1.00 %, rules of 2025-01")
