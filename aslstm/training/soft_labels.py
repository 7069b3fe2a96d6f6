"""Takes files of the answers that several models (the teachers) gave to the same posts, and gives each post one soft label.

A soft label holds a probability for every label: here the mean of what the teachers say. A student that learns soft labels
learns more of a post than its best label says, and nobody has to label the post by hand (Hinton et al. 2015, arXiv:1503.02531).
``aslstm predict`` writes such a file for a model folder; :func:`write_soft_labels` writes one for a teacher of any other kind.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from aslstm.data.file_formats import refuse_bad
from aslstm.data.found_files import Named, find_file
from aslstm.errors import UserError
from aslstm.files import replacing

# A teacher that gives a label nothing at all must not overrule all others in the mean of the logarithms.
SMALLEST_PROBABILITY = 1e-4


class SoftLabels(NamedTuple):
    """Holds posts with soft labels.

    Attributes:
        texts: The posts.
        probabilities: The probabilities of the labels, (num_texts, num_labels) float32; each row adds up to 1.
    """

    texts: list[str]
    probabilities: np.ndarray


def read_soft_labels(paths: Sequence[Path], label_names: Sequence[str]) -> SoftLabels:
    """Read the answers of each teacher on the same posts and take the mean of the logarithms of their probabilities.

    Posts in which a teacher read nothing have no scores and are left out.

    Args:
        paths: The files of answers, one for each teacher, with the same posts in the same order.
        label_names: The labels of the student, in the order of its outputs.

    Raises:
        UserError: A file cannot be read, has other labels than the student or scores that are no probabilities, or the posts
            of two files differ.
    """
    files = [_answers(path, label_names) for path in paths]
    texts: list[str] = []
    means: list[np.ndarray] = []
    for number, rows in enumerate(zip_longest(*files, fillvalue=(None, None)), start=1):
        if len({text for text, _ in rows}) > 1:
            raise UserError(
                f"`soft_labels`, row {number}: expected the same post in {' and '.join(map(str, paths))}, found others; let "
                "every teacher answer the same file"
            )
        answers = [answer for _, answer in rows if answer is not None]
        if len(answers) == len(rows):
            texts.append(rows[0][0])
            means.append(np.mean([np.log(np.maximum(answer, SMALLEST_PROBABILITY)) for answer in answers], axis=0))
    powers = np.exp(np.array(means, dtype=np.float32).reshape(-1, len(label_names)))
    return SoftLabels(texts, powers / powers.sum(1, keepdims=True))


def write_soft_labels(path: Path, posts: Iterable[tuple[str, Sequence[float]]], label_names: Sequence[str]) -> None:
    """Write a file that :func:`read_soft_labels` reads.

    Args:
        path: The file, JSON Lines; it is written whole or not at all.
        posts: Each post with the probabilities of its labels.
        label_names: The labels, in the order of the probabilities.
    """
    with replacing(path) as staging, staging.open("w", encoding="utf-8") as file:
        for text, row in posts:
            scores = dict(zip(label_names, map(float, row), strict=True))
            file.write(json.dumps({"text": text, "scores": scores}, ensure_ascii=False) + "\n")


def soften(probabilities: Tensor, temperature: Tensor) -> Tensor:
    """Return probabilities (num_rows, num_labels) at temperatures (num_rows, 1): the higher, the more alike they become.

    >>> import torch
    >>> soften(torch.tensor([[0.8, 0.2], [1.0, 0.0]], dtype=torch.float64), torch.tensor([[2.0], [1.0]])).round(
    ...     decimals=3
    ... ).tolist()
    [[0.667, 0.333], [1.0, 0.0]]
    """
    powers = probabilities ** (1 / temperature)
    return powers / powers.sum(1, keepdim=True)


def _answers(path: Path, label_names: Sequence[str]) -> Iterator[tuple[str, np.ndarray | None]]:
    for number, (_, row) in enumerate(refuse_bad(find_file(path, Named(text_column=("text",))).rows()), start=1):
        scores = _scores_of(row)
        if not scores and row.get("label") == "" and "text" in row:
            yield str(row["text"]), None
            continue
        if not scores or set(scores) != set(label_names) or "text" not in row:
            found = ", ".join(scores) if scores else ", ".join(map(str, row))
            raise UserError(
                f"`soft_labels` {path}, row {number}: expected text and scores of {', '.join(label_names)}, found "
                f"{found}; use files of aslstm predict with the labels of the student"
            )
        answer = np.array([scores[name] for name in label_names], dtype=np.float64)
        if not ((answer >= 0) & (answer < 1 + 1e-5)).all():
            raise UserError(
                f"`soft_labels` {path}, row {number}: expected scores from 0 to 1, found {', '.join(map(str, answer))}; let "
                "the teacher answer again"
            )
        yield str(row["text"]), answer


def _scores_of(row: dict[str, Any]) -> dict[str, float]:
    scores = row.get("scores")
    if isinstance(scores, str):  # In CSV the scores of a row are a cell of JSON.
        try:
            scores = json.loads(scores)
        except ValueError:
            return {}
    return scores if isinstance(scores, dict) else {}
