"""The rooms of the project and the ways between them."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import ROOT

PACKAGES = ("tokenization", "modeling_aslstm")
OFFLINE_FILES = {
    "__init__.py",
    "vocabulary.py",
    "ngram_counting.py",
    "corpus_ngrams.py",
    "new_words.py",
    "modeling_word_tagger.py",
    "onnx_pipeline_aslstm.py",
    "attention_view.py",
    "text_splitting.py",
}
TRAVELLING = [p for package in PACKAGES for p in sorted((ROOT / package).glob("*.py")) if p.name not in OFFLINE_FILES]
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


def test_nothing_imports_the_scripts_and_the_packages_do_not_know_each_other() -> None:
    scripts = {path.stem for path in (ROOT / "train_scripts").glob("*.py")}
    for package, other in (PACKAGES, PACKAGES[::-1]):
        for path in (ROOT / package).glob("*.py"):
            tops = {module.split(".")[0] for module, level, _ in imports_of(path) if level == 0}
            assert not tops & (scripts | {other})


def test_tokenization_works_without_torch() -> None:
    code = "import sys; sys.modules['torch'] = None; import tokenization; assert tokenization.split_emoji('好[泪]')"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_no_file_of_the_project_holds_research_data() -> None:
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=True).stdout.split()
    data = {name for name in listed if Path(name).suffix in (".xml", ".gz", ".csv", ".jsonl", ".conll", ".parquet", ".tsv")}
    assert data == {f"aslstm/data/sample/{split}.jsonl" for split in ("train", "validation", "test")}
