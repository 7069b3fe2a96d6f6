import json
from pathlib import Path

import pytest

from aslstm.data.found_files import FoundFiles, Named
from aslstm.errors import UserError
from aslstm.prediction.chunks import CHUNK_CHARACTERS, CHUNK_ROWS, Chunk, read_chunks


def chunks_of(path: Path, lines: list[str], *, stop: bool = False) -> list[Chunk]:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    files = FoundFiles([path], Named(text_column=("text",)))
    assert files.types == {}
    return list(read_chunks(files, added=["label"], stop=stop))


def test_chunks_hold_every_row_once_and_no_more_than_memory_bears(tmp_path: Path) -> None:
    texts = [f"{i}" for i in range(CHUNK_ROWS + 5)] + ["哈" * 50_000] * 100
    chunks = chunks_of(tmp_path / "posts.jsonl", [json.dumps({"text": text}) for text in texts])
    assert [text for chunk in chunks for text in chunk.texts] == texts
    assert [row["text"] for chunk in chunks for row in chunk.rows] == texts
    assert len(chunks[0].rows) == CHUNK_ROWS
    assert all(sum(len(row["text"]) for row in chunk.rows) < CHUNK_CHARACTERS + 50_000 for chunk in chunks)
    assert len(chunks) == 4


def test_a_chunk_of_bad_rows_alone_is_one_but_not_the_first(tmp_path: Path) -> None:
    good, bad = '{"text": ""}', "{"
    chunks = chunks_of(tmp_path / "posts.jsonl", [good] * CHUNK_ROWS + [bad] * CHUNK_ROWS + [good])
    assert [(len(chunk.rows), len(chunk.bad)) for chunk in chunks] == [(CHUNK_ROWS, 0), (0, CHUNK_ROWS), (1, 0)]
    assert [row.number for row in chunks[1].bad] == list(range(CHUNK_ROWS + 1, 2 * CHUNK_ROWS + 1))
    with pytest.raises(UserError, match="line 1: expected a JSON object"):
        chunks_of(tmp_path / "posts.jsonl", [bad] * CHUNK_ROWS + [good])
    with pytest.raises(UserError, match=f"line {CHUNK_ROWS + 1}: expected a JSON object"):
        chunks_of(tmp_path / "posts.jsonl", [good] * CHUNK_ROWS + [bad], stop=True)
