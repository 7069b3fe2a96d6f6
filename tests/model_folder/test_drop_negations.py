"""The recipe step that leaves out posts in which a negator stands before a word of feeling."""

import json
import os
import subprocess
import sys
from pathlib import Path

import aslstm

ROOT = Path(__file__).parents[2]
# The script is to import this checkout, whatever is installed.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
SCRIPT = ROOT / "train_scripts" / "recipes" / "drop_negations.py"
NEGATED = ["今天不开心", "我不是很喜欢这个颜色", "一点都没觉得好看", "没那么难吃", "一点都不累"]
KEPT = ["今天很开心", "不知道几点开会", "没有人在家", "[泪]", "好吃又便宜的店不多"]


def test_posts_with_negated_words_of_feeling_are_left_out(tmp_path: Path) -> None:
    posts = [{"text": text, "scores": {}} for pair in zip(NEGATED, KEPT, strict=True) for text in pair]
    lines = [json.dumps(post, ensure_ascii=False) + "\n" for post in posts]
    (tmp_path / "posts.jsonl").write_text("".join(lines), encoding="utf-8")
    command = [sys.executable, SCRIPT, aslstm.model_path(), tmp_path / "posts.jsonl", tmp_path / "kept.jsonl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "kept.jsonl").read_text(encoding="utf-8") == "".join(lines[1::2])
    assert done.stdout == "kept 5 of 10 posts\n"
