"""How many threads a process takes, on made-up control groups and on the machine that runs the tests."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aslstm.threads import cpu_quota, num_threads, share_the_machine, usable_cores
from tests.support.commands import ROOT


def groups(tmp_path: Path, own: str, files: dict[str, str]) -> tuple[Path, Path]:
    """Return the file of a process's groups, and the folder of all groups with these files."""
    (tmp_path / "cgroup").write_text(own, encoding="utf-8")
    for name, content in files.items():
        (tmp_path / "all" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "all" / name).write_text(content, encoding="utf-8")
    return tmp_path / "cgroup", tmp_path / "all"


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, math.inf),
        # The group above grants less than the process's own.
        ("0::/a/b\n", {"a/cpu.max": "100000 100000\n", "a/b/cpu.max": "400000 100000\n"}, 1.0),
        # A container sees the path of the host, which is not there.
        ("0::/docker/4f2\n", {"cpu.max": "50000 100000\n"}, 0.5),
        ("4:cpu,cpuacct:/job\n2:memory:/\n", {
            "cpu,cpuacct/job/cpu.cfs_quota_us": "200000\n", "cpu,cpuacct/job/cpu.cfs_period_us": "100000\n",
        }, 2.0),
        ("4:cpu,cpuacct:/\n", {
            "cpu,cpuacct/cpu.cfs_quota_us": "-1\n", "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        }, math.inf),
        ("0::/\n", {"cpu.max": "nonsense\n"}, math.inf),
    ],
)  # fmt: skip
def test_the_quota_is_the_least_of_all_groups(tmp_path: Path, own: str, files: dict[str, str], expected: float) -> None:
    assert cpu_quota(*groups(tmp_path, own, files)) == expected


def test_without_control_groups_there_is_no_quota(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path / "none", tmp_path) == math.inf


@pytest.mark.parametrize(("value", "expected"), [("3", 3), ("2,1", 2), ("0", None), ("many", None), ("", None)])
def test_the_variable_overrides_it(monkeypatch: pytest.MonkeyPatch, value: str, expected: int | None) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert num_threads() == (expected or usable_cores())


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="binds the process to a core")
def test_a_bound_process_takes_no_more_cores() -> None:
    code = "import os, aslstm.threads as t; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); print(t.usable_cores())"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert result.stdout == "1\n"


def test_what_is_set_already_stays() -> None:
    environment = {"OMP_NUM_THREADS": "7"}
    share_the_machine(environment)
    assert environment == {"OMP_NUM_THREADS": "7", "OMP_WAIT_POLICY": "PASSIVE"}
