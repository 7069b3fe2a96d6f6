"""Draws the reposts that teachers answer for a student: 60,000 with a code in brackets (mostly emoji), 60,000 without.

python train_scripts/recipes/draw_reposts.py TEXTS.txt.gz OUTPUT.jsonl
"""

import gzip
import json
import random
import sys
from pathlib import Path

LENGTHS = range(3, 161)
NUM_WITH_CODE, NUM_WITHOUT = 60_000, 60_000


def main() -> None:
    """Draw the posts and write them."""
    with gzip.open(sys.argv[1], "rt", encoding="utf-8") as lines:
        texts = [text for text in map(str.strip, lines) if len(text) in LENGTHS]
    random.Random(3).shuffle(texts)
    drawn = [text for text in texts if "[" in text][:NUM_WITH_CODE] + [text for text in texts if "[" not in text][:NUM_WITHOUT]
    with Path(sys.argv[2]).open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in drawn)


if __name__ == "__main__":
    main()
