"""Runs the command ``aslstm`` for ``python -m aslstm`` and ``torchrun -m aslstm``."""

from aslstm.cli import main

if __name__ == "__main__":
    main()
