"""Quantities, digests and errors."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath import digest, errors, quantities
from towpath.quantities import Rate


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("14d", 14 * 86400),
        ("6h", 21600),
        ("90s", 90),
        ("20ms", 0.02),
        ("5us", 5e-6),
        ("2w", 1209600),
        ("3m", 180),
        ("3min", 180),
        (" 1.5 h ", 5400),
    ],
)
def test_a_duration_is_read(text, seconds):
    assert quantities.duration(text).total_seconds() == seconds


@pytest.mark.parametrize(("text", "value"), [("10%", 0.1), ("0.1", 0.1), (0.1, 0.1), ("100%", 1), (0, 0), (1, 1), ("12.5 %", 0.125)])
def test_a_share_is_read(text, value):
    assert quantities.share(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("8/week", Rate(8, timedelta(weeks=1))), ("1 / year", Rate(1, timedelta(days=365))), ("0.5/day", Rate(0.5, timedelta(days=1)))],
)
def test_a_rate_is_read(text, value):
    assert quantities.rate(text) == value


REFUSED = [
    (quantities.duration, ["", "14", "d", "14 fortnights", "-1d", "1e3s", "14d6h", "١d"]),
    (quantities.share, ["", "110%", 1.1, -0.1, "-10%", "ten", "nan", float("nan"), float("inf")]),
    (quantities.rate, ["", "8", "8/", "8/fortnight", "/week", "-1/week", "8 per week"]),
    (quantities.factor, ["", "1.25", "x", "-1x", "125%"]),
]


@pytest.mark.parametrize(("read", "text"), [(read, text) for read, texts in REFUSED for text in texts])
def test_what_is_no_quantity_is_refused_with_an_example(read, text):
    with pytest.raises(errors.UsageError) as caught:
        read(text)
    assert repr(str(text)) in caught.value.what
    assert f"no {read.__name__}" in caught.value.what
    assert ":" in caught.value.mend


@given(st.integers(0, 10**6), st.sampled_from(["minute", "hour", "day", "week", "month", "year"]))
def test_a_rate_is_written_as_it_is_read(count, period):
    rate = quantities.rate(f"{count}/{period}")
    assert quantities.rate(str(rate)) == rate


def test_bytes_have_the_published_digest():
    # BLAKE3's own test vector for no input
    assert digest.of_bytes(b"") == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"


@given(st.binary(max_size=200), st.sampled_from([1, 10_000]))  # so that some are read and some are mapped
def test_a_file_has_the_digest_of_its_bytes(tmp_path_factory, data, times):
    path = tmp_path_factory.getbasetemp() / "any-file"
    path.write_bytes(data * times)
    assert digest.of_file(path) == digest.of_bytes(data * times)
    assert digest.is_digest(digest.of_bytes(data))
    with path.open("rb") as file:
        file.read(1)
        assert digest.of_open(file.fileno()) == digest.of_bytes(data * times)


@pytest.mark.parametrize("text", ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64, "é" * 64])
def test_other_texts_are_no_digest(text):
    assert not digest.is_digest(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_the_order_of_keys_does_not_show(value):
    turned = dict(reversed(value.items()))
    assert digest.canonical_json(value) == digest.canonical_json(turned)
    assert digest.of_value(value) == digest.of_value(turned)


def tree(kind):
    yield kind
    for child in kind.__subclasses__():
        yield from tree(child)


def test_every_error_says_what_and_how_to_mend_it():
    error = errors.Refused("no room", mend="make some")
    assert str(error) == "no room\n  mend: make some"
    assert (error.what, error.mend) == ("no room", "make some")


def test_exit_codes_tell_who_can_act():
    codes = {kind.__name__: kind.exit_code for kind in tree(errors.TowpathError) if kind.__module__ == "towpath.errors"}
    assert codes == {
        "TowpathError": 1,
        "UsageError": 2,
        "ProjectError": 2,
        "UnknownName": 2,
        "Refused": 1,
        "Conflict": 1,
        "Broken": 1,
        "Unavailable": 1,
    }


@pytest.mark.parametrize(
    ("name", "known", "mend"),
    [
        ("flihgts", ["flights", "weather"], "did you mean flights?"),
        ("xyz", ["weather", "flights"], "there is: flights, weather"),
        ("xyz", [], "there is: none yet"),
    ],
)
def test_an_unknown_name_gets_the_nearest(name, known, mend):
    error = errors.UnknownName("dataset", name, known)
    assert error.what == f"no dataset called {name!r}"
    assert error.mend == mend
    assert isinstance(error, LookupError)


def test_a_fault_of_the_file_has_its_place():
    error = errors.ProjectError("bad", mend="mend it", file="towpath.yaml", line=3, key="name")
    assert error.what == "towpath.yaml:3: bad"
    assert errors.ProjectError("bad", mend="", file="f").what == "f: bad"


def test_units_are_in_order():
    spans = [quantities.duration(f"1{unit}") for unit in ("us", "ms", "s", "min", "h", "d", "w")]
    assert all(short < long for short, long in pairwise(spans))
