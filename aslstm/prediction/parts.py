"""Keeps the unfinished work of ``aslstm predict`` in a folder ``OUTPUT.parts`` beside the output, and joins it in the end.

The folder holds the state of the run, which says what was asked of it. For each chunk of the input it holds the rows with
their answers and a note on them. Each file is written under another name and renamed, and a part counts only if its rows and
its note are there. A kill at any moment therefore loses the chunks that are being answered and nothing else. Processes share
the folder, and each of them writes parts of its own.

A power cut can damage whatever is not on the disk yet. Files are therefore written through to the disk before they are renamed,
and both the state and the notes carry checksums. A damaged part counts as missing.
"""

import hashlib
import json
import logging
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aslstm.data.cleaning import CleaningCounts
from aslstm.data.file_formats import BadRow
from aslstm.disk import is_same_file, put_file, sync, target_of
from aslstm.errors import UserError
from aslstm.files import check_output_file, sha256

from .files import Summary, TableStyle, Types, join_parts, json_lines, part_suffix, write_part
from .row_answers import AnsweredRows

logger = logging.getLogger(__name__)

_STATE = "state.json"
_TEMPORARY = "tmp-"
# The names of all files that are ever in the folder: one that holds others is not touched. The last are pieces of a workbook.
_OWN_NAME = re.compile(rf"({_TEMPORARY})?(\d{{8}}\.(json|jsonl|parquet)|state\.json)|counts|errors|whole|tmp[a-z0-9_]{{8}}")
_COUNTS, _ERRORS = "counts.json", "errors.jsonl"


@dataclass(frozen=True)
class PartNote:
    """Holds what must be known of a part without reading its rows.

    Attributes:
        labels: The number of rows of each label.
        columns: The names of the columns of its rows, in order.
        errors: The ``line``, ``reason`` and ``content`` of each row that was passed over.
        rows_sha256: The SHA-256 of the file of its rows.
        cleaning: The attributes of the :class:`CleaningCounts` of its rows.
    """

    labels: dict[str, int]
    columns: list[str]
    errors: list[dict[str, Any]]
    rows_sha256: str
    cleaning: dict[str, Any]


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

    def written(self) -> list[Path]:
        """Return the output and the files that are written beside it."""
        return [self.output, _beside(self.output, _COUNTS), _beside(self.output, _ERRORS)]

    def check_places(self, sources: Sequence[Path], *, overwrite: bool) -> None:
        """Check the output and all that is written or removed beside it; nothing is changed.

        Args:
            sources: The files that are read, which none of them may be.
            overwrite: Whether files that exist may be replaced.

        Raises:
            UserError: A file cannot be written, exists, or is the one that is read.
        """
        for path in self.written():
            check_output_file(path, overwrite=overwrite, inputs=sources)
        for source in sources:
            if is_same_file(target_of(source).parent, self.folder):
                raise UserError(f"`input` {source}: expected a file outside {self.folder}, which this run removes; move it")

    def check(self, state: dict[str, Any], *, resume: bool, overwrite: bool) -> None:
        """Check that the folder is as the flags say; nothing is changed.

        Raises:
            UserError: There is no run or another run to resume, or an unfinished run is in the way.
        """
        files = list(self.folder.glob("*"))
        if self.folder.is_file() or any(not _OWN_NAME.fullmatch(path.name) or path.is_dir() for path in files):
            raise UserError(f"{self.folder}: expected a folder of this script, found other files; choose another --output")
        # A run that is killed at its very start leaves only the file that would have become its state.
        is_begun = any(path.name != f"{_TEMPORARY}{_STATE}" for path in files)
        if resume and not is_begun:
            raise UserError(f"--resume: expected the unfinished run {self.folder}, found none; leave out --resume")
        if overwrite or not is_begun:
            return
        found = _read_sealed(self.folder / _STATE)
        if found is None:
            raise UserError(
                f"{self.folder / _STATE}: expected the state of an unfinished run, found a damaged file or none; start anew "
                "with --overwrite"
            )
        if not resume:
            raise UserError(
                f"{self.folder}: expected no unfinished run, found one; go on with --resume or start anew with --overwrite"
            )
        if differing := [name for name, value in state.items() if found.get(name) != value]:
            before = ", ".join(f"{name} {found.get(name)}" for name in differing)
            raise UserError(
                f"--resume: expected what {self.folder} was begun with ({before}), found "
                f"{', '.join(f'{name} {state[name]}' for name in differing)}; give the same, or --overwrite to start anew"
            )

    def start(self, state: dict[str, Any], *, resume: bool) -> None:
        """Create the folder for a new run; for a run that is resumed, leave the folder as it is."""
        if resume:
            return
        if self.folder.exists():
            self._remove()
        self.folder.mkdir()
        _write_sealed(self.folder / _STATE, state)
        sync(self.folder.parent)

    def _paths(self, index: int) -> tuple[Path, Path]:
        """Return the path of the rows of a chunk, and that of the note on them."""
        path = self.folder / f"{index:08d}{part_suffix(self.output_format)}"
        return path, path.with_suffix(".json")

    def has(self, index: int) -> bool:
        """Return whether the part of a chunk is there and undamaged."""
        rows_path, note_path = self._paths(index)
        if not (rows_path.exists() and note_path.exists()):
            return False
        note = _read_sealed(note_path)
        if note is not None and note["rows_sha256"] == sha256(rows_path):
            return True
        logger.warning("%s: the part is damaged; its rows are answered again", rows_path)
        return False

    def write(self, index: int, answered: AnsweredRows, bad: Sequence[BadRow], label_column: str, types: Types) -> None:
        """Write the part of a chunk: its rows with answers, and the rows that were passed over."""
        rows = answered.rows
        columns = list(dict.fromkeys(name for row in rows for name in row))
        errors = [{"line": row.number, "reason": str(row), "content": row.content} for row in bad]
        rows_path, note_path = self._paths(index)
        temporary = rows_path.with_name(f"{_TEMPORARY}{rows_path.name}")
        write_part(temporary, rows, types, keeps_dates=self.output_format == "xlsx")
        labels = Counter(row[label_column] for row in rows)
        note = PartNote(labels, columns, errors, sha256(temporary), vars(answered.cleaning))
        _write_sealed(note_path, vars(note))
        put_file(temporary, rows_path)

    def join(self, num_parts: int, label_names: Sequence[str], style: TableStyle, *, report: bool) -> Summary:
        """Join the parts to the output, with ``OUTPUT.counts.json`` and, for ``report``, ``OUTPUT.errors.jsonl`` beside it."""
        cleaning = CleaningCounts()
        labels: Counter[str] = Counter(dict.fromkeys(label_names, 0))
        columns: dict[str, None] = {}
        num_errors = 0
        with (self.folder / "errors").open("wb") as errors:
            for index in range(num_parts):
                note = self._note(index)
                labels.update(note.labels)
                cleaning += CleaningCounts(**note.cleaning | {"rules": Counter(note.cleaning["rules"])})
                columns |= dict.fromkeys(note.columns)
                num_errors += len(note.errors)
                errors.write(json_lines(note.errors))
        parts = [self._paths(index)[0] for index in range(num_parts)]
        summary = Summary(labels, num_errors, cleaning)
        num_cut = join_parts(parts, list(columns), self.output_format, self.folder / "whole", style, summary)
        (self.folder / "counts").write_bytes(_json(labels))
        # The output comes last: whoever sees it also finds the others.
        put_file(self.folder / "counts", _beside(self.output, _COUNTS))
        if report:
            put_file(self.folder / "errors", _beside(self.output, _ERRORS))
        else:
            _beside(self.output, _ERRORS).unlink(missing_ok=True)  # It belongs to the old output.
        put_file(self.folder / "whole", self.output)
        self._remove()
        return replace(summary, num_cut=num_cut, output=self.output)

    def _note(self, index: int) -> PartNote:
        path = self._paths(index)[1]
        note = _read_sealed(path)
        if note is None:
            raise UserError(f"{path}: expected the note of a part, found a damaged file; go on with --resume")
        return PartNote(**note)

    def _remove(self) -> None:
        # The state is removed last, so that a kill in between leaves a run that can be resumed.
        for path in self.folder.iterdir():
            if path.name != _STATE:
                path.unlink()
        shutil.rmtree(self.folder)


def _beside(output: Path, name: str) -> Path:
    return output.with_name(f"{output.name}.{name}")


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace") + b"\n"


def _write_sealed(path: Path, content: dict[str, Any]) -> None:
    """Write a line with a checksum and a JSON object under another name and rename the file, so that nobody sees half of it."""
    temporary = path.with_name(f"{_TEMPORARY}{path.name}")
    written = _json(content)
    temporary.write_bytes(hashlib.sha256(written).hexdigest().encode() + b"\n" + written)
    put_file(temporary, path)


def _read_sealed(path: Path) -> dict[str, Any] | None:
    """Return what :func:`_write_sealed` wrote, or None if the file is missing or damaged."""
    try:
        checksum, _, written = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    return json.loads(written) if checksum == hashlib.sha256(written).hexdigest().encode() else None
