"""The warehouse: what analysts read, replaced one region and month at a time, in one transaction.

Here: opening and migrating the database, checking and publishing outgoing frames, the ledger of publications.
Not here: what the numbers mean (facts/, kpi/) or what tables look like (data_contracts/outgoing).
"""
