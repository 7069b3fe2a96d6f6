"""The ``text-classification`` pipeline: posts in, label and score out, and on request the reasons."""

from typing import Any

from transformers import TextClassificationPipeline

from .results_aslstm import attention_entries, check_has_weights, check_tokenizer, spans_of_ids


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
        check_tokenizer(self.tokenizer, self.model.config)

    def check_model_type(self, supported_models: Any) -> None:
        """Accept any sequence classifier: the base class knows only those of its own library and reports an error."""
        if not type(self.model).__name__.endswith("ForSequenceClassification"):
            super().check_model_type(supported_models)

    def _sanitize_parameters(self, return_attention: bool | None = None, **kwargs: Any) -> tuple[dict, dict, dict]:
        preprocess, forward, postprocess = super()._sanitize_parameters(**kwargs)
        if return_attention is not None:
            if return_attention:
                check_has_weights(self.model.config)
            preprocess["return_attention"] = return_attention
        return preprocess, forward, postprocess

    def preprocess(self, inputs: Any, return_attention: bool = False, **tokenizer_kwargs: Any) -> dict[str, Any]:
        """Ids of one post, and with ``return_attention`` the place of each in the text."""
        tokenizer_kwargs.setdefault("truncation", True)
        encoded: dict[str, Any] = super().preprocess(inputs, **tokenizer_kwargs)
        if not return_attention:
            return encoded
        text = inputs["text"] if isinstance(inputs, dict) else inputs
        return {**encoded, "text": text, "spans": spans_of_ids(self.tokenizer, text, encoded["input_ids"].size(1))}

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
        attention = attention_entries(
            model_outputs["text"],
            model_outputs["spans"],
            model_outputs["input_ids"][0].tolist(),
            model_outputs["weights"][0].float().tolist(),
            self.model.config,
        )
        for entry in [result] if isinstance(result, dict) else result:
            entry["attention"] = attention
        return result
