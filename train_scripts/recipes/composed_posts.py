"""Writes posts that are composed by rules, with soft labels: negation, contrast, titles, news, irony, and emoji against words.

python train_scripts/recipes/composed_posts.py OUTPUT.jsonl

A teacher that counts words is wrong about these, and real posts hold too few of them to learn from. The words and frames are
this project's own. The posts are for training only: they are no part of the sample, which was written freely.
"""

import json
import random
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from aslstm.data.known_corpora import KNOWN_LABELS
from aslstm.training.soft_labels import write_soft_labels

NUM_POSTS = 100_000
# So many of them are a negated word with little around it, as in 我不喜欢: in longer posts other words tell half the answer.
NUM_BARE = 12_000
LABELS = sorted(("none", "like", "happiness", "sadness", "anger", "disgust", "fear", "surprise"))
# The words and frames. Words that say how things are or what people feel stand under the label that they stand for.
WORDS = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
# What the letters in frames stand for, unless the frame is filled in with something else.
SLOTS = {
    "p": "people", "o": "objects", "N": "strong", "K": "weak", "c": "places", "e": "events",
    "g": "gatherings", "k": "results", "q": "title_nouns", "j": "goods", "l": "spots", "z": "idioms",
}  # fmt: skip
OTHER = {"positive": "negative", "negative": "positive"}


class Part(NamedTuple):
    """Holds a clause and the label that it has alone."""

    text: str
    label: str


Post = tuple[str, dict[str, float]]


def polarity(label: str) -> str:
    """Return the polarity of a label."""
    return KNOWN_LABELS[label].polarity


@cache
def fitting(words: str, topic: str) -> dict[str, list[str]]:
    """Return the words of a list that can be said of the subjects of a topic, by label."""
    of_others = {word for other, found in WORDS["fitting"].items() if other != topic for word in found}
    unfit = of_others.difference(WORDS["fitting"].get(topic, ()))
    return {label: [word for word in found if word not in unfit] for label, found in WORDS[words].items()}


def opposite(words: str, label: str, *, is_weak: bool) -> dict[str, float]:
    """Return the labels of a negation of a word from one of the lists; that of a bad thing is good or nothing."""
    if polarity(label) == "positive":
        sad = {"feelings": 0.8, "moods": 0.35, "attitudes": 0.1, "things": 0.1}.get(
            words, 0.6 if label == "happiness" else 0.15
        )
        return {
            "sadness": sad * (0.8 if is_weak else 1),
            "disgust": (0.85 - sad) * (0.8 if is_weak else 1),
            "none": 0.1 + is_weak * 0.1,
        }
    if words == "feelings":
        return {"none": 0.42, "happiness": 0.38, "like": 0.12}
    good = (
        {"happiness": 0.35, "like": 0.2}
        if words == "verbs" and label in {"sadness", "fear"}
        else {"like": 0.45, "happiness": 0.1}
    )
    return {"none": 0.55, "like": 0.33} if is_weak else good | {"none": 0.35}


class Composer:
    """Draws posts of each kind.

    Args:
        rng: What all choices are drawn by.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def word(self, lists: dict[str, list[str]], wanted: str = "") -> Part:
        """Draw a word of a polarity, or of either; labels with more words are drawn more often."""
        wanted = wanted or self.rng.choice(list(OTHER))
        labels = [label for label in lists if polarity(label) == wanted]
        (label,) = self.rng.choices(labels, [len(lists[label]) ** 0.7 for label in labels])
        return Part(self.rng.choice(lists[label]), label)

    def topic(self) -> str:
        """Draw a topic."""
        return self.rng.choice(list(WORDS["subjects"]))

    def fill(self, frames: list[str], topic: str = "", **given: str) -> str:
        """Draw a frame and what stands in its slots."""
        rng = self.rng

        def drawn(slot: re.Match[str]) -> str:
            letter = slot[1]
            if letter == "n":
                return str(rng.randint(2, 30))
            if letter == "s":
                return rng.choice(WORDS["subjects"][topic or self.topic()])
            if letter == "f":
                return self.word(WORDS[rng.choice(("things", "feelings", "feelings"))]).text
            return given.get(letter) or rng.choice(WORDS[SLOTS[letter]])

        return re.sub(r"\{(\w)\}", drawn, rng.choice(frames))

    def predicate(self, wanted: str, topic: str) -> Part:
        """Draw what a thing is like, with or without a degree."""
        words = self.rng.choice(("things", "things", "predicates"))
        word, label = self.word(fitting(words, topic), wanted)
        return Part(self.fill(WORDS["degrees" if words == "things" else "adverbs"], w=word), label)

    def clause(self, wanted: str, topic: str = "") -> Part:
        """Draw a clause of a polarity: one of those that are written out, or one made of words."""
        rng = self.rng
        (kind,) = rng.choices(("wholes", "happenings", "feelings", "things"), (16, 18, 20, 46))
        if kind == "things":
            topic = topic or self.topic()
            word, label = self.predicate(wanted, topic)
            return Part((rng.choice(WORDS["subjects"][topic]) if rng.random() < 0.7 else "") + word, label)
        if kind == "feelings":
            word, label = self.word(WORDS["feelings"], wanted)
            return Part(rng.choice(WORDS["people"]) + self.fill(WORDS["degrees"], w=word), label)
        if kind == "wholes":
            return self.word(WORDS["wholes"], wanted)
        return self.word(WORDS["fortunes" if wanted == "positive" else "misfortunes"], wanted)

    def neutral(self) -> Part:
        """Draw a plain statement."""
        return Part(self.fill(WORDS["plain"] if self.rng.random() < 0.6 else WORDS["diary"]), "none")

    def negated(self) -> Post:
        """Draw a post with a word as it is, negated, or made stronger by a negation."""
        rng = self.rng
        (words,) = rng.choices(("things", "feelings", "attitudes", "moods", "verbs", "nouns"), (34, 20, 14, 10, 9, 13))
        frames = WORDS["negations"][words]
        (mode,) = rng.choices(("plain", "strong", "weak", "stronger", "ended"), (34, 28, 14, 18, 6 * ("ended" in frames)))
        wanted, topic = rng.choice(list(OTHER)), self.topic()
        lists = fitting(words, topic)
        word, label = self.word(lists, wanted)
        more, other = self.word(lists, wanted).text, self.word(lists, OTHER[wanted]).text
        text = self.fill(frames[mode], topic, w=word, v=more, u=other, x=self.fill(WORDS["degrees"], w=word))
        if mode in {"plain", "stronger"}:
            return text, {label: 0.85}
        if mode == "ended" and wanted == "negative":
            return text, {"happiness": 0.4, "like": 0.2, "none": 0.3}
        return text, opposite(words, label, is_weak=mode == "weak")

    def bare(self) -> Post:
        """Draw a negated word with next to nothing around it; the first words of the lists, which are common, most often."""
        rng = self.rng
        words = rng.choice(("feelings", "attitudes", "attitudes", "moods", "things"))
        frame = rng.choice(WORDS["bare"])
        if "{o}" in frame:
            words = "attitudes"
        wanted = rng.choice(list(OTHER))
        labels = [label for label in WORDS[words] if polarity(label) == wanted]
        label = rng.choice(labels)
        known = WORDS[words][label]
        word, more = rng.choices(known, [1 / (place + 3) for place in range(len(known))], k=2)
        text = self.fill([frame], w=word, v=more)
        return text, opposite(words, label, is_weak=text.startswith(tuple(WORDS["weak"])))

    def undecided(self) -> Post:
        """Draw a phrase with a negation whose label is known as a whole, or one that is neither good nor bad."""
        rng = self.rng
        if rng.random() < 0.2:
            topic = self.topic()
            good, bad = (self.word(fitting("things", topic), wanted).text for wanted in rng.sample(list(OTHER), 2))
            return self.fill(WORDS["neither"], topic, w=good, u=bad), {"none": 0.8}
        word, label = self.word(WORDS["wholes"], rng.choice(("positive", "positive", "negative", "negative", "neutral")))
        before = self.fill(["{s}，"]) if label in {"like", "disgust"} else rng.choice(WORDS["times"])
        return before * (rng.random() < 0.6) + word, {label: 0.85}

    def contrasted(self) -> Post:
        """Draw two or three clauses of opposite polarity, of which one counts, or of the same polarity."""
        rng = self.rng
        wanted, topic = rng.choice(list(OTHER)), self.topic()
        clauses = {letter: self.clause(OTHER[wanted] if letter in "ac" else wanted, topic) for letter in "abcd"}
        clauses |= {letter: self.predicate(OTHER[wanted] if letter == "x" else wanted, topic) for letter in "xyz"}
        is_contrast = rng.random() < 0.85
        frame = rng.choice(WORDS["contrasts" if is_contrast else "agreeing"])
        text = self.fill([frame], topic, **{letter: part.text for letter, part in clauses.items()})
        decides, other = clauses["b" if "{b}" in frame else "y"].label, clauses["a" if "{a}" in frame else "x"].label
        return text, {decides: 0.8, other: 0.08} if is_contrast else {decides: 0.85}

    def titled(self) -> Post:
        """Draw a sentence about a title or name that holds emotional words, now and then with an opinion of it."""
        rng = self.rng
        title = self.fill(WORDS["title_forms"])
        if rng.random() < 0.3:
            wanted = rng.choice(list(OTHER))
            inside = self.word(WORDS[rng.choice(("things", "feelings"))], OTHER[wanted]).text
            word, label = self.word(fitting("things", "show"), wanted)
            degree = self.fill(WORDS["degrees"], w=word)
            title = f"{inside}的{rng.choice(WORDS['title_nouns'])}"
            return self.fill(
                WORDS["title_opinions"],
                "show",
                t=title,
                w=word,
                x=degree,
                u=self.word(fitting("things", "show"), OTHER[wanted]).text,
            ), {label: 0.85}
        if rng.random() < 0.4:
            name = rng.choice(WORDS["name_words"]) + rng.choice(WORDS["name_nouns"])
            return self.fill(WORDS["name_frames"], i=name), {"none": 0.9}
        return self.fill(WORDS["title_frames"], t=title), {"none": 0.9}

    def reported(self) -> Post:
        """Draw news, a remark on a word, a product note or a plain statement: nobody says what they feel."""
        (kind,) = self.rng.choices(("news", "meanings", "notes", "diary", "plain"), (30, 25, 10, 15, 20))
        return self.fill(WORDS[kind]), {"none": 0.9}

    def ironic(self) -> Post:
        """Draw praise or thanks for what went wrong or for what went well: the event decides, and the sign seldom."""
        rng = self.rng
        wanted = rng.choice(list(OTHER))
        is_sincere = wanted == "positive"
        happening, label = self.word(WORDS["fortunes" if is_sincere else "misfortunes"], wanted)
        sign = rng.choice(WORDS["signs"] if rng.random() < 0.6 else WORDS["joy" if is_sincere else "scorn"])
        felt = {label: 0.8} if is_sincere else {label: 0.55, "disgust" if label != "disgust" else "anger": 0.25}
        (kind,) = rng.choices(("event", "praise", "quoted"), (76, 12, 12))
        if kind == "event":
            return self.fill(WORDS["praises"], m=happening) + sign, felt
        topic = self.topic()
        word = self.word(fitting("things", topic), "positive").text
        if kind == "praise":
            ending = rng.choice(WORDS["joy" if is_sincere else "scorn"])
            return self.fill(WORDS["scorned"], topic, w=word) + ending, {"like": 0.8} if is_sincere else {
                "disgust": 0.6,
                "anger": 0.25,
            }
        text = self.fill(WORDS["quoted"]["like" if is_sincere else "disgust"], topic, w=word, m=happening)
        return text, {"like": 0.8} if is_sincere else {"disgust": 0.65, "anger": 0.2}

    def with_emoji(self) -> Post:
        """Draw words and emoji: the same, tears of joy, tender insults, praise that is none, plain statements."""
        rng = self.rng
        wanted = rng.choice(list(OTHER))
        (kind,) = rng.choices(("tears", "tease", "spoilt", "agreeing", "neutral", "overcome"), (26, 7, 17, 15, 22, 13))
        if kind == "tears":
            happy = wanted == "positive"
            lists = WORDS["fortunes" if happy else "misfortunes"]
            clause = self.word(lists, wanted) if rng.random() < 0.5 else self.clause(wanted)
            tears = rng.choice(WORDS["happy_tears" if happy else "sad_tears"])
            return clause.text + tears, {clause.label: 0.75, "sadness": 0.1} if happy else {clause.label: 0.3} | {
                "sadness": 0.65
            }
        if kind == "tease":
            return rng.choice(WORDS["teases"]) + rng.choice(WORDS["tender"]), {"like": 0.6, "happiness": 0.25}
        if kind == "spoilt":
            label = rng.choice(("anger", "disgust", "disgust", "sadness"))
            return self.clause("positive").text + self.emoji(label), {label: 0.75}
        if kind == "agreeing":
            clause = self.clause("positive" if rng.random() < 0.7 else "negative")
            return clause.text + self.emoji(clause.label), {clause.label: 0.85}
        label = self.word(
            WORDS["emoji"], rng.choice(("positive", "negative", "negative" if kind == "overcome" else "neutral"))
        ).label
        words = rng.choice(WORDS["overcome"]) if kind == "overcome" else self.neutral().text
        return words + self.emoji(label), {label: 0.75, "none": 0.05}

    def emoji(self, label: str) -> str:
        """Draw one to three emoji of a label."""
        return self.rng.choice(WORDS["emoji"][label]) * self.rng.choice((1, 1, 1, 2, 3))

    def post(self) -> Post:
        """Draw a post of any kind."""
        kinds = (self.negated, self.undecided, self.contrasted, self.titled, self.reported, self.ironic, self.with_emoji)
        (kind,) = self.rng.choices(kinds, (28, 7, 25, 6, 6, 12, 16))
        text, scores = kind()
        is_none = "none" in scores and len(scores) == 1
        if not is_none and self.rng.random() < 0.12:
            text = self.rng.choice(WORDS["openings"]) + text
        ends = WORDS["ends"][:5] if is_none or text[-1] in "了呢啊吧吗哦呀嘛的" else WORDS["ends"]
        return text + self.rng.choice(ends) if "\u4e00" <= text[-1] <= "\u9fff" else text, scores


def posts() -> Iterator[tuple[str, list[float]]]:
    """Yield different posts with the probability of each label; what the rules leave over is spread evenly."""
    composer = Composer(random.Random(0))
    seen: set[str] = set()
    while len(seen) < NUM_POSTS:
        text, scores = composer.post() if len(seen) < NUM_POSTS - NUM_BARE else composer.bare()
        if text not in seen:
            seen.add(text)
            rest = (1 - sum(scores.values())) / len(LABELS)
            yield text, [scores.get(label, 0.0) + rest for label in LABELS]


def main() -> None:
    """Write the posts."""
    write_soft_labels(Path(sys.argv[1]), posts(), LABELS)
    print(f"{NUM_POSTS} composed posts: {sys.argv[1]}")


if __name__ == "__main__":
    main()
