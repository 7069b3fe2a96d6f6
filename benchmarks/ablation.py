"""Trains every combination of fusion, segmentation and selection of rows, with several seeds, and prints one table.

These are the comparisons of the original project, made on proper splits. Run it as ``python -m benchmarks.ablation --dataset
nlpcc2014 --data_dir DIR``; flags that are not its own go to ``aslstm train``. The table holds the mean ± standard deviation
over the seeds on test. ``--output`` saves the figures as JSON, and a later run with the same file measures only what it lacks.
"""

import itertools
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from aslstm.commands.flags import CommandParser, run
from aslstm.errors import UserError
from modeling_aslstm.configuration_aslstm import EMOJI_FUSIONS

TRAIN = ("-m", "aslstm", "train")
COLUMNS = (("test", "accuracy"), ("test", "macro_f1"), ("test_emoji", "accuracy"), ("test_emoji", "macro_f1"))
FUSIONS = {name: ["--emoji_fusion", name] for name in EMOJI_FUSIONS} | {
    # In this form, that of the thesis, the classifier sees the attended words only.
    "attention, alone": ["--emoji_fusion", "attention", "--classifier_input", "attention", "--no_max_pooling"]
}
SEGMENTATIONS: dict[str, list[str]] = {
    "jieba": [],
    "new words": ["--discover_words", "words"],
    # With this count no word is frequent enough to be one token, so all words are spelled.
    "characters": ["--min_count", "1000000000"],
}
ROWS = {"all": ["--selection", "all"], "has_emoji": ["--selection", "has_emoji"]}


def train_seeds(folder: Path, seeds: list[int], flags: list[str]) -> list[dict[str, Any]]:
    """Train with each seed and return the figures of each."""
    command = [sys.executable, *TRAIN, "--output_dir", str(folder), "--seeds", *map(str, seeds), *flags]
    result = subprocess.run(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, encoding="utf-8")
    if result.returncode != 0:
        raise UserError(f"{' '.join(command[1:])}: {result.stderr.strip().splitlines()[-1].removeprefix('error: ')}")
    return [json.loads((folder / f"seed-{seed}" / "eval_results.json").read_text(encoding="utf-8")) for seed in seeds]


def summarize(results: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Return the mean and the sample standard deviation of each column."""
    summary = {}
    for split, key in COLUMNS:
        if all(split in result for result in results):
            figures = np.array([result[split][key] for result in results])
            summary[f"{split} {key}"] = [float(figures.mean()), float(figures.std(ddof=1)) if len(figures) > 1 else 0.0]
    return summary


def main() -> None:
    """Train all combinations and print the table."""
    parser = CommandParser("ablation", "Compare fusions, segmentations and rows.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--fusions", nargs="+", choices=FUSIONS, default=list(FUSIONS))
    parser.add_argument("--segmentations", nargs="+", choices=SEGMENTATIONS, default=list(SEGMENTATIONS))
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--data_dir", help="folder of a known corpus; a matter of the machine, so it is not kept")
    parser.add_argument("--output", type=Path, help="the figures, as JSON; what is there already is not trained again")
    arguments, flags = parser.parse_known_args()
    content: dict[str, Any] = {"seeds": arguments.seeds, "flags": list(flags), "mean and sd": {}}
    if arguments.output and arguments.output.exists():
        found = json.loads(arguments.output.read_text(encoding="utf-8"))
        if {**found, "mean and sd": {}} != content:
            raise UserError(f"--output {arguments.output}: expected figures of the same seeds and flags, found others")
        content = found
    table = content["mean and sd"]
    if arguments.data_dir:
        flags += ["--data_dir", arguments.data_dir]
    print(f"{f'mean ± sd of {len(arguments.seeds)} seeds':<40}" + "".join(f"{' '.join(c):>24}" for c in COLUMNS), flush=True)
    for rows, segmentation, fusion in itertools.product(arguments.rows, arguments.segmentations, arguments.fusions):
        name = f"{rows} / {segmentation} / {fusion}"
        if name not in table:
            with tempfile.TemporaryDirectory() as folder:
                own = [*ROWS[rows], *SEGMENTATIONS[segmentation], *FUSIONS[fusion]]
                table[name] = summarize(train_seeds(Path(folder), arguments.seeds, [*flags, *own]))
            if arguments.output:
                arguments.output.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        print_row(name, table[name])


def print_row(name: str, summary: dict[str, list[float]]) -> None:
    """Print one line of the table."""
    cells = ("{:.3f} ± {:.3f}".format(*summary[" ".join(c)]) if " ".join(c) in summary else "" for c in COLUMNS)
    print(f"{name:<40}" + "".join(f"{cell:>24}" for cell in cells), flush=True)


if __name__ == "__main__":
    run(main)
