"""States of training on disk: what comes back, what damage does, what a full disk and a kill leave."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from aslstm.errors import UserError
from aslstm.training.settings import LATEST
from aslstm.training.states import TrainingStates
from tests.support.command_server import CommandServer
from tests.support.commands import ROOT
from tests.support.damage import cut, flip

FILES = ("state.safetensors", "state.json", "process-0.safetensors", "checksums.json")


@pytest.fixture
def states(tmp_path: Path) -> TrainingStates:
    return TrainingStates(tmp_path / "states", Accelerator(cpu=True))


def save(states: TrainingStates, step: int, size: int = 3) -> None:
    weights = torch.full((size,), step / 7)
    states.save(step, {"step": step, "model": {"weights": weights}, "moments": [{0: weights / 3}]}, {"random": weights.byte()})


def loaded_step(states: TrainingStates) -> int:
    state = states.load(LATEST)
    assert state is not None
    shared, own = state
    weights = torch.full_like(shared["model"]["weights"], shared["step"] / 7)
    assert torch.equal(shared["model"]["weights"], weights)
    assert torch.equal(shared["moments"][0]["0"], weights / 3)
    assert torch.equal(own["random"], weights.byte())
    return shared["step"]


def names(states: TrainingStates) -> list[str]:
    return sorted(path.name for path in states.folder.iterdir())


def test_the_newest_two_are_kept(states: TrainingStates) -> None:
    assert states.load(LATEST) is None
    for step in (5, 90, 100):
        save(states, step)
        assert loaded_step(states) == step
    assert names(states) == ["step-00000090", "step-00000100"]


def test_what_a_state_replaces_is_removed_but_never_the_one_before_it(states: TrainingStates) -> None:
    for step in (10, 20):
        save(states, step)
    (states.folder / "step-00000030.partial").mkdir()
    (states.folder / "step-00000020" / "state.json").unlink()
    save(states, 15)  # a run that went on from 10
    assert names(states) == ["step-00000010", "step-00000015"]
    save(states, 15)
    assert loaded_step(states) == 15 and len(names(states)) == 2


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", [flip, cut, Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_damaged_state_is_passed_over(
    states: TrainingStates, caplog: pytest.LogCaptureFixture, name: str, damage: Callable[[Path], None]
) -> None:
    for step in (10, 20):
        save(states, step)
    newest = states.folder / "step-00000020"
    damage(newest / name)
    assert loaded_step(states) == 10
    assert f"passed over a damaged state of training ({newest}" in caplog.text
    with pytest.raises(
        UserError, match=r"^`resume_from_checkpoint`: expected a whole state of training, found .*step-00000020"
    ):
        states.check(resume=str(newest), is_saving=True)
    damage(states.folder / "step-00000010" / name)
    with pytest.raises(UserError, match="found damaged ones; remove them to start anew"):
        states.load(LATEST)


def test_a_new_run_does_not_mix_its_states_with_those_of_another(states: TrainingStates) -> None:
    states.check(resume=None, is_saving=True)
    save(states, 10)
    with pytest.raises(UserError, match="expected no states of training, found some; go on with `resume_from_checkpoint`"):
        states.check(resume=None, is_saving=True)
    states.check(resume=None, is_saving=False)
    states.check(resume=LATEST, is_saving=True)
    states.check(resume=str(states.folder / "step-00000010"), is_saving=True)


def test_a_state_that_lists_a_file_outside_is_refused(states: TrainingStates) -> None:
    save(states, 10)
    folder = states.folder / "step-00000010"
    (states.folder / "secret.txt").write_text("secret", encoding="utf-8")
    checksums = json.loads((folder / "checksums.json").read_text(encoding="utf-8"))
    checksums["../secret.txt"] = hashlib.sha256(b"secret").hexdigest()
    (folder / "checksums.json").write_text(json.dumps(checksums), encoding="utf-8")
    with pytest.raises(UserError, match=r"found '../secret.txt', which leads out; choose another$"):
        states.check(resume=str(folder), is_saving=True)
    with pytest.raises(UserError, match="found damaged ones; remove them to start anew"):
        states.load(LATEST)


def assert_no_room(states: TrainingStates, reason: str) -> None:
    with pytest.raises(UserError) as raised:
        save(states, 20, size=1_000_000)
    assert "expected room for a state of training" in str(raised.value) and reason in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1
    assert names(states) == ["step-00000010"] and loaded_step(states) == 10


def test_files_that_may_not_grow_leave_the_state_before(states: TrainingStates) -> None:
    resource = pytest.importorskip("resource")
    save(states, 10)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        assert_no_room(states, "File too large")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if mount is None or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("only root can make a small disk, and not everywhere")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_leaves_the_state_before(small_disk: Path) -> None:
    states = TrainingStates(small_disk / "states", Accelerator(cpu=True))
    save(states, 10)
    assert_no_room(states, "No space left on device")


# Saves, and ends its own process by SIGKILL at one of the operations on files that Python tells its audit hooks of.
KILLED = """
import os, signal, sys
from pathlib import Path
import torch
from accelerate import Accelerator
from tests.training.test_states import loaded_step, save
from aslstm.training.states import TrainingStates

EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree", "os.listdir", "os.scandir"}
left = -1
def watch(event, arguments):
    global left
    if left >= 0 and event in EVENTS:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
states = TrainingStates(Path(sys.argv[1]), Accelerator(cpu=True))
for step in (10, 20):
    save(states, step)
number, found = 0, []
while True:
    child = os.fork()
    if child == 0:
        left = number
        save(states, 30)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
    found.append(loaded_step(states))
    for step in (10, 20):  # removes the state of step 30, whole or not
        save(states, step)
    number += 1
print(*found)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_kill_at_any_operation_of_a_save_leaves_a_whole_state(commands: CommandServer, tmp_path: Path) -> None:
    result = commands.run(["-c", KILLED, tmp_path / "states"], cwd=ROOT)
    assert result.returncode == 0, result.stderr
    assert "damaged" not in result.stderr
    found = result.stdout.split()
    assert found == sorted(found) and set(found) == {"20", "30"} and len(found) > 20


def test_sigterm_is_noted_and_then_obeyed_again(commands: CommandServer) -> None:
    code = (
        "import os, signal\nfrom accelerate import Accelerator\nfrom aslstm.training.states import StopSignal\n"
        "stop, accelerator = StopSignal(), Accelerator(cpu=True)\n"
        "with stop:\n    before = stop.was_received(accelerator)\n    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print(before, stop.was_received(accelerator), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    result = commands.run(["-c", code])
    assert (result.stdout, result.returncode) == ("False True\n", -signal.SIGTERM)
