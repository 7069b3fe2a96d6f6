"""``python -m aslstm`` and ``torchrun -m aslstm``: the same as the command ``aslstm``."""

from aslstm.cli import main

if __name__ == "__main__":
    main()
