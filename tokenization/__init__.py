"""Turn text into ids: normalisation, emoji splitting, word segmentation, and the tokenizer for transformers around them.

Every file of this folder except this one travels with a model. Names are imported at their first use, because encoding posts
does not need transformers, which takes seconds to import.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .emoji_splitting import split_emoji, strip_emoji
    from .post_encoding import EncodedPost, PostEncoder, TokenSpan
    from .tokenization_aslstm import ASLSTMTokenizer
    from .word_segmentation import UserWord, read_user_dict

_HOMES = {
    "ASLSTMTokenizer": "tokenization_aslstm",
    "EncodedPost": "post_encoding",
    "PostEncoder": "post_encoding",
    "TokenSpan": "post_encoding",
    "UserWord": "word_segmentation",
    "read_user_dict": "word_segmentation",
    "split_emoji": "emoji_splitting",
    "strip_emoji": "emoji_splitting",
}

__all__ = [
    "ASLSTMTokenizer",
    "EncodedPost",
    "PostEncoder",
    "TokenSpan",
    "UserWord",
    "read_user_dict",
    "split_emoji",
    "strip_emoji",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    if name == "ASLSTMTokenizer":
        # register_for_auto_class("AutoTokenizer") sets the same attribute, which fills "auto_map" when a tokenizer is saved,
        # but it also imports every configuration of transformers, and torch with them. It is set in a file that never travels.
        value._auto_class = "AutoTokenizer"
    globals()[name] = value
    return value
