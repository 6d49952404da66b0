"""Chunks: nothing is lost, the same bytes give the same chunks, a small change changes few of them."""

from io import BytesIO

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from towpath.digest import of_bytes
from towpath.store.chunks import LEAST, MOST, cut


def noise(size: int, seed: int = 0) -> bytes:
    return blake3(b"%d" % seed).digest(size)


def pieces(data: bytes) -> list[bytes]:
    return [bytes(piece) for piece in cut(BytesIO(data))]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 6 << 20), st.integers(0, 99))
def test_the_pieces_joined_are_the_bytes(size, seed):
    data = noise(size, seed)
    found = pieces(data)
    assert b"".join(found) == data
    assert all(LEAST <= len(piece) <= MOST for piece in found[:-1])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 16 << 20), st.binary(min_size=1, max_size=200))
def test_an_insert_changes_few_pieces(place, inserted):
    data = noise(16 << 20)
    before, after = pieces(data), pieces(data[:place] + inserted + data[place:])
    assert len(set(after) - set(before)) <= 6
    assert len(set(before) - set(after)) <= 6


def test_however_a_source_hands_out_its_bytes():
    class Drops(BytesIO):
        def readinto(self, buffer):
            return super().readinto(memoryview(buffer)[:1000])

    data = noise(3 << 20)
    assert [bytes(piece) for piece in cut(Drops(data))] == pieces(data)


def test_bytes_that_repeat_are_cut_at_the_largest_size():
    assert [len(piece) for piece in pieces(bytes(10 << 20))] == [MOST] * 5


@pytest.mark.parametrize(
    ("seed", "sizes"),
    [
        (1, [304460, 280794, 276341, 347644, 393664, 280390, 265811, 149455, 789591, 57578]),
        (2, [541329, 266654, 293146, 264331, 280573, 242865, 254235, 368023, 141442, 287450, 180552, 25128]),
    ],
)
def test_the_cut_stays_what_it_was(seed, sizes):
    """Else every object that was pushed before would be sent once more."""
    assert [len(piece) for piece in pieces(noise(3 << 20, seed))] == sizes


def test_what_the_pieces_are_does_not_depend_on_what_was_cut_before():
    data = noise(5 << 20)
    assert [of_bytes(piece) for piece in cut(BytesIO(data))] == [of_bytes(piece) for piece in cut(BytesIO(data))]
