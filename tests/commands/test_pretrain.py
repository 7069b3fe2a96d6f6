import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from aslstm.data.cleaning import clean
from aslstm.model_folder.layout import check_model_folder
from modeling_aslstm import ASLSTMForEmojiPrediction, ASLSTMForSequenceClassification
from tests.support.commands import SMALL_CORPUS, run_command
from tokenization import ASLSTMTokenizer, split_emoji
from tokenization.emoji_splitting import fold_emoji
from tokenization.text_normalization import TextNormalizer

SAMPLE = Path(SMALL_CORPUS[1])  # the training rows
# Posts of files are cleaned, and posts that are the same then are read once.
TEXTS = list(dict.fromkeys(clean(json.loads(line)["text"]).text for line in SAMPLE.read_text(encoding="utf-8").splitlines()))
TINY = ("--num_train_epochs", "1", "--embedding_size", "8", "--hidden_size", "4", "--hidden_dropout_prob", "0.1")
TRAINING = (*SMALL_CORPUS, "--num_train_epochs", "1", "--max_train_samples", "400")
MIN_TARGET_COUNT = 20


class Pretrained(NamedTuple):
    folder: Path
    log: str


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Pretrained:
    folder = tmp_path_factory.mktemp("pretrained") / "emoji"
    result = run_command("pretrain", "--input", SAMPLE, "--output_dir", folder, "--num_workers", "1", *TINY)
    return Pretrained(folder, result.stdout + result.stderr)


@pytest.fixture(scope="module")
def trained(pretrained: Pretrained, tmp_path_factory: pytest.TempPathFactory) -> Pretrained:
    folder = tmp_path_factory.mktemp("trained") / "emotions"
    result = run_command("train", "--init_from", pretrained.folder, "--output_dir", folder, *TRAINING)
    return Pretrained(folder, result.stdout + result.stderr)


def kinds_of(text: str) -> set[str]:
    """The emoji of a post as the tokenizer reads them, if it has words."""
    pieces = split_emoji(TextNormalizer().normalize(text))
    if all(piece.is_emoji or not piece.text.strip() for piece in pieces):
        return set()
    return {p.text if p.text.startswith("[") else fold_emoji(p.text) for p in pieces if p.is_emoji}


def targets() -> Counter[str]:
    """Rows of each emoji that is predicted, without the posts held out."""
    counts = Counter(kind for i, text in enumerate(TEXTS) if i % 50 for kind in kinds_of(text))
    return Counter({kind: count for kind, count in counts.items() if count >= MIN_TARGET_COUNT})


def test_the_log_counts_what_there_is_to_predict(pretrained: Pretrained) -> None:
    expected = targets()
    assert f"rows: {expected.total()} with one of {len(expected)} emoji to predict, no labelled ones" in pretrained.log
    assert re.search(r"epoch 1: loss \d+\.\d{4}", pretrained.log)
    assert re.search(r"held-out posts: emoji accuracy 0\.\d{3}, among the first 5 [01]\.\d{3}", pretrained.log)


def test_the_folder_is_whole_and_its_labels_are_the_emoji(pretrained: Pretrained) -> None:
    check_model_folder(pretrained.folder)
    config = ASLSTMForEmojiPrediction.from_pretrained(pretrained.folder).config
    expected = targets()
    assert set(config.id2label.values()) == set(expected)
    shares = [expected[name] / expected.total() for name in config.id2label.values()]
    assert config.label_prior == pytest.approx(shares)
    assert config.vocab_size == len(ASLSTMTokenizer.from_pretrained(pretrained.folder))


def test_the_figures_of_held_out_posts_are_saved(pretrained: Pretrained) -> None:
    results = json.loads((pretrained.folder / "eval_results.json").read_text(encoding="utf-8"))
    held_out = [kind for text in TEXTS[::50] for kind in kinds_of(text) if kind in targets()]
    assert results["validation"]["num_examples"] == len(held_out)
    assert 0.0 <= results["validation"]["accuracy"] <= results["validation"]["top_5_accuracy"] <= 1.0


def test_the_card_names_the_script_and_no_paths(pretrained: Pretrained) -> None:
    card = (pretrained.folder / "README.md").read_text(encoding="utf-8")
    assert "train_scripts/pretrain.py" in card
    assert str(SAMPLE) not in card and str(pretrained.folder.parent) not in card


def logits(model: ASLSTMForSequenceClassification, tokenizer: ASLSTMTokenizer, texts: list[str]) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(**tokenizer(texts, padding=True, return_tensors="pt")).logits


def test_a_loaded_model_answers_from_the_words_alone(pretrained: Pretrained) -> None:
    model = ASLSTMForEmojiPrediction.from_pretrained(pretrained.folder)
    tokenizer = ASLSTMTokenizer.from_pretrained(pretrained.folder)
    texts = ["今天又加班，好累", "今天又加班，好累[泪]", "今天又加班，好累[太开心]😂", "今天又加班，好累[没见过的]"]
    answers = logits(model, tokenizer, texts)
    torch.testing.assert_close(answers, answers[:1].expand_as(answers), rtol=0, atol=1e-6)
    others = logits(model, tokenizer, ["今天又加班，好累", "我姐真好"])
    assert (others[0] - others[1]).abs().max() > 1e-4


def test_the_same_folder_as_a_classifier_sees_the_emoji(pretrained: Pretrained) -> None:
    model = ASLSTMForSequenceClassification.from_pretrained(pretrained.folder)
    tokenizer = ASLSTMTokenizer.from_pretrained(pretrained.folder)
    answers = logits(model, tokenizer, ["今天又加班，好累[泪]", "今天又加班，好累[太开心]"])
    assert (answers[0] - answers[1]).abs().max() > 1e-5


def test_training_goes_on_from_the_pretrained_folder(pretrained: Pretrained, trained: Pretrained) -> None:
    check_model_folder(trained.folder)
    before = ASLSTMTokenizer.from_pretrained(pretrained.folder)
    after = ASLSTMTokenizer.from_pretrained(trained.folder)
    assert set(before.get_vocab()) <= set(after.get_vocab())
    assert f"started from {pretrained.folder}: {len(before)} of {len(after)} tokens (it has {len(before)})" in trained.log
    assert "a new classifier" in trained.log
    config = ASLSTMForSequenceClassification.from_pretrained(trained.folder).config
    assert config.id2label[0] == "anger" and len(config.id2label) == 8
    assert (config.embedding_size, config.hidden_size) == (8, 4)


def test_two_processes_learn_emoji_and_labels_side_by_side(tmp_path: Path) -> None:
    folder = tmp_path / "two"
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2",
        "-m", "aslstm", "pretrain", "--input", str(SAMPLE), "--also_learn", "sample", "--num_workers", "1",
        "--output_dir", str(folder), *TINY,
    ]  # fmt: skip
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true"}
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=environment)
    assert result.returncode == 0, result.stderr
    assert "processes: 2" in result.stderr and re.search(r"emoji to predict, \d+ of sample", result.stderr)
    check_model_folder(folder)


def test_pretraining_goes_on_from_a_trained_folder(trained: Pretrained, tmp_path: Path) -> None:
    flags = ("--input", SAMPLE, "--init_from", trained.folder, "--num_train_epochs", "1", "--num_workers", "1")
    result = run_command("pretrain", *flags, "--output_dir", tmp_path / "again")
    check_model_folder(tmp_path / "again")
    before = ASLSTMTokenizer.from_pretrained(trained.folder)
    after = ASLSTMTokenizer.from_pretrained(tmp_path / "again")
    assert set(before.get_vocab()) <= set(after.get_vocab())
    assert f"started from {trained.folder}: {len(before)} of {len(after)} tokens" in result.stderr
    assert set(ASLSTMForEmojiPrediction.from_pretrained(tmp_path / "again").config.id2label.values()) == set(targets())


def test_words_of_posts_without_emoji_are_learned_too(pretrained: Pretrained, tmp_path: Path) -> None:
    flags = ("--input", SAMPLE, "--output_dir", tmp_path / "words", "--num_workers", "1", "--predict_words", *TINY)
    run_command("pretrain", *flags)
    check_model_folder(tmp_path / "words")
    tokenizer = ASLSTMTokenizer.from_pretrained(pretrained.folder)
    learned = [text for i, text in enumerate(TEXTS) if i % 50 and kinds_of(text) & set(targets())]
    known = Counter(id_ for text in learned for id_ in tokenizer(text)["input_ids"])
    others = Counter(id_ for text in TEXTS for id_ in tokenizer(text)["input_ids"] if id_ not in known)
    # Words that stand in posts without emoji alone: the emoji say nothing of them.
    words = torch.tensor([id_ for id_, count in others.most_common(200) if 2 < id_ < tokenizer.emoji_token_offset])
    assert len(words) > 100
    folders = (pretrained.folder, tmp_path / "words")
    before, after = (ASLSTMForEmojiPrediction.from_pretrained(f).aslstm.word_embeddings.weight[words] for f in folders)
    assert before.shape == after.shape
    assert ((after - before).abs().amax(1) > 1e-4).all()


BAD: list[tuple[tuple[str, ...], str]] = [
    (("--init_from", "empty"), "empty: expected a model folder with "),
    (("--init_from", "PRETRAINED", "--embedding_size", "9"), "--embedding_size: expected 8 as in what --init_from"),
    (("--input", "plain.txt"), "--input: expected posts with an emoji that 20 posts have, found none"),
    (("--input", "emoji.txt"), "--input: expected posts with an emoji that 20 posts have, found none"),
    (
        ("--input", "few.txt", "--min_target_count", "1"),
        "--input: expected 64 posts with words and emoji or more, to fill a batch, found 8; give more or lower "
        "--per_device_train_batch_size",
    ),
    (("--min_target_count", "0"), "--min_target_count: expected 1 or more, found 0"),
    (
        ("--predict_words", "--num_hidden_layers", "2"),
        "--predict_words: expected --num_hidden_layers 1 or --unidirectional, found several layers in both directions",
    ),
    (("--output_dir", "full"), "--output_dir full: expected a new or a model folder, found other files"),
    (("--output_dir", "PRETRAINED"), "expected a new folder, found a model; choose another name or add --overwrite"),
]


@pytest.fixture(scope="module")
def bad_runs(pretrained: Pretrained, tmp_path_factory: pytest.TempPathFactory) -> list[subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("bad")
    (folder / "empty").mkdir()
    (folder / "full").mkdir()
    (folder / "full" / "thesis.txt").write_text("my own", encoding="utf-8")
    (folder / "plain.txt").write_text("".join(f"明天下午{i}点开会\n" for i in range(60)), encoding="utf-8")
    (folder / "emoji.txt").write_text("".join("[泪]" * i + "\n" for i in range(1, 60)), encoding="utf-8")
    (folder / "few.txt").write_text("".join(f"明天{i}点开会[泪]\n" for i in range(9)), encoding="utf-8")
    before = sorted(folder.rglob("*"))

    def run(flags: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        given = [str(folder / f) if f.endswith(".txt") or f in ("empty", "full") else f for f in flags]
        given = [str(pretrained.folder) if flag == "PRETRAINED" else flag for flag in given]
        usual = {"--input": str(folder / "plain.txt"), "--output_dir": str(folder / "out"), "--num_workers": "1"}
        added = [part for name, value in usual.items() if name not in flags for part in (name, value)]
        return run_command("pretrain", *given, *added, check=False)

    # One after the other: two runs on one output are refused for that.
    results = [run(flags) for flags, _ in BAD]
    assert sorted(folder.rglob("*")) == before
    return results


@pytest.mark.parametrize("case", range(len(BAD)))
def test_bad_input_is_one_line_and_leaves_nothing(bad_runs: list[subprocess.CompletedProcess[str]], case: int) -> None:
    result = bad_runs[case]
    assert result.returncode == 2, result.stderr
    error = result.stderr.splitlines()[-1]
    assert BAD[case][1] in re.sub(r"/\S*/", "", error)  # without the folders
    assert error.startswith("error: ") and "Traceback" not in result.stderr
