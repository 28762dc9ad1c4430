"""The peak memory of this process, as the operating system counted it. The peers' environment has no more than this."""

from __future__ import annotations

import resource
from pathlib import Path


def own_peak_gigabytes() -> float:
    # What `resource` tells of a process that was started by another one begins at that one's size.
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e9
