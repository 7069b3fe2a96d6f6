"""The commands of ``make demo``, in a folder that has nothing yet, as a fresh clone has."""

import shlex
import subprocess
from pathlib import Path

from tests.support.commands import ROOT, run_command

# The training of the demo takes more than a minute; its last flags count.
SHORTER = {"train": ("--max_train_samples", "60", "--num_train_epochs", "1")}


def test_every_command_of_the_demo_works_in_a_fresh_clone(tmp_path: Path) -> None:
    (tmp_path / "aslstm").symlink_to(ROOT / "aslstm", target_is_directory=True)
    printed = subprocess.run(["make", "--dry-run", "demo"], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    lines = [shlex.split(line) for line in printed.splitlines() if "/aslstm " in line or line.startswith("mkdir")]
    assert [line[1] for line in lines if line[0] != "mkdir"] == ["try", "predict", "report", "train"]
    for program, *arguments in lines:
        if program == "mkdir":
            subprocess.run([program, *arguments], check=True, cwd=tmp_path)
        else:
            run_command(*arguments, *SHORTER.get(arguments[0], ()), cwd=tmp_path)
    assert (tmp_path / "outputs/answers.csv").is_file()
    assert (tmp_path / "outputs/report/index.html").is_file()
    assert (tmp_path / "outputs/sample/model.safetensors").is_file()
