-- One row per region, unit and period: the weighted mean of the unit's computable indicator scores (percent of target).
-- For: unit_league and unit_trend build on it; who wants the result of a unit without a rank.
-- Null when no indicator with a weight could be computed; coverage_share is the weight that the result rests on.
SELECT
  kpi.region,
  kpi.unit_id,
  kpi.period_kind,
  kpi.period,
  round(CAST(
    sum(kpi.weight * kpi.score) FILTER (WHERE kpi.status_code = 'computed')
    / nullif(sum(kpi.weight) FILTER (WHERE kpi.status_code = 'computed'), 0)
  AS numeric), 2) AS result_score,
  round(CAST(
    coalesce(sum(kpi.weight) FILTER (WHERE kpi.status_code = 'computed'), 0) / nullif(sum(kpi.weight), 0)
  AS numeric), 4) AS coverage_share,
  count(*) FILTER (WHERE kpi.status_code = 'computed' AND kpi.weight > 0) AS computed_count,
  count(*) FILTER (WHERE kpi.weight > 0) AS indicator_count
FROM kpi
WHERE kpi.subject_kind = 'unit'
GROUP BY kpi.region, kpi.unit_id, kpi.period_kind, kpi.period
