"""Takes a model folder and raw texts and gives probabilities, the emoji, and the reasons of an answer.

The reasons are the contributions of words and emoji, the attention, and the effect of the emoji.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from itertools import chain, islice
from os import PathLike
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from aslstm.errors import UserError
from aslstm.model_folder.layout import check_model_folder, read_config
from modeling_aslstm.contributions_aslstm import contributions_of_posts
from modeling_aslstm.results_aslstm import (
    SCORES_NOT_FINITE,
    attention_entries,
    check_has_weights,
    check_tokenizer,
    emoji_effect_entry,
    is_emoji_id,
    parts_of_posts,
    polarity_entry,
)
from tokenization.encoded_posts import EncodedPost, check_texts
from tokenization.post_encoding import PostEncoder

from .backends import Backend, choose_backend, load_backend
from .forks import PerProcess
from .settings import InferenceSettings

logger = logging.getLogger(__name__)

# So many batches are encoded at once. Posts of similar length are then put together, and many texts are cheaper to encode
# together than one after the other: from 2 to 32 batches, two cores go from 6,000 to 15,000 posts a second.
_BATCHES_PER_CHUNK = 32


class Answer(NamedTuple):
    """Holds what a model says about one post.

    Attributes:
        probabilities: The probabilities (num_labels,) float64, in the order of the classifier's ``label_names``.
        emoji: The emoji of the post, as they are in its text.
        attention: The words and emoji with their weights, as ``ASLSTMPipeline`` gives them, where it was asked for.
        emoji_effect: What the emoji did to the answer, as ``ASLSTMPipeline`` gives it, where it was asked for; None for a post
            without emoji.
        contributions: How much each word and emoji speaks for each label, as ``ASLSTMPipeline`` gives it, where it was asked
            for.
        polarity: ``negative``, ``neutral`` or ``positive``; None if the model gives no polarity.
        polarity_score: The probability of all positive labels minus that of all negative ones; None without a polarity.
        is_empty: Whether the model read nothing of the post, which has neither a word nor an emoji: it is "", or a link alone.
            The probabilities are then those of any post.
    """

    probabilities: np.ndarray
    emoji: list[str]
    attention: list[dict[str, Any]] | None = None
    emoji_effect: dict[str, Any] | None = None
    contributions: list[dict[str, Any]] | None = None
    polarity: str | None = None
    polarity_score: float | None = None
    is_empty: bool = False


class _Batch(NamedTuple):
    """Holds posts that the model reads at once.

    Attributes:
        places: The place of each post among all texts.
        ids: The ids of each post.
        posts: The encoded posts, where the places of the tokens are needed; otherwise an empty list.
    """

    places: list[int]
    ids: list[list[int]]
    posts: list[EncodedPost]


class Classifier:
    """Answers with a model folder; its checksums are verified, and none of the code in it is run.

    Args:
        folder: A model folder.
        backend: ``torch``, or ``onnx`` for the int8 graph of the folder; None for torch, or for onnx where torch is not
            installed.
        batch_size: The posts that the model reads at once; they are sorted by length, so that batches have little padding.
        num_threads: With torch the threads of one operation, in the whole process; with onnx the batches that run at once.

    Raises:
        UserError: The folder is damaged or has no graph, a number is below 1, or the packages of the backend are not installed.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        *,
        backend: str | None = None,
        batch_size: int = 256,
        num_threads: int | None = None,
    ) -> None:
        settings = InferenceSettings(backend, batch_size, num_threads)
        path = Path(folder)
        check_model_folder(path)
        self.settings = replace(settings, backend=choose_backend(path, backend))
        if backend is None and self.settings.backend == "onnx":
            logger.warning("torch is not installed: the answers are those of the int8 graph, as with backend onnx")
        config = read_config(path)
        try:
            encoder = PostEncoder.from_folder(path)
            check_tokenizer(encoder, config)
        except ValueError as error:
            raise UserError(f"{path}: {error}") from error
        self._join(encoder, load_backend(path, self.settings, config), config, batch_size)

    @classmethod
    def from_parts(cls, encoder: Any, backend: Backend, config: SimpleNamespace) -> "Classifier":
        """Make a classifier of parts that were loaded elsewhere; nothing is checked.

        Args:
            encoder: A ``PostEncoder`` or an ``ASLSTMTokenizer``.
            backend: The backend that runs the model.
            config: The result of :func:`read_config`.
        """
        classifier = cls.__new__(cls)
        classifier._join(encoder, backend, config, InferenceSettings().batch_size)
        return classifier

    def _join(self, encoder: Any, backend: Backend, config: SimpleNamespace, batch_size: int) -> None:
        self.encoder = encoder
        self.backend = backend
        self.config = config
        self.batch_size = batch_size
        self.label_names = list(config.id2label.values())
        self._threads = PerProcess(lambda: ThreadPoolExecutor(backend.batches_at_once))

    def _scores(self, logits: np.ndarray) -> np.ndarray:
        return scores_of(logits, self.config.problem_type)

    def predict(self, texts: Sequence[str], *, description: str = "", batch_size: int | None = None) -> np.ndarray:
        """Return the model's probabilities, (num_texts, num_labels) float64, in the order of the texts.

        Args:
            texts: Raw posts.
            description: The text of the progress bar; without one there is no bar.
            batch_size: The posts that the model reads at once, where they differ from the classifier's.

        Raises:
            UserError: A score is no finite number.
            ValueError: An entry is no text.
        """
        texts = check_texts(texts)
        probabilities = np.zeros((len(texts), len(self.label_names)))
        with _progress_bar(len(texts), description) as bar:
            for batch, outputs in self._run_each(self._batches(texts, batch_size), lambda batch: self.backend.run(batch.ids)):
                probabilities[batch.places] = self._scores(outputs["logits"])
                if bar is not None:
                    bar.update(len(batch.places))
        return probabilities

    def answers(
        self,
        texts: Sequence[str],
        *,
        attention: bool = False,
        emoji_effect: bool = False,
        contributions: bool = False,
        batch_size: int | None = None,
    ) -> list[Answer]:
        """Return what the model says about each text, in their order.

        Args:
            texts: Raw posts.
            attention: Whether to give the weights of the words.
            emoji_effect: Whether to give what the emoji did to the answer; a post with emoji is then read three times.
            contributions: Whether to give how much each word and emoji speaks for each label, by leave-one-out. A post is then
                read once more for each of its words and emoji, of which the model reads at most 512 unless the folder says
                otherwise; so the time grows with the number of words, and ``batch_size`` bounds the memory.
            batch_size: The posts that the model reads at once, where they differ from the classifier's.

        Raises:
            UserError: A score is no finite number.
            ValueError: An entry is no text, or attention is asked of a model whose fusion has none.
        """
        texts = check_texts(texts)
        if attention:
            check_has_weights(self.config)
        names = ("logits", "attention_weights") if attention else ("logits",)

        def run(batch: _Batch) -> dict[str, Any]:
            outputs: dict[str, Any] = self.backend.run(batch.ids, names)
            if emoji_effect:
                outputs["parts"] = self._probabilities_of_parts(batch.ids)
            if contributions:
                of_batch = [texts[place] for place in batch.places]
                outputs["contributions"] = self._contributions(of_batch, batch.posts, outputs["logits"], batch_size)
            return outputs

        answers: list[Any] = [None] * len(texts)
        with_places = attention or emoji_effect or contributions
        for batch, outputs in self._run_each(self._batches(texts, batch_size, with_posts=with_places), run):
            probabilities = self._scores(outputs["logits"])
            for i, place in enumerate(batch.places):
                if with_places:
                    of_post = {name: values[i] for name, values in outputs.items()}
                    answers[place] = self._answer(texts[place], batch.posts[i], probabilities[i], of_post)
                else:
                    emoji = self._emoji_of(texts[place], batch.ids[i])
                    answers[place] = Answer(probabilities[i], emoji, **polarity_entry(probabilities[i].tolist(), self.config))
                if self._is_empty(texts[place], batch.ids[i]):
                    answers[place] = answers[place]._replace(is_empty=True)
        return answers

    def _is_empty(self, text: str, ids: Sequence[int]) -> bool:
        """Return whether a post has no token; it is then encoded as one that no text has a place for."""
        if list(ids) != [self.encoder.unk_token_id]:
            return False
        (token,) = self.encoder.tokenize_with_offsets(text)
        return bool(token.start == token.end)

    def _emoji_of(self, text: str, ids: Sequence[int]) -> list[str]:
        # Most posts have no emoji, so this is faster than to compute the place of every token of every post.
        return self.encoder.emoji_in(text) if any(is_emoji_id(token_id, self.config) for token_id in ids) else []

    def _answer(self, text: str, post: EncodedPost, probabilities: np.ndarray, outputs: dict[str, Any]) -> Answer:
        weights, parts = outputs.get("attention_weights"), outputs.get("parts")
        given = [0.0] * len(post.ids) if weights is None else weights.tolist()
        entries = attention_entries(text, post.spans, post.ids, given, self.config)
        effect = None
        if parts is not None:
            rows = np.vstack([probabilities, parts]).tolist()
            effect = emoji_effect_entry(entries, *(dict(zip(self.label_names, row, strict=True)) for row in rows))
        shown = None if weights is None else entries
        polarity = polarity_entry(probabilities.tolist(), self.config)
        return Answer(probabilities, post.emoji, shown, effect, outputs.get("contributions"), **polarity)

    def _contributions(
        self, texts: list[str], posts: list[EncodedPost], logits: np.ndarray, batch_size: int | None
    ) -> list[list[dict[str, Any]]]:
        """Return for each post the contributions of its words and emoji."""

        def read(rows: list[list[int]]) -> list[list[float]]:
            return _finite(self.backend.run(rows)["logits"]).tolist()

        pairs = [(post.ids, post.spans) for post in posts]
        whole = _finite(logits).tolist()
        config, unk_token_id, size = self.config, self.encoder.unk_token_id, batch_size or self.batch_size
        return contributions_of_posts(texts, pairs, whole, read, config, unk_token_id=unk_token_id, batch_size=size)

    def _probabilities_of_parts(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        """Return probabilities (batch, 2, num_labels) of words alone and emoji alone; zeros for a post without emoji."""
        parts = np.zeros((len(rows), 2, len(self.label_names)))
        places, ids = parts_of_posts(rows, self.config, self.encoder.unk_token_id)
        if places:
            parts[places] = self._scores(self.backend.run(ids)["logits"]).reshape(len(places), 2, -1)
        return parts

    def _batches(self, texts: Sequence[str], batch_size: int | None, *, with_posts: bool = False) -> Iterator[_Batch]:
        """Yield the texts in batches of similar length, the longest first; the same texts always give the same batches."""
        batch_size = batch_size or self.batch_size
        max_length = self.encoder.model_max_length
        for first in range(0, len(texts), batch_size * _BATCHES_PER_CHUNK):
            chunk = texts[first : first + batch_size * _BATCHES_PER_CHUNK]
            posts = self.encoder.encode_with_offsets(chunk, max_length=max_length) if with_posts else []
            ids = [post.ids for post in posts] if with_posts else self.encoder.encode_batch(chunk, max_length=max_length)
            order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
            for start in range(0, len(order), batch_size):
                batch = order[start : start + batch_size]
                yield _Batch([first + i for i in batch], [ids[i] for i in batch], [posts[i] for i in batch] if posts else [])

    def _run_each(
        self, batches: Iterator[_Batch], run: Callable[[_Batch], dict[str, Any]]
    ) -> Iterator[tuple[_Batch, dict[str, Any]]]:
        """Yield each batch with its outputs, in order; some batches run while the texts of the next are encoded."""
        head = list(islice(batches, 2))
        batches = chain(head, batches)
        at_once = self.backend.batches_at_once
        if at_once == 1 or len(head) == 1:  # For a single batch, waking another thread would only cost time.
            for batch in batches:
                yield batch, run(batch)
            return
        waiting: deque[tuple[_Batch, Future[dict[str, Any]]]] = deque()
        for batch in batches:
            waiting.append((batch, self._threads.get().submit(run, batch)))
            if len(waiting) > 2 * at_once:
                done, future = waiting.popleft()
                yield done, future.result()
        for batch, future in waiting:
            yield batch, future.result()


def scores_of(logits: np.ndarray, problem_type: str | None = None) -> np.ndarray:
    """Return scores (batch, num_labels) float64 for logits (batch, num_labels), as the stock pipeline does.

    One label among several gets the softmax; several at once, or a single one, get a sigmoid each; a regression is left alone.

    >>> scores_of(np.array([[0.0, 0.0], [1000.0, 0.0]])).tolist()
    [[0.5, 0.5], [1.0, 0.0]]

    Raises:
        UserError: A logit is no finite number.
    """
    numbers = _finite(logits).astype(np.float64)
    if problem_type == "regression":
        return numbers
    if problem_type == "multi_label_classification" or logits.shape[-1] == 1:
        # A large power of a negative logit would overflow, and that of its negative would not.
        powers = np.exp(-np.abs(numbers))
        return np.where(numbers < 0, powers, 1.0) / (1.0 + powers)
    powers = np.exp(numbers - numbers.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _finite(logits: np.ndarray) -> np.ndarray:
    if not np.isfinite(logits).all():
        raise UserError(SCORES_NOT_FINITE)
    return logits


def _progress_bar(total: int, description: str) -> Any:
    if not description:
        return nullcontext()
    # This is imported here and not above, so that answers without a bar start faster.
    from tqdm.auto import tqdm

    return tqdm(total=total, desc=description, leave=False, disable=None)
