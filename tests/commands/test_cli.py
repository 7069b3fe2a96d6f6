import subprocess
import sys
import time
from pathlib import Path

import pytest

import aslstm
from aslstm.cli import COMMANDS as TABLE
from tests.support.commands import COMMANDS, ROOT

LIGHT = """
import sys, time
from aslstm.cli import usage
usage()
heavy = {"numpy", "torch", "transformers", "datasets", "rich", "onnxruntime"} & set(sys.modules)
assert not heavy, heavy
"""


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return COMMANDS.run(["-m", "aslstm", *arguments])


def test_help_lists_every_command_with_a_line() -> None:
    lines = call("--help").stdout.splitlines()
    assert [name for name in TABLE if not any(line.split()[:1] == [name] and len(line.split()) > 2 for line in lines)] == []
    assert call().stdout == call("-h").stdout == call("--help").stdout


def test_the_version_is_that_of_the_package() -> None:
    assert call("--version").stdout == f"aslstm {aslstm.__version__}\n"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("pedict", "predict"),
        ("find_words", "find-words"),
        ("raport", "report"),
        ("PREDICT", "predict"),
        ("help", "--help"),
        ("--hlep", "--help"),
    ],
)
def test_a_misspelt_command_is_answered_with_the_nearest(name: str, nearest: str) -> None:
    result = call(name, "--input", "x")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.endswith(f"found {name!r}; did you mean {nearest}?\n")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", TABLE)
def test_every_command_has_grouped_help_and_answers_a_misspelt_flag(name: str) -> None:
    shown = call(name, "--help").stdout
    assert shown.startswith(f"usage: aslstm {name} ") and "(default: None)" not in shown
    result = call(name, "--nonsense_flag_of_nobody")
    assert result.returncode == 2 and "--nonsense_flag_of_nobody" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_misspelt_flag_is_named_before_one_that_is_missing() -> None:
    assert "--inptu; did you mean --input?" in call("predict", "--inptu", "x.csv").stderr


def test_the_list_of_commands_imports_nothing_heavy() -> None:
    subprocess.run([sys.executable, "-c", LIGHT], check=True, cwd=ROOT)


def test_the_library_is_light_to_import(tmp_path: Path) -> None:
    code = "import sys, aslstm; assert not {'numpy', 'torch', 'transformers'} & set(sys.modules), 'heavy'"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "aslstm", "--help"], check=True, cwd=ROOT, capture_output=True)
    assert time.perf_counter() - started < 2  # 0.1 s on a quiet machine
