"""Registers attacks by files: weights that are missing or no numbers, words and lines without end, and cells with formulas."""

import csv
import gzip
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from aslstm.errors import UserError
from aslstm.files import write_checksums

from .attacking import Arena, BrokenError, attack, expect, expect_refusal, last_line

POST = "今天又加班[泪]"
# One vector is read only where a post has no emoji.
POSTS = [POST, "今天又加班"]
NOT_A_NUMBER = float("nan")
WORD_LENGTHS = (65, 1_000, 30_000)
UNPACKED_MB = 300
# So much more memory than for a small file may be taken: a line has up to 64 MiB, and its text and its copies are wider.
GROWTH_MB = 250
# What comes before the one line without end, by the name of the file.
STARTS = {"posts.txt.gz": "", "posts.jsonl.gz": '{"text": "', "posts.csv.gz": 'text\n"', "posts.json.gz": '[{"text": "'}
SIGNS = "=+-@＝＋－＠\t\n\r"
FORMULAS = [f"{sign}SUM(1+1)*cmd|' /C calc'!A0" for sign in SIGNS]
EXCEL = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def expect_error(answer: Callable[[], Any], what: str, words: str) -> None:
    """Expect an error of one line with some words where a pipeline answers."""
    try:
        answer()
    except (UserError, ValueError) as error:
        expect(words in str(error) and "\n" not in str(error), f"{what}: {error!r}")
    else:
        raise BrokenError(f"{what}: answered")


def damaged_weights(folder: Path) -> Iterator[tuple[str, str]]:
    """Leave each weight of a folder out, then make it NaN; yield its name and what is to be said of it."""
    from safetensors.numpy import load_file, save_file

    path = folder / "model.safetensors"
    whole = load_file(path)
    for name in whole:
        changed = {key: value.copy() for key, value in whole.items()}
        changed[name].fill(NOT_A_NUMBER)
        for weights, said in (({key: whole[key] for key in whole if key != name}, name), (changed, "finite")):
            save_file(weights, path, {"format": "pt"})
            write_checksums(folder)
            yield name, said
    save_file({key: value * NOT_A_NUMBER for key, value in whole.items()}, path, {"format": "pt"})
    write_checksums(folder)


@attack(24, "weights that are none", "each weight is left out, then made NaN; then all are NaN, and every command is asked")
def spoil_weights(arena: Arena) -> str:
    """Ask folders with spoilt weights, through the pipelines and the commands."""
    # Imported here, because no other attack needs torch in this process.
    from transformers import pipeline
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()

    folder, count = arena.folder / "model", 0
    shutil.copytree(arena.model, folder, ignore=shutil.ignore_patterns("__pycache__"))
    posts, output = arena.posts("posts.txt", "今天", 2), arena.folder / "out.jsonl"
    for name, said in damaged_weights(folder):
        answer = lambda: pipeline("text-classification", model=str(folder), trust_remote_code=True)(POSTS)  # noqa: E731
        expect_error(answer, f"{name}, {said}", said)
        count += 1
    for command in (
        arena.command("predict", "--model", folder, "--backend", "torch", "--input", posts, "--output", output),
        arena.command("evaluate", "--model", folder, "--behaviour"),
        arena.command("export-onnx", "--model", folder, "--overwrite"),
        arena.command("push", "--model", folder, "--repo", "a/b", "--dry_run"),
        arena.command("try", folder, POST),
    ):
        expect_refusal(arena.run(command), f"{command[3]} with weights that are all NaN", "finite")
    expect(not output.exists(), "answers were written")
    return f"{count} folders refused in one line"


@attack(
    28,
    "words and lines without end",
    f"words of {WORD_LENGTHS} characters among the words that are kept, packed files with one line of {UNPACKED_MB} MB",
)
def read_without_end(arena: Arena) -> str:
    """Give files with long words and lines."""
    folder, output = arena.folder / "model", arena.folder / "out.jsonl"
    shutil.copytree(arena.model, folder, ignore=shutil.ignore_patterns("__pycache__"))
    flags = ("--backend", "onnx", "--num_threads", "1", "--output", output)
    posts = arena.posts("posts.txt", "今天", 2)
    result, usual = arena.run_weighed(arena.command("predict", "--model", folder, *flags, "--input", posts))
    expect(result.returncode == 0, last_line(result.stderr))
    most = 0.0

    def refuse(command: list[str], what: str, *words: str) -> None:
        nonlocal most
        result, megabytes = arena.run_weighed(command)
        most = max(most, megabytes - usual)
        expect_refusal(result, what, *words)
        expect(megabytes - usual < GROWTH_MB, f"{what}: {megabytes - usual:.0f} MB more than for a small file")

    for length in WORD_LENGTHS:
        (folder / "user_dict.txt").write_text("好" * length + " 9\n", encoding="utf-8")
        write_checksums(folder)
        command = arena.command("predict", "--model", folder, *flags, "--input", posts, "--overwrite")
        refuse(command, f"a kept word of {length} characters", "user_dict.txt, line 1", "at most 64 characters")
        table = arena.folder / "new_words.tsv"
        columns = "word\tcount\tcohesion\tleft_entropy\tright_entropy\tscore\n"
        table.write_text(columns + "好" * length + "\t9\t1\t1\t1\t1\n", encoding="utf-8")
        command = arena.command("train", "--output_dir", arena.folder / "trained", "--new_words", table)
        refuse(command, f"a new word of {length} characters", "new_words.tsv, line 2", "at most 64 characters")
    piece = "今天".encode() * (1_000_000 // 6)
    for name, start in STARTS.items():
        path = arena.folder / name
        with gzip.open(path, "wb", compresslevel=1) as file:
            file.write(start.encode())
            for _ in range(UNPACKED_MB):
                file.write(piece)
        refuse(arena.predict("--input", path, "--output", output, "--overwrite"), name, name, "at most 67,108,864")
        path.unlink()
    return f"refused in one line, {most:.0f} MB more memory at most than for a small file"


def is_run(cell: str) -> bool:
    """Return whether a spreadsheet takes a cell of text for a formula; a number is harmless."""
    return cell.startswith(tuple(SIGNS)) and not re.fullmatch(r"[+-]?[0-9.]+(e[+-]?[0-9]+)?", cell)


def cells_of_csv(path: Path) -> list[str]:
    """Return the cells of a CSV file with its header."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [cell for row in csv.reader(file) for cell in row]


def unsafe_cells(path: Path) -> list[str]:
    """Return the cells of a workbook that are formulas, or would become such where somebody edits the cell."""
    with zipfile.ZipFile(path) as file:
        parts = {name: ElementTree.fromstring(file.read(name)) for name in file.namelist() if name.endswith(".xml")}
    shared = [
        "".join(text.text or "" for text in item.iter(f"{EXCEL}t"))
        for item in parts.get("xl/sharedStrings.xml", ElementTree.Element("none")).iter(f"{EXCEL}si")
    ]
    (forms,) = parts["xl/styles.xml"].iter(f"{EXCEL}cellXfs")
    quoted = [form.get("quotePrefix") == "1" for form in forms]
    unsafe = []
    for name in sorted(name for name in parts if name.startswith("xl/worksheets/")):
        for cell in parts[name].iter(f"{EXCEL}c"):
            text = "".join(part.text or "" for part in cell.iter(f"{EXCEL}t"))
            if cell.get("t") == "s":
                text = shared[int(cell.findtext(f"{EXCEL}v") or 0)]
            is_formula = cell.find(f"{EXCEL}f") is not None
            if is_formula or (is_run(text) and not quoted[int(cell.get("s", 0))]):
                unsafe.append(f"{name} {cell.get('r')} {text[:20]!r}")
    return unsafe


@attack(29, "formulas in cells", f"posts, columns and labels that begin with {len(SIGNS)} signs, to CSV and XLSX and a report")
def write_formulas(arena: Arena) -> str:
    """Write posts, headers and labels that are formulas."""
    rows = [{"text": text + POST} | {name + "x": text for name in FORMULAS} for text in [*FORMULAS, "好", "-0.5"]]
    posts = arena.folder / "posts.jsonl"
    posts.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for name in ("out.csv", "out.xlsx", "raw.csv"):
        flags = ("--raw_cells",) if name == "raw.csv" else ()
        result = arena.run(arena.predict("--input", posts, "--output", arena.folder / name, "--prefix", "=", *flags))
        expect(result.returncode == 0, f"{name}: {last_line(result.stderr)}")
    labelled = arena.folder / "labelled.jsonl"
    lines = [{"text": text, "label": text, "score": 0.5, "=city": text} for text in FORMULAS for _ in range(2)]
    labelled.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    report = arena.folder / "report"
    result = arena.run(arena.command("report", "--input", labelled, "--output", report, "--compare_by", "=city"))
    expect(result.returncode == 0, f"report: {last_line(result.stderr)}")
    tables = [arena.folder / "out.csv", *report.glob("*.csv")]
    cells = {path.name: cells_of_csv(path) for path in tables}
    unsafe = [f"{name} {cell[:20]!r}" for name, own in cells.items() for cell in own if is_run(cell)]
    for path in (arena.folder / "out.xlsx", *report.glob("*.xlsx")):
        unsafe += [f"{path.name} {cell}" for cell in unsafe_cells(path)]
    expect(not unsafe, f"{len(unsafe)} cells are run: {', '.join(unsafe[:3])}")
    texts = {text + POST for text in FORMULAS}
    expect(texts <= {cell.removeprefix("'") for cell in cells["out.csv"]}, "a text is not that of the post")
    expect(texts <= {*cells_of_csv(arena.folder / "raw.csv")}, "--raw_cells changed a text")
    return (
        f"{sum(map(len, cells.values()))} cells of {len(tables)} CSV files and 2 workbooks are text, raw ones stay as they were"
    )
