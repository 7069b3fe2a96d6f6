"""Writes posts that are composed by rules, with soft labels: negation, contrast, titles, news, irony, and emoji against words.

python train_scripts/recipes/composed_posts.py OUTPUT.jsonl

A teacher that counts words is wrong about these, and real posts hold too few of them to learn from. The words and frames are
this project's own; clauses of the sample's training split are used too. The posts are for training only: they are no part of
the sample, which was written freely.
"""

import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from aslstm.data.known_corpora import KNOWN_LABELS, SAMPLE_FOLDER
from tokenization import strip_emoji

NUM_POSTS = 60_000
LABELS = sorted(("none", "like", "happiness", "sadness", "anger", "disgust", "fear", "surprise"))
# The words and frames. Words that say how things are or what people feel stand under the label that they stand for.
WORDS = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))


class Part(NamedTuple):
    """Holds a clause and the label that it has alone."""

    text: str
    label: str


def polarity(label: str) -> str:
    """Return the polarity of a label."""
    return KNOWN_LABELS[label].polarity


class Composer:
    """Draws posts of each kind.

    Args:
        clauses: Short posts of the sample without emoji, by label.
        rng: What all choices are drawn by.
    """

    def __init__(self, clauses: dict[str, list[str]], rng: random.Random) -> None:
        self.clauses = clauses
        self.rng = rng

    def word(self, lists: dict[str, list[str]], wanted: str = "") -> tuple[str, str]:
        """Draw a word and its label, of a polarity if one is wanted."""
        label = self.rng.choice([label for label in lists if not wanted or polarity(label) == wanted])
        return self.rng.choice(lists[label]), label

    def clause(self, wanted: str) -> Part:
        """Draw a clause of a polarity, made of words or taken from the sample."""
        rng = self.rng
        if rng.random() < 0.45:
            label = rng.choice([label for label in self.clauses if polarity(label) == wanted])
            return Part(rng.choice(self.clauses[label]), label)
        if rng.random() < 0.6:
            word, label = self.word(WORDS["things"], wanted)
            return Part(rng.choice(WORDS["subjects"]) + rng.choice(WORDS["degrees"]) + word, label)
        word, label = self.word(WORDS["feelings"], wanted)
        return Part(rng.choice(WORDS["people"]) + rng.choice(WORDS["degrees"]) + word, label)

    def negated(self) -> tuple[str, dict[str, float]]:
        """Draw a post with a negated word; the negation of a bad thing is good or nothing."""
        rng = self.rng
        is_weak = rng.random() < 0.45
        negation = rng.choice(WORDS["weak"] if is_weak else WORDS["strong"])
        kind = rng.choice("TTFAA")
        lists = {"T": WORDS["things"], "F": WORDS["feelings"], "A": WORDS["attitudes"]}[kind]
        word, label = self.word(lists)
        if kind == "T":
            text = rng.choice(WORDS["subjects"]) + negation + word
        elif kind == "F":
            text = rng.choice(WORDS["people"]) + negation + word
        else:
            text = f"我{negation}{word}{rng.choice(WORDS['objects'])}"
        if polarity(label) == "positive":
            opposite = "sadness" if kind == "F" else "disgust"
            return text, {opposite: 0.65 if is_weak else 0.8, "none": 0.2 if is_weak else 0.1}
        if kind == "F":
            return text, {"none": 0.45, "happiness": 0.35, "like": 0.1}
        return text, {"like": 0.5, "none": 0.4} if kind == "T" or not is_weak else {"none": 0.7, "like": 0.2}

    def doubled(self) -> tuple[str, dict[str, float]]:
        """Draw a post whose negations cancel out, or whose negation makes it stronger."""
        rng = self.rng
        wanted = rng.choice(("positive", "positive", "negative"))
        thing, label = self.word(WORDS["things"], wanted)
        attitude, of_attitude = self.word(WORDS["attitudes"], wanted)
        subject, target = rng.choice(WORDS["subjects"]), rng.choice(WORDS["objects"])
        more = self.word(WORDS["things"], wanted)[0]
        text, found = rng.choice((
            (f"没有人不{attitude}{target}", of_attitude), (f"谁能不{attitude}{target}呢", of_attitude),
            (f"不得不{attitude}{target}", of_attitude),
            (f"不得不说{subject}{thing}", label), (f"没有比{subject}更{thing}的了", label),
            (f"{subject}别提多{thing}了", label),
            (f"{subject}不是一般的{thing}", label), (f"{subject}不要太{thing}", label), (f"{subject}再{thing}不过了", label),
            (f"从没见过这么{thing}的{subject}", label), (f"{subject}{thing}得没话说", label),
            (f"不能说{subject}不{thing}", label),
            (f"{subject}不但{thing}，而且{more}", label),
        ))  # fmt: skip
        return text, {found: 0.85}

    def contrasted(self) -> tuple[str, dict[str, float]]:
        """Draw two clauses of opposite polarity; the second one counts."""
        first, second = self.rng.sample(("positive", "negative"), 2)
        a, b = self.clause(first), self.clause(second)
        return self.rng.choice(WORDS["contrasts"]).format(a=a.text, b=b.text), {b.label: 0.8, a.label: 0.08}

    def titled(self) -> tuple[str, dict[str, float]]:
        """Draw a sentence about a title that holds emotional words."""
        rng = self.rng
        word = self.word(rng.choice((WORDS["things"], WORDS["feelings"])))[0]
        noun = rng.choice(WORDS["title_nouns"])
        title = rng.choice(
            (f"{word}的{noun}", f"{noun}很{word}", f"{word}{noun}", word, f"不再{word}", f"我的{word}{noun}", f"{word}之后")
        )
        return rng.choice(WORDS["title_frames"]).format(t=title, n=rng.randint(1, 30)), {"none": 0.9}

    def reported(self) -> tuple[str, dict[str, float]]:
        """Draw a piece of news; what happened may be bad, but nobody says what they feel."""
        rng = self.rng
        return rng.choice(WORDS["news"]).format(
            c=rng.choice(WORDS["places"]), e=rng.choice(WORDS["events"]), g=rng.choice(WORDS["gatherings"]),
            k=rng.choice(WORDS["results"]), n=rng.randint(2, 40),
            f=self.word(WORDS["feelings"])[0],
        ), {"none": 0.9}  # fmt: skip

    def ironic(self) -> tuple[str, dict[str, float]]:
        """Draw praise with a sign of scorn."""
        rng = self.rng
        praise = rng.choice(WORDS["praise"]).format(
            s=rng.choice(WORDS["subjects"]), w=self.word(WORDS["things"], "positive")[0]
        )
        return praise + rng.choice(WORDS["scorn"]), {"disgust": 0.6, "anger": 0.25}

    def against_words(self) -> tuple[str, dict[str, float]]:
        """Draw words and an emoji that says something else: tears of joy, tender insults, praise that is none."""
        rng = self.rng
        kind = rng.choice("JJTB")
        if kind == "J":
            clause = self.clause("positive")
            return clause.text + rng.choice(WORDS["happy_tears"]), {clause.label: 0.75, "sadness": 0.1}
        if kind == "T":
            return rng.choice(WORDS["teases"]) + rng.choice(WORDS["tender"]), {"like": 0.6, "happiness": 0.25}
        label = rng.choice(list(WORDS["bad_emoji"]))
        return self.clause("positive").text + rng.choice(WORDS["bad_emoji"][label]), {label: 0.75}

    def post(self) -> tuple[str, dict[str, float]]:
        """Draw a post of any kind."""
        kinds = (self.negated, self.doubled, self.contrasted, self.titled, self.reported, self.ironic, self.against_words)
        text, scores = self.rng.choices(kinds, (6, 2, 6, 2, 2, 2, 3))[0]()
        ends = text + self.rng.choice(WORDS["ends"]) if text[-1] > "\u4e00" else text
        return ends, scores


def clauses_of_sample() -> dict[str, list[str]]:
    """Return the short training posts of the sample without emoji and punctuation inside, by label."""
    clauses: dict[str, list[str]] = {}
    for line in (SAMPLE_FOLDER / "train.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        words = re.sub(r"[。！？~…]+$", "", strip_emoji(row["text"]).strip())
        if words == row["text"].rstrip("。！？~…") and 4 <= len(words) <= 16 and not re.search(r"[，。！？#@/\[\]~… ]", words):
            clauses.setdefault(row["label"], []).append(words)
    return {label: found for label, found in clauses.items() if polarity(label) != "neutral"}


def posts() -> Iterator[tuple[str, list[float]]]:
    """Yield different posts with the probability of each label; what the rules leave over is spread evenly."""
    composer = Composer(clauses_of_sample(), random.Random(0))
    seen: set[str] = set()
    while len(seen) < NUM_POSTS:
        text, scores = composer.post()
        if text not in seen:
            seen.add(text)
            rest = (1 - sum(scores.values())) / len(LABELS)
            yield text, [scores.get(label, 0.0) + rest for label in LABELS]


def main() -> None:
    """Write the posts."""
    with Path(sys.argv[1]).open("w", encoding="utf-8") as file:
        for text, row in posts():
            file.write(json.dumps({"text": text, "scores": dict(zip(LABELS, row, strict=True))}, ensure_ascii=False) + "\n")
    print(f"{NUM_POSTS} composed posts: {sys.argv[1]}")


if __name__ == "__main__":
    main()
