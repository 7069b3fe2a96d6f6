"""Takes the splits of a corpus and gives Markdown tables about them, and the counts that charts show.

The tables show what a corpus holds before anybody trains on it: counts, overlaps, emoji, and what normalisation would change.
"""

from collections import Counter, defaultdict
from typing import Any

import numpy as np
from datasets import Dataset

from tokenization import split_emoji
from tokenization.emoji_splitting import fold_emoji
from tokenization.text_normalization import SWITCHES, TextNormalizer

from .corpora import bracketed_names, has_emoji, without_white_space

NUM_EMOJI = 40


def table(header: list[str], rows: list[list[Any]]) -> str:
    """Write a Markdown table whose first column is text and whose other columns are numbers."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def count_rows(splits: dict[str, Dataset]) -> str:
    """Count for each split the rows, the empty and repeated ones, texts with two labels, rows with emoji, and characters."""
    rows = []
    for split, data in splits.items():
        texts, labels = data["text"][:], data["label"][:]
        labels_of = defaultdict(set)
        for text, label in zip(texts, labels, strict=True):
            labels_of[text].add(label)
        contradicted = sum(len(labels_of[text]) > 1 for text in texts)
        with_emoji = sum(map(has_emoji, texts))
        lengths = [len(text) for text in texts]
        rows.append([
            split, len(texts), len(set(data["post"][:])), sum(not text.strip() for text in texts), len(texts) - len(set(texts)),
            contradicted, f"{with_emoji} ({with_emoji / len(texts):.1%})", f"{np.median(lengths):.0f}", max(lengths),
        ])  # fmt: skip
    header = ["split", "rows", "posts", "empty", "repeated", "text has two labels", "with emoji", "median length", "longest"]
    return table(header, rows)


def count_labels(splits: dict[str, Dataset]) -> dict[str, dict[str, int]]:
    """Count the rows of each label in each split, as split -> label -> rows; the commonest label comes first."""
    return {split: dict(Counter(data["label"]).most_common()) for split, data in splits.items()}


def count_overlaps(splits: dict[str, Dataset]) -> str:
    """Count how many rows of one split are also in another; white space is ignored."""
    keys = {split: [without_white_space(text) for text in data["text"]] for split, data in splits.items()}
    rows = []
    for split, texts in keys.items():
        others = {other: set(values) for other, values in keys.items() if other != split}
        rows.append([split, *(sum(text in others[o] for text in texts) if o in others else "" for o in keys)])
    return table(["rows of", *(f"also in {split}" for split in keys)], rows)


def unseen_emoticons(splits: dict[str, Dataset]) -> str:
    """Count the bracketed emoticons of the other splits that train does not have."""
    counts = {split: Counter(name for text in data["text"] for name in bracketed_names(text)) for split, data in splits.items()}
    rows = []
    for split, found in counts.items():
        if split == "train" or not found:
            continue
        unseen = [name for name in found if name not in counts["train"]]
        occurrences = sum(found[name] for name in unseen)
        rows.append([split, len(found), len(unseen), sum(found.values()), f"{occurrences} ({occurrences / found.total():.1%})"])
    if not rows:
        return "No emoticon outside train."
    return table(["split", "emoticon types", "of them unseen in train", "occurrences", "of them unseen in train"], rows)


def emoji_labels(data: Dataset) -> dict[str, dict[str, int]]:
    """Count the rows with each emoji by label, as emoji -> label -> rows; the most frequent emoji comes first."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for text, label in zip(data["text"], data["label"], strict=True):
        for emoji in {fold_emoji(piece.text) for piece in split_emoji(text) if piece.is_emoji}:
            counts[emoji][label] += 1
    return {
        emoji: dict(by_label) for emoji, by_label in sorted(counts.items(), key=lambda i: (-i[1].total(), i[0]))[:NUM_EMOJI]
    }


def normalization_effects(splits: dict[str, Dataset]) -> str:
    """Count for each switch of the tokenizer how many texts it alone would change, and show one of them."""
    off = dict.fromkeys(SWITCHES, False)
    nothing = TextNormalizer(**off)
    rows = []
    for switch in SWITCHES:
        normalizer = TextNormalizer(**off | {switch: True})
        changed, example = 0, ""
        for data in splits.values():
            for text in data["text"]:
                before, after = nothing.normalize(text), normalizer.normalize(text)
                if before != after:
                    changed += 1
                    if not example and len(text) <= 40:
                        example = f"`{text}` → `{after}`".replace("\n", " ")
        rows.append([switch, changed, example])
    return table(["switch", "texts changed", "example"], rows)


def describe(splits: dict[str, Dataset], title: str) -> str:
    """Write the whole report as Markdown."""
    labels = count_labels(splits)
    every = sorted({label for by_label in labels.values() for label in by_label})
    sections = {
        "Rows": count_rows(splits),
        "Labels": table(["split", *every], [[split, *(c.get(label, 0) for label in every)] for split, c in labels.items()]),
        "Rows that stand in another split (white space ignored)": count_overlaps(splits),
        "Bracketed emoticons": unseen_emoticons(splits),
        "What normalisation changes": normalization_effects(splits),
    }
    return f"# {title}\n\n" + "\n".join(f"## {name}\n\n{body}\n" for name, body in sections.items())
