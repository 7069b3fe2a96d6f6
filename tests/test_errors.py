"""What is said where a package is missing can be typed: no index has this project."""

import re
import subprocess

import pytest

from aslstm import __version__
from aslstm.errors import UserError, check_packages
from tests.support.commands import ROOT


def test_the_extra_of_a_missing_package_is_installed_from_a_checkout_or_a_wheel() -> None:
    message = (
        "expected the package no_such_package, found none; install the extra 'fast' of aslstm: pip install '.[fast]' in a "
        f"checkout, or pip install 'aslstm-{__version__}-py3-none-any.whl[fast]' in the folder of the wheel; or wait"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        check_packages("fast", "no_such_package", instead="wait")


def test_nothing_says_to_install_this_name_from_an_index() -> None:
    names = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=True).stdout.splitlines()
    texts = [name for name in names if name.endswith((".md", ".py", ".toml", ".cfg", ".txt", "Makefile"))]
    found = [n for n in texts if re.search(r"install '?\"?aslstm(\[|\s|==|$)", (ROOT / n).read_text(encoding="utf-8"))]
    assert found == []
    for readme in ("README.md", "README.zh.md"):
        assert f"aslstm-{__version__}-py3-none-any.whl[all]" in (ROOT / readme).read_text(encoding="utf-8")
