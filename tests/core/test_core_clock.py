import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.clock import ReplayClock, WallClock, boot_id, machine_s

START = datetime(2013, 4, 1, 5, tzinfo=UTC)
FOLLOW = """
import sys
from pathlib import Path
from towpath.clock import ReplayClock
clock = ReplayClock(Path(sys.argv[1]))
for _ in sys.stdin:
    print(clock.now().isoformat(), flush=True)
"""


def test_the_wall_clock_is_in_utc():
    before = datetime.now(UTC)
    now = WallClock().now()
    assert now.tzinfo is UTC
    assert before <= now <= datetime.now(UTC)


def test_a_replay_stands_still_until_it_is_set(tmp_path):
    clock = ReplayClock(tmp_path / "deep" / "clock", start=START)
    assert clock.now() == clock.now() == START
    clock.set(START + timedelta(hours=1))
    assert clock.now() == START + timedelta(hours=1)
    assert clock.now().tzinfo is UTC


def test_every_process_of_a_replay_sees_the_time_that_was_set(tmp_path):
    clock = ReplayClock(tmp_path / "clock", start=START)
    follower = subprocess.Popen(
        [sys.executable, "-c", FOLLOW, str(tmp_path / "clock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    for hour in range(5):
        clock.set(START + timedelta(hours=hour, microseconds=hour))
        follower.stdin.write("what time is it?\n")
        follower.stdin.flush()
        assert follower.stdout.readline().strip() == clock.now().isoformat()
    follower.communicate()
    assert follower.returncode == 0


def test_time_never_goes_back(tmp_path):
    clock = ReplayClock(tmp_path / "clock", start=START)
    with pytest.raises(ValueError, match="cannot go back to 2013-04-01T04:59:59"):
        clock.set(START - timedelta(seconds=1))
    assert clock.now() == START
    clock.set(START)


def test_a_replay_is_joined_where_it_stands(tmp_path):
    ReplayClock(tmp_path / "clock", start=START).set(START + timedelta(days=2))
    assert ReplayClock(tmp_path / "clock").now() == START + timedelta(days=2)


@given(st.datetimes(datetime(1901, 1, 1), datetime(2200, 1, 1)), st.integers(-14, 14))
def test_any_moment_of_any_zone_is_kept_to_the_microsecond(tmp_path_factory, moment, hours):
    moment = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert ReplayClock(tmp_path_factory.getbasetemp() / "any-clock", start=moment).now() == moment


def test_the_machines_clock_only_goes_on():
    first = machine_s()
    assert machine_s() >= first
    assert boot_id() == boot_id() != ""
