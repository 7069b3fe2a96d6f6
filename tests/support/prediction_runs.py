"""Gives tests posts and functions that run ``aslstm predict``, write its input and read its output."""

import csv
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet

from aslstm.commands import predict

PREDICT = ("-m", "aslstm", "predict")
ONE_THREAD = ("--backend", "onnx", "--num_threads", "1")
POSTS = [
    "今天又加班[泪]，真的好累！！",
    "今天又加班[太开心]，奖金到手😂👍🏽",
    "",
    '<script>alert("[泪]")</script>, 引号',
    "明天下午三点开会，地点不变。",
    "［怒］气死我了&#128514;",
    "哈" * 50_000,
]
# The columns that are added to every row where the model has a polarity.
ADDED = ["label", "score", "scores", "polarity", "polarity_score", "emoji"]
EMOJI = [["[泪]"], ["[太开心]", "😂", "👍🏽"], [], ["[泪]"], [], ["［怒］", "😂"], []]


def command_of(folder: Path, *flags: str | Path) -> list[str | Path]:
    """Return the command that answers with a folder on one thread, for a process of its own."""
    return [*PREDICT, "--model", folder, *ONE_THREAD, *flags]


def answer(folder: Path, *arguments: str | Path, backend: str = "onnx") -> None:
    predict.main(["--model", str(folder), "--backend", backend, "--num_threads", "1", *map(str, arguments)])


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def write_lines(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_csv(path: Path, rows: list[dict]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_txt(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(row["text"] + "\n" for row in rows), encoding="utf-8", newline="\n")
    return path


def write_parquet(path: Path, rows: list[dict]) -> Path:
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


WRITERS = {".txt": write_txt, ".jsonl": write_lines, ".csv": write_csv, ".parquet": write_parquet}
