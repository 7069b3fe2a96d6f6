"""Holds the settings of the HTTP service; ``aslstm serve`` turns them into flags."""

from dataclasses import dataclass

from aslstm.errors import UserError
from aslstm.model_folder.choosing import BUILT_IN, DEFAULT_HELP, HUB
from aslstm.settings import check_settings, setting


@dataclass(frozen=True)
class ServingSettings:
    """Says which model the service answers with, where it listens, and what it refuses.

    Raises:
        UserError: A value is not possible.
    """

    model: str = setting("", f"model folder, {BUILT_IN}, or {HUB}owner/name; {DEFAULT_HELP}")
    host: str = setting("127.0.0.1", "address to listen at; 0.0.0.0 for all of this machine, as in a container")
    port: int = setting(8000, "port to listen at; 0 for one that is free", at_least=0, at_most=65535)
    max_posts: int = setting(1000, "posts of one request; a request with more is refused", at_least=1)
    max_megabytes: int = setting(4, "megabytes of one request; a larger one is refused", at_least=1, at_most=1000)
    max_waiting: int = setting(10_000, "posts that may wait for the model; while so many do, others are refused", at_least=1)
    timeout: float = setting(30.0, "seconds until a request is given up", above=0)
    collect_ms: float = setting(
        2.0, "milliseconds in which the posts of several requests are collected, to be read at once", at_least=0, at_most=1000
    )

    def __post_init__(self) -> None:
        check_settings(self)
        if self.max_waiting < self.max_posts:
            raise UserError(
                f"`max_waiting`: expected the number of `max_posts` ({self.max_posts}) or more, found {self.max_waiting}; "
                "a request of so many posts could never be answered"
            )
