"""The ``text-classification`` pipeline: posts in, label and score out, and on request the reasons."""

from typing import Any

from transformers import TextClassificationPipeline


class ASLSTMPipeline(TextClassificationPipeline):
    """The stock pipeline, with truncation by default and ``return_attention=True``.

    With it each result has ``attention``: one ``{"token", "start", "end", "weight", "is_emoji"}`` for each word or emoji,
    where ``text[start:end] == token`` and the weights of the words sum to 1.

    Raises:
        ValueError: tokenizer and model of different vocabularies; attention asked of a fusion that has none.
    """

    tokenizer: Any  # an ASLSTMTokenizer, whose class lies in the other package

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        tokenizer, config = self.tokenizer, self.model.config
        found = (tokenizer.emoji_token_offset, tokenizer.num_emoji_tokens)
        expected = (config.emoji_token_offset, config.num_emoji_tokens)
        if found != expected or len(tokenizer) > config.vocab_size:
            raise ValueError(
                f"expected a tokenizer with {config.vocab_size} tokens and the emoji range {expected} (offset, length) of the "
                f"model's config, found {len(tokenizer)} tokens and {found}; load both from the same folder"
            )

    def check_model_type(self, supported_models: Any) -> None:
        """Accept any sequence classifier: the base class knows only those of its own library and reports an error."""
        if not type(self.model).__name__.endswith("ForSequenceClassification"):
            super().check_model_type(supported_models)

    def _sanitize_parameters(self, return_attention: bool | None = None, **kwargs: Any) -> tuple[dict, dict, dict]:
        preprocess, forward, postprocess = super()._sanitize_parameters(**kwargs)
        if return_attention is not None:
            if return_attention and self.model.config.emoji_fusion not in ("attention", "hierarchical"):
                raise ValueError(
                    "return_attention: expected a model with emoji_fusion 'attention' or 'hierarchical', found "
                    f"{self.model.config.emoji_fusion!r}, which gives no weights; call it without return_attention"
                )
            preprocess["return_attention"] = return_attention
        return preprocess, forward, postprocess

    def preprocess(self, inputs: Any, return_attention: bool = False, **tokenizer_kwargs: Any) -> dict[str, Any]:
        """Ids of one post, and with ``return_attention`` the place of each in the text."""
        tokenizer_kwargs.setdefault("truncation", True)
        encoded: dict[str, Any] = super().preprocess(inputs, **tokenizer_kwargs)
        if not return_attention:
            return encoded
        text = inputs["text"] if isinstance(inputs, dict) else inputs
        spans = self.tokenizer.tokenize_with_offsets(text)
        ids = self.tokenizer.convert_tokens_to_ids([span.token for span in spans])
        kept = self.tokenizer.kept_positions(ids, encoded["input_ids"].size(1))
        return {**encoded, "text": text, "spans": [[spans[i].start, spans[i].end] for i in kept]}

    def _forward(self, model_inputs: dict[str, Any]) -> dict[str, Any]:
        reasons: dict[str, Any] = {key: model_inputs.pop(key) for key in ("text", "spans") if key in model_inputs}
        outputs = self.model(**model_inputs)
        if reasons:
            reasons |= {"input_ids": model_inputs["input_ids"], "weights": outputs.attention_weights}
        return {"logits": outputs.logits, **reasons}

    def postprocess(self, model_outputs: dict[str, Any], **kwargs: Any) -> Any:
        """The stock result, with ``attention`` in every dictionary where it was asked for."""
        result = super().postprocess(model_outputs, **kwargs)
        if "spans" not in model_outputs:
            return result
        attention = self._attention(model_outputs)
        for entry in [result] if isinstance(result, dict) else result:
            entry["attention"] = attention
        return result

    def _attention(self, model_outputs: dict[str, Any]) -> list[dict[str, Any]]:
        config = self.model.config
        text = model_outputs["text"]
        weights = model_outputs["weights"][0].float().tolist()
        ids = model_outputs["input_ids"][0].tolist()
        entries: list[dict[str, Any]] = []
        for (start, end), token_id, weight in zip(model_outputs["spans"], ids, weights, strict=False):
            is_emoji = config.emoji_token_offset <= token_id < config.emoji_token_offset + config.num_emoji_tokens
            if is_emoji and entries and end <= entries[-1]["end"]:
                continue  # a name piece: its characters stand inside the code that is already listed
            entries.append({"token": text[start:end], "start": start, "end": end, "weight": weight, "is_emoji": is_emoji})
        return entries
