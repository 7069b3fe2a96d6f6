"""Every artefact of a model folder cut and with a bit flipped: what our scripts, the app and the stock classes say of it."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import transformers
from safetensors import SafetensorError
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

from aslstm.commands import evaluate as evaluate_model
from aslstm.commands import export_onnx, predict, try_model
from aslstm.commands import push as push_to_hub
from aslstm.errors import UserError
from aslstm.files import CHECKSUMS, find_damage, write_checksums
from aslstm.model_folder.layout import CARD, REQUIRED_FILES, check_model_folder
from aslstm.prediction.onnx_pipeline import OnnxPipeline
from aslstm.training.starting_weights import StartingModel
from tests.support.commands import contents, run_command
from tokenization import ASLSTMTokenizer

GRAPHS = ("onnx/model.onnx", "onnx/model_int8.onnx")


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def cut_end(content: bytes) -> bytes:
    return content[:-2]


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.fixture(scope="module")
def folder(onnx_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole folder with graphs, in which no file is empty."""
    path = tmp_path_factory.mktemp("models") / "tiny"
    shutil.copytree(onnx_folder, path)
    (path / "user_dict.txt").write_text("给力 9\n", encoding="utf-8")
    write_checksums(path)
    check_model_folder(path)
    return path


@contextmanager
def damaged(folder: Path, name: str, damage: Callable[[bytes], bytes]) -> Iterator[None]:
    """The folder with one file damaged, for a while."""
    path = folder / name
    content = path.read_bytes()
    assert damage(content) != content
    path.write_bytes(damage(content))
    try:
        yield
    finally:
        path.write_bytes(content)


def artefacts(folder: Path) -> list[str]:
    names = [*json.loads((folder / CHECKSUMS).read_text(encoding="utf-8")), CHECKSUMS]
    assert {*REQUIRED_FILES, *GRAPHS} <= set(names) and sorted(names) == sorted(contents(folder))
    return names


Run = Callable[[Path, Path], Any]


def run_predict(*flags: str) -> Run:
    def run(folder: Path, workplace: Path) -> None:
        posts = workplace / "posts.txt"
        posts.write_text("今天\n", encoding="utf-8")
        predict.main(["--model", str(folder), "--input", str(posts), *flags])

    return run


def run_main(main: Callable[[], None], *flags: str) -> Run:
    def run(folder: Path, workplace: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["script", *(flag.format(folder) for flag in flags)])
            main()

    return run


COMMANDS: dict[str, Run] = {
    "predict, torch": run_predict("--output", "never.jsonl"),
    "predict, ONNX, to stdout": run_predict("--output", "-", "--output_format", "csv", "--backend", "onnx"),
    "evaluate_model": run_main(evaluate_model.main, "--model", "{}"),
    "push_to_hub": run_main(push_to_hub.main, "--model", "{}", "--repo", "alice/broken", "--dry_run"),
    "export_onnx": run_main(export_onnx.main, "--model", "{}", "--overwrite"),
    "try_model": run_main(try_model.main, "{}"),
    "training --init_from": lambda folder, workplace: StartingModel(folder),
}


def messages(folder: Path, call: Callable[[], Any]) -> Iterator[tuple[str, str]]:
    """The name of each artefact, and what is said of the folder while that is damaged, in one way and then in another.

    The card is no such artefact, because its owner may edit it.
    """
    for name in sorted(set(artefacts(folder)) - {CARD}):
        for damage in (cut, flip):
            with damaged(folder, name, damage):
                try:
                    call()
                    yield name, "nothing was said"
                except UserError as error:
                    yield name, str(error)


def unnamed(folder: Path, said: Iterator[tuple[str, str]]) -> list[tuple[str, str]]:
    """What does not name the damaged file in one line. Of a wrong checksum nobody knows which of the two files is damaged."""
    return [
        (name, message)
        for name, message in said
        if not (message.startswith(f"{folder / name}: ") or (name == CHECKSUMS and name in message)) or "\n" in message
    ]


@pytest.mark.parametrize("script", COMMANDS)
def test_every_script_names_the_damaged_file_and_does_nothing(
    script: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    before = contents(folder)
    said = list(messages(folder, lambda: COMMANDS[script](folder, tmp_path)))
    assert len(said) == 2 * (len(before) - 1)
    assert unnamed(folder, iter(said)) == []
    assert contents(folder) == before
    assert {path.name for path in tmp_path.iterdir()} <= {"posts.txt"}
    assert capfd.readouterr().out == ""


def test_a_card_may_be_edited_and_not_be_missing(folder: Path, tmp_path: Path) -> None:
    def edit(content: bytes) -> bytes:
        return content + "\n我们的说明\n".encode()

    (tmp_path / "posts.txt").write_text("今天\n", encoding="utf-8")
    with damaged(folder, CARD, edit):
        check_model_folder(folder)
        run_predict("--output", str(tmp_path / "out.jsonl"))(folder, tmp_path)
        run_main(push_to_hub.main, "--model", "{}", "--repo", "alice/edited", "--dry_run")(folder, tmp_path)
    with damaged(folder, CARD, edit):
        (folder / CARD).unlink()
        with pytest.raises(UserError, match=f"expected a model folder with {CARD}, found none"):
            check_model_folder(folder)


def test_the_line_of_a_damaged_file_is_all_that_a_process_says(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "posts.txt").write_text("今天\n", encoding="utf-8")
    with damaged(folder, "model.safetensors", flip):
        flags = ("--model", folder, "--input", tmp_path / "posts.txt", "--output", tmp_path / "out.csv")
        result = run_command("predict", *flags, check=False)
    assert result.returncode == 2 and result.stdout == ""
    path = folder / "model.safetensors"
    expected = f"error: {path}: expected the file that was saved ({CHECKSUMS}), found another or none; fetch the folder again\n"
    assert result.stderr == expected
    assert [path.name for path in tmp_path.iterdir()] == ["posts.txt"]


def test_no_byte_of_the_checksums_can_change_unseen(folder: Path) -> None:
    size = (folder / CHECKSUMS).stat().st_size
    unseen = []
    for place in range(0, size, 11):  # every one would take 20 seconds, and say the same

        def flip_here(content: bytes, place: int = place) -> bytes:
            return content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :]

        with damaged(folder, CHECKSUMS, flip_here):
            unseen += [place] if find_damage(folder, set(REQUIRED_FILES) - {CHECKSUMS}) is None else []
    assert unseen == []


@pytest.fixture
def app_packages() -> None:
    for package in ("altair", "vl_convert", "gradio"):
        pytest.importorskip(package, reason="needs the extra app")


@pytest.mark.usefixtures("app_packages")
def test_the_app_loads_no_damaged_folder_and_the_mended_one(folder: Path) -> None:
    from aslstm.app import answers as app_answers

    assert unnamed(folder, messages(folder, lambda: app_answers.load(str(folder)))) == []
    assert "[泪]" in app_answers.load(str(folder)).of_post("好累[泪]", "zh").html


@pytest.mark.usefixtures("app_packages")
def test_the_app_does_not_start_with_a_damaged_folder_and_shows_the_line_where_one_is_chosen(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aslstm.app import blocks
    from aslstm.commands import app

    other = tmp_path / "chosen"
    shutil.copytree(folder, other)
    monkeypatch.setattr(sys, "argv", ["app.py", "--model", str(other)])
    for name in ("model.safetensors", CHECKSUMS):
        with damaged(other, name, cut):
            with pytest.raises(UserError, match=f"^{other / name}: "):
                app.main()
            for shown in (
                blocks.answer_post(str(other), "好累[泪]", "en").html,
                blocks.report(str(other), "好累[泪]", None, "text", "UTF-8", "en", lambda share, desc: None)[0],
            ):
                # The page speaks to its reader, so it names no path of the machine.
                assert shown.startswith('<p class="error" role="alert">') and str(other) not in shown
                assert "This model folder is incomplete or damaged; choose another." in shown
    assert "[泪]" in blocks.answer_post(str(other), "好累[泪]", "en").html


# ---- the stock classes, which know no checksums ----


def load_tokenizer(folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(folder, trust_remote_code=True)


def load_model(folder: Path) -> Any:
    return AutoModelForSequenceClassification.from_pretrained(folder, trust_remote_code=True)


def load_pipeline(folder: Path) -> Any:
    return pipeline("text-classification", model=str(folder), trust_remote_code=True)


def load_onnx(folder: Path) -> Any:
    return OnnxPipeline(folder, ASLSTMTokenizer.from_pretrained(folder))


@pytest.fixture
def copy(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    transformers.utils.logging.disable_progress_bar()
    return Path(shutil.copytree(folder, tmp_path / "copy"))


@pytest.mark.parametrize("damage", [cut, cut_end])
@pytest.mark.parametrize(
    ("name", "loaders", "error", "message"),
    [
        ("vocab.txt", (load_tokenizer, load_pipeline, load_onnx), ValueError, "vocab.txt: expected"),
        ("emoji_vocab.txt", (load_tokenizer, load_pipeline, load_onnx), ValueError, "emoji_vocab.txt: expected"),
        ("model.safetensors", (load_model, load_pipeline), SafetensorError, "incomplete metadata, file not fully covered"),
        ("config.json", (load_tokenizer, load_model, load_pipeline), OSError, "config.json' is not a valid JSON file"),
        ("config.json", (load_onnx,), ValueError, "config.json: expected JSON, found: .*; fetch the file again"),
        ("tokenizer_config.json", (load_tokenizer, load_pipeline, load_onnx), json.JSONDecodeError, "line .* column"),
        ("onnx/model_int8.onnx", (load_onnx,), ValueError, "model_int8.onnx: expected an ONNX graph"),
    ],
)
def test_a_cut_file_is_refused_without_checksums(
    copy: Path, name: str, damage: Callable[[bytes], bytes], loaders: tuple[Run, ...], error: type[Exception], message: str
) -> None:
    with damaged(copy, name, damage):
        for load in loaders:
            with pytest.raises(error, match=message):
                load(copy)


@pytest.mark.parametrize("name", ["vocab.txt", "emoji_vocab.txt"])
def test_a_vocabulary_is_refused_wherever_it_is_cut(tokenizer: ASLSTMTokenizer, tmp_path: Path, name: str) -> None:
    tokenizer.save_pretrained(tmp_path)
    size = (tmp_path / name).stat().st_size
    for kept in [*range(0, 40, 3), *range(size - 40, size)]:
        with damaged(tmp_path, name, lambda content, kept=kept: content[:kept]):
            with pytest.raises(ValueError, match=f"{name}.*expected") as raised:
                ASLSTMTokenizer.from_pretrained(tmp_path)
            assert "\n" not in str(raised.value)


def test_vocabulary_and_weights_of_another_size_than_the_config_are_refused(copy: Path) -> None:
    sizes = json.loads((copy / "tokenizer_config.json").read_text(encoding="utf-8"))
    lines = (copy / "emoji_vocab.txt").read_bytes().splitlines(keepends=True)
    (copy / "emoji_vocab.txt").write_bytes(b"".join(lines[:-1]))
    with pytest.raises(ValueError, match=f"expected {len(lines)} lines .num_emoji_tokens., found {len(lines) - 1}; fetch"):
        load_tokenizer(copy)
    # Where the sizes of the tokenizer were lost with its lines, those of the model remain.
    (copy / "tokenizer_config.json").write_text(json.dumps(sizes | {"num_emoji_tokens": len(lines) - 1}), encoding="utf-8")
    for load in (load_pipeline, load_onnx):
        with pytest.raises(ValueError, match=r"expected a tokenizer with .* load both from the same folder"):
            load(copy)
    config = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    (copy / "config.json").write_text(json.dumps(config | {"vocab_size": config["vocab_size"] + 1}), encoding="utf-8")
    with pytest.raises(RuntimeError, match="mismatch"):
        load_model(copy)


def test_a_flipped_bit_of_the_weights_is_found_by_the_checksums_alone(copy: Path) -> None:
    with damaged(copy, "model.safetensors", flip):
        load_model(copy)
        with pytest.raises(UserError, match=r"model.safetensors: expected the file that was saved"):
            check_model_folder(copy)


def test_a_tokenizer_config_cannot_name_files_outside(copy: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret\n", encoding="utf-8")
    config = json.loads((copy / "tokenizer_config.json").read_text(encoding="utf-8"))
    for place in (str(secret), "../secret.txt"):
        hostile = config | {"vocab_file": place, "emoji_vocab_file": place, "user_dict_file": place}
        (copy / "tokenizer_config.json").write_text(json.dumps(hostile), encoding="utf-8")
        assert "secret" not in load_tokenizer(copy).get_vocab()
