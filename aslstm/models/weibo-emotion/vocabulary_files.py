"""Read, check and write the files of a vocabulary, and make the table of tokens and ids.

Takes paths or lists of tokens and gives lists of tokens or a ``TokenTable``. The encoder and the builder of vocabularies share
this module.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from .word_segmentation import UserWord, format_user_dict

# Special tokens have angle brackets, because "[PAD]" would look like a weibo code. No text can contain these tokens, because
# jieba never joins "<" to a word.
PAD_TOKEN, UNK_TOKEN, MASK_TOKEN = "<pad>", "<unk>", "<mask>"
UNK_EMOJI_TOKEN = "<unk_emoji>"
PIECE_PREFIX = "##"
# The tokenizer's argument for each file -> its name in a model folder.
VOCABULARY_FILES = {
    "vocab_file": "vocab.txt",
    "emoji_vocab_file": "emoji_vocab.txt",
    "user_dict_file": "user_dict.txt",
    "script_table_file": "script_table.txt",
}
# The characters that no token has: white space, controls and surrogates; a line feed ends a token.
_NOT_STORABLE = re.compile("[^\\S\n]|[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# Those that a tokenizer may lack.
_OPTIONAL_FILES = ("user_dict_file", "script_table_file")


def is_storable_token(token: str) -> bool:
    """Return whether a vocabulary file can hold the token: not empty, and without white space, controls or surrogates."""
    return bool(token) and not any(c.isspace() or unicodedata.category(c) in ("Cc", "Cs") for c in token)


def is_name_piece(token: str) -> bool:
    """Return whether the token spells one character of an emoji's name.

    >>> is_name_piece("##泪"), is_name_piece("##")
    (True, False)
    """
    return token.startswith(PIECE_PREFIX) and len(token) > len(PIECE_PREFIX)


def join_tokens(tokens: Sequence[str]) -> str:
    """Join tokens to a text: Latin words get a space between them, and the name pieces of an emoji become its code again.

    >>> join_tokens(["我", "love", "you", "<unk_emoji>", "##泪", "##流"])
    '我love you[泪流]'
    """
    text = ""
    for i, token in enumerate(tokens):
        if is_name_piece(token) and text:
            text = text[:-1] if text.endswith("]") else text.removesuffix(UNK_EMOJI_TOKEN) + "["
            text += token.removeprefix(PIECE_PREFIX) + "]"
            continue
        latin = i > 0 and _is_latin(tokens[i - 1][-1:]) and _is_latin(token[:1])
        text += " " + token if latin else token
    return text


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


def write_vocabulary_files(
    folder: str | Path,
    words: Sequence[str],
    emoji_tokens: Sequence[str],
    user_words: Sequence[UserWord],
    filename_prefix: str | None = None,
    *,
    characters: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """Write the files of a tokenizer and return their paths by the names of its arguments.

    Args:
        folder: The folder to write to, which must exist.
        words: The tokens of ``vocab.txt`` in the order of their ids.
        emoji_tokens: The tokens of ``emoji_vocab.txt`` in the order of their ids.
        user_words: The entries of ``user_dict.txt``.
        filename_prefix: A prefix that is put before each file name with a hyphen, or None.
        characters: The table of traditional characters, which is written if it is not empty.
    """
    contents = {
        "vocab_file": "".join(f"{token}\n" for token in words),
        "emoji_vocab_file": "".join(f"{token}\n" for token in emoji_tokens),
        "user_dict_file": format_user_dict(user_words),
    }
    if characters:
        contents["script_table_file"] = "".join(f"{old}{new}\n" for old, new in sorted(characters.items()))
    prefix = f"{filename_prefix}-" if filename_prefix else ""
    paths = {key: Path(folder) / (prefix + VOCABULARY_FILES[key]) for key in contents}
    for key, path in paths.items():
        path.write_text(contents[key], encoding="utf-8", newline="\n")
    return {key: str(path) for key, path in paths.items()}


def read_vocabulary_file(path: str | Path, first_tokens: Sequence[str]) -> list[str]:
    """Read a vocabulary file, which has one token in each line.

    Args:
        path: The file to read.
        first_tokens: The tokens that the first lines must hold.

    Raises:
        ValueError: The file is cut off or not UTF-8, its first lines are others, or a token is unusable or repeated.
    """
    try:
        content = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8, found {error}; fetch the file again") from error
    if not content.endswith("\n"):  # the rest of a word that was cut off may be a word too, and the number of lines be right
        raise ValueError(f"{path}: expected a line break at the end, found {content[-20:]!r}; fetch the file again")
    tokens = content.removesuffix("\n").split("\n")
    if tokens[: len(first_tokens)] != list(first_tokens):
        raise ValueError(f"{path}: expected the first lines {list(first_tokens)}, found {tokens[: len(first_tokens)]}")
    # Nearly every file is as it was written, which is known in a tenth of the time that a look at each token takes.
    if len(set(tokens)) == len(tokens) and "" not in tokens and not _NOT_STORABLE.search(content):
        return tokens
    seen: set[str] = set()
    for number, token in enumerate(tokens, start=1):
        if token in seen or not is_storable_token(token):
            raise ValueError(f"{path}, line {number}: expected a new token, found {token!r}; fetch the file again")
        seen.add(token)
    return tokens


def read_script_table(path: str | Path | None) -> dict[str, str]:
    """Read a table of characters: traditional ones with the simplified ones.

    Raises:
        ValueError: no file, not UTF-8, cut off, or a line that is not two characters.
    """
    if path is None:
        raise ValueError("expected script_table.txt beside vocab.txt, found none; fetch the folder again")
    try:
        content = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8, found {error}; fetch the file again") from error
    lines = content.removesuffix("\n").split("\n")
    wrong = next(
        (line for line in lines if len(line) != 2 or line[0] == line[1]), None if content.endswith("\n") else lines[-1]
    )
    if wrong is not None:
        raise ValueError(f"{path}: expected lines of two characters each, found {wrong!r}; fetch the file again")
    return {line[0]: line[1] for line in lines}


class SavedTokenizer(NamedTuple):
    """What a folder holds of a tokenizer.

    Attributes:
        files: The paths of the vocabulary files by the names of the tokenizer's arguments.
        config: The content of ``tokenizer_config.json``.
        added_ids: The ids of the added tokens and of the special tokens.
        added_words: The tokens of ``added_ids`` that are not special.
    """

    files: dict[str, Path]
    config: dict[str, Any]
    added_ids: dict[str, int]
    added_words: list[str]


def read_saved_tokenizer(folder: Path) -> SavedTokenizer:
    """Read a tokenizer that transformers has saved, without transformers.

    Args:
        folder: The folder of the saved tokenizer. Its user dictionary may be missing.

    Raises:
        ValueError: A file is missing, or the configuration cannot be read.
    """
    config_file = folder / "tokenizer_config.json"
    files = {name: folder / VOCABULARY_FILES[name] for name in VOCABULARY_FILES}
    files = {name: path for name, path in files.items() if name not in _OPTIONAL_FILES or path.is_file()}
    for path in (config_file, *files.values()):
        if not path.is_file():
            raise ValueError(f"{path}: expected a file of a saved tokenizer, found none; fetch the folder again")
    try:
        config = json.loads(config_file.read_text(encoding="utf-8"))
        added = config.get("added_tokens_decoder", {})
        ids = {token["content"]: int(token_id) for token_id, token in added.items()}
        words = [token["content"] for token in added.values() if not token["special"]]
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise ValueError(f"{config_file}: expected a saved tokenizer, found: {error!r}; fetch the file again") from error
    return SavedTokenizer(files, config, ids, words)


class TokenTable:
    """The tokens of a model and their ids.

    Args:
        vocab_file: The path of ``vocab.txt``, which holds the special tokens, words and characters.
        emoji_vocab_file: The path of ``emoji_vocab.txt``, which holds the tokens of the emoji range.
        emoji_token_offset: The first id of the emoji range. If it is given, ``vocab_file`` must agree with it.
        num_emoji_tokens: The size of the emoji range. If it is given, ``emoji_vocab_file`` must agree with it.

    Attributes:
        tokens: The tokens of the files in the order of their ids.
        ids: The id of each of these tokens.
        added_ids: The id of each added token. New tokens have ids behind the emoji range; a token of the vocabulary that is
            added again keeps its id.
        added_emoji_ids: The ids of those added tokens that are emoji.

    Raises:
        ValueError: A vocabulary file is damaged, or its size is not that of the saved range.
    """

    def __init__(
        self,
        vocab_file: str | Path,
        emoji_vocab_file: str | Path,
        emoji_token_offset: int | None = None,
        num_emoji_tokens: int | None = None,
    ) -> None:
        words = read_vocabulary_file(vocab_file, (PAD_TOKEN, UNK_TOKEN, MASK_TOKEN))
        emoji_tokens = read_vocabulary_file(emoji_vocab_file, (UNK_EMOJI_TOKEN,))
        for name, path, expected, found in (
            ("emoji_token_offset", vocab_file, emoji_token_offset, len(words)),
            ("num_emoji_tokens", emoji_vocab_file, num_emoji_tokens, len(emoji_tokens)),
        ):
            if expected is not None and expected != found:
                raise ValueError(f"{path}: expected {expected} lines ({name}), found {found}; fetch the file again")
        self.tokens = words + emoji_tokens
        self.ids = {token: i for i, token in enumerate(self.tokens)}
        if len(self.ids) < len(self.tokens):
            shared = sorted(set(words) & set(emoji_tokens))[:5]
            raise ValueError(f"{emoji_vocab_file}: expected emoji only, found tokens of {vocab_file}: {shared}")
        self.added_ids: dict[str, int] = {}
        self.added_emoji_ids: set[int] = set()
        self.emoji_token_offset = len(words)
        self.num_emoji_tokens = len(emoji_tokens)
        num_pieces = sum(is_name_piece(token) for token in emoji_tokens)
        self._first_piece_id = len(self.tokens) - num_pieces
        if any(is_name_piece(token) for token in emoji_tokens[: len(emoji_tokens) - num_pieces]):
            raise ValueError(f"{emoji_vocab_file}: expected the name pieces in the last lines; fetch the file again")

    def __len__(self) -> int:
        return len(self.tokens) + len(self.added_ids.keys() - self.ids.keys())

    def __contains__(self, token: str) -> bool:
        return token in self.ids or token in self.added_ids

    def id_of(self, token: str) -> int:
        """Return the id of a token, or that of ``<unk>`` if the token is unknown."""
        return self.added_ids[token] if token in self.added_ids else self.ids.get(token, self.ids[UNK_TOKEN])

    def spell_emoji(self, token: str) -> list[str]:
        """Return an emoji as tokens that are always known: ``<unk_emoji>``, then a name piece for every known character.

        A Unicode emoji has no name to spell, so it is ``<unk_emoji>`` alone.
        """
        name = token[1:-1] if token.startswith("[") else ""
        return [UNK_EMOJI_TOKEN, *(PIECE_PREFIX + c for c in name if PIECE_PREFIX + c in self.ids)]

    def kept_positions(self, ids: Sequence[int], max_length: int, max_emoji: int) -> list[int]:
        """Return the positions of the tokens that truncation keeps, in order.

        Emoji are kept first, whole and at most ``max_emoji`` of them, then the first words. Most emoji are at the end of a
        post, where plain truncation would lose them.

        Args:
            ids: The ids of a post.
            max_length: How many tokens are kept.
            max_emoji: How many emoji are kept at most.
        """
        if len(ids) <= max_length:
            return list(range(len(ids)))
        last = self.emoji_token_offset + self.num_emoji_tokens
        words: list[int] = []
        groups: list[list[int]] = []
        for position, token_id in enumerate(ids):
            if token_id in self.added_emoji_ids:
                groups.append([position])
            elif not self.emoji_token_offset <= token_id < last:
                words.append(position)
            elif token_id >= self._first_piece_id and groups:
                groups[-1].append(position)
            else:
                groups.append([position])
        kept: list[int] = []
        for group in groups[:max_emoji]:
            if len(kept) + len(group) > max_length:
                break
            kept += group
        # A single spelled emoji that is longer than the limit is cut rather than lost.
        return sorted(kept + words[: max_length - len(kept)]) or list(range(max_length))
