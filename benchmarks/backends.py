"""Measures serving with torch and with ONNX: time to the first answer in a fresh process, and milliseconds per batch.

python -m benchmarks.backends --model outputs/nlpcc2014

The folder needs the graphs of ``aslstm export-onnx``. Everything runs on one thread, and the ways of serving take turns, so
that a busy machine slows all of them alike.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import transformers

from aslstm.commands.flags import CommandParser, run
from aslstm.data.corpora import CorpusSource, load_split
from aslstm.model_folder.layout import check_model_folder
from aslstm.prediction.classifier import Classifier
from aslstm.prediction.onnx_pipeline import OnnxPipeline
from benchmarks.measuring import median_seconds

COLD_STARTS = {
    "import torch and transformers.pipeline": "import torch; from transformers import pipeline",
    "torch pipeline": (
        "import sys; from transformers import pipeline; "
        "pipeline('text-classification', model=sys.argv[1], trust_remote_code=True)('今天又加班[泪]')"
    ),
    "ONNX pipeline": ("import sys; from aslstm import OnnxPipeline; OnnxPipeline(sys.argv[1])('今天又加班[泪]')"),
}
BATCH_SIZES = (1, 64)


def seconds_of(code: str, folder: Path) -> float:
    """Return the wall time in seconds of a fresh interpreter that runs ``code``."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print the tables."""
    parser = CommandParser("backends", "Serving with torch and with ONNX.")
    parser.add_argument("--model", type=Path, required=True, help="a model folder with onnx/")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    transformers.utils.logging.disable_progress_bar()
    check_model_folder(arguments.model)
    print(f"{'to the first answer':<42}{'seconds':>9}")
    starts = {name: partial(seconds_of, code, arguments.model) for name, code in COLD_STARTS.items()}
    for name, seconds in median_seconds(starts, arguments.repeats).items():
        print(f"{name:<42}{seconds:>9.2f}")

    torch_model = Classifier(arguments.model, backend="torch", num_threads=1)
    graphs = [
        OnnxPipeline(arguments.model, torch_model.encoder, name, num_threads=1) for name in ("model.onnx", "model_int8.onnx")
    ]
    posts = load_split(CorpusSource(), "test")["text"][:]
    ids = sorted(torch_model.encoder.encode_batch(posts, max_length=torch_model.encoder.model_max_length), key=len)
    print(f"\n{'milliseconds a batch, without tokenizing':<42}{'torch':>9}{'fp32':>9}{'int8':>9}")
    for batch_size in BATCH_SIZES:
        start = (len(ids) - batch_size) // 2
        rows = ids[start : start + batch_size]  # These posts are of middle length.
        runs: dict[str, Callable[..., object]] = {
            "torch": torch_model.backend.run,
            "fp32": graphs[0].classifier.backend.run,
            "int8": graphs[1].classifier.backend.run,
        }
        found = median_seconds({name: partial(run_batch, rows) for name, run_batch in runs.items()}, 40 * arguments.repeats)
        print(f"{f'batch of {batch_size}, {len(rows[-1])} tokens':<42}" + "".join(f"{s * 1e3:>9.2f}" for s in found.values()))
    print(f"\n{'megabytes':<42}")
    for name in ("model.safetensors", "onnx/model.onnx", "onnx/model_int8.onnx"):
        print(f"{name:<42}{(arguments.model / name).stat().st_size / 1e6:>9.1f}")


if __name__ == "__main__":
    run(main)
