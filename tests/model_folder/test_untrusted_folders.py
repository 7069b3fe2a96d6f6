"""Folders of strangers, and what of a corpus goes out with one's own."""

import json
import shutil
from pathlib import Path

import pytest

from aslstm.files import CHECKSUMS, write_checksums
from aslstm.model_folder.staging import stage, staged_files
from aslstm.words.new_word_files import read_new_words
from tests.support.commands import run_command

HOSTILE = """
import json, os
from pathlib import Path
Path({marker!r}).write_text(json.dumps(dict(os.environ)), encoding="utf-8")
"""
SECRETS = {"HF_TOKEN": "hf_secret", "AWS_SECRET_ACCESS_KEY": "secret", "MY_PASSWORD": "secret", "HTTPS_PROXY": "http://secret"}
HEADER = "word\tcount\tcohesion\tleft_entropy\tright_entropy\tscore\texample"
TABLE = f"{HEADER}\n绝绝子\t5\t1\t1\t1\t1\t我住在某街一号\n"


@pytest.fixture
def hostile_folder(model_folder: Path, tmp_path: Path) -> Path:
    """A whole folder of another's code, which tells in a file that it ran."""
    folder = tmp_path / "hostile"
    shutil.copytree(model_folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "modeling_aslstm.py").open("a", encoding="utf-8") as file:
        file.write(HOSTILE.format(marker=str(tmp_path / "ran")))
    (folder / "more_code.py").write_text("", encoding="utf-8")
    write_checksums(folder)
    return folder


@pytest.mark.parametrize("command", ["push", "try"])
def test_code_of_another_is_named_and_not_run(command: str, hostile_folder: Path, tmp_path: Path) -> None:
    flags = ["--model", hostile_folder, "--repo", "alice/weibo", "--dry_run"] if command == "push" else [hostile_folder]
    refused = run_command(command, *flags, check=False)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1] == (
        f"error: {hostile_folder}: expected the code of this version of aslstm, found other code in modeling_aslstm.py, "
        "more_code.py; it would run with your rights: read it, then add --trust_code"
    )
    assert not (tmp_path / "ran").exists()


def test_code_that_is_trusted_runs_without_the_secrets_of_the_user(hostile_folder: Path, tmp_path: Path) -> None:
    flags = ("--model", hostile_folder, "--repo", "alice/weibo", "--dry_run", "--trust_code")
    shown = run_command("push", *flags, **SECRETS)
    assert "dry run: nothing was sent" in shown.stdout
    seen = json.loads((tmp_path / "ran").read_text(encoding="utf-8"))
    assert not SECRETS.keys() & seen.keys() and "PATH" in seen
    assert not any("secret" in value for value in seen.values())


def test_posts_in_the_table_of_new_words_stay_here(model_folder: Path, tmp_path: Path) -> None:
    folder, copy = tmp_path / "model", tmp_path / "copy"
    shutil.copytree(model_folder, folder)
    (folder / "new_words.tsv").write_text(TABLE, encoding="utf-8", newline="\n")
    write_checksums(folder)
    before = (folder / CHECKSUMS).read_bytes()
    copy.mkdir()
    stage(folder, "alice/weibo", copy)
    assert "new_words.tsv" in staged_files(copy)
    assert "某街" not in (copy / "new_words.tsv").read_text(encoding="utf-8")
    assert [(word.word, word.count, word.example) for word in read_new_words(copy / "new_words.tsv")] == [("绝绝子", 5, "")]
    assert (folder / CHECKSUMS).read_bytes() == before


def test_what_goes_out_of_the_posts_is_shown(model_folder: Path) -> None:
    lines = run_command("push", "--model", model_folder, "--repo", "alice/weibo", "--dry_run").stdout.splitlines()
    assert "vocab.txt holds words and characters of the posts" in lines
    assert "emoji_vocab.txt holds emoji of the posts" in lines
