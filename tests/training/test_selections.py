import numpy as np
import pytest
from datasets import Dataset

from aslstm.training.batches import encode_rows
from aslstm.training.selections import select_rows
from tokenization import ASLSTMTokenizer

TEXTS = [
    "今天又加班",
    "今天又加班，真的好累",
    "今天又加班[泪]",
    "今天又加班[泪]真的好累[怒]",
    "今天又加班[泪][怒]真的好累",
    "今天又加班！[泪]真的好累！！[泪流满面流]",
    "[怒]",
]
KEPT = {
    "has_clauses": [False, True, False, True, True, True, False],
    "has_emoji": [False, False, True, True, True, True, True],
    "clauses_with_emoji": [False, False, False, True, False, True, False],
}


@pytest.fixture(scope="module")
def rows(tokenizer: ASLSTMTokenizer) -> Dataset:
    return encode_rows(Dataset.from_dict({"text": TEXTS, "label": ["a"] * len(TEXTS)}), tokenizer, ["a"])


@pytest.mark.parametrize("selection", KEPT)
def test_a_selection_keeps_the_rows_of_its_description(rows: Dataset, tokenizer: ASLSTMTokenizer, selection: str) -> None:
    assert select_rows(rows, tokenizer, selection).tolist() == KEPT[selection]


def test_more_rows_than_fit_at_once_keep_their_order(rows: Dataset, tokenizer: ASLSTMTokenizer) -> None:
    many = rows.select(list(range(len(TEXTS))) * 300)
    found = select_rows(many, tokenizer, "clauses_with_emoji")
    assert np.array_equal(found, np.tile(KEPT["clauses_with_emoji"], 300))


@pytest.mark.parametrize("selection", ["all", "new_words"])
def test_what_is_about_segmentation_keeps_every_row(rows: Dataset, tokenizer: ASLSTMTokenizer, selection: str) -> None:
    assert select_rows(rows, tokenizer, selection).all()
