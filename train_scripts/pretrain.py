"""Launches ``aslstm pretrain``, for ``accelerate launch train_scripts/pretrain.py``."""

import sys

from aslstm.cli import call_command
from aslstm.commands.flags import run

if __name__ == "__main__":
    run(lambda: call_command("pretrain", sys.argv[1:]))
