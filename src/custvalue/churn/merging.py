"""Several LightGBM texts as one, whose log-odds and Shapley values are the weighted sum of theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from custvalue.errors import ModelError

_SCALED = ("leaf_value", "internal_value", "shrinkage")
_SHIFTED = ("leaf_value", "internal_value")
_SEPARATE = "\n\n\n"


def merge_models(texts: Sequence[str], weights: Sequence[float], *, shift: float = 0.0) -> str:
    """Put the trees of several boosters into one model text.

    Each tree's values are multiplied by its booster's weight, so that raw prediction and path-dependent Shapley values (both are sums
    over trees, linear in the values) are exactly the weighted sums, up to the rounding of one multiplication a value.

    Parameters
    ----------
    texts : sequence of str
        LightGBM's text format, binary objective, all learnt from one binned data set: same columns, bounds and signs.
    weights : sequence of float
        One a text.
    shift : float
        Added to the log-odds of every row; it becomes part of the first tree's values, and so of the Shapley base.

    Raises
    ------
    ModelError
        There is no text, the numbers of texts and weights differ, the boosters do not belong together, or one has linear leaves.
    """
    if not texts or len(texts) != len(weights):
        raise ModelError(f"{len(texts)} boosters and {len(weights)} weights cannot be merged: one weight a booster is needed.")
    header = _header(texts[0])
    for text in texts[1:]:
        differing = sorted({line.partition("=")[0] for line in set(_header(text)) ^ set(header)})
        if differing:
            raise ModelError(f"the boosters differ in {', '.join(differing)} and cannot be merged: train them on the same binned data.")
    trees: list[str] = []
    for text, weight in zip(texts, weights, strict=True):
        for tree in _trees(text):
            trees.append(f"Tree={len(trees)}\n{_scaled(tree, weight, 0.0 if trees else shift)}{_SEPARATE}")
    sizes = " ".join(str(len(tree.encode())) for tree in trees)
    head = "\n".join([*header, f"tree_sizes={sizes}"])
    parameters = "\n".join(["parameters:", *_shared_parameters(texts), "end of parameters"])
    return f"{head}\n\n{''.join(trees)}end of trees\n\n{parameters}\n\npandas_categorical:null\n"


def _header(text: str) -> list[str]:
    """Lines above the trees, without the sizes of these."""
    return [line for line in text.partition("\n\n")[0].split("\n") if not line.startswith("tree_sizes=")]


def _trees(text: str) -> Iterator[str]:
    """Give the lines of each tree, below its number."""
    body = text.partition("\n\n")[2].partition("end of trees")[0]
    for block in body.split("Tree=")[1:]:
        yield block.partition("\n")[2].rstrip("\n")


def _scaled(tree: str, weight: float, shift: float) -> str:
    lines = []
    for line in tree.split("\n"):
        name, equals, values = line.partition("=")
        if name == "is_linear" and values != "0":
            raise ModelError("a booster with linear leaves cannot be merged: their values depend on the row.")
        if name in _SCALED and values:
            moved = shift if name in _SHIFTED else 0.0
            values = " ".join(repr(float(value) * weight + moved) for value in values.split(" "))
        lines.append(f"{name}{equals}{values}")
    return "\n".join(lines)


def _shared_parameters(texts: Sequence[str]) -> list[str]:
    """Training parameters that are the same for all; one that differs is true of no merged model."""
    told = [re.findall(r"^\[.*\]$", text.partition("\nparameters:\n")[2], flags=re.MULTILINE) for text in texts]
    common = set(told[0]).intersection(*told[1:])
    return [line for line in told[0] if line in common]
