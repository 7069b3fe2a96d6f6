"""From text to ids: normalisation, emoji splitting, word segmentation, the tokenizer and its vocabulary.

Names are imported at first use: finding new words needs neither transformers nor jieba, which take seconds to import.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .emoji_splitting import split_emoji, strip_emoji
    from .new_words import NewWord, discover_words
    from .post_encoding import EncodedPost, PostEncoder, TokenSpan
    from .tokenization_aslstm import ASLSTMTokenizer
    from .vocabulary import Vocabulary, build_tokenizer, build_vocabulary
    from .word_segmentation import UserWord, read_user_dict

_HOMES = {
    "ASLSTMTokenizer": "vocabulary",  # which registers the class for its auto class
    "EncodedPost": "post_encoding",
    "NewWord": "new_words",
    "PostEncoder": "post_encoding",
    "TokenSpan": "post_encoding",
    "UserWord": "word_segmentation",
    "Vocabulary": "vocabulary",
    "build_tokenizer": "vocabulary",
    "build_vocabulary": "vocabulary",
    "discover_words": "new_words",
    "read_user_dict": "word_segmentation",
    "split_emoji": "emoji_splitting",
    "strip_emoji": "emoji_splitting",
}

__all__ = [
    "ASLSTMTokenizer",
    "EncodedPost",
    "NewWord",
    "PostEncoder",
    "TokenSpan",
    "UserWord",
    "Vocabulary",
    "build_tokenizer",
    "build_vocabulary",
    "discover_words",
    "read_user_dict",
    "split_emoji",
    "strip_emoji",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
