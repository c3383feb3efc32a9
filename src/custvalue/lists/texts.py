"""Text as cells can hold it: no control characters, no longer than a spreadsheet takes."""

from __future__ import annotations

import re

LONGEST = 32_767
"""Characters (UTF-16 units) that a cell of Excel holds; of a longer one in a CSV file, Excel puts the rest into other cells."""

# Control characters, halves of surrogate pairs, and the marks that turn the direction of all that follows: what stands beside
# such a text would be read in another order. The marks for a single place (U+200E, U+200F) are part of names and stay.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def cell_text(text: str, cut: str) -> str:
    r"""Give a text as a cell holds it.

    Line ends are ``\n``, what nobody can see is left out, and of a text that is too long the beginning is kept, ended by the note `cut`.

    Parameters
    ----------
    text : str
        Any text.
    cut : str
        Tells the reader that the text goes on elsewhere.
    """
    clean = text if text.isascii() and text.isprintable() else _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if 2 * len(clean) <= LONGEST or _units(clean) <= LONGEST:
        return clean
    kept = clean.encode("utf-16-le")[: 2 * (LONGEST - _units(cut))]
    return kept.decode("utf-16-le", errors="ignore") + cut


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
