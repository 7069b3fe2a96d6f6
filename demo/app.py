"""The app as a Space of the Hugging Face Hub, which runs a file: the same as ``aslstm app``."""

from aslstm.commands.app import main
from aslstm.commands.flags import run

if __name__ == "__main__":
    run(main)
