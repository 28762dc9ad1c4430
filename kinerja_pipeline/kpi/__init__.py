"""KPI: facts -> indicators -> evaluations -> follow-up, by the rules a policy declares.

Here: measures, achievement, the predicate matrix, recommendations; pure functions on frames. Not here: files, Dagster,
databases, and the parsing of declarations (policies/indicators).
"""
