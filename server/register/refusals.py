"""Why a file or a row was not imported, in zh and en."""

from __future__ import annotations


class Refusal(Exception):
    """One reason; `zh` and `en` say what is wrong and, where it is not plain, what to do."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en


class FileRefused(Refusal):
    """Nothing of the file was imported."""


class NoTable(FileRefused):
    """The file was read, but no row of it heads such a table: other columns or another sheet may help."""


class CellRefused(Refusal):
    """The row is refused for this cell."""


class Doubt(Refusal):
    """The row is imported; somebody should look at this cell."""
