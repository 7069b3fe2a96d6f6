"""What works, and what is refused in one line, where only the packages of the base installation are there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aslstm.cli import COMMANDS
from tests.support.commands import ROOT

EXTRA_PACKAGES = (
    "accelerate", "altair", "datasets", "fastapi", "gensim", "gradio", "jinja2", "matplotlib", "mplfonts", "onnx", "pandas",
    "prometheus_client", "pyarrow", "pyspark", "ray", "scipy", "sklearn", "tokenizers", "torch", "torchcrf", "torchmetrics",
    "transformers", "uvicorn", "vl_convert", "xlsxwriter",
)  # fmt: skip
BLOCKED = f"import sys; sys.modules |= dict.fromkeys({EXTRA_PACKAGES}); sys.argv[0] = 'aslstm'\n"
RUN = f"{BLOCKED}from aslstm.cli import main; main()\n"
# What these say that are given nothing.
BASE_COMMANDS = {
    "predict": "error: expected a file of posts, found none",
    "find-words": "error: the following arguments are required",
}


def run_blocked(code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT)


def test_posts_are_answered_by_onnx_which_is_chosen_where_there_is_no_torch(onnx_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text("id,text\n1,今天又加班[泪]\n", encoding="utf-8")
    flags = ("predict", "--model", onnx_folder, "--input", tmp_path / "posts.csv", "--attention")
    chosen, named = tmp_path / "chosen.jsonl", tmp_path / "named.jsonl"
    result = run_blocked(RUN, *flags, "--output", chosen)
    assert result.returncode == 0, result.stderr
    # The model is loaded first, so that of a damaged one nothing else is said.
    warning, found, *_ = result.stderr.splitlines()
    assert found.startswith("posts.csv: ")
    assert warning.startswith("torch is not installed: the answers are those of the int8 graph")
    result = run_blocked(RUN, *flags, "--backend", "onnx", "--output", named)
    assert result.returncode == 0 and "torch" not in result.stderr
    assert chosen.read_bytes() == named.read_bytes()
    assert json.loads(named.read_text(encoding="utf-8"))["emoji"] == ["[泪]"]


def test_answering_in_onnx_imports_nothing_of_the_extras_nor_the_hub(onnx_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "posts.txt").write_text("今天又加班[泪]\n", encoding="utf-8")
    code = (
        "import sys; from aslstm.cli import main; main()\n"
        f"print([name for name in (*{EXTRA_PACKAGES}, 'huggingface_hub') if name in sys.modules])"
    )
    flags = ("--model", onnx_folder, "--backend", "onnx", "--input", tmp_path / "posts.txt", "--output", tmp_path / "out.csv")
    result = run_blocked(code, "predict", *flags)
    assert result.stdout == "[]\n", result.stderr


def test_the_library_answers_with_its_default_backend(onnx_folder: Path) -> None:
    code = (
        f"{BLOCKED}from aslstm import BatchPredictor, Classifier, OnnxPipeline\n"
        "folder = sys.argv[1]; posts = ['今天又加班[泪]', '']\n"
        "assert Classifier(folder).predict(posts).shape[0] == 2\n"
        "assert len(BatchPredictor(folder)({'text': posts})['label']) == 2\n"
        "assert OnnxPipeline(folder)(posts, emoji_effect=True)[1]['emoji_effect'] is None\n"
    )
    result = run_blocked(code, onnx_folder)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_without_its_extra_is_one_line(name: str) -> None:
    result = run_blocked(RUN, name)
    assert result.returncode == 2, result.stderr
    (line,) = result.stderr.splitlines()
    assert line.startswith(BASE_COMMANDS.get(name, "error: expected the package "))
    assert name in BASE_COMMANDS or "install the extra" in line


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--output", "out.parquet"), ["the package pyarrow", "the extra 'parquet'"]),
        (("--output", "out.xlsx"), ["the package xlsxwriter", "the extra 'files'", "or name a .csv file"]),
        (("--input", "posts.parquet", "--output", "out.csv"), ["the package pyarrow", "the extra 'parquet'"]),
        (("--output", "out.csv", "--backend", "torch"), ["the package torch", "the extra 'torch'", "choose --backend onnx"]),
    ],
    ids=str,
)
def test_what_predict_lacks_is_one_line(
    onnx_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], words: list[str]
) -> None:
    (tmp_path / "posts.txt").write_text("好\n", encoding="utf-8")
    (tmp_path / "posts.parquet").write_bytes(b"PAR1")
    places = [str(tmp_path / flag) if "." in flag else flag for flag in flags]
    result = run_blocked(RUN, "predict", "--model", onnx_folder, "--input", tmp_path / "posts.txt", *places)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert [word for word in words if word not in line] == []
