"""What a Space of the Hub needs: the requirements are those of the base installation and of the app, but for Gradio itself."""

import configparser
import re

from packaging.requirements import Requirement

from tests.support.commands import ROOT


def names_in(lines: str) -> set[str]:
    return {Requirement(line).name for line in lines.splitlines() if line and not line.startswith("#")}


def test_the_space_installs_what_the_app_needs() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    extras = setup["options.extras_require"]
    wanted = set().union(*(names_in(extras[extra]) for extra in ("app", "report", "torch")))
    wanted = (wanted | names_in(setup["options"]["install_requires"])) - {"aslstm", "gradio"}
    assert names_in((ROOT / "demo" / "requirements.txt").read_text(encoding="utf-8")) == wanted
    assert re.search("^app_file: app.py$", (ROOT / "demo" / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
