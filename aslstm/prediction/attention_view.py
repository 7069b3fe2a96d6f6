"""An answer of a pipeline made visible: the words shaded by their weight, as HTML in a notebook and in colour in a terminal.

Takes what ``ASLSTMPipeline`` or ``OnnxPipeline`` gives with ``return_attention=True``. Posts are shown as text whatever
they hold. The package ``rich`` is imported by a terminal alone.
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
    """A stretch of a post: a word or emoji, or what lies between. ``shade`` is the weight over the largest of the post."""

    text: str
    weight: float = 0.0
    shade: float = 0.0
    is_emoji: bool = False


def pieces_of(attention: Sequence[Mapping[str, Any]], text: str | None = None) -> Iterator[Piece]:
    """The pieces of a post in order.

    Args:
        attention: of a result.
        text: the post; where it is not given, a space stands for whatever lies between two words.
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
    """A post as HTML: each word shaded by its weight beside the largest, emoji outlined; arguments as :func:`pieces_of`."""
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
    """Results as they are shown: HTML in a notebook, colour in a terminal, plain text in a file.

    Args:
        results: of one post each.
        texts: the posts, or None for each.
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

        # Colour where standard output is a terminal. A notebook shows the HTML; this must print nothing there.
        console = Console(force_jupyter=False)
        with console.capture() as capture:
            console.print(self, end="", soft_wrap=True)
        return capture.get()


def show_attention(results: Any, texts: str | Sequence[str] | None = None) -> AttentionView:
    """Show which words an answer rests on.

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
        results: a result of a pipeline with ``return_attention=True``, or a list of them; ``emoji_effect`` is shown too.
        texts: the posts; without them a space stands for what lies between two words and is none.

    Returns:
        What a notebook and ``print`` show.

    Raises:
        ValueError: results without attention, or not as many as texts.
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
