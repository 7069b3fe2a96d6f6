"""Takes a text and gives the words that another package finds in it, in a process of its own, with its time and memory.

``new_words.py`` runs it as ``python benchmarks/other_word_finders.py TOOL TEXT OUTPUT.json``. None of the packages is needed:
those that are not installed (``pip install -r benchmarks/requirements.txt``) are left out of the table. jiayan imports
``kenlm``, which it does not name among its requirements.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from benchmarks.measuring import peak_megabytes


def run_jionlp(path: Path) -> Callable[[], list[str]]:
    """Prepare jionlp with its defaults; words are ranked by the smaller branching entropy."""
    import jionlp

    return lambda: list(jionlp.new_word.new_word_discovery(str(path)))


def run_jiagu(path: Path) -> Callable[[], list[str]]:
    """Prepare jiagu with its defaults; words are ranked by frequency, the only figure that it gives."""
    import jiagu

    def find() -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "words.tsv"
            jiagu.findword(str(path), str(output))
            return [line.partition("\t")[0] for line in output.read_text(encoding="utf-8").split("\n") if line]

    return find


def run_harvesttext(path: Path) -> Callable[[], list[str]]:
    """Prepare harvesttext with its defaults, but ranked by its score, which is better than its own order by frequency."""
    from harvesttext import HarvestText

    return lambda: [str(w) for w in HarvestText().word_discover(path.read_text(encoding="utf-8"), sort_by="score").index]


def run_smoothnlp(path: Path) -> Callable[[], list[str]]:
    """Prepare smoothnlp with its defaults, but all words instead of 200, and lines as input: reading files needs sqlalchemy."""
    from smoothnlp.algorithm.phrase import extract_phrase

    return lambda: list(extract_phrase(path.read_text(encoding="utf-8").split("\n"), top_k=sys.maxsize))


def run_jiayan(path: Path) -> Callable[[], list[str]]:
    """Prepare jiayan with its defaults, but without words of one character and ranked by frequency instead of length."""
    from jiayan import PMIEntropyLexiconConstructor

    def find() -> list[str]:
        constructor = PMIEntropyLexiconConstructor()
        constructor.MIN_WORD_LEN = 2
        lexicon = constructor.construct_lexicon(str(path))
        return sorted(lexicon, key=lambda word: -lexicon[word][0])

    return find


FINDERS = {
    "jionlp": run_jionlp,
    "jiagu": run_jiagu,
    "harvesttext": run_harvesttext,
    "smoothnlp": run_smoothnlp,
    "jiayan": run_jiayan,
}


def main() -> None:
    """Run one of the packages; the time of its imports does not count."""
    name, text, output = sys.argv[1:]
    find = FINDERS[name](Path(text))
    started = time.perf_counter()
    words = find()
    seconds = time.perf_counter() - started
    result = {"version": version(name), "seconds": seconds, "megabytes": peak_megabytes(), "words": words}
    Path(output).write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
