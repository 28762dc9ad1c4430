"""Contracts: one ODCS page per table, read once and rendered to everything that needs to know the table.

Here: reading and checking the pages, and compiling them to rules, database tables and column schemas.
Not here: running the rules over data (validated/) or anything a policy decides (policies/).
"""
