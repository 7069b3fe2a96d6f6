"""``aslstm predict`` killed, stopped, resumed and shared by processes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet
import pytest

from aslstm.errors import UserError
from aslstm.prediction.chunks import CHUNK_ROWS
from tests.support.commands import COMMANDS
from tests.support.prediction_runs import POSTS, PREDICT, answer, command_of, read_lines, write_lines, write_txt

NUM_ROWS = 2 * CHUNK_ROWS + 300
# Events of Python's audit hooks, with what their arguments name: there a run ends itself by SIGKILL.
MOMENTS = {
    "jsonl": [
        ("open", "tmp-00000000.jsonl"), ("os.rename", "/tmp-00000001.json'"), ("os.rename", "/whole"),
        ("os.remove", "00000001.jsonl"), ("shutil.rmtree", ".parts"),
    ],
    "parquet": [("os.rename", "/tmp-00000001.parquet"), ("os.rename", "/whole")],
    # The second moment is amid the pieces of a workbook, which lie in the folder of parts.
    "xlsx": [("os.rename", "/tmp-00000001.json'"), ("open", ".xlsx.parts/whole"), ("os.rename", "/whole")],
}  # fmt: skip


@pytest.fixture(scope="module")
def many_posts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three chunks, with bad rows in the first and the last."""
    rows: list[dict] = [{"id": i, "text": POSTS[i % 6] + str(i)} for i in range(NUM_ROWS)]
    rows[5] = {"id": 5}
    rows[-5]["text"] = None
    return write_lines(tmp_path_factory.mktemp("many") / "posts.jsonl", rows)


@pytest.fixture(scope="module")
def unbroken(onnx_folder: Path, many_posts: Path) -> Callable[[str], Path]:
    """The output of a run that nobody kills, by format."""

    def output(suffix: str) -> Path:
        path = many_posts.with_name(f"unbroken.{suffix}")
        if not path.exists():
            answer(onnx_folder, "--input", many_posts, "--output", path, "--on_error", "report")
        return path

    return output


def assert_same_output(found: Path, expected: Path) -> None:
    if found.suffix == ".parquet":
        assert pyarrow.parquet.read_table(found).equals(pyarrow.parquet.read_table(expected))
    else:
        assert found.read_bytes() == expected.read_bytes()
    for name in ("counts.json", "errors.jsonl"):
        assert (
            found.with_name(f"{found.name}.{name}").read_bytes() == expected.with_name(f"{expected.name}.{name}").read_bytes()
        )
    assert not found.with_name(f"{found.name}.parts").exists()


@pytest.mark.parametrize("suffix", MOMENTS)
def test_a_run_that_is_killed_again_and_again_gives_the_same_file(
    onnx_folder: Path, many_posts: Path, unbroken: Callable[[str], Path], tmp_path: Path, suffix: str
) -> None:
    output = tmp_path / f"out.{suffix}"
    flags: list[str | Path] = [
        *PREDICT, "--model", onnx_folder, "--backend", "onnx", "--num_threads", "1", "--input", many_posts, "--output", output,
        "--on_error", "report",
    ]  # fmt: skip
    for number, (event, name) in enumerate(MOMENTS[suffix]):
        resumed = ["--resume"] if number else []
        result = COMMANDS.run([*flags, *resumed], killed_at=(event, name))
        assert result.returncode == -signal.SIGKILL, (event, name, result.stderr)
        assert output.exists() == (event in ("os.remove", "shutil.rmtree"))
    answer(onnx_folder, "--input", many_posts, "--output", output, "--on_error", "report", "--resume")
    assert_same_output(output, unbroken(suffix))


def test_a_run_that_is_killed_while_it_writes_gives_the_same_file(
    onnx_folder: Path, many_posts: Path, unbroken: Callable[[str], Path], tmp_path: Path
) -> None:
    output = tmp_path / "out.csv"
    flags = ["--input", str(many_posts), "--output", str(output), "--on_error", "report"]
    command = command_of(onnx_folder, *flags)
    with (tmp_path / "log").open("wb") as log:
        process = COMMANDS.start(command, stdout=log, stderr=log)
    whole = tmp_path / "out.csv.parts" / "whole"
    while process.poll() is None and not (whole.exists() and whole.stat().st_size):
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL and not output.exists()
    answer(onnx_folder, *flags, "--resume")
    assert_same_output(output, unbroken("csv"))


def test_two_processes_share_the_rest_of_a_killed_run(
    onnx_folder: Path, many_posts: Path, unbroken: Callable[[str], Path], tmp_path: Path
) -> None:
    output = tmp_path / "out.jsonl"
    flags: list[str | Path] = [
        *PREDICT, "--model", onnx_folder, "--backend", "onnx", "--num_threads", "1", "--input", many_posts, "--output", output,
        "--on_error", "report",
    ]  # fmt: skip
    assert COMMANDS.run(flags, killed_at=("os.rename", "/tmp-00000001.jsonl")).returncode == -signal.SIGKILL
    assert output.with_name("out.jsonl.parts").joinpath("00000000.jsonl").exists()
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true"}
    result = subprocess.run([*launch, *flags, "--resume"], capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    # The first process had its first chunk and wrote the third; the second chunk came from the other.
    assert f"Predicting (process 1 of 2): {300 - 1} posts" in result.stderr
    assert_same_output(output, unbroken("jsonl"))
    again = subprocess.run([*launch, *flags], capture_output=True, text=True, env=environment)
    errors = [line for line in again.stderr.splitlines() if line.startswith("error: ")]
    assert errors == [f"error: --output {output}: expected a new file, found one; choose another or add --overwrite"]


def test_a_run_that_stopped_goes_on_when_bad_rows_may_be_passed_over(
    onnx_folder: Path, many_posts: Path, unbroken: Callable[[str], Path], tmp_path: Path
) -> None:
    lines = many_posts.read_bytes().split(b"\n")
    posts = tmp_path / "posts.jsonl"
    posts.write_bytes(b"\n".join([*lines[:5], lines[4], *lines[6:]]))  # without the first bad row
    output = tmp_path / "out.jsonl"
    with pytest.raises(UserError, match=f"line {NUM_ROWS - 4}: "):
        answer(onnx_folder, "--input", posts, "--output", output)
    assert not output.exists()
    with pytest.raises(UserError, match=r"found one; go on with --resume or start anew with --overwrite"):
        answer(onnx_folder, "--input", posts, "--output", output, "--on_error", "skip")
    answer(onnx_folder, "--input", posts, "--output", output, "--on_error", "report", "--resume")
    found, expected = output.read_bytes().split(b"\n"), unbroken("jsonl").read_bytes().split(b"\n")
    assert len(found) == NUM_ROWS and found[CHUNK_ROWS:] == expected[CHUNK_ROWS - 1 :]


@pytest.fixture
def stopped(onnx_folder: Path, many_posts: Path, tmp_path: Path) -> list[str | Path]:
    """A run that stopped: its flags."""
    flags: list[str | Path] = ["--input", tmp_path / "posts.jsonl", "--output", tmp_path / "out.jsonl"]
    shutil.copyfile(many_posts, tmp_path / "posts.jsonl")
    lines = many_posts.read_bytes().split(b"\n")
    (tmp_path / "posts.jsonl").write_bytes(b"\n".join([b'{"text": ""}'] * CHUNK_ROWS + lines))
    with pytest.raises(UserError, match="expected a text in column 'text', found id"):
        answer(onnx_folder, *flags)
    assert (tmp_path / "out.jsonl.parts" / "00000000.jsonl").exists()
    return flags


def test_only_the_same_run_is_resumed(onnx_folder: Path, model_folder: Path, stopped: list[str | Path], tmp_path: Path) -> None:
    for flags, words in (
        (["--batch_size", "32"], "--batch_size 256), found --batch_size 32"),
        (["--attention"], "--attention False), found --attention True"),
        (["--output_format", "csv"], "--output_format jsonl), found --output_format csv"),
    ):
        with pytest.raises(UserError) as raised:
            answer(onnx_folder, *stopped, "--resume", *flags)
        assert words in str(raised.value) and len(str(raised.value).splitlines()) == 1
    with pytest.raises(UserError, match=r"\(model [0-9a-f]{64}, --backend onnx\), found model"):
        answer(model_folder, *stopped, "--resume", backend="torch")
    with (tmp_path / "posts.jsonl").open("ab") as file:
        file.write(b"\n")
    with pytest.raises(UserError, match=r"\(input [0-9a-f]{64}\), found input"):
        answer(onnx_folder, *stopped, "--resume")
    assert (tmp_path / "out.jsonl.parts" / "00000000.jsonl").exists()
    posts = write_txt(tmp_path / "posts.txt", [{"text": "a"}])
    answer(onnx_folder, "--input", posts, "--output", tmp_path / "out.jsonl", "--overwrite")
    assert [row["text"] for row in read_lines(tmp_path / "out.jsonl")] == ["a"]
    assert not (tmp_path / "out.jsonl.parts").exists()
