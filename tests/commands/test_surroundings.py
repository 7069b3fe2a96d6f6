"""Commands where output is not UTF-8, where there is no home, and where caches cannot be written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import ROOT

# No process, not even one of root, can make a file here.
UNWRITABLE = Path("/proc/none")
POST = "今天又加班[泪]😂"
pytestmark = pytest.mark.skipif(not UNWRITABLE.parent.is_dir(), reason="needs a folder in which nobody can write")


def aslstm(
    *arguments: str | Path, cwd: Path, code: str | None = None, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command with these variables and no others."""
    start = ["-c", code] if code else ["-m", "aslstm"]
    return subprocess.run(
        [sys.executable, *start, *map(str, arguments)],
        capture_output=True, cwd=cwd, env={"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", **environment},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("encoding", "environment"),
    [("gbk", {"PYTHONIOENCODING": "gbk"}), ("ascii", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})],
)
def test_characters_that_the_output_lacks_are_escaped(
    encoding: str, environment: dict[str, str], model_folder: Path, tmp_path: Path
) -> None:
    result = aslstm("try", model_folder, POST, cwd=tmp_path, HOME=str(tmp_path), **environment)
    assert result.returncode == 0, result.stderr.decode()
    shown = result.stdout.decode(encoding)
    assert "\\U0001f602" in shown if encoding == "gbk" else "post" in shown
    assert ("今天又加班" in shown) == (encoding == "gbk")


@pytest.mark.parametrize(
    ("environment", "note"),
    [
        ({"HOME": str(UNWRITABLE)}, f"note: HOME ({UNWRITABLE}) cannot be written; a temporary folder serves this run"),
        ({"HF_HOME": str(UNWRITABLE)}, f"note: HF_HUB_CACHE ({UNWRITABLE / 'hub'}), HF_MODULES_CACHE "),
        ({"HF_MODULES_CACHE": str(UNWRITABLE)}, f"note: HF_MODULES_CACHE ({UNWRITABLE}) cannot be written"),
    ],
)
def test_a_home_or_a_cache_that_cannot_be_written_is_replaced(
    environment: dict[str, str], note: str, model_folder: Path, tmp_path: Path
) -> None:
    places = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)} | environment
    result = aslstm("try", model_folder, POST, cwd=tmp_path, **places)
    assert result.returncode == 0, result.stderr.decode()
    assert result.stderr.decode().startswith(note) and "加班" in result.stdout.decode()
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith("aslstm-") or path.name == "~"]


UNKNOWN_USER = """
import os
import random
from aslstm.commands.surroundings import prepare_surroundings
os.environ.pop("HOME", None)
os.setresuid(12345, 12345, 12345)
prepare_surroundings()
print(os.path.expanduser("~/.cache"))
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become a user without a name")
def test_a_user_whom_the_system_does_not_know_has_a_home(tmp_path: Path) -> None:
    result = aslstm(cwd=ROOT, code=UNKNOWN_USER)
    assert result.returncode == 0, result.stderr.decode()
    assert result.stderr.decode().startswith("note: HOME (~) cannot be written")
    assert Path(result.stdout.decode().strip()).is_absolute()


def test_control_characters_do_not_reach_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes("te\x1b]0;owned\x07xt,标签\nа,b\n".encode())
    (tmp_path / "rows.jsonl").write_text('{"text": "\\u001b[2J", "label": 1, "score": "\\u001b[2J"}\n', encoding="utf-8")
    found = ["rows.jsonl: JSON Lines, UTF-8, text column text, no date column, 1 row"]
    for name, said in (("in.csv", []), ("rows.jsonl", found)):
        result = aslstm("report", "--input", name, "--output", "out", cwd=tmp_path, HOME=str(tmp_path))
        assert result.returncode == 2
        assert b"\x1b" not in result.stderr and b"\x07" not in result.stderr
        *before, error = result.stderr.decode().splitlines()
        assert before == said and error.startswith(f"error: {name}")
