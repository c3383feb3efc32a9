"""Reading a page's tables as a person does: text by row and header."""

from __future__ import annotations

from html.parser import HTMLParser


class _Tables(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._cell = False

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.tables[-1][-1][-1] += data


def tables_in(text: str) -> list[list[dict[str, str]]]:
    """Every table of a page: one mapping a row, header → text."""
    reader = _Tables()
    reader.feed(text)
    return [[dict(zip(rows[0], (" ".join(cell.split()) for cell in row), strict=False)) for row in rows[1:]] for rows in reader.tables]
