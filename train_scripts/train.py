"""Runs ``aslstm train``, so that ``accelerate launch train_scripts/train.py`` can start it on several processes."""

import sys

from aslstm.commands.flags import run
from aslstm.commands.train import main

if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]))
