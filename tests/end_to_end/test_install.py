"""The wheel in a fresh environment away from the checkout: the base installation lists its commands and answers posts."""

import csv
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.support.commands import ROOT

NOT_THERE = ("torch", "transformers", "datasets", "pandas", "pyarrow", "scipy", "sklearn")


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with the wheel and the packages that it asks for."""
    folder = tmp_path_factory.mktemp("installed")
    # A build leaves files in the folder that it builds.
    ignored = shutil.ignore_patterns(".*", "build", "dist", "outputs", "tests", "*.egg-info", "__pycache__", "test-artifacts")
    shutil.copytree(ROOT, folder / "source", ignore=ignored)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, folder / "source"]
    subprocess.run(build, check=True)
    venv.create(folder / "environment", with_pip=True)
    programs = folder / "environment" / ("Scripts" if os.name == "nt" else "bin")
    (wheel,) = folder.glob("*.whl")
    subprocess.run([programs / "python", "-m", "pip", "install", "--quiet", "--no-compile", wheel], check=True)
    return programs


def run_installed(environment: Path, folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [environment / command[0], *command[1:]], capture_output=True, text=True, encoding="utf-8", cwd=folder, env=outside
    )


def test_the_base_installation_has_no_torch(environment: Path, tmp_path: Path) -> None:
    code = f"import aslstm, importlib.util as u; print(aslstm.__file__, [n for n in {NOT_THERE} if u.find_spec(n)])"
    result = run_installed(environment, tmp_path, "python", "-c", code)
    place, found = result.stdout.strip().split(" ", 1)
    assert Path(place).is_relative_to(environment.parent) and found == "[]"


def test_it_lists_its_commands(environment: Path, tmp_path: Path) -> None:
    result = run_installed(environment, tmp_path, "aslstm", "--help")
    assert result.returncode == 0 and result.stderr == ""
    assert "predict" in result.stdout


def test_it_answers_the_posts_of_a_file(environment: Path, onnx_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text("id,text\n1,今天又加班[泪]\n2,好开心😂\n", encoding="utf-8")
    flags = ("--model", onnx_folder, "--input", "posts.csv", "--output", "answers.csv")
    result = run_installed(environment, tmp_path, "aslstm", "predict", *flags)
    assert result.returncode == 0, result.stderr
    with (tmp_path / "answers.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["emoji"]) for row in rows] == [("1", '["[泪]"]'), ("2", '["😂"]')]


def test_training_says_which_extra_it_needs(environment: Path, tmp_path: Path) -> None:
    result = run_installed(environment, tmp_path, "aslstm", "train")
    assert result.returncode == 2
    assert result.stderr.startswith("error: expected the package torch") and "the extra 'train'" in result.stderr
