"""Runs ``aslstm pretrain``, so that ``accelerate launch train_scripts/pretrain.py`` can start it on several processes."""

import sys

from aslstm.cli import call_command
from aslstm.commands.flags import run

if __name__ == "__main__":
    run(lambda: call_command("pretrain", sys.argv[1:]))
