"""The recipe step that takes out seldom used words: the wanted size, no lost character or emoji, the same answers."""

import os
import subprocess
import sys
from pathlib import Path

import torch

from aslstm.model_folder.layout import check_model_folder
from aslstm.model_folder.loading import load_model
from tokenization import ASLSTMTokenizer

ROOT = Path(__file__).parents[2]
# The script is to import this checkout, whatever is installed.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
SCRIPT = ROOT / "train_scripts" / "recipes" / "prune_words.py"
POSTS = ["今天好开心[太开心]", "这家店的服务真好", "又加班，好累😭"]


def prune(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False, env=ENVIRONMENT
    )


def test_words_that_no_post_uses_go_first(model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "posts.txt").write_text("\n".join(POSTS * 3) + "\n", encoding="utf-8")
    whole = load_model(model_folder)
    megabytes = 0.9 * sum(weights.numel() for weights in whole.parameters()) * 4 / 1e6
    done = prune(model_folder, tmp_path / "small", megabytes, tmp_path / "posts.txt")
    assert done.returncode == 0, done.stderr
    check_model_folder(tmp_path / "small")
    small = load_model(tmp_path / "small")
    size = sum(weights.numel() for weights in small.parameters()) * 4 / 1e6
    row = megabytes / 0.9 / whole.config.vocab_size
    assert megabytes - row < size <= megabytes

    before, after = (ASLSTMTokenizer.from_pretrained(folder) for folder in (model_folder, tmp_path / "small"))
    lost = before.get_vocab().keys() - after.get_vocab().keys()
    assert len(lost) == whole.config.vocab_size - small.config.vocab_size
    assert min(map(len, lost)) > 1
    assert after.num_emoji_tokens == before.num_emoji_tokens
    for post in POSTS:
        assert after.tokenize(post) == before.tokenize(post)
    ends = [before.convert_ids_to_tokens(i) for i in whole.config.clause_end_token_ids]
    assert [after.convert_ids_to_tokens(i) for i in small.config.clause_end_token_ids] == [
        end for end in ends if end not in lost
    ]
    with torch.no_grad():
        logits = [model(**tokenizer(POSTS, padding=True, return_tensors="pt")).logits for model, tokenizer in
                  ((whole, before), (small, after))]  # fmt: skip
    torch.testing.assert_close(*logits)


def test_a_size_below_that_of_the_other_weights_is_refused(model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "posts.txt").write_text("\n".join(POSTS) + "\n", encoding="utf-8")
    done = prune(model_folder, tmp_path / "small", 0.001, tmp_path / "posts.txt")
    assert done.returncode != 0
    assert "expected a size that the other weights leave room in, found 0.001 MB" in done.stderr
    assert not (tmp_path / "small").exists()
