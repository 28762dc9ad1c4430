"""What whoever waits for a run sees of it, on a terminal and in a file."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from kinerja_pipeline.orchestration.launch import Outcome
from kinerja_pipeline.orchestration.progress import shown

COUNTRY = [f"wilayah{number:03d}" for number in range(552)]


class Screen(Console):
    """A terminal of 40 lines, or a file, where it is `now` seconds past the start."""

    def __init__(self, *, is_terminal: bool) -> None:
        self.now = 0.0
        super().__init__(
            file=io.StringIO(),
            force_terminal=is_terminal,
            width=100,
            height=40,
            color_system=None,
            get_time=lambda: self.now,
        )

    @property
    def lines(self) -> list[str]:
        assert isinstance(self.file, io.StringIO)
        return re.sub(r"\x1b\[[0-9?]*[a-zA-Z]", "", self.file.getvalue()).replace("\r", "\n").splitlines()


def test_a_line_stays_of_each_region_that_has_ended_with_how_many_are_left_and_how_long() -> None:
    screen = Screen(is_terminal=False)
    with shown(["manokwari", "salor", "mamuju", "pariaman"], screen) as waiting:
        waiting.tell("salor", "2026-03", 0, 1)
        screen.now = 30
        waiting.ended("salor", "1 month published")
        waiting.tell("mamuju", "landing", 0, None)
        screen.now = 70
        # Nobody told of it before it ended, so it has no time of its own.
        waiting.ended("manokwari", "0 months published, 1 failed")
        screen.now = 110
        waiting.ended("mamuju", "6 months published")
        waiting.ended("pariaman", "nothing to publish")
    # A region ended every forty seconds since the first.
    assert screen.lines == [
        "salor: 1 month published in 0:00:30; 3 left",
        "manokwari: 0 months published, 1 failed; 2 left, about 0:01:20",
        "mamuju: 6 months published in 0:01:20; 1 left, about 0:00:40",
        "pariaman: nothing to publish",
    ]


def test_months_that_are_done_tell_how_long_the_rest_will_take() -> None:
    screen = Screen(is_terminal=True)
    with shown(["salor", "mamuju"], screen) as waiting:
        for done in range(4):
            screen.now = 60.0 * done
            waiting.tell("salor", "2026-03", done, 6)
    # Three months took three minutes: three of salor's are left, and nine of all.
    whole, region = [line for line in screen.lines if line.strip()][-2:]
    assert whole.split()[-3:] == ["0:03:00", "0:09:00", "left"]
    assert region.split()[-3:] == ["0:03:00", "0:03:00", "left"]


def test_one_region_alone_has_no_line_for_the_command_says_it_all() -> None:
    screen = Screen(is_terminal=False)
    with shown(["salor"], screen) as waiting:
        waiting.tell("salor", "2026-03", 0, 1)
        waiting.ended("salor", "1 month published")
    assert screen.lines == []


def test_only_regions_that_are_worked_on_have_a_bar_however_many_there_are() -> None:
    screen = Screen(is_terminal=True)
    with shown(COUNTRY, screen) as waiting:
        for region in COUNTRY[:300]:
            waiting.tell(region, "2026-03", 0, 1)
            waiting.ended(region, "1 month published")
        waiting.tell("wilayah300", "2026-03", 2, 6)
        waiting.tell("wilayah301", "landing", 0, None)
        # What it told last may come after it has ended, from the process that worked on it.
        waiting.tell("wilayah299", "", 1, 1)
    # What is drawn last, before it goes.
    whole, *regions = [line for line in screen.lines if line.strip()][-3:]
    assert whole.startswith("all regions")
    assert "300/552" in whole
    assert [line.split()[:2] for line in regions] == [["wilayah300", "2026-03"], ["wilayah301", "landing"]]
    assert "2/6 months" in regions[0]


def test_nothing_is_drawn_into_a_file() -> None:
    screen = Screen(is_terminal=False)
    with shown(COUNTRY, screen) as waiting:
        waiting.tell("wilayah000", "2026-03", 0, 1)
        waiting.tell("wilayah001", "landing", 0, None)
    assert screen.lines == []


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome(done=1), "1 month published"),
        (Outcome(done=6, failed=["salor 2026-03: the disk is full"]), "6 months published, 1 failed"),
        (Outcome(failed=["salor: the disk is full"]), "0 months published, 1 failed"),
        # Nothing has changed since the last run; a refused file is told in the end.
        (Outcome(refused=["salor/employee/pegawai.csv"]), "nothing to publish"),
    ],
)
def test_how_a_region_ended_is_said_in_a_few_words(outcome: Outcome, words: str) -> None:
    assert outcome.short() == words
