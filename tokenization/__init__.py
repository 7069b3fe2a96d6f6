"""From text to ids: normalisation, emoji splitting, word segmentation, the tokenizer and its vocabulary."""

from .emoji_splitting import split_emoji, strip_emoji
from .tokenization_aslstm import ASLSTMTokenizer, TokenSpan
from .vocabulary import Vocabulary, build_tokenizer, build_vocabulary
from .word_segmentation import UserWord, read_user_dict

# This file never travels with a saved model, so the registration that fills "auto_map" belongs here.
ASLSTMTokenizer.register_for_auto_class("AutoTokenizer")

__all__ = [
    "ASLSTMTokenizer",
    "TokenSpan",
    "UserWord",
    "Vocabulary",
    "build_tokenizer",
    "build_vocabulary",
    "read_user_dict",
    "split_emoji",
    "strip_emoji",
]
