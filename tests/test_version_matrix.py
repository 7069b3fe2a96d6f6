import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from packaging.requirements import Requirement
from safetensors.torch import load_file, save_file

from version_matrix import pin_lowest, read_setup, version_of

CHECK = ROOT / "tests" / "travelling_folder.py"


def load(models: Path) -> subprocess.CompletedProcess[str]:
    """Load folders as the matrix does, but for what is installed: here that is more than a user of a model has."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import travelling_folder, torch; torch.manual_seed(7)\n"
        "from pathlib import Path\n"
        "for model in sorted(Path(sys.argv[2]).glob('*.json')): print(travelling_folder.load(model.with_suffix('')))"
    )
    command = [sys.executable, "-c", code, str(CHECK.parent), str(models)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=models)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, str(CHECK), "build", str(folder)], check=True, env=environment, cwd=folder)
    return folder
