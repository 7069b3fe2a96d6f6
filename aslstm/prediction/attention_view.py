"""Show the answer of a pipeline with its words shaded, as HTML in a notebook or in colour in a terminal.

Takes the results of ``ASLSTMPipeline`` or ``OnnxPipeline`` with ``return_attention=True`` or ``return_contributions=True`` and
gives a view of them. Posts are shown as plain text, whatever they contain. The package ``rich`` is imported only to print in a
terminal.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from aslstm.data.known_corpora import polarity_of_labels
from aslstm.printing import printable
from modeling_aslstm.results_aslstm import labels_disagree

if TYPE_CHECKING:
    from rich.text import Text

_EMOJI_STYLE = "outline:1px solid #4c78a8;border-radius:3px"
_NUM_WORDS = 3
_LEAST_SHADE = 0.01
# The colours of what speaks for an answer and of what speaks against it: orange and blue, as red and green look alike to many.
_FOR, _AGAINST = (255, 140, 0), (70, 130, 220)


class Piece(NamedTuple):
    """A stretch of a post: a word, an emoji, or what lies between them.

    Attributes:
        text: The stretch as it is shown.
        weight: The attention weight or the contribution, 0.0 for what lies between words.
        shade: The weight divided by the largest weight of the post, without regard to signs.
        is_emoji: Whether it is an emoji.
    """

    text: str
    weight: float = 0.0
    shade: float = 0.0
    is_emoji: bool = False


def pieces_of(attention: Sequence[Mapping[str, Any]], text: str | None = None) -> list[Piece]:
    """Return the pieces of a post in order; joined they are ``text``, with every character once.

    Several tokens may come from the same stretch of a post: "//@name:" becomes two slashes, "㎏" becomes two letters. Such a
    stretch is one piece with the sum of their weights.

    Args:
        attention: The attention of a result.
        text: The post. If it is None, a space is shown for whatever lies between two words.
    """
    pieces: list[Piece] = []
    end = 0
    for entry in attention:
        start, token = max(entry["start"], end), entry["token"]
        if start > end:
            pieces.append(Piece(" " if text is None else text[end:start]))
        if entry["end"] > end:
            shown = token[start - entry["start"] :] if text is None else text[start : entry["end"]]
            pieces.append(Piece(shown, entry["weight"], is_emoji=entry["is_emoji"]))
            end = entry["end"]
        elif pieces:
            last = pieces[-1]
            pieces[-1] = last._replace(weight=last.weight + entry["weight"], is_emoji=last.is_emoji or entry["is_emoji"])
    if text is not None and end < len(text):
        pieces.append(Piece(text[end:]))
    largest = max((abs(piece.weight) for piece in pieces), default=0.0) or 1.0
    return [piece._replace(shade=piece.weight / largest) for piece in pieces]


def contribution_pieces(contributions: Sequence[Mapping[str, Any]], label: str, text: str | None = None) -> list[Piece]:
    """Return the pieces of a post as :func:`pieces_of` does; the weight of each is its contribution to a label.

    Args:
        contributions: The contributions of a result.
        label: The label that the pieces speak for or against.
        text: The post, or None.
    """
    return pieces_of([{**entry, "weight": entry["contributions"][label]} for entry in contributions], text)


def heaviest_pieces(pieces: Iterable[Piece], count: int) -> list[Piece]:
    """Return the pieces of the largest weights, the heaviest first; signs do not count, those without a weight are left out."""
    return sorted((piece for piece in pieces if piece.weight), key=lambda piece: -abs(piece.weight))[:count]


def pieces_for_and_against(pieces: Sequence[Piece], count: int) -> tuple[list[Piece], list[Piece]]:
    """Return the heaviest pieces of those that speak for a label, and of those that speak against it."""
    return (
        heaviest_pieces((piece for piece in pieces if piece.weight > 0), count),
        heaviest_pieces((piece for piece in pieces if piece.weight < 0), count),
    )


def attention_html(attention: Sequence[Mapping[str, Any]], text: str | None = None) -> str:
    """Return a post as HTML, each word shaded by its share of the largest weight and each emoji outlined.

    Args:
        attention: The attention of a result.
        text: The post. If it is None, a space is shown for whatever lies between two words.
    """
    return _html_of(pieces_of(attention, text), ".3f")


def contributions_html(contributions: Sequence[Mapping[str, Any]], label: str, text: str | None = None) -> str:
    """Return a post as HTML: what speaks for a label is orange, what speaks against it blue, and each emoji is outlined.

    Args:
        contributions: The contributions of a result.
        label: The label.
        text: The post. If it is None, a space is shown for whatever lies between two words.
    """
    return _html_of(contribution_pieces(contributions, label, text), "+.2f")


def _html_of(pieces: Iterable[Piece], number_format: str) -> str:
    spans = []
    for piece in pieces:
        shown = escape(printable(piece.text))
        is_shaded = abs(piece.shade) >= _LEAST_SHADE
        styles = [_EMOJI_STYLE] * piece.is_emoji
        if is_shaded:
            red, green, blue = _FOR if piece.shade > 0 else _AGAINST
            styles.append(f"background:rgba({red},{green},{blue},{abs(piece.shade):.2f})")
        if styles:
            title = f' title="{piece.weight:{number_format}}"' * is_shaded
            shown = f'<span style="{";".join(styles)}"{title}>{shown}</span>'
        spans.append(shown)
    return "".join(spans)


class AttentionView:
    """Shows results: as HTML in a notebook, in colour in a terminal, as plain text in a file.

    Args:
        results: The results, one for each post.
        texts: The posts, or None for each post that is not known.
    """

    def __init__(self, results: Sequence[Mapping[str, Any]], texts: Sequence[str | None]) -> None:
        self.results = results
        self.texts = texts

    def _pieces(self, result: Mapping[str, Any], text: str | None) -> list[Piece]:
        return pieces_of(result["attention"], text)

    def _html(self, result: Mapping[str, Any], text: str | None) -> str:
        return attention_html(result["attention"], text)

    def _words(self, result: Mapping[str, Any], text: str | None) -> list[str]:
        """Return the lines that name the heaviest words, which a terminal shows below a post."""
        heaviest = heaviest_pieces(self._pieces(result, text), _NUM_WORDS)
        return ["  ".join(f"{piece.text} {piece.weight:.2f}" for piece in heaviest)]

    def _repr_html_(self) -> str:
        return "\n".join(
            '<div style="margin:.6em 0;line-height:1.7;overflow-wrap:anywhere">'
            f"<b>{escape(printable(str(result['label'])))}</b> {result['score']:.2f}"
            f"<div>{self._html(result, text)}</div>"
            + "".join(f'<div style="opacity:.7">{escape(printable(line))}</div>' for line in _effect_lines(result))
            + "</div>"
            for result, text in zip(self.results, self.texts, strict=True)
        )

    def __rich__(self) -> "Text":
        from rich.text import Text

        view = Text()
        for result, text in zip(self.results, self.texts, strict=True):
            view.append(printable(str(result["label"])), style="bold").append(f" {result['score']:.2f}\n")
            for piece in self._pieces(result, text):
                view.append(printable(piece.text), style=_terminal_style(piece))
            lines = [*self._words(result, text), *_effect_lines(result)]
            view.append("".join(f"\n  {printable(line)}" for line in lines if line) + "\n", style="dim")
        view.rstrip()
        return view

    def __repr__(self) -> str:
        from rich.console import Console

        # There is colour if standard output is a terminal. A notebook shows the HTML, so nothing may be printed there.
        console = Console(force_jupyter=False)
        with console.capture() as capture:
            console.print(self, end="", soft_wrap=True)
        return capture.get()


class ContributionsView(AttentionView):
    """Shows results as its base class does, with the words and emoji coloured by how they speak for or against the answer."""

    def _pieces(self, result: Mapping[str, Any], text: str | None) -> list[Piece]:
        return contribution_pieces(result["contributions"], result["label"], text)

    def _html(self, result: Mapping[str, Any], text: str | None) -> str:
        return contributions_html(result["contributions"], result["label"], text)

    def _words(self, result: Mapping[str, Any], text: str | None) -> list[str]:
        sides = pieces_for_and_against(self._pieces(result, text), _NUM_WORDS)
        return [f"{side}: {signed_words(own)}" for side, own in zip(("for", "against"), sides, strict=True) if own]


def signed_words(pieces: Iterable[Piece]) -> str:
    """Return pieces with their contributions on one line.

    >>> signed_words([Piece("加班", 0.5), Piece("好", -1.25)])
    '加班 +0.50  好 -1.25'
    """
    return "  ".join(f"{piece.text} {piece.weight:+.2f}" for piece in pieces)


def show_attention(results: Any, texts: str | Sequence[str] | None = None) -> AttentionView:
    """Show which words an answer is based on.

    >>> result = {
    ...     "label": "sadness",
    ...     "score": 0.88,
    ...     "attention": [
    ...         {"token": "加班", "start": 0, "end": 2, "weight": 1.0, "is_emoji": False},
    ...         {"token": "[泪]", "start": 2, "end": 5, "weight": 0.0, "is_emoji": True},
    ...     ],
    ... }
    >>> show_attention(result)
    sadness 0.88
    加班[泪]
      加班 1.00

    Args:
        results: A result of a pipeline with ``return_attention=True``, or a list of them. An ``emoji_effect`` is shown too.
        texts: The post, or the list of posts. If it is None, a space is shown for whatever lies between two words.

    Returns:
        A view that a notebook and ``print`` show.

    Raises:
        ValueError: A result has no attention, or the number of texts is not that of the results.
    """
    return AttentionView(*_results_and_posts(results, texts, "attention"))


def show_contributions(results: Any, texts: str | Sequence[str] | None = None) -> ContributionsView:
    """Show which words and emoji speak for an answer and which against it.

    >>> result = {
    ...     "label": "sadness",
    ...     "score": 0.88,
    ...     "contributions": [
    ...         {"token": "加班", "start": 0, "end": 2, "is_emoji": False, "contributions": {"sadness": -0.25, "anger": 0.5}},
    ...         {"token": "[泪]", "start": 2, "end": 5, "is_emoji": True, "contributions": {"sadness": 3.5, "anger": -2.0}},
    ...     ],
    ... }
    >>> show_contributions(result)
    sadness 0.88
    加班[泪]
      for: [泪] +3.50
      against: 加班 -0.25

    Args:
        results: A result of a pipeline with ``return_contributions=True``, or a list of them. An ``emoji_effect`` is shown too.
        texts: The post, or the list of posts. If it is None, a space is shown for whatever lies between two words.

    Returns:
        A view that a notebook and ``print`` show.

    Raises:
        ValueError: A result has no contributions, or the number of texts is not that of the results.
    """
    return ContributionsView(*_results_and_posts(results, texts, "contributions"))


def _results_and_posts(
    results: Any, texts: str | Sequence[str] | None, reason: str
) -> tuple[list[Mapping[str, Any]], list[str | None]]:
    """Return results and their posts as two lists, after a check that each result has a kind of reason."""
    results = [results] if isinstance(results, Mapping) else list(results)
    posts: list[str | None] = [None] * len(results) if texts is None else [texts] if isinstance(texts, str) else list(texts)
    for result in results:
        if not isinstance(result, Mapping) or reason not in result:
            found = ", ".join(result) if isinstance(result, Mapping) else type(result).__name__
            raise ValueError(
                f"show_{reason}: expected results with {reason!r}, found {found}; call the pipeline with "
                f"return_{reason}=True and without top_k"
            )
    if len(posts) != len(results):
        raise ValueError(f"show_{reason}: expected a text for each of {len(results)} results, found {len(posts)}")
    return results, posts


def _terminal_style(piece: Piece) -> str:
    styles = ["bold underline"] * piece.is_emoji
    if abs(piece.shade) >= _LEAST_SHADE:
        rest = 1 - abs(piece.shade)  # from white to the full colour
        colors = (color + round((255 - color) * rest) for color in (_FOR if piece.shade > 0 else _AGAINST))
        styles.append(f"black on rgb({','.join(map(str, colors))})")
    return " ".join(styles)


def _effect_lines(result: Mapping[str, Any]) -> list[str]:
    effect = result.get("emoji_effect")
    if effect is None:
        return []
    parts = [("without emoji", effect["without_emoji"]), ("emoji alone", effect["without_words"])]
    lines = ["; ".join(f"{name}: {part['label']} {part['score']:.2f}" for name, part in parts if part is not None)]
    if effect["disagree"]:
        words, emoji = (part["label"] for _, part in parts)
        # A result does not say whether its model has polarities; without them, other labels are all that is known.
        is_opposite = labels_disagree(words, emoji, polarity_of_labels((words, emoji)) or {})
        lines.append("words and emoji disagree" if is_opposite else "words and emoji get different labels")
    return lines
