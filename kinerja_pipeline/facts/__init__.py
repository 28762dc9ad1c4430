"""Facts: believed rows become one row per thing that happened: a person's day, a task, a unit's survey result.

Here: pure functions from validated frames and a policy to frames. Not here: files, Dagster, databases, indicators.
"""
