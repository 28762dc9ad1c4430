"""Orchestration: what Dagster needs to draw the line between the rooms: partitions, storage, resources, jobs, schedules.

Here: keys, partitions, the lake's files, run-time settings. Not here: anything about civil servants.
"""
