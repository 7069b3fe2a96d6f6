"""The files of a vocabulary: special tokens, reading, checking and writing.

Takes and gives lists of tokens; the tokenizer and the builder of vocabularies share what is here.
"""

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from .word_segmentation import UserWord, format_user_dict

# Angle brackets: "[PAD]" would collide with weibo codes, and jieba never joins "<" to a word, so no text yields these.
PAD_TOKEN, UNK_TOKEN, MASK_TOKEN = "<pad>", "<unk>", "<mask>"
UNK_EMOJI_TOKEN = "<unk_emoji>"
PIECE_PREFIX = "##"
# The tokenizer's argument for each file -> its name in a model folder.
VOCABULARY_FILES = {"vocab_file": "vocab.txt", "emoji_vocab_file": "emoji_vocab.txt", "user_dict_file": "user_dict.txt"}


def is_storable_token(token: str) -> bool:
    """Whether a vocabulary file can hold the token: no white space, control character or surrogate, and not empty."""
    return bool(token) and not any(c.isspace() or unicodedata.category(c) in ("Cc", "Cs") for c in token)


def is_name_piece(token: str) -> bool:
    """Whether the token spells one character of an emoji's name.

    >>> is_name_piece("##泪"), is_name_piece("##")
    (True, False)
    """
    return token.startswith(PIECE_PREFIX) and len(token) > len(PIECE_PREFIX)


def write_vocabulary_files(
    folder: str | Path,
    words: Sequence[str],
    emoji_tokens: Sequence[str],
    user_words: Sequence[UserWord],
    filename_prefix: str | None = None,
) -> dict[str, str]:
    """Write the three files of a tokenizer; returns their paths by the names of its arguments."""
    contents = {
        "vocab_file": "".join(f"{token}\n" for token in words),
        "emoji_vocab_file": "".join(f"{token}\n" for token in emoji_tokens),
        "user_dict_file": format_user_dict(user_words),
    }
    prefix = f"{filename_prefix}-" if filename_prefix else ""
    paths = {key: Path(folder) / (prefix + VOCABULARY_FILES[key]) for key in contents}
    for key, path in paths.items():
        path.write_text(contents[key], encoding="utf-8", newline="\n")
    return {key: str(path) for key, path in paths.items()}


def read_vocabulary_file(path: str | Path, first_tokens: Sequence[str]) -> list[str]:
    """Read one token a line.

    Raises:
        ValueError: cut off, not UTF-8, other first lines than ``first_tokens``, an unusable or a repeated token.
    """
    try:
        content = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8, found {error}; fetch the file again") from error
    if not content.endswith("\n"):  # a cut word may be a word, which the number of lines does not tell
        raise ValueError(f"{path}: expected a line break at the end, found {content[-20:]!r}; fetch the file again")
    tokens = content.removesuffix("\n").split("\n")
    if tokens[: len(first_tokens)] != list(first_tokens):
        raise ValueError(f"{path}: expected the first lines {list(first_tokens)}, found {tokens[: len(first_tokens)]}")
    seen: set[str] = set()
    for number, token in enumerate(tokens, start=1):
        if token in seen or not is_storable_token(token):
            raise ValueError(f"{path}, line {number}: expected a new token, found {token!r}; fetch the file again")
        seen.add(token)
    return tokens
