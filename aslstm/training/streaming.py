"""Takes a source and a tokenizer and gives encoded training rows without end, for a corpus that does not fit into memory.

Rows are read, encoded and shuffled in short stretches, and memory holds one stretch at a time.
"""

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

from datasets import load_dataset
from torch.utils.data import IterableDataset

from aslstm.data.corpora import CorpusSource
from aslstm.data.file_formats import Row
from aslstm.data.hub_rows import hub_reader
from aslstm.data.row_readers import check_can_be_read_again, read_rows
from tokenization import ASLSTMTokenizer

from .batches import BATCHES_PER_BUCKET
from .fingerprints import RowsFingerprint


def stream_train(source: CorpusSource) -> Iterator[Row]:
    """Yield the rows of the training split once, as :func:`corpora.read_splits` would give them."""
    text_column, label_column = source.columns_of_files
    names = source.known.label_names
    if source.is_on_hub:
        rows = load_dataset(source.dataset, split="train", streaming=True)
        read = hub_reader(source.dataset, source.columns, rows.features)
        for index, row in enumerate(rows):
            checked = read(row, index)
            yield checked | {"label": names.get(checked["label"], checked["label"])}
        return
    path = source.files()["train"]
    check_can_be_read_again(path)
    for row in read_rows(path, text_column=text_column, label_column=label_column, encoding=source.encoding):
        yield row | {"label": names.get(row["label"], row["label"])}


def counted_texts(source: CorpusSource, label_counts: Counter[str], fingerprint: RowsFingerprint) -> Iterator[str]:
    """Yield the training texts once; their labels are counted and their rows are added to the fingerprint on the way."""
    for row in stream_train(source):
        label_counts[row["label"]] += 1
        fingerprint.add([row["text"]], [row["label"]])
        yield row["text"]


class StreamingRows(IterableDataset):
    """Yields encoded rows over and over; one iteration gives ``rows_per_epoch`` rows, and the next goes on from there.

    Args:
        source: The source that the rows come from.
        tokenizer: The tokenizer that encodes them.
        label_names: The labels in the order of the model.
        batch_size: The number of rows in a batch. Stretches of 50 batches are shuffled; a batch holds rows of similar length.
        rows_per_epoch: The number of rows in one iteration.
        seed: The seed of the shuffling.
    """

    def __init__(
        self,
        source: CorpusSource,
        tokenizer: ASLSTMTokenizer,
        label_names: list[str],
        *,
        batch_size: int,
        rows_per_epoch: int,
        seed: int,
    ) -> None:
        self.source = source
        self.tokenizer = tokenizer
        self.label_ids = {name: i for i, name in enumerate(label_names)}
        self.batch_size = batch_size
        self.rows_per_epoch = rows_per_epoch
        self.shuffler = random.Random(seed)
        self._endless = self._rows()

    def __len__(self) -> int:
        return self.rows_per_epoch

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return itertools.islice(self._endless, self.rows_per_epoch)

    def _rows(self) -> Iterator[dict[str, Any]]:
        numbers = itertools.count()
        while True:
            rows = stream_train(self.source)
            while stretch := list(itertools.islice(rows, self.batch_size * BATCHES_PER_BUCKET)):
                yield from self._shuffled(stretch, numbers)

    def _shuffled(self, stretch: list[Row], numbers: Iterator[int]) -> Iterator[dict[str, Any]]:
        ids = self.tokenizer([row["text"] for row in stretch], truncation=True, return_attention_mask=False)["input_ids"]
        encoded = [
            {"input_ids": row_ids, "labels": self.label_ids[row["label"]], "row": number}
            for row_ids, row, number in zip(ids, stretch, numbers, strict=False)
        ]
        self.shuffler.shuffle(encoded)
        encoded.sort(key=lambda row: -len(row["input_ids"]))
        batches = [encoded[i : i + self.batch_size] for i in range(0, len(encoded), self.batch_size)]
        self.shuffler.shuffle(batches)
        return itertools.chain.from_iterable(batches)
