"""Profiles training with torch.profiler and prints the share of each stage and then the most expensive operations.

python -m benchmarks.profile_training --data_dir DIR --fusion attention

The run is the one of ``training_speed.py``, on two threads.
"""

import argparse
import re
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.training_speed import NUM_ROWS, NUM_THREADS, TrainingRun
from modeling_aslstm.configuration_aslstm import EMOJI_FUSIONS

# These patterns match the whole name of an operation. No stage lies in another, so their totals can be added up.
STAGES = {
    "reading and collation": r"enumerate\(DataLoader\).*",
    "LSTM, forward": "aten::mkldnn_rnn_layer",
    "LSTM, backward": "aten::mkldnn_rnn_layer_backward",
    "optimizers": "Optimizer.step#.*",
    "random numbers of dropout": "aten::rand",
    "look-ups of rows, both ways": "aten::embedding|autograd::engine::evaluate_function: EmbeddingBackward0",
}
NUM_OPERATIONS = 20


def main() -> None:
    """Profile one epoch of the sample after another to warm up."""
    parser = argparse.ArgumentParser(description="Where a training step spends its time.")
    parser.add_argument("--data_dir", type=Path, required=True, help="folder of NLPCC 2014, or one that holds it")
    parser.add_argument("--fusion", choices=EMOJI_FUSIONS, default="attention")
    arguments = parser.parse_args()
    torch.set_num_threads(NUM_THREADS)
    run = TrainingRun(arguments.data_dir, arguments.fusion)
    run.train_epoch()
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        run.train_epoch()
    operations = profiler.key_averages()
    total = sum(operation.self_cpu_time_total for operation in operations)
    spent = {
        stage: sum(operation.cpu_time_total for operation in operations if re.fullmatch(pattern, operation.key))
        for stage, pattern in STAGES.items()
    }
    spent["the rest"] = total - sum(spent.values())
    print(f"{arguments.fusion}, {NUM_ROWS} rows, {NUM_THREADS} threads, torch {torch.__version__}")
    for stage, microseconds in spent.items():
        print(f"{stage:<32}{microseconds / 1e6:>8.2f} s{microseconds / total:>7.0%}")
    print(operations.table(sort_by="self_cpu_time_total", row_limit=NUM_OPERATIONS, max_name_column_width=50))


if __name__ == "__main__":
    main()
