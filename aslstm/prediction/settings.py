"""Holds the settings that say how a model folder is run; the commands turn them into flags."""

from dataclasses import dataclass

from aslstm.settings import check_settings, setting

BACKENDS = ("torch", "onnx")


@dataclass(frozen=True)
class InferenceSettings:
    """Says how a model folder is run.

    Raises:
        UserError: A value is not possible.
    """

    backend: str | None = setting(
        None,
        "what runs the model; onnx: the int8 graph of aslstm export-onnx; default: torch, or onnx where torch is not installed",
        choices=BACKENDS,
    )
    batch_size: int = setting(256, "posts that the model reads at once", at_least=1)
    num_threads: int | None = setting(
        None, "torch: threads of one operation; onnx: batches at once; default: one for each core that may be used", at_least=1
    )

    def __post_init__(self) -> None:
        check_settings(self)
