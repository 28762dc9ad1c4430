"""One run of the whole line: what lands is published, adds up, and is what the world says it planted."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable

import polars as pl
import pytest
from home_warehouse import address, query
from line_world import MONTHLY, MONTHS, REGIONS, TABLES, TODAY, Finished, kinerja, of_regions, succeeded
from rich.console import Console

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.demo.summary import show_summary
from kinerja_pipeline.facts.periods import periods_of
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.loader import load_policies

FinishedOf = Callable[[str], Finished]

OF_ROUNDS = ("appraisal_role", "competency_profile", "rater_unit")
"""These have rows of the months in which an appraisal round closed, and of no other."""

EVENTS = tuple(contract.name for contract in load_contracts().incoming.values() if contract.is_event)


@pytest.mark.parametrize("region", of_regions(*REGIONS))
def test_every_published_table_has_rows_of_every_month_of_the_region(region: str, finished: FinishedOf) -> None:
    home = finished(region).home
    policy = load_policies(home.policies)[region]
    held = [(each.period,) for each in policy.appraisal.rounds.values() if each.period in MONTHS]
    for table in TABLES:
        if table in OF_ROUNDS:
            assert query(home, f"SELECT DISTINCT period FROM {table} WHERE region = '{region}'") == held, table
        elif table == "indicator_target":
            found = query(home, f"SELECT count(*) > 0 FROM {table} WHERE region = '{region}'")
            assert found == [((home.landing / region / table).is_dir(),)], "not every region agrees on targets"
        elif table == "training_effect":
            assert query(home, f"SELECT count(*) FROM {table}") == [(0,)], "two months tell nothing of before and after"
        elif table == "allowance" and policy.allowance is None:
            assert query(home, f"SELECT count(*) FROM {table} WHERE region = '{region}'") == [(0,)]
        elif table in MONTHLY:
            found = query(home, f"SELECT DISTINCT period FROM {table} WHERE region = '{region}' ORDER BY 1")
            assert {str(p) for (p,) in found} >= set(MONTHS), table
        else:
            assert query(home, f"SELECT count(*) > 0 FROM {table} WHERE region = '{region}'") == [(1,)], table


@pytest.mark.parametrize("region", of_regions(*REGIONS))
def test_an_analyst_finds_rows_of_every_promise(region: str, finished: FinishedOf) -> None:
    done = finished(region)
    # Two months tell nothing of before and after a training; a round of appraisal may close in another month, and
    # targets are agreed on before January.
    late = {"training_effect", "target_agreed_in_time", *OF_ROUNDS}
    for name, promise in load_policies(done.home.policies)[region].promises.items():
        named = [f"kpi WHERE indicator_id = '{indicator}'" for indicator in promise.indicators if indicator not in late]
        named += [f"{table} WHERE true" for table in (*promise.tables, *promise.views) if table not in late]
        empty = [
            rows for rows in named if query(done.home, f"SELECT count(*) FROM {rows} AND region = '{region}'") == [(0,)]
        ]
        assert empty == [], name


@pytest.mark.parametrize("region", of_regions(*REGIONS))
def test_months_are_closed_and_longer_periods_are_partial(region: str, finished: FinishedOf) -> None:
    found = query(
        finished(region).home,
        f"""SELECT period, status_code, month_count, as_of_date FROM period_status
        WHERE region = '{region}' ORDER BY period""",
    )
    assert found == [
        ("2026", "partial", 2, "2026-03-31"),
        ("2026-02", "closed", 1, "2026-02-28"),
        ("2026-03", "closed", 1, "2026-03-31"),
        ("2026-Q1", "partial", 2, "2026-03-31"),
        ("2026-S1", "partial", 2, "2026-03-31"),
    ]


@pytest.mark.parametrize("region", of_regions(*REGIONS))
def test_longer_periods_are_published_where_a_table_has_them(region: str, finished: FinishedOf) -> None:
    home, wanted = finished(region).home, set(periods_of("2026-03").values())
    for table in ("kpi", "evaluation", "satisfaction_index", "satisfaction_element", "period_status"):
        found = query(home, f"SELECT DISTINCT period FROM {table} WHERE region = '{region}'")
        assert {str(p) for (p,) in found} >= wanted, table


@pytest.mark.parametrize("region", of_regions(*REGIONS))
def test_the_quality_table_counts_what_the_world_planted(region: str, finished: FinishedOf) -> None:
    done = finished(region)
    # Registers are counted as they stood when a month was published, so their last month has all of them.
    lines = query(
        done.home,
        f"""SELECT feed, rule_id, sum(landed_count), sum(valid_count), sum(rejected_count), sum(superseded_count)
        FROM data_quality WHERE region = '{region}' AND (period = '2026-03' OR feed IN {EVENTS})
          AND severity_code = 'error'
        GROUP BY feed, rule_id""",
    )
    totals = {feed: counts for feed, rule, *counts in lines if rule == "all"}
    by_rule: dict[object, dict[object, object]] = {}
    for feed, rule, _, _, rejected, _ in lines:
        if rule != "all":
            by_rule.setdefault(feed, {})[rule] = rejected
    for feed in {f.feed for f in done.planted.files}:
        landed, valid, rejected, superseded = (int(str(n)) for n in totals[feed])
        assert landed == valid + rejected + superseded, feed
        planted = done.planted.rejected(feed)
        assert (landed, rejected, superseded) == (
            done.planted.landed(feed),
            sum(planted.values()),
            done.planted.superseded(feed),
        ), feed
        assert by_rule.get(feed, {}) == planted, feed
    assert sum(done.planted.rejected("task_record").values()) > 0, "a world without wrong rows proves nothing"


def test_the_judgement_of_every_feed_and_month_is_kept_and_quotes_nobody(finished: FinishedOf) -> None:
    home = finished("manokwari").home
    lake = Lake(home.lake)
    people = lake.read("validated", "employee", "manokwari").select("nip", "name").unique()
    nobody = [text for column in people for text in column]
    for contract in load_contracts().incoming.values():
        for month in MONTHS if contract.is_event else [None]:
            text = lake.document_path("validation", contract.name, "manokwari", month).read_text(encoding="utf-8")
            assert not [word for word in nobody if word in text], f"{contract.name} {month}"
            kept = lake.read_document("validation", contract.name, "manokwari", month)
            ended = kept["valid"], kept["rejected"], kept["superseded"]
            assert kept["landed"] == sum(ended)
            rejected = lake.read("quarantine", contract.name, "manokwari", month)
            assert len(rejected) == kept["rejected"]
            places = set(rejected.select("_delivery_id", pl.col("_source_row").cast(pl.Int64)).iter_rows())
            broken = {reason for reasons in rejected["_reasons"] for reason in reasons}
            assert broken <= set(kept["rows"])
            assert {tuple(row) for rule in broken for row in kept["rows"][rule]} <= places


@pytest.mark.parametrize("region", of_regions(*REGIONS))
def test_the_delivery_table_lists_every_file_and_its_rows_add_up(region: str, finished: FinishedOf) -> None:
    done = finished(region)
    lines = query(
        done.home,
        f"""SELECT file_name, status_code, row_count, valid_count, rejected_count, superseded_count
        FROM delivery WHERE region = '{region}' ORDER BY file_name""",
    )
    files = sorted(done.planted.files, key=lambda f: f.path)
    assert [(name, status, landed, rejected) for name, status, landed, _, rejected, _ in lines] == [
        (f.path, "landed", f.landed, sum(f.planted.values())) for f in files
    ]
    assert all(landed == int(str(v)) + int(str(r)) + int(str(s)) for _, _, landed, v, r, s in lines)
    replaced: Counter[str] = Counter()
    for name, *_, superseded in lines:
        replaced[str(name).partition("/")[0]] += int(str(superseded))
    assert {feed: n for feed, n in replaced.items() if n} == {
        feed: n for feed in {f.feed for f in files} if (n := done.planted.superseded(feed))
    }


def test_two_regions_share_a_warehouse_and_the_command_says_what_it_did(finished: FinishedOf) -> None:
    done = finished("pariaman")
    assert done.exit_code == 0, done.output
    assert "4 region-months published in" in done.output
    table = succeeded(kinerja(done.home, "status"))
    assert [line.split()[1:9:2] for line in table.splitlines() if "2026-" in line] == [
        ["manokwari", "2026-02..2026-03", "2", "2"],
        ["pariaman", "2026-02..2026-03", "2", "2"],
    ]
    only = succeeded(kinerja(done.home, "status", "--region", "pariaman"))
    assert "pariaman" in only
    assert "manokwari" not in only


def test_every_publication_names_the_versions_and_the_run_that_made_it(finished: FinishedOf) -> None:
    home = finished("pariaman").home
    wanting = """SELECT count(*) FROM publication WHERE content_hash = '' OR run_id = '' OR policy_version = ''
        OR code_version = '' OR contract_version = '' OR published_at IS NULL"""
    assert query(home, wanting) == [(0,)]
    runs = query(
        home, "SELECT region, count(DISTINCT publication_id), count(DISTINCT run_id) FROM publication GROUP BY 1"
    )
    assert runs == [("manokwari", 2, 2), ("pariaman", 2, 2)]
    assert str(query(home, "SELECT max(as_of_date) FROM period_status")[0][0]) < TODAY


def test_the_summary_of_the_demo_tells_what_was_planted_in_words(
    finished: FinishedOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, paper = finished("pariaman"), io.StringIO()
    monkeypatch.setenv("KINERJA_WAREHOUSE_URL", address(done.home))
    show_summary(done.home, Console(file=paper, width=140))
    told = paper.getvalue()
    feeds = {f.feed for f in done.planted.files} & set(EVENTS)
    landed = sum(done.planted.landed(feed) for feed in feeds)
    rejected = sum(sum(done.planted.rejected(feed).values()) for feed in feeds)
    superseded = sum(done.planted.superseded(feed) for feed in feeds)
    counts = [f"{n:,}" for n in (landed, landed - rejected - superseded, rejected, superseded)]
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in told.splitlines() if "│" in line]
    assert ["pariaman", *counts] in rows
    assert all(row[0] in ("manokwari", "pariaman") for row in rows)
    assert f"kinerja --home {done.home.root} status    # months published, files refused" in told
