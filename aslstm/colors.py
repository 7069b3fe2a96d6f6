"""Takes labels and gives their colours, which are the same in every chart, report and workbook."""

from collections.abc import Sequence

# Each has a contrast of 3 or more to white and to the dark page, as WCAG asks of parts of charts. What has no feeling is grey.
_KNOWN = {
    **dict.fromkeys(("anger", "angry", "negative"), "#d9483b"),
    "disgust": "#7d8a2e",
    "fear": "#9467bd",
    **dict.fromkeys(("happiness", "happy"), "#d27d00"),
    "like": "#df5a9a",
    **dict.fromkeys(("sadness", "sad"), "#3f83d6"),
    "surprise": "#12979b",
    "positive": "#2f9e5b",
    **dict.fromkeys(("none", "neutral"), "#8b919a"),
}
_OTHERS = ("#3f83d6", "#d27d00", "#2f9e5b", "#d9483b", "#9467bd", "#12979b", "#df5a9a", "#7d8a2e", "#a0673f", "#6b74d6")


def colors_of(labels: Sequence[str]) -> dict[str, str]:
    """Return the colour of each label.

    Labels that no known corpus has take the colours that are left, in the order of their names, so that it does not matter
    which of them is the most frequent.

    >>> colors_of(["anger", "none"])
    {'anger': '#d9483b', 'none': '#8b919a'}
    """
    taken = {_KNOWN[label] for label in labels if label in _KNOWN}
    free = [color for color in _OTHERS if color not in taken] or list(_OTHERS)
    unknown = sorted(label for label in labels if label not in _KNOWN)
    others = {label: free[place % len(free)] for place, label in enumerate(unknown)}
    return {label: _KNOWN.get(label) or others[label] for label in labels}


def pale(color: str) -> str:
    """Return a colour as it looks behind a text: mixed with three parts of white.

    >>> pale("#000000")
    '#bfbfbf'
    """
    parts = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{(part + 3 * 255) // 4:02x}" for part in parts)
