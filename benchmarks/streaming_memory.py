"""Measures the memory of ``aslstm train --streaming`` on two million rows, which are the embedded sample repeated.

Run it as ``python -m benchmarks.streaming_memory``. It trains 2,000 steps (about ten minutes on 2 cores, most of which go into
counting words) and prints the resident memory of the training process in each quarter of the steps, and whether it stayed
within 200 MB.
"""

import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psutil

from aslstm.commands.flags import CommandParser, run
from aslstm.data.known_corpora import SAMPLE_FOLDER

TRAIN = ("-m", "aslstm", "train")
ALLOWED_GROWTH_MB = 200
NUM_EPOCHS = 4


def write_corpus(path: Path, num_rows: int) -> None:
    """Write the training rows of the sample repeatedly until there are ``num_rows``."""
    lines = (SAMPLE_FOLDER / "train.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    with path.open("w", encoding="utf-8") as file:
        for _ in range(num_rows // len(lines)):
            file.writelines(lines)
        file.writelines(lines[: num_rows % len(lines)])


class PeakMemory(threading.Thread):
    """Samples the resident memory of a process in MB; ``take`` returns the peak since its last call."""

    def __init__(self, process_id: int) -> None:
        super().__init__(daemon=True)
        self.process = psutil.Process(process_id)
        self.peak = 0.0
        self.stopped = threading.Event()

    def run(self) -> None:
        """Sample until the thread is stopped."""
        while not self.stopped.wait(0.2):
            try:
                self.peak = max(self.peak, self.process.memory_info().rss / 1e6)
            except psutil.NoSuchProcess:
                return

    def take(self) -> float:
        """Return the peak since the last call."""
        peak, self.peak = self.peak, 0.0
        return peak


def main() -> None:
    """Write the corpus, train on it, sample the memory and print it."""
    parser = CommandParser("streaming_memory", "Memory of streaming training.")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--steps", type=int, default=2_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_corpus(folder / "train.jsonl", arguments.rows)
        command = [
            sys.executable, *TRAIN, "--streaming", "--train_file", str(folder / "train.jsonl"),
            "--validation_file", str(SAMPLE_FOLDER / "validation.jsonl"), "--output_dir", str(folder / "model"),
            "--steps_per_epoch", str(arguments.steps // NUM_EPOCHS), "--num_train_epochs", str(NUM_EPOCHS), "--select", "last",
        ]  # fmt: skip
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, encoding="utf-8")
        memory = PeakMemory(process.pid)
        memory.start()
        peaks = []
        assert process.stderr is not None
        for line in process.stderr:
            if re.match(r"\s*vocabulary:|streaming \d", line):
                print(line.strip(), flush=True)
            elif found := re.search(r"epoch (\d+): train loss", line):
                peaks.append(memory.take())
                print(f"step {int(found[1]) * (arguments.steps // NUM_EPOCHS):>6}: peak {peaks[-1]:.0f} MB", flush=True)
        memory.stopped.set()
        if process.wait() != 0:
            raise RuntimeError(f"training ended with {process.returncode}")
    # The first quarter includes the counting of the vocabulary and all first allocations.
    growth = max(peaks[1:]) - min(peaks[1:])
    verdict = "pass" if growth <= ALLOWED_GROWTH_MB else "FAIL"
    print(
        f"{arguments.rows} rows, {arguments.steps} steps: memory within {growth:.0f} MB (target {ALLOWED_GROWTH_MB}): {verdict}"
    )


if __name__ == "__main__":
    run(main)
