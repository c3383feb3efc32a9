"""Numba, with types that checkers understand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile for this machine at the first call; later processes read the machine code from numba's cache.

    Compiled functions release the interpreter, so that threads work side by side.
    """
    return cast("Function", numba.njit(cache=True, nogil=True, error_model="numpy")(function))
