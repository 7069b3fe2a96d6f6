"""Puts the present code that travels into the folder of the built-in model, with its checksums; the weights stay as they are.

python train_scripts/recipes/refresh_code.py
"""

from aslstm.files import write_checksums
from aslstm.model_folder.choosing import BUILT_IN_MODEL
from aslstm.model_folder.layout import own_code


def main() -> None:
    """Write the files and their checksums."""
    for name, content in own_code().items():
        (BUILT_IN_MODEL / name).write_bytes(content)
    write_checksums(BUILT_IN_MODEL)


if __name__ == "__main__":
    main()
