import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from packaging.requirements import Requirement
from safetensors.torch import load_file, save_file

from modeling_aslstm.configuration_aslstm import EMOJI_FUSIONS
from noxfile import TESTS, TRAVELLING_FOLDER, oldest_python, pin_lowest, read_requirements
from tests.support.commands import ROOT

# As `travelling_folder.py load`, which refuses an environment that has more than a user of a model needs, as this one has.
LOAD = """
import runpy, sys
from pathlib import Path
print(runpy.run_path(sys.argv[1])["load"](Path(sys.argv[2])))
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, str(TRAVELLING_FOLDER), "build", str(folder)], check=True, env=environment)
    return folder


def load_elsewhere(model: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LOAD, str(TRAVELLING_FOLDER), str(model)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["HF_HOME"] = str(model.parent / "cache")
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=model.parent, env=environment)


def test_a_folder_of_every_fusion_is_built_and_the_default_one_loads_with_equal_answers(models: Path) -> None:
    assert {path.stem for path in models.glob("*.json")} == set(EMOJI_FUSIONS)
    result = load_elsewhere(models / "attention")
    assert result.returncode == 0, result.stderr
    assert float(result.stdout.splitlines()[-1]) <= 1e-6


def test_a_weight_that_starts_fresh_instead_of_being_loaded_is_found(models: Path) -> None:
    weights = load_file(models / "context" / "model.safetensors")
    fresh = weights | {"classifier.bias": torch.zeros_like(weights["classifier.bias"])}
    save_file(fresh, models / "context" / "model.safetensors", metadata={"format": "pt"})
    try:
        result = load_elsewhere(models / "context")
    finally:
        save_file(weights, models / "context" / "model.safetensors", metadata={"format": "pt"})
    assert result.returncode == 1
    assert "expected equal answers, found differences of" in result.stderr


def test_bare_environments_alone_are_believed(models: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(TRAVELLING_FOLDER), "load", str(models)],
        capture_output=True, text=True, encoding="utf-8", env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert result.returncode == 1
    assert "expected none of this project's packages" in result.stderr


def test_the_lowest_versions_are_allowed_and_exact() -> None:
    assert oldest_python(ROOT / "setup.cfg") == "3.11"
    requirements = read_requirements(ROOT / "setup.cfg")
    assert {"torch", "transformers", "rjieba", "onnxruntime"} <= {Requirement(line).name for line in requirements}
    for line in requirements:
        (pin,) = Requirement(pin_lowest(line)).specifier or [None]
        assert pin is None or (pin.operator == "==" and pin.version in Requirement(line).specifier), line
        assert pin is not None or line in ("mplfonts", "tensorboard")


def test_extras_that_name_extras_are_followed(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text(
        """
[metadata]
name = ours
[options]
python_requires = >=3.12
install_requires =
    numpy>=1.26
[options.extras_require]
torch =
    torch>=2.13
train =
    ours[torch]
# Of the tools.
    datasets>=5,<6
dev =
    ours[torch, train]
    pytest
""",
        encoding="utf-8",
    )
    path = tmp_path / "setup.cfg"
    assert oldest_python(path) == "3.12"
    assert read_requirements(path, []) == ["numpy>=1.26"]
    assert read_requirements(path, ["train"]) == ["numpy>=1.26", "datasets>=5,<6", "torch>=2.13"]
    assert read_requirements(path, ["dev"]) == ["numpy>=1.26", "pytest", "torch>=2.13", "datasets>=5,<6"]
    assert read_requirements(path) == ["numpy>=1.26", "torch>=2.13", "datasets>=5,<6"]


def test_interpreters_that_are_not_there_are_skipped_and_a_matrix_of_nothing_fails(tmp_path: Path) -> None:
    # As the names that a version manager leaves for interpreters that it has not activated.
    (tmp_path / "python9.8").write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    (tmp_path / "python9.8").chmod(0o755)
    absent = ("python9.9", "python9.8")
    environment = {
        "PYTHONS": " ".join(absent),
        "TRANSFORMERS": "==5.5.*",
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
    }
    sessions = ("--envdir", str(tmp_path / "environments"), "--session", "folders", "load", "package", "summary")
    result = subprocess.run(
        [sys.executable, "-m", "nox", "--noxfile", str(ROOT / "noxfile.py"), *sessions],
        capture_output=True, text=True, encoding="utf-8",
        env=os.environ | environment,
    )  # fmt: skip
    for python in absent:
        assert re.search(rf"\* package-{re.escape(python)}\(versions='newest'\): skipped", result.stderr), result.stderr
    assert "expected a row that passed, found none" in result.stderr
    assert result.returncode == 1


def test_the_part_of_the_suite_is_there() -> None:
    assert [name for name in TESTS if not (ROOT / "tests" / name).exists()] == []
