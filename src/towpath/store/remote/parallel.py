"""Several calls at a time, and one error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(work: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Results as they come. The first error ends it: what has not begun by then is not begun.

    >>> sorted(in_parallel(abs, [-2, -1], workers=2))
    [1, 2]
    """
    pool = ThreadPoolExecutor(workers)
    try:
        for future in as_completed([pool.submit(work, item) for item in items]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)
