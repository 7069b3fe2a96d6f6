"""Takes a corpus and the words that statistics found in it and gives these and the words that are too rare for statistics.

A tagger finds the rare words. Every epoch of its training hides another part of the dictionary: the input is the corpus cut
with the rest of the dictionary, the goal is the corpus cut with all of it. So the tagger learns what the pieces of an unknown
word look like. Then it gets the corpus cut with the whole dictionary, where such pieces belong to words that no dictionary has.
"""

import logging
import random
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

from aslstm.words.measuring import measure_words
from aslstm.words.new_words import NewWord, known_words
from aslstm.words.ngram_counting import clean
from tokenization.word_segmentation import UserWord, WordSegmenter, keep_whole

from .batches import LengthBucketSampler
from .optimization import make_schedules
from .steps import train_epoch
from .word_tagger import WordTagger, WordTaggerConfig, tags_of_words, words_of_tags

logger = logging.getLogger(__name__)

HIDDEN_SHARE = 0.6
NUM_EPOCHS = 4
BATCH_SIZE = 128
LEARNING_RATE = 2e-3
MIN_CHARACTER_COUNT = 3
MIN_PROPOSED_SHARE = 0.5
_CHINESE_RUN = re.compile("[\u4e00-\u9fd5]{2,}")


class HidingSegmenter(WordSegmenter):
    """Segments text and can hide a part of its dictionary.

    Args:
        user_words: The words that are kept whole.
        forgotten: The words of the dictionary that are always hidden.
    """

    def __init__(self, user_words: Iterable[UserWord] = (), forgotten: Collection[str] = ()) -> None:
        super().__init__(user_words, use_hmm=False)
        self.forgotten = forgotten

    def _load(self) -> Any:
        engine: Any = super()._load()
        # An entry with frequency 0 is no word for jieba, only the beginning of longer ones.
        engine.tokenizer.FREQ.update(dict.fromkeys(self.forgotten, 0))
        return engine

    def dictionary_words(self) -> list[str]:
        """Return all words of the dictionary that have two characters or more."""
        return [word for word, frequency in self._frequencies().items() if frequency and len(word) > 1]

    def _frequencies(self) -> Any:
        engine: Any = self.engine
        return engine.tokenizer.FREQ

    @contextmanager
    def hidden(self, words: Iterable[str]) -> Iterator[None]:
        """Hide some words while the block runs."""
        frequencies = self._frequencies()
        forgotten = {word: frequencies[word] for word in words}
        frequencies.update(dict.fromkeys(forgotten, 0))
        try:
            yield
        finally:
            frequencies.update(forgotten)


class Runs(torch.utils.data.Dataset):
    """Holds stretches of Chinese text with their tags by a dictionary that lacks words, and by the whole one as labels."""

    def __init__(self, runs: Sequence[str], tagger: WordTagger, segmenter: HidingSegmenter) -> None:
        self.runs = runs
        self.input_ids = [tagger.encode(run) for run in runs]
        self.labels = [tags_of_words(segmenter.cut(run)) for run in runs]
        self.dictionary_tags = self.labels

    def hide_words(self, words: Iterable[str], segmenter: HidingSegmenter) -> None:
        """Cut the stretches again with a dictionary that lacks some words."""
        with segmenter.hidden(words):
            self.dictionary_tags = [tags_of_words(segmenter.cut(run)) for run in self.runs]

    def __len__(self) -> int:
        return len(self.runs)

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        return {
            "input_ids": self.input_ids[index],
            "dictionary_tags": self.dictionary_tags[index],
            "labels": self.labels[index],
        }


def collate(rows: list[dict[str, list[int]]]) -> dict[str, Tensor]:
    """Pad rows to ``input_ids``, ``dictionary_tags``, ``labels`` and ``attention_mask``, each (batch, seq_len) int64."""
    batch = {name: pad_sequence([torch.tensor(row[name]) for row in rows], batch_first=True) for name in rows[0]}
    mask = [torch.ones(len(row["input_ids"]), dtype=torch.long) for row in rows]
    return batch | {"attention_mask": pad_sequence(mask, batch_first=True)}


def train_tagger(runs: Sequence[str], segmenter: HidingSegmenter, *, seed: int = 0, **sizes: Any) -> WordTagger:
    """Train a tagger on stretches of Chinese text.

    Args:
        runs: The stretches.
        segmenter: The segmenter with the whole dictionary.
        seed: The seed of the weights, of the order of the batches and of the choice of hidden words.
        sizes: Arguments of :class:`WordTaggerConfig`.
    """
    torch.manual_seed(seed)
    chooser = random.Random(seed)
    counts = Counter(character for run in runs for character in run)
    characters = sorted(character for character, count in counts.items() if count >= MIN_CHARACTER_COUNT)
    accelerator = Accelerator()
    tagger = WordTagger(WordTaggerConfig("".join(characters), **sizes))
    rows = Runs(runs, tagger, segmenter)
    sampler = LengthBucketSampler([len(run) for run in runs], BATCH_SIZE, shuffle=True, seed=seed)
    loader = DataLoader(rows, batch_sampler=sampler, collate_fn=collate)
    optimizer = torch.optim.AdamW(tagger.parameters(), lr=LEARNING_RATE)
    model, optimizer, loader = accelerator.prepare(tagger, optimizer, loader)
    steps = len(loader) * NUM_EPOCHS
    schedules = make_schedules([optimizer], warmup_steps=steps // 20, total_steps=steps)
    dictionary = segmenter.dictionary_words()
    for epoch in range(NUM_EPOCHS):
        rows.hide_words(chooser.sample(dictionary, round(HIDDEN_SHARE * len(dictionary))), segmenter)
        loader.set_epoch(epoch)
        loss = train_epoch(
            accelerator, model, loader, lambda batch: model(**batch).loss, [optimizer], schedules,
            max_grad_norm=5.0, description=f"Tagger, epoch {epoch + 1}/{NUM_EPOCHS}",
        )  # fmt: skip
        logger.info("tagger, epoch %d: loss %.4f", epoch + 1, loss)
    return accelerator.unwrap_model(model)


def propose_words(tagger: WordTagger, runs: Sequence[str], segmenter: HidingSegmenter) -> Counter[str]:
    """Return the words of two or more characters that the tagger makes of whole words of the dictionary, with their counts."""
    proposals: Counter[str] = Counter()
    tagger.eval()
    ordered = sorted(Counter(runs).items(), key=lambda item: len(item[0]))
    for start in range(0, len(ordered), BATCH_SIZE):
        batch = ordered[start : start + BATCH_SIZE]
        cuts = [segmenter.cut(run) for run, _ in batch]
        rows = [
            {"input_ids": tagger.encode(run), "dictionary_tags": tags_of_words(cut)}
            for (run, _), cut in zip(batch, cuts, strict=True)
        ]
        for (run, count), cut, tags in zip(batch, cuts, tagger.tag(**collate(rows)), strict=True):
            boundaries = {0}
            for word in cut:
                boundaries.add(max(boundaries) + len(word))
            start_of_word = 0
            for word in words_of_tags(run, tags):
                end = start_of_word + len(word)
                # A word that begins or ends inside a known word would break that word.
                if len(word) > 1 and start_of_word in boundaries and end in boundaries:
                    proposals[word] += count
                start_of_word = end
    return proposals


def add_rare_words(
    words: list[NewWord], texts: Iterable[str], *, max_word_length: int, forgotten: Collection[str] = ()
) -> list[NewWord]:
    """Return the found words and those that a tagger adds, best first.

    Args:
        words: The words that statistics found in the corpus.
        texts: The corpus, which is held in memory.
        max_word_length: The most characters that an added word has.
        forgotten: Words of jieba's dictionary that count as unknown.
    """
    texts = clean(texts)
    runs = [run for text in texts for run in _CHINESE_RUN.findall(text)]
    if not runs:
        return words
    segmenter = HidingSegmenter(keep_whole(word.word for word in words), forgotten)
    tagger = train_tagger(runs, segmenter)
    proposals = propose_words(tagger, runs, segmenter)
    known = (known_words() - set(forgotten)) | {word.word for word in words}
    candidates = sorted(word for word in proposals if word not in known and len(word) <= max_word_length)
    # A word that the tagger joins in some places and cuts in most depends on its context, which a dictionary does not see.
    rare = [word for word in measure_words(candidates, texts) if proposals[word.word] >= MIN_PROPOSED_SHARE * word.count]
    logger.info("words that the tagger adds: %d", len(rare))
    return sorted([*words, *rare], key=lambda word: (-word.score, word.word))
