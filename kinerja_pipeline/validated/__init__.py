"""Validated: a contract splits landed text into rows we believe and rows we don't, each with reasons.

Here: explicit parsing of text, the split, its tally. Not here: reading files (landing/), what a page says (contracts/).
"""
