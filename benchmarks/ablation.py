"""The five ways for emoji to meet words, several seeds each, as one table.

Run as ``python benchmarks/ablation.py --dataset nlpcc2014 --data_dir DIR --selection has_emoji``; flags that are not its own
go to ``train.py``. Prints mean ± standard deviation over the seeds; ``--output`` keeps the figures as JSON.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from modeling_aslstm.configuration_aslstm import EMOJI_FUSIONS
from user_errors import OneLineArgumentParser, UserError, run

TRAIN = Path(__file__).parent.parent / "train_scripts" / "train.py"
COLUMNS = (("test", "accuracy"), ("test", "macro_f1"), ("test_emoji", "accuracy"), ("test_emoji", "macro_f1"))


def train_seeds(folder: Path, seeds: list[int], flags: list[str]) -> list[dict[str, Any]]:
    """Figures of each seed."""
    command = [sys.executable, str(TRAIN), "--output_dir", str(folder), "--seeds", *map(str, seeds), *flags]
    result = subprocess.run(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, encoding="utf-8")
    if result.returncode != 0:
        raise UserError(f"{' '.join(command[1:])}: {result.stderr.strip().splitlines()[-1].removeprefix('error: ')}")
    return [json.loads((folder / f"seed-{seed}" / "eval_results.json").read_text(encoding="utf-8")) for seed in seeds]


def summarize(results: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Mean and standard deviation (of the sample) of each column."""
    summary = {}
    for split, key in COLUMNS:
        if all(split in result for result in results):
            figures = np.array([result[split][key] for result in results])
            summary[f"{split} {key}"] = [float(figures.mean()), float(figures.std(ddof=1)) if len(figures) > 1 else 0.0]
    return summary


def main() -> None:
    """Train, summarise and print."""
    parser = OneLineArgumentParser(description="Compare the emoji fusions.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--fusions", nargs="+", choices=EMOJI_FUSIONS, default=list(EMOJI_FUSIONS))
    parser.add_argument("--output", type=Path, help="the figures, as JSON")
    arguments, flags = parser.parse_known_args()
    table: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for fusion in arguments.fusions:
            results = train_seeds(Path(folder) / fusion, arguments.seeds, ["--emoji_fusion", fusion, *flags])
            table[fusion] = summarize(results)
            print_row(fusion, table[fusion], header=len(table) == 1, num_seeds=len(arguments.seeds))
    if arguments.output:
        content: dict[str, Any] = {"seeds": arguments.seeds, "flags": flags, "mean and sd": table}
        arguments.output.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def print_row(fusion: str, summary: dict[str, list[float]], *, header: bool, num_seeds: int) -> None:
    """One line of the table, as soon as it is known."""
    if header:
        print(f"{f'mean ± sd of {num_seeds} seeds':<24}" + "".join(f"{name:>22}" for name in summary))
    cells = (f"{mean:.3f} ± {deviation:.3f}" for mean, deviation in summary.values())
    print(f"{fusion:<24}" + "".join(f"{cell:>22}" for cell in cells), flush=True)


if __name__ == "__main__":
    run(main)
