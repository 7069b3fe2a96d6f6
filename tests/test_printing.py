"""Tables of plain text: nothing is cut, nothing is taken for markup, columns line up."""

import re

from rich.cells import cell_len

from aslstm.printing import table_text

POSTS = ["今天又加班[泪]", "[bold]x[/bold] :cry: [doge]", "👨‍👩‍👧❤️", "a" * 5000, "\x1b[2Jb\u202e", "c\u2028d", ""]


def test_cells_are_shown_as_they_are_and_columns_line_up() -> None:
    figures = [f"{i}.25" for i in range(len(POSTS))]
    header, *lines = table_text(["post", "score"], list(zip(POSTS, figures, strict=True))).split("\n")
    shown = [re.sub("[\x1b\u2028\u202e]", "\ufffd", post) for post in POSTS]
    assert [line[: -len(figure)].rstrip() for line, figure in zip(lines, figures, strict=True)] == shown
    assert {cell_len(line) for line in (header, *lines)} == {5000 + len("  score")}


def test_a_table_without_rows_has_its_header() -> None:
    assert table_text(["post", "score"], []) == "post  score"
