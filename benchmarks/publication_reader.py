"""A reader beside a publication: asks one question after the other while it is told to, and says how long it waited.

Told the address of a warehouse, it answers with a line once it has read; told to stop, with the number of its reads and
the seconds of the longest. One process serves a whole benchmark.
"""

from __future__ import annotations

import sys
import threading
import time

import sqlalchemy as sa


def main() -> None:
    for line in sys.stdin:
        engine = sa.create_engine(line.strip())
        schema = "" if engine.dialect.name == "sqlite" else "reporting."
        question = sa.text(f"SELECT period, count(*), avg(score) FROM {schema}kpi GROUP BY period")
        is_over = threading.Event()
        threading.Thread(target=_wait_for_a_line, args=(is_over,)).start()
        reads, longest = 0, 0.0
        while not is_over.is_set():
            start = time.perf_counter()
            with engine.connect() as connection:
                connection.execute(question).all()
            longest = max(longest, time.perf_counter() - start)
            reads += 1
            if reads == 1:
                print("reading", flush=True)
        engine.dispose()
        print(reads, longest, flush=True)


def _wait_for_a_line(is_over: threading.Event) -> None:
    """The next one, or the end of them, means stop."""
    sys.stdin.readline()
    is_over.set()


if __name__ == "__main__":
    main()
