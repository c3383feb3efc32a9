"""Writes a model card as Markdown, and as one page that needs no other file."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

from jinja2 import Environment, PackageLoader
from matplotlib.figure import Figure

from custvalue.churn.card import CardTable, ModelCard

_DPI = 110


def card_markdown(card: ModelCard) -> str:
    """Write the card as Markdown; figures are linked as ``plots/<name>.png``."""
    lines = [f"# {card.title}", "", card.subtitle, "", f"**{card.headline}**", ""]
    for section in card.sections:
        lines += [f"## {section.title}", "", *(f"- {text}" for text in section.texts), *([""] if section.texts else [])]
        for table in section.tables:
            lines += [*_markdown_table(table), ""]
        for name, title in section.figures:
            lines += [f"![{title}](plots/{name}.png)", ""]
    return "\n".join(lines)


def card_html(card: ModelCard) -> str:
    """Write the card as an HTML page with its figures inside."""
    environment = Environment(loader=PackageLoader("custvalue.churn"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    shown = {name for section in card.sections for name, _ in section.figures}
    images = {name: _data_uri(figure) for name, figure in card.figures.items() if name in shown}
    return environment.get_template("card.html.j2").render(card=card, images=images)


def _markdown_table(table: CardTable) -> Iterator[str]:
    yield _markdown_row(table.headers)
    yield "|" + "".join("---|" if place < table.left else "---:|" for place in range(len(table.headers)))
    for row in table.rows:
        yield _markdown_row(row)


def _markdown_row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _data_uri(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
