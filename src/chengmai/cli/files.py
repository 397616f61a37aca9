"""Files that commands are given."""

from __future__ import annotations

from pathlib import Path

from chengmai.kernel.problems import Invalid


def text_of(file: Path) -> str:
    """Return the text of a UTF-8 file; raises `Invalid`."""
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(file, error) from None


def unreadable(file: Path, error: Exception) -> Invalid:
    """Return what is wrong with a file that cannot be read."""
    return Invalid(
        f"{file} cannot be read: {error}",
        code="file.unreadable",
        param=str(file),
        fix="name a UTF-8 file",
    )
