"""Fuzz target: the whole tokenizer, in several settings, on batches of posts.

Run by ``run_targets.py``; ``python -m tests.fuzz.fuzz_tokenizer FILE`` runs one input again and says which posts it holds.
"""

import json
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tokenization"]):
    from aslstm.words.vocabulary import build_tokenizer, build_vocabulary
    from tests.fuzz.invariants import (
        URL_ENDS,
        URLS,
        check_batch,
        check_post,
        check_spaces_beside_urls,
        check_spellings,
        check_view,
    )
    from tokenization import ASLSTMTokenizer, UserWord
    from tokenization.text_normalization import SWITCHES

from tests.fuzz.fuzzed_posts import make_post

# Whether one input is run again; it is then shown.
IS_REPLAY = Path(sys.argv[-1]).is_file()
SAMPLE = Path(__file__).parent.parent.parent / "aslstm" / "data" / "sample" / "train.jsonl"


def make_tokenizers() -> list[tuple[ASLSTMTokenizer, ASLSTMTokenizer]]:
    """Return tokenizers in several settings, each with itself saved and loaded again."""
    texts = [json.loads(line)["text"] for line in SAMPLE.read_text(encoding="utf-8").splitlines()[:300]]
    user_words = [UserWord("绝绝子", 50, "n"), UserWord("PK掉")]
    nothing = dict.fromkeys(SWITCHES, False)
    tokenizers = [
        build_tokenizer(build_vocabulary(texts)),
        build_tokenizer(build_vocabulary(texts, user_words=user_words), segmenter="rjieba", max_emoji=3),
        build_tokenizer(build_vocabulary(texts, use_hmm=False), use_hmm=False, **nothing),
    ]
    tokenizers[1].add_tokens(["yyds", "c++"])
    pairs = []
    for tokenizer in tokenizers:
        with tempfile.TemporaryDirectory() as folder:
            tokenizer.save_pretrained(folder)
            pairs.append((tokenizer, ASLSTMTokenizer.from_pretrained(folder)))
    return pairs


TOKENIZERS = make_tokenizers()


def check_input(buffer: bytes) -> None:
    """Make two posts and choose a tokenizer of the bytes, and check what must hold of them."""
    data = atheris.FuzzedDataProvider(buffer)
    posts = [make_post(data), make_post(data)]
    setting = data.ConsumeIntInRange(0, len(TOKENIZERS) - 1)
    max_length = 40 - data.ConsumeIntInRange(0, 39)
    tokenizer, reloaded = TOKENIZERS[setting]
    url = URLS[data.ConsumeIntInRange(0, len(URLS) - 1)]
    end = URL_ENDS[data.ConsumeIntInRange(0, len(URL_ENDS) - 1)]
    if IS_REPLAY:
        print(f"tokenizer {setting}, max_length {max_length}, URL {url}, end {end!a}, posts {posts!a}")
    for post in posts:
        check_post(tokenizer, post)
        check_spellings(tokenizer, post)
        check_view(tokenizer, post)
        check_view(tokenizer, post, max_length)
    if tokenizer.post_encoder.normalizer.switches["remove_urls"]:
        check_spaces_beside_urls(tokenizer, posts[0], url, end + posts[1] if end else "")
    check_batch(tokenizer, reloaded, posts, max_length)


if __name__ == "__main__":
    atheris.Setup(sys.argv, check_input)
    atheris.Fuzz()
