"""Every event goes into a record and comes back; old forms still read."""

import typing
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from towpath import events as ev
from towpath.clock import WallClock
from towpath.ledger.entries import FORM, Entry, entry
from towpath.ledger.memory import MemoryLedger
from towpath.origin import Origin
from towpath.verdict import Answer, Verdict, overall

KINDS = typing.get_args(ev.AnyEvent)
verdicts = st.builds(
    Verdict,
    gate=st.text(max_size=10),
    answer=st.sampled_from(Answer),
    because=st.text(max_size=10),
    numbers=st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False, allow_infinity=False), max_size=2),
)
plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
BY_TYPE = {
    "str": st.text(max_size=10),
    "Digest": st.just("0" * 64),
    "int": st.integers(-(2**53), 2**53),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "datetime": st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    "Origin": st.builds(
        Origin,
        client=st.text(max_size=5),
        host=st.text(max_size=5),
        at=st.just(datetime(2026, 1, 1, tzinfo=UTC)),
        key=st.text(max_size=5),
    ),
    "Outcome": st.sampled_from(ev.Outcome),
    "tuple[Verdict, ...]": st.lists(verdicts, max_size=2).map(tuple),
    "dict[str, str]": st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
    "dict[str, tuple[str, ...]]": st.dictionaries(st.text(max_size=5), st.lists(st.text(max_size=5), max_size=2).map(tuple), max_size=2),
    "tuple[Digest, ...]": st.lists(st.just("0" * 64), max_size=2).map(tuple),
    "tuple[int, ...]": st.lists(st.integers(0, 99), max_size=2).map(tuple),
    "dict[str, float]": st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False, allow_infinity=False), max_size=2),
    "dict[str, Any]": st.dictionaries(st.text(max_size=5), plain, max_size=2),
    "dict[str, dict[str, float]]": st.just({"candidate": {"auc": 0.71}, "champion": {}}),
}


def values(annotation: str):
    kind, _, none = annotation.partition(" | ")
    return BY_TYPE[kind] | st.none() if none == "None" else BY_TYPE[annotation]


def events(kind):
    return st.builds(kind, **{name: values(annotation) for name, annotation in kind.__annotations__.items()})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_event_comes_back_from_a_ledger_as_it_went_in(kind, data):
    told = entry(data.draw(events(kind)), WallClock())
    ledger = MemoryLedger()
    ledger.append([told])
    (record,) = ledger.read()
    assert record.entry == told
    assert type(record.entry.event) is kind


def test_every_kind_of_event_is_in_the_union():
    made = {kind for kind in vars(ev).values() if isinstance(kind, type) and issubclass(kind, ev.Event) and kind is not ev.Event}
    assert made == set(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_events_are_frozen_and_carry_their_kind(kind):
    assert kind.__struct_config__.frozen
    assert kind.__struct_config__.tag == kind.__name__
    assert kind.__struct_config__.tag_field == "kind"


def test_an_entry_has_both_clocks_and_an_id_of_its_own():
    one, other = (entry(ev.Delivered(target="mlflow", position=1), WallClock()) for _ in range(2))
    assert one.id != other.id
    assert one.at.tzinfo is UTC
    assert other.machine >= one.machine
    assert one.form == FORM
    assert entry(one.event, WallClock(), id="mine").id == "mine"


def test_an_old_record_without_a_later_field_still_reads():
    event = b'{"kind":"StageEntered","release":1,"stage":0,"share":0.1,"because":"b"}'
    body = b'{"id":"a","at":"2013-01-01T00:00:00Z","machine":1.0,"event":' + event + b"}"
    entry = msgspec.json.decode(body, type=Entry)
    assert entry.event == ev.StageEntered(release=1, stage=0, share=0.1, because="b", evidence={})
    assert entry.form == 1


def test_a_field_of_a_later_form_is_passed_over():
    event = b'{"kind":"Delivered","target":"t","position":1,"more":2}'
    body = b'{"id":"a","at":"2013-01-01T00:00:00Z","machine":1.0,"form":2,"new":1,"event":' + event + b"}"
    assert msgspec.json.decode(body, type=Entry).event == ev.Delivered(target="t", position=1)


ORDER = [Answer.PASS, Answer.INCONCLUSIVE, Answer.ERROR, Answer.FAIL]


@given(st.lists(st.sampled_from(ORDER)))
def test_one_answer_for_many_rules_is_the_worst(answers):
    said = overall(Verdict(gate="", answer=answer, because="") for answer in answers)
    assert said is max(answers, key=ORDER.index, default=Answer.PASS)
