"""Where ``aslstm predict`` reads and writes: pipes, neighbours of the output, links, and two runs at once."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow.parquet
import pytest

from aslstm.commands.flags import show_flags
from aslstm.disk import locked
from aslstm.errors import UserError
from aslstm.prediction.chunks import CHUNK_ROWS
from tests.support.command_server import CommandProcess
from tests.support.commands import COMMANDS, contents
from tests.support.prediction_runs import PREDICT, answer, command_of, read_lines, write_lines, write_parquet, write_txt

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pipes, links and signals")

NUM_ROWS = 3 * CHUNK_ROWS + 17


def feed(pipe: Path, content: bytes) -> threading.Thread:
    """Write into a named pipe as soon as somebody reads from it."""
    os.mkfifo(pipe)
    thread = threading.Thread(target=pipe.write_bytes, args=(content,), daemon=True)
    thread.start()
    return thread


# ---- pipes ----


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_a_named_pipe_loses_no_row(onnx_folder: Path, tmp_path: Path, suffix: str) -> None:
    rows = [{"text": f"今天{i}[泪]"} for i in range(NUM_ROWS)]
    write = write_lines if suffix == "jsonl" else write_parquet
    content = write(tmp_path / f"posts.{suffix}", rows).read_bytes()
    thread = feed(tmp_path / f"pipe.{suffix}", content)
    answer(onnx_folder, "--input", tmp_path / f"pipe.{suffix}", "--output", tmp_path / "out.jsonl")
    thread.join()
    assert [row["text"] for row in read_lines(tmp_path / "out.jsonl")] == [row["text"] for row in rows]


@pytest.mark.parametrize("given", ["-", "/dev/stdin", "/dev/fd/0"])
def test_standard_input_by_any_name_loses_no_row(onnx_folder: Path, tmp_path: Path, given: str) -> None:
    posts = write_txt(tmp_path / "posts.txt", [{"text": f"今天{i}[泪]"} for i in range(NUM_ROWS)])
    command = [
        sys.executable, *PREDICT, "--model", onnx_folder, "--backend", "onnx", "--num_threads", "1", "--input", given,
        "--input_format", "txt", "--output", tmp_path / "out.jsonl",
    ]  # fmt: skip
    with subprocess.Popen(["cat", posts], stdout=subprocess.PIPE) as source:
        result = subprocess.run(command, stdin=source.stdout, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert [row["text"] for row in read_lines(tmp_path / "out.jsonl")] == posts.read_text(encoding="utf-8").splitlines()


def test_a_pipe_cannot_be_resumed_and_a_run_of_it_can_be_started_anew(onnx_folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    thread = feed(tmp_path / "pipe.txt", "好\n".encode() * (CHUNK_ROWS + 1) + b"\xbd\n")
    with pytest.raises(UserError, match="expected UTF-8"):
        answer(onnx_folder, "--input", tmp_path / "pipe.txt", "--output", output)
    thread.join()
    assert (tmp_path / "out.jsonl.parts").exists()
    with pytest.raises(UserError, match=r"expected files with `resume` or several processes, found .*pipe\.txt"):
        answer(onnx_folder, "--input", tmp_path / "pipe.txt", "--output", output, "--resume")
    posts = write_txt(tmp_path / "posts.txt", [{"text": "a"}])
    with pytest.raises(UserError, match=r"\(input a stream\), found input [0-9a-f]{64}"):
        answer(onnx_folder, "--input", posts, "--output", output, "--resume")
    answer(onnx_folder, "--input", posts, "--output", output, "--overwrite")
    assert len(read_lines(output)) == 1 and not (tmp_path / "out.jsonl.parts").exists()


# ---- neighbours and links ----


def refused(folder: Path, *flags: str | Path) -> str:
    with pytest.raises(UserError) as raised:
        answer(folder, *flags)
    message = show_flags(str(raised.value))
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize("neighbour", ["out.jsonl.errors.jsonl", "out.jsonl.counts.json"])
@pytest.mark.parametrize("on_error", ["stop", "report"])
def test_neighbours_of_the_output_stay(onnx_folder: Path, tmp_path: Path, neighbour: str, on_error: str) -> None:
    posts = write_txt(tmp_path / "posts.txt", [{"text": "a"}])
    (tmp_path / neighbour).write_text("mine", encoding="utf-8")
    before = contents(tmp_path)
    flags: tuple[str | Path, ...] = ("--input", posts, "--output", tmp_path / "out.jsonl", "--on_error", on_error)
    message = refused(onnx_folder, *flags)
    assert message == f"--output {tmp_path / neighbour}: expected a new file, found one; choose another or add --overwrite"
    assert contents(tmp_path) == before
    answer(onnx_folder, *flags, "--overwrite")
    counts = json.loads((tmp_path / "out.jsonl.counts.json").read_text(encoding="utf-8"))
    assert sum(counts.values()) == 1
    assert (tmp_path / "out.jsonl.errors.jsonl").exists() == (on_error == "report")


@pytest.mark.parametrize(
    "name", ["out.jsonl", "out.jsonl.errors.jsonl", "out.jsonl.counts.json", "out.jsonl.parts/00000000.jsonl"]
)
@pytest.mark.parametrize("how", ["itself", "hard link", "link"])
@pytest.mark.parametrize("flag", ["--overwrite", "--on_error=skip"])
def test_the_input_is_never_replaced(onnx_folder: Path, tmp_path: Path, name: str, how: str, flag: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    write_lines(path, [{"text": "a"}])
    given = path if how == "itself" else tmp_path / "posts.jsonl"
    if how == "hard link":
        given.hardlink_to(path)
    elif how == "link":
        given.symlink_to(path)
    if "parts" in name and how == "hard link":
        return  # The other name keeps the content.
    before = contents(tmp_path)
    flags = ("--input", given, "--input_format", "jsonl", "--output", tmp_path / "out.jsonl", flag)
    message = refused(onnx_folder, *flags)
    words = "--input {}: expected a file outside" if "parts" in name else "expected another file than --input, found the same"
    assert words.format(given) in message
    assert contents(tmp_path) == before


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_a_link_stays_and_its_target_is_written(onnx_folder: Path, tmp_path: Path, suffix: str) -> None:
    posts = write_txt(tmp_path / "posts.txt", [{"text": "a"}])
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "target", tmp_path / f"out.{suffix}"
    link.symlink_to(target)
    answer(onnx_folder, "--input", posts, "--output", link)  # The target does not exist yet.
    first = target.read_bytes()
    assert link.is_symlink() and first
    assert "found one; choose another" in refused(onnx_folder, "--input", posts, "--output", link)
    target.write_bytes(b"before")
    answer(onnx_folder, "--input", posts, "--output", link, "--overwrite")
    assert link.is_symlink() and (first == target.read_bytes() or pyarrow.parquet.read_table(target).num_rows == 1)
    assert {path.name for path in tmp_path.iterdir()} == {"posts.txt", "elsewhere", link.name, f"{link.name}.counts.json"}
    assert list((tmp_path / "elsewhere").iterdir()) == [target]


def test_a_link_to_another_disk_stays(onnx_folder: Path, tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs two disks")
    target = memory / f"aslstm-{os.getpid()}.jsonl"
    posts = write_txt(tmp_path / "posts.txt", [{"text": "a"}])
    (tmp_path / "out.jsonl").symlink_to(target)
    try:
        answer(onnx_folder, "--input", posts, "--output", tmp_path / "out.jsonl")
        assert (tmp_path / "out.jsonl").is_symlink() and [row["text"] for row in read_lines(target)] == ["a"]
    finally:
        target.unlink(missing_ok=True)


def test_a_device_is_not_replaced(onnx_folder: Path, tmp_path: Path) -> None:
    posts = write_txt(tmp_path / "posts.txt", [{"text": "a"}])
    os.mkfifo(tmp_path / "out.jsonl")
    message = refused(onnx_folder, "--input", posts, "--output", tmp_path / "out.jsonl", "--overwrite")
    assert message.endswith("expected the name of a file, found a device or a pipe; name a file")
    assert (tmp_path / "out.jsonl").is_fifo()


# ---- two runs ----


def start(flags: list[str | Path], log: Path) -> CommandProcess:
    with log.open("wb") as file:
        return COMMANDS.start(flags, stdout=file, stderr=file)


@pytest.mark.parametrize("again", [[], ["--overwrite"], ["--resume"]])
def test_a_second_run_on_one_output_is_refused(onnx_folder: Path, tmp_path: Path, again: list[str]) -> None:
    first, second = (write_txt(tmp_path / f"{name}.txt", [{"text": name}] * NUM_ROWS) for name in ("first", "second"))
    output, lock = tmp_path / "out.jsonl", tmp_path / ".out.jsonl.lock"
    command = command_of(onnx_folder, "--output", output)
    run = start([*command, "--input", first], tmp_path / "first.log")
    while not (tmp_path / "out.jsonl.parts" / "00000000.jsonl").exists():
        assert run.poll() is None, (tmp_path / "first.log").read_text(encoding="utf-8")
        time.sleep(0.001)
    assert lock.exists()
    other = COMMANDS.run([*command, "--input", second, *again])
    assert run.wait() == 0 and other.returncode == 2
    assert other.stderr.startswith(
        f"error: --output {output}: expected no other run that writes to it, found one (process {run.pid} on "
    )
    assert len(other.stderr.splitlines()) == 1
    assert {row["text"] for row in read_lines(output)} == {"first"} and len(read_lines(output)) == NUM_ROWS
    assert not lock.exists()


def test_two_runs_that_start_at_once_do_not_mix(onnx_folder: Path, tmp_path: Path) -> None:
    posts = [write_txt(tmp_path / f"{name}.txt", [{"text": name}] * NUM_ROWS) for name in "abc"]
    output = tmp_path / "out.jsonl"
    command = command_of(onnx_folder, "--output", output)
    runs = [start([*command, "--input", path], path.with_suffix(".log")) for path in posts]
    assert sorted(run.wait() for run in runs) == [0, 2, 2]
    winner = next(path.stem for path, run in zip(posts, runs, strict=True) if run.returncode == 0)
    assert {row["text"] for row in read_lines(output)} == {winner} and len(read_lines(output)) == NUM_ROWS


def test_the_lock_of_a_killed_run_holds_nobody_up(onnx_folder: Path, tmp_path: Path) -> None:
    posts = write_txt(tmp_path / "posts.txt", [{"text": "a"}])
    output = tmp_path / "out.jsonl"
    command = command_of(onnx_folder, "--output", output)
    killed = COMMANDS.run([*command, "--input", posts], killed_at=("os.rename", "/whole"))
    assert killed.returncode == -9 and (tmp_path / ".out.jsonl.lock").exists()
    answer(onnx_folder, "--input", posts, "--output", output, "--resume")
    assert {path.name for path in tmp_path.iterdir()} == {"posts.txt", "out.jsonl", "out.jsonl.counts.json"}


def test_one_process_does_not_lock_twice(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with locked(tmp_path / "file"):
        with (
            pytest.raises(UserError, match="expected no other run that writes to it, found one in this process"),
            locked(tmp_path / "link"),
        ):
            pass
        assert [path.name for path in tmp_path.iterdir() if path.name != "link"] == [".file.lock"]
    with locked(tmp_path / "link"):
        pass
