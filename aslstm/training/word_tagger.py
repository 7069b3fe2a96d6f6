"""Takes the characters of Chinese text and the words that a dictionary cuts it into and gives better words.

A segmenter cuts a word that its dictionary lacks into short pieces. The tagger of this module joins such pieces: it gives each
character one of the tags B, M, E and S (begin, middle, end of a word, single character). It is a bidirectional LSTM with a CRF
layer (Huang, Xu and Yu 2015), trained on text whose words were hidden from the dictionary. No sentiment model needs this file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torchcrf import CRF
from transformers import PretrainedConfig, PreTrainedModel
from transformers.utils import ModelOutput

TAGS = "BMES"
_BEGIN, _MIDDLE, _END, _SINGLE = range(len(TAGS))
PAD_ID, UNKNOWN_ID = 0, 1
_FIRST_ID = 2


def tags_of_words(words: Sequence[str]) -> list[int]:
    """Return the tags of a segmented text, one for each character.

    >>> "".join(TAGS[tag] for tag in tags_of_words(["绝绝子", "真", "给力"]))
    'BMESBE'
    """
    tags: list[int] = []
    for word in words:
        tags += [_SINGLE] if len(word) == 1 else [_BEGIN, *[_MIDDLE] * (len(word) - 2), _END]
    return tags


def words_of_tags(text: str, tags: Sequence[int]) -> list[str]:
    """Return the words that tags cut a text into; joined they always give the text again, whatever the tags are.

    >>> words_of_tags("绝绝子真给力", [0, 1, 2, 3, 0, 2])
    ['绝绝子', '真', '给力']
    """
    words, start = [], 0
    for i, tag in enumerate(tags, start=1):
        if tag in (_END, _SINGLE) or i == len(text):
            words.append(text[start:i])
            start = i
    return words


class WordTaggerConfig(PretrainedConfig):
    """Holds the configuration of the tagger.

    Args:
        characters: The characters that the tagger knows. Their ids follow their order, after those of padding and unknown.
        embedding_size: The size of a character's vector.
        tag_embedding_size: The size of the vector of a tag that the dictionary gives.
        hidden_size: The number of units of one LSTM direction.
        hidden_dropout_prob: The dropout of the embeddings and before the classifier.
        character_dropout_prob: The share of the characters that training replaces by the unknown one, so that the tagger does
            not rely on rare characters.
        kwargs: The arguments that every config takes.

    Raises:
        ValueError: A character occurs twice.
    """

    model_type = "aslstm_word_tagger"

    def __init__(
        self,
        characters: str = "",
        embedding_size: int = 64,
        tag_embedding_size: int = 16,
        hidden_size: int = 128,
        hidden_dropout_prob: float = 0.3,
        character_dropout_prob: float = 0.1,
        **kwargs: Any,
    ) -> None:
        if len(set(characters)) < len(characters):
            raise ValueError("characters: expected each once, found some twice")
        self.characters = characters
        self.embedding_size = embedding_size
        self.tag_embedding_size = tag_embedding_size
        self.hidden_size = hidden_size
        self.hidden_dropout_prob = hidden_dropout_prob
        self.character_dropout_prob = character_dropout_prob
        super().__init__(**kwargs)


@dataclass
class WordTaggerOutput(ModelOutput):
    """Holds the output of the tagger.

    Attributes:
        loss: The mean negative log-likelihood of a character's tag, (), if labels were given.
        logits: The scores of the tags before the CRF, (batch, seq_len, 4).
    """

    loss: Tensor | None = None
    logits: Tensor | None = None


class WordTagger(PreTrainedModel):
    """Runs a bidirectional LSTM and a CRF over characters and the tags that a dictionary gives them."""

    config_class = WordTaggerConfig
    base_model_prefix = "word_tagger"

    def __init__(self, config: WordTaggerConfig) -> None:
        super().__init__(config)
        self.character_embeddings = nn.Embedding(_FIRST_ID + len(config.characters), config.embedding_size, padding_idx=PAD_ID)
        self.tag_embeddings = nn.Embedding(len(TAGS), config.tag_embedding_size)
        self.encoder = nn.LSTM(
            config.embedding_size + config.tag_embedding_size, config.hidden_size, bidirectional=True, batch_first=True
        )
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(2 * config.hidden_size, len(TAGS))
        self.crf = CRF(len(TAGS), batch_first=True)
        self._ids = {character: i for i, character in enumerate(config.characters, start=_FIRST_ID)}
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.1)
        elif isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LSTM):
            for name, parameter in module.named_parameters():
                nn.init.zeros_(parameter) if "bias" in name else nn.init.xavier_uniform_(parameter)
        elif isinstance(module, CRF):
            for parameter in module.parameters():
                nn.init.uniform_(parameter, -0.1, 0.1)

    def encode(self, text: str) -> list[int]:
        """Return the ids of the characters of a text."""
        return [self._ids.get(character, UNKNOWN_ID) for character in text]

    def forward(
        self, input_ids: Tensor, dictionary_tags: Tensor, attention_mask: Tensor, labels: Tensor | None = None
    ) -> WordTaggerOutput:
        """Score the tags.

        Args:
            input_ids: The characters, (batch, seq_len) int64, padded on the right.
            dictionary_tags: The tags of the dictionary's segmentation, (batch, seq_len) int64.
            attention_mask: 1 for characters and 0 for padding, (batch, seq_len).
            labels: The correct tags, (batch, seq_len) int64, or None.
        """
        if self.training:
            dropped = torch.rand(input_ids.shape, device=input_ids.device) < self.config.character_dropout_prob
            input_ids = input_ids.masked_fill(dropped & (input_ids != PAD_ID), UNKNOWN_ID)
        embedded = torch.cat([self.character_embeddings(input_ids), self.tag_embeddings(dictionary_tags)], dim=-1)
        packed = nn.utils.rnn.pack_padded_sequence(
            self.dropout(embedded), attention_mask.sum(1).cpu(), batch_first=True, enforce_sorted=False
        )
        hidden, _ = nn.utils.rnn.pad_packed_sequence(self.encoder(packed)[0], batch_first=True, total_length=input_ids.shape[1])
        logits = self.classifier(self.dropout(hidden))
        loss = None
        if labels is not None:
            loss = -self.crf(logits.float(), labels, attention_mask.bool(), reduction="token_mean")
        return WordTaggerOutput(loss=loss, logits=logits)

    @torch.inference_mode()
    def tag(self, input_ids: Tensor, dictionary_tags: Tensor, attention_mask: Tensor) -> list[list[int]]:
        """Return the best tags of each row (Viterbi), without those of padding."""
        logits = self(input_ids, dictionary_tags, attention_mask).logits
        return self.crf.decode(logits.float(), attention_mask.bool())
