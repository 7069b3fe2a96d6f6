from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors

from aslstm.errors import UserError
from aslstm.words.neighbours import nearest, place_emoji
from tests.support.commands import run_command

# Two groups: sad and glad.
TOKENS = {"[泪]": (1, 0.1), "[伤心]": (1, 0.2), "😭": (0.9, 0.0), "[太开心]": (-1, 0.1), "😂": (-0.9, 0.3), "pk掉": (-1, 0.4)}


@pytest.fixture
def vectors() -> KeyedVectors:
    made = KeyedVectors(2)
    made.add_vectors(list(TOKENS), np.array(list(TOKENS.values()), dtype=np.float32))
    return made


@pytest.mark.parametrize(
    ("word", "expected"), [("[泪]", {"[伤心]", "😭"}), ("😭️", {"[泪]", "[伤心]"}), ("PK掉", {"😂", "[太开心]"})]
)
def test_neighbours_of_a_word_as_the_user_writes_it(vectors: KeyedVectors, word: str, expected: set[str]) -> None:
    found = nearest(vectors, word, 2)
    assert {token for token, _ in found} == expected
    assert found[0][1] >= found[1][1] > 0.9


def test_a_word_without_a_vector_is_one_line(vectors: KeyedVectors) -> None:
    with pytest.raises(UserError, match="没有: expected a word that the vectors have"):
        nearest(vectors, "没有", 3)


@pytest.mark.filterwarnings("error")
def test_a_vector_of_zeros_is_no_neighbour() -> None:
    vectors = KeyedVectors(2)
    vectors.add_vectors(["你好", "零", "坏"], np.array([[1, 0], [0, 0], [1, 1]], dtype=np.float32))
    assert nearest(vectors, "你好", 2) == [("坏", pytest.approx(0.5**0.5)), ("零", 0.0)]


def test_the_map_keeps_like_emoji_together(vectors: KeyedVectors) -> None:
    places = place_emoji(vectors, 10)
    assert set(places) == {"[泪]", "[伤心]", "[太开心]"}
    points = {token: np.array(place) for token, place in places.items()}
    assert np.linalg.norm(points["[泪]"] - points["[伤心]"]) < np.linalg.norm(points["[泪]"] - points["[太开心]"]) / 5


def test_a_model_folder_gives_neighbours_and_a_map(model_folder: Path, tmp_path: Path) -> None:
    picture = tmp_path / "map.png"
    result = run_command("nearest", "[泪]", "--model", model_folder, "--num_neighbours", "4", "--emoji_map", picture)
    line = result.stdout.splitlines()[0]
    assert line.startswith("[泪]: ") and len(line.removeprefix("[泪]: ").split("  ")) == 4
    assert picture.read_bytes().startswith(b"\x89PNG")
    again = run_command("nearest", "--model", model_folder, "--emoji_map", picture, check=False)
    assert again.returncode == 2 and "add --overwrite" in again.stderr


def test_nothing_to_do_is_one_line(model_folder: Path) -> None:
    result = run_command("nearest", "--model", model_folder, check=False)
    assert result.returncode == 2 and result.stderr.startswith("error: expected words or --emoji_map")


def test_a_map_of_another_kind_is_one_line(model_folder: Path, tmp_path: Path) -> None:
    result = run_command("nearest", "--model", model_folder, "--emoji_map", tmp_path / "map.abc", check=False)
    assert result.returncode == 2 and "expected a name ending in .png" in result.stderr
