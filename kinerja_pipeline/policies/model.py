"""The policy of one region as immutable values, checked when it is read.

Here: every key a policy file may hold, its meaning and its unit. Not here: reading files (policies/loader) and
computing anything with a policy (facts/, kpi/, landing/).
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DayStatus = Literal["leave", "sick", "duty_travel", "permit", "study", "remote_work"]
SubjectKind = Literal["employee", "unit", "region"]


def _clock(value: object) -> object:
    if not isinstance(value, str | dt.time):
        raise ValueError(f"'{value}' is not a time of day; write it as 07:30")
    return value


Clock = Annotated[dt.time, BeforeValidator(_clock)]
"""A local time of day. A bare number would be read as seconds after midnight: 1600 as 00:26."""


@cache
def _time_zones() -> set[str]:
    return available_timezones()


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Labels(Model):
    """What officials read: Indonesian first, English by option."""

    id: str
    en: str


# ---- landing -------------------------------------------------------------------------------------------------------


class Lookup(Model):
    """Adds columns from an id file that the supplier delivers beside the data (`landing/<region>/lookup/<file>`)."""

    file: str
    on: str
    key: str
    take: dict[str, str]


class Unpivot(Model):
    """A wide row becomes one row per named source column: `columns` maps it to the code it stands for."""

    columns: dict[str, str]
    code_to: str
    value_to: str


class FoldTake(Model):
    """One column of a folded case: the value of `column` in the first or last row of the case that `where` allows."""

    column: str
    pick: Literal["first", "last"] = "first"
    where: dict[str, list[str]] = {}


class Fold(Model):
    """An event log becomes one row per case; `by` are the source columns that name the case, rows in file order."""

    by: list[str]
    take: dict[str, FoldTake]


class SetAside(Model):
    """Rows of a file that do not belong to the feed (profile answers among scores): counted by name, never lost."""

    column: str
    values: list[str]


def folded(text: str) -> str:
    """The text in small letters and single blanks."""
    return " ".join(text.lower().split())


class FileMapping(Model):
    """How one supplier's files become rows of a feed. The steps run in this order:
    set_aside, lookup, unpivot or fold, columns, constants, codes.

    `sheet` is a sheet's name or a pattern (`*`, `Rekap *`): all that fit are read, each with its own header, and
    `sheet_as` names the source column that holds the sheet's name. Row 7 of the workbook's third sheet is then row
    20000007. With `codes_ignore_case` a code fits its text in any case and with any blanks.
    """

    files: str = "*"
    reader: Literal["attlog", "csv", "xlsx", "jsonl", "parquet"]
    delimiter: str = ","
    encoding: Literal["utf-8", "windows-1252", "utf-16"] = "utf-8"
    header_row: Annotated[int, Field(ge=0, le=100)] = 1
    column_names: list[str] = []
    sheet: str | None = None
    sheet_as: str | None = None
    delivery: Literal["append", "delta", "full"] = "append"
    empty: list[str] = []
    set_aside: dict[Identifier, SetAside] = {}
    lookup: list[Lookup] = []
    unpivot: Unpivot | None = None
    fold: Fold | None = None
    columns: dict[str, str] = {}
    constants: dict[str, str] = {}
    codes: dict[str, dict[str, str]] = {}
    codes_ignore_case: bool = False

    @model_validator(mode="after")
    def _one_shape(self) -> FileMapping:
        if self.reader != "xlsx" and (self.sheet is not None or self.sheet_as is not None):
            raise ValueError(f"sheet and sheet_as are of workbooks; reader {self.reader} has no sheets")
        for column, codes in self.codes.items() if self.codes_ignore_case else ():
            for label, code in codes.items():
                same = [k for k, v in codes.items() if folded(k) == folded(label) and v != code]
                if same:
                    raise ValueError(f"codes.{column}: '{label}' and '{same[0]}' differ in case only; keep one")
        if self.unpivot and self.fold:
            raise ValueError("declare either unpivot or fold, not both")
        if self.header_row == 0 and not self.column_names and self.reader == "csv":
            raise ValueError("a CSV without header (header_row: 0) needs column_names")
        return self


# ---- working time --------------------------------------------------------------------------------------------------


class Span(Model):
    """First and last day, both included."""

    start: dt.date
    end: dt.date


class DayOff(Model):
    date: dt.date
    label: str


class Calendar(Model):
    """National holidays come from the `holidays` package (ID); regions add their own days and the Ramadan dates."""

    holiday_categories: list[Literal["public", "government"]] = ["public", "government"]
    days_off: list[DayOff] = []
    ramadan: list[Span] = []


class WorkingDay(Model):
    """Local start and end of one working day; an end at or before the start is on the next calendar day."""

    start: Clock
    end: Clock
    break_minutes: Annotated[int, Field(ge=0, le=240)] = 0
    break_start: Clock = dt.time(12)


class Schedule(Model):
    """Working hours by weekday; `ramadan` replaces `week` in Ramadan.

    A rostered schedule (shift) works on the days the shift roster names it, holidays included; others follow the
    calendar.
    """

    labels: Labels
    week: dict[Weekday, WorkingDay]
    ramadan: dict[Weekday, WorkingDay] | None = None
    is_rostered: bool = False


class Attendance(Model):
    """How taps become in and out. Minutes unless named otherwise (DOMAIN section 9).

    Seconds of lateness are dropped; with `counts_seconds` a started minute counts whole.
    """

    default_schedule: str = "office_5_day"
    repeat_seconds: Annotated[int, Field(ge=0)] = 60
    before_minutes: Annotated[int, Field(ge=0)] = 240
    after_minutes: Annotated[int, Field(ge=0)] = 360
    counts_seconds: bool = False


class Permit(Model):
    """What a leave or permit code of the feed means for the day's status."""

    labels: Labels
    status: DayStatus


class Band(Model):
    """From this many minutes on (until the next band): the code and the share of the base it costs."""

    from_minutes: Annotated[int, Field(ge=1)]
    code: str
    share: Annotated[float, Field(ge=0, le=1)]


class Deduction(Model):
    """Allowance deductions in force from a month on; shares are of `base` (whole allowance or its attendance part)."""

    valid_from: Month
    late: list[Band]
    early: list[Band]
    missing_tap_share: Annotated[float, Field(ge=0, le=1)]
    absent_day_share: Annotated[float, Field(ge=0, le=1)]
    base: Literal["allowance", "attendance_part"]
    month_cap_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    source: str


class DisciplineThreshold(Model):
    """An early-warning threshold of PP 94/2021: reached at `days` unexcused days (cumulative or consecutive).
    A policy lists them from the mildest to the gravest."""

    code: str
    counter: Literal["year", "run"]
    days: Annotated[int, Field(ge=1)]


# ---- survey --------------------------------------------------------------------------------------------------------


class SurveyClass(Model):
    code: str
    minimum: float


class Survey(Model):
    """A questionnaire: its element codes, scale and weight. SKM (PermenPANRB 14/2017) has nine on a scale of 4."""

    labels: Labels
    elements: dict[str, Labels]
    scale_max: Annotated[int, Field(ge=2)] = 4
    element_weight: Annotated[float, Field(gt=0, le=1)] | None = None
    classes: list[SurveyClass]
    straight_line_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    burst_count: Annotated[int, Field(ge=2)] = 5
    burst_seconds: Annotated[int, Field(ge=1)] = 60

    @property
    def weight(self) -> float:
        return self.element_weight if self.element_weight is not None else 1 / len(self.elements)


# ---- indicators and evaluation -------------------------------------------------------------------------------------


class Target(Model):
    """What is expected: one value, or a range for direction `range`; `by_position` overrides it per position level."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    by_position: dict[str, float] = {}
    kind: Literal["level", "additive"] = "level"


class Indicator(Model):
    """One indicator: row expressions over one fact, summed per subject and period, divided last.

    `numerator` and `denominator` are SQL expressions over the fact's columns, evaluated per row and summed over the
    rows that `filter` keeps and that have both values; without a denominator the statistic must be `count` or `last`.
    """

    labels: Labels
    fact: str
    filter: str | None = None
    numerator: str
    denominator: str | None = None
    statistic: Literal["ratio", "count", "last"] = "ratio"
    scale: float = 1.0
    subjects: list[SubjectKind]
    aspect: Literal["quantity", "quality", "time", "cost"]
    unit: str
    direction: Literal["higher", "lower", "range"]
    formula: Literal["standard", "inverse"] = "standard"
    target: Target
    weight: Annotated[float, Field(ge=0, le=1)] = 0.0
    cap: Annotated[float, Field(gt=0)] = 120.0
    minimum_evidence: Annotated[int, Field(ge=1)] = 1
    source: str = ""
    is_active: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> Indicator:
        if self.statistic == "ratio" and self.denominator is None:
            raise ValueError("statistic ratio needs a denominator")
        if self.direction == "range" and (self.target.low is None or self.target.high is None):
            raise ValueError("direction range needs target.low and target.high")
        if self.direction != "range" and self.target.value is None:
            raise ValueError("target.value is missing")
        return self


class Evaluation(Model):
    """Thresholds of the recommended rating (DOMAIN sections 2 and 9); all in percent of target."""

    minimum_coverage_share: Annotated[float, Field(ge=0, le=1)] = 0.6
    result_above: float = 110
    result_meets: float = 90
    behaviour_above: float = 90
    behaviour_meets: float = 70
    result_weight: Annotated[float, Field(ge=0, le=1)] = 0.7
    distribution_minimum_people: Annotated[int, Field(ge=1)] = 10


class Training(Model):
    """Hours of competence programmes (JP) that are expected of everybody in a year."""

    expected_hours: Annotated[float, Field(gt=0)] = 20.0


class DeclineRule(Model):
    """Coaching: below `below_score` in `months` months running, each `drop` points under the mean of the
    `baseline_months` before them."""

    rule: Literal["decline"]
    labels: Labels
    below_score: float = 90
    months: Annotated[int, Field(ge=1, le=12)] = 2
    drop: float = 10
    baseline_months: Annotated[int, Field(ge=1, le=12)] = 3
    programme_id: str | None = None


class RewardRule(Model):
    """Nomination: results above expectation, behaviour at least as expected, no unexcused day this year; the best of
    each unit, ties listed."""

    rule: Literal["reward"]
    labels: Labels
    places: Annotated[int, Field(ge=1)] = 1


class TrainingRule(Model):
    """Training: the weakest aspect of the results below `below_score`, or the weakest competency below
    `below_competency` (percent); `programmes` names the one that covers an aspect or competency."""

    rule: Literal["training"]
    labels: Labels
    below_score: float = 80.0
    below_competency: float = 70.0
    programmes: dict[str, str] = {}


class PromotionRule(Model):
    """Advanced training or promotion pool: results above expectation and behaviour at least as expected in `months`
    months running, no unexcused day this year."""

    rule: Literal["promotion"]
    labels: Labels
    months: Annotated[int, Field(ge=1, le=12)] = 6
    programme_id: str | None = None


class DisciplineRule(Model):
    """Early warning: an unexcused-day threshold of `discipline` is reached. Never a sanction."""

    rule: Literal["discipline"]
    labels: Labels


class ObjectionRule(Model):
    """An objection to a rating waits for its decision."""

    rule: Literal["objection"]
    labels: Labels


class InsufficientEvidenceRule(Model):
    """The evaluation could not be computed in `months` months running."""

    rule: Literal["insufficient_evidence"]
    labels: Labels
    months: Annotated[int, Field(ge=1, le=12)] = 2


class CompletenessRule(Model):
    """A unit whose attendance could not be recorded on at least `not_recorded_share` of its person-days."""

    rule: Literal["completeness"]
    labels: Labels
    not_recorded_share: Annotated[float, Field(gt=0, le=1)] = 0.2


class StaffingRule(Model):
    """A unit that lacks at least `minimum_gap` people and `minimum_gap_share` of those its workload analysis needs."""

    rule: Literal["staffing"]
    labels: Labels
    minimum_gap: Annotated[int, Field(ge=1)] = 1
    minimum_gap_share: Annotated[float, Field(ge=0, le=1)] = 0.1


class FeedbackRule(Model):
    """A unit with fewer answers of the public than the required sample; longer periods are judged in their last
    month."""

    rule: Literal["feedback"]
    labels: Labels
    period_kind: Literal["month", "quarter", "semester", "year"] = "month"


class MistakesRule(Model):
    """A unit of which at least `minimum_count` delivered rows of the month were rejected, with its `most_frequent`
    reasons."""

    rule: Literal["mistakes"]
    labels: Labels
    minimum_count: Annotated[int, Field(ge=1)] = 3
    most_frequent: Annotated[int, Field(ge=1, le=10)] = 3


PersonRule = (
    DeclineRule | RewardRule | TrainingRule | PromotionRule | DisciplineRule | ObjectionRule | InsufficientEvidenceRule
)
UnitRule = CompletenessRule | StaffingRule | FeedbackRule | MistakesRule
FollowUpRule = Annotated[PersonRule | UnitRule, Field(discriminator="rule")]


class Exclusions(Model):
    """Whom rules about results leave out, with the reason: leave (with sickness) or study on this share of the month's
    scheduled days, and people in a new unit for less than `moved_months` months."""

    leave_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    study_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    moved_months: Annotated[int, Field(ge=0, le=12)] = 1


class Periods(Model):
    """A month is closed from this day of the next month on; at least the 2nd, so that a whole day has passed."""

    closing_day: Annotated[int, Field(ge=2, le=28)] = 5
    task_lookback_months: Annotated[int, Field(ge=0, le=36)] = 12


class Policy(Model):
    """Everything one region has decided."""

    region: Identifier
    version: str
    labels: Labels
    time_zone: str
    first_month: Month = "2025-01"
    calendar: Calendar
    schedules: dict[Identifier, Schedule]
    attendance: Attendance
    permits: dict[str, Permit]
    deductions: list[Deduction]
    discipline: list[DisciplineThreshold]
    feeds: dict[str, list[FileMapping]]
    surveys: dict[str, Survey]
    indicators: dict[Identifier, Indicator]
    evaluation: Evaluation
    training: Training = Training()
    follow_up: dict[Identifier, FollowUpRule]
    exclusions: Exclusions = Exclusions()
    periods: Periods

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in _time_zones():
            raise ValueError(f"'{value}' is not a time zone; Indonesia has Asia/Jakarta, Asia/Makassar, Asia/Jayapura")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Policy:
        if self.attendance.default_schedule not in self.schedules:
            raise ValueError(f"attendance.default_schedule '{self.attendance.default_schedule}' is not among schedules")
        weights = sum(i.weight for i in self.indicators.values() if i.is_active and "employee" in i.subjects)
        if weights and abs(weights - 1) > 1e-9:
            raise ValueError(f"the weights of the active employee indicators sum to {weights:g}, not 1")
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def deduction(self, month: str) -> Deduction | None:
        """The deduction table in force in `month`, None when none has started."""
        started = [d for d in self.deductions if d.valid_from <= month]
        return max(started, key=lambda d: d.valid_from) if started else None
