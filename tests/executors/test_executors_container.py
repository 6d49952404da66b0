"""Steps in containers: the contract of executors holds in them, and what they make has the content that it has outside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time

import pytest
from msgspec.structs import replace
from tests.executors import root

from towpath.executors.container import Containers
from towpath.executors.local import LocalExecutor
from towpath.project_file import load
from towpath.store.local import LocalStore
from towpath.testing import WorkersContract

pytestmark = [pytest.mark.parts, pytest.mark.timeout(300)]

BASE = "localhost/towpath-base"  # without Towpath
READY = "localhost/towpath-ready:environment"
INSTALLED = "Successfully installed towpath-"


LIMITS = """
[containers]
default_ulimits = ["nofile=10000:10000", "nproc=4000:4000"]
netns = "host"
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
"""  # with these podman runs inside a container too


@pytest.fixture(scope="module")
def environ(tmp_path_factory):
    """Buildah with images of its own, and among them one like ``python:3.11-slim``."""
    folder = tmp_path_factory.mktemp("containers")
    try:
        driver = (
            "overlay" if not buildah("--storage-driver", "overlay", "--root", folder / "o", "--runroot", folder / "r", "info") else "vfs"
        )
    except FileNotFoundError:
        pytest.skip("apt-get install buildah")
    (folder / "storage.conf").write_text(f'[storage]\ndriver = "{driver}"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n')
    (folder / "containers.conf").write_text(LIMITS)
    ours = {
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "BUILDAH_ISOLATION": "chroot",
        "TOWPATH_CONTAINERS": "buildah",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ours.items():
            patch.setenv(name, value)
        (folder / "root").mkdir()
        root.fill(folder / "root")
        assert buildah("build", "--quiet", "--tag", BASE, "--file", folder / "root/Containerfile", folder / "root") == 0
        assert INSTALLED in Home(folder / "ready", os.environ, name="ready")("image", "build")
        yield {**os.environ}
        buildah("rm", "--all")
        buildah("rmi", "--all", "--force")


def buildah(*words):
    return subprocess.run(["buildah", *map(str, words)], capture_output=True, check=False).returncode


def runs(program):
    """Whether it runs containers here: docker with a base image of its own, the others with that of buildah."""
    found = shutil.which(program) and subprocess.run([program, "run", "--rm", BASE, "sleep", "0"], capture_output=True, check=False)
    return bool(found) and found.returncode == 0


@pytest.fixture(params=["buildah", "podman", "docker"])
def any_home(request, tmp_path, environ):
    """A project whose containers are those of each program that runs here."""
    if request.param != "buildah" and not runs(request.param):
        pytest.skip(f"{request.param} does not run containers here")
    return Home(tmp_path, {**environ, "TOWPATH_CONTAINERS": request.param}, name=f"Boats-{request.param}")


class Contained(LocalExecutor):
    """Executes every task in what `towpath image build` made."""

    def submit(self, task):
        super().submit(replace(task, image=Containers("buildah").image(READY).identity))


class TestInContainers(WorkersContract):
    @pytest.fixture
    def project(self, tmp_path):
        (tmp_path / "towpath.yaml").write_text("name: contract\npipeline: towpath.yaml\nsteps: {text: {}}\n")
        return load(tmp_path, {}).placed(tmp_path, tmp_path)  # all of it is seen inside, also what the suite looks at

    @pytest.fixture
    def open_store(self, project):
        return lambda: LocalStore(project.home / "store")

    @pytest.fixture
    def open_executor(self, project, environ):
        return lambda slots: Contained(project, environ, slots=slots)


PIPELINE = """
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl


def table() -> pl.DataFrame:
    print("in", sys.prefix)
    return pl.DataFrame({"a": np.random.random(1000)}).with_columns(b=pl.col("a") * 2, c=pl.lit("x")).sort("a")


def array(table: pl.DataFrame) -> np.ndarray:
    return table["b"].to_numpy() ** 2


def files(table: pl.DataFrame) -> Path:
    folder = Path(tempfile.mkdtemp())
    table.write_csv(folder / "table.csv")
    return folder


def pair(files: Path, array: np.ndarray) -> tuple:
    return (sorted(file.name for file in files.iterdir()), float(array.sum()))


def text(pair: tuple) -> str:
    return repr(pair) + repr({"lock", "gate", "barge"})
"""
STEPS = ("table", "array", "files", "pair", "text")
YAML = "name: %s\npipeline: pipeline.py\nimage: {base: %s}\nsteps: {%s}\n"


class Home:
    """A project, in which each step may be inside or outside."""

    def __init__(self, folder, environ, name="Boats"):
        self.folder, self.environ, self.name = folder, environ, name
        folder.mkdir(exist_ok=True)
        (folder / "pipeline.py").write_text(PIPELINE)
        (folder / "requirements.txt").write_text("polars\n")
        (folder / ".gitignore").write_text(".towpath\n")
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
        self.write()

    def write(self, *inside):
        """These steps are inside; all is committed."""
        plans = [f"{step}: {{{'container: project' if step in inside else ''}}}" for step in STEPS]
        (self.folder / "towpath.yaml").write_text(YAML % (self.name, BASE, ", ".join(plans)))
        self.commit()

    def commit(self):
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run([*git, "add", "."], cwd=self.folder, check=True)
        subprocess.run([*git, "commit", "-qm", "x", "--allow-empty"], cwd=self.folder, check=True)

    def __call__(self, *words, code=0):
        command = [sys.executable, "-m", "towpath", *words]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, env=self.environ)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def contents(self):
        """What each step made in the last run."""
        events = [entry["event"] for entry in json.loads(self("history", "--json"))]
        return {event["step"]: event["content"] for event in events if event["kind"] == "StepExecuted"}


@pytest.fixture
def home(tmp_path, environ):
    return Home(tmp_path, environ)


def test_what_is_made_inside_and_outside_has_one_content(any_home):
    any_home("run")
    outside = any_home.contents()
    any_home.write(*STEPS)
    assert "the project's image is not built on this machine" in any_home("run", code=1)
    assert "localhost/towpath-boats-" in any_home("image", "build")
    said = any_home("run")
    assert "0 of them reused" in said
    assert any_home.contents() == outside
    assert "/usr/local" in (any_home.folder / ".towpath/logs/run-3/table.log").read_text()
    assert "image is new: sha256:" in any_home("why", "step", "text")
    any_home.write("array", "files")
    assert "5 of them reused" in any_home("run"), "what goes in and out is the same"


def test_an_edit_of_code_installs_nothing_again_and_executes_only_what_it_changes(home):
    home.write(*STEPS)
    home("image", "build")
    home("run")
    (home.folder / "pipeline.py").write_text(PIPELINE.replace("repr(pair)", "str(pair)"))
    home.commit()
    said = home("image", "build")
    assert INSTALLED not in said, "what was installed is taken from the layers of before"
    assert "4 of them reused" in home("run")


def test_other_requirements_are_another_image(home):
    home.write(*STEPS)
    home("image", "build")
    (home.folder / "requirements.txt").write_text("polars\nnumpy\n")
    home.commit()
    assert "other packages or requirements" in home("run", code=1)
    home("image", "build")
    home("run")


def test_a_step_in_any_image(home):
    home.write()
    yaml = home.folder / "towpath.yaml"
    yaml.write_text(yaml.read_text().replace("text: {}", f"text: {{container: {READY}}}"))
    home.commit()
    assert "5 steps, 0 of them reused" in home("run")
    yaml.write_text(yaml.read_text().replace(READY + "}}", "localhost/nowhere}}"))
    home.commit()
    said = home("run", code=1)
    assert "there is no image localhost/nowhere here, and it cannot be fetched" in said


def test_the_parts_of_a_step_are_inside_as_well(home):
    made = "def letters():\n    return pl.DataFrame({'c': ['a', 'b', 'b']})\n\n\ndef counts(letters):\n    return letters.height\n"
    (home.folder / "pipeline.py").write_text("import polars as pl\n\n\n" + made)
    plain = f"name: boats\npipeline: pipeline.py\nsteps: {{counts: {{each: c, container: {READY}}}}}\n"
    (home.folder / "towpath.yaml").write_text(plain)
    home.commit()
    home("run")
    inside = home.contents()
    assert {"counts[a]", "counts[b]", "counts"} <= inside.keys()
    (home.folder / "towpath.yaml").write_text(plain.replace(f", container: {READY}", ""))
    home.commit()
    home("run")
    assert home.contents() == inside
    assert "image is gone" in home("why", "step", "counts[a]")


def test_a_step_inside_takes_what_others_executed(home, tmp_path):
    (tmp_path / "shared").mkdir()
    subprocess.run(["git", "clone", "-q", str(home.folder), str(tmp_path / "other")], check=True)
    other = Home.__new__(Home)
    other.name, other.folder, other.environ = home.name, tmp_path / "other", {**home.environ, "TOWPATH_REMOTE": str(tmp_path / "shared")}
    home.environ = other.environ
    home("run")
    other.write("text", "files")
    other("image", "build")
    said = other("run")
    assert "executed by others: table, array" in said
    assert other.contents() == home.contents()


def test_a_run_that_is_killed_takes_its_containers_with_it(any_home):
    any_home.write(*STEPS)
    any_home("image", "build")
    (any_home.folder / "pipeline.py").write_text(
        PIPELINE.replace("print(", "Path('/tmp/pid').write_text('x'); import time; time.sleep(500); print(")
    )
    any_home.commit()
    run = subprocess.Popen([sys.executable, "-m", "towpath", "run"], cwd=any_home.folder, env=any_home.environ, stderr=subprocess.DEVNULL)
    until(lambda: inside(any_home.folder))
    run.kill()
    run.wait()
    until(lambda: not inside(any_home.folder))


def inside(folder):
    """Processes of this project's containers."""
    found = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if "towpath.executors.worker" in line and str(folder) in line]


def until(holds):
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)
