"""Coverage-guided fuzzing: `make fuzz` gives every target a minute; `fuzz.py csv 600` one of them ten.

What breaks a target is left as `crash-*` where it was started; mend the product and add the file to the corpus. Needs
atheris, which is no part of the development environment (fuzz.txt).
"""

from __future__ import annotations

import sys
import tempfile

import atheris

with atheris.instrument_imports(include=["kinerja_pipeline", "yaml", "zipfile"]):
    from fuzz_readers import CORPUS, TARGETS


def main(name: str, seconds: str) -> None:
    with tempfile.TemporaryDirectory() as grown:
        limits = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=2048", "-max_len=20000"]
        atheris.Setup([sys.argv[0], *limits, grown, str(CORPUS / name)], TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:3])
