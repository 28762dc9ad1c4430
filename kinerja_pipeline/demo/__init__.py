"""The seeded, made-up demo world: files of five regions as their suppliers would deliver them.

Everybody and everything in it is invented. It writes into a home's landing folder and knows nothing of what the
pipeline does with the files.
"""
