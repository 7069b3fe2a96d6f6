"""Fuzz target: the emoji splitter and the normaliser under any choice of its switches.

Run by ``run_targets.py``; ``python -m tests.fuzz.fuzz_splitting FILE`` runs one input again and says which posts it holds.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tokenization"]):
    from tests.fuzz.invariants import check_normalization, check_splitting
    from tokenization.text_normalization import SWITCHES, TextNormalizer

from tests.fuzz.fuzzed_posts import make_post

# Whether one input is run again; it is then shown.
IS_REPLAY = Path(sys.argv[-1]).is_file()


def check_input(buffer: bytes) -> None:
    """Make two posts and switches of the bytes, and check what must hold of them."""
    data = atheris.FuzzedDataProvider(buffer)
    posts = [make_post(data), make_post(data)]
    switches = {name: data.ConsumeIntInRange(0, 3) < 3 for name in SWITCHES}
    if IS_REPLAY:
        print(f"switches {switches}, posts {posts!a}")
    for post in posts:
        check_splitting(post)
    check_normalization(TextNormalizer(**switches), posts)


if __name__ == "__main__":
    atheris.Setup(sys.argv, check_input)
    atheris.Fuzz()
