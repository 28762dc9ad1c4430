"""The policy of one region as immutable values, checked when it is read.

Here: every key a policy file may hold, its meaning and its unit. Not here: reading files (policies/loader) and
computing anything with a policy (facts/, kpi/, landing/).
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from itertools import combinations, pairwise
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from kinerja_pipeline.policies.allowance import Allowance
from kinerja_pipeline.policies.follow_up import DisagreementRule, Exclusions, FollowUpRule
from kinerja_pipeline.policies.mapping import FileMapping
from kinerja_pipeline.policies.terms import Aspect, Clock, Identifier, Labels, Model, Month, Predicate

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DayStatus = Literal["leave", "sick", "duty_travel", "permit", "study", "remote_work"]
SubjectKind = Literal["employee", "unit", "region"]
RaterRole = Literal["superior", "peer", "subordinate", "self"]
EmploymentStatus = Literal["pns", "pppk", "pppk_paruh_waktu"]
TaskType = Literal["service_request", "complaint", "routine", "project"]
WorkedDayType = Literal["normal", "friday", "ramadan", "shift"]
EventFeed = Literal[
    "attendance_log",
    "task_record",
    "feedback_response",
    "indicator_measurement",
    "performance_rating",
    "training_record",
]
Email = Annotated[str, Field(pattern=r"^[^@\s,<>]+@[^@\s,<>]+$", max_length=254)]
PromiseId = Annotated[str, Field(pattern=r"^[A-Z][1-9][0-9]?$")]


@cache
def _time_zones() -> set[str]:
    return available_timezones()


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


class WeeklyHours(Model):
    """Working hours by weekday; `ramadan` replaces `week` in Ramadan."""

    week: dict[Weekday, WorkingDay]
    ramadan: dict[Weekday, WorkingDay] | None = None


class HoursChange(WeeklyHours):
    """The hours of a schedule from a month on, until the next change."""

    valid_from: Month


class Schedule(WeeklyHours):
    """Named working hours. A rostered schedule (shift) works on the days the shift roster names it, holidays included;
    others follow the calendar.

    With `flexible_minutes` the start may shift by so many minutes and the end shifts with it: the time worked stays.
    `changes` replace the hours from a month on.
    """

    labels: Labels
    is_rostered: bool = False
    flexible_minutes: Annotated[int, Field(ge=0, le=240)] = 0
    changes: list[HoursChange] = []

    @field_validator("changes")
    @classmethod
    def _in_order(cls, value: list[HoursChange]) -> list[HoursChange]:
        for number, (before, change) in enumerate(pairwise(value), start=1):
            if change.valid_from <= before.valid_from:
                raise _misplaced("changes are listed from the earliest to the latest", number, "valid_from")
        return value

    def hours(self, month: str) -> WeeklyHours:
        """The hours in force in `month`."""
        return next((change for change in reversed(self.changes) if change.valid_from <= month), self)


class Attendance(Model):
    """How taps become in and out. Minutes unless named otherwise (DOMAIN section 9).

    `schedule_by_employment` names the hours of those whose assignment names none, before `default_schedule`. With
    `late_minutes_per_unexcused_day` (some regions: 450, a day's work) so many late minutes of a calendar year count as
    one more unexcused day.
    """

    default_schedule: str = "office_5_day"
    schedule_by_employment: dict[EmploymentStatus, Identifier] = {}
    repeat_seconds: Annotated[int, Field(ge=0)] = 60
    before_minutes: Annotated[int, Field(ge=0)] = 240
    after_minutes: Annotated[int, Field(ge=0)] = 360
    late_minutes_per_unexcused_day: Annotated[int, Field(ge=1)] | None = None

    def schedule_of(self, employment_status: str) -> str:
        """The schedule of a person whose assignment names none."""
        own = (schedule for status, schedule in self.schedule_by_employment.items() if status == employment_status)
        return next(own, self.default_schedule)


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
    """Allowance deductions in force from a month on, for some employment statuses and day types (none named: all).

    Shares are of `base` (whole allowance or its attendance part: mixing them up is a 3.33-fold error). Lateness costs
    by bands or by the minute, and so does leaving early; with neither it costs nothing. Late minutes up to
    `late_tolerance_minutes` cost nothing, beyond it all of them count. `make_up_minutes` is how many late minutes
    staying longer can cancel. Seconds are dropped; with `counts_seconds` a started minute counts whole.
    """

    valid_from: Month
    employment_status: list[EmploymentStatus] = []
    day_types: list[WorkedDayType] = []
    late: list[Band] = []
    early: list[Band] = []
    late_minute_share: Annotated[float, Field(gt=0, le=1)] | None = None
    early_minute_share: Annotated[float, Field(gt=0, le=1)] | None = None
    late_tolerance_minutes: Annotated[int, Field(ge=0, le=240)] = 0
    make_up_minutes: Annotated[int, Field(ge=0, le=480)] = 0
    counts_seconds: bool = False
    missing_tap_share: Annotated[float, Field(ge=0, le=1)]
    absent_day_share: Annotated[float, Field(ge=0, le=1)]
    base: Literal["allowance", "attendance_part"]
    month_cap_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    source: str

    @field_validator("late", "early")
    @classmethod
    def _ascending(cls, value: list[Band]) -> list[Band]:
        for number, (before, band) in enumerate(pairwise(value), start=1):
            if band.from_minutes <= before.from_minutes:
                raise _misplaced("bands are listed from the shortest to the longest", number, "from_minutes")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Deduction:
        seen: set[str] = set()
        for key, bands, rate in (
            ("late", self.late, self.late_minute_share),
            ("early", self.early, self.early_minute_share),
        ):
            if bands and rate is not None:
                raise ValueError(f"declare either the bands `{key}` or `{key}_minute_share`, not both")
            for number, band in enumerate(bands):
                if band.code in seen:
                    raise _misplaced(f"the code {band.code} stands twice in this table", key, number, "code")
                seen.add(band.code)
        return self

    def applies_to(self, employment_status: str, day_type: str) -> bool:
        return (not self.employment_status or employment_status in self.employment_status) and (
            not self.day_types or day_type in self.day_types
        )


class DisciplineThreshold(Model):
    """An early-warning threshold of PP 94/2021: reached at `days` unexcused days (cumulative or consecutive), in force
    from `valid_from` to `valid_to` (empty: always). A policy lists them from the mildest to the gravest."""

    code: str
    counter: Literal["year", "run"]
    days: Annotated[int, Field(ge=1)]
    valid_from: Month | None = None
    valid_to: Month | None = None

    def is_in_force(self, month: str) -> bool:
        return (self.valid_from or month) <= month <= (self.valid_to or month)


def _misplaced(problem: str, *place: str | int) -> ValidationError:
    """An error at `place` below the value that a validator sees, so that the loader finds file and line."""
    error = PydanticCustomError("policy", "{problem}", {"problem": problem})
    return ValidationError.from_exception_data("policy", [InitErrorDetails(type=error, loc=place, input=None)])


# ---- survey --------------------------------------------------------------------------------------------------------


class SurveyClass(Model):
    code: str
    minimum: float


class Survey(Model):
    """A questionnaire: its element codes, scale and weight. SKM (PermenPANRB 14/2017) has nine on a scale of 4.

    `element_weight` is what one element counts (empty: 1 / number of elements); printed tables use 0.111 or 0.11.
    """

    labels: Labels
    elements: dict[str, Labels]
    scale_max: Annotated[int, Field(ge=2)] = 4
    element_weight: Annotated[float, Field(gt=0, le=1)] | None = None
    classes: list[SurveyClass]
    straight_line_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    burst_count: Annotated[int, Field(ge=2)] = 5
    burst_seconds: Annotated[int, Field(ge=1)] = 60

    @model_validator(mode="after")
    def _adds_up(self) -> Survey:
        if not self.elements:
            raise ValueError("a survey needs elements")
        if self.weight * len(self.elements) > 1 + 1e-9:
            whole = 1 / len(self.elements)
            problem = f"{len(self.elements)} elements of {self.weight:g} are more than 1; write at most {whole:.3g}"
            raise _misplaced(problem, "element_weight")
        codes = [band.code for band in self.classes]
        if repeated := next((n for n, code in enumerate(codes) if code in codes[:n]), None):
            raise _misplaced(f"the class {codes[repeated]} stands twice", "classes", repeated, "code")
        return self

    @property
    def weight(self) -> float:
        return self.element_weight if self.element_weight is not None else 1 / len(self.elements)


# ---- 360-degree appraisal ------------------------------------------------------------------------------------------

ANONYMOUS: frozenset[RaterRole] = frozenset({"peer", "subordinate"})
"""Roles whose raters must not be singled out; superior and self are one person by nature."""
ANONYMITY_FLOOR = 3
"""Of two raters each knows what the other said."""


class RaterGroup(Model):
    """One role: how many are asked (`all` who have it in the register), and below how many the role counts as absent.

    Where all are asked, all must answer, and at least `minimum`.
    """

    asked: Annotated[int, Field(ge=1)] | Literal["all"] = 1
    minimum: Annotated[int, Field(ge=1)] = 1
    weight: Annotated[float, Field(ge=0, le=1)] = 0.0


class AppraisalRound(Model):
    """One round: answers count from `opens` to `closes`, both included, in the month `period`; own `competencies`
    replace the shared ones. It is computed once: after closing, or from `computed_from` on where files come later."""

    labels: Labels
    survey_code: Identifier = "appraisal"
    period: Month
    opens: dt.date
    closes: dt.date
    computed_from: dt.date | None = None
    competencies: dict[Identifier, Labels] = {}

    @model_validator(mode="after")
    def _in_order(self) -> AppraisalRound:
        first, last = f"{self.opens:%Y-%m}", f"{self.closes:%Y-%m}"
        if self.closes < self.opens:
            raise ValueError("closes is before opens")
        if self.computed_from is not None and self.computed_from <= self.closes:
            raise ValueError("computed_from must be after closes")
        if last > self.period:
            raise ValueError(f"the round closes after its period; let it count in {last} or later")
        if _months_apart(first, self.period) > 11:
            raise ValueError("the round opens more than eleven months before its period")
        return self

    def is_due(self, today: dt.date) -> bool:
        """Whether the round has closed and may be computed."""
        return today > self.closes and (self.computed_from is None or today >= self.computed_from)


def _months_apart(first: str, last: str) -> int:
    return (int(last[:4]) - int(first[:4])) * 12 + int(last[5:]) - int(first[5:])


class Appraisal(Model):
    """360-degree appraisal (DOMAIN sections 4 and 9): roles, competencies, what a missing role means, and the rounds.

    `by_position` replaces the roles' weights for a position level. `unit_minimum` is how many people a mean over a unit
    needs; `gap_points` how far, in percent of the scale, a strength or weakness lies from the unit's mean.
    """

    scale_max: Annotated[int, Field(ge=2, le=100)] = 5
    roles: dict[RaterRole, RaterGroup] = {}
    by_position: dict[str, dict[RaterRole, Annotated[float, Field(ge=0, le=1)]]] = {}
    on_missing: Literal["pending", "renormalise"] = "pending"
    unit_minimum: Annotated[int, Field(ge=ANONYMITY_FLOOR)] = ANONYMITY_FLOOR
    gap_points: Annotated[float, Field(gt=0, le=100)] = 10.0
    competencies: dict[Identifier, Labels] = {}
    rounds: dict[Identifier, AppraisalRound] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Appraisal:
        for role, group in self.roles.items():
            if role in ANONYMOUS and group.minimum < ANONYMITY_FLOOR:
                raise ValueError(
                    f"roles.{role}.minimum must be at least {ANONYMITY_FLOOR}: fewer raters know each other"
                )
        for place, weights in [
            ("roles", self.weights(None)),
            *((f"by_position.{p}", w) for p, w in self.by_position.items()),
        ]:
            if unknown := sorted(set(weights) - set(self.roles)):
                raise ValueError(f"{place}: the role {unknown[0]} is not among roles")
            if weights.get("self"):
                raise ValueError(f"{place}: what people say of themselves does not count; give self no weight")
            if weights and abs(sum(weights.values()) - 1) > 1e-9:
                raise ValueError(f"{place}: the weights sum to {sum(weights.values()):g}, not 1")
        periods = [r.period for r in self.rounds.values()]
        if repeated := [p for p in periods if periods.count(p) > 1]:
            raise ValueError(f"two rounds count in {repeated[0]}; a month has one")
        if self.rounds and not self.roles:
            raise ValueError("rounds need roles")
        for name, each in self.rounds.items():
            if not self.competencies_of(each):
                raise ValueError(f"rounds.{name}: there are no competencies")
        return self

    def weights(self, position_level: str | None) -> dict[RaterRole, float]:
        """The roles' weights for a position level; those of the roles themselves where it has none of its own."""
        shared = {role: group.weight for role, group in self.roles.items()}
        return self.by_position.get(position_level, shared) if position_level is not None else shared

    def competencies_of(self, held: AppraisalRound) -> dict[str, Labels]:
        return held.competencies or self.competencies


# ---- indicators and evaluation -------------------------------------------------------------------------------------


class Target(Model):
    """What is expected: one value, or a range for direction `range`; `by_position` overrides it per position level."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    by_position: dict[str, float] = {}
    kind: Literal["level", "additive"] = "level"


DURATIONS = ("minutes", "hours", "working hours", "days", "working days")


class Indicator(Model):
    """One indicator: row expressions over one fact, summed per subject and period, divided last.

    `numerator` and `denominator` are SQL expressions over the fact's columns, evaluated per row and summed over the
    rows that `filter` keeps and that have both values. Only `ratio` has a denominator. `count` sums the numerator,
    `last` takes the last month's sum (of figures measured by day the last day's), `median` and `p90` (nearest rank)
    sort the numerator's values, `growth` divides the sum by that of the same month last year (1 is unchanged; with
    scale 100, 103 is three percent more).
    """

    labels: Labels
    fact: str
    filter: str | None = None
    numerator: str
    denominator: str | None = None
    statistic: Literal["ratio", "count", "last", "median", "p90", "growth"] = "ratio"
    scale: float = 1.0
    subjects: list[SubjectKind]
    aspect: Aspect
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
        if self.statistic != "ratio" and self.denominator is not None:
            raise ValueError(f"statistic {self.statistic} takes no denominator; leave it out, or write ratio")
        if self.target.kind == "additive" and self.statistic != "count":
            raise ValueError(f"only counts add up: statistic {self.statistic} needs target.kind level")
        if self.unit == "percent" and self.statistic == "count":
            raise ValueError("percents do not add up: statistic count cannot have unit percent; write ratio")
        if self.unit == "percent" and self.statistic == "growth" and self.scale != 100:
            raise ValueError(f"growth in percent needs scale 100, not {self.scale:g}")
        if self.unit in DURATIONS and self.statistic in ("ratio", "growth") and self.scale == 100:
            raise ValueError(f"scale 100 makes percents, the unit is {self.unit}; write unit percent, or leave it out")
        if self.direction == "range" and (self.target.low is None or self.target.high is None):
            raise ValueError("direction range needs target.low and target.high")
        if self.direction != "range" and self.target.value is None:
            raise ValueError("target.value is missing")
        return self

    @property
    def measured_by(self) -> tuple[object, ...]:
        """What the measures rest on: two declarations that agree in it can share them, whatever their targets."""
        return (self.fact, self.filter, self.numerator, self.denominator, self.statistic, *sorted(self.subjects))


class Credit(Model):
    """Conversion of official predicates into credit (PermenPANRB 1/2023): the share of the yearly coefficient that each
    predicate earns, and the coefficients by position or position level, as the register names them."""

    shares: dict[Predicate, Annotated[float, Field(ge=0)]] = {
        "sangat_baik": 1.5,
        "baik": 1.0,
        "butuh_perbaikan": 0.75,
        "kurang": 0.5,
        "sangat_kurang": 0.25,
    }
    coefficients: dict[str, Annotated[float, Field(gt=0)]] = {}


class Evaluation(Model):
    """Thresholds of the recommended rating (DOMAIN sections 2 and 9), in percent of target; and within how many days of
    its receipt a rating may be objected to."""

    minimum_coverage_share: Annotated[float, Field(ge=0, le=1)] = 0.6
    result_above: float = 110
    result_meets: float = 90
    behaviour_above: float = 90
    behaviour_meets: float = 70
    result_weight: Annotated[float, Field(ge=0, le=1)] = 0.7
    result_weight_with_opinion: Annotated[float, Field(ge=0, le=1)] = 0.6
    distribution_minimum_people: Annotated[int, Field(ge=1)] = 10
    objection_days: Annotated[int, Field(ge=1)] = 14
    credit: Credit = Credit()


class TrainingEffect(Model):
    """Before and after a programme: over how many months on either side (the month of completion is left out), of which
    indicator per competency, and how much evidence it takes to tell anything of a person and of a programme."""

    months: Annotated[int, Field(ge=1, le=5)] = 3
    minimum_months: Annotated[int, Field(ge=1, le=5)] = 2
    minimum_people: Annotated[int, Field(ge=ANONYMITY_FLOOR)] = ANONYMITY_FLOOR
    indicators: dict[Identifier, Identifier]

    @model_validator(mode="after")
    def _attainable(self) -> TrainingEffect:
        if self.minimum_months > self.months:
            raise ValueError(f"minimum_months {self.minimum_months} are more than the {self.months} months compared")
        return self


class Training(Model):
    """Hours of competence programmes (JP) that are expected of everybody in a year, and how their effect is looked
    at; without `effect` it is not."""

    expected_hours: Annotated[float, Field(gt=0)] = 20.0
    effect: TrainingEffect | None = None


class Tasks(Model):
    """The service standard: within how many working hours (of the default schedule) tasks of a type are to be done that
    come without a due time of their own."""

    standard_hours: dict[TaskType, Annotated[float, Field(gt=0, le=2000)]] = {}


class Periods(Model):
    """A month is closed from this day of the next month on; at least the 2nd, so that a whole day has passed.

    `restating` says whether a closed month that comes out otherwise is published at once or waits until somebody has
    approved it; `most_months_unasked` is how many months run by themselves when files come, before somebody is asked.
    """

    closing_day: Annotated[int, Field(ge=2, le=28)] = 5
    task_lookback_months: Annotated[int, Field(ge=0, le=36)] = 12
    restating: Literal["automatic", "approval"] = "automatic"
    most_months_unasked: Annotated[int, Field(ge=1)] = 12


class Retention(Model):
    """How many months things are kept that no figure is computed from, after the month in which they came; empty: for
    ever.

    `quarantine_months`: what a rejected row said. Which line of which file it was, and why it was rejected, stays.
    `run_months`: Dagster's runs and what they told, except the last of each partition.
    """

    quarantine_months: Annotated[int, Field(ge=3)] | None = 24
    run_months: Annotated[int, Field(ge=3)] | None = 12


class Deadline(Model):
    """By which day of the next month a month's files of a feed are in time (that day included), and how many there
    are."""

    due_day: Annotated[int, Field(ge=1, le=28)]
    files: Annotated[int, Field(ge=1)] = 1


class Promise(Model):
    """Something the region asks of the pipeline, and what keeps it: indicators and follow-up rules by id, published
    tables beside those in which these stand anyway, and the views that show it. For readers; nothing is computed from
    it."""

    labels: Labels
    indicators: list[Identifier] = []
    follow_up: list[Identifier] = []
    tables: list[Identifier] = []
    views: list[Identifier] = []


class Policy(Model):
    """Everything one region has decided. `contacts` are the addresses of the teams that the contracts name as owners of
    feeds: whom a refused file of theirs is told to."""

    region: Identifier
    version: str
    labels: Labels
    promises: dict[PromiseId, Promise] = {}
    contacts: dict[str, list[Email]] = {}
    time_zone: str
    first_month: Month = "2025-01"
    calendar: Calendar
    schedules: dict[Identifier, Schedule]
    attendance: Attendance
    permits: dict[str, Permit]
    deductions: list[Deduction]
    allowance: Allowance | None = None
    discipline: list[DisciplineThreshold]
    feeds: dict[str, list[FileMapping]]
    deliveries: dict[EventFeed, Deadline] = {}
    surveys: dict[str, Survey]
    appraisal: Appraisal = Appraisal()
    indicators: dict[Identifier, Indicator]
    evaluation: Evaluation
    tasks: Tasks = Tasks()
    training: Training = Training()
    follow_up: dict[Identifier, FollowUpRule]
    exclusions: Exclusions = Exclusions()
    periods: Periods
    retention: Retention = Retention()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in _time_zones():
            raise ValueError(f"'{value}' is not a time zone; Indonesia has Asia/Jakarta, Asia/Makassar, Asia/Jayapura")
        return value

    @field_validator("deductions")
    @classmethod
    def _unambiguous(cls, value: list[Deduction]) -> list[Deduction]:
        for (first, one), (second, other) in combinations(enumerate(value), 2):
            both = next((k for k in _DEDUCTED if one.applies_to(*k) and other.applies_to(*k)), None)
            if one.valid_from == other.valid_from and both is not None:
                raise _misplaced(
                    f"from {one.valid_from} on, tables {first + 1} and {second + 1} both hold for {both[0]} on "
                    f"{both[1]} days; name other employment_status or day_types",
                    second,
                )
        for month in {table.valid_from for table in value}:
            for status in get_args(EmploymentStatus):
                found = [t for d in get_args(WorkedDayType) if (t := _in_force(value, month, status, d))]
                for table in found[1:]:
                    if (table.base, table.month_cap_share) != (found[0].base, found[0].month_cap_share):
                        raise _misplaced(
                            f"in {month} another table with another base or month_cap_share holds for other days of "
                            f"{status}; a month's deductions need one base and one cap to add up",
                            value.index(table),
                        )
        return value

    @field_validator("discipline")
    @classmethod
    def _mildest_first(cls, value: list[DisciplineThreshold]) -> list[DisciplineThreshold]:
        for number, threshold in enumerate(value):
            before = [t for t in value[:number] if t.counter == threshold.counter and t.days > threshold.days]
            if before and any(_overlap(t, threshold) for t in before):
                raise _misplaced("thresholds are listed from the mildest to the gravest", number, "days")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Policy:
        if self.attendance.default_schedule not in self.schedules:
            raise ValueError(f"attendance.default_schedule '{self.attendance.default_schedule}' is not among schedules")
        for status, schedule in self.attendance.schedule_by_employment.items():
            if schedule not in self.schedules:
                place = ("attendance", "schedule_by_employment", status)
                raise _misplaced(f"'{schedule}' is not among schedules", *place)
        for feed in self.deliveries:
            if feed not in self.feeds:
                raise _misplaced(f"'{feed}' is not among feeds", "deliveries", feed)
        weights = sum(i.weight for i in self.indicators.values() if i.is_active and "employee" in i.subjects)
        if weights and abs(weights - 1) > 1e-9:
            raise ValueError(f"the weights of the active employee indicators sum to {weights:g}, not 1")
        for code, name in (self.training.effect.indicators if self.training.effect else {}).items():
            found = self.indicators.get(name)
            if found is None or not found.is_active or "employee" not in found.subjects or found.statistic != "ratio":
                problem = f"'{name}' is no active ratio of employees; only those add up over months and people"
                raise _misplaced(problem, "training", "effect", "indicators", code)
        for rule_id, rule in self.follow_up.items():
            if isinstance(rule, DisagreementRule):
                self._has_survey(rule_id, rule)
        for promise_id, promise in self.promises.items():
            for part, named, known in (
                ("indicators", promise.indicators, self.indicators),
                ("follow_up", promise.follow_up, self.follow_up),
            ):
                if unknown := [name for name in named if name not in known]:
                    first = named.index(unknown[0])
                    raise _misplaced(f"'{unknown[0]}' is not among {part}", "promises", promise_id, part, first)
        return self

    def _has_survey(self, rule_id: str, rule: DisagreementRule) -> None:
        if rule.survey_code not in self.surveys:
            place = ("follow_up", rule_id, rule.rule, "survey_code")
            raise _misplaced(f"'{rule.survey_code}' is not among surveys", *place)
        classes = [c.code for c in self.surveys[rule.survey_code].classes]
        if unknown := [code for code in rule.low_classes if code not in classes]:
            place = ("follow_up", rule_id, rule.rule, "low_classes")
            raise _misplaced(f"'{unknown[0]}' is no class of {rule.survey_code}; it has {', '.join(classes)}", *place)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def deduction(self, month: str, employment_status: str, day_type: str) -> Deduction | None:
        """The deduction table in force in `month` for such days of such people, None when none has started."""
        return _in_force(self.deductions, month, employment_status, day_type)

    def deductions_in_force(self, month: str) -> list[Deduction]:
        """The tables that rule some days of some people in `month`, as they are listed."""
        ruling = [self.deduction(month, status, kind) for status, kind in _DEDUCTED]
        return [table for table in self.deductions if any(table is each for each in ruling)]


_DEDUCTED = [(status, kind) for status in get_args(EmploymentStatus) for kind in get_args(WorkedDayType)]


def _in_force(tables: list[Deduction], month: str, employment_status: str, day_type: str) -> Deduction | None:
    started = [t for t in tables if t.valid_from <= month and t.applies_to(employment_status, day_type)]
    return max(started, key=lambda t: t.valid_from) if started else None


def _overlap(one: DisciplineThreshold, other: DisciplineThreshold) -> bool:
    spans = [(t.valid_from or "0000-01", t.valid_to or "9999-12") for t in (one, other)]
    return max(first for first, _ in spans) <= min(last for _, last in spans)
