"""Takes a model folder and posts without labels, and gives a folder whose answers suit the shares of labels in these posts."""

import shutil
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from aslstm.errors import UserError
from aslstm.files import write_checksums
from aslstm.model_folder.layout import CARD, GRAPH_FOLDER, check_model_folder, checksums_of
from aslstm.model_folder.loading import load_model
from aslstm.prediction.classifier import Classifier
from tokenization import ASLSTMTokenizer

from .decision import adapted, mean_shares, shift_to_posts
from .publishing import OutputFolder

# On fewer posts the shares are a matter of chance.
MIN_POSTS = 50
TEXTS_AT_ONCE = 5000
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

    The shift is part of the bias of the classifier, so whatever reads the folder answers by it. ONNX graphs are left out,
    because they hold the weights of the model as it was.

    Args:
        folder: The model folder, which is only read.
        texts: Raw posts of the kind that the model is to answer; the more, the better.
        output: The folder that is written.

    Raises:
        UserError: The model gives a post any number of labels or a number, or does not say what shares it expects; there are
            fewer than 50 posts with a word or an emoji.
    """
    check_model_folder(folder)
    classifier = Classifier(folder, backend="torch")
    expected = getattr(classifier.config, "expected_shares", None)
    if expected is None:
        raise UserError(
            f"{folder}: expected a model with expected_shares in its config, found none; it gives each post one label and was "
            "trained by version 0.10 or later"
        )
    probabilities = np.concatenate([np.zeros((0, len(expected))), *_probabilities(classifier, texts)])
    if len(probabilities) < MIN_POSTS:
        raise UserError(f"expected {MIN_POSTS} posts with words or emoji or more, found {len(probabilities)}; give more posts")
    shift = shift_to_posts(probabilities, np.array(expected))
    model = load_model(folder)
    with torch.no_grad():
        # The logits are divided by the temperature after the bias is added.
        model.classifier.bias.add_(torch.from_numpy(shift * model.config.temperature).to(model.classifier.bias))
    found = mean_shares(adapted(probabilities, np.array(expected)))
    model.config.expected_shares = found.tolist()
    with output.replaced() as staging:
        for name in checksums_of(folder):
            if Path(name).parts[0] != GRAPH_FOLDER:
                (staging / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / name, staging / name)
        model.save_pretrained(staging)
        ASLSTMTokenizer.from_pretrained(folder).save_pretrained(staging)
        if (staging / CARD).is_file():
            _add_note(staging / CARD, len(probabilities))
        shutil.copymode(staging / "config.json", staging / "model.safetensors")
        write_checksums(staging)
        check_model_folder(staging)
    return Adaptation(len(probabilities), classifier.label_names, np.array(expected), found)


def _probabilities(classifier: Classifier, texts: Iterable[str]) -> Iterator[np.ndarray]:
    rest = iter(texts)
    lists = iter(lambda: list(islice(rest, TEXTS_AT_ONCE)), [])
    for answers in classifier.answers_of_each(lists):
        yield answers.probabilities[~answers.is_empty]


def _add_note(card: Path, num_posts: int) -> None:
    """Say in the card that the figures are those of the model as it was; a note of an earlier adaptation is replaced."""
    text = card.read_text(encoding="utf-8").partition(f"\n{NOTE_TITLE}\n")[0]
    note = (
        f"The decision rule was then fitted to {num_posts:,} posts without labels (`aslstm adapt`). All figures above are "
        "those of the model before that."
    )
    card.write_text(f"{text}\n{NOTE_TITLE}\n\n{note}\n", encoding="utf-8")
