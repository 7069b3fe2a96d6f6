import shutil
from pathlib import Path

import pytest

from aslstm.commands.try_model import POSTS, main
from aslstm.errors import UserError
from aslstm.files import write_checksums
from tests.support.commands import run_command


def test_the_words_for_and_against_an_answer_are_printed(model_folder: Path) -> None:
    header, *lines = run_command("try", model_folder, "今天又加班[泪]", "").stdout.splitlines()
    assert header.split("  ")[0] == "post" and "words for it" in header and "words against it" in header
    assert len(lines) == 2
    post, _, score, *words = lines[0].split()
    assert post == "今天又加班[泪]" and 0 < float(score) <= 1
    named, numbers = words[::2], words[1::2]
    # The small vocabulary may spell 加班 in characters.
    assert set(named) <= {"今天", "又", "加班", "加", "班", "[泪]"} and len(named) == len(numbers) > 0
    signs = [number.startswith("-") for number in numbers]  # A small one is shown as -0.00.
    assert signs == sorted(signs)
    assert len(lines[1].split()) == 2  # An empty post has a label and a score, and no words.


def test_code_of_an_older_folder_that_knows_no_contributions_still_answers(model_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "older"
    shutil.copytree(model_folder, folder)
    path = folder / "pipeline_aslstm.py"
    code = path.read_text(encoding="utf-8")
    assert "return_contributions" in code
    path.write_text(code.replace("return_contributions", "not_known_yet"), encoding="utf-8")
    write_checksums(folder)
    lines = run_command("try", folder, "--trust_code").stdout.splitlines()
    assert len(lines) == 1 + len(POSTS)
    assert all(line.split()[-2:] == ["-", "-"] for line in lines[1:])


def test_the_model_is_a_flag_or_the_first_argument_and_a_post_may_begin_with_a_dash(model_folder: Path) -> None:
    posts = ("-5度的天气好冷", "love this song")
    shown = run_command("try", "--model", model_folder, *posts).stdout
    assert [line.split("  ")[0] for line in shown.splitlines()[1:]] == list(posts)
    for given in ((model_folder, *posts), (*posts, "--model", model_folder), (f"--model={model_folder}", "--", *posts)):
        assert run_command("try", *given).stdout == shown


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_text_is_no_folder(text: str) -> None:
    with pytest.raises(UserError, match="expected a model folder or a post, found an empty text"):
        main([text])
