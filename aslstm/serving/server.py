"""Takes settings and serves a model over HTTP until the process is told to stop; what was accepted is answered first."""

import asyncio
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn

from aslstm.errors import UserError
from aslstm.model_folder.choosing import folder_of, model_path
from aslstm.prediction.analysis import load
from aslstm.prediction.settings import InferenceSettings

from .service import Service, make_app
from .settings import ServingSettings

# A connection on which nothing is asked for so long may be closed. It is longer than that of common load balancers, which would
# otherwise send a request into a connection that is just being closed.
_KEEP_ALIVE_SECONDS = 75
# When the service stops, a connection that is open has so long to send one more request, which is answered.
_LINGER_SECONDS = 2.0
_POLL_SECONDS = 0.05


class _StoppingServer(uvicorn.Server):
    """Serves as uvicorn does, and stops without losing a request of an open connection.

    uvicorn alone closes every connection on which nothing is asked at that moment. A request that is on its way then would be
    lost. Here each connection is told with its next answer that it ends (``Connection: close``).

    Args:
        config: The configuration of uvicorn.
        service: The service, which is told that it stops.
        say: A function that is called with a line once the service can be asked.
    """

    def __init__(self, config: uvicorn.Config, service: Service, say: Callable[[str], object]) -> None:
        super().__init__(config)
        self.service = service
        self.say = say

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say where."""
        await super().startup(sockets=sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            self.say(f"{self.service.model} answers at {address}/predict, shown at {address}/docs; Ctrl-C stops it")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop once every open connection has had its answers."""
        self.service.is_stopping = True
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        await asyncio.sleep(0)  # Connections that wait to be accepted are accepted.
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        end = loop.time() + _LINGER_SECONDS
        while self.server_state.connections and loop.time() < end and not self.force_exit:
            await asyncio.sleep(_POLL_SECONDS)
        await super().shutdown(sockets)


def serve(settings: ServingSettings, inference: InferenceSettings, say: Callable[[str], object]) -> None:
    """Serve a model until SIGTERM or Ctrl-C.

    Args:
        settings: Which model, where, and what is refused.
        inference: How the model is run.
        say: A function that is called with a line once the service can be asked.

    Raises:
        UserError: There is no such model, it is damaged, or nothing can listen at the address.
    """
    folder = folder_of(settings.model) if settings.model else model_path()
    analyzer = load(folder, backend=inference.backend, num_threads=inference.num_threads)
    analyzer(["今天"] * 2)  # The first request should not wait for what is read or imported at the first use.
    service = Service(analyzer, Path(settings.model or folder).resolve().name, settings)
    _check_address(settings)
    config = uvicorn.Config(
        make_app(service), host=settings.host, port=settings.port, log_level="warning", access_log=False, server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS, timeout_graceful_shutdown=int(settings.timeout) + 1, ws="none",
    )  # fmt: skip
    # uvicorn raises the signal again after it has stopped. A service that was told to stop, and did, has not failed.
    before = signal.signal(signal.SIGTERM, lambda number, frame: None)
    try:
        _StoppingServer(config, service, say).run()
    finally:
        signal.signal(signal.SIGTERM, before)


def _check_address(settings: ServingSettings) -> None:
    """Refuse an address at which nothing can listen.

    Raises:
        UserError: The port is taken, or the host is none of this machine.
    """
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        found = f"{settings.host}:{settings.port}: {error.strerror or error}"
        raise UserError(f"`host` and `port`: expected a free address, found {found}") from error
