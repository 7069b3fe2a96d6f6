"""Takes a model folder and raw texts and gives probabilities, the emoji, and the reasons of an answer.

The reasons are the contributions of words and emoji, the attention, and the effect of the emoji.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from os import PathLike
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from aslstm.errors import UserError
from aslstm.model_folder.layout import check_model_folder, read_config
from modeling_aslstm.contributions_aslstm import contributions_of_posts
from modeling_aslstm.results_aslstm import (
    attention_entries,
    check_has_weights,
    check_tokenizer,
    emoji_effect_entry,
    parts_of_posts,
)
from tokenization.encoded_posts import EncodedPost, check_texts
from tokenization.post_encoding import PostEncoder

from .answers import Answers, finite, scores_of
from .backends import Backend, choose_backend, load_backend
from .batching import Batch, Collected, flat_ids, similar_lengths
from .forks import PerProcess
from .settings import InferenceSettings

logger = logging.getLogger(__name__)

# So many batches are encoded at once. Posts of similar length are then put together, and many texts are cheaper to encode
# together than one after the other: from 2 to 32 batches, two cores go from 6,000 to 15,000 posts a second.
_BATCHES_PER_CHUNK = 32


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
            logger.warning("torch is not installed: the answers are those of the int8 graph, as with `backend` onnx")
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
        self._threads = PerProcess(lambda: ThreadPoolExecutor(backend.num_workers))

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
        with _progress_bar(len(texts), description) as bar:
            (found,) = self._answer_each([texts], {}, batch_size, None if bar is None else bar.update)
        return found.probabilities

    def answers(
        self,
        texts: Sequence[str],
        *,
        attention: bool = False,
        emoji_effect: bool = False,
        contributions: bool = False,
        batch_size: int | None = None,
    ) -> Answers:
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
        asked = {"attention": attention, "emoji_effect": emoji_effect, "contributions": contributions}
        (found,) = self._answer_each([texts], asked, batch_size)
        return found

    def answers_of_each(
        self,
        lists: Iterable[Sequence[str]],
        *,
        attention: bool = False,
        contributions: bool = False,
        emoji_effect: bool = False,
    ) -> Iterator[Answers]:
        """Yield what :meth:`answers` says about each list of texts; while the model reads one, the next is encoded.

        Args:
            lists: Lists of raw posts; one or two more are taken than have been answered.
            attention: As :meth:`answers` takes it.
            contributions: As :meth:`answers` takes it.
            emoji_effect: As :meth:`answers` takes it.

        Raises:
            UserError: A score is no finite number.
            ValueError: An entry is no text, or attention is asked of a model whose fusion has none.
        """
        asked = {"attention": attention, "emoji_effect": emoji_effect, "contributions": contributions}
        yield from self._answer_each(lists, asked, None)

    def _answer_each(
        self,
        lists: Iterable[Sequence[str]],
        asked: Mapping[str, bool],
        batch_size: int | None,
        on_batch: Callable[[int], Any] | None = None,
    ) -> Iterator[Answers]:
        """Yield the answers to each list of texts with the reasons that are asked for, and tell of every batch its size."""
        reasons = [name for name in asked if asked[name]]
        if "attention" in reasons:
            check_has_weights(self.config)
        size = batch_size or self.batch_size
        opened: deque[Collected] = deque()

        def batches() -> Iterator[Batch]:
            for texts in lists:
                opened.append(Collected(check_texts(texts), len(self.label_names), reasons))
                yield from self._batches(opened[-1], size)

        for batch, outputs in self._run_each(batches(), lambda batch: self._run(batch, size)):
            self._collect(batch, outputs)
            if on_batch is not None:
                on_batch(len(batch.places))
            while opened and not opened[0].num_missing:
                yield self._finished(opened.popleft())
        # Lists without texts have no batch.
        yield from map(self._finished, opened)

    def _run(self, batch: Batch, batch_size: int) -> dict[str, Any]:
        """Return the logits of a batch and what the reasons that are asked for are made of."""
        reasons = batch.of.reasons
        outputs: dict[str, Any] = self.backend.run(
            batch.ids, ("logits", "attention_weights") if "attention" in reasons else ("logits",)
        )
        if "emoji_effect" in reasons:
            outputs["parts"] = self._probabilities_of_parts(batch.ids)
        if "contributions" in reasons:
            texts = [batch.of.texts[place] for place in batch.places]
            outputs["contributions"] = self._contributions(texts, batch.posts, outputs["logits"], batch_size)
        return outputs

    def _collect(self, batch: Batch, outputs: dict[str, Any]) -> None:
        """Keep the outputs of a batch among those of its list."""
        collected = batch.of
        collected.num_missing -= len(batch.places)
        collected.logits[batch.places] = outputs["logits"]
        for i, post in enumerate(batch.posts):
            place = batch.places[i]
            collected.emoji[place] = post.emoji
            found = self._reasons(collected.texts[place], post, {name: values[i] for name, values in outputs.items()})
            for name, values in collected.reasons.items():
                values[place] = found[name]

    def _reasons(self, text: str, post: EncodedPost, outputs: dict[str, Any]) -> dict[str, Any]:
        """Return the reasons of the answer to one post."""
        weights, parts = outputs.get("attention_weights"), outputs.get("parts")
        given = [0.0] * len(post.ids) if weights is None else weights.tolist()
        entries = attention_entries(text, post.spans, post.ids, given, self.config)
        effect = None
        if parts is not None:
            rows = np.vstack([self._scores(outputs["logits"][None]), parts]).tolist()
            scores = (dict(zip(self.label_names, row, strict=True)) for row in rows)
            effect = emoji_effect_entry(entries, *scores, polarities=self.config.polarity_of_labels)
        return {"attention": entries, "emoji_effect": effect, "contributions": outputs.get("contributions")}

    def _finished(self, collected: Collected) -> Answers:
        """Return the answers to a list of texts whose batches have all been run."""
        return Answers(
            self._scores(collected.logits),
            self.config,
            partial(self._emoji, collected),
            partial(self._is_empty, collected),
            collected.reasons,
        )

    def _emoji(self, collected: Collected) -> list[list[str]]:
        """Return the emoji of each post."""
        flat, first_emoji = flat_ids(collected.ids), self.config.emoji_token_offset
        is_emoji = (flat.ids >= first_emoji) & (flat.ids < first_emoji + self.config.num_emoji_tokens)
        has_emoji = np.logical_or.reduceat(is_emoji, flat.starts())
        # Most posts have no emoji, so this is faster than to compute the place of every token of every post.
        places = [place for place in np.flatnonzero(has_emoji).tolist() if place not in collected.emoji]
        found = self.encoder.emoji_in_each([collected.texts[place] for place in places])
        emoji = collected.emoji | dict(zip(places, found, strict=True))
        return [emoji.get(place, []) for place in range(len(collected.texts))]

    def _is_empty(self, collected: Collected) -> np.ndarray:
        """Return which posts have no token, (num_texts,) bool."""
        flat = flat_ids(collected.ids)
        is_empty: np.ndarray = (flat.lengths == 1) & (flat.ids[flat.starts()] == self.encoder.unk_token_id)
        for place in np.flatnonzero(is_empty).tolist():
            # A post without any token is encoded as one that no text has a place for.
            (token,) = self.encoder.tokenize_with_offsets(collected.texts[place])
            is_empty[place] = token.start == token.end
        return is_empty

    def _scores(self, logits: np.ndarray) -> np.ndarray:
        return scores_of(logits, self.config.problem_type)

    def _contributions(
        self, texts: list[str], posts: list[EncodedPost], logits: np.ndarray, batch_size: int
    ) -> list[list[dict[str, Any]]]:
        """Return for each post the contributions of its words and emoji."""

        def read(rows: list[list[int]]) -> list[list[float]]:
            return finite(self.backend.run(rows)["logits"]).tolist()

        pairs = [(post.ids, post.spans) for post in posts]
        whole = finite(logits).tolist()
        unk_token_id = self.encoder.unk_token_id
        return contributions_of_posts(texts, pairs, whole, read, self.config, unk_token_id=unk_token_id, batch_size=batch_size)

    def _probabilities_of_parts(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        """Return probabilities (batch, 2, num_labels) of words alone and emoji alone; zeros for a post without emoji."""
        parts = np.zeros((len(rows), 2, len(self.label_names)))
        places, ids = parts_of_posts(rows, self.config, self.encoder.unk_token_id)
        if places:
            parts[places] = self._scores(self.backend.run(ids)["logits"]).reshape(len(places), 2, -1)
        return parts

    def _batches(self, collected: Collected, batch_size: int) -> Iterator[Batch]:
        """Yield a list of texts in batches of similar length; the same texts always give the same batches."""
        max_length = self.encoder.model_max_length
        for first in range(0, len(collected.texts), batch_size * _BATCHES_PER_CHUNK):
            texts = collected.texts[first : first + batch_size * _BATCHES_PER_CHUNK]
            posts = self.encoder.encode_with_offsets(texts, max_length=max_length) if collected.reasons else []
            ids = [post.ids for post in posts] or self.encoder.encode_batch(texts, max_length=max_length)
            collected.ids += ids
            for places in similar_lengths([len(row) for row in ids], batch_size):
                of_batch = [posts[i] for i in places] if posts else []
                yield Batch(collected, [first + i for i in places], [ids[i] for i in places], of_batch)

    def _run_each(
        self, batches: Iterator[Batch], run: Callable[[Batch], dict[str, Any]]
    ) -> Iterator[tuple[Batch, dict[str, Any]]]:
        """Yield each batch with its outputs, in order; the batches of a chunk run while the texts of the next are encoded."""
        head = list(islice(batches, 2))
        batches = chain(head, batches)
        if self.backend.num_workers == 0 or len(head) == 1:  # For a single batch, waking another thread would only cost time.
            for batch in batches:
                yield batch, run(batch)
            return
        waiting: deque[tuple[Batch, Future[dict[str, Any]]]] = deque()
        try:
            for batch in batches:
                waiting.append((batch, self._threads.get().submit(run, batch)))
                if len(waiting) > _BATCHES_PER_CHUNK:
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                batch, future = waiting.popleft()
                yield batch, future.result()
        finally:
            # After an error or Ctrl-C, nobody waits for the rest.
            for _, future in waiting:
                future.cancel()


def _progress_bar(total: int, description: str) -> Any:
    if not description:
        return nullcontext()
    # This is imported here and not above, so that answers without a bar start faster.
    from tqdm.auto import tqdm

    return tqdm(total=total, desc=description, leave=False, disable=None)
