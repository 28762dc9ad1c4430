"""Attendance: which status, minutes and deduction every active employee has on every day, and their month sums.

Here: taps, shifts and permits become days, days become months. Not here: the hours and permits of a day (facts/shifts,
facts/calendar), what a day costs (facts/deductions), counters of unexcused days (facts/discipline), indicators (kpi/).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import polars as pl

from kinerja_pipeline.facts.by_people import PEOPLE_AT_ONCE
from kinerja_pipeline.facts.deductions import setting, tables_of, with_deduction, with_table
from kinerja_pipeline.facts.discipline import (
    absence_runs,
    covered_from,
    is_any_recorded,
    joined_after,
    threshold_reached,
    unexcused_days,
)
from kinerja_pipeline.facts.periods import in_force, month_bounds, month_start, utc
from kinerja_pipeline.facts.shifts import STRETCH, instant, permit_days, person_days, position, shift_windows
from kinerja_pipeline.policies.model import Deduction, Policy

WITH_PRESENCE = ("present", "late", "left_early", "late_and_left_early", "missing_in", "missing_out")
JUDGED = (*WITH_PRESENCE, "absent")
BY_PERMIT = ("leave", "duty_travel", "sick", "permit", "study", "remote_work")
UNSCHEDULED = ("off", "holiday")
COUNTED_COLUMNS = ("nip", "work_date", "period", "status_code", "late_minutes")
"""What the counters of a month need of the days of earlier months."""
SUMMED_COLUMNS = (
    *COUNTED_COLUMNS,
    *("unit_id", "tap_count", "early_minutes", "deduction_share", "deduction_base_code", "deduction_cap_share"),
)
"""What the sums of a month need of its own days."""

ONE_DAY = dt.timedelta(days=1)
MARGIN = dt.timedelta(hours=36)
"""Taps this far outside the month are read: shifts cross midnight and month ends (FEEDS, Time)."""

_BILLION = 1_000_000_000
_NO_TIME = pl.lit(dt.timedelta(0), dtype=pl.Duration("us"))

_CLOCK = pl.Series("clock", [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(24 * 60)])


def attendance_day(
    taps: pl.DataFrame,
    employees: pl.DataFrame,
    device_pins: pl.DataFrame,
    permits: pl.DataFrame,
    rosters: pl.DataFrame,
    outages: pl.DataFrame,
    policy: Policy,
    month: str,
    as_of: dt.date,
) -> pl.DataFrame:
    """One row per active employee (`utama` assignment) and local day of `month` up to `as_of`, with exactly one status.

    In and out follow from the shift window a tap falls in, never from its calendar date or the pressed state (DOMAIN
    sections 5 and 9); windows of neighbouring shifts that overlap meet halfway between out and in, and a tap within
    repeat_seconds of the tap before it is the same tap. `taps` reach 36 h beyond the month on both sides.

    On a flexible schedule a start up to flexible_minutes later is no lateness, and the end is so much later; made-up
    minutes (stayed longer, up to the rule table's limit) are no lateness either. An outage of a device that knows the
    person, on a date the shift touches, waives the penalty of the one missing tap: not lateness, not absence.

    *Null when*: late_minutes and early_minutes where the day is not judged or that tap is missing (0 under a permit for
    that half); worked_minutes without both taps; deduction_share where not_recorded or no rule table is in force.

    *Edge*: without any tap, `absent` needs a PIN and a tap by someone on **every** device that knows the person, on
    each date the shift touches; else `not_recorded`, so that a withheld file never adds an absence. A permit of a kind
    (or a schedule) that the policy does not name leaves the day `not_recorded`: an official would neither excuse it nor
    accuse. Two half permits are a whole one (status of the first half); half a permit and no tap is the other tap
    missing, without presence. A whole permit beats taps, remote work like any other: no working day here, so neither
    absence nor deduction. Taps on `off` and `holiday` are only counted. Rostered people follow the roster alone;
    without a row they are off. An outage that nobody ended lasts until `as_of`.
    """
    parts = attendance_days([taps], employees, device_pins, permits, rosters, outages, policy, month, as_of)
    return pl.concat(parts)


def attendance_days(
    taps: Iterable[pl.DataFrame],
    employees: pl.DataFrame,
    device_pins: pl.DataFrame,
    permits: pl.DataFrame,
    rosters: pl.DataFrame,
    outages: pl.DataFrame,
    policy: Policy,
    month: str,
    as_of: dt.date,
) -> Iterator[pl.DataFrame]:
    """The rows of attendance_day in their order, PEOPLE_AT_ONCE people after people. `taps` come in parts too: of a
    part only people and instants are kept."""
    first, last = month_bounds(month)
    until, origin = min(last, as_of), _midnight(first) - 2 * MARGIN
    people = _numbered(employees)
    pins = in_force(device_pins.select("device_id", "pin", "nip", "valid_from", "valid_to"), ["device_id", "pin"])
    pins = pins.join(people, on="nip").drop("nip")
    heard, instants = _heard(taps, pins, origin, month)
    down = _down_dates(outages, first, as_of)
    registers = (employees, rosters, permits)
    staff, planned, permitted = (_by_group(frame.join(people, on="nip", maintain_order="left")) for frame in registers)
    known = _by_group(pins)
    # A region without employees has one part without rows.
    for group in sorted(staff) or [0]:
        shifts = person_days(staff[group], planned[group], policy, first - ONE_DAY, last + ONE_DAY)
        days = shifts.filter(pl.col("work_date").is_between(first, until))
        days = _with_taps(days, shifts, _without_repeats(instants.pop(group, []), policy), origin, policy)
        days = _with_permits(days, permit_days(permitted[group], policy, first, until))
        days = _with_recordability(days, heard, down, known[group])
        yield _judged(days, policy, month)


def attendance_month(days: pl.DataFrame, policy: Policy, month: str, covered: dt.date | None = None) -> pl.DataFrame:
    """One row per employee with days in `month`: counts, shares, deduction and unexcused-day counters (PP 94/2021).

    `days` are attendance_day rows of `month`, of the earlier months of its year, and of as many months before as a run
    of absences may reach back to; of earlier months COUNTED_COLUMNS are enough. Where they are those of some people,
    `covered` says from when on everybody's have no gap (facts/discipline). A run is broken by any other working
    day, permit or unrecorded day, not by `off` or `holiday`; the longest run that touches the month counts, over month
    and year ends. Late minutes become unexcused days where the policy says so; they are no part of a run.

    *Null when*: attendance_share without working days, punctuality_share without presence; deduction_share and its base
    if the person's days have different bases, which do not add up; unexcused_year_count if a month of the year from
    policy.first_month on is lacking (counted_from_date says from when the days are complete), or if nothing was
    recorded of the person in the year; unexcused_run_count if the run reaches back to lacking months, or if nothing was
    recorded in the month. Of a person whose first day comes later nothing is lacking. Each counter has a reason beside
    it: why it is null, or `days_not_recorded` where it is a lower bound. *Edge*: a day with one tap missing is punctual
    if the other tap is; unit_id is that of the last active day; the gravest threshold is the last one reached in policy
    order.
    """
    covered = covered or covered_from(days["period"].unique(), month)
    status = pl.col("status_code")
    is_present = status.is_in(WITH_PRESENCE) & (pl.col("tap_count") > 0)
    is_punctual = is_present & (pl.col("late_minutes").fill_null(0) == 0) & (pl.col("early_minutes").fill_null(0) == 0)
    # Shares are summed as integers (billionths): float sums depend on the order in which threads deliver rows.
    deducted = (pl.col("deduction_share") * _BILLION).round().cast(pl.Int64)
    has_one_base = pl.when(pl.col("_bases") < 2)
    months = (
        days.filter(pl.col("period") == month)
        .group_by("nip")
        .agg(
            pl.col("unit_id").get(pl.col("work_date").arg_max()),
            _count(status.is_in(JUDGED)).alias("workday_count"),
            _count(status == "not_recorded").alias("not_recorded_count"),
            _count(is_present).alias("present_count"),
            _count(pl.col("late_minutes") > 0).alias("late_count"),
            _count(pl.col("early_minutes") > 0).alias("early_count"),
            _count(status == "absent").alias("absent_count"),
            _count(status.is_in(BY_PERMIT)).alias("leave_count"),
            pl.col("late_minutes").sum(),
            _count(is_punctual).alias("_punctual_count"),
            is_any_recorded().alias("_is_any_recorded"),
            pl.when(pl.col("deduction_share").is_not_null().any()).then(deducted.sum()).alias("_deducted"),
            pl.col("deduction_cap_share").max().alias("_cap"),
            pl.col("deduction_base_code").drop_nulls().n_unique().alias("_bases"),
            pl.col("deduction_base_code").drop_nulls().first(),
        )
    )
    year_start = month_start(f"{month[:4]}-01")
    counted_from = max(covered, year_start)
    needed_from = min(max(year_start, month_start(policy.first_month)), month_start(month))
    recent = days.filter(pl.col("work_date").is_between(covered, month_bounds(month)[1]))
    unexcused = unexcused_days(recent, policy, counted_from)
    runs = absence_runs(recent, month, is_start_known=covered <= month_start(policy.first_month))
    return (
        months.join(unexcused, on="nip", how="left")
        .join(runs, on="nip", how="left")
        .join(joined_after(days, covered), on="nip", how="left")
        .with_columns(
            _is_year_known=pl.lit(covered <= needed_from) | pl.col("_has_joined"),
            _is_run_known=pl.col("_is_run_known").fill_null(pl.col("_is_any_recorded"))
            | (pl.col("_has_joined") & pl.col("_is_any_recorded")),
        )
        .with_columns(
            period=pl.lit(month),
            attendance_share=_share("present_count", "workday_count"),
            punctuality_share=_share("_punctual_count", "present_count"),
            deduction_share=has_one_base.then((pl.col("_deducted") / _BILLION).clip(0, pl.col("_cap"))),
            deduction_base_code=has_one_base.then("deduction_base_code"),
            unexcused_year_count=pl.when("_is_year_known").then("_unexcused"),
            unexcused_run_count=pl.when("_is_run_known").then(pl.col("_run").fill_null(0)),
            unexcused_year_reason=_counter_reason("_is_year_known", pl.col("_unexcused").is_not_null(), "_lost"),
            unexcused_run_reason=_counter_reason("_is_run_known", pl.col("_is_any_recorded"), "not_recorded_count"),
            counted_from_date=pl.lit(counted_from),
        )
        .with_columns(discipline_threshold_code=threshold_reached(policy, month))
        .select(
            "nip",
            "period",
            "unit_id",
            "workday_count",
            "not_recorded_count",
            "present_count",
            "late_count",
            "early_count",
            "absent_count",
            "leave_count",
            "late_minutes",
            "attendance_share",
            "punctuality_share",
            "deduction_share",
            "deduction_base_code",
            "unexcused_year_count",
            "unexcused_run_count",
            "unexcused_year_reason",
            "unexcused_run_reason",
            "counted_from_date",
            "discipline_threshold_code",
        )
        .sort("nip")
    )


def _counter_reason(is_known: str, is_any_recorded: pl.Expr, lost: str) -> pl.Expr:
    """Why a counter is null, or that it counts too little; null where it is exact."""
    return (
        pl.when(~is_any_recorded)
        .then(pl.lit("nothing_recorded"))
        .when(~pl.col(is_known))
        .then(pl.lit("earlier_months_missing"))
        .when(pl.col(lost) > 0)
        .then(pl.lit("days_not_recorded"))
    )


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day)  # noqa: DTZ001 - wall clock of the region


# ---- taps ----------------------------------------------------------------------------------------------------------


def _numbered(employees: pl.DataFrame) -> pl.DataFrame:
    """nip, _group, _person: people in the order of their NIPs, PEOPLE_AT_ONCE in a group, numbered in each from 0."""
    number = pl.int_range(pl.len(), dtype=pl.Int64)
    people = employees.select(pl.col("nip").unique().sort())
    return people.with_columns(_group=number // PEOPLE_AT_ONCE, _person=number % PEOPLE_AT_ONCE)


def _by_group(rows: pl.DataFrame) -> Mapping[int, pl.DataFrame]:
    """The rows by their `_group`, in their order; of a group without rows none, with all columns."""
    parts = rows.partition_by("_group", as_dict=True, include_key=False, maintain_order=True)
    empty = rows.clear().drop("_group")
    return defaultdict(lambda: empty, {int(group): part for (group,), part in parts.items()})


def _heard(
    taps: Iterable[pl.DataFrame], pins: pl.DataFrame, origin: dt.datetime, month: str
) -> tuple[pl.DataFrame, dict[int, list[pl.Series]]]:
    """device_id, date, _heard: on which days each device heard anybody; and the taps of known people, by group, as they
    came: person and instant as one integer (facts/shifts), all that is kept of a hundred million of them."""
    first, last = month_bounds(month)
    day = pl.col("tapped_at").dt.date()
    is_near = pl.col("tapped_at").is_between(
        _midnight(first) - MARGIN, _midnight(last) + ONE_DAY + MARGIN, closed="left"
    )
    dates, instants = [], defaultdict[int, list[pl.Series]](list)
    for part in taps:
        near = part.select("device_id", "pin", "tapped_at").filter(is_near)
        dates.append(near.select("device_id", day.alias("date")).unique())
        placed = (
            near.join(pins, on=["device_id", "pin"])
            .filter(day >= pl.col("valid_from"), day <= pl.col("valid_to"))
            .select("_group", position(pl.col("tapped_at"), origin).alias("_at"))
        )
        for group, own in _by_group(placed).items():
            instants[group].append(own["_at"])
    return pl.concat(dates).unique().with_columns(_heard=True), instants


def _without_repeats(instants: Sequence[pl.Series], policy: Policy) -> pl.DataFrame:
    """One row per tap: `_at` in the order of person and instant; a tap soon after the one before is the same tap."""
    taps = pl.concat([pl.Series("_at", [], dtype=pl.Int64), *instants]).sort().to_frame()
    repeat = policy.attendance.repeat_seconds * 1_000_000
    return taps.filter(pl.col("_at").diff().fill_null(STRETCH) > repeat)


def _with_taps(
    days: pl.DataFrame, shifts: pl.DataFrame, taps: pl.DataFrame, origin: dt.datetime, policy: Policy
) -> pl.DataFrame:
    """`days` with first_in, last_out (local) and tap_count: of the shift's window, on days without one of the date."""
    placed = taps.join_asof(shift_windows(shifts, origin, policy), on="_at", strategy="backward").with_columns(
        _row=pl.when(pl.col("_at") < pl.col("_closes")).then("_row")
    )
    is_in = pl.col("_at") < pl.col("_turns")
    used = (
        placed.filter(pl.col("_row").is_not_null())
        .select("_row", pl.when(is_in).then("_at").alias("_in"), pl.when(~is_in).then("_at").alias("_out"))
        .group_by("_row")
        .agg(pl.col("_in").min(), pl.col("_out").max(), pl.len().cast(pl.Int64).alias("_used"))
    )
    stray = (
        placed.filter(pl.col("_row").is_null())
        .select((pl.col("_at") // STRETCH).alias("_person"), instant("_at", origin).dt.date().alias("work_date"))
        .group_by("_person", "work_date")
        .agg(pl.len().cast(pl.Int64).alias("_stray"))
    )
    return (
        days.join(used, on="_row", how="left", maintain_order="left")
        .join(stray, on=["_person", "work_date"], how="left", maintain_order="left")
        .with_columns(
            first_in=instant("_in", origin),
            last_out=instant("_out", origin),
            tap_count=pl.coalesce("_used", pl.when(pl.col("scheduled_in").is_null()).then("_stray"), 0),
        )
        .drop("_in", "_out", "_used", "_stray")
    )


# ---- permits and what could be recorded ----------------------------------------------------------------------------


def _with_permits(days: pl.DataFrame, permit_days: pl.DataFrame) -> pl.DataFrame:
    """`days` with what permits say: `_whole` status, `_is_first_excused`, `_is_second_excused`, `_is_kind_unknown`."""
    both = pl.when(pl.col("_second").is_not_null()).then("_first")
    return days.join(permit_days, on=["_person", "work_date"], how="left", maintain_order="left").with_columns(
        _whole=pl.coalesce("_whole", both),
        _is_first_excused=pl.col("_first").is_not_null(),
        _is_second_excused=pl.col("_second").is_not_null(),
        _is_kind_unknown=pl.col("_is_kind_unknown").fill_null(False),
    )


def _with_recordability(
    days: pl.DataFrame, heard: pl.DataFrame, down: pl.DataFrame, pins: pl.DataFrame
) -> pl.DataFrame:
    """`days` with `_is_recordable` and `_is_down` (a device of the person had an outage): looked up only where they
    decide, on scheduled days that lack a tap of the person."""
    has_tap = pl.col("first_in").is_not_null() | pl.col("last_out").is_not_null()
    lacks_tap = pl.col("first_in").is_null() | pl.col("last_out").is_null()
    silent = (
        days.filter(pl.col("scheduled_in").is_not_null(), lacks_tap)
        .select("_row", "_person", _dates("scheduled_in", "scheduled_out").alias("date"))
        .explode("date")
    )
    known = (
        silent.join(pins.select("_person", "device_id", "valid_from", "valid_to"), on="_person")
        .filter(pl.col("date").is_between("valid_from", "valid_to"))
        .join(heard, on=["device_id", "date"], how="left")
        .join(down, on=["device_id", "date"], how="left")
        .group_by("_row", "date")
        .agg(pl.col("_heard").is_not_null().all().alias("_is_recordable"), pl.col("_down").any().alias("_is_down"))
    )
    recordable = (
        silent.join(known, on=["_row", "date"], how="left")
        .group_by("_row")
        .agg(pl.col("_is_recordable").fill_null(False).all(), pl.col("_is_down").any())
    )
    return days.join(recordable, on="_row", how="left", maintain_order="left").with_columns(
        pl.col("_is_recordable").fill_null(False) | has_tap, pl.col("_is_down").fill_null(False)
    )


def _down_dates(outages: pl.DataFrame, first: dt.date, as_of: dt.date) -> pl.DataFrame:
    """One row per device and date that an outage touches, as far as shifts from `first` to `as_of` reach."""
    open_until, near = _midnight(as_of) + ONE_DAY, _midnight(as_of) + MARGIN
    return (
        outages.select(
            "device_id",
            pl.max_horizontal("started_at", pl.lit(_midnight(first))),
            pl.min_horizontal(pl.col("ended_at").fill_null(pl.lit(open_until)), pl.lit(near)),
        )
        .filter(pl.col("ended_at") > pl.col("started_at"))
        .select("device_id", _dates("started_at", "ended_at").alias("date"), _down=True)
        .explode("date")
        .unique()
    )


def _dates(start: str, end: str) -> pl.Expr:
    """The dates that the half-open stretch from `start` to `end` touches, as a list."""
    return pl.date_ranges(pl.col(start).dt.date(), (pl.col(end) - pl.duration(microseconds=1)).dt.date())


# ---- judging -------------------------------------------------------------------------------------------------------


def _judged(days: pl.DataFrame, policy: Policy, month: str) -> pl.DataFrame:
    tables = tables_of(policy, month)
    came, left = pl.col("first_in"), pl.col("last_out")
    has_tap = came.is_not_null() | left.is_not_null()
    is_excused = pl.col("_is_first_excused") | pl.col("_is_second_excused")
    paused = pl.min_horizontal(left, "break_to") - pl.max_horizontal(came, "break_from")
    pause = pl.when(pl.col("break_from").is_not_null() & (paused > _NO_TIME)).then(paused)
    worked = (left - came - pause.fill_null(_NO_TIME)).dt.total_microseconds() // 60_000_000
    status = pl.col("status_code")
    is_judged = status.is_in(JUDGED)
    return (
        days.pipe(with_table, policy, month)
        .pipe(_with_minutes, tables)
        .with_columns(
            worked_minutes=worked,
            status_code=pl.when(pl.col("day_type").is_in(UNSCHEDULED))
            .then("day_type")
            .when(pl.col("_whole").is_not_null())
            .then("_whole")
            .when(pl.col("day_type").is_null() | pl.col("_is_kind_unknown") | ~pl.col("_is_recordable"))
            .then(pl.lit("not_recorded"))
            .when(~has_tap & ~is_excused)
            .then(pl.lit("absent"))
            .when(came.is_null() & ~pl.col("_is_first_excused"))
            .then(pl.lit("missing_in"))
            .when(left.is_null() & ~pl.col("_is_second_excused"))
            .then(pl.lit("missing_out"))
            .when((pl.col("late_minutes") > 0) & (pl.col("early_minutes") > 0))
            .then(pl.lit("late_and_left_early"))
            .when(pl.col("late_minutes") > 0)
            .then(pl.lit("late"))
            .when(pl.col("early_minutes") > 0)
            .then(pl.lit("left_early"))
            .otherwise(pl.lit("present")),
            day_type=pl.col("day_type").fill_null("normal"),
        )
        .with_columns(
            late_minutes=pl.when(is_judged).then("late_minutes"),
            early_minutes=pl.when(is_judged).then("early_minutes"),
            is_workday=is_judged,
            is_present=status.is_in(WITH_PRESENCE) & has_tap,
        )
        .pipe(with_deduction, tables)
        .select(
            "nip",
            "work_date",
            pl.lit(month).alias("period"),
            "unit_id",
            "schedule_id",
            "day_type",
            *(
                utc(pl.col(column), policy.zone, month).alias(f"{column}_at")
                for column in ("scheduled_in", "scheduled_out", "first_in", "last_out")
            ),
            _clock(came).alias("first_in_local"),
            _clock(left).alias("last_out_local"),
            "worked_minutes",
            "late_minutes",
            "early_minutes",
            "status_code",
            "late_code",
            "early_code",
            "deduction_share",
            "deduction_base_code",
            "deduction_rule",
            "tap_count",
            pl.lit(policy.version).alias("rule_version"),
            "is_workday",
            "is_present",
            "deduction_cap_share",
        )
    )


def _with_minutes(days: pl.DataFrame, tables: Sequence[Deduction]) -> pl.DataFrame:
    """`days` with late_minutes and early_minutes after permits, flexible hours and making up, and `_made_up`."""
    counts_seconds = setting(tables, lambda t: t.counts_seconds, pl.Boolean()).fill_null(False)
    started = pl.when(counts_seconds).then(59_999_999).otherwise(0)
    came, left = pl.col("first_in"), pl.col("last_out")

    def minutes(duration: pl.Expr, more: pl.Expr | int = 0) -> pl.Expr:
        return (duration.dt.total_microseconds().clip(lower_bound=0) + more) // 60_000_000

    after_start = pl.when("_is_first_excused").then(0).otherwise(minutes(came - pl.col("scheduled_in"), started))
    shift = pl.min_horizontal(after_start.fill_null(0), pl.col("flexible_minutes").fill_null(0))
    ends = pl.col("scheduled_out") + pl.duration(minutes=pl.col("_shift"))
    early = pl.when("_is_second_excused").then(0).otherwise(minutes(ends - left, started))
    limit = setting(tables, lambda t: t.make_up_minutes, pl.Int64()).fill_null(0)
    stayed = pl.when(~pl.col("_is_second_excused")).then(minutes(left - ends)).fill_null(0)
    return (
        days.with_columns(after_start.alias("_after_start"), shift.alias("_shift"))
        .with_columns(_late=pl.col("_after_start") - pl.col("_shift"), early_minutes=early)
        .with_columns(_made_up=pl.min_horizontal(pl.col("_late").fill_null(0), limit, stayed))
        .with_columns(late_minutes=pl.col("_late") - pl.col("_made_up"))
    )


def _clock(local: pl.Expr) -> pl.Expr:
    """HH:MM by look-up: formatting a million instants one by one costs more than judging them."""
    return pl.lit(_CLOCK).gather(local.dt.hour().cast(pl.Int64) * 60 + local.dt.minute())


# ---- the month -----------------------------------------------------------------------------------------------------


def _count(condition: pl.Expr) -> pl.Expr:
    return condition.sum().cast(pl.Int64)


def _share(numerator: str, denominator: str) -> pl.Expr:
    return pl.when(pl.col(denominator) > 0).then(pl.col(numerator) / pl.col(denominator))
