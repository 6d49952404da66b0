import os
import time

import pytest

from towpath.stamps import is_old, wait_past

HOUR_NS = 3_600 * 10**9


@pytest.fixture(params=["asked", "not asked"])
def folder(request, tmp_path, monkeypatch):
    """A folder whose file system can be asked for its time, and one whose file system makes no file without a name."""
    if request.param == "not asked":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    return tmp_path


def test_what_is_written_after_the_wait_is_stamped_later(folder):
    file = folder / "file"
    for number in range(20):
        file.write_text(f"first {number:03}")
        first = file.stat().st_mtime_ns
        assert wait_past(first, str(folder))
        file.write_text(f"second {number:02}")
        assert file.stat().st_mtime_ns > first


def test_nobody_waits_for_a_stamp_of_the_future(folder):
    assert not wait_past(time.time_ns() + HOUR_NS, str(folder))  # or the test ends by its timeout


def test_a_folder_that_is_gone_is_waited_for_as_long_as_any_tick(tmp_path):
    now_ns = time.time_ns()
    assert wait_past(now_ns, str(tmp_path / "gone"))
    assert is_old(now_ns)
    assert is_old(time.time_ns() - HOUR_NS)
    assert not is_old(time.time_ns() + HOUR_NS)
