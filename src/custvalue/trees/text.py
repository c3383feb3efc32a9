"""Reads LightGBM's text format: the trees of a binary model as flat arrays, checked before anything walks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from custvalue.errors import ModelError, some

OBJECTIVE = "binary sigmoid:1"
CATEGORICAL, DEFAULT_LEFT = 1, 2
"""Bits of LightGBM's ``decision_type``; the two bits above them hold the missing type."""
MISSING_IS_ZERO, MISSING_IS_NAN = 1, 2
"""Missing types; 0 is none, where NaN is read as 0."""
_AGAIN = "Restore the model from the registry, or train again."


@dataclass(frozen=True, eq=False)
class Forest:
    """The trees of a binary LightGBM model; nodes of all trees stand one after another.

    A child that is not negative is a node, otherwise leaf ``~child``; both are numbered over the whole forest.

    Attributes
    ----------
    columns : tuple of str
        Column names in the booster's order.
    node_start, leaf_start : ndarray of int64, (trees + 1,)
        Where each tree's nodes and leaves begin; a tree of one leaf has no nodes.
    split_column : ndarray of int64, (nodes,)
    threshold : ndarray of float64, (nodes,)
        Numbers up to and including it go left; of a categorical split the place in ``categories``.
    decision : ndarray of int64, (nodes,)
        LightGBM's ``decision_type``.
    children : ndarray of int64, (nodes, 2)
        Left and right.
    share : ndarray of float64, (nodes, 2)
        Each child's share of the training rows of its node.
    leaf_value : ndarray of float64, (leaves,)
        Log-odds.
    expected : float
        Mean prediction over the training rows, log-odds.
    categories : tuple of ndarray of int64
        For each categorical split the categories that go left.
    """

    columns: tuple[str, ...]
    node_start: NDArray[np.int64]
    leaf_start: NDArray[np.int64]
    split_column: NDArray[np.int64]
    threshold: NDArray[np.float64]
    decision: NDArray[np.int64]
    children: NDArray[np.int64]
    share: NDArray[np.float64]
    leaf_value: NDArray[np.float64]
    expected: float
    categories: tuple[NDArray[np.int64], ...]


def read_forest(text: str) -> Forest:
    """Read the text of a binary booster.

    Parameters
    ----------
    text : str
        As ``Booster.model_to_string`` gives it.

    Raises
    ------
    ModelError
        The objective is not binary log loss, trees are linear or averaged, or the text is cut off or damaged.
    """
    header, *blocks = text.split("\nTree=")
    columns = _columns(dict(line.partition("=")[::2] for line in header.splitlines()))
    if not blocks or "\nend of trees" not in blocks[-1]:
        raise ModelError(f"the model text is cut off: it has no trees, or no 'end of trees' after them. {_AGAIN}")
    blocks[-1] = blocks[-1].partition("\nend of trees")[0]
    trees = [_read_tree(number, block, len(columns)) for number, block in enumerate(blocks)]
    node_start = np.cumsum([0, *(len(tree["decision"]) for tree in trees)], dtype=np.int64)
    leaf_start = np.cumsum([0, *(len(tree["leaf_value"]) for tree in trees)], dtype=np.int64)
    before = np.cumsum([0, *(len(tree["categories"]) for tree in trees)])
    for number, tree in enumerate(trees):
        leaf = tree["children"] < 0
        tree["children"] = np.where(leaf, tree["children"] - leaf_start[number], tree["children"] + node_start[number])
        tree["threshold"] = tree["threshold"] + before[number] * (tree["decision"] & CATEGORICAL)
    parts = ("split_column", "threshold", "decision", "children", "share", "leaf_value")
    return Forest(
        columns,
        node_start,
        leaf_start,
        **{part: np.concatenate([tree[part] for tree in trees]) for part in parts},
        expected=float(sum(tree["expected"] for tree in trees)),
        categories=tuple(categories for tree in trees for categories in tree["categories"]),
    )


def _columns(header: Mapping[str, str]) -> tuple[str, ...]:
    if header.get("objective") != OBJECTIVE or header.get("num_class") != "1" or "average_output" in header:
        found = f"objective {header.get('objective')!r}, {header.get('num_class')} class(es)"
        raise ModelError(f"predictions and Shapley values need a boosted model with objective {OBJECTIVE!r}; this text has {found}.")
    columns = tuple(header.get("feature_names", "").split())
    if not columns or header.get("max_feature_idx") != str(len(columns) - 1):
        raise ModelError(f"the model text names {len(columns)} columns, not max_feature_idx + 1. {_AGAIN}")
    return columns


def _read_tree(number: int, block: str, columns: int) -> dict[str, Any]:
    """Read one tree, numbered from 0 in itself, and refuse what could not be walked."""
    lines = dict(line.partition("=")[::2] for line in block.splitlines())
    try:
        if lines.get("is_linear", "0") != "0":
            raise ModelError(f"tree {number} has linear leaves, whose values its splits alone do not tell. Train without linear_tree.")
        leaves = int(lines["num_leaves"])
        tree = _arrays(lines, leaves)
    except (KeyError, ValueError) as error:
        raise ModelError(f"tree {number} of the model text is cut off or damaged ({error!r}). {_AGAIN}") from error
    if faults := [*_faults(tree, leaves, columns)]:
        raise ModelError(f"tree {number} of the model text is damaged: {some(faults)}. {_AGAIN}")
    return tree


def _arrays(lines: Mapping[str, str], leaves: int) -> dict[str, Any]:
    def numbers(name: str, size: int, kind: type = np.float64) -> NDArray[Any]:
        found: NDArray[Any] = np.array(lines[name].split(), dtype=kind)
        if len(found) != size:
            raise ValueError(f"{len(found)} of {size} values in {name}")
        return found

    nodes = leaves - 1
    value = numbers("leaf_value", leaves)
    if leaves == 1:
        empty: NDArray[Any] = np.empty(0, np.int64)
        return {
            "split_column": empty,
            "threshold": np.empty(0),
            "decision": empty,
            "children": np.empty((0, 2), np.int64),
            "share": np.empty((0, 2)),
            "leaf_value": value,
            "expected": value[0],
            "categories": [],
        }
    children = np.stack([numbers("left_child", nodes, np.int64), numbers("right_child", nodes, np.int64)], axis=1)
    node_rows, leaf_rows = numbers("internal_count", nodes), numbers("leaf_count", leaves)
    if children.min() < -leaves or children.max() >= nodes:
        raise ValueError("a child that is not there")
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(children < 0, leaf_rows[~children % leaves], node_rows[children % nodes]) / node_rows[:, None]
    return {
        "split_column": numbers("split_feature", nodes, np.int64),
        "threshold": numbers("threshold", nodes),
        "decision": numbers("decision_type", nodes, np.int64),
        "children": children,
        "share": share,
        "leaf_value": value,
        "expected": float(value @ (leaf_rows / max(node_rows[0], 1))),
        "categories": _categories(lines),
    }


def _categories(lines: Mapping[str, str]) -> list[NDArray[np.int64]]:
    """Unpack the bit sets of the categorical splits."""
    sets = int(lines.get("num_cat", "0"))
    if not sets:
        return []
    bounds = np.array(lines["cat_boundaries"].split(), dtype=np.int64)
    words = np.array(lines["cat_threshold"].split(), dtype="<u4")
    if len(bounds) != sets + 1 or bounds[0] != 0 or bounds[-1] != len(words) or (np.diff(bounds) < 0).any():
        raise ValueError("cat_boundaries do not fit cat_threshold")
    bits = np.unpackbits(words.view(np.uint8), bitorder="little")
    return [np.flatnonzero(bits[32 * start : 32 * stop]) for start, stop in pairwise(bounds)]


def _faults(tree: Mapping[str, Any], leaves: int, columns: int) -> Iterator[str]:
    children, column = tree["children"], tree["split_column"]
    if len(children) and not np.array_equal(np.sort(children, axis=None), np.r_[-leaves:0, 1 : leaves - 1]):
        yield "its nodes and leaves do not form one tree"
    elif (children <= np.arange(len(children))[:, None])[children >= 0].any():
        yield "a node stands before its parent"
    if ((column < 0) | (column >= columns)).any():
        yield f"it splits column {column.max()} of {columns}"
    categorical = (tree["decision"] & CATEGORICAL) > 0
    place = tree["threshold"][categorical]
    if not np.isin(place, np.arange(len(tree["categories"]))).all():
        yield "a categorical split without its categories"
    if np.isnan(tree["threshold"]).any():
        yield "threshold is not a number"
    if odd := [name for name in ("leaf_value", "share") if not np.isfinite(tree[name]).all()]:
        yield f"{some(odd)} is not finite"
