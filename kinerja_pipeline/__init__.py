"""Kinerja Pipeline: from the files Indonesian regional governments already have to KPI tables that can be explained.

Text lands as delivered. A contract splits it into rows we believe and rows we don't, each with reasons. Believed rows
become facts, facts become indicators declared by policy, indicators become evaluations and follow-up, and everything is
published in one transaction. Dagster draws the line between these rooms and nothing else.
"""

import os

__version__ = "0.1.0"

# Read by Polars' allocator (jemalloc) when Polars is loaded, which is after this; Polars' own words, a second for
# instance, come before it and yield. What has been let go then goes back to the system at once: a tenth less memory for
# a month of a million taps, in the same time. Processes that we start inherit it; whoever has set it knows better.
os.environ.setdefault("_RJEM_MALLOC_CONF", "muzzy_decay_ms:0")
