"""Attendance, tasks, SKM and kpi of the month in pandas, vectorised as a data engineer would: files in, Parquet out.

    .bench/bin/python benchmarks/peer_pandas.py --files landing/manokwari --to /tmp/pandas

The same as peer_duckdb: rejects the rows that the contracts reject, without saying why; one month; no evaluation, no
follow-up. No loop over rows, files read by Arrow, joins and groups on whole columns.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import peer_rules as rules
from peer_process import main

ENDLESS = pd.Timestamp("2200-01-01")
FIRST, LAST = pd.Timestamp(rules.FIRST), pd.Timestamp(rules.LAST)
BEFORE, AFTER = pd.Timestamp(rules.DAY_BEFORE), pd.Timestamp(rules.DAY_AFTER)
DAY, HOUR, MINUTE = pd.Timedelta(days=1), pd.Timedelta(hours=1), pd.Timedelta(minutes=1)
UTC = pd.Timedelta(hours=rules.UTC_HOURS)
NIP = r"[0-9]{18}"


def read(folder: Path, feed: str, pattern: str = "*.csv") -> pd.DataFrame:
    # Arrow's reader refuses a file with one short row; this one fills it.
    files = sorted((folder / feed).glob(pattern))
    return pd.concat(
        [pd.read_csv(file, dtype="str", keep_default_na=False, na_values=[""]) for file in files], ignore_index=True
    )


def moments(text: pd.Series) -> pd.Series:
    return pd.to_datetime(text, format="%Y-%m-%d %H:%M:%S", errors="coerce").astype("datetime64[us]")


def dates(text: pd.Series) -> pd.Series:
    return pd.to_datetime(text, format="%Y-%m-%d", errors="coerce").astype("datetime64[us]")


def unreadable(text: pd.Series, value: pd.Series) -> pd.Series:
    return text.notna() & value.isna()


def in_force(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    rows = rows.sort_values([*key, "valid_from"])
    following = rows.groupby(key)["valid_from"].shift(-1) - DAY
    until = rows["valid_to"].fillna(ENDLESS)
    rows["valid_to"] = until.where(following.isna() | (until <= following), following)
    return rows[rows["valid_to"] >= rows["valid_from"]]


def registers(files: Path) -> dict[str, pd.DataFrame]:
    units = read(files, "org_unit")
    units["valid_from"], units["valid_to"] = dates(units["valid_from"]), dates(units["valid_to"])
    units["population"] = pd.to_numeric(units["population_served"])
    given = read(files, "employee")
    start, end = dates(given["valid_from"]), dates(given["valid_to"])
    is_good = (
        given["nip"].str.fullmatch(NIP, na=False)
        & ~given["nip"].str.endswith("000", na=False)
        & given["assignment_code"].isin(["utama", "plt"])
        & start.notna()
        & given["name"].str.len().between(1, 120)
        & given["employment_status"].isin(rules.STATUSES)
        & given["position_level"].isin(rules.LEVELS)
        & given["unit_id"].isin(units["unit_id"])
        & (given["supervisor_nip"].isna() | given["supervisor_nip"].str.fullmatch(NIP, na=False))
        & ~unreadable(given["valid_to"], end)
        & ~(end < start)
    )
    employees = given.assign(valid_from=start, valid_to=end)[is_good]
    employees = employees[~employees.duplicated(["nip", "assignment_code", "valid_from"], keep=False)]
    known = pd.DataFrame({"nip": employees["nip"].unique()})
    known["person"] = np.arange(len(known))
    assigned = in_force(employees[employees["assignment_code"] == "utama"], ["nip"]).merge(known, on="nip")
    pins = read(files, "device_pin").merge(known, on="nip")
    start, end = dates(pins["valid_from"]), dates(pins["valid_to"])
    is_good = (
        pins["device_id"].str.len().between(1, 40)
        & pins["pin"].str.fullmatch("[0-9A-Za-z]{1,24}", na=False)
        & start.notna()
        & ~(end < start)
    )
    pins = in_force(pins.assign(valid_from=start, valid_to=end)[is_good], ["device_id", "pin"])
    roster = read(files, "shift_roster").merge(known, on="nip")
    roster["work_date"] = dates(roster["work_date"])
    roster = roster[roster["work_date"].between(BEFORE, AFTER) & roster["schedule_id"].str.len().between(1, 40)]
    roster = roster.drop_duplicates().drop_duplicates(["person", "work_date"], keep=False)
    permits = read(files, "leave_permit").merge(known, on="nip")
    start, end = dates(permits["start_date"]), dates(permits["end_date"])
    is_good = (
        permits["permit_id"].str.len().between(1, 60)
        & permits["part"].isin(["whole", "first_half", "second_half"])
        & (end >= start)
    )
    permits = permits.assign(start=start, end=end, status=permits["kind_code"].map(rules.PERMITS))[is_good]
    permits = permits[~permits.duplicated("permit_id", keep=False)]
    return {
        "units": units,
        "employees": employees,
        "known": known,
        "assigned": assigned,
        "pins": pins,
        "roster": roster,
        "permits": permits,
    }


def hours(start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """One row per schedule and day with its working time."""
    days = pd.DataFrame({"work_date": pd.date_range(start, end).astype("datetime64[us]")})
    is_free = days["work_date"].isin(pd.to_datetime(list(rules.HOLIDAYS)))
    weekday = days["work_date"].dt.day_of_week
    works = ~is_free & (weekday < 5)

    def at(normal: str, friday: str) -> pd.Series:
        text = pd.Series(np.where(weekday == 4, friday, normal), index=days.index)
        return (days["work_date"] + pd.to_timedelta(text + ":00")).where(works)

    office = days.assign(
        schedule_id=rules.OFFICE,
        day_type=np.select([is_free, weekday > 4, weekday == 4], ["holiday", "off", "friday"], "normal"),
        **{
            name: at(normal, friday)
            for name, normal, friday in zip(
                ("starts", "ends", "break_from", "break_to"), rules.OFFICE_DAY, rules.OFFICE_FRIDAY, strict=True
            )
        },
    )
    shifts = [
        days.assign(
            schedule_id=shift,
            day_type="shift",
            starts=days["work_date"] + begin * HOUR,
            ends=days["work_date"] + over * HOUR,
        )
        for shift, (begin, over) in rules.SHIFTS.items()
    ]
    return pd.concat([office, *shifts])


def read_taps(files: Path, pins: pd.DataFrame) -> pd.DataFrame:
    names = ["pin", "tapped_at", "device_id", "state", "verify", "work"]
    parts = [
        pd.read_csv(
            f, sep="\t", header=None, names=names, dtype="str", quoting=3, keep_default_na=False, na_values=[""]
        )
        for f in sorted((files / "attendance_log").glob("*.dat"))
    ]
    taps = pd.concat(parts, ignore_index=True)
    taps["pin"], taps["device_id"] = taps["pin"].str.strip(), taps["device_id"].str.strip()
    taps["moment"] = moments(taps["tapped_at"])
    state, verify = (pd.to_numeric(taps[name], errors="coerce") for name in ("state", "verify"))
    is_good = (
        (taps["moment"] >= rules.MARGIN_FIRST)
        & (taps["moment"] < rules.MARGIN_OVER)
        & (state.between(0, 255) | taps["state"].isna())
        & (verify.between(0, 255) | taps["verify"].isna())
    )
    taps = taps.loc[is_good, ["device_id", "pin", "moment"]]
    taps = taps.merge(pins[["device_id", "pin", "person", "valid_from", "valid_to"]], on=["device_id", "pin"])
    day = taps["moment"].dt.normalize()
    return taps.loc[(day >= taps["valid_from"]) & (day <= taps["valid_to"]), ["device_id", "person", "moment"]]


def person_days(kept: dict[str, pd.DataFrame]) -> pd.DataFrame:
    days = pd.DataFrame({"work_date": pd.date_range(BEFORE, AFTER).astype("datetime64[us]")})
    columns = ["person", "nip", "unit_id", "schedule_id", "valid_from", "valid_to"]
    laid = kept["assigned"][columns].merge(days, how="cross")
    laid = laid[laid["work_date"].between(laid["valid_from"], laid["valid_to"])].drop(
        columns=["valid_from", "valid_to"]
    )
    laid["schedule_id"] = laid["schedule_id"].fillna(rules.OFFICE)
    roster = kept["roster"][["person", "work_date", "schedule_id"]].rename(columns={"schedule_id": "shift"})
    laid = laid.merge(roster, on=["person", "work_date"], how="left")
    is_rostered = laid["schedule_id"].isin(list(rules.SHIFTS))
    is_off = is_rostered & (laid["shift"].fillna("off") == "off")
    laid["schedule_id"] = laid["schedule_id"].where(~is_rostered | is_off, laid["shift"])
    laid["is_off"] = is_off
    laid = laid.merge(hours(BEFORE, AFTER), on=["schedule_id", "work_date"], how="left").drop(columns="shift")
    laid["day_type"] = laid["day_type"].where(~laid["is_off"], "off")
    times = ["starts", "ends", "break_from", "break_to"]
    laid[times] = laid[times].where(~laid["is_off"], pd.NaT)
    return laid.drop(columns="is_off").sort_values(["person", "work_date"], ignore_index=True)


def placed(days: pd.DataFrame, taps: pd.DataFrame) -> pd.DataFrame:
    """Taps without repeats, each with the day in whose window it falls."""
    shifts = days.loc[days["starts"].notna(), ["person", "work_date", "starts", "ends"]].copy()
    by_person = shifts.groupby("person")
    last_out, next_in = by_person["ends"].shift(1), by_person["starts"].shift(-1)
    before, after = rules.BEFORE_MINUTES * MINUTE, rules.AFTER_MINUTES * MINUTE
    since, until = last_out + (shifts["starts"] - last_out) / 2, shifts["ends"] + (next_in - shifts["ends"]) / 2
    earliest, latest = shifts["starts"] - before, shifts["ends"] + after
    floor = since.where(since <= last_out + after, last_out + after)
    ceiling = until.where(until >= next_in - before, next_in - before)
    shifts["opens"] = earliest.where(floor.isna() | (earliest >= floor), floor)
    shifts["closes"] = latest.where(ceiling.isna() | (latest <= ceiling), ceiling)
    shifts["turns"] = shifts["starts"] + (shifts["ends"] - shifts["starts"]) / 2
    taps = taps.sort_values(["person", "moment"])
    gap = taps["moment"].diff()
    is_first = taps["person"].diff() != 0
    taps = taps[is_first | (gap > pd.Timedelta(seconds=rules.REPEAT_SECONDS))]
    found = pd.merge_asof(
        taps[["person", "moment"]].sort_values("moment"),
        shifts[["person", "work_date", "opens", "closes", "turns"]].sort_values("opens"),
        left_on="moment",
        right_on="opens",
        by="person",
    )
    found["work_date"] = found["work_date"].where(found["moment"] < found["closes"])
    return found


def permit_days(permits: pd.DataFrame) -> pd.DataFrame:
    days = pd.DataFrame({"work_date": pd.date_range(FIRST, LAST).astype("datetime64[us]")})
    near = permits[(permits["end"] >= FIRST) & (permits["start"] <= LAST)].sort_values(["start", "permit_id"])
    laid = near[["person", "part", "status", "start", "end"]].merge(days, how="cross")
    laid = laid[laid["work_date"].between(laid["start"], laid["end"])]
    wide = laid.groupby(["person", "work_date", "part"])["status"].last().unstack("part")
    return wide.reindex(columns=["whole", "first_half", "second_half"]).reset_index()


def recordable(days: pd.DataFrame, taps: pd.DataFrame, pins: pd.DataFrame, files: Path) -> pd.DataFrame:
    silent = days[days["starts"].notna() & (days["first_in"].isna() | days["last_out"].isna())]
    begins, over = silent["starts"].dt.normalize(), (silent["ends"] - pd.Timedelta(microseconds=1)).dt.normalize()
    keys = silent[["person", "work_date"]]
    # A shift touches one date or two.
    touched = pd.concat([keys.assign(date=begins), keys.assign(date=over)[over > begins]])
    heard = taps.assign(date=taps["moment"].dt.normalize())[["device_id", "date"]].drop_duplicates().assign(heard=True)
    outages = read(files, "device_outage")
    start, end = moments(outages["started_at"]), moments(outages["ended_at"])
    length = (end - pd.Timedelta(microseconds=1)).dt.normalize() - start.dt.normalize()
    spread = outages.assign(start=start.dt.normalize(), n=length.dt.days + 1)
    spread = spread.loc[spread.index.repeat(spread["n"])]
    spread["date"] = spread["start"] + pd.to_timedelta(spread.groupby(level=0).cumcount(), unit="D")
    down = spread[["device_id", "date"]].drop_duplicates().assign(down=True)
    known = touched.merge(pins[["person", "device_id", "valid_from", "valid_to"]], on="person")
    known = known[known["date"].between(known["valid_from"], known["valid_to"])]
    known = known.merge(heard, on=["device_id", "date"], how="left").merge(down, on=["device_id", "date"], how="left")
    known["heard"], known["down"] = known["heard"].notna(), known["down"].notna()
    by_date = known.groupby(["person", "work_date", "date"]).agg(heard=("heard", "all"), down=("down", "any"))
    told = touched.merge(by_date.reset_index(), on=["person", "work_date", "date"], how="left")
    told["heard"], told["down"] = told["heard"].eq(True), told["down"].eq(True)
    return (
        told.groupby(["person", "work_date"]).agg(is_recordable=("heard", "all"), is_down=("down", "any")).reset_index()
    )


def whole_minutes(duration: pd.Series) -> pd.Series:
    return (duration // MINUTE).astype("Int64")


def reached(minutes: pd.Series, values: tuple[object, ...], default: object) -> np.ndarray:
    bounds = [minutes.ge(bound).fillna(False).to_numpy(bool) for bound, _ in reversed(rules.BANDS)]
    return np.select(bounds, list(reversed(values)), default)


def attendance_day(files: Path, kept: dict[str, pd.DataFrame]) -> pd.DataFrame:
    taps = read_taps(files, kept["pins"])
    every = person_days(kept)
    found = placed(every, taps)
    inside = found[found["work_date"].notna()]
    is_in = inside["moment"] < inside["turns"]
    used = (
        inside.assign(came=inside["moment"].where(is_in), left=inside["moment"].where(~is_in))
        .groupby(["person", "work_date"])
        .agg(first_in=("came", "min"), last_out=("left", "max"), taps=("moment", "size"))
        .reset_index()
    )
    stray = found[found["work_date"].isna()]
    stray = (
        stray.assign(work_date=stray["moment"].dt.normalize())
        .groupby(["person", "work_date"])
        .size()
        .rename("strays")
        .reset_index()
    )
    on = ["person", "work_date"]
    days = every[every["work_date"].between(FIRST, LAST)]
    for other in (used, stray, permit_days(kept["permits"])):
        days = days.merge(other, on=on, how="left")
    days = days.merge(recordable(days, taps, kept["pins"], files), on=on, how="left")
    starts, ends, came, left = (days[name] for name in ("starts", "ends", "first_in", "last_out"))
    tap_count = days["taps"].fillna(days["strays"].where(starts.isna())).fillna(0).astype("int64")
    no_first, no_second = days["first_half"].notna(), days["second_half"].notna()
    whole = days["whole"].where(days["whole"].notna(), days["first_half"].where(no_second))
    has_tap = came.notna() | left.notna()
    is_recordable = days["is_recordable"].eq(True) | has_tap
    is_down = days["is_down"].eq(True)
    zero = pd.Timedelta(0)
    late = whole_minutes((came - starts).clip(lower=zero)).mask(no_first, 0)
    early = whole_minutes((ends - left).clip(lower=zero)).mask(no_second, 0)
    until = left.where(left <= days["break_to"], days["break_to"])
    since = came.where(came >= days["break_from"], days["break_from"])
    pause = (until - since).clip(lower=zero).where(left.notna() & came.notna()).fillna(zero)
    is_late, is_early = late.gt(0).fillna(False).astype(bool), early.gt(0).fillna(False).astype(bool)
    day_type = days["day_type"]
    status = pd.Series(
        np.select(
            [
                day_type.isin(["off", "holiday"]),
                whole.notna(),
                day_type.isna() | ~is_recordable,
                ~has_tap & ~no_first & ~no_second,
                came.isna() & ~no_first,
                left.isna() & ~no_second,
                is_late & is_early,
                is_late,
                is_early,
            ],
            [
                day_type,
                whole,
                "not_recorded",
                "absent",
                "missing_in",
                "missing_out",
                "late_and_left_early",
                "late",
                "left_early",
            ],
            "present",
        ),
        index=days.index,
        dtype="str",
    )
    is_workday = status.isin([*rules.WITH_PRESENCE, "absent"])
    late, early = late.where(is_workday), early.where(is_workday)
    shares = tuple(share for _, share in rules.BANDS)
    cost = (
        reached(late, shares, 0.0).astype(float)
        + reached(early, shares, 0.0).astype(float)
        + np.where(status.isin(["missing_in", "missing_out"]) & ~is_down, rules.MISSING_SHARE, 0.0)
        + np.where(status == "absent", rules.ABSENT_SHARE, 0.0)
    )
    return pd.DataFrame(
        {
            "nip": days["nip"],
            "work_date": days["work_date"].dt.date,
            "unit_id": days["unit_id"],
            "schedule_id": days["schedule_id"],
            "day_type": day_type.fillna("normal"),
            "scheduled_in_at": starts - UTC,
            "scheduled_out_at": ends - UTC,
            "first_in_at": came - UTC,
            "last_out_at": left - UTC,
            "worked_minutes": whole_minutes(left - came - pause),
            "late_minutes": late,
            "early_minutes": early,
            "status_code": status,
            "late_code": reached(late, rules.LATE_CODES, None),
            "early_code": reached(early, rules.EARLY_CODES, None),
            "deduction_share": pd.Series(np.minimum(cost, 1.0), index=days.index).where(status != "not_recorded"),
            "tap_count": tap_count,
            "is_workday": is_workday,
            "is_present": status.isin(rules.WITH_PRESENCE) & has_tap,
        }
    )


def attendance_month(days: pd.DataFrame) -> pd.DataFrame:
    status = days["status_code"]
    is_present = status.isin(rules.WITH_PRESENCE) & (days["tap_count"] > 0)
    late, early = days["late_minutes"].fillna(0), days["early_minutes"].fillna(0)
    counted = pd.DataFrame(
        {
            "nip": days["nip"],
            "unit_id": days["unit_id"],
            "workday_count": days["is_workday"],
            "not_recorded_count": status == "not_recorded",
            "present_count": is_present,
            "late_count": late > 0,
            "early_count": early > 0,
            "absent_count": status == "absent",
            "leave_count": status.isin(rules.BY_PERMIT),
            "late_minutes": late,
            "punctual": is_present & (late == 0) & (early == 0),
            "deducted": (days["deduction_share"] * 1e9).round().astype("Int64"),
        }
    )
    # In the order of days, so that the last unit is that of the last day.
    sums = {name: "sum" for name in counted.columns if name not in ("nip", "unit_id")}
    months = counted.groupby("nip").agg({"unit_id": "last", **sums}).reset_index()
    months["attendance_share"] = (months["present_count"] / months["workday_count"]).where(months["workday_count"] > 0)
    months["punctuality_share"] = (months["punctual"] / months["present_count"]).where(months["present_count"] > 0)
    months["deduction_share"] = (months["deducted"] / 1e9).clip(upper=1.0)
    return months.drop(columns=["punctual", "deducted"])


def working_time(moment: pd.Series) -> pd.Series:
    """The working time that had passed at each moment since the calendar began, in microseconds."""
    office = hours(pd.Timestamp("2026-03-25"), pd.Timestamp("2026-05-24"))
    office = office[(office["schedule_id"] == rules.OFFICE) & office["starts"].notna()]
    stretches = pd.concat(
        [
            office[["starts", "break_from"]].rename(columns={"break_from": "ends"}),
            office[["break_to", "ends"]].rename(columns={"break_to": "starts"}),
        ]
    ).sort_values("starts")
    begins = stretches["starts"].to_numpy("datetime64[us]").astype("int64")
    length = stretches["ends"].to_numpy("datetime64[us]").astype("int64") - begins
    before = np.cumsum(length) - length
    at = moment.to_numpy("datetime64[us]").astype("int64")
    place = np.searchsorted(begins, at, side="right") - 1
    spent = before[place] + np.minimum(at - begins[place], length[place])
    return pd.Series(spent, index=moment.index)


def task_outcome(files: Path, kept: dict[str, pd.DataFrame]) -> pd.DataFrame:
    given = read(files, "task_record")
    opened, responded, done = (moments(given[name]) for name in ("opened_at", "first_response_at", "completed_at"))
    due = moments(given["due_at"]).fillna(dates(given["due_at"]) + pd.Timedelta(seconds=86399))
    amounts = ("quantity_planned", "quantity_done", "quality_score", "cost_planned", "cost_spent")
    numbers = {name: pd.to_numeric(given[name], errors="coerce") for name in amounts}
    is_good = (
        given["task_id"].str.len().between(1, 60)
        & (opened >= FIRST)
        & (opened < AFTER)
        & (given["nip"].isna() | given["nip"].isin(kept["known"]["nip"]))
        & (given["unit_id"].isna() | given["unit_id"].isin(kept["units"]["unit_id"]))
        & (given["nip"].notna() | given["unit_id"].notna())
        & given["task_type"].isin(rules.TASK_TYPES)
        & given["status_code"].isin(rules.TASK_STATUSES)
        & ~(given["service_code"].str.len() > 60)
        & ~(given["evidence"].str.len() > 200)
        & (given["approver_nip"].isna() | given["approver_nip"].str.fullmatch(NIP, na=False))
        & ~unreadable(given["due_at"], due)
        & ~(due < opened)
        & ~unreadable(given["first_response_at"], responded)
        & ~(responded < opened)
        & ~unreadable(given["completed_at"], done)
        & ~(done < opened)
        & ~((given["status_code"] == "completed") & done.isna())
        & ~(numbers["quality_score"] > 100)
    )
    for name, number in numbers.items():
        is_good &= ~unreadable(given[name], number) & ~(number < 0)
    tasks = given.assign(opened=opened, due=due, responded=responded, done=done, **numbers)[is_good]
    tasks = tasks[~tasks.duplicated("task_id", keep=False)].sort_values(["opened", "task_id"])
    is_known = tasks["requester_key"].notna() & tasks["service_code"].notna()
    previous = tasks.groupby(["requester_key", "service_code"])["opened"].shift(1)
    is_repeat = ((tasks["opened"] - previous) <= pd.Timedelta(days=30)).astype("boolean").where(is_known)
    opened_on = tasks["opened"].dt.normalize()
    placed = pd.merge_asof(
        tasks.assign(opened_on=opened_on)[["task_id", "nip", "opened_on"]],
        kept["assigned"][["nip", "unit_id", "valid_from", "valid_to"]].sort_values("valid_from"),
        left_on="opened_on",
        right_on="valid_from",
        by="nip",
    )
    own = placed["unit_id"].where(placed["opened_on"] <= placed["valid_to"])
    own.index = tasks.index
    is_done = tasks["done"].notna() & (tasks["status_code"] != "cancelled")
    started = working_time(tasks["opened"])
    ended = working_time(tasks["done"].fillna(tasks["opened"]))
    return pd.DataFrame(
        {
            "task_id": tasks["task_id"],
            "nip": tasks["nip"],
            "unit_id": tasks["unit_id"].fillna(own),
            "task_type": tasks["task_type"],
            "service_code": tasks["service_code"],
            "opened_at": tasks["opened"] - UTC,
            "due_at": tasks["due"] - UTC,
            "first_response_at": tasks["responded"] - UTC,
            "completed_at": tasks["done"] - UTC,
            "status_code": tasks["status_code"],
            "first_response_hours": (tasks["responded"] - tasks["opened"]) / HOUR,
            "is_repeat": is_repeat,
            "duration_hours": ((ended - started) / 3.6e9).where(is_done),
            "is_on_time": (tasks["done"] <= tasks["due"]).astype("boolean").where(is_done & tasks["due"].notna()),
            "quantity_share": (tasks["quantity_done"] / tasks["quantity_planned"]).where(tasks["quantity_planned"] > 0),
            "quality_score": tasks["quality_score"],
            "cost_share": (tasks["cost_spent"] / tasks["cost_planned"]).where(tasks["cost_planned"] > 0),
            "quantity_planned": tasks["quantity_planned"],
            "quantity_done": tasks["quantity_done"],
            "cost_planned": tasks["cost_planned"],
            "cost_spent": tasks["cost_spent"],
        }
    )


def answers_of(files: Path) -> pd.DataFrame:
    given = read(files, "feedback_response", "survei_skm_*.csv").rename(columns=rules.SKM)
    given["submitted"] = moments(given["waktu"])
    given = given[(given["submitted"] >= FIRST) & (given["submitted"] < AFTER) & given["unit"].notna()]
    long = given.melt(["m_id", "unit", "submitted"], list(rules.SKM.values()), "element", "score")
    long["score"] = pd.to_numeric(long["score"], errors="coerce")
    return long[long["score"].between(1, 4)].rename(columns={"m_id": "response_id", "unit": "unit_id"})


def satisfaction_index(answers: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    means = answers.groupby(["unit_id", "element"])["score"].mean()
    by_unit = (means / 9).groupby("unit_id").agg(["sum", "size"])
    responses = answers.groupby(["unit_id", "response_id"])["score"].agg(["size", "mean"])
    is_complete = responses["size"] == 9
    people = responses.groupby("unit_id").size().rename("respondent_count").to_frame()
    people["raw"] = (25 * by_unit["sum"]).where(by_unit["size"] == 9)
    people["complete"] = is_complete.groupby("unit_id").sum()
    people["spread"] = (25 * responses.loc[is_complete, "mean"]).groupby("unit_id").std()
    people = people.reset_index()
    in_force_now = (units["valid_from"] <= LAST) & (units["valid_to"].isna() | (units["valid_to"] >= LAST))
    people = people.merge(units.loc[in_force_now, ["unit_id", "population"]], on="unit_id", how="left")
    wanted = people["population"] * 0.96025 / (0.0025 * (people["population"] - 1) + 0.96025)
    value = np.floor((people["raw"] * 100).round(9) + 0.5) / 100
    margin = 1.96 * people["spread"] / np.sqrt(people["complete"])
    return pd.DataFrame(
        {
            "unit_id": people["unit_id"],
            "respondent_count": people["respondent_count"],
            "required_count": np.floor(wanted.round(9) + 0.5).astype("Int64"),
            "index_value": value,
            "index_value_raw": people["raw"],
            "class_code": np.select(
                [value >= bound for bound, _ in rules.CLASSES], [c for _, c in rules.CLASSES], None
            ),
            "ci_low": people["raw"] - margin,
            "ci_high": people["raw"] + margin,
        }
    )


Sums = dict[str, tuple[pd.Series, pd.Series, pd.Series]]
"""Indicator -> which rows count, and what each adds above and below the line."""


def measured(rows: pd.DataFrame, sums: Sums, subjects: dict[str, str]) -> pd.DataFrame:
    parts = []
    for name, (keep, above, below) in sums.items():
        keep = keep.fillna(False).astype(bool) & above.notna() & below.notna()
        is_stock = name == "task_backlog"
        units = pd.DataFrame(
            {
                "numerator": (above.astype(float) * 10_000).round().where(keep, 0),
                "denominator": (below.astype(float) * 10_000).round().where(keep, 0),
                "evidence_count": 1 if is_stock else keep.astype(int),
            }
        )
        for kind in rules.INDICATORS[name][3]:
            if kind in subjects:
                added = units.groupby(rows[subjects[kind]]).sum().rename_axis("subject_id").reset_index()
                parts.append(added.assign(subject_kind=kind, indicator_id=name))
    return pd.concat(parts)


def kpi(
    files: Path, kept: dict[str, pd.DataFrame], days: pd.DataFrame, tasks: pd.DataFrame, answers: pd.DataFrame
) -> pd.DataFrame:
    one = pd.Series(1.0, index=days.index)
    is_late = (days["late_minutes"].fillna(0) > 0) | (days["early_minutes"].fillna(0) > 0)
    of_days: Sums = {
        "attendance": (days["is_workday"], days["is_present"], one),
        "punctuality": (days["is_workday"] & days["is_present"], ~is_late, one),
    }
    begins, over = FIRST - UTC, AFTER - UTC
    is_live = tasks["status_code"] != "cancelled"
    is_due = (tasks["due_at"] >= begins) & (tasks["due_at"] < over) & is_live
    is_completed = (tasks["completed_at"] >= begins) & (tasks["completed_at"] < over) & is_live
    is_open = tasks["completed_at"].isna() | (tasks["completed_at"] >= over)
    on_time = tasks["is_on_time"].where(~(is_due & is_open), False).fillna(False).astype(bool)
    one = pd.Series(1.0, index=tasks.index)
    of_tasks: Sums = {
        "task_on_time": (is_due, on_time, one),
        "task_quantity": (
            is_due & (tasks["quantity_planned"] > 0),
            tasks["quantity_done"],
            tasks["quantity_planned"],
        ),
        "task_quality": (is_completed, tasks["quality_score"], one),
        "task_cost": (is_completed & (tasks["cost_planned"] > 0), tasks["cost_spent"], tasks["cost_planned"]),
        "task_backlog": (is_live & is_open, one, one),
        "first_response": (tasks["task_type"] == "complaint", tasks["first_response_hours"], one),
        "request_on_time": (is_due & (tasks["task_type"] == "service_request"), on_time, one),
    }
    every, four = pd.Series(True, index=answers.index), pd.Series(4.0, index=answers.index)
    of_answers: Sums = {
        "satisfaction": (every, answers["score"], four),
        "service_time_satisfaction": (answers["element"] == "u3", answers["score"], four),
        "product_satisfaction": (answers["element"] == "u5", answers["score"], four),
    }
    both = {"employee": "nip", "unit": "unit_id"}
    found = pd.concat(
        [
            measured(days, of_days, both),
            measured(tasks, of_tasks, both),
            measured(answers, of_answers, {"unit": "unit_id"}),
        ]
    )
    found = found[found["evidence_count"] > 0]
    assigned = kept["assigned"]
    staff = assigned.loc[(assigned["valid_from"] <= LAST) & (assigned["valid_to"] >= FIRST), "nip"]
    found = found[(found["subject_kind"] == "unit") | found["subject_id"].isin(staff)]
    names = ["base", "is_lower", "scale", "kinds", "least"]
    declared = pd.DataFrame.from_dict(rules.INDICATORS, orient="index", columns=names).rename_axis("indicator_id")
    found = found.merge(declared.drop(columns="kinds").reset_index(), on="indicator_id")
    agreed = read(files, "indicator_target")
    agreed = agreed[agreed["period"] == "2026-Q2"]
    key = ["subject_kind", "subject_id", "indicator_id"]
    found = found.merge(agreed[[*key, "target"]], on=key, how="left")
    target = pd.to_numeric(found["target"]).fillna(found["base"])
    is_stock = found["indicator_id"] == "task_backlog"
    below = found["denominator"].where(~is_stock, 10_000)
    is_known = (found["evidence_count"] >= found["least"]) & (below != 0)
    actual = (found["scale"] * found["numerator"] / below).where(is_known)
    lower = (100 * (2 * target - actual) / target).clip(lower=0.0)
    achievement = lower.where(found["is_lower"], 100 * actual / target)
    return pd.DataFrame(
        {
            **{name: found[name] for name in key},
            "numerator": found["numerator"] / 10_000,
            "denominator": (found["denominator"] / 10_000).where(~is_stock),
            "actual": actual,
            "target": target,
            "achievement": achievement,
            "score": achievement.clip(upper=120.0),
            "evidence_count": found["evidence_count"],
        }
    )


def run(files: Path, to: Path) -> None:
    kept = registers(files)
    days = attendance_day(files, kept)
    tasks, answers = task_outcome(files, kept), answers_of(files)
    tables = {
        "attendance_day": days,
        "attendance_month": attendance_month(days),
        "task_outcome": tasks,
        "satisfaction_index": satisfaction_index(answers, kept["units"]),
        "kpi": kpi(files, kept, days, tasks, answers),
    }
    for name, table in tables.items():
        table.to_parquet(to / f"{name}.parquet", compression="zstd", index=False)


if __name__ == "__main__":
    main(run, __doc__)
