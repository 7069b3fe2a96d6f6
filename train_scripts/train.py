"""Launches ``aslstm train``, for ``accelerate launch train_scripts/train.py``."""

import sys

from aslstm.commands.flags import run
from aslstm.commands.train import main

if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]))
