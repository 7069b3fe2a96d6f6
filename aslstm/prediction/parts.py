"""Keeps the unfinished work of ``aslstm predict`` in a folder ``OUTPUT.parts`` beside the output, and joins it in the end.

The folder holds the state of the run, which says what was asked of it. For each chunk of the input it holds the rows with
their answers and a note on them. Each file is written under another name and renamed, and a part counts only if its rows and
its note are there. A kill at any moment therefore loses the chunks that are being answered and nothing else. Processes share
the folder, and each of them writes parts of its own.
"""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aslstm.data.file_formats import BadRow, Row
from aslstm.errors import UserError

from .files import Types, join_parts, json_lines, part_suffix, write_part

_STATE = "state.json"
_TEMPORARY = "tmp-"


@dataclass(frozen=True)
class PartNote:
    """Holds what must be known of a part without reading its rows.

    Attributes:
        labels: The number of rows of each label.
        columns: The names of the columns of its rows, in order.
        errors: The ``line``, ``reason`` and ``content`` of each row that was passed over.
    """

    labels: dict[str, int]
    columns: list[str]
    errors: list[dict[str, Any]]


@dataclass(frozen=True)
class Summary:
    """Holds the number of rows of each label in all parts, and how many rows were passed over."""

    labels: Counter[str]
    num_errors: int


class Parts:
    """Writes, checks and joins the parts of one output.

    Args:
        output: The file that the parts are joined to.
        output_format: The format of that file.
    """

    def __init__(self, output: Path, output_format: str) -> None:
        self.output = output
        self.output_format = output_format
        self.folder = output.with_name(f"{output.name}.parts")

    def check(self, state: dict[str, Any], *, resume: bool, overwrite: bool) -> None:
        """Check that the folder is as the flags say; nothing is changed.

        Raises:
            UserError: There is no run or another run to resume, or an unfinished run is in the way.
        """
        found = self._read_state()
        if resume and found is None:
            raise UserError(f"--resume: expected the unfinished run {self.folder}, found none; leave out --resume")
        if resume and found != state:
            differing = [name for name, value in state.items() if (found or {}).get(name) != value]
            before = ", ".join(f"{name} {(found or {}).get(name)}" for name in differing)
            raise UserError(
                f"--resume: expected what {self.folder} was begun with ({before}), found "
                f"{', '.join(f'{name} {state[name]}' for name in differing)}; give the same, or --overwrite to start anew"
            )
        if not resume and found is not None and not overwrite:
            raise UserError(
                f"{self.folder}: expected no unfinished run, found one; go on with --resume or start anew with --overwrite"
            )
        # A run that is killed at its very start leaves only the file that would have become its state.
        others = {path.name for path in self.folder.glob("*")} - {f"{_TEMPORARY}{_STATE}"}
        if found is None and (others or self.folder.is_file()):
            raise UserError(f"{self.folder}: expected a folder of this script, found other files; choose another --output")

    def start(self, state: dict[str, Any], *, resume: bool) -> None:
        """Create the folder for a new run; for a run that is resumed, leave the folder as it is."""
        if resume:
            return
        if self._read_state() is not None:
            self._remove()
        self.folder.mkdir(exist_ok=True)
        _put(self.folder / _STATE, lambda temporary: _write_json(temporary, state))

    def _read_state(self) -> dict[str, Any] | None:
        path = self.folder / _STATE
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def _paths(self, index: int) -> tuple[Path, Path]:
        """Return the path of the rows of a chunk, and that of the note on them."""
        path = self.folder / f"{index:08d}{part_suffix(self.output_format)}"
        return path, path.with_suffix(".json")

    def has(self, index: int) -> bool:
        """Return whether the part of a chunk is there."""
        return all(path.exists() for path in self._paths(index))

    def write(self, index: int, rows: Sequence[Row], bad: Sequence[BadRow], label_column: str, types: Types) -> None:
        """Write the part of a chunk: its rows with answers, and the rows that were passed over."""
        columns = list(dict.fromkeys(name for row in rows for name in row))
        errors = [{"line": row.number, "reason": str(row), "content": row.content} for row in bad]
        note = PartNote(Counter(row[label_column] for row in rows), columns, errors)
        rows_path, note_path = self._paths(index)
        _put(note_path, lambda temporary: _write_json(temporary, vars(note)))
        _put(rows_path, lambda temporary: write_part(temporary, rows, types))

    def join(self, num_parts: int, label_names: Sequence[str], *, report: bool, raw_cells: bool = False) -> Summary:
        """Join the parts to the output, with ``OUTPUT.counts.json`` and, for ``report``, ``OUTPUT.errors.jsonl`` beside it."""
        paths = [self._paths(index) for index in range(num_parts)]
        labels: Counter[str] = Counter(dict.fromkeys(label_names, 0))
        columns: dict[str, None] = {}
        num_errors = 0
        with (self.folder / "errors").open("wb") as errors:
            for _, path in paths:
                note = PartNote(**json.loads(path.read_bytes()))
                labels.update(note.labels)
                columns |= dict.fromkeys(note.columns)
                num_errors += len(note.errors)
                errors.write(json_lines(note.errors))
        join_parts([path for path, _ in paths], list(columns), self.output_format, self.folder / "whole", raw_cells=raw_cells)
        _write_json(self.folder / "counts", labels)
        # The output comes last: whoever sees it also finds the others.
        (self.folder / "counts").replace(_beside(self.output, "counts.json"))
        if report:
            (self.folder / "errors").replace(_beside(self.output, "errors.jsonl"))
        else:
            _beside(self.output, "errors.jsonl").unlink(missing_ok=True)  # It belongs to the old output.
        (self.folder / "whole").replace(self.output)
        self._remove()
        return Summary(labels, num_errors)

    def _remove(self) -> None:
        # The state is removed last, so that a kill in between leaves a run that can be resumed.
        for path in self.folder.iterdir():
            if path.name != _STATE:
                path.unlink()
        shutil.rmtree(self.folder)


def _beside(output: Path, name: str) -> Path:
    return output.with_name(f"{output.name}.{name}")


def _write_json(path: Path, content: Any) -> None:
    path.write_bytes(json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace") + b"\n")


def _put(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file under another name and rename it, so that nobody sees it half written."""
    temporary = path.with_name(f"{_TEMPORARY}{path.name}")
    write(temporary)
    temporary.replace(path)
