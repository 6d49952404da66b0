"""Cutting bytes where their content says so: an insert moves the boundaries near it and no others.

Boundaries are FastCDC's (2020) with a gear hash over the last 64 bytes: pieces of 256 KB to 4 MB, some 600 KB on average. The same bytes
give the same pieces on every machine; ``tests/store/test_store_chunks.py`` holds them for ever, as another cut would send all data anew.

Source: W. Xia et al., "The Design of Fast Content-Defined Chunking for Data Deduplication Based Storage Systems", IEEE TPDS 31 (2020).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from pyfastcdc import FastCDC

LEAST, USUAL, MOST = 256 << 10, 512 << 10, 4 << 20
LARGE = 1 << 20  # bytes: a smaller file is not cut


def cut(source: BinaryIO) -> Iterator[memoryview]:
    """The pieces of what ``source`` reads, in order; of an empty one none. Each is valid until the next is asked for.

    >>> from io import BytesIO
    >>> [len(piece) for piece in cut(BytesIO(bytes(5 << 20)))]
    [4194304, 1048576]
    """
    # normalised twice: sizes close to the average, so that a change of one byte sends one usual piece and hardly ever a large one
    cutter = FastCDC(USUAL, min_size=LEAST, max_size=MOST, normalized_chunking=2)
    for piece in cutter.cut_stream(source):
        yield piece.data
