"""Takes the name of a corpus and gives facts about it (files, columns, labels), and maps of its labels to another corpus's.

It also knows the polarity and the Chinese name of each label of these corpora.

No text of a corpus is here. Almost no corpus carries a licence, so get them from their publishers.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


@dataclass(frozen=True)
class KnownCorpus:
    """Says how to read a corpus.

    Attributes:
        title: The name of the corpus in a report or model card.
        files: The names that the file of each split may have in ``data_dir``; the first file that exists is read.
        text_column: The name of the column of texts in the files.
        label_column: The name of the column of labels in the files.
        label_names: The meaning of each label in the files; a label that is missing here stays as it is.
        folder: The folder of the files below ``data_dir`` where it has another name than the corpus, or "".
        hub_id: The name of the corpus on the Hub, or "".
        caveat: What a user of a model trained on the corpus must know about its licence and labels.
    """

    title: str
    files: dict[str, tuple[str, ...]]
    text_column: str = "text"
    label_column: str = "label"
    label_names: dict[str, str] = field(default_factory=dict)
    folder: str = ""
    hub_id: str = ""
    caveat: str = "Check the licence of your corpus before you publish a model trained on it: most corpora of weibo carry none."


SAMPLE_FOLDER = Path(__file__).parent / "sample"

_CAVEAT_OF_SMP2020 = "Posts of Sina Weibo of 2020, published for a shared task without a licence: for research only."

KNOWN_CORPORA = {
    "sample": KnownCorpus(
        title="embedded sample corpus",
        files={split: (f"{split}.jsonl",) for split in ("train", "validation", "test")},
        caveat="Written for this project, under its licence (Apache-2.0); its posts are invented and clearer than real ones.",
    ),
    "nlpcc2014": KnownCorpus(
        title="NLPCC 2014 emotion classification",
        files={
            "train": (
                "Training data for Emotion Classification.xml",
                "Training data for Emotion Classification.xml.gz",
                "train.jsonl",
                "train.jsonl.gz",
            ),
            # The publishers spell it so.
            "test": ("EmotionClassficationTest.xml", "EmotionClassficationTest.xml.gz"),
        },
        caveat="Posts of Sina Weibo up to 2014, published for a shared task without a licence: for research only.",
    ),
    "weibo_senti_100k": KnownCorpus(
        title="weibo_senti_100k",
        files={split: (f"{split}.csv", f"{split}.csv.gz") for split in ("train", "validation", "test")},
        text_column="review",
        label_names={"0": "negative", "1": "positive"},
        hub_id="dirtycomputer/weibo_senti_100k",
        caveat="Posts of Sina Weibo, published without a licence: for research only. Its labels were derived from its "
        "emoticons, so high figures on it say nothing about how well emoji are understood.",
    ),
    "smp2020_ewect": KnownCorpus(
        title="SMP2020-EWECT, usual",
        files={
            "train": ("usual_train_labeled.txt", "usual_train_labeled.txt.gz", "usual_train.txt"),
            "test": ("usual_eval_labeled.txt", "usual_eval_labeled.txt.gz", "usual_eval.txt"),
        },
        text_column="content",
        caveat=_CAVEAT_OF_SMP2020,
    ),
    "smp2020_ewect_virus": KnownCorpus(
        title="SMP2020-EWECT, virus",
        files={
            "train": ("virus_train.txt", "virus_train.txt.gz", "virus_train_labeled.txt"),
            "test": ("virus_eval_labeled.txt", "virus_eval_labeled.txt.gz", "virus_eval.txt"),
        },
        text_column="content",
        folder="smp2020_ewect",
        caveat=_CAVEAT_OF_SMP2020,
    ),
}

# Each map leads from the labels of one corpus to those of another, so that a model can be scored on a corpus with other
# labels. The probabilities of a prediction are added up over the labels that share a name on the right.
LABEL_MAPS = {
    "nlpcc2014_to_polarity": {
        "like": "positive",
        "happiness": "positive",
        "sadness": "negative",
        "anger": "negative",
        "disgust": "negative",
        "fear": "negative",
        "surprise": "none",
        "none": "none",
    },
    "smp2020_ewect_to_nlpcc2014": {
        "happy": "happiness",
        "sad": "sadness",
        "angry": "anger",
        "fear": "fear",
        "surprise": "surprise",
        "neutral": "none",
    },
    "smp2020_ewect_to_polarity": {
        "happy": "positive",
        "sad": "negative",
        "angry": "negative",
        "fear": "negative",
        "surprise": "none",
        "neutral": "none",
    },
}

# The label of SMP2020-EWECT that stands for each label of NLPCC 2014.
COARSE_LABELS = {
    "like": "happy",
    "happiness": "happy",
    "sadness": "sad",
    "anger": "angry",
    "disgust": "angry",
    "fear": "fear",
    "surprise": "surprise",
    "none": "neutral",
}


class KnownLabel(NamedTuple):
    """Holds the polarity of a label (``negative``, ``neutral`` or ``positive``) and its Chinese name."""

    polarity: str
    chinese: str


# The Chinese names differ from each other, so that two labels of one chart never become one. The last row is the polarities.
KNOWN_LABELS = {
    "like": KnownLabel("positive", "喜好"),
    "happiness": KnownLabel("positive", "高兴"),
    "happy": KnownLabel("positive", "快乐"),
    "sadness": KnownLabel("negative", "悲伤"),
    "sad": KnownLabel("negative", "难过"),
    "anger": KnownLabel("negative", "愤怒"),
    "angry": KnownLabel("negative", "生气"),
    "disgust": KnownLabel("negative", "厌恶"),
    "fear": KnownLabel("negative", "恐惧"),
    "surprise": KnownLabel("neutral", "惊讶"),
    "none": KnownLabel("neutral", "无情绪"),
    "negative": KnownLabel("negative", "负面"),
    "neutral": KnownLabel("neutral", "中性"),
    "positive": KnownLabel("positive", "正面"),
}
LANGUAGES_OF_LABELS = ("en", "zh")


def polarity_of_labels(labels: Iterable[str]) -> dict[str, str] | None:
    """Return the polarity of each label, or None if one of them is not known.

    >>> polarity_of_labels(["like", "fear", "none"]), polarity_of_labels(["like", "glee"])
    ({'like': 'positive', 'fear': 'negative', 'none': 'neutral'}, None)
    """
    labels = list(labels)
    if not KNOWN_LABELS.keys() >= set(labels):
        return None
    return {label: KNOWN_LABELS[label].polarity for label in labels}


def label_names(language: str) -> dict[str, str]:
    """Return the names of the known labels and of the polarities in a language.

    >>> label_names("zh")["sadness"], label_names("en")["sadness"]
    ('悲伤', 'sadness')

    Args:
        language: ``en`` or ``zh``.

    Raises:
        ValueError: There is no such language.
    """
    if language not in LANGUAGES_OF_LABELS:
        raise ValueError(f"language: expected one of {', '.join(LANGUAGES_OF_LABELS)}, found {language!r}")
    return {label: known.chinese if language == "zh" else label for label, known in KNOWN_LABELS.items()}


def shown_names(labels: Iterable[str], language: str) -> dict[str, str]:
    """Return the name under which a page shows each label; a label that is not known keeps its own.

    >>> shown_names(["sadness", "glee"], "zh")
    {'sadness': '悲伤', 'glee': 'glee'}

    Args:
        labels: All labels that the page shows.
        language: ``en`` or ``zh``.
    """
    labels, known = list(labels), label_names(language)
    names = {label: known.get(label, label) for label in labels}
    # If a corpus has both "sadness" and "悲伤", all labels keep their own names, so that they can be told apart.
    return names if len(set(names.values())) == len(names) else {label: label for label in labels}
