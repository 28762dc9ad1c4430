"""Orchestration: what Dagster needs to draw the line between the rooms: partitions, storage, resources, launch.

Here: keys, partitions, the lake's files, run-time settings. Not here: anything about civil servants.
"""
