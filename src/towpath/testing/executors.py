"""What every executor promises; and, more than that, one whose tasks have processes of their own."""

# ruff: noqa: S101 - a suite asserts

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import polars as pl
import pytest
from msgspec.structs import replace

from towpath.digest import of_bytes
from towpath.pipeline.executor import Resources
from towpath.pipeline.perform import perform
from towpath.pipeline.values import Value
from towpath.testing.tasks import Bench, OpenExecutor, OpenStore, waited

PATIENCE_S = 60.0


class ExecutorContract:
    """Subclass it and give two fixtures.

    ``open_store``: each call opens the same store once more.
    ``open_executor``: called with a number of cores, a new executor with room for as many tasks at least, unless it executes one at a
    time; they keep what they make in that store.
    """

    @pytest.fixture
    def open_store(self) -> OpenStore:
        raise NotImplementedError("a subclass gives the fixture `open_store`")

    @pytest.fixture
    def open_executor(self) -> OpenExecutor:
        raise NotImplementedError("a subclass gives the fixture `open_executor`")

    @pytest.fixture
    def bench(self, tmp_path: Path, open_store: OpenStore, open_executor: OpenExecutor) -> Iterator[Bench]:
        bench = Bench(tmp_path, open_store, open_executor)
        yield bench
        bench.close()

    @pytest.mark.parametrize("step", ["table", "text", "array", "pair", "drawn", "files"])
    def test_what_a_step_makes_is_the_same_everywhere(self, bench: Bench, step: str) -> None:
        here = perform(bench.task(step), bench.open_store(), bench.folder / "here")
        assert bench.made(step) == here.value

    def test_what_one_makes_the_next_is_given(self, bench: Bench) -> None:
        table, files = bench.made("table"), bench.made("files")
        assert bench.got(bench.made("lazy", table=table)).to_dicts() == [{"port": "EWR", "late": 0.5}]
        assert bench.got(bench.made("counted", table=table)) == {"rows": 2}
        assert bench.got(bench.made("read", files=files)) == {"one.txt": "one"}

    def test_what_is_given_arrives(self, bench: Bench) -> None:
        assert bench.got(bench.made("counted", table=pl.DataFrame({"a": range(9)}))) == {"rows": 9}

    @pytest.mark.parametrize(
        ("step", "words"),
        [
            ("raises", "step 'raises' raised ConnectionResetError: the wire is cut"),
            ("leaves", "step 'leaves' raised SystemExit: 3"),
            ("hungry", "step 'hungry' raised MemoryError"),
            ("nothing", "step 'nothing' returned None"),
            ("unwritten", "no function in the pipeline called 'unwritten'"),
        ],
    )
    def test_a_fault_is_told_and_what_comes_after_it_ends_well(self, bench: Bench, step: str, words: str) -> None:
        executor = bench.executor()
        for each in (step, "text"):
            executor.submit(bench.task(each))
            (done,) = waited(executor, 1)
            assert done.step == each
            assert done.seconds >= 0
            assert (done.value is None, done.fault is None) == (each == step, each == "text")
            if done.fault:
                assert words in done.fault.what
                assert done.fault.mend
        executor.sync()

    def test_an_error_is_told_with_its_types_and_the_users_lines(self, bench: Bench) -> None:
        fault = bench.end("raises").fault
        assert fault is not None
        assert {"ConnectionResetError", "ConnectionError", "OSError"} <= {*fault.kinds}
        assert 'raise ConnectionResetError("the wire is cut")' in fault.trace
        assert "calling.py" not in fault.trace

    def test_an_input_that_is_not_in_the_store_is_a_fault_too(self, bench: Bench) -> None:
        never = of_bytes(b"never stored")
        fault = bench.end("counted", table=Value("table", never, never)).fault
        assert fault is not None
        assert never in fault.what

    def test_who_waits_for_nothing_gets_nothing(self, bench: Bench) -> None:
        executor = bench.executor()
        assert executor.wait() == []
        executor.submit(bench.task("text"))
        assert len(waited(executor, 1)) == 1
        assert executor.wait() == []

    def test_what_ended_survives_sync_and_close(self, bench: Bench) -> None:
        executor = bench.executor()
        executor.submit(bench.task("text"))
        (done,) = waited(executor, 1)
        executor.sync()
        executor.sync()
        executor.close()
        assert done.value is not None
        assert bench.got(done.value) == "lock \ud800"

    def test_closing_ends_it_and_may_be_done_twice(self, bench: Bench) -> None:
        executor = bench.executor()
        executor.close()
        executor.close()

    def test_there_is_room_until_all_is_taken(self, bench: Bench) -> None:
        executor, begun = bench.executor(), 0
        while executor.room(Resources()):
            executor.submit(replace(bench.task("text"), step=f"text-{begun}", log=""))
            begun += 1
        assert begun >= 1
        assert {done.step for done in waited(executor, begun)} == {f"text-{number}" for number in range(begun)}
        assert executor.room(Resources())


class WorkersContract(ExecutorContract):
    """What is promised as well where tasks have processes of their own."""

    def test_there_is_no_room_for_more_than_there_is(self, bench: Bench) -> None:
        executor = bench.executor(2)
        has = executor.has
        assert executor.room(has)
        for more in (replace(has, cpus=has.cpus + 1), replace(has, memory=has.memory + 1), replace(has, gpus=has.gpus + 1)):
            assert not executor.room(more)

    def test_tasks_execute_at_once(self, bench: Bench) -> None:
        ends = bench.ends(bench.meeting("one", "two"), bench.meeting("two", "one"))
        assert sorted(bench.got(done.value) for done in ends if done.value) == ["one", "two"]

    @pytest.mark.parametrize(("step", "words"), [("dies", "was killed (signal 9)"), ("exits", "ended with exit code 3")])
    def test_a_worker_that_dies_is_a_fault_of_its_task_alone(self, bench: Bench, step: str, words: str) -> None:
        executor = bench.executor(2)
        executor.submit(bench.meeting("one", "two"))
        executor.submit(bench.task(step))
        (dead,) = waited(executor, 1)
        assert dead.step == step
        assert dead.fault is not None
        assert words in dead.fault.what
        executor.submit(bench.meeting("two", "one"))
        assert all(done.value for done in waited(executor, 2))

    def test_who_waits_has_patience_as_long_as_he_says(self, bench: Bench) -> None:
        executor = bench.executor(2)
        executor.submit(bench.meeting("one", "two"))
        assert executor.wait(0.01) == []
        executor.submit(bench.meeting("two", "one"))
        assert {done.step for done in waited(executor, 2)} == {"one", "two"}

    def test_what_ended_is_durable_though_its_worker_is_busy(self, bench: Bench) -> None:
        executor = bench.executor(1)
        executor.submit(bench.task("text"))
        assert waited(executor, 1)[0].value
        executor.submit(bench.meeting("one", "two"))
        executor.sync()
        (bench.place / "two").touch()
        assert waited(executor, 1)[0].value

    def test_a_task_that_takes_too_long_is_ended_with_its_children(self, bench: Bench) -> None:
        executor = bench.executor(2)
        executor.submit(bench.task("text"))
        assert waited(executor, 1)[0].value  # a worker is warm
        executor.submit(bench.task("lingers", place=str(bench.place), timeout_s=5.0))
        (late,) = waited(executor, 1)
        assert late.fault is not None
        assert "'lingers' took longer than its timeout of 5 s" in late.fault.what
        assert "TimeoutError" in late.fault.kinds
        _are_gone(bench.place)
        executor.submit(bench.task("text"))
        assert waited(executor, 1)[0].value

    def test_closing_ends_what_is_under_way_with_its_children(self, bench: Bench) -> None:
        executor = bench.executor(2)
        executor.submit(bench.task("lingers", place=str(bench.place)))
        _until(lambda: (bench.place / "pids").exists(), "the step never began")
        executor.close()
        _are_gone(bench.place)

    def test_what_a_step_prints_is_in_its_log_alone(self, bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
        executor = bench.executor()
        for step in ("prints", "text"):
            executor.submit(bench.task(step))
            assert waited(executor, 1)[0].value
        executor.close()
        assert (bench.folder / "logs/prints.log").read_text() == "by Python\nby a child\nas a fault\n"
        assert not (bench.folder / "logs/text.log").exists()
        told = capfd.readouterr()
        assert "by " not in told.out + told.err

    def test_a_step_that_takes_more_memory_than_it_may_is_told_so(self, bench: Bench) -> None:
        executor = bench.executor()
        executor.submit(bench.task("grows", needs=Resources(memory=500_000_000)))
        (done,) = waited(executor, 1)
        assert done.fault is not None
        assert re.search(r"'grows' ran out of memory: it may take 500.0 MB, had [1-4]\d\d\.\d MB in use at its peak", done.fault.what)
        assert "blocks.append" in done.fault.trace
        assert "steps.grows" in done.fault.mend
        assert "MemoryError" in done.fault.kinds
        executor.submit(bench.task("text", needs=Resources(memory=500_000_000)))
        assert waited(executor, 1)[0].value
        executor.submit(bench.task("grows"))
        assert waited(executor, 1)[0].value

    def test_a_set_of_texts_has_one_order(self, bench: Bench) -> None:
        assert len({bench.made("ordered").content for _ in range(3)}) == 1


def _are_gone(place: Path) -> None:
    for pid in map(int, (place / "pids").read_text().split()):
        _until(lambda pid=pid: not is_alive(pid), f"process {pid} outlived its task")  # type: ignore[misc]


def _until(holds: Callable[[], bool], otherwise: str) -> None:
    end = monotonic() + PATIENCE_S
    while not holds():
        assert monotonic() < end, otherwise
        sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether it runs; a dead process that nobody has asked for yet does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
