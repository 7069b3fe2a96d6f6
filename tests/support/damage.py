"""Damages files as disks and careless copies do, for tests of what is said about them."""

from pathlib import Path


def flip(path: Path) -> None:
    """Change one bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    """Take away the end."""
    path.write_bytes(path.read_bytes()[:-7])
