import json
from collections import Counter
from pathlib import Path

import pytest

from aslstm.data.corpora import CorpusSource, read_splits
from aslstm.training.fingerprints import RowsFingerprint
from aslstm.training.streaming import StreamingRows, counted_texts, stream_train
from tests.support.commands import PART_OF_SAMPLE, SMALL_CORPUS, run_command
from tokenization import ASLSTMTokenizer

ROWS = [(f"今天又加班{'，真的好累' * (i % 5)}[泪] {i}", "sad" if i % 3 else "glad") for i in range(250)]


@pytest.fixture
def source(tmp_path: Path) -> CorpusSource:
    path = tmp_path / "train.jsonl"
    path.write_text("".join(json.dumps({"text": t, "label": label}) + "\n" for t, label in ROWS), encoding="utf-8")
    return CorpusSource(dataset="files", train_file=path)


def test_a_stream_gives_the_rows_of_the_file_in_order(source: CorpusSource) -> None:
    assert [(row["text"], row["label"]) for row in stream_train(source)] == ROWS
    counts: Counter[str] = Counter()
    fingerprint, expected = RowsFingerprint(), RowsFingerprint()
    assert list(counted_texts(source, counts, fingerprint)) == [text for text, _ in ROWS]
    expected.add(*zip(*ROWS, strict=True))
    assert fingerprint.hexdigest() == expected.hexdigest()
    assert counts == Counter(label for _, label in ROWS)


def test_iterations_go_on_and_every_pass_shows_each_row_once(source: CorpusSource, tokenizer: ASLSTMTokenizer) -> None:
    rows = StreamingRows(source, tokenizer, ["glad", "sad"], batch_size=2, rows_per_epoch=125, seed=0)
    passes = [[row for _ in range(2) for row in rows] for _ in range(2)]
    for one_pass in passes:
        assert len(one_pass) == 250
        assert Counter(row["labels"] for row in one_pass) == {1: 166, 0: 84}
        texts = sorted(tokenizer.decode(row["input_ids"]) for row in one_pass)
        assert texts == sorted(tokenizer.decode(tokenizer(text)["input_ids"]) for text, _ in ROWS)
    assert [row["row"] for row in passes[1]] != [row["row"] for row in passes[0]]
    assert sorted(row["row"] for one_pass in passes for row in one_pass) == list(range(500))


def test_batches_hold_rows_of_similar_length(source: CorpusSource, tokenizer: ASLSTMTokenizer) -> None:
    rows = StreamingRows(source, tokenizer, ["glad", "sad"], batch_size=10, rows_per_epoch=250, seed=0)
    lengths = [len(row["input_ids"]) for row in rows]
    spreads = [max(lengths[i : i + 10]) - min(lengths[i : i + 10]) for i in range(0, 250, 10)]
    assert sum(spreads) / len(spreads) < 0.3 * (max(lengths) - min(lengths))


def test_a_data_set_folder_is_read_as_one_of_the_hub_is(tmp_path: Path) -> None:
    folder = tmp_path / "owner" / "name"
    folder.mkdir(parents=True)
    for split in ("train", "test"):
        lines = ["review,stars", "真好[太开心],5", "太差[怒],1"]
        (folder / f"{split}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    source = CorpusSource(dataset=str(folder), text_column="review", label_column="stars")
    splits = read_splits(source)
    assert {split: list(zip(rows["text"], rows["label"], strict=True)) for split, rows in splits.items()} == {
        split: [("真好[太开心]", "5"), ("太差[怒]", "1")] for split in ("train", "test")
    }
    assert [(row["text"], row["label"]) for row in stream_train(source)] == [("真好[太开心]", "5"), ("太差[怒]", "1")]


def test_streaming_trains_a_whole_folder(tmp_path: Path) -> None:
    size = ("--embedding_size", "16", "--hidden_size", "8", "--num_train_epochs", "2", "--steps_per_epoch", "10")
    run_command("train", *SMALL_CORPUS, "--streaming", "--evaluate_test", "--output_dir", tmp_path / "model", *size)
    results = json.loads((tmp_path / "model" / "eval_results.json").read_text(encoding="utf-8"))
    assert results["test"]["num_examples"] == PART_OF_SAMPLE["test"]


def test_streaming_without_validation_says_what_it_lacks(source: CorpusSource, tmp_path: Path) -> None:
    flags = ("--train_file", source.train_file, "--streaming", "--output_dir", tmp_path / "model")
    result = run_command("train", *flags, check=False)
    assert result.returncode == 2
    assert "--validation_file" in result.stderr.splitlines()[-1]
