"""The gc deletes what nothing needs, only after its time, and never what a push relies on, whenever the two meet."""

from contextlib import suppress
from datetime import timedelta

import pytest
from tests.store.remotes import Client, HandClock, Watched, noise

from towpath.store.remote.memory import MemoryBucket

MB = 1 << 20
GRACE = timedelta(days=14)


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def bucket(clock):
    return MemoryBucket(clock)


@pytest.fixture
def client(tmp_path, bucket):
    return Client(tmp_path / "one", bucket)


@pytest.fixture
def other(tmp_path, bucket):
    return Client(tmp_path / "other", bucket)


def keys(bucket, folder):
    return {stored.key for stored in bucket.list(folder)}


def test_what_is_live_stays_and_what_is_not_goes_after_its_time(client, other, bucket, clock):
    live, dead = client.add(noise(3 * MB), b"live"), client.add(noise(3 * MB, seed=1), b"dead")
    client.push(live)
    client.push(dead)
    young = client.remote.gc(live)
    assert (young.condemned, young.deleted, young.live) == (0, 0, 3 * MB + 4), "its push may not have told anyone yet"
    clock.pass_(15)
    first = client.remote.gc(live)
    assert (first.condemned, first.condemned_size, first.deleted) == (1, 3 * MB + 4, 0)
    clock.pass_(13)
    assert client.remote.gc(live).waiting == 1
    assert other.fetch(dead).objects == 2, "it can be read until it is deleted"
    clock.pass_(2)
    second = client.remote.gc(live)
    assert (second.deleted, second.deleted_size) == (1, 3 * MB + 4)
    assert client.remote.has([*live, *dead]) == set(live)
    assert client.remote.verify().faults == ()


def test_a_dry_run_says_what_is_then_done_and_does_nothing(client, bucket, clock):
    objects = [client.add(noise(2 * MB, seed=n), b"%d" % n) for n in range(4)]
    for one in objects:
        client.push(one)
    for live in (objects[0] | objects[1], objects[0], {}, objects[2]):
        clock.pass_(15)
        before = set(bucket.files)
        told = client.remote.gc(live, dry_run=True)
        assert set(bucket.files) == before
        assert client.remote.gc(live)._replace(dry_run=True) == told
        assert "would be" in str(told)


def test_after_enough_time_nothing_is_left_of_what_was_deleted(client, bucket, clock):
    client.push(client.add(noise(2 * MB), b"dead"))
    for _ in range(6):
        clock.pass_(15)
        client.remote.gc([])
    assert (keys(bucket, "packs"), keys(bucket, "condemned"), len(keys(bucket, "index"))) == (set(), set(), 1)


def test_what_was_deleted_can_be_pushed_again_at_any_time_of_its_end(client, other, bucket, clock):
    objects = client.add(noise(2 * MB), b"comes and goes")
    for gcs in range(8):
        client.push(objects)
        for _ in range(gcs):
            clock.pass_(15)
            client.remote.gc([])
        client.push(objects)
        assert client.remote.verify().faults == ()
        assert client.remote.has(objects) == set(objects)
    other.fetch(objects)
    assert other.holds(objects)


def test_a_pack_of_which_little_is_live_is_written_anew(client, other, bucket, clock):
    objects = client.add(*(noise(1000, seed) for seed in range(100)))
    client.push(objects)
    live = dict(list(objects.items())[:20])
    clock.pass_(15)
    assert client.remote.gc(live).rewritten_size == 20_000
    clock.pass_(15)
    assert client.remote.gc(live).deleted_size == 100_000
    other.fetch(live)
    assert other.holds(live)
    assert client.remote.has(objects) == set(live)


def test_a_pack_of_which_half_is_live_is_left(client, clock):
    objects = client.add(*(noise(1000, seed) for seed in range(100)))
    client.push(objects)
    clock.pass_(15)
    assert client.remote.gc(dict(list(objects.items())[:50])).condemned == 0


def test_many_small_packs_and_indices_become_one(client, other, bucket, clock):
    objects = {}
    for seed in range(40):
        one = client.add(noise(1000, seed))
        client.push(one)
        objects |= one
    for _ in range(4):
        clock.pass_(15)
        client.remote.gc(objects)
    assert (len(keys(bucket, "packs")), len(keys(bucket, "index"))) == (1, 2)
    other.fetch(objects)
    assert other.holds(objects)


def test_an_empty_object_is_live_too(client, other, clock):
    empty, dead = client.add(b""), client.add(b"dead")
    client.push(empty)
    client.push(dead)
    for _ in range(4):
        clock.pass_(15)
        client.remote.gc(empty)
    other.fetch(empty)
    assert other.holds(empty)


def test_what_a_killed_push_left_is_kept_for_the_next_and_deleted_when_none_comes(tmp_path, bucket, clock):
    def kill(number, verb, key):
        if verb == "put" and key.startswith("index"):
            raise Killed

    client = Client(tmp_path / "one", Watched(bucket, kill))
    with pytest.raises(Killed):
        client.push(client.add(b"half way"))
    left = keys(bucket, "packs")
    whole = Client(tmp_path / "two", bucket)
    assert (len(left), whole.remote.gc([]).condemned) == (1, 0)
    for _ in range(2):
        clock.pass_(15)
        whole.remote.gc([])
    assert keys(bucket, "packs") == set()
    clock.pass_(1)
    whole.remote.gc([])
    assert len(keys(bucket, "condemned")) == 1, "a gc that was asleep since then may still mean to delete that pack"
    clock.pass_(14)
    whole.remote.gc([])
    assert keys(bucket, "condemned") == set()


def test_objects_that_were_never_pushed_do_not_matter(client, clock):
    objects = client.add(b"pushed")
    client.push(objects)
    clock.pass_(15)
    assert client.remote.gc(client.add(b"not pushed") | objects).condemned == 0


def test_the_time_is_the_buckets_own(client, bucket, clock):
    """A machine whose clock is a year ahead must not take a push under way for an old one."""
    client.push(client.add(b"of today, whatever the wall clock of this machine says"))
    assert client.remote.gc([]).condemned == 0
    assert keys(bucket, "clock") == set()


def test_a_replaced_index_stays_for_readers_that_have_listed_it_and_a_note_outlives_its_pack(client, bucket, clock):
    client.push(client.add(b"dead"))
    old = keys(bucket, "index")
    clock.pass_(15)
    client.remote.gc([])
    clock.pass_(15)
    assert client.remote.gc([]).deleted == 1
    clock.pass_(1)
    client.remote.gc([])
    assert (old < keys(bucket, "index"), len(keys(bucket, "condemned"))) == (True, 1)
    clock.pass_(14)
    client.remote.gc([])
    assert (len(old & keys(bucket, "index")), len(keys(bucket, "condemned"))) == (0, 1)
    clock.pass_(1)
    client.remote.gc([])
    assert keys(bucket, "condemned") == set()


class Meeting:
    """Dead packs of an earlier push, some condemned already, and a client that now pushes objects which share bytes with them."""

    def __init__(self, *, condemned: int) -> None:
        self.clock = HandClock()
        self.bucket = MemoryBucket(self.clock)
        old = self.client()
        self.kept = old.add(b"live all the time", noise(50_000, seed=9))
        self.earlier = [old.add(LARGE[n], b"shared %d" % n, b"dead %d" % n, noise(50_000, seed=50 + n)) for n in range(3)]
        old.push(self.kept)
        for one in self.earlier:
            old.push(one)
        self.clock.pass_(15)
        for n in range(condemned):
            self.gc(self.kept | {digest: 0 for one in self.earlier[n + 1 :] for digest in one})
            self.clock.pass_(7.5)

    def client(self, before=None):
        return Client(None, Watched(self.bucket, before) if before else self.bucket)

    def gc(self, live, before=None):
        return self.client(before).remote.gc(live)

    def push(self, before=None):
        """What was pushed."""
        client = self.client(before)
        objects = client.add(*(data + b"and more" for data in LARGE), *(b"shared %d" % n for n in range(3)), b"quite new")
        client.push(objects)
        return objects

    def holds(self, objects):
        reader = self.client()
        reader.fetch(objects)
        return reader.holds(objects) and reader.remote.verify().faults == ()

    def goes_well(self, objects, *, untold_days=0.0):
        """Gcs come by; ``untold_days`` after the push they know what it pushed. It must be there all the time, and what is dead goes."""
        live = objects | self.kept
        assert self.holds(live)
        self.clock.pass_(untold_days)
        if untold_days:
            self.gc(self.kept)
        for days in (1, 14, 15, 15, 15):
            self.clock.pass_(days)
            self.gc(live)
            assert self.holds(live)
        assert self.client().remote.has(digest for one in self.earlier for digest in one) <= set(live)


LARGE = [noise(MB + 1, seed=n) for n in range(3)]


def moments(act):
    """``act(at, arrived)`` for each call of something that is watched, until it has no such call; how many there were."""
    at, arrived = 0, [0]
    while arrived:
        at, arrived = at + 1, []
        act(at, arrived)
    return at - 1


@pytest.mark.parametrize("condemned", [0, 1, 2, 3])
@pytest.mark.parametrize("gcs", [1, 2])
def test_a_gc_at_any_call_of_a_push_takes_nothing_that_was_pushed(condemned, gcs):
    def meet(at, arrived):
        meeting = Meeting(condemned=condemned)

        def collect(number, verb, key):
            if number in range(at, at + gcs):
                arrived.append(number)
                meeting.gc(meeting.kept)  # which does not know of the push that goes on
                meeting.clock.pass_(3 / gcs)  # a slow push

        meeting.goes_well(meeting.push(collect), untold_days=13)

    assert moments(meet) > 10


@pytest.mark.parametrize("condemned", [0, 1, 2, 3])
def test_a_push_at_any_call_of_a_gc_keeps_what_was_pushed(condemned):
    def meet(at, arrived):
        meeting = Meeting(condemned=condemned)
        pushed = {}

        def push(number, verb, key):
            if number == at:
                arrived.append(number)
                pushed.update(meeting.push())

        meeting.gc(meeting.kept, push)
        meeting.goes_well(pushed, untold_days=13)

    assert moments(meet) > 6


def test_two_gcs_at_once_at_any_call():
    def meet(at, arrived):
        meeting = Meeting(condemned=2)
        meeting.clock.pass_(10)
        live = meeting.kept | meeting.earlier[2]

        def collect(number, verb, key):
            if number == at:
                arrived.append(number)
                meeting.gc(live)

        meeting.gc(live, collect)
        meeting.goes_well(meeting.earlier[2])

    assert moments(meet) > 6


class Killed(Exception):
    pass


def test_a_gc_that_is_killed_at_any_call_is_gone_on_with():
    def meet(at, arrived):
        meeting = Meeting(condemned=2)
        meeting.clock.pass_(10)

        def kill(number, verb, key):
            if number == at:
                arrived.append(number)
                raise Killed

        with suppress(Killed):
            meeting.gc(meeting.kept | meeting.earlier[2], kill)
        meeting.goes_well(meeting.earlier[2])

    assert moments(meet) > 6


def test_a_gc_at_any_call_of_a_fetch_that_moves_what_is_read():
    def meet(at, arrived):
        clock = HandClock()
        bucket = MemoryBucket(clock)
        client = Client(None, bucket)
        objects = client.add(*(noise(1000, seed) for seed in range(100)))
        client.push(objects)
        live = dict(list(objects.items())[:20])
        clock.pass_(15)
        client.remote.gc(live)  # has written them anew; the old pack waits
        clock.pass_(15)

        def collect(number, verb, key):
            if number == at:
                arrived.append(number)
                client.remote.gc(live)

        reader = Client(None, Watched(bucket, collect))
        reader.fetch(live)
        assert reader.holds(live)

    assert moments(meet) > 3
