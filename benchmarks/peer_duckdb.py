"""Attendance, tasks, SKM and kpi of the month in SQL, as good as we can write it: files in, five Parquet files out.

    .bench/bin/python benchmarks/peer_duckdb.py --files landing/manokwari --to /tmp/duckdb

Rejects the rows that the contracts reject, without saying why; keeps no rejected row, no tally, no provenance. One
month, where the product also gives quarter, semester and year. Not here: evaluation, follow-up, registers.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import peer_rules as rules
from peer_process import main


def among(values: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{value}'" for value in values) + ")"


def reached(column: str, pairs: list[tuple[int, object]], otherwise: str = "NULL") -> str:
    """The value of the highest bound that the column reaches."""
    whens = " ".join(f"WHEN {column} >= {bound} THEN {value}" for bound, value in sorted(pairs, reverse=True))
    return f"CASE {whens} ELSE {otherwise} END"


def csv(folder: Path, feed: str, pattern: str = "*.csv") -> str:
    return f"read_csv('{folder / feed / pattern}', header=true, all_varchar=true, null_padding=true, strict_mode=false)"


# What is read more than once is a table: a view would be computed as often.
REGISTERS = """
CREATE TABLE org_unit AS
SELECT unit_id, population_served::BIGINT AS population, valid_from::DATE AS valid_from, valid_to::DATE AS valid_to
FROM {org_unit};

CREATE TABLE employee AS
SELECT nip, assignment_code, unit_id, schedule_id, position_level, TRY_CAST(valid_from AS DATE) AS valid_from,
       TRY_CAST(valid_to AS DATE) AS valid_to
FROM {employee}
WHERE regexp_full_match(nip, '[0-9]{{18}}') AND NOT nip LIKE '%000' AND assignment_code IN ('utama', 'plt')
  AND TRY_CAST(valid_from AS DATE) IS NOT NULL AND length(name) BETWEEN 1 AND 120
  AND employment_status IN {statuses} AND position_level IN {levels}
  AND unit_id IN (SELECT unit_id FROM org_unit)
  AND (supervisor_nip IS NULL OR regexp_full_match(supervisor_nip, '[0-9]{{18}}'))
  AND (valid_to IS NULL OR TRY_CAST(valid_to AS DATE) >= TRY_CAST(valid_from AS DATE))
QUALIFY count(*) OVER (PARTITION BY nip, assignment_code, valid_from) = 1;

CREATE TABLE assignment AS
SELECT nip, unit_id, schedule_id, position_level, valid_from,
       least(coalesce(valid_to, DATE '9999-12-31'),
             coalesce(lead(valid_from) OVER by_person - 1, DATE '9999-12-31')) AS valid_to
FROM employee WHERE assignment_code = 'utama'
WINDOW by_person AS (PARTITION BY nip ORDER BY valid_from);

CREATE TABLE person AS SELECT nip, row_number() OVER () AS person FROM (SELECT DISTINCT nip FROM employee);

CREATE TABLE device_pin AS
SELECT device_id, pin, nip, person, valid_from,
       least(coalesce(valid_to, DATE '9999-12-31'),
             coalesce(lead(valid_from) OVER by_pin - 1, DATE '9999-12-31')) AS valid_to
FROM (SELECT device_id, pin, nip, TRY_CAST(valid_from AS DATE) AS valid_from, TRY_CAST(valid_to AS DATE) AS valid_to
      FROM {device_pin})
JOIN person USING (nip)
WHERE length(device_id) BETWEEN 1 AND 40 AND regexp_full_match(pin, '[0-9A-Za-z]{{1,24}}') AND valid_from IS NOT NULL
  AND (valid_to IS NULL OR valid_to >= valid_from)
WINDOW by_pin AS (PARTITION BY device_id, pin ORDER BY valid_from);

CREATE TABLE roster AS
SELECT person, TRY_CAST(work_date AS DATE) AS work_date, any_value(schedule_id) AS shift
FROM {shift_roster} JOIN person USING (nip)
WHERE TRY_CAST(work_date AS DATE) BETWEEN DATE '{before}' AND DATE '{after}' AND length(schedule_id) BETWEEN 1 AND 40
GROUP BY 1, 2 HAVING count(DISTINCT schedule_id) = 1;

CREATE TABLE permit AS
SELECT permit_id, person, status, part,
       TRY_CAST(start_date AS DATE) AS start_date, TRY_CAST(end_date AS DATE) AS end_date
FROM {leave_permit} JOIN person USING (nip) LEFT JOIN (VALUES {permits}) kinds(kind_code, status) USING (kind_code)
WHERE length(permit_id) BETWEEN 1 AND 60 AND part IN ('whole', 'first_half', 'second_half')
  AND TRY_CAST(end_date AS DATE) >= TRY_CAST(start_date AS DATE)
QUALIFY count(*) OVER (PARTITION BY permit_id) = 1;
"""

CALENDAR = """
CREATE TABLE day AS
SELECT day::DATE AS work_date,
       (SELECT count(*) > 0 FROM (VALUES {holidays}) h(holiday) WHERE holiday::DATE = day) AS free
FROM range(DATE '2026-03-25', DATE '2026-05-25', INTERVAL 1 DAY) r(day);

CREATE TABLE hours AS
SELECT '{office}' AS schedule_id, work_date,
       CASE WHEN free THEN 'holiday' WHEN isodow(work_date) > 5 THEN 'off' WHEN isodow(work_date) = 5 THEN 'friday'
            ELSE 'normal' END AS day_type,
       CASE WHEN free OR isodow(work_date) > 5 THEN NULL ELSE work_date + TIME '07:30' END AS starts,
       CASE WHEN free OR isodow(work_date) > 5 THEN NULL WHEN isodow(work_date) = 5 THEN work_date + TIME '16:30'
            ELSE work_date + TIME '16:00' END AS ends,
       CASE WHEN free OR isodow(work_date) > 5 THEN NULL WHEN isodow(work_date) = 5 THEN work_date + TIME '11:30'
            ELSE work_date + TIME '12:00' END AS break_from,
       CASE WHEN free OR isodow(work_date) > 5 THEN NULL ELSE work_date + TIME '13:00' END AS break_to
FROM day
UNION ALL
SELECT shift, work_date, 'shift', work_date + to_hours(from_hour), work_date + to_hours(to_hour), NULL, NULL
FROM day, (VALUES {shifts}) s(shift, from_hour, to_hour);
"""

ATTENDANCE = """
CREATE TABLE tap AS
SELECT device_id, person, moment
FROM (SELECT trim(number) AS device_id, trim(pin) AS pin, TRY_CAST(tapped_at AS TIMESTAMP) AS moment, state, verify
      FROM read_csv('{attlog}', header=false, delim='\t', quote='', escape='', null_padding=true, strict_mode=false,
                    columns={{pin: 'VARCHAR', tapped_at: 'VARCHAR', number: 'VARCHAR', state: 'VARCHAR',
                              verify: 'VARCHAR', work: 'VARCHAR'}}))
JOIN device_pin USING (device_id, pin)
WHERE moment >= TIMESTAMP '{margin_first}' AND moment < TIMESTAMP '{margin_over}'
  AND moment::DATE BETWEEN valid_from AND valid_to
  AND (state IS NULL OR TRY_CAST(state AS INTEGER) BETWEEN 0 AND 255)
  AND (verify IS NULL OR TRY_CAST(verify AS INTEGER) BETWEEN 0 AND 255);

CREATE TABLE person_day AS
SELECT person, nip, unit_id, g.work_date, h.schedule_id, CASE WHEN is_off THEN 'off' ELSE day_type END AS day_type,
       CASE WHEN NOT is_off THEN starts END AS starts, CASE WHEN NOT is_off THEN ends END AS ends,
       CASE WHEN NOT is_off THEN break_from END AS break_from, CASE WHEN NOT is_off THEN break_to END AS break_to
FROM (SELECT p.person, e.nip, e.unit_id, d.work_date, given IN {rostered} AND coalesce(shift, 'off') = 'off' AS is_off,
             CASE WHEN given IN {rostered} AND shift <> 'off' THEN shift ELSE given END AS schedule_id
      FROM (SELECT *, coalesce(schedule_id, '{office}') AS given FROM assignment) e JOIN person p USING (nip)
      JOIN day d ON d.work_date BETWEEN e.valid_from AND e.valid_to
      LEFT JOIN roster r ON r.person = p.person AND r.work_date = d.work_date
      WHERE d.work_date BETWEEN DATE '{before}' AND DATE '{after}') g
JOIN hours h ON h.schedule_id = g.schedule_id AND h.work_date = g.work_date;

CREATE TABLE shift_window AS
SELECT person, work_date, starts + (ends - starts) / 2 AS turns,
       greatest(starts - INTERVAL {before_minutes} MINUTE,
                least(last_out + (starts - last_out) / 2, last_out + INTERVAL {after_minutes} MINUTE)) AS opens,
       least(ends + INTERVAL {after_minutes} MINUTE,
             greatest(ends + (next_in - ends) / 2, next_in - INTERVAL {before_minutes} MINUTE)) AS closes
FROM (SELECT *, lag(ends) OVER by_shift AS last_out, lead(starts) OVER by_shift AS next_in
      FROM person_day WHERE starts IS NOT NULL WINDOW by_shift AS (PARTITION BY person ORDER BY work_date));

CREATE TABLE placed AS
SELECT t.person, t.moment, CASE WHEN t.moment < w.closes THEN w.work_date END AS work_date,
       t.moment < w.turns AS is_in
FROM (SELECT person, moment FROM tap
      QUALIFY coalesce(moment - lag(moment) OVER (PARTITION BY person ORDER BY moment)
                       > INTERVAL {repeat} SECOND, true)) t
ASOF LEFT JOIN shift_window w ON t.person = w.person AND t.moment >= w.opens;

CREATE TABLE tapped AS
SELECT person, work_date, min(moment) FILTER (is_in) AS first_in, max(moment) FILTER (NOT is_in) AS last_out,
       count(*) AS taps
FROM placed WHERE work_date IS NOT NULL GROUP BY 1, 2;

CREATE TABLE stray AS
SELECT person, moment::DATE AS work_date, count(*) AS strays FROM placed WHERE placed.work_date IS NULL GROUP BY 1, 2;

CREATE TABLE permit_day AS
SELECT person, work_date,
       arg_max(status, (start_date, permit_id)) FILTER (part = 'whole') AS whole,
       arg_max(status, (start_date, permit_id)) FILTER (part = 'first_half') AS first_half,
       arg_max(status, (start_date, permit_id)) FILTER (part = 'second_half') AS second_half
FROM permit JOIN day ON work_date BETWEEN start_date AND end_date
WHERE work_date BETWEEN DATE '{first}' AND DATE '{last}' GROUP BY 1, 2;

CREATE TABLE met AS
SELECT d.*, first_in, last_out, coalesce(taps, CASE WHEN starts IS NULL THEN strays END, 0) AS tap_count,
       coalesce(whole, CASE WHEN second_half IS NOT NULL THEN first_half END) AS whole,
       first_half IS NOT NULL AS no_first, second_half IS NOT NULL AS no_second
FROM person_day d LEFT JOIN tapped USING (person, work_date) LEFT JOIN stray USING (person, work_date)
LEFT JOIN permit_day USING (person, work_date)
WHERE d.work_date BETWEEN DATE '{first}' AND DATE '{last}';

CREATE TABLE recordable AS
WITH silent AS (
  SELECT person, work_date, unnest(generate_series(starts::DATE, (ends - INTERVAL 1 MICROSECOND)::DATE, INTERVAL 1 DAY)
         )::DATE AS date
  FROM met WHERE starts IS NOT NULL AND (first_in IS NULL OR last_out IS NULL)),
heard AS (SELECT DISTINCT device_id, moment::DATE AS date FROM tap),
down AS (
  SELECT DISTINCT device_id, unnest(generate_series(started_at::TIMESTAMP::DATE,
         (ended_at::TIMESTAMP - INTERVAL 1 MICROSECOND)::DATE, INTERVAL 1 DAY))::DATE AS date
  FROM {device_outage}),
known AS (
  SELECT person, work_date, s.date, bool_and(h.device_id IS NOT NULL) AS is_heard,
         bool_or(o.device_id IS NOT NULL) AS is_down
  FROM silent s JOIN device_pin p USING (person)
  LEFT JOIN heard h ON h.device_id = p.device_id AND h.date = s.date
  LEFT JOIN down o ON o.device_id = p.device_id AND o.date = s.date
  WHERE s.date BETWEEN p.valid_from AND p.valid_to GROUP BY ALL)
SELECT person, work_date, bool_and(coalesce(is_heard, false)) AS is_recordable,
       bool_or(coalesce(is_down, false)) AS is_down
FROM silent LEFT JOIN known USING (person, work_date, date) GROUP BY 1, 2;

CREATE TABLE attendance_day AS
WITH timed AS (
  SELECT m.*, coalesce(is_down, false) AS is_down, first_in IS NOT NULL OR last_out IS NOT NULL AS has_tap,
         coalesce(is_recordable, false) OR first_in IS NOT NULL OR last_out IS NOT NULL AS is_recordable,
         CASE WHEN no_first THEN 0 ELSE greatest(epoch_us(first_in) - epoch_us(starts),
              CASE WHEN first_in IS NULL OR starts IS NULL THEN NULL ELSE 0 END) // 60000000 END AS late,
         CASE WHEN no_second THEN 0 ELSE greatest(epoch_us(ends) - epoch_us(last_out),
              CASE WHEN last_out IS NULL OR ends IS NULL THEN NULL ELSE 0 END) // 60000000 END AS early,
         CASE WHEN break_from IS NULL OR first_in IS NULL OR last_out IS NULL THEN 0
              ELSE greatest(epoch_us(least(last_out, break_to)) - epoch_us(greatest(first_in, break_from)), 0)
         END AS pause
  FROM met m LEFT JOIN recordable USING (person, work_date)),
judged AS (
  SELECT *, CASE
    WHEN day_type IN ('off', 'holiday') THEN day_type
    WHEN whole IS NOT NULL THEN whole
    WHEN day_type IS NULL OR NOT is_recordable THEN 'not_recorded'
    WHEN NOT has_tap AND NOT (no_first OR no_second) THEN 'absent'
    WHEN first_in IS NULL AND NOT no_first THEN 'missing_in'
    WHEN last_out IS NULL AND NOT no_second THEN 'missing_out'
    WHEN late > 0 AND early > 0 THEN 'late_and_left_early'
    WHEN late > 0 THEN 'late' WHEN early > 0 THEN 'left_early' ELSE 'present' END AS status_code
  FROM timed),
counted AS (
  SELECT *, status_code IN {judged} AS is_workday, status_code IN {presence} AND has_tap AS is_present,
         CASE WHEN status_code IN {judged} THEN late END AS late_minutes,
         CASE WHEN status_code IN {judged} THEN early END AS early_minutes
  FROM judged)
SELECT nip, work_date, unit_id, schedule_id, coalesce(day_type, 'normal') AS day_type,
       starts - INTERVAL {utc} HOUR AS scheduled_in_at, ends - INTERVAL {utc} HOUR AS scheduled_out_at,
       first_in - INTERVAL {utc} HOUR AS first_in_at, last_out - INTERVAL {utc} HOUR AS last_out_at,
       (epoch_us(last_out) - epoch_us(first_in) - pause) // 60000000 AS worked_minutes,
       late_minutes, early_minutes, status_code, {late_code} AS late_code, {early_code} AS early_code,
       CASE WHEN status_code <> 'not_recorded' THEN least(1.0::DOUBLE, {late_share} + {early_share}
         + CASE WHEN status_code IN ('missing_in', 'missing_out') AND NOT is_down THEN {missing}::DOUBLE ELSE 0.0 END
         + CASE WHEN status_code = 'absent' THEN {absent}::DOUBLE ELSE 0.0 END) END AS deduction_share,
       tap_count, is_workday, is_present
FROM counted;

CREATE TABLE attendance_month AS
SELECT nip, arg_max(unit_id, work_date) AS unit_id, count(*) FILTER (is_workday) AS workday_count,
       count(*) FILTER (status_code = 'not_recorded') AS not_recorded_count,
       count(*) FILTER (present) AS present_count, count(*) FILTER (late_minutes > 0) AS late_count,
       count(*) FILTER (early_minutes > 0) AS early_count, count(*) FILTER (status_code = 'absent') AS absent_count,
       count(*) FILTER (status_code IN {by_permit}) AS leave_count, coalesce(sum(late_minutes), 0) AS late_minutes,
       count(*) FILTER (present) / nullif(count(*) FILTER (is_workday), 0) AS attendance_share,
       count(*) FILTER (present AND coalesce(late_minutes, 0) = 0 AND coalesce(early_minutes, 0) = 0)
         / nullif(count(*) FILTER (present), 0) AS punctuality_share,
       least(1.0, sum(round(deduction_share * 1e9)::BIGINT) / 1e9) AS deduction_share
FROM (SELECT *, status_code IN {presence} AND tap_count > 0 AS present FROM attendance_day) GROUP BY nip;
"""

TASKS = """
CREATE TABLE task AS
SELECT task_id, nip, unit_id, task_type, service_code, requester_key, opened, due, responded, done, status_code,
       quantity_planned::DOUBLE AS quantity_planned, quantity_done::DOUBLE AS quantity_done,
       quality_score::DOUBLE AS quality_score, cost_planned::DOUBLE AS cost_planned, cost_spent::DOUBLE AS cost_spent
FROM (SELECT *, TRY_CAST(opened_at AS TIMESTAMP) AS opened, TRY_CAST(first_response_at AS TIMESTAMP) AS responded,
             TRY_CAST(completed_at AS TIMESTAMP) AS done,
             TRY_CAST(due_at AS TIMESTAMP) + to_seconds(CASE WHEN length(due_at) <= 10 THEN 86399 ELSE 0 END) AS due
      FROM {task_record})
WHERE length(task_id) BETWEEN 1 AND 60 AND opened >= TIMESTAMP '{first}' AND opened < TIMESTAMP '{after}'
  AND (nip IS NULL OR nip IN (SELECT nip FROM employee))
  AND (unit_id IS NULL OR unit_id IN (SELECT unit_id FROM org_unit)) AND (nip IS NOT NULL OR unit_id IS NOT NULL)
  AND task_type IN {task_types} AND status_code IN {task_statuses}
  AND (service_code IS NULL OR length(service_code) <= 60) AND (evidence IS NULL OR length(evidence) <= 200)
  AND (approver_nip IS NULL OR regexp_full_match(approver_nip, '[0-9]{{18}}'))
  AND (due_at IS NULL OR due >= opened) AND (first_response_at IS NULL OR responded >= opened)
  AND (completed_at IS NULL OR done >= opened) AND (status_code <> 'completed' OR done IS NOT NULL)
  AND (quantity_planned IS NULL OR TRY_CAST(quantity_planned AS DOUBLE) >= 0)
  AND (quantity_done IS NULL OR TRY_CAST(quantity_done AS DOUBLE) >= 0)
  AND (quality_score IS NULL OR TRY_CAST(quality_score AS DOUBLE) BETWEEN 0 AND 100)
  AND (cost_planned IS NULL OR TRY_CAST(cost_planned AS DOUBLE) >= 0)
  AND (cost_spent IS NULL OR TRY_CAST(cost_spent AS DOUBLE) >= 0)
QUALIFY count(*) OVER (PARTITION BY task_id) = 1;

CREATE TABLE stretch AS
SELECT starts, epoch_us(ends) - epoch_us(starts) AS length,
       sum(epoch_us(ends) - epoch_us(starts)) OVER (ORDER BY starts) - (epoch_us(ends) - epoch_us(starts)) AS before
FROM (SELECT starts, coalesce(break_from, ends) AS ends FROM hours WHERE schedule_id = '{office}' AND starts IS NOT NULL
      UNION ALL
      SELECT break_to, ends FROM hours WHERE schedule_id = '{office}' AND break_to IS NOT NULL);

CREATE TABLE task_outcome AS
WITH begun AS (
  SELECT t.*, before + least(epoch_us(opened) - epoch_us(starts), length) AS worked_before
  FROM task t ASOF LEFT JOIN stretch s ON t.opened >= s.starts),
ended AS (
  SELECT t.* EXCLUDE (length, before, starts),
         before + least(epoch_us(done) - epoch_us(starts), length) - worked_before AS worked
  FROM (SELECT b.*, s.* FROM begun b ASOF LEFT JOIN stretch s ON b.done >= s.starts) t)
SELECT task_id, e.nip, coalesce(e.unit_id, CASE WHEN opened::DATE <= a.valid_to THEN a.unit_id END) AS unit_id,
       task_type, service_code, opened - INTERVAL {utc} HOUR AS opened_at, due - INTERVAL {utc} HOUR AS due_at,
       responded - INTERVAL {utc} HOUR AS first_response_at, done - INTERVAL {utc} HOUR AS completed_at, status_code,
       (epoch_us(responded) - epoch_us(opened)) / 3600000000.0::DOUBLE AS first_response_hours,
       CASE WHEN requester_key IS NOT NULL AND service_code IS NOT NULL THEN
         coalesce(opened - lag(opened) OVER (PARTITION BY requester_key, service_code ORDER BY opened, task_id)
                  <= INTERVAL 30 DAY, false) END AS is_repeat,
       CASE WHEN done IS NOT NULL AND status_code <> 'cancelled'
            THEN worked / 3600000000.0::DOUBLE END AS duration_hours,
       CASE WHEN done IS NOT NULL AND status_code <> 'cancelled' THEN done <= due END AS is_on_time,
       CASE WHEN quantity_planned > 0 THEN quantity_done / quantity_planned END AS quantity_share, quality_score,
       CASE WHEN cost_planned > 0 THEN cost_spent / cost_planned END AS cost_share,
       quantity_planned, quantity_done, cost_planned, cost_spent
FROM ended e ASOF LEFT JOIN assignment a ON e.nip = a.nip AND e.opened::DATE >= a.valid_from;
"""

SATISFACTION = """
CREATE TABLE answer AS
SELECT response_id, unit_id, element, score::DOUBLE AS score, submitted
FROM (UNPIVOT (SELECT m_id AS response_id, unit AS unit_id, TRY_CAST(waktu AS TIMESTAMP) AS submitted, {elements}
               FROM {skm}) ON {codes} INTO NAME element VALUE score)
WHERE length(response_id) BETWEEN 1 AND 60 AND submitted >= TIMESTAMP '{first}' AND submitted < TIMESTAMP '{after}'
  AND TRY_CAST(score AS DOUBLE) BETWEEN 1 AND 4 AND unit_id IS NOT NULL;

CREATE TABLE satisfaction_index AS
WITH elements AS (
  SELECT unit_id, element, avg(score) / 9 AS weighted FROM answer GROUP BY 1, 2),
index AS (
  SELECT unit_id, CASE WHEN count(*) = 9 THEN 25 * sum(weighted) END AS raw FROM elements GROUP BY 1),
responses AS (
  SELECT unit_id, response_id, count(*) AS answers, avg(score) AS mean FROM answer GROUP BY 1, 2),
people AS (
  SELECT unit_id, count(*) AS respondent_count, count(*) FILTER (answers = 9) AS complete,
         stddev_samp(25 * mean) FILTER (answers = 9) AS spread FROM responses GROUP BY 1),
rounded AS (SELECT *, floor(round(raw * 100, 9) + 0.5) / 100 AS value FROM index JOIN people USING (unit_id))
SELECT unit_id, respondent_count,
       floor(round(population * 0.96025 / (0.0025 * (population - 1) + 0.96025), 9) + 0.5)::BIGINT AS required_count,
       value AS index_value, raw AS index_value_raw, {classes} AS class_code,
       raw - 1.96 * spread / sqrt(complete) AS ci_low, raw + 1.96 * spread / sqrt(complete) AS ci_high
FROM rounded LEFT JOIN (SELECT unit_id, population FROM org_unit
     WHERE valid_from <= DATE '{last}' AND (valid_to IS NULL OR valid_to >= DATE '{last}')) USING (unit_id);
"""

# Numerators and denominators add up as whole ten-thousandths, as the product's do.
KPI = """
CREATE TABLE windowed AS
SELECT *, due_at >= begins AND due_at < over AND status_code <> 'cancelled' AS is_due,
       completed_at >= begins AND completed_at < over AND status_code <> 'cancelled' AS is_completed,
       status_code <> 'cancelled' AND (completed_at IS NULL OR completed_at >= over) AS is_backlog,
       CASE WHEN due_at >= begins AND due_at < over AND status_code <> 'cancelled'
                 AND (completed_at IS NULL OR completed_at >= over) THEN false ELSE is_on_time END AS on_time
FROM task_outcome, (SELECT TIMESTAMP '{first}' - INTERVAL {utc} HOUR AS begins,
                           TIMESTAMP '{after}' - INTERVAL {utc} HOUR AS over);

CREATE TABLE measure AS
{measures};

CREATE TABLE kpi AS
WITH agreed AS (
  SELECT subject_kind, subject_id, indicator_id, any_value(target::DOUBLE) AS agreed FROM {indicator_target}
  WHERE period = '2026-Q2' GROUP BY 1, 2, 3),
staff AS (SELECT DISTINCT nip FROM assignment WHERE valid_from <= DATE '{last}' AND valid_to >= DATE '{first}'),
known AS (
  SELECT m.*, d.*, coalesce(agreed, base) AS target,
         CASE WHEN evidence_count < least_evidence OR denominator = 0 THEN NULL
              ELSE scale * numerator / denominator END AS actual
  FROM measure m JOIN (VALUES {indicators}) d(name, base, is_lower, scale, least_evidence) ON name = indicator_id
  LEFT JOIN agreed USING (subject_kind, subject_id, indicator_id)
  WHERE evidence_count > 0 AND (subject_kind = 'unit' OR subject_id IN (SELECT nip FROM staff))),
reached AS (
  SELECT *, CASE WHEN is_lower
                 THEN greatest(100 * (2 * target - actual) / target, CASE WHEN actual IS NOT NULL THEN 0.0 END)
                 ELSE 100 * actual / target END AS achievement FROM known)
SELECT subject_kind, subject_id, indicator_id, numerator / 10000 AS numerator,
       CASE WHEN indicator_id <> 'task_backlog' THEN denominator / 10000 END AS denominator,
       actual, target, achievement,
       CASE WHEN achievement IS NOT NULL THEN least(achievement, 120.0) END AS score, evidence_count
FROM reached;
"""
"""For a stock the denominator is one."""

OUTPUTS = ("attendance_day", "attendance_month", "task_outcome", "satisfaction_index", "kpi")


def measured(fact: str, kind: str, subject: str, sums: dict[str, tuple[str, str, str]]) -> str:
    """One aggregation for all indicators on a fact: {indicator: (filter, numerator, denominator)}, made long."""

    def units(value: str) -> str:
        return f"sum(round(({value}) * 10000.0::DOUBLE)::BIGINT)"

    structs = ", ".join(
        f"{{'indicator_id': '{name}', 'numerator': coalesce({units(above)} FILTER ({keep}), 0), "
        f"'denominator': {10000 if name == 'task_backlog' else f'coalesce({units(below)} FILTER ({keep}), 0)'}, "
        f"'evidence_count': {'count(*)' if name == 'task_backlog' else f'count(*) FILTER ({keep})'}}}"
        for name, (keep, above, below) in sums.items()
    )
    return (
        f"SELECT '{kind}' AS subject_kind, subject_id, unnest([{structs}], recursive := true) "
        f"FROM (SELECT *, {subject} AS subject_id FROM {fact} WHERE {subject} IS NOT NULL) GROUP BY subject_id"
    )


def measures() -> str:
    attendance = {
        "attendance": ("is_workday", "is_present::INT", "1"),
        "punctuality": (
            "is_workday AND is_present",
            "CASE WHEN late_minutes > 0 OR early_minutes > 0 THEN 0 ELSE 1 END",
            "1",
        ),
    }
    tasks = {
        "task_on_time": ("is_due", "CASE WHEN on_time THEN 1 ELSE 0 END", "1"),
        "task_quantity": (
            "is_due AND quantity_planned > 0 AND quantity_done IS NOT NULL",
            "quantity_done",
            "quantity_planned",
        ),
        "task_quality": ("is_completed AND quality_score IS NOT NULL", "quality_score", "1"),
        "task_cost": ("is_completed AND cost_planned > 0 AND cost_spent IS NOT NULL", "cost_spent", "cost_planned"),
    }
    of_units = {
        **tasks,
        "task_backlog": ("is_backlog", "1", "1"),
        "first_response": (
            "task_type = 'complaint' AND first_response_hours IS NOT NULL",
            "first_response_hours",
            "1",
        ),
        "request_on_time": (
            "is_due AND task_type = 'service_request'",
            "CASE WHEN on_time THEN 1 ELSE 0 END",
            "1",
        ),
    }
    answers = {
        "satisfaction": ("true", "score", "4"),
        "service_time_satisfaction": ("element = 'u3'", "score", "4"),
        "product_satisfaction": ("element = 'u5'", "score", "4"),
    }
    return " UNION ALL ".join(
        (
            measured("attendance_day", "employee", "nip", attendance),
            measured("attendance_day", "unit", "unit_id", attendance),
            measured("windowed", "employee", "nip", tasks),
            measured("windowed", "unit", "unit_id", of_units),
            measured("answer", "unit", "unit_id", answers),
        )
    )


def values(rows: list[tuple[object, ...]]) -> str:
    def literal(value: object) -> str:
        return f"'{value}'" if isinstance(value, str) else str(value).lower()

    return ", ".join("(" + ", ".join(map(literal, row)) + ")" for row in rows)


def names(files: Path) -> dict[str, object]:
    """What stands for the braces of the statements."""
    feeds = ("org_unit", "employee", "device_pin", "shift_roster", "leave_permit", "device_outage", "task_record")
    bands = rules.BANDS
    return {
        **{feed: csv(files, feed) for feed in (*feeds, "indicator_target")},
        "skm": csv(files, "feedback_response", "survei_skm_*.csv"),
        "attlog": files / "attendance_log" / "*.dat",
        "statuses": among(rules.STATUSES),
        "levels": among(rules.LEVELS),
        "task_types": among(rules.TASK_TYPES),
        "task_statuses": among(rules.TASK_STATUSES),
        "permits": values(list(rules.PERMITS.items())),
        "holidays": values([(day,) for day in rules.HOLIDAYS]),
        "shifts": values([(shift, *hours) for shift, hours in rules.SHIFTS.items()]),
        "rostered": among(tuple(rules.SHIFTS)),
        "office": rules.OFFICE,
        "first": rules.FIRST,
        "last": rules.LAST,
        "before": rules.DAY_BEFORE,
        "after": rules.DAY_AFTER,
        "margin_first": rules.MARGIN_FIRST,
        "margin_over": rules.MARGIN_OVER,
        "before_minutes": rules.BEFORE_MINUTES,
        "after_minutes": rules.AFTER_MINUTES,
        "repeat": rules.REPEAT_SECONDS,
        "utc": rules.UTC_HOURS,
        "presence": among(rules.WITH_PRESENCE),
        "judged": among((*rules.WITH_PRESENCE, "absent")),
        "by_permit": among(rules.BY_PERMIT),
        "late_code": reached("late_minutes", [(b[0], f"'{c}'") for b, c in zip(bands, rules.LATE_CODES, strict=True)]),
        "early_code": reached(
            "early_minutes", [(b[0], f"'{c}'") for b, c in zip(bands, rules.EARLY_CODES, strict=True)]
        ),
        "late_share": reached("late_minutes", [(m, f"{share}::DOUBLE") for m, share in bands], "0.0"),
        "early_share": reached("early_minutes", [(m, f"{share}::DOUBLE") for m, share in bands], "0.0"),
        "missing": rules.MISSING_SHARE,
        "absent": rules.ABSENT_SHARE,
        "elements": ", ".join(f"{question} AS {code}" for question, code in rules.SKM.items()),
        "codes": ", ".join(sorted(rules.SKM.values())),
        "classes": reached("value", [(bound, f"'{code}'") for bound, code in rules.CLASSES]),
        "indicators": values(
            [(n, t, lower, scale, least) for n, (t, lower, scale, _, least) in rules.INDICATORS.items()]
        ),
        "measures": measures(),
    }


def run(files: Path, to: Path) -> None:
    filled = names(files)
    connection = duckdb.connect(":memory:")
    for text in (REGISTERS, CALENDAR, ATTENDANCE, TASKS, SATISFACTION, KPI):
        connection.execute(text.format(**filled))
    for table in OUTPUTS:
        connection.execute(f"COPY {table} TO '{to / table}.parquet' (FORMAT parquet, COMPRESSION zstd)")


if __name__ == "__main__":
    main(run, __doc__)
