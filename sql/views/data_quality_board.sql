-- One row per region, feed and month: rows landed, believed and rejected, against the tolerance, and the worst rule.
-- For: operators, and suppliers who want to know what to mend first.
SELECT
  whole.region,
  whole.period,
  whole.feed,
  whole.landed_count,
  whole.valid_count,
  whole.rejected_count,
  whole.superseded_count,
  whole.rejected_share,
  whole.tolerance_share,
  whole.rejected_share <= whole.tolerance_share AS is_tolerated,
  worst.rule_id AS worst_rule_id,
  worst.rejected_count AS worst_rejected_count
FROM data_quality AS whole
LEFT JOIN (
  SELECT
    line.*,
    row_number() OVER (
      PARTITION BY line.region, line.feed, line.unit_id, line.period ORDER BY line.rejected_count DESC, line.rule_id
    ) AS place
  FROM data_quality AS line
  WHERE line.rule_id <> 'all' AND line.severity_code = 'error' AND line.rejected_count > 0
) AS worst
  ON worst.region = whole.region AND worst.feed = whole.feed AND worst.unit_id = whole.unit_id
  AND worst.period = whole.period AND worst.place = 1
WHERE whole.rule_id = 'all' AND whole.unit_id = 'all'
