"""Keep numpy's linear algebra on one thread: its matrices here are small, and threads that wait for each other cost most.

On a busy machine of two cores the models of one night took a hundred seconds with OpenBLAS's own threads, and three
without.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from numpy.linalg import _umath_linalg

# How builds of OpenBLAS name a function: numpy's own wheels first.
NAMES = ("scipy_openblas_{}64_", "openblas_{}64_", "scipy_openblas_{}", "openblas_{}")


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold OpenBLAS to one thread inside, for the whole process; other builds of numpy are left as they are."""
    read, write = _function("get_num_threads"), _function("set_num_threads")
    if read is None or write is None:
        yield
        return
    before = read()
    write(1)
    try:
        yield
    finally:
        write(before)


@cache
def _function(name: str) -> Callable[..., int] | None:
    library = ctypes.CDLL(_umath_linalg.__file__)  # a search in it goes on in the libraries it needs
    return next((found for form in NAMES if (found := getattr(library, form.format(name), None)) is not None), None)
