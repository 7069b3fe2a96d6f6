"""Takes the flags of ``aslstm push`` and publishes a model folder on the Hugging Face Hub.

aslstm push --model DIR --repo owner/name [--private] [--tag v1.0] [--dry_run]

The folder becomes one commit and, if asked for, a tag. The folder itself is only read and checked. A copy of it is tried in a
new process and then sent. The token is taken from ``hf auth login`` or ``HF_TOKEN``.
"""

from collections.abc import Sequence
from dataclasses import MISSING, dataclass
from pathlib import Path

from aslstm.model_folder.choosing import folder_of
from aslstm.model_folder.hub import check_repo, check_tag, check_token, push
from aslstm.model_folder.layout import HELD_OF_POSTS
from aslstm.model_folder.staging import Prepared, prepare
from aslstm.printing import table_text
from aslstm.settings import setting

from .flags import CommandParser, add_settings, make_settings, say


@dataclass(frozen=True)
class PushSettings:
    """Says what is published, where, and under which name.

    Raises:
        UserError: The repository or the tag has an impossible name, or there is no token.
    """

    model: Path = setting(MISSING, "model folder")
    repo: str = setting(MISSING, "owner/name of the repository; made where there is none")
    private: bool = setting(False, "make the repository private")
    tag: str | None = setting(None, "name of this version, e.g. v1.0")
    trust_code: bool = setting(False, "run the code of the folder, which is not that of this version; read it first")
    dry_run: bool = setting(False, "check and show, send nothing")

    def __post_init__(self) -> None:
        check_repo(self.repo)
        if self.tag is not None:
            check_tag(self.tag)
        if not self.dry_run:
            check_token()


def show(prepared: Prepared, repo: str) -> None:
    """Print the answers of the model to a few posts, and the files that will be sent."""
    for post, (label, score) in prepared.answers.items():
        say(f"{post}: {label} {score:.2f}")
    print(table_text(["file", "size"], [[name, f"{size:,} bytes"] for name, size in prepared.sizes.items()]))
    for name, held in HELD_OF_POSTS.items():
        if prepared.sizes.get(name):
            print(f"{name} holds {held}")
    print("no file that aslstm writes holds a post of the corpus; look at what you changed yourself, such as the card")
    print(f"{len(prepared.sizes)} files, {sum(prepared.sizes.values()) / 1e6:.1f} MB for {repo}")


def publish(
    folder: Path,
    repo: str,
    *,
    private: bool = False,
    tag: str | None = None,
    trust_code: bool = False,
    dry_run: bool = False,
) -> None:
    """Check a model folder, print its answers and its files, and send it unless this is a dry run."""
    with prepare(folder, repo, trust_code=trust_code) as prepared:
        show(prepared, repo)
        if dry_run:
            print("dry run: nothing was sent")
        else:
            print(f"pushed {push(prepared.folder, repo, private=private, tag=tag)}")


def main(given: Sequence[str] | None = None) -> None:
    """Publish the folder that the command line names."""
    parser = CommandParser("push", "Publish a model folder on the Hugging Face Hub.")
    add_settings(parser, PushSettings)
    settings = make_settings(PushSettings, parser.parse_args(given))
    publish(
        folder_of(settings.model),
        settings.repo,
        private=settings.private,
        tag=settings.tag,
        trust_code=settings.trust_code,
        dry_run=settings.dry_run,
    )
