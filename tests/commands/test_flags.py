import subprocess
import sys
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any

import pytest

from aslstm.commands.flags import CommandParser, add_settings, make_settings, run, show_flags
from aslstm.errors import UserError
from aslstm.settings import check_settings, seed_setting, setting
from tests.support.commands import ROOT


@dataclass(frozen=True)
class Settings:
    place: Path = setting(MISSING, "where")
    rate: float = setting(0.5, "share of something", at_least=0, below=1)
    shift: float = setting(0.0, "nats that are added")
    size: int | None = setting(None, "default: that of the model", at_least=1)
    kind: str = setting("a", "what kind", choices=("a", "b"))
    names: tuple[str, ...] = setting(("x",), "names")
    seeds: tuple[int, ...] | None = setting(None, "several seeds", at_least=0)
    is_fast: bool = setting(False, "without care")
    start: str | None = setting(None, "where to go on", implied="latest")
    seed: int = seed_setting()

    def __post_init__(self) -> None:
        check_settings(self)


def parse(*given: str) -> Settings:
    parser = CommandParser("test", "Test.")
    add_settings(parser, Settings)
    return make_settings(Settings, parser.parse_args(list(given)))


def test_defaults_are_those_of_the_fields() -> None:
    assert parse("--place", "here") == Settings(Path("here"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["--rate=0.25"], {"rate": 0.25}),
        (["--shift", "-1.5"], {"shift": -1.5}),
        (["--size", "3", "--kind", "b"], {"size": 3, "kind": "b"}),
        (["--names", "y", "z"], {"names": ("y", "z")}),
        (["--seeds", "1", "2"], {"seeds": (1, 2)}),
        (["--is_fast", "--start"], {"is_fast": True, "start": "latest"}),
        (["--start", "state"], {"start": "state"}),
    ],
)
def test_flags_become_values_of_the_fields_types(given: list[str], expected: dict[str, Any]) -> None:
    settings = parse("--place", "here", *given)
    assert {name: getattr(settings, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "the following arguments are required: --place"),
        (["--place", "x", "--rate", "1"], "--rate: expected 0 or more and less than 1, found 1.0"),
        (["--place", "x", "--rate", "nan"], "--rate: expected 0 or more and less than 1, found nan"),
        (["--place", "x", "--size", "0"], "--size: expected 1 or more, found 0"),
        (["--place", "x", "--size", "many"], "argument --size: invalid int value: 'many'"),
        (["--place", "x", "--kind", "c"], "argument --kind: invalid choice: 'c'"),
        (["--place", "x", "--seeds", "1", "-2"], "--seeds: expected 0 or more, found -2"),
        (["--place", "x", "--seed", "4294967296"], "--seed: expected 0 to 4294967295, found 4294967296"),
        (["--plce", "x"], "unrecognized arguments: --plce; did you mean --place?"),
        (["--pla", "x"], "unrecognized arguments: --pla; did you mean --place?"),
        (["--plce=x"], "unrecognized arguments: --plce; did you mean --place?"),
        (["--plce", "x", "--rate", "many"], "unrecognized arguments: --plce; did you mean --place?"),
        (["-place", "x"], "unrecognized arguments: -place; did you mean --place?"),
        (["-plce=x"], "unrecognized arguments: -plce; did you mean --place?"),
        (["—place", "x"], "unrecognized arguments: —place; did you mean --place?"),
        (["--PLACE", "x"], "unrecognized arguments: --PLACE; did you mean --place?"),
        (["--place", "x", "--is-fast"], "unrecognized arguments: --is-fast; did you mean --is_fast?"),
        (["--hlep"], "unrecognized arguments: --hlep; did you mean --help?"),
        (["-help"], "unrecognized arguments: -help; did you mean --help?"),
        (["-H"], "unrecognized arguments: -H; did you mean -h?"),
        (["--repo", "x"], "unrecognized arguments: --repo"),
    ],
)
def test_bad_flags_are_one_line(given: list[str], message: str) -> None:
    with pytest.raises(UserError) as raised:
        parse(*given)
    assert message in show_flags(str(raised.value)) and len(str(raised.value).splitlines()) == 1


def test_what_follows_two_dashes_or_is_a_number_is_no_flag() -> None:
    parser = CommandParser("test", "Test.")
    parser.add_argument("posts", nargs="*")
    assert parser.parse_args(["a", "--", "--plce", "-x", "—"]).posts == ["a", "--plce", "-x", "—"]
    assert parse("--place", "-", "--shift", "-1.5").shift == -1.5
    assert parse("--place", "here", "--shift", "-.5").shift == -0.5
    for post in ("—好", "–", "--好 啊", "--plce me", "-5度的天气好冷", "-5", "-h好", "--好", "-好=1", "---"):
        assert parser.parse_args([post, "a"]).posts == [post, "a"]
    with pytest.raises(UserError, match="unrecognized arguments: -lol; put -- in front of what is no flag"):
        parser.parse_args(["-lol"])


def test_the_library_names_arguments_and_a_command_flags(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match=r"^`size`: expected 1 or more, found 0$"):
        Settings(Path("here"), size=0)
    with pytest.raises(SystemExit, match="2"):
        run(lambda: parse("--place", "here", "--size", "0") and None)
    assert capsys.readouterr().err == "error: --size: expected 1 or more, found 0\n"


def test_the_log_of_a_command_names_flags_and_has_no_control_characters() -> None:
    code = (
        "import logging\nfrom aslstm.commands.flags import run, set_up_log\n"
        "def main():\n    logging.getLogger('aslstm.training').warning('join them with `map_labels`')\n"
        "    logging.getLogger('aslstm.data').info('not shown')\n    set_up_log(logging.INFO)\n"
        "    logging.getLogger('aslstm.data').info('%s (`no_clean` leaves them)', 'a\\x1b.csv')\n"
        "    logging.getLogger('httpx').info('not shown')\n"
        "run(main)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8", cwd=ROOT)
    assert result.stderr.splitlines() == ["join them with --map_labels", "a\ufffd.csv (--no_clean leaves them)"]


def test_help_shows_a_default_where_there_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        parse("--help")
    shown = " ".join(capsys.readouterr().out.split())
    assert "share of something (default: 0.5)" in shown and "where to go on" in shown and "None" not in shown
