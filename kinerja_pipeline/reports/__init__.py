"""Reports: self-contained pages for people, made from what the lake and the warehouse hold.

They need no server and no network, and show no value of a row. Not here: computing anything that is not on the page.
"""
