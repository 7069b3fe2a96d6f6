"""The rooms of the project and the ways between them."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.commands import ROOT

PACKAGES = ("tokenization", "modeling_aslstm")
TRAVELLING = [p for package in PACKAGES for p in sorted((ROOT / package).glob("*.py")) if p.name != "__init__.py"]
# A room imports from lower floors only, and from itself.
FLOORS = (
    ("errors", "printing", "threads", "tokenization", "modeling_aslstm"),
    ("disk", "packed_files"),
    ("colors", "files", "settings", "spreadsheets", "text_files", "workbooks"),
    ("words", "data", "model_folder", "charts"),
    ("metrics", "prediction"),
    ("training", "report"),
    ("app", "serving"),
    ("commands",),
    ("cli", "__init__"),
    ("__main__",),
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# Beside the floors: what a room does not know, or knows one module of.
STRANGERS = {("training", "prediction"): (), ("report", "prediction"): ("attention_view",)}
ALLOWED = {
    # numpy comes with transformers.
    "tokenization": {"emoji", "jieba", "numpy", "transformers"},
    "modeling_aslstm": {"torch", "transformers"},
}


def imports_of(path: Path) -> Iterator[tuple[str, int, list[str]]]:
    """Module, relative level and names of each import."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.level, [alias.name for alias in node.names]


@pytest.mark.parametrize("path", TRAVELLING, ids=lambda path: path.name)
def test_travelling_files_import_siblings_by_name_and_little_else(path: Path) -> None:
    for module, level, _ in imports_of(path):
        if level:
            assert level == 1
            assert (path.parent / f"{module}.py").is_file(), f"from .{module}: only `from .name import X` is followed"
        else:
            top = module.split(".")[0]
            assert top in sys.stdlib_module_names or top in ALLOWED[path.parent.name], f"{path.name} imports {module}"


@pytest.mark.parametrize("name", ["configuration_aslstm", "modeling_aslstm", "pipeline_aslstm", "tokenization_aslstm"])
def test_a_file_that_auto_classes_name_imports_all_that_it_needs_itself(name: str) -> None:
    # transformers 4.57 to 5.5 copies the files that such a file of a local folder imports, but not those that they import.
    paths = {path.stem: path for path in TRAVELLING}

    def siblings(stem: str) -> set[str]:
        return {module for module, level, _ in imports_of(paths[stem]) if level}

    assert set().union(*(siblings(sibling) for sibling in siblings(name))) <= siblings(name)


def test_base_names_are_unique_across_both_packages() -> None:
    names = [path.name for path in TRAVELLING]
    assert len(names) == len(set(names))


def room_of(parts: Sequence[str]) -> str:
    """The room that a module lies in."""
    return parts[0] if parts[0] != "aslstm" else parts[1] if len(parts) > 1 else "__init__"


def ways_of(path: Path) -> Iterator[tuple[str, ...]]:
    """The modules of the project that a file imports, also inside functions, as their parts."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    for module, level, names in imports_of(path):
        base = parts[: len(parts) - level] if level else ()
        whole = [*base, *(module.split(".") if module else [])]
        # "from . import name" and "from aslstm import name" name modules.
        for found in [whole] if module and module != "aslstm" else [[*whole, name] for name in names if name != "__version__"]:
            yield tuple(found)


# The code in the built-in model's folder is a copy of the packages that travel.
FILES = [
    *sorted(path for path in (ROOT / "aslstm").rglob("*.py") if "models" not in path.parts),
    *(ROOT / package / "__init__.py" for package in PACKAGES),
    *TRAVELLING,
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_room_imports_from_lower_floors_only(path: Path) -> None:
    parts = path.relative_to(ROOT).with_suffix("").parts
    room = room_of(parts)
    for way in ways_of(path):
        assert way[0] not in ("train_scripts", "tests", "benchmarks"), f"{path}: {'.'.join(way)}"
        assert way[0] != "argparse" or room == "commands", f"{path}: the command line is read in aslstm/commands alone"
        if way[0] not in ("aslstm", *PACKAGES) or room_of(way) == room:
            continue
        assert FLOOR_OF[room_of(way)] < FLOOR_OF[room], f"{path}: {'.'.join(way)}"
        known = STRANGERS.get((room, room_of(way)))
        assert known is None or way[2] in known, f"{path}: {'.'.join(way)}"


def test_imports_inside_a_room_are_relative() -> None:
    for path in FILES:
        room = room_of(path.relative_to(ROOT).with_suffix("").parts)
        for module, level, _ in imports_of(path):
            parts = module.split(".")
            assert level or parts[0] != "aslstm" or len(parts) < 3 or parts[1] != room, f"{path}: {module}"


def test_a_saved_folder_holds_the_travelling_files_and_no_other_code(model_folder: Path) -> None:
    assert {path.name for path in model_folder.glob("*.py")} == {path.name for path in TRAVELLING}


def test_tokenization_works_without_torch() -> None:
    code = "import sys; sys.modules['torch'] = None; import tokenization; assert tokenization.split_emoji('好[泪]')"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_no_file_of_the_project_holds_research_data() -> None:
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=True).stdout.split()
    data = {name for name in listed if Path(name).suffix in (".xml", ".gz", ".csv", ".jsonl", ".conll", ".parquet", ".tsv")}
    sample = {f"aslstm/data/sample/{split}.jsonl" for split in ("train", "validation", "test")}
    behaviour = {f"aslstm/data/behaviour/{kind}.jsonl" for kind in ("minimum_functionality", "invariance", "direction")}
    assert data == sample | {"aslstm/data/sample/second_reading.csv"} | behaviour
