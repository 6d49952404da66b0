"""The console over real HTTP, and in a real browser."""

import http.client
import json
import shutil
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from urllib.request import urlopen

import msgspec
import pytest

from towpath.console.reading import Reading
from towpath.console.server import Console, running
from towpath.errors import Broken, UsageError
from towpath.ledger import Entry


@pytest.fixture
def shown(whole):
    """What the console shows: a list whose last item is the view, so that a test can change it."""
    return [whole]


@pytest.fixture
def address(shown):
    with running("127.0.0.1", 0, lambda: shown[-1]) as address:
        yield address


def ask(address, method="GET", path="/", host=None):
    connection = http.client.HTTPConnection(address.removeprefix("http://").rstrip("/"), timeout=10)
    connection.request(method, path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer, body


def test_the_page_is_served(address):
    answer, body = ask(address)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "version 1" in body
    assert body.startswith("<!doctype html>")


def test_the_fragment_is_what_the_page_has_inside(address):
    _, whole = ask(address)
    _, part = ask(address, path="/fragment")
    assert part.strip() in whole
    assert "<html" not in part


def test_the_view_is_there_for_machines(address, whole):
    with urlopen(address + "view.json") as answer:
        assert json.load(answer)["release"]["version"] == whole.release.version


def test_each_answer_is_of_its_moment(address, shown, view):
    assert "nothing serves" not in ask(address)[1]
    shown.append(view())
    assert "nothing serves" in ask(address)[1]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(address, method):
    answer, _ = ask(address, method)
    assert answer.status == 405


def test_head_is_get_without_a_body(address):
    answer, body = ask(address, "HEAD")
    assert (answer.status, body) == (200, "")


def test_an_unknown_path_tells_what_is_there(address):
    answer, body = ask(address, path="/admin")
    assert answer.status == 404
    assert "/view.json" in body


@pytest.mark.parametrize("host", ["example.org", "example.org:8090", "127.0.0.1.example.org", ""])
def test_a_name_from_elsewhere_is_refused(address, host):
    connection = http.client.HTTPConnection(address.removeprefix("http://").rstrip("/"), timeout=10)
    connection.putrequest("GET", "/", skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    assert connection.getresponse().status == 403
    connection.close()


def test_a_fault_in_reading_is_told_and_the_console_goes_on(whole):
    answers = iter([Broken("record 3 was changed", mend="restore it"), whole])

    def read():
        found = next(answers)
        if isinstance(found, Broken):
            raise found
        return found

    with running("localhost", 0, read) as address:
        answer, body = ask(address)
        assert (answer.status, body) == (500, "error: record 3 was changed\n mend: restore it\n")
        assert ask(address)[0].status == 200


def test_it_is_read_once_at_a_time(whole):
    inside, most = [], []

    def read():
        inside.append(1)
        most.append(len(inside))
        threading.Event().wait(0.01)
        inside.pop()
        return whole

    with running("127.0.0.1", 0, read) as address:
        threads = [threading.Thread(target=ask, args=(address,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most == [1] * 8


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::"])
def test_it_listens_on_this_machine_only(host, whole):
    with pytest.raises(UsageError, match="does not listen"):
        Console(host, 0, lambda: whole)


def test_a_port_that_is_taken_is_told(address, whole):
    port = int(address.rstrip("/").rpartition(":")[2])
    with pytest.raises(UsageError, match=f"cannot listen on port {port}"), Console("127.0.0.1", port, lambda: whole):
        pass


def test_the_ledger_is_read_again_from_where_reading_stopped(story, ledger_of):
    ledger = ledger_of(*story[:4])
    starts, story_time = [], datetime(2013, 4, 2, tzinfo=UTC)

    class Watched:
        def read(self, start=0):
            starts.append(start)
            return ledger.read(start)

        append = ledger.append

    reading = Reading("flights", Watched(), lambda: story_time)
    assert reading().position == 4
    ledger.append([Entry(id="later", at=story_time, machine=0.0, event=story[4])])
    assert reading().runs[0].outcome == "registered"
    assert [fact.position for fact in reading().facts] == [5, 4, 3, 2, 1]
    assert starts == [0, 4, 5]


def test_ui_shows_the_project_here_until_ctrl_c(tmp_path):
    (tmp_path / "towpath.yaml").write_text("name: small\ndata: {rows: rows.csv}\nmodel: {task: binary, rows: rows, label: b}\n")
    command = [sys.executable, "-m", "towpath", "ui", "--port", "0", "--json"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    answer, body = ask(json.loads(process.stdout.readline())["address"])
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert (answer.status, process.returncode) == (200, 130)
    assert "<h1>small</h1>" in body


@pytest.mark.parts
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_it_and_keeps_it_fresh(address, shown, view, scheme, tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or pytest.skip("no chromium; `make test-parts` needs it")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=flags)
        tab = browser.new_page(color_scheme=scheme, viewport={"width": 1200, "height": 900})
        faults = []
        tab.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        tab.goto(address)
        assert tab.inner_text("h1") == "flights"
        assert tab.locator("[aria-current=step]").inner_text() == "10%"
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        tab.screenshot(path=tmp_path / f"console-{scheme}.png", full_page=True)
        shown.append(msgspec.structs.replace(shown[-1], project="renamed", now=shown[-1].now + timedelta(hours=1)))
        sync_api.expect(tab.locator("h1")).to_have_text("renamed", timeout=10_000)
        assert faults == []
        tab.set_viewport_size({"width": 390, "height": 800})
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        browser.close()
