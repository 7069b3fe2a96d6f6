"""``aslstm predict`` after a power cut: a damaged part or state never gets into the output, and can be left behind."""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from aslstm.errors import UserError
from aslstm.prediction.chunks import CHUNK_ROWS
from tests.support.commands import COMMANDS, contents
from tests.support.damage import cut, flip
from tests.support.prediction_runs import answer, command_of, read_lines, write_txt

Damage = Callable[[Path], None]


def zero(path: Path) -> None:
    """What a journalling file system leaves of a file whose length was written and whose content was not."""
    path.write_bytes(bytes(path.stat().st_size))


def empty(path: Path) -> None:
    path.write_bytes(b"")


DAMAGES = (flip, cut, zero, empty, Path.unlink)


@pytest.fixture(scope="module")
def killed(onnx_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that was killed when all its parts were written, and with the output of one that was not."""
    folder = tmp_path_factory.mktemp("killed")
    # Two halves of a surrogate pair side by side become one character when they are read again.
    rows: list[dict] = [{"text": f"今天{i}[泪]", "halves": "\ud83d\ude00"} for i in range(CHUNK_ROWS + 7)]
    rows[3] = {"id": "\ud83d\ude00"}
    posts = folder / "posts.jsonl"
    posts.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    flags: list[str | Path] = ["--input", posts, "--on_error", "report"]
    answer(onnx_folder, *flags, "--output", folder / "unbroken.jsonl")
    command = command_of(onnx_folder, *flags)
    result = COMMANDS.run([*command, "--output", folder / "out.jsonl"], killed_at=("open", "/whole'"))
    assert result.returncode == -9, result.stderr
    return folder


def copy_of(killed: Path, tmp_path: Path) -> tuple[list[str | Path], Path]:
    """The flags of the run, in a copy of its folder, and its parts."""
    shutil.copytree(killed, tmp_path / "run")
    flags: list[str | Path] = ["--input", tmp_path / "run" / "posts.jsonl", "--output", tmp_path / "run" / "out.jsonl"]
    return [*flags, "--on_error", "report"], tmp_path / "run" / "out.jsonl.parts"


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("name", ["00000000.jsonl", "00000000.json", "00000001.jsonl", "00000001.json"])
def test_a_damaged_part_is_answered_again(
    onnx_folder: Path, killed: Path, tmp_path: Path, name: str, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    flags, parts = copy_of(killed, tmp_path)
    damage(parts / name)
    with caplog.at_level(logging.WARNING):
        answer(onnx_folder, *flags, "--resume")
    for suffix in ("", ".counts.json", ".errors.jsonl"):
        expected = (killed / f"unbroken.jsonl{suffix}").read_bytes()
        found = (tmp_path / "run" / f"out.jsonl{suffix}").read_bytes()
        # The reason of a bad row names the input, which was copied.
        assert found.replace(bytes(tmp_path / "run"), bytes(killed)) == expected
    if damage is not Path.unlink:
        rows = parts / f"{Path(name).stem}.jsonl"
        assert f"{rows}: the part is damaged; its rows are answered again" in caplog.text


def test_whole_parts_are_not_answered_again(
    onnx_folder: Path, killed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags, _ = copy_of(killed, tmp_path)
    answer(onnx_folder, *flags, "--resume")
    assert "Predicting: 0 posts" in capsys.readouterr().err
    assert (tmp_path / "run" / "out.jsonl").read_bytes() == (killed / "unbroken.jsonl").read_bytes()


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_state_is_refused_and_can_be_left_behind(
    onnx_folder: Path, killed: Path, tmp_path: Path, damage: Damage
) -> None:
    flags, parts = copy_of(killed, tmp_path)
    damage(parts / "state.json")
    before = contents(parts)
    for again in ([], ["--resume"]):
        with pytest.raises(UserError) as raised:
            answer(onnx_folder, *flags, *again)
        assert str(raised.value) == (
            f"{parts / 'state.json'}: expected the state of an unfinished run, found a damaged file or none; start anew with "
            "--overwrite"
        )
        assert contents(parts) == before
    posts = write_txt(tmp_path / "posts.txt", [{"text": "a"}])
    answer(onnx_folder, "--input", posts, "--output", tmp_path / "run" / "out.jsonl", "--overwrite")
    assert [row["text"] for row in read_lines(tmp_path / "run" / "out.jsonl")] == ["a"] and not parts.exists()
