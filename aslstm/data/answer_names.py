"""Takes rows with the answers of a model and names their columns and labels in the reader's language, or undoes this.

``aslstm predict --language zh`` writes such rows, and ``aslstm report`` reads them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from .cleaning import Cleaned, clean
from .known_corpora import KNOWN_LABELS, label_names, shown_names

# The column of the text that was answered, in rows whose post was cleaned, and that of the reposts behind it.
ANSWERED_TEXT, REPOST_CHAIN = "answered_text", "repost_chain"
_CHINESE = {
    "label": "标签",
    "score": "得分",
    "scores": "各标签得分",
    "labels": "全部标签",
    "polarity": "情感倾向",
    "polarity_score": "倾向得分",
    "emoji": "表情",
    "attention": "注意力",
    "contributions": "贡献",
    "emoji_effect": "表情的作用",
    ANSWERED_TEXT: "清理后的正文",
    REPOST_CHAIN: "转发链",
}
_ENGLISH = {name: english for english, name in _CHINESE.items()}
# Where two corpora have one Chinese name for two labels, the first in the table is taken.
_LABELS = {known.chinese: label for label, known in reversed(KNOWN_LABELS.items())}


class AnswerNames:
    """Names columns and labels in a language.

    Args:
        language: ``en`` or ``zh``.
        labels: The labels of the model.
        prefix: What the names of the columns of answers begin with, in every language.
    """

    def __init__(self, language: str, labels: Iterable[str], prefix: str = "") -> None:
        self.language = language
        self.prefix = prefix
        self.labels = shown_names(labels, language)
        self._values = {**label_names(language), **self.labels}

    def column(self, name: str) -> str:
        """Return the name of a column of answers, which is given with its prefix.

        >>> AnswerNames("zh", [], prefix="p_").column("p_label"), AnswerNames("en", []).column("label")
        ('p_标签', 'label')
        """
        bare = name.removeprefix(self.prefix)
        return name if self.language == "en" else self.prefix + _CHINESE[bare]

    def columns(self, names: Iterable[str], *, cleans: bool) -> list[str]:
        """Return the names of columns of answers, and of those that cleaning adds to some rows.

        Args:
            names: The names of the columns of answers, with their prefix.
            cleans: Whether posts are cleaned.
        """
        return [self.column(name) for name in names] + (self.of_cleaning() if cleans else [])

    def of_cleaning(self) -> list[str]:
        """Return the names of the columns of the text that was answered and of the reposts behind it."""
        return [self.column(self.prefix + name) for name in (ANSWERED_TEXT, REPOST_CHAIN)]

    def value(self, name: str, value: Any) -> Any:
        """Return the value of a column of answers, with its name if it is a label or a polarity.

        Nested values, which are for programs, keep the labels of the model.

        Args:
            name: The name of the column, as :meth:`column` takes it.
            value: The value.
        """
        return self._values.get(value, value) if name.removeprefix(self.prefix) in ("label", "polarity") else value


def is_answered(row: Mapping[str, Any], prefix: str = "") -> bool:
    """Return whether a row has a label, in a column that ``aslstm predict`` names in any language; it may be empty.

    >>> is_answered({"标签": "悲伤"}), is_answered({"text": "好"})
    (True, False)
    """
    return f"{prefix}label" in row or f"{prefix}{_CHINESE['label']}" in row


def as_answered(row: Mapping[str, Any], text_column: str, prefix: str = "", *, cleans: bool = True) -> tuple[dict, Cleaned]:
    """Return a row with the names that the project gives columns and labels, and with the text that the model read.

    Args:
        row: A row that ``aslstm predict`` wrote in any language, or one that somebody else labelled.
        text_column: The name of the column of the posts.
        prefix: What the names of the columns of answers begin with.
        cleans: Whether a post is cleaned that was not cleaned before it was answered. One whose words have places is not,
            because the places would be others.

    Returns:
        The row, and what was cleaned just now.
    """
    named = dict(row)
    # A row with both may have a column 标签 of somebody else's.
    if f"{prefix}label" not in row and f"{prefix}{_CHINESE['label']}" in row:
        named = {_english(name, prefix): value for name, value in row.items()}
        for name in (f"{prefix}label", f"{prefix}polarity"):
            named[name] = _LABELS.get(str(named.get(name)), named.get(name))
    post = named.get(text_column)
    if answered := named.get(prefix + ANSWERED_TEXT):
        named[text_column] = answered
    elif cleans and isinstance(post, str) and not any(named.get(prefix + name) for name in ("attention", "contributions")):
        cleaned = clean(post)
        return named | {text_column: cleaned.text}, cleaned
    return named, Cleaned(str(post), "", ())


def _english(name: str, prefix: str) -> str:
    bare = name.removeprefix(prefix)
    return prefix + _ENGLISH[bare] if bare in _ENGLISH and name.startswith(prefix) else name
