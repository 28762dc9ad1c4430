"""Landing: files as suppliers deliver them become all-text rows with their provenance, and a ledger says what came.

Here: readers (bytes -> text), the declared reshape, and the deliveries' ledger and Parquet files. Not here: judging a
value (validated/), except for the month a row belongs to.
"""
