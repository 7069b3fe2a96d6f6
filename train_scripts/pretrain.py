"""Launches ``aslstm pretrain``, for ``accelerate launch train_scripts/pretrain.py``."""

import sys

from aslstm.commands.flags import run
from aslstm.commands.pretrain import main

if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]))
