"""``predict.py`` from file to file; runs that only differ in their input share this process, all else has its own."""

import csv
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from conftest import ROOT, run_script
from transformers import pipeline

import predict
from post_chunks import CHUNK_ROWS
from user_errors import UserError

SCRIPT = ROOT / "train_scripts" / "predict.py"
POSTS = [
    "今天又加班[泪]，真的好累！！",
    "今天又加班[太开心]，奖金到手😂👍🏽",
    "",
    '<script>alert("[泪]")</script>, 引号',
    "明天下午三点开会，地点不变。",
    "［怒］气死我了&#128514;",
    "哈" * 50_000,
]
EMOJI = [["[泪]"], ["[太开心]", "😂", "👍🏽"], [], ["[泪]"], [], ["［怒］", "&#128514;"], []]


def answer(folder: Path, *arguments: str | Path, backend: str = "onnx") -> None:
    predict.main(["--model", str(folder), "--backend", backend, "--num_threads", "1", *map(str, arguments)])


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def write_lines(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
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


@pytest.fixture(scope="module")
def answers(onnx_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What the numbered posts give as JSON Lines."""
    folder = tmp_path_factory.mktemp("answers")
    posts = write_lines(folder / "posts.jsonl", [{"id": i, "text": text} for i, text in enumerate(POSTS)])
    answer(onnx_folder, "--input", posts, "--output", folder / "out.jsonl")
    return read_lines(folder / "out.jsonl")


# ---- the answers ----


def test_rows_come_back_in_order_with_their_columns_and_are_counted(model_folder: Path, tmp_path: Path) -> None:
    rows = [{"id": -i, "text": text, "nested": {"a": [i, None]}} for i, text in enumerate(POSTS)]
    posts = write_lines(tmp_path / "posts.jsonl", rows)
    answer(model_folder, "--input", posts, "--output", tmp_path / "out.jsonl", "--attention", backend="torch")
    found = read_lines(tmp_path / "out.jsonl")
    assert [{name: row[name] for name in ("id", "text", "nested")} for row in found] == rows
    assert list(found[0]) == ["id", "text", "nested", "label", "score", "scores", "emoji", "attention"]
    assert [row["emoji"] for row in found] == EMOJI
    labels = list(json.loads((model_folder / "config.json").read_text(encoding="utf-8"))["id2label"].values())
    counts = json.loads((tmp_path / "out.jsonl.counts.json").read_text(encoding="utf-8"))
    assert counts == {label: Counter(row["label"] for row in found)[label] for label in labels}
    assert {path.name for path in tmp_path.iterdir()} == {"posts.jsonl", "out.jsonl", "out.jsonl.counts.json"}


def test_labels_scores_and_attention_are_those_of_the_pipeline(model_folder: Path, tmp_path: Path) -> None:
    posts = write_lines(tmp_path / "posts.jsonl", [{"text": text} for text in POSTS])
    answer(model_folder, "--input", posts, "--output", tmp_path / "out.jsonl", "--attention", backend="torch")
    classify = pipeline("text-classification", model=str(model_folder), trust_remote_code=True)
    expected = classify(POSTS, top_k=None, return_attention=True)
    for row, entries in zip(read_lines(tmp_path / "out.jsonl"), expected, strict=True):
        assert row["label"] == entries[0]["label"]
        assert row["scores"] == pytest.approx({entry["label"]: entry["score"] for entry in entries}, abs=2e-6)
        assert row["score"] == row["scores"][row["label"]] == max(row["scores"].values())
        weights = [entry.pop("weight") for entry in row["attention"]]
        assert weights == pytest.approx([entry.pop("weight") for entry in entries[0]["attention"]], abs=1e-6)
        assert row["attention"] == entries[0]["attention"]


def test_a_prefix_keeps_the_labels_of_the_input(onnx_folder: Path, tmp_path: Path, answers: list[dict]) -> None:
    rows = [{"text": text, "label": "gold", "score": 5} for text in POSTS]
    posts = write_lines(tmp_path / "posts.jsonl", rows)
    answer(onnx_folder, "--input", posts, "--output", tmp_path / "out.csv", "--prefix", "predicted_")
    found = read_csv(tmp_path / "out.csv")
    assert [(row["label"], row["score"]) for row in found] == [("gold", "5")] * len(POSTS)
    assert [row["predicted_label"] for row in found] == [row["label"] for row in answers]
    counts = json.loads((tmp_path / "out.csv.counts.json").read_text(encoding="utf-8"))
    assert sum(counts.values()) == len(POSTS) and "gold" not in counts


def test_torch_is_not_imported_for_onnx(onnx_folder: Path, tmp_path: Path) -> None:
    posts = write_txt(tmp_path / "posts.txt", [{"text": "好[泪]"}])
    code = "import runpy, sys; runpy.run_path(sys.argv[0], run_name='__main__'); assert 'torch' not in sys.modules"
    code = f"import sys; sys.argv = sys.argv[1:]; {code}"
    flags = ["--model", onnx_folder, "--backend", "onnx", "--input", posts, "--output", tmp_path / "out.csv"]
    subprocess.run([sys.executable, "-c", code, SCRIPT, *flags], check=True, capture_output=True)
    assert (tmp_path / "out.csv").exists()


# ---- formats ----


@pytest.mark.parametrize("suffix", [s + gz for s in WRITERS for gz in ("", ".gz")])
def test_every_input_format_gives_the_same_answers(onnx_folder: Path, tmp_path: Path, answers: list[dict], suffix: str) -> None:
    path = WRITERS[suffix.removesuffix(".gz")](tmp_path / f"posts{suffix.removesuffix('.gz')}", [
        {"id": i, "text": text} for i, text in enumerate(POSTS)
    ])  # fmt: skip
    if suffix.endswith(".gz"):
        packed = path.with_name(f"{path.name}.gz")
        packed.write_bytes(gzip.compress(path.read_bytes()))
        path = packed
    answer(onnx_folder, "--input", path, "--output", tmp_path / "out.jsonl")
    found = read_lines(tmp_path / "out.jsonl")
    expected = [dict(row) for row in answers]
    for row in expected:
        if ".txt" in suffix:
            del row["id"]
        elif ".csv" in suffix:
            row["id"] = str(row["id"])
    assert found == expected


def test_csv_holds_nested_values_as_json(onnx_folder: Path, tmp_path: Path, answers: list[dict]) -> None:
    rows = [{"text": text, "id": i, "tags": ["a", i]} for i, text in enumerate(POSTS)] + [
        {"text": "回车\r换行\n", "late": True}
    ]
    answer(onnx_folder, "--input", write_lines(tmp_path / "posts.jsonl", rows), "--output", tmp_path / "out.csv")
    found = read_csv(tmp_path / "out.csv")
    assert list(found[0]) == ["text", "id", "tags", "label", "score", "scores", "emoji", "late"]
    for row, expected in zip(found, answers, strict=False):
        assert row["text"] == expected["text"]
        assert json.loads(row["tags"]) == ["a", expected["id"]]
        assert (row["label"], row["late"]) == (expected["label"], "")
        assert json.loads(row["emoji"]) == expected["emoji"]
        assert json.loads(row["scores"]) == pytest.approx(expected["scores"], abs=0.02)
        assert float(row["score"]) == pytest.approx(expected["score"], abs=0.02)
    assert found[-1]["text"] == "回车\r换行\n"
    assert (found[-1]["id"], found[-1]["tags"], found[-1]["late"]) == ("", "", "true")


def test_parquet_keeps_the_types_of_its_columns(onnx_folder: Path, tmp_path: Path, answers: list[dict]) -> None:
    number = len(POSTS)
    table = pyarrow.table({
        "text": pyarrow.array(POSTS, pyarrow.large_string()),
        "day": pyarrow.array(range(number), pyarrow.timestamp("ns", tz="Asia/Shanghai")),
        "topic": pyarrow.array([None, "甲"] * number, pyarrow.string())[:number].dictionary_encode(),
        "raw": pyarrow.array([b"\xff"] * number),
        "small": pyarrow.array(range(number), pyarrow.int8()),
        "pairs": pyarrow.array([[("a", 1)]] * number, pyarrow.map_(pyarrow.string(), pyarrow.int32())),
        "nothing": pyarrow.nulls(number),
    })  # fmt: skip
    pyarrow.parquet.write_table(table, tmp_path / "posts.parquet", row_group_size=3)
    answer(onnx_folder, "--input", tmp_path / "posts.parquet", "--output", tmp_path / "out.parquet")
    found = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert found.select(table.column_names).cast(table.schema).to_pylist() == table.to_pylist()
    assert [found.schema.field(name).type for name in table.column_names] == [field.type for field in table.schema]
    assert found.select(["label", "score", "scores", "emoji"]).to_pylist() == [
        {name: row[name] for name in ("label", "score", "scores", "emoji")} for row in answers
    ]


def test_standard_input_and_output(onnx_folder: Path, tmp_path: Path, answers: list[dict]) -> None:
    command = [sys.executable, SCRIPT, "--model", onnx_folder, "--backend", "onnx", "--num_threads", "1", "--input", "-"]
    posts = write_parquet(tmp_path / "posts.parquet", [{"id": i, "text": text} for i, text in enumerate(POSTS)])
    piped = [*command, "--output", "-", "--input_format", "parquet", "--output_format"]
    result = subprocess.run([*piped, "jsonl"], input=posts.read_bytes(), capture_output=True, check=True)
    assert [json.loads(line) for line in result.stdout.split(b"\n")[:-1]] == answers
    assert b"posts/s" in result.stderr and result.stderr.splitlines()[-1].startswith(b"7 posts: ")
    result = subprocess.run([*piped, "csv"], input=posts.read_bytes(), capture_output=True, check=True)
    (tmp_path / "out.csv").write_bytes(result.stdout)
    assert [row["label"] for row in read_csv(tmp_path / "out.csv")] == [row["label"] for row in answers]
    assert {path.name for path in tmp_path.iterdir()} == {"posts.parquet", "out.csv"}


def test_a_reader_that_has_enough_is_no_error(onnx_folder: Path, tmp_path: Path) -> None:
    posts = write_txt(tmp_path / "posts.txt", [{"text": f"好{i}"} for i in range(2 * CHUNK_ROWS)])
    command = [sys.executable, SCRIPT, "--model", onnx_folder, "--backend", "onnx", "--input", posts, "--output", "-"]
    with subprocess.Popen([*command, "--output_format", "jsonl"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert json.loads(process.stdout.readline())["text"] == "好0"
        process.stdout.close()
        assert b"Error" not in process.stderr.read()
    assert process.returncode == 0


def test_half_of_a_surrogate_pair_passes_through_json(onnx_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text('{"text": "好\\ud83d[泪]", "\\ud83d": "\\ude00"}\n', encoding="utf-8")
    for name in ("out.jsonl", "out.csv", "out.parquet"):
        answer(onnx_folder, "--input", tmp_path / "posts.jsonl", "--output", tmp_path / name, "--attention")
    assert (
        read_lines(tmp_path / "out.jsonl")[0] | {"text": "好\ud83d[泪]", "\ud83d": "\ude00"}
        == (read_lines(tmp_path / "out.jsonl")[0])
    )
    assert read_csv(tmp_path / "out.csv")[0]["text"] == "好?[泪]"
    assert pyarrow.parquet.read_table(tmp_path / "out.parquet").to_pylist()[0]["text"] == "好?[泪]"


# ---- a kill, and several processes ----

NUM_ROWS = 2 * CHUNK_ROWS + 300
# Ends its own process by SIGKILL at the first event (of Python's audit events) whose arguments name what is given.
KILLED = """
import os, runpy, signal, sys
wanted, name, *sys.argv = sys.argv[1:]
def watch(event, arguments):
    if event == wanted and name in str(arguments):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
runpy.run_path(sys.argv[0], run_name="__main__")
"""
MOMENTS = {
    "jsonl": [
        ("open", "tmp-00000000.jsonl"), ("os.rename", "/tmp-00000001.json'"), ("os.rename", "/whole"),
        ("os.remove", "00000001.jsonl"), ("shutil.rmtree", ".parts"),
    ],
    "parquet": [("os.rename", "/tmp-00000001.parquet"), ("os.rename", "/whole")],
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
        SCRIPT, "--model", onnx_folder, "--backend", "onnx", "--num_threads", "1", "--input", many_posts, "--output", output,
        "--on_error", "report",
    ]  # fmt: skip
    for number, (event, name) in enumerate(MOMENTS[suffix]):
        resumed = ["--resume"] if number else []
        result = subprocess.run([sys.executable, "-c", KILLED, event, name, *flags, *resumed], capture_output=True, text=True)
        assert result.returncode == -signal.SIGKILL, (event, name, result.stderr)
        assert output.exists() == (event in ("os.remove", "shutil.rmtree"))
    answer(onnx_folder, "--input", many_posts, "--output", output, "--on_error", "report", "--resume")
    assert_same_output(output, unbroken(suffix))


def test_a_run_that_is_killed_while_it_writes_gives_the_same_file(
    onnx_folder: Path, many_posts: Path, unbroken: Callable[[str], Path], tmp_path: Path
) -> None:
    output = tmp_path / "out.csv"
    flags = ["--input", str(many_posts), "--output", str(output), "--on_error", "report"]
    command = [sys.executable, str(SCRIPT), "--model", str(onnx_folder), "--backend", "onnx", "--num_threads", "1", *flags]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        whole = tmp_path / "out.csv.parts" / "whole"
        while process.poll() is None and not (whole.exists() and whole.stat().st_size):
            time.sleep(0.001)
        process.kill()
    assert process.returncode == -signal.SIGKILL and not output.exists()
    answer(onnx_folder, *flags, "--resume")
    assert_same_output(output, unbroken("csv"))


def test_two_processes_share_the_rest_of_a_killed_run(
    onnx_folder: Path, many_posts: Path, unbroken: Callable[[str], Path], tmp_path: Path
) -> None:
    output = tmp_path / "out.jsonl"
    flags: list[str | Path] = [
        SCRIPT, "--model", onnx_folder, "--backend", "onnx", "--num_threads", "1", "--input", many_posts, "--output", output,
        "--on_error", "report",
    ]  # fmt: skip
    kill = [sys.executable, "-c", KILLED, "os.rename", "/tmp-00000001.jsonl"]
    assert subprocess.run([*kill, *flags], capture_output=True).returncode == -signal.SIGKILL
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


# ---- bad input ----

GOOD = b'{"text": "a"}\n'


@pytest.mark.parametrize(
    ("name", "content", "flags", "words"),
    [
        ("a.csv", b"review,stars\na,5\n", [], ["line 2", "'text'", "review, stars", "--text_column"]),
        ("a.jsonl", b'{"review": "a", "stars": 5}\n', ["--on_error", "skip"], ["line 1", "'text'", "review, stars"]),
        ("a.jsonl", b"", [], ["at least one row", "found none"]),
        ("a.txt", b"", [], ["at least one row", "found none"]),
        ("a.csv", b"text,id\n", [], ["at least one row", "found none"]),
        ("a.txt", "好\n".encode() + "今天开心\n".encode("gb18030"), [], ["line 2", "UTF-8", "0xbd", "--encoding"]),
        ("a.jsonl", GOOD * 2 + b'{"text": "b"\n' + GOOD, [], ["line 3", "JSON object", "--on_error skip or report"]),
        ("a.jsonl", GOOD + b'{"text": null}\n', [], ["line 2", "'text'", "None"]),
        ("a.jsonl", b'\n\n{"text": 5}\n', [], ["line 3", "'text'", "5"]),
        ("a.csv", b"text,id\na,1\nb,2,3\n", [], ["line 3", "2 fields", "found 3"]),
        ("a.csv", b"text,label\na,x\n", ["--on_error", "skip"], ["no column label", "--prefix"]),
        ("a.jsonl", GOOD + b'{"text": "b", "attention": 1}\n', ["--attention"], ["line 2", "no column attention", "--prefix"]),
        ("a.parquet", b"PAR1 and nothing more", [], ["Parquet"]),
        ("a.parquet.gz", b"PAR1 and nothing more", [], ["Parquet"]),
        ("a.jsonl.gz", gzip.compress(GOOD * 9)[:-9], [], ["whole gzip file"]),
        ("a.doc", b"a", [], ["'.doc'", ".jsonl"]),
        ("a.txt", b"a\n", ["--encoding", "klingon"], ["--encoding", "'klingon'"]),
        ("a.txt", b"a\n", ["--batch_size", "0"], ["--batch_size", "1 or more"]),
        ("a.txt", b"a\n", ["--resume"], ["--resume", "out.jsonl.parts", "found none"]),
        ("a.txt", b"a\n", ["--resume", "--overwrite"], ["--overwrite", "not allowed"]),
        ("a.txt", b"a\n", ["--input", "-"], ["--input -", "--input_format"]),
        ("a.txt", b"a\n", ["--output", "-"], ["--output -", "--output_format"]),
        ("a.txt", b"a\n", ["--output", "-", "--output_format", "parquet"], ["--output -", "jsonl or csv"]),
        ("a.txt", b"a\n", ["--input", "-", "--input_format", "txt", "--resume"], ["--resume", "found -"]),
        ("a.txt", b"a\n", ["--output", "out.doc"], ["--output out.doc", ".parquet"]),
        ("a.txt", b"a\n", ["--input", "nowhere.txt"], ["nowhere.txt", "No such file"]),
        ("a.txt", b"a\n", ["--model", "nowhere"], ["nowhere", "config.json"]),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_leaves_nothing(
    onnx_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, flags: list[str],
    words: list[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name == "a.parquet.gz" else content)
    with pytest.raises(UserError) as raised:
        answer(onnx_folder, "--input", path, "--output", tmp_path / "out.jsonl", *flags)
    message = str(raised.value)
    assert [word for word in words if word not in message] == []
    assert len(message.splitlines()) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_bad_input_ends_with_code_2(onnx_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text("review\na\n", encoding="utf-8")
    flags = ("--model", onnx_folder, "--backend", "onnx", "--input", tmp_path / "posts.csv", "--output", tmp_path / "out.csv")
    result = run_script("predict.py", *flags, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith("error: ") and len(result.stderr.splitlines()) == 1


def test_bad_rows_are_passed_over_and_kept_aside(onnx_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    lines = [b'{"text": "a"}', b'{"text": "b', '{"text": "今"}'.encode("gb18030"), b'{"id": 4}', b"", b'{"text": "f"}']
    (tmp_path / "posts.jsonl").write_bytes(b"\n".join(lines))
    answer(onnx_folder, "--input", tmp_path / "posts.jsonl", "--output", tmp_path / "skipped.jsonl", "--on_error", "skip")
    assert [row["text"] for row in read_lines(tmp_path / "skipped.jsonl")] == ["a", "f"]
    assert not (tmp_path / "skipped.jsonl.errors.jsonl").exists()
    assert capsys.readouterr().err.splitlines()[-1].endswith("; 3 rows passed over")
    answer(onnx_folder, "--input", tmp_path / "posts.jsonl", "--output", tmp_path / "out.jsonl", "--on_error", "report")
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "skipped.jsonl").read_bytes()
    errors = read_lines(tmp_path / "out.jsonl.errors.jsonl")
    assert [error["line"] for error in errors] == [2, 3, 4]
    assert [error["content"] for error in errors] == ['{"text": "b', '{"text": "\\xbd\\xf1"}\n', '{"id": 4}']
    assert all(error["reason"].startswith(f"{tmp_path / 'posts.jsonl'}, line ") for error in errors)


def test_bad_rows_of_csv_are_passed_over_whole(onnx_folder: Path, tmp_path: Path) -> None:
    bad = '"两\n行"'.encode("gb18030")
    (tmp_path / "posts.csv").write_bytes(b"text,id\na,1\n" + bad + b',2\nc,3,3\nx"y,4\n"e\ne",5\n"f')
    answer(onnx_folder, "--input", tmp_path / "posts.csv", "--output", tmp_path / "out.csv", "--on_error", "report")
    assert [(row["text"], row["id"]) for row in read_csv(tmp_path / "out.csv")] == [("a", "1"), ('x"y', "4"), ("e\ne", "5")]
    assert [error["line"] for error in read_lines(tmp_path / "out.csv.errors.jsonl")] == [4, 5, 9]


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
        file.write(GOOD)
    with pytest.raises(UserError, match=r"\(input [0-9a-f]{64}\), found input"):
        answer(onnx_folder, *stopped, "--resume")
    assert (tmp_path / "out.jsonl.parts" / "00000000.jsonl").exists()
    posts = write_txt(tmp_path / "posts.txt", [{"text": "a"}])
    answer(onnx_folder, "--input", posts, "--output", tmp_path / "out.jsonl", "--overwrite")
    assert [row["text"] for row in read_lines(tmp_path / "out.jsonl")] == ["a"]
    assert not (tmp_path / "out.jsonl.parts").exists()


def test_nothing_of_the_user_is_overwritten(onnx_folder: Path, tmp_path: Path) -> None:
    posts = write_txt(tmp_path / "posts.txt", [{"text": "a"}])
    output = tmp_path / "out.jsonl"
    output.write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match=r"expected a new file, found one; choose another or add --overwrite"):
        answer(onnx_folder, "--input", posts, "--output", output)
    (tmp_path / "out.jsonl.parts").mkdir()
    (tmp_path / "out.jsonl.parts" / "tmp-state.json").touch()  # of a run that was killed at its start
    (tmp_path / "out.jsonl.parts" / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match=r"out.jsonl.parts: expected a folder of this script, found other files"):
        answer(onnx_folder, "--input", posts, "--output", output, "--overwrite")
    with pytest.raises(UserError, match="expected another file than --input, found the same"):
        answer(onnx_folder, "--input", posts, "--output", posts, "--output_format", "jsonl", "--overwrite")
    with pytest.raises(UserError, match="expected an existing folder"):
        answer(onnx_folder, "--input", posts, "--output", tmp_path / "nowhere" / "out.jsonl")
    (tmp_path / "out.jsonl.parts" / "thesis.txt").unlink()
    assert output.read_text(encoding="utf-8") == "mine" and posts.read_text(encoding="utf-8") == "a\n"
    answer(onnx_folder, "--input", posts, "--output", output, "--overwrite")
    assert {path.name for path in tmp_path.iterdir()} == {"posts.txt", "out.jsonl", "out.jsonl.counts.json"}
