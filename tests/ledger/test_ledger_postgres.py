"""What only a server can do to a ledger: end a connection at the wrong moment, keep one waiting, refuse one."""

import gc
import threading
import time

import pytest
from tests.ledger.line import Fate, Line

from towpath.errors import Conflict, Unavailable, UsageError
from towpath.ledger import verify
from towpath.testing.ledgers import fact, numbers

pytestmark = pytest.mark.parts
psycopg = pytest.importorskip("psycopg", reason="pip install 'towpath[postgres]'")

from towpath.ledger.postgres import PAGE, PostgresLedger  # noqa: E402

ENDS = [Fate.UNSAID, Fate.UNHEARD, Fate.CUT]


@pytest.fixture
def database(postgres):
    return postgres.new()


@pytest.fixture
def url(postgres, database):
    return postgres.url(database)


@pytest.mark.parametrize("expected", [None, 1])
@pytest.mark.parametrize("fate", ENDS)
@pytest.mark.parametrize("word", [b"BEGIN", b"pg_advisory_xact_lock", b"INSERT", b"COMMIT"])
def test_an_append_whose_connection_is_cut_lands_once(postgres, database, url, word, fate, expected):
    PostgresLedger(url).append([fact(1)])
    with Line(postgres.port, word, fate) as line:
        head = PostgresLedger(postgres.url(database, port=line.port)).append([fact(2), fact(3)], expected=expected)
        assert line.left == 0
    assert numbers(PostgresLedger(url)) == [1, 2, 3]
    assert head.position == 3
    assert verify(PostgresLedger(url).read(), [head]).faults == ()


def test_a_commit_whose_answer_was_lost_is_known_again_behind_others(postgres, database, url):
    """Between the loss and the second try another writer appends: the first is told where its own facts are."""
    with Line(postgres.port, b"COMMIT", Fate.UNHEARD) as line:
        PostgresLedger(url).append([fact(0)])  # the table is there: the cut COMMIT is the append's own
        ledger = PostgresLedger(postgres.url(database, port=line.port))
        other = threading.Thread(target=lambda: (landed(url, 2), PostgresLedger(url).append([fact(2)])))
        other.start()
        head = ledger.append([fact(1)], expected=1)
        other.join()
    assert head.position == 2
    assert numbers(PostgresLedger(url)) == [0, 1, 2]


def landed(url, count):
    until = time.monotonic() + 5
    while len(numbers(PostgresLedger(url))) < count and time.monotonic() < until:
        pass


def test_a_decision_that_did_not_land_loses_to_one_that_did(postgres, database, url):
    PostgresLedger(url).append([fact(1)])
    with Line(postgres.port, b"COMMIT", Fate.UNSAID, times=99) as line:
        ledger = PostgresLedger(postgres.url(database, port=line.port), wait_s=1)
        with pytest.raises(Unavailable, match="did not answer"):
            ledger.append([fact(2)], expected=1)
        PostgresLedger(url).append([fact(3)], expected=1)
        line.left = 0
        with pytest.raises(Conflict):
            ledger.append([fact(2)], expected=1)
    assert numbers(PostgresLedger(url)) == [1, 3]


def test_a_read_whose_connection_is_cut_goes_on(postgres, database, url):
    PostgresLedger(url).append([fact(n) for n in range(2 * PAGE)])
    with Line(postgres.port, b"SELECT position, body", Fate.UNHEARD, times=2) as line:
        assert len(list(PostgresLedger(postgres.url(database, port=line.port)).read())) == 2 * PAGE
        assert line.left == 0


def test_a_server_that_says_nothing_is_given_up(postgres, database, url):
    PostgresLedger(url).append([fact(1)])
    with Line(postgres.port, b"SELECT position", Fate.SILENT, times=99) as line:
        ledger = PostgresLedger(postgres.url(database, port=line.port), wait_s=-4.5)  # half a second, with the margin of five
        begin = time.monotonic()
        with pytest.raises(Unavailable, match="did not answer") as caught:
            list(ledger.read())
        assert time.monotonic() - begin < 3
    assert "try again" in caught.value.mend


def test_idle_connections_that_the_server_ended_are_replaced(postgres, url):
    ledger = PostgresLedger(url)
    ledger.append([fact(1)])
    postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'towpath'")
    ledger.append([fact(2)])
    assert numbers(ledger) == [1, 2]


def gives_up(ledger):
    with pytest.raises(Unavailable):
        ledger.append([fact(2)])


def test_a_writer_that_dies_in_its_transaction_blocks_nobody_for_long(postgres, database, url):
    """Its machine is gone without a word: the server ends the transaction, and with it the lock."""
    PostgresLedger(url).append([fact(1)])
    with Line(postgres.port, b"INSERT", Fate.SILENT) as line:
        dying = PostgresLedger(postgres.url(database, port=line.port), wait_s=1)
        thread = threading.Thread(target=gives_up, args=[dying])
        thread.start()
        while line.left:
            time.sleep(0.01)
        assert PostgresLedger(url, wait_s=30).append([fact(3)]).position == 2
        thread.join()
    assert numbers(PostgresLedger(url)) == [1, 3]


def test_a_writer_that_cannot_get_in_is_told(postgres, database, url):
    ledger = PostgresLedger(url, wait_s=0.2)
    ledger.append([fact(1)])
    with psycopg.connect(url) as blocker:
        blocker.execute("SELECT pg_advisory_xact_lock(hashtext('towpath_ledger'), 'towpath_ledger'::regclass::oid::int)")
        with pytest.raises(Unavailable, match=r"not free within 0\.2 s") as caught:
            ledger.append([fact(2)])
    assert "pg_locks" in caught.value.mend
    assert ledger.append([fact(2)]).position == 2


def test_two_ledgers_lie_in_two_schemas_of_one_database(postgres, database, url):
    postgres.execute("CREATE SCHEMA boats", database)
    boats = PostgresLedger(f"{url}?options=-csearch_path%3Dboats")
    boats.append([fact(1)])
    assert list(PostgresLedger(url).read()) == []
    assert PostgresLedger(url).append([fact(2)]).position == 1
    assert numbers(boats) == [1]


def test_a_lent_isolation_does_not_make_holes(postgres, database, url):
    """A database whose transactions see one moment by default would show a head from before the lock."""
    postgres.execute(f"ALTER DATABASE {database} SET default_transaction_isolation = 'serializable'")
    ledgers = [PostgresLedger(url) for _ in range(4)]
    threads = [threading.Thread(target=lambda n=n: [ledgers[n].append([fact(10 * n + k)]) for k in range(5)]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers(PostgresLedger(url))) == 20
    assert verify(PostgresLedger(url).read()).faults == ()


def test_connections_are_closed_with_the_ledger(postgres, url):
    ledger = PostgresLedger(url)
    ledger.append([fact(1)])
    of_ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'towpath' AND datname = '{}'".format(url.rpartition("/")[2])
    assert postgres.execute(of_ours) == [(1,)]
    del ledger
    gc.collect()
    until = time.monotonic() + 5
    while postgres.execute(of_ours) != [(0,)] and time.monotonic() < until:
        time.sleep(0.01)
    assert postgres.execute(of_ours) == [(0,)]


def refused(url):
    with pytest.raises(UsageError) as caught:
        list(PostgresLedger(url).read())
    assert caught.value.mend
    return caught.value.what


def test_what_a_person_must_mend_is_told_without_the_password(postgres, database):
    secret = "sesame-42"
    assert "password authentication failed" in (told := refused(postgres.url(database, password=secret)))
    assert secret not in told
    assert database in told
    assert '"no_such" does not exist' in refused(postgres.url("no_such"))
    assert "no_such_host" in (told := refused(f"postgresql://me:{secret}@no_such_host.invalid/x"))
    assert secret not in told


@pytest.mark.parametrize("password", ["open@sesame", "open/sesame", "1/sesame", "100%sesame", "a:b@c/sesame"])
def test_a_password_that_is_not_escaped_is_no_part_of_the_error(password):
    with pytest.raises(UsageError) as caught:
        PostgresLedger(f"postgresql://me:{password}@127.0.0.1:1/flights")
    assert "sesame" not in str(caught.value)
    assert "%40" in caught.value.mend


def test_a_server_that_is_not_there_is_told(postgres):
    with pytest.raises(Unavailable, match="Connection refused") as caught:
        list(PostgresLedger(postgres.url(port=1)).read())
    assert "try again" in caught.value.mend


def test_a_reader_needs_to_read_only_and_a_writer_not_to_make_the_table(postgres, database, url):
    postgres.execute("CREATE ROLE clerk LOGIN PASSWORD 'c'")
    clerk = PostgresLedger(postgres.url(database, user="clerk", password="c"))
    assert list(clerk.read()) == []
    with pytest.raises(UsageError, match="permission denied for schema") as caught:
        clerk.append([fact(1)])
    assert "GRANT" in caught.value.mend
    PostgresLedger(url).append([fact(1)])
    with pytest.raises(UsageError, match="permission denied for table") as caught:
        list(clerk.read())
    assert "SELECT, INSERT" in caught.value.mend
    postgres.execute("GRANT SELECT ON towpath_ledger TO clerk", database)
    assert numbers(clerk) == [1]
    postgres.execute("GRANT INSERT ON towpath_ledger TO clerk", database)
    assert clerk.append([fact(2)]).position == 2
