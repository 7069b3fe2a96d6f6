"""Takes posts and gives label and score of each without torch, from the ONNX graph that ``aslstm export-onnx`` writes.

It needs the packages numpy and onnxruntime, and from the model folder only ``config.json``, the files of the tokenizer and
``onnx/``. Importing this module does not import torch.
"""

from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from aslstm.model_folder.layout import INT8_GRAPH, read_config
from modeling_aslstm.results_aslstm import check_has_polarity, check_tokenizer, text_of
from tokenization.post_encoding import PostEncoder

from .classifier import Classifier
from .onnx_backend import OnnxBackend


class OnnxPipeline:
    """Answers as ``pipeline("text-classification", …)`` does, with the same arguments and without torch.

    Args:
        folder: A model folder that ``aslstm export-onnx`` was run on, or a folder with only the files named above.
        tokenizer: The tokenizer of the same folder, ``PostEncoder`` or ``ASLSTMTokenizer``; None reads it from the folder.
        file_name: The graph in ``folder/onnx``: ``model_int8.onnx`` or ``model.onnx``.
        num_threads: How many batches run at once, each on one thread; None for one on each core.

    Raises:
        ValueError: Config or graph is missing or damaged, the folder has a newer format, or the tokenizer another vocabulary.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        tokenizer: Any = None,
        file_name: str = INT8_GRAPH,
        num_threads: int | None = None,
    ) -> None:
        folder = Path(folder)
        self.config = read_config(folder)
        self.tokenizer = PostEncoder.from_folder(folder) if tokenizer is None else tokenizer
        check_tokenizer(self.tokenizer, self.config)
        backend = OnnxBackend(folder, self.config.pad_token_id, file_name, num_threads)
        self.classifier = Classifier.from_parts(self.tokenizer, backend, self.config)
        self.label_names = self.classifier.label_names

    def __call__(
        self,
        texts: str | Mapping[str, str] | Iterable[str | Mapping[str, str]],
        *,
        top_k: int | Literal["best"] | None = "best",
        batch_size: int = 32,
        return_attention: bool = False,
        emoji_effect: bool = False,
        return_contributions: bool = False,
        polarity: bool = False,
    ) -> Any:
        """Classify a text or several.

        Args:
            texts: A post or a list of posts, each a text or ``{"text": text}``.
            top_k: The number of labels of each text, best first, as a list; None for all; "best" for the best alone, which is
                not in a list.
            batch_size: How many posts the graph reads at once; posts are sorted by length, so batches have little padding.
            return_attention: Whether to add ``attention``, as :class:`ASLSTMPipeline` does.
            emoji_effect: Whether to add ``emoji_effect``, as :class:`ASLSTMPipeline` does.
            return_contributions: Whether to add ``contributions``, as :class:`ASLSTMPipeline` does.
            polarity: Whether to add ``polarity`` and ``polarity_score``, as :class:`ASLSTMPipeline` does.

        Returns:
            A result for each text: a dictionary, or with ``top_k`` a list of them. For a text that is not in a list, a list
            with its one dictionary, or with ``top_k`` its list; for a single ``{"text": text}`` its dictionary, or with
            ``top_k`` its list. These are the shapes that transformers gives.

        Raises:
            UserError: A score is no finite number.
            ValueError: An input is no text, attention is asked of a fusion that has none, or the polarity of a model that has
                none.
        """
        if polarity:
            check_has_polarity(self.config)
        is_one = isinstance(texts, str | bytes | Mapping) or not isinstance(texts, Iterable)
        many = [text_of(text) for text in ([texts] if is_one else texts)]
        asked = {"attention": return_attention, "emoji_effect": emoji_effect, "contributions": return_contributions}
        answers = self.classifier.answers(many, batch_size=batch_size, **asked)
        columns = dict(answers.reasons)
        if polarity and answers.polarity is not None and answers.polarity_score is not None:
            columns |= {"polarity": answers.polarity, "polarity_score": answers.polarity_score.tolist()}
        results = []
        for i, pairs in enumerate(answers.ranked(self.label_names, 1 if top_k == "best" else top_k)):
            others = {name: values[i] for name, values in columns.items()}
            results.append([{"label": label, "score": score, **others} for label, score in pairs])
        if top_k == "best":
            best = [entry for (entry,) in results]
            return best[0] if isinstance(texts, Mapping) else best
        return results[0] if is_one else results
