"""Takes the flags of ``aslstm serve`` and answers posts over HTTP until it is stopped.

aslstm serve
aslstm serve --model outputs/nlpcc2014 --backend onnx --host 0.0.0.0

``POST /predict`` answers posts, ``/health`` and ``/metrics`` watch the service, ``/docs`` shows how it is asked. With a model
that has ONNX graphs it needs no torch.
"""

from collections.abc import Sequence
from functools import partial

from aslstm.prediction.settings import InferenceSettings

# Importing these needs the packages of the extra "serve", for which the command line checks.
from aslstm.serving.server import serve
from aslstm.serving.settings import ServingSettings

from .flags import CommandParser, add_settings, make_settings


def main(given: Sequence[str] | None = None) -> None:
    """Serve a model until SIGTERM or Ctrl-C."""
    parser = CommandParser("serve", "Answer posts over HTTP.")
    add_settings(parser, ServingSettings, InferenceSettings, leave_out=["batch_size"])
    arguments = parser.parse_args(given)
    settings = make_settings(ServingSettings, arguments)
    serve(settings, make_settings(InferenceSettings, arguments), partial(print, flush=True))
