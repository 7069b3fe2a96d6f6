"""Takes a model folder and posts without labels, and gives a folder whose answers suit the shares of labels in these posts."""

import json
import shutil
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file, save_file

from aslstm.errors import UserError
from aslstm.files import CHECKSUMS, json_text, write_checksums
from aslstm.model_folder.layout import CARD, GRAPH_FOLDER, WEIGHTS, check_model_folder, checksums_of
from aslstm.prediction.classifier import Classifier
from modeling_aslstm.config_values import PROBLEMS_WITHOUT_RULE

from .decision import adapted, mean_shares, shift_to_posts
from .publishing import OutputFolder

# On fewer posts the shares are a matter of chance.
MIN_POSTS = 50
TEXTS_AT_ONCE = 5000
BIAS = "classifier.bias"
NOTE_TITLE = "## Adapted"


class Adaptation(NamedTuple):
    """Holds what was found in the posts.

    Attributes:
        num_posts: How many have a word or an emoji.
        labels: The names of the labels.
        expected: The share of each label that the model expected, (num_labels,).
        found: The share of each label in the posts after the adaptation, (num_labels,).
    """

    num_posts: int
    labels: list[str]
    expected: np.ndarray
    found: np.ndarray


def adapt_folder(folder: Path, texts: Iterable[str], output: OutputFolder) -> Adaptation:
    """Write a model folder whose decision rule is fitted to posts without labels; see :func:`shift_to_posts`.

    The shift is part of the bias of the classifier, so whatever reads the folder answers by it. What the model as it was before
    would be measured by is left out: ONNX graphs and figures.

    Args:
        folder: The model folder, which is only read.
        texts: Raw posts of the kind that the model is to answer; the more, the better.
        output: The folder that is written.

    Raises:
        UserError: The folder is incomplete, or does not say what shares the model expects; there are fewer than 50 posts with a
            word or an emoji.
    """
    expected = _expected_shares(folder)
    classifier = Classifier(folder, backend="torch")
    probabilities = np.concatenate([np.zeros((0, len(expected))), *_probabilities(classifier, texts)])
    if len(probabilities) < MIN_POSTS:
        raise UserError(f"expected {MIN_POSTS} posts with words or emoji or more, found {len(probabilities)}; give more posts")
    # The logits are divided by the temperature after the bias is added.
    shift = shift_to_posts(probabilities, expected) * classifier.config.temperature
    found = mean_shares(adapted(probabilities, expected))
    with output.replaced() as staging:
        for name in checksums_of(folder):
            if Path(name).parts[0] != GRAPH_FOLDER:
                (staging / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / name, staging / name)
        weights = load_file(staging / WEIGHTS)
        weights[BIAS] = (weights[BIAS].double() + torch.from_numpy(shift)).to(weights[BIAS].dtype)
        save_file(weights, staging / WEIGHTS, metadata={"format": "pt"})
        # safetensors lets only its owner read the weights.
        shutil.copymode(staging / "config.json", staging / WEIGHTS)
        config = json.loads((staging / "config.json").read_text(encoding="utf-8"))
        (staging / "config.json").write_text(json_text(config | {"expected_shares": found.tolist()}), encoding="utf-8")
        (staging / "eval_results.json").write_text(json_text({}), encoding="utf-8")
        _note_in_card(staging / CARD, len(probabilities))
        write_checksums(staging)
        check_model_folder(staging)
    return Adaptation(len(probabilities), classifier.label_names, expected, found)


def _expected_shares(folder: Path) -> np.ndarray:
    """Return the share of each label that a model expects, (num_labels,).

    Raises:
        UserError: The folder is incomplete or does not say.
    """
    check_model_folder(folder)
    if not (folder / CHECKSUMS).is_file():
        raise UserError(f"{folder}: expected a folder with {CHECKSUMS}, found none; complete it with aslstm finish")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config.get("problem_type") in PROBLEMS_WITHOUT_RULE:
        raise UserError(
            f"{folder}: expected a model that gives each post one label, found problem_type {config['problem_type']}; only the "
            "former can be adapted"
        )
    if (shares := config.get("expected_shares")) is None:
        raise UserError(
            f"{folder}: expected the shares of labels that the model expects (expected_shares in config.json), found none; "
            "train it with aslstm train of version 0.10 or later"
        )
    return np.array(shares)


def _probabilities(classifier: Classifier, texts: Iterable[str]) -> Iterator[np.ndarray]:
    rest = iter(texts)
    lists = iter(lambda: list(islice(rest, TEXTS_AT_ONCE)), [])
    for answers in classifier.answers_of_each(lists):
        yield answers.probabilities[~answers.is_empty]


def _note_in_card(path: Path, num_posts: int) -> None:
    """Say in the card that its figures are those of the model before, in place of an earlier note; the Hub shows none of them."""
    card = ModelCard.load(path, ignore_metadata_errors=True)
    card.data.eval_results = None
    before, _, after = card.text.partition(f"\n{NOTE_TITLE}\n")
    rest = after[after.index("\n## ") :] if "\n## " in after else ""
    note = (
        f"The decision rule was then fitted to {num_posts:,} posts without labels (`aslstm adapt`). All figures in this card are "
        "those of the model before that."
    )
    card.text = f"{before.rstrip()}\n\n{NOTE_TITLE}\n\n{note}\n{rest}"
    card.save(path)
