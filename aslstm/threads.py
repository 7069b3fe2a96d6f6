"""Takes what the operating system allows this process and gives how many threads to work with.

The environment variable ``OMP_NUM_THREADS``, which torch and NumPy read too, overrides it.
"""

import math
import os
from collections.abc import MutableMapping
from pathlib import Path

THREADS_VARIABLE = "OMP_NUM_THREADS"
_CGROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")


def num_threads() -> int:
    """Return the number of threads to work with: that of ``OMP_NUM_THREADS``, or one for each core that may be used."""
    # OpenMP also takes a list with a number for each level of nested work; the first one counts.
    named = os.environ.get(THREADS_VARIABLE, "").split(",")[0].strip()
    return int(named) if named.isdecimal() and int(named) > 0 else usable_cores()


def usable_cores() -> int:
    """Return how many cores this process may use: those it is bound to, or fewer if a container's quota grants less time."""
    # Only Linux binds a process to cores in a way that Python 3.11 can ask for.
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(bound, cpu_quota())))


def cpu_quota(own_groups: Path = _OWN_GROUPS, root: Path = _CGROUPS) -> float:
    """Return how many cores' time the control groups of this process grant it; infinity where they set no limit.

    Args:
        own_groups: The file that names the groups of this process, a line ``number:controllers:path`` for each.
        root: The folder of all groups.
    """
    try:
        lines = own_groups.read_text(encoding="utf-8").splitlines()
    except OSError:
        return math.inf  # This is no Linux.
    quota = math.inf
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        # In a container the path may be that of the host, of which only the last folders, or none, are there.
        folder = (root / controllers if controllers else root) / path.lstrip("/")
        for group in (folder, *folder.parents):
            quota = min(quota, _quota_of(group))
            if group == root:
                break
    return quota


def _quota_of(group: Path) -> float:
    """Return the quota of one group, in cores; the first file is that of version 2, the other two those of version 1."""
    try:
        if (group / "cpu.max").is_file():
            time, period = (group / "cpu.max").read_text(encoding="utf-8").split()
        else:
            time, period = ((group / f"cpu.cfs_{name}_us").read_text(encoding="utf-8").strip() for name in ("quota", "period"))
        return float(time) / float(period) if time not in ("max", "-1") else math.inf
    except (OSError, ValueError):
        return math.inf  # The group sets no limit, or may not be read.


def share_the_machine(environment: MutableMapping[str, str]) -> None:
    """Set the variables that make the threads of torch and NumPy leave time to other programs; what is set already stays.

    Threads that have nothing to do sleep. By default they ask again and again whether there is work, and on a machine that does
    anything else they take the time that the threads with work need: training with two threads then stands still.

    Args:
        environment: The variables of this process, before torch is imported.
    """
    environment.setdefault(THREADS_VARIABLE, str(usable_cores()))
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
