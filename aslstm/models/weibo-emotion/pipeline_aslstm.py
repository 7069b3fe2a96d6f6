"""Takes posts and gives the label and score of each, and on request the reasons: the ``text-classification`` pipeline."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import TextClassificationPipeline

from .contributions_aslstm import contributions_of_posts
from .results_aslstm import (
    SCORES_NOT_FINITE,
    attention_entries,
    check_has_polarity,
    check_has_weights,
    check_tokenizer,
    check_weights,
    emoji_effect_entry,
    parts_of_posts,
    polarity_entry,
    text_of,
)

# How many rows are read at once where posts are read without each of their words: few enough for the memory if a post is long.
_ROWS_AT_ONCE = 64


class ASLSTMPipeline(TextClassificationPipeline):
    """Answers as the stock pipeline does, truncates by default, and adds reasons and the polarity to a result on request.

    ``return_contributions=True`` adds ``contributions``: one ``{"token", "start", "end", "is_emoji", "contributions"}`` for
    each word or emoji, where ``text[start:end] == token``. Its ``contributions`` has for each label the log-odds of the post
    minus those of the post without this word or emoji (leave-one-out): positive if it speaks for the label, negative if it
    speaks against it. A post is read once more for each of its words and emoji.

    ``return_attention=True`` adds ``attention``: one ``{"token", "start", "end", "weight", "is_emoji"}`` for each word or
    emoji, where ``text[start:end] == token`` and the weights of the words sum to 1.

    ``emoji_effect=True`` adds ``emoji_effect``: what the emoji did to the answer, or None for a post without emoji. The
    model also reads the post's words alone and its emoji alone, so a post with emoji is read three times::

        {"emoji": ["[泪]"],
         "without_emoji": {"label": "happiness", "score": 0.61},  # the answer for the words alone
         "without_words": {"label": "sadness", "score": 0.97},    # the answer for the emoji alone; None without words
         "difference": {"sadness": 0.82, ...},                    # for each label: the post's score minus the words' score
         "disagree": True}                                        # words and emoji, each alone, have opposite polarities

    The words alone are the ids of the post without those of its emoji; a post that is all emoji leaves an empty text.
    ``disagree`` hints at irony: one part is positive and the other negative. In a model whose labels have no polarities it says
    only that the parts get different labels, neither of them ``none`` or ``neutral``.

    ``polarity=True`` adds ``polarity`` (``negative``, ``neutral`` or ``positive``) and ``polarity_score`` (from -1 to 1), which
    are sums over all labels, whatever ``top_k`` and ``function_to_apply`` are: see :func:`polarity_entry`.

    Raises:
        ValueError: Tokenizer and model have different vocabularies, weights were never loaded or trained, an input is no text,
            a score is no finite number, attention is asked of a fusion that has none, or the polarity of a model that has none.
    """

    tokenizer: Any  # This is an ASLSTMTokenizer, whose class is in the other package.

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_tokenizer(self.tokenizer, self.model.config)
        check_weights(getattr(self.model, "fresh_weights", ()))

    def check_model_type(self, supported_models: Any) -> None:
        """Accept any sequence classifier; the base class knows only those of its own library and would report an error."""
        if not type(self.model).__name__.endswith("ForSequenceClassification"):
            super().check_model_type(supported_models)

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Classify texts as the stock pipeline does; a tuple of texts is a list of them, and an empty list gives no results.

        Args:
            inputs: A post or a list of posts, each a text or ``{"text": text}``; or a data set or generator of them.
            kwargs: ``return_attention``, ``return_contributions``, ``emoji_effect``, ``polarity``, and what the stock pipeline
                takes.

        Raises:
            ValueError: An input is no text.
        """
        inputs = list(inputs) if isinstance(inputs, tuple) else inputs
        return [] if isinstance(inputs, list) and not inputs else super().__call__(inputs, **kwargs)

    def _sanitize_parameters(
        self,
        return_attention: bool | None = None,
        emoji_effect: bool | None = None,
        return_contributions: bool | None = None,
        polarity: bool | None = None,
        **kwargs: Any,
    ) -> tuple[dict, dict, dict]:
        stages = super()._sanitize_parameters(**kwargs)
        if return_attention:
            check_has_weights(self.model.config)
        if polarity:
            check_has_polarity(self.model.config)
        stages[-1].update({} if polarity is None else {"polarity": polarity})
        asked = {
            "return_attention": return_attention,
            "emoji_effect": emoji_effect,
            "return_contributions": return_contributions,
        }
        for stage in stages:
            stage |= {name: value for name, value in asked.items() if value is not None}
        return stages

    def preprocess(
        self,
        inputs: Any,
        return_attention: bool = False,
        emoji_effect: bool = False,
        return_contributions: bool = False,
        **tokenizer_kwargs: Any,
    ) -> dict[str, Any]:
        """Return the ids of one post, and where reasons are asked for the place of each in the text."""
        tokenizer_kwargs.setdefault("truncation", True)
        with_reasons = return_attention or emoji_effect or return_contributions
        text = text_of(inputs, "return_contributions, return_attention, emoji_effect: " if with_reasons else "")
        if not with_reasons:
            encoded: dict[str, Any] = super().preprocess(text, **tokenizer_kwargs)
            return encoded
        (post,) = self.tokenizer.encode_with_offsets([text])
        encoded = self.tokenizer.prepare_for_model(post.ids, return_tensors="pt", prepend_batch_axis=True, **tokenizer_kwargs)
        kept = self.tokenizer.kept_positions(post.ids, encoded["input_ids"].size(1))
        return {**encoded, "text": text, "spans": [post.spans[i] for i in kept]}

    def _forward(
        self,
        model_inputs: dict[str, Any],
        return_attention: bool = False,
        emoji_effect: bool = False,
        return_contributions: bool = False,
    ) -> dict[str, Any]:
        reasons: dict[str, Any] = {key: model_inputs.pop(key) for key in ("text", "spans") if key in model_inputs}
        outputs = self.model(**model_inputs, return_dict=True)
        if not torch.isfinite(outputs.logits).all():
            raise ValueError(SCORES_NOT_FINITE)
        if reasons:
            ids = reasons["input_ids"] = model_inputs["input_ids"]
            # Padding may be on either side, and the places in the text are those of the other tokens.
            reasons["is_token"] = model_inputs.get("attention_mask", ids != self.model.config.pad_token_id)
        if return_attention:
            reasons["weights"] = outputs.attention_weights
        rows = [ids[ids != self.model.config.pad_token_id].tolist() for ids in model_inputs["input_ids"]] if reasons else []
        if emoji_effect:
            reasons["parts"] = self._logits_of_parts(rows, outputs.logits)
        if return_contributions:
            # The base class puts the texts of a batch into a list, and leaves a single text as it is.
            is_one = isinstance(reasons["text"], str)
            texts, spans = ([reasons[name]] if is_one else reasons[name] for name in ("text", "spans"))
            found = self._contributions(texts, list(zip(rows, spans, strict=True)), outputs.logits)
            reasons["contributions"] = found[0] if is_one else found
        return {"logits": outputs.logits, **reasons}

    def _contributions(
        self, texts: Sequence[str], posts: Sequence[tuple[Any, Any]], logits: torch.Tensor
    ) -> list[list[dict[str, Any]]]:
        """Return for each post the contributions of its words and emoji."""

        def read(rows: list[list[int]]) -> list[list[float]]:
            batch = self.tokenizer.pad({"input_ids": rows}, return_tensors="pt").to(logits.device)
            return self.model(**batch, return_dict=True).logits.float().tolist()

        config, unk_token_id = self.model.config, self.tokenizer.unk_token_id
        whole = logits.float().tolist()
        return contributions_of_posts(texts, posts, whole, read, config, unk_token_id=unk_token_id, batch_size=_ROWS_AT_ONCE)

    def _logits_of_parts(self, rows: Sequence[Sequence[int]], logits: torch.Tensor) -> torch.Tensor:
        """Return logits (batch, 2, num_labels) of the words alone and of the emoji alone; zeros for a post without emoji."""
        parts = logits.new_zeros(len(rows), 2, logits.size(1))
        places, ids = parts_of_posts(rows, self.model.config, self.tokenizer.unk_token_id)
        if places:
            batch = self.tokenizer.pad({"input_ids": ids}, return_tensors="pt").to(logits.device)
            parts[places] = self.model(**batch).logits.view(len(places), 2, -1)
        return parts

    def postprocess(
        self,
        model_outputs: dict[str, Any],
        return_attention: bool = False,
        emoji_effect: bool = False,
        return_contributions: bool = False,
        polarity: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Return the stock result, with what else was asked for in each of its dictionaries."""
        result = super().postprocess(model_outputs, **kwargs)
        added: dict[str, Any] = {}
        if polarity:
            added |= polarity_entry(model_outputs["logits"][0].double().softmax(-1).tolist(), self.model.config)
        if return_attention or emoji_effect:
            added |= self._reasons(model_outputs, return_attention, emoji_effect, **kwargs)
        if return_contributions:
            added["contributions"] = model_outputs["contributions"]
        for entry in [result] if isinstance(result, dict) else result:
            entry |= added
        return result

    def _reasons(
        self, model_outputs: dict[str, Any], return_attention: bool, emoji_effect: bool, **kwargs: Any
    ) -> dict[str, Any]:
        """Return the attention and the effect of the emoji of one answer, where they were asked for."""
        is_token = model_outputs["is_token"][0].bool()
        ids = model_outputs["input_ids"][0][is_token].tolist()
        weights = model_outputs["weights"][0][is_token].float().tolist() if return_attention else [0.0] * len(ids)
        entries = attention_entries(model_outputs["text"], model_outputs["spans"], ids, weights, self.model.config)
        reasons: dict[str, Any] = {"attention": entries} if return_attention else {}
        if emoji_effect:
            without_emoji, without_words = model_outputs["parts"][0][:, None]
            scores = [self._scores(logits, **kwargs) for logits in (model_outputs["logits"], without_emoji, without_words)]
            reasons["emoji_effect"] = emoji_effect_entry(entries, *scores, polarities=self.model.config.polarity_of_labels)
        return reasons

    def _scores(self, logits: torch.Tensor, **kwargs: Any) -> dict[str, float]:
        """Return the score of each label for logits (1, num_labels)."""
        every = super().postprocess({"logits": logits}, **kwargs | {"top_k": None, "_legacy": False})
        return {entry["label"]: entry["score"] for entry in every}
