"""Reports: self-contained pages and workbooks for people, made from what the lake and the warehouse hold.

They need no server and no network. The validation pages, for operators, show no value of a row; the month's report, for
officials, names people in its follow-up lists, and nobody in the page for everyone; none shows a NIP. Not here:
computing anything that is not on a page.
"""
