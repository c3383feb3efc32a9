"""A YAML file with the line of every key, so that a fault can be told with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from custvalue.config.faults import Place
from custvalue.errors import ConfigError

_MERGE = "tag:yaml.org,2002:merge"
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in C, where PyYAML was built with it, reads the wording five times faster."""


@dataclass(frozen=True)
class Document:
    """A parsed YAML file.

    Attributes
    ----------
    path : Path
        Where it was read from.
    data : dict
        Its keys and values.
    root : yaml.MappingNode
        The same as nodes, which know their lines.
    """

    path: Path
    data: dict[str, Any]
    root: yaml.MappingNode

    def locate(self, place: Place) -> tuple[int, str]:
        """Find the line of a value and its place in the words of the file.

        Parts that no key stands for are left out: the kind of a union, or a key that is missing, whose line is that of the block it
        should stand in.

        Parameters
        ----------
        place : tuple
            Keys and positions, as pydantic gives them.

        Returns
        -------
        tuple
            Line, from 1, and the place with dots.
        """
        node: yaml.Node = self.root
        line, found = self.root.start_mark.line + 1, []
        for part in place:
            step = next((step for step in _children(node) if _stands_for(step[0], part)), None)
            if step is not None:
                name, at, node = step
                line = at.start_mark.line + 1
                found.append(str(name))
        return line, ".".join(found)


def _children(node: yaml.Node) -> list[tuple[Any, yaml.Node, yaml.Node]]:
    """Keys or positions, where each stands, and what stands there."""
    if isinstance(node, yaml.SequenceNode):
        return [(position, inner, inner) for position, inner in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        # the last first: what a merge (<<) brings stands before the keys that replace it
        return [(_key(key), key, value) for key, value in reversed(node.value)]
    return []


def _key(node: yaml.Node) -> Any:
    plain = isinstance(node, yaml.ScalarNode) and node.tag != _MERGE
    return yaml.constructor.SafeConstructor().construct_object(node) if plain else node.value


def _stands_for(key: Any, part: str | int) -> bool:
    """Tell whether a key is the one that pydantic writes so: a band's 10 is 10.0 once it is read as a number."""
    return str(part) in ({str(key), str(float(key))} if isinstance(key, int) and abs(key) < 2**53 else {str(key)})


def read_document(path: Path) -> Document:
    """Read a YAML file that holds keys and values.

    Raises
    ------
    ConfigError
        The file is missing, is not UTF-8 or not YAML, holds something else than keys and values, or one key twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}). Check the path, or run `custvalue init DIR`.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text.") from error
    try:
        root, twice, data = _parsed(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError(f"{path}{'' if mark is None else f':{mark.line + 1}'}: is not YAML: {error}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{path}: is not YAML: {error}") from error
    if twice:
        told = [
            f"  {path.name}:{line}: {key}: stands here a second time, first in line {first}; keep one of them" for line, key, first in twice
        ]
        raise ConfigError("\n".join([f"{path}: {len(told)} fault(s)", *told]))
    if not isinstance(data, dict) or not isinstance(root, yaml.MappingNode):
        raise ConfigError(f"{path}: must hold keys and values, not {type(data).__name__}.")
    return Document(path=path, data=data, root=root)


def _parsed(text: str) -> tuple[yaml.Node | None, list[tuple[int, str, int]], Any]:
    """Give the nodes, the keys that stand twice, and where none does, what the text holds."""

    def read(loader: yaml.SafeLoader) -> tuple[yaml.Node | None, list[tuple[int, str, int]], Any]:
        root = loader.get_single_node()
        twice = [] if root is None else sorted(_repeated(root, set()))
        return root, twice, None if root is None or twice else loader.construct_document(root)

    try:
        return read(_LOADER(text))
    except yaml.YAMLError:
        return read(yaml.SafeLoader(text))  # whose messages show the line


def _repeated(node: yaml.Node, seen: set[int]) -> Iterator[tuple[int, str, int]]:
    """Keys that stand twice in one block, of which YAML readers silently take the last: line, key, line of the first."""
    if id(node) in seen:  # an alias
        return
    seen.add(id(node))
    lines: dict[Any, int] = {}
    for name, at, value in reversed(_children(node)):
        if isinstance(node, yaml.MappingNode) and isinstance(at, yaml.ScalarNode) and at.tag != _MERGE:
            line = at.start_mark.line + 1
            if name in lines:
                yield line, str(name), lines[name]
            lines.setdefault(name, line)
        yield from _repeated(value, seen)
