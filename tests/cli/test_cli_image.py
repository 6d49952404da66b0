"""`image build --print`: an ordinary Containerfile; and what is refused before any container begins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from towpath import __version__
from towpath.cli import main
from towpath.errors import ProjectError
from towpath.pipeline.graph import Step
from towpath.project_file import load
from towpath.run.images import images

YAML = "name: Words\npipeline: pipeline.py\nsteps: {words: {container: project}}\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "towpath.yaml").write_text(YAML)
    (tmp_path / ".gitignore").write_text(".towpath\n")
    (tmp_path / "pipeline.py").write_text("def words():\n    return ['lock']\n")
    (tmp_path / "requirements.txt").write_text("polars==2.1.0\n")
    for words in (["init", "--quiet"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "start"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(capfd: pytest.CaptureFixture[str]) -> str:
    assert main(["image", "build", "--print"]) == 0
    return capfd.readouterr().out


def printed_or_refused(capfd: pytest.CaptureFixture[str]) -> str:
    main(["image", "build", "--print"])
    return "".join(capfd.readouterr())


def test_it_is_an_ordinary_containerfile_with_the_code_at_its_end(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lines = printed(capfd).splitlines()
    assert lines[:5] == [
        f"FROM python:3.{sys.version_info.minor}-slim AS environment",
        'COPY ["requirements.txt", "/project/requirements.txt"]',
        'COPY ["towpath-wheels", "/project/towpath-wheels"]',
        "RUN pip install --no-cache-dir --requirement /project/requirements.txt /project/towpath-wheels/*.whl \\",
        " && pip install --no-cache-dir --no-deps --force-reinstall /project/towpath-wheels/*.whl",
    ]
    assert f"towpath=={__version__}" not in "".join(lines), "an index that has that name may give anything"
    assert lines[-3:] == ["FROM environment", "WORKDIR /project", "COPY . ."]


def test_a_release_comes_by_its_version(home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("towpath.executors.requirements.is_release", lambda: True)
    text = printed(capfd)
    assert f"--requirement /project/requirements.txt towpath=={__version__}\n" in text
    assert "towpath-wheels" not in text


def test_base_packages_and_requirements_are_those_of_the_project(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (home / "locks").mkdir()
    (home / "locks/a b.txt").write_text("polars\n")
    (home / "towpath.yaml").write_text(YAML + "image: {base: 'python@sha256:12', packages: [libgomp1, git], requirements: locks/a b.txt}\n")
    text = printed(capfd)
    assert text.startswith("FROM python@sha256:12 AS environment\nRUN apt-get update")
    assert "apt-get install --yes --no-install-recommends libgomp1 git" in text
    assert 'COPY ["locks/a b.txt", "/project/requirements.txt"]' in text


def test_an_edit_of_code_changes_nothing_and_one_of_requirements_the_label(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = printed(capfd)
    (home / "pipeline.py").write_text("def words():\n    return ['gate']\n")
    assert printed(capfd) == before
    (home / "requirements.txt").write_text("polars==2.0.0\n")
    differ = [one for one, other in zip(printed(capfd).splitlines(), before.splitlines(), strict=True) if one != other]
    assert [line.partition("=")[0] for line in differ] == ["LABEL towpath.recipe"]


def test_without_a_file_it_gets_what_is_installed(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (home / "requirements.txt").unlink()
    assert main(["image", "build", "--print", "--json"]) == 0
    told = capfd.readouterr().out
    assert "msgspec==" in told
    assert "\\ntowpath==" not in told


def test_what_is_installed_from_a_folder_comes_along_or_is_refused_by_name(
    home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "requirements.txt").unlink()
    monkeypatch.syspath_prepend(str(home / "site"))
    told = home / "site/barges-1.0.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: barges\nVersion: 1.0\n")
    (told / "direct_url.json").write_text(f'{{"dir_info": {{"editable": true}}, "url": "file://{home}/barges"}}')
    (home / "site/barges.py").write_text("A = 1\n")
    before = printed_or_refused(capfd)
    assert "barges 1.0 is installed to be edited in file://" in before
    assert "install it without `--editable`, or say in requirements.txt what the image gets" in before
    (told / "top_level.txt").write_text("barges\n")
    before = printed_or_refused(capfd)
    assert "barges" not in before
    assert '"towpath-wheels"' in before
    (home / "site/barges.py").write_text("A = 2\n")
    assert printed_or_refused(capfd) != before, "its files are part of the recipe"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("steps: {words: {container: project}}", "steps: {words: {container: project, gpus: 1}}"), "a `container` gets no `gpus`"),
        (("steps:", "image: {requirements: nowhere.txt}\nsteps:"), "there is no file nowhere.txt"),
        (("steps:", "image: {packages: ['git; rm']}\nsteps:"), "image.packages"),
    ],
)
def test_what_cannot_be_made_is_told(home: Path, capfd: pytest.CaptureFixture[str], change: tuple[str, str], words: str) -> None:
    (home / "towpath.yaml").write_text(YAML.replace(*change))
    assert main(["image", "build"]) == 2
    assert words in capfd.readouterr().err


def test_on_a_cluster_there_are_no_containers(home: Path) -> None:
    (home / "towpath.yaml").write_text(YAML + "executor: ray\n")
    with pytest.raises(ProjectError, match="do not execute on a cluster: words"):
        images(load(home, {}), home, [Step.of("words", ())], {})


@pytest.mark.parametrize(
    ("program", "words"), [("lxc", "no program for containers called 'lxc'"), ("", "no program for containers works here")]
)
def test_without_a_program_it_is_told(
    home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, program: str, words: str
) -> None:
    monkeypatch.setenv("TOWPATH_CONTAINERS", program)
    monkeypatch.setattr("towpath.executors.container.PROGRAMS", ("no-such-program",))
    assert main(["run"]) == 1
    assert words in capfd.readouterr().out
