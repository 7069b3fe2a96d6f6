"""Show the answer of a pipeline with the words shaded by their weight, as HTML in a notebook or in colour in a terminal.

Takes the results of ``ASLSTMPipeline`` or ``OnnxPipeline`` with ``return_attention=True`` and gives a view of them. Posts are
shown as plain text, whatever they contain. The package ``rich`` is imported only to print in a terminal.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from aslstm.printing import printable

if TYPE_CHECKING:
    from rich.text import Text

_EMOJI_STYLE = "outline:1px solid #4c78a8;border-radius:3px"
_NUM_WORDS = 3
_LEAST_SHADE = 0.01


class Piece(NamedTuple):
    """A stretch of a post: a word, an emoji, or what lies between them.

    Attributes:
        text: The stretch as it is shown.
        weight: The attention weight, 0.0 for what lies between words.
        shade: The weight divided by the largest weight of the post.
        is_emoji: Whether it is an emoji.
    """

    text: str
    weight: float = 0.0
    shade: float = 0.0
    is_emoji: bool = False


def pieces_of(attention: Sequence[Mapping[str, Any]], text: str | None = None) -> Iterator[Piece]:
    """Yield the pieces of a post in order.

    Args:
        attention: The attention of a result.
        text: The post. If it is None, a space is shown for whatever lies between two words.
    """
    largest = max((entry["weight"] for entry in attention), default=0.0) or 1.0
    end = 0
    for entry in attention:
        if entry["start"] > end:
            yield Piece(" " if text is None else text[end : entry["start"]])
        yield Piece(entry["token"], entry["weight"], entry["weight"] / largest, entry["is_emoji"])
        end = entry["end"]
    if text is not None and end < len(text):
        yield Piece(text[end:])


def attention_html(attention: Sequence[Mapping[str, Any]], text: str | None = None) -> str:
    """Return a post as HTML, each word shaded by its share of the largest weight and each emoji outlined.

    Args:
        attention: The attention of a result.
        text: The post. If it is None, a space is shown for whatever lies between two words.
    """
    spans = []
    for piece in pieces_of(attention, text):
        shown = escape(printable(piece.text))
        if piece.is_emoji:
            shown = f'<span style="{_EMOJI_STYLE}">{shown}</span>'
        elif piece.shade >= _LEAST_SHADE:
            shown = f'<span style="background:rgba(255,140,0,{piece.shade:.2f})" title="{piece.weight:.3f}">{shown}</span>'
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

    def _repr_html_(self) -> str:
        return "\n".join(
            '<div style="margin:.6em 0;line-height:1.7;overflow-wrap:anywhere">'
            f"<b>{escape(printable(str(result['label'])))}</b> {result['score']:.2f}"
            f"<div>{attention_html(result['attention'], text)}</div>"
            + "".join(f'<div style="opacity:.7">{escape(printable(line))}</div>' for line in _effect_lines(result))
            + "</div>"
            for result, text in zip(self.results, self.texts, strict=True)
        )

    def __rich__(self) -> "Text":
        from rich.text import Text

        view = Text()
        for result, text in zip(self.results, self.texts, strict=True):
            attention = result["attention"]
            view.append(printable(str(result["label"])), style="bold").append(f" {result['score']:.2f}\n")
            for piece in pieces_of(attention, text):
                view.append(printable(piece.text), style=_terminal_style(piece))
            words = sorted((entry for entry in attention if entry["weight"]), key=lambda entry: -entry["weight"])[:_NUM_WORDS]
            lines = ["  ".join(f"{entry['token']} {entry['weight']:.2f}" for entry in words), *_effect_lines(result)]
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
    results = [results] if isinstance(results, Mapping) else list(results)
    posts: list[str | None] = [None] * len(results) if texts is None else [texts] if isinstance(texts, str) else list(texts)
    for result in results:
        if not isinstance(result, Mapping) or "attention" not in result:
            found = ", ".join(result) if isinstance(result, Mapping) else type(result).__name__
            raise ValueError(
                f"show_attention: expected results with 'attention', found {found}; call the pipeline with "
                "return_attention=True and without top_k"
            )
    if len(posts) != len(results):
        raise ValueError(f"show_attention: expected a text for each of {len(results)} results, found {len(posts)}")
    return AttentionView(results, posts)


def _terminal_style(piece: Piece) -> str:
    if piece.is_emoji:
        return "bold underline"
    if piece.shade < _LEAST_SHADE:
        return ""
    rest = 1 - piece.shade  # from white to orange
    return f"black on rgb(255,{140 + round(115 * rest)},{round(255 * rest)})"


def _effect_lines(result: Mapping[str, Any]) -> list[str]:
    effect = result.get("emoji_effect")
    if effect is None:
        return []
    parts = [("without emoji", effect["without_emoji"]), ("emoji alone", effect["without_words"])]
    lines = ["; ".join(f"{name}: {part['label']} {part['score']:.2f}" for name, part in parts if part is not None)]
    return [*lines, "words and emoji disagree"] if effect["disagree"] else lines
