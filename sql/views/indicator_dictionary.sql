-- One row per region, indicator and policy version: what it means, how it is computed, where it comes from.
-- For: everybody who meets an indicator_id. is_in_force marks the policy of the region's last publication.
SELECT
  indicator.region,
  indicator.indicator_id,
  indicator.policy_version,
  indicator.policy_version = region.policy_version AS is_in_force,
  indicator.label_id,
  indicator.label_en,
  indicator.aspect_code,
  indicator.statistic,
  indicator.unit,
  indicator.direction,
  indicator.formula,
  indicator.source,
  indicator.law
FROM indicator
LEFT JOIN region ON region.region = indicator.region
