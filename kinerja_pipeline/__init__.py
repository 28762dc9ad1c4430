"""Kinerja Pipeline: from the files Indonesian regional governments already have to KPI tables that can be explained.

Text lands as delivered. A contract splits it into rows we believe and rows we don't, each with reasons. Believed rows
become facts, facts become indicators declared by policy, indicators become evaluations and follow-up, and everything is
published in one transaction. Dagster draws the line between these rooms and nothing else.
"""

__version__ = "0.1.0"
