"""The frame: the first screen, unknown verbs, the options every verb has, and how errors come out."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from types import SimpleNamespace

import pytest
import typer
from typer.main import get_group

from towpath import __version__
from towpath.cli import shared
from towpath.cli.app import parse
from towpath.cli.table import FAMILIES, GROUPS, VERBS, Verb, family_of

HEAVY = (
    "mlflow",
    "sklearn",
    "onnx",
    "onnxruntime",
    "torch",
    "ray",
    "polars",
    "pandas",
    "pyarrow",
    "numpy",
    "scipy",
    "deltalake",
    "granian",
)


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_the_first_screen_names_every_verb_that_exists(run, words):
    said = run(*words)
    assert said.code == 0
    shown = {name.partition(" ")[0] for name, verb in VERBS.items() if verb.group}
    for name in VERBS:
        assert (f" {name.partition(' ')[0]} " in said.out) == (name.partition(" ")[0] in shown)
    assert len(said.out.splitlines()) < 60
    assert max(map(len, said.out.splitlines())) <= 100


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_of_verbs_has_a_screen_of_its_own(run, family):
    said = run(family)
    assert said == run(family, "--help")
    assert family_of(family)
    for word in family_of(family):
        assert f"  {word} " in said.out
    wrong = run(family, "nonsense")
    assert wrong.code == 2
    assert all(word in wrong.err for word in family_of(family)[:1])


def test_verbs_stand_in_known_groups():
    assert {verb.group for verb in VERBS.values()} <= {*GROUPS, ""}


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_is_there_and_says_what_it_does(name):
    module = import_module(VERBS[name].module)
    command = get_group(module.app).commands[name.rpartition(" ")[2]]
    assert command.help
    assert VERBS[name].summary


@pytest.mark.parametrize("statement", ["import towpath", "from towpath.cli import main; main(['--help'])", "import towpath.cli.table"])
def test_nothing_heavy_is_imported(statement):
    light = (*HEAVY, "typer", "rich", "pydantic", "msgspec")
    code = f"{statement}\nimport sys\nfound = sorted(set({light!r}) & set(sys.modules))\nsys.exit(str(found) if found else 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_version_is_told(run):
    assert run("--version") == (0, f"towpath {__version__}\n", "")
    assert json.loads(run("--version", "--json").out) == {"version": __version__}


@pytest.mark.parametrize(("typed", "meant"), [("iniit", "init"), ("hist", "history"), ("verfy", "verify")])
def test_an_unknown_verb_gets_the_nearest(run, typed, meant):
    said = run(typed)
    assert said.code == 2
    assert said.out == ""
    assert f"error: no verb called '{typed}'" in said.err
    assert f"did you mean {meant}?" in said.err


def test_a_verb_like_no_other_gets_the_list(run):
    said = run("xyzzy")
    assert said.code == 2
    assert "history" in said.err


def test_an_option_before_the_verb_is_told(run):
    said = run("--jsn", "history")
    assert (said.code, "no option --jsn" in said.err) == (2, True)


def test_a_wrong_option_is_told_with_the_way_on(run):
    said = run("history", "--att", "2013")
    assert said.code == 2
    assert "--att" in said.err
    assert "mend: `towpath history --help`" in said.err


def test_a_group_without_a_word_shows_its_help(run):
    said = run("config")
    assert said.code == 0
    assert "schema" in said.out


def test_options_of_every_verb_may_stand_anywhere(run, project):
    first = run("--project", project, "--json", "history")
    assert first == run("history", f"--project={project}", "--json") == (0, "[]\n", "")


def test_the_options_of_every_verb_are_taken_out():
    assert parse(["a", "--json", "b", "--project", "d", "--traceback"]) == (("a", "b"), "d", True, True)
    assert parse(["a", "--", "--json"]) == (("a", "--", "--json"), ".", False, False)


def test_a_project_without_its_folder_is_told(run):
    assert run("history", "--project").code == 2
    said = run("history", "--project", "/no/such/folder")
    assert (said.code, "there is no folder /no/such/folder" in said.err) == (2, True)


def test_no_project_here_is_told_with_the_way_on(run, tmp_path):
    said = run("history", cwd=tmp_path)
    assert said.code == 2
    assert "towpath init" in said.err


def test_an_error_is_json_where_that_was_asked_for(run, tmp_path):
    said = run("history", "--json", cwd=tmp_path)
    told = json.loads(said.err)
    assert "no towpath.yaml" in told["error"]
    assert told["mend"]


def test_a_traceback_is_printed_on_demand_only(run, tmp_path):
    assert "Traceback" not in run("history", cwd=tmp_path).err
    said = run("history", "--traceback", cwd=tmp_path)
    assert "Traceback" in said.err
    assert "\nerror: there is no towpath.yaml" in said.err


breaks = shared.new_app()
ENDS = {"key": KeyError("x"), "interrupt": KeyboardInterrupt(), "abort": typer.Abort(), "three": typer.Exit(3)}


@breaks.command("break")
def fail(how: str) -> None:
    """End in a way that nobody foresaw."""
    raise ENDS[how]


@pytest.fixture
def breaking(monkeypatch):
    monkeypatch.setitem(VERBS, "break", Verb("towpath_breaks", "", "breaks"))
    monkeypatch.setitem(sys.modules, "towpath_breaks", SimpleNamespace(app=breaks))


def test_what_nobody_foresaw_is_one_line_and_a_file(run, project, breaking):
    said = run("break", "key", cwd=project)
    assert said.code == 1
    assert "Traceback" not in said.err
    assert "error: unexpected KeyError: 'x'" in said.err
    (file,) = (project / ".towpath" / "faults").iterdir()
    assert str(file) in said.err
    assert "Traceback" in file.read_text()
    assert f"towpath {__version__} break key" in file.read_text()


def test_where_there_is_no_project_the_file_lies_elsewhere(run, tmp_path, breaking, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    run("break", "key", cwd=tmp_path)
    assert len(list((tmp_path / "temporary").iterdir())) == 1


def test_the_traceback_of_what_nobody_foresaw_is_printed_on_demand(run, project, breaking):
    assert "KeyError: 'x'" in run("break", "key", "--traceback", cwd=project).err.split("error:")[0]


@pytest.mark.parametrize(("how", "code"), [("interrupt", 130), ("abort", 130), ("three", 3)])
def test_other_ends_have_their_codes(run, project, breaking, how, code):
    assert run("break", how, cwd=project).code == code


def test_a_reader_that_leaves_is_no_error(project):
    reader = f"{sys.executable} -m towpath config schema | head -c 10; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", reader], cwd=project, capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_ctrl_c_ends_with_130(project):
    waits = "import signal, sys, towpath.cli.trust as trust; trust.kept.ledger = lambda project: signal.pause()"
    code = f"{waits}\nfrom towpath.cli import main\nprint('up', flush=True)\nsys.exit(main(['history']))"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.readline()
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_it_runs_as_a_module(process):
    assert process("--version") == (0, f"towpath {__version__}\n", "")


def test_colours_are_off_where_nobody_looks_or_wants_them(process, project):
    for words in (("config", "show"), ("init", "--help"), ("--help",)):
        assert "\x1b" not in process(*words, cwd=project, NO_COLOR="1", FORCE_COLOR="1").out
        assert "\x1b" not in process(*words, cwd=project).out
