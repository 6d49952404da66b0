"""The README's start is followed to the letter by a shell, in an empty folder."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"```(console|python|yaml)( [\w.]+)?\n(.*?)```", re.DOTALL)
WITHIN_S = 60


def section(title):
    """The text under a heading of the second level."""
    return README.read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]


def blocks():
    """(kind, file name, text) of each block of the start, in order."""
    return [(kind, name.strip(), text) for kind, name, text in BLOCK.findall(section("Five minutes"))]


def commands(text):
    return [line[2:] for line in text.splitlines() if line.startswith("$ ")]


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


class Shell:
    """One bash, as a person would have it open; each command's output and exit code is told."""

    def __init__(self, folder):
        environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
        names = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self._bash = subprocess.Popen(["bash"], cwd=folder, env={**environ, **names}, text=True, **pipes)

    def run(self, command):
        self._bash.stdin.write(f'{command}\necho "=== $?"\n')
        self._bash.stdin.flush()
        said = []
        while not (line := self._bash.stdout.readline()).endswith("\n") or "=== " not in line:
            assert line, f"the shell ended in `{command}`: {''.join(said)}"
            said.append(line)
        before, _, code = line.rpartition("=== ")
        return "".join(said) + before, int(code)

    def until(self, command, wanted):
        """Repeat a command until its output has ``wanted``: what a person does who waits for the loop."""
        end, said = time.monotonic() + WITHIN_S, ""
        while wanted not in said:
            assert time.monotonic() < end, f"`{command}` never said {wanted!r}: {said}"
            said, _ = self.run(command)
            time.sleep(0.2)

    def close(self):
        self.run("kill %1; wait")
        self._bash.stdin.close()
        self._bash.wait(30)
        self._bash.stdout.close()


@pytest.fixture
def shell(tmp_path):
    opened = Shell(tmp_path)
    yield opened
    opened.close()


WAITS = {  # after which command, for what: the text of the README says so in words
    "towpath up": ("towpath status", "production    version 1"),
    'git add --all && git commit -q -m "A forest"': ("towpath status", "production    version 2"),
    'git commit -q -a -m "One tree of one split"': ("towpath runs", "rejected"),
}


@pytest.mark.slow
def test_the_start_works_as_it_is_written(shell, tmp_path):
    said = {}
    for kind, name, text in blocks():
        if kind != "console":
            (tmp_path / "tumours" / name).write_text(text)
            continue
        for command in commands(text):
            if command.startswith("towpath up"):
                ports = f"--port {free_port()}" + (f" --console {free_port()}" if "--console" in shell.run("towpath up --help")[0] else "")
                shell.run(f"towpath up {ports} > {tmp_path}/up.log 2>&1 &")
                code = 0
            else:
                said[command], code = shell.run(command)
            assert code == 0, (command, said.get(command))
            waits = next((wait for start, wait in WAITS.items() if command.startswith(start)), None)
            if waits:
                shell.until(*waits)
    assert "project tumours, 569 rows of 31 columns" in said["towpath init tumours.csv --label target"]
    assert "version 1 passed every gate" in said["towpath run"]
    assert '"model_version":"1"' in said["towpath request | sh"]
    assert '{"accepted":1}' in said["towpath request | sh"]
    assert "gates (champion: version 1)" in said["towpath why 2"]
    assert "rejected" in said["towpath runs"]
    assert "production    version 2" in said["towpath status"]


def test_what_the_readme_prints_of_a_project_is_a_project(tmp_path):
    text = next(text for _, name, text in blocks() if name == "towpath.yaml")
    shown = next(text for kind, _, text in blocks() if kind == "console" and "cat towpath.yaml" in text)
    for line in shown.split("$ cat towpath.yaml\n")[1].split("\n$ ")[0].splitlines():
        assert line in text or line.startswith("model:")


def test_every_file_that_the_readme_links_to_is_there():
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text())
    missing = [link for link in links if "://" not in link and not (README.parent / link).exists()]
    assert not missing


def loosely(line):
    """A line of the page as a pattern: digests and sizes depend on the versions of what wrote the files."""
    return ".+".join(map(re.escape, re.split(r"\b[0-9a-f]{8}\b|\b[\d.]+ [kM]B", line)))


@pytest.mark.slow
def test_the_walk_through_versions_of_data_is_what_is_printed(tmp_path):
    flights = README.parent / "examples" / "flights"
    for part in ("project", "data"):
        shutil.copytree(flights / part, tmp_path / part)
    shutil.copy(flights / "towpath.yaml", tmp_path)
    shell = Shell(tmp_path)
    shell.run("git init -q")
    text = next(text for _, _, text in BLOCK.findall(section("Versions of data")))
    for part in text.split("$ ")[1:]:
        command, _, shown = part.partition("\n")
        said, code = shell.run(command)
        assert code == (command == "towpath data check flights"), said
        for line in shown.splitlines():
            assert line == "..." or re.search(f"^{loosely(line)}$", said, re.MULTILINE), (command, line, said)
    shell.close()
