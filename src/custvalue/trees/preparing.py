"""From a model's text to its tables, once; later processes read them from a cache folder."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from custvalue.errors import ModelError
from custvalue.trees.bins import Bins, Splits, bin_forest
from custvalue.trees.fusing import fuse_games
from custvalue.trees.games import Games, count_players, leaf_games, trace_paths
from custvalue.trees.moves import Moves, list_moves
from custvalue.trees.prediction import TreePredictor
from custvalue.trees.quadrature import MOST_PLAYERS
from custvalue.trees.shapley import TreeShap
from custvalue.trees.tables import Tables, fill_tables
from custvalue.trees.text import Forest, read_forest

TABLE_BYTES = 400_000_000
"""All tables of a model together take about so much at most, as float64; games that find no place are integrated block by block."""
_WIDEST = 12
_BATCH = 48_000_000
_FORMAT = 2


def prepare_predict(model: Any) -> TreePredictor:
    """Make a model ready for predictions.

    Parameters
    ----------
    model : Booster or str
        A LightGBM booster with binary objective, or its text.

    Raises
    ------
    ModelError
        The text is not a binary booster's, has linear or averaged trees, or is cut off or damaged.
    """
    return _predictor(_text_of(model))[0]


def prepare_shap(model: Any, *, dtype: DTypeLike = np.float64, cache: Path | None = None) -> TreeShap:
    """Make a model ready for Shapley values.

    Parameters
    ----------
    model : Booster or str
        A LightGBM booster with binary objective, or its text.
    dtype : float32 or float64
        Of the tables; values are exact to 1e-5 or 1e-9, relative to the larger of 1 and the value; float32 takes
        half the memory.
    cache : Path, optional
        Folder where the prepared tables are kept, by the text's SHA-256. Trust it as you trust the model's own folder.

    Raises
    ------
    ModelError
        The text is not a binary booster's, has linear or averaged trees, or is cut off or damaged.
    """
    text = _text_of(model)
    kind = np.dtype(dtype)
    if kind not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ModelError(f"tables hold float32 or float64, not {kind}.")
    if cache is None:
        return _prepare(text, kind)
    path = cache / f"shap-{hashlib.sha256(text.encode()).hexdigest()}-{kind}-{_FORMAT}.npz"
    try:
        return _read(path)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        prepared = _prepare(text, kind)
        _write(prepared, path)
        return prepared


def _text_of(model: Any) -> str:
    if isinstance(model, str):
        return model
    if not hasattr(model, "model_to_string"):
        raise ModelError(f"a LightGBM booster or its text is needed, not {type(model).__name__}; of a scikit-learn model give `booster_`.")
    return str(model.model_to_string())


def _predictor(text: str) -> tuple[TreePredictor, Forest, Splits]:
    forest = read_forest(text)
    bins, splits = bin_forest(forest)
    return TreePredictor(forest.columns, bins, list_moves(forest, bins, splits)), forest, splits


def _prepare(text: str, kind: np.dtype[Any]) -> TreeShap:
    predictor, forest, splits = _predictor(text)
    bins = predictor.bins
    paths = trace_paths(forest)
    players, width = count_players(bins, splits, paths)
    if players.max(initial=0) > MOST_PLAYERS:
        raise ModelError(
            f"a path of the model asks for {players.max()} columns; at most {MOST_PLAYERS} can be explained. Train with a max_depth."
        )
    widest = _reach(players)
    wide = np.flatnonzero(players > widest)
    tables = []
    for trees in _batches(forest, np.where(players > widest, 0, width)):
        leaves = np.arange(forest.leaf_start[trees.start], forest.leaf_start[trees.stop])
        leaves = leaves[(players[leaves] > 0) & (players[leaves] <= widest)]
        if len(leaves):
            games = leaf_games(forest, bins, splits, paths, leaves)
            tree = np.searchsorted(forest.leaf_start, leaves, side="right")
            tables.append(fill_tables(games, bins, fuse_games(games, bins, tree, most_entries=1 << widest), kind))
    left = tuple(leaf_games(forest, bins, splits, paths, part) for part in np.split(wide, range(4096, len(wide), 4096)) if len(part))
    return TreeShap(predictor, forest.expected, tuple(tables), left)


def _reach(players: NDArray[np.int64]) -> int:
    """Choose the widest game that gets a table, so that the tables stay within their memory.

    A fused table of the largest size holds some eight games or one wide one, and every second game shares another's.
    """
    for widest in range(_WIDEST, 1, -1):
        own = players[(players > 0) & (players <= widest)]
        entries = np.maximum(own << own, (widest << widest) // 8).sum() / 2
        if 8 * entries <= TABLE_BYTES:
            break
    return widest


def _batches(forest: Forest, width: NDArray[np.int64]) -> Iterator[range]:
    """Cut the forest into runs of trees whose games are prepared together."""
    before = np.r_[0, np.cumsum(width)][forest.leaf_start]
    first, trees = 0, len(forest.leaf_start) - 1
    while first < trees:
        last = max(first + 1, int(np.searchsorted(before, before[first] + _BATCH, side="right")) - 1)
        yield range(first, last)
        first = last


def _write(prepared: TreeShap, path: Path) -> None:
    parts: dict[str, Bins | Moves | Tables | Games] = {"bins": prepared.predictor.bins, "moves": prepared.predictor.moves}
    parts |= {f"tables{number}": part for number, part in enumerate(prepared.tables)}
    parts |= {f"wide{number}": part for number, part in enumerate(prepared.wide)}
    arrays = {f"{name}.{field.name}": getattr(part, field.name) for name, part in parts.items() for field in fields(part)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        np.savez(file, columns=np.array(prepared.columns), expected=np.array(prepared.expected), **arrays)
    Path(file.name).replace(path)


def _read(path: Path) -> TreeShap:
    with np.load(path, allow_pickle=False) as arrays:
        columns, expected = tuple(str(name) for name in arrays["columns"]), float(arrays["expected"])
        kept = {name.partition(".")[0] for name in arrays.files}

        def load(kind: Any, name: str) -> Any:
            return kind(**{field.name: arrays[f"{name}.{field.name}"] for field in fields(kind)})

        tables = tuple(load(Tables, f"tables{number}") for number in range(len([name for name in kept if name.startswith("tables")])))
        wide = tuple(load(Games, f"wide{number}") for number in range(len([name for name in kept if name.startswith("wide")])))
        return TreeShap(TreePredictor(columns, load(Bins, "bins"), load(Moves, "moves")), expected, tables, wide)
