"""Steps that are commands: a project without any Python, executed in folders that have what is declared and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from towpath.cli import main
from towpath.pipeline.codecs import give
from towpath.pipeline.values import Value
from towpath.store.local import LocalStore

YAML = """name: report
data: {raw: raw.csv}
steps:
  clean: {cmd: sh clean.sh < raw.csv > clean.csv, in: [raw.csv, clean.sh], out: clean.csv}
  report:
    cmd: |
      grep {params.word} {in.clean.csv} > {out.found}
      wc -l < found.txt > plots/count.txt
    in: clean
    out: {found: found.txt, plots: plots/}
    params: {word: B}
"""
Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes files of a project, whose folder is the working one, and commits them."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    subprocess.run(["git", "init", "--quiet"], check=True)

    def write(text: str = YAML, **files: str) -> None:
        kept = {"towpath.yaml": text, ".gitignore": ".towpath/\nraw.csv\nignored.txt\n", **files}
        for name, content in kept.items():
            Path(name).write_text(content)
        subprocess.run(["git", "add", "."], check=True)
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *who, "commit", "--quiet", "--allow-empty", "-m", "more"], check=True)

    write(**{"raw.csv": "id,kind\n007,a\n008,b\n", "clean.sh": "tr a-z A-Z\n", "ignored.txt": "x\n"})
    return write


def made(step: str) -> dict[str, str]:
    """The files that a step made last."""
    store = LocalStore(Path(".towpath/store"))
    found = next(one for one in reversed(list(store.executions())) if one.step == step)
    with ExitStack() as stack:
        folder = give(Value(found.codec, found.output, found.content), store, Path(".towpath/lent"), stack)
        return {str(file.relative_to(folder)): file.read_text() for file in sorted(folder.rglob("*")) if file.is_file()}


def run(capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code, and all that is told."""
    code = main(["run"])
    out, err = capfd.readouterr()
    return code, out + err


def test_commands_take_each_others_files_and_are_reused(write: Write, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(capfd)[0] == 0
    assert made("clean") == {"clean.csv": "ID,KIND\n007,A\n008,B\n"}
    assert made("report") == {"found.txt": "008,B\n", "plots/count.txt": "1\n"}
    assert "reused: clean, report" in run(capfd)[1]


def test_a_pattern_stands_for_all_that_it_finds(write: Write, capfd: pytest.CaptureFixture[str]) -> None:
    text = "name: a\nsteps: {one: {cmd: 'cat {in.parts/*.txt} > {out.all}', in: parts/*.txt, out: {all: all.txt}}}\n"
    Path("parts").mkdir()
    write(text, **{"parts/b c.txt": "b\n", "parts/a.txt": "a\n", "parts/d.csv": "d\n"})
    assert run(capfd)[0] == 0
    assert made("one") == {"all.txt": "a\nb\n"}
    write(text, **{"parts/d.csv": "e\n"})
    assert "reused: one" in run(capfd)[1]
    write(text, **{"parts/e.txt": "e\n"})
    assert "step one:" in run(capfd)[1]


def test_what_changed_is_told_and_nothing_else_is_executed(write: Write, capfd: pytest.CaptureFixture[str]) -> None:
    run(capfd)
    write(YAML.replace("word: B", "word: A").replace("{in.clean.csv} >", "{in.clean.csv} | cat >"))
    assert "reused: clean\n" in run(capfd)[1]
    assert main(["why", "step", "report"]) == 0
    told = capfd.readouterr().out
    assert "command and parameters changed" in told
    assert "-grep {params.word} {in.clean.csv} > {out.found}" in told
    assert "parameter word is A, was B" in told
    assert "towpath.yaml:6: the versions of its programs" in told
    write(**{"clean.sh": "tr a-y A-Y\n"})
    told = run(capfd)[1]
    assert "step clean:" in told
    assert "reused: report" in told  # what `clean` made is the same
    main(["why", "step", "clean"])
    assert "input clean.sh has content" in capfd.readouterr().out


def test_the_version_of_a_program_counts_where_it_is_declared(
    write: Write, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write("name: a\nsteps: {one: {cmd: echo 1 > one.txt, out: one.txt, version: echo program $PROGRAM}}\n")
    monkeypatch.setenv("PROGRAM", "4.2")
    run(capfd)
    assert "reused: one" in run(capfd)[1]
    monkeypatch.setenv("PROGRAM", "4.3")
    assert "step one:" in run(capfd)[1]
    main(["why", "step", "one"])
    told = capfd.readouterr().out
    assert "command: version is program 4.3, was program 4.2" in told
    assert "cannot know" not in told


PIPELINE = """import polars as pl
from pathlib import Path

def numbers():
    return pl.DataFrame({"a": [1, 2], "b": ["x", "y"]})

def words():
    return ["lock", "gate"]

def text():
    return "barge"

def thing():
    return {1, 2}

def total(doubled: pl.DataFrame, *, by: int = 1) -> int:
    return int(doubled["a"].sum()) * by

def plain(doubled):
    return doubled.columns

def settings(file: Path):
    return [one.read_text() for one in file.iterdir()]

def kinds(raw: pl.DataFrame):
    return raw["id"].to_list()
"""


def test_tables_and_texts_of_functions_become_files_and_files_of_commands_tables(write: Write, capfd: pytest.CaptureFixture[str]) -> None:
    write(
        f"""name: mixed
pipeline: pipeline.py
data: {{raw: raw.csv}}
steps:
  doubled:
    cmd: ["{sys.executable}", double.py, "{{in.numbers.csv}}"]
    in: [double.py, {{numbers.csv: numbers}}, words, text, {{deep/raw.tsv: raw}}]
    out: doubled.parquet
  total: {{params: {{by: 10}}}}
  plain: {{}}
  settings: {{in: {{file: double.py}}}}
  kinds: {{}}
""",
        **{
            "pipeline.py": PIPELINE,
            "double.py": "import sys, pathlib, json\nimport polars as pl\n"
            "assert json.loads(pathlib.Path('words.json').read_text()) == ['lock', 'gate']\n"
            "assert pathlib.Path('text.txt').read_text() == 'barge'\n"
            "assert pathlib.Path('deep/raw.tsv').read_text().splitlines()[0] == 'id\\tkind'\n"
            "pl.read_csv(sys.argv[1]).with_columns(pl.col('a') * 2).write_parquet('doubled.parquet')\n",
        },
    )
    code, told = run(capfd)
    assert code == 0, told
    store = LocalStore(Path(".towpath/store"))
    values = {one.step: json.loads(store.get(one.output)) for one in store.executions() if one.codec == "json"}
    doubled = next(one for one in store.executions() if one.step == "doubled")
    assert "polars" in json.loads(store.get(doubled.fingerprint))["distributions"]  # it writes the tables
    assert values["total"] == 60
    assert values["plain"] == ["a", "b"]
    assert values["settings"][0].startswith("import sys")
    assert values["kinds"] == [7, 8]


MODELLED = """name: modelled
data: {raw: raw.csv}
model: {task: binary, rows: rows, label: late}
gates: [auc >= 0.9]
steps: {rows: {cmd: sh rename.sh km < raw.csv > rows.csv, in: [raw.csv, rename.sh], out: rows.csv}}
"""


def test_rows_of_a_model_may_come_from_a_command(write: Write, capfd: pytest.CaptureFixture[str]) -> None:
    rows = "\n".join(f"{n},{n % 7},{int(n % 7 > 3)}" for n in range(200))
    write(MODELLED, **{"raw.csv": f"hour,km,late\n{rows}\n", "rename.sh": "sed s/$1/miles/\n"})
    code, told = run(capfd)
    assert code == 0, told
    assert "version 1 passed every gate" in told
    assert main(["reproduce", "1"]) == 0
    assert "made again without the cache: identical" in capfd.readouterr().out
    write(MODELLED.replace("rename.sh km", "rename.sh hour"), **{"rename.sh": "sed s/$1/leagues/\n"})
    assert "version 2 passed every gate" in run(capfd)[1]
    assert main(["why", "1", "2", "--no-attribute"]) == 0
    told = capfd.readouterr().out
    assert "steps.rows.cmd is sh rename.sh hour < raw.csv > rows.csv, was sh rename.sh km" in told
    assert "code: rename.sh changed" in told
    assert "-sed s/$1/miles/" in told


ONE = "name: a\ndata: {{raw: raw.csv}}\nsteps: {{one: {{cmd: {cmd!r}, in: {takes}, out: {out}}}}}\n"
FAULTS = {
    "exit code": (
        "echo first; echo last >&2; exit 3",
        "[]",
        "a.txt",
        ["the command of step 'one' ended with exit code 3", "  first", "  last", "one.log"],
    ),
    "an earlier line": ("false\necho 1 > a.txt", "[]", "a.txt", ["ended with exit code 1"]),
    "a signal": ("kill -9 $$", "[]", "a.txt", ["was ended by signal 9"]),
    "an undeclared file": (
        "sh clean.sh",
        "[raw.csv]",
        "a.txt",
        ["the project's clean.sh is not among what the step takes: add it under `in`", "its folder had: raw.csv"],
    ),
    "no output": ("echo 1 > b.txt", "[]", "[a.txt]", ["step 'one' made no a.txt: it made b.txt", "name what it makes under `out`: b.txt"]),
    "an empty folder": ("true", "[]", "[plots/]", ["step 'one' made no plots/: it made no file at all"]),
    "a link to elsewhere": ("ln -s /etc/passwd a.txt", "[]", "a.txt", ["made a.txt a link to /etc/passwd, outside of its folder"]),
    "outside": ("true", "[]", "../a.txt", ["'../a.txt' does not lie inside"]),
    "twice": ("true", "[]", "[a, a/b]", ["'a/b' is part of 'a' already"]),
    "no such file": ("true", "[claen.sh]", "a.txt", ["towpath.yaml:3: step 'one' takes 'claen.sh'", "did you mean clean.sh"]),
    "not in Git": ("true", "[ignored.txt]", "a.txt", ["which lies in the project and is not known to Git", "declare it under `data`"]),
    "outside in": ("true", "[/etc/passwd]", "a.txt", ["'/etc/passwd' does not lie inside"]),
    "itself": ("true", "[a.txt]", "a.txt", ["takes 'a.txt' and makes it too"]),
    "an unknown name": ("cat {in.row}", "[raw]", "a.txt", ["no name under `in` of the step called 'row'", "did you mean raw"]),
    "no form": ("true", "{raw.xlsx: raw}", "a.txt", ["a table cannot be written as 'raw.xlsx'", ".parquet"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_goes_wrong_is_told(write: Write, capfd: pytest.CaptureFixture[str], fault: str) -> None:
    cmd, takes, out, words = FAULTS[fault]
    write(ONE.format(cmd=cmd, takes=takes, out=out))
    code, told = run(capfd)
    assert code in (1, 2)
    for part in words:
        assert part in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("cmd: echo", "add `out` with the files or folders that it writes"),
        ("out: a.txt", "`out` and `version` belong to a command: add `cmd`"),
        ("cmd: [], out: a", "`cmd` is empty"),
        ("cmd: [no-such-program], out: a", "the command of step 'one' cannot be begun: No such file or directory: 'no-such-program'"),
        ("cmd: echo, out: a, version: exit 4", "`exit 4` ended with exit code 4"),
        ("cmd: echo, out: a, params: {b: 1}, parameters: {b: 1}", "`params` is short for `parameters`"),
    ],
)
def test_what_cannot_be_is_refused(write: Write, capfd: pytest.CaptureFixture[str], keys: str, words: str) -> None:
    write(f"name: a\nsteps: {{one: {{{keys}}}}}\n")
    code, told = run(capfd)
    assert code in (1, 2)
    assert words in told


def test_an_object_of_python_is_refused(write: Write, capfd: pytest.CaptureFixture[str]) -> None:
    write("name: a\npipeline: p.py\nsteps: {one: {cmd: 'true', in: thing, out: a}}\n", **{"p.py": PIPELINE})
    assert "'thing' is an object of Python, which a command cannot read" in run(capfd)[1]


def test_it_takes_no_longer_than_its_timeout_and_is_tried_again(write: Write, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write("name: a\nsteps: {slow: {cmd: 'sleep 60; touch a', out: a, timeout: 500ms}}\n")
    begin = time.monotonic()
    assert "took longer than its timeout of 0.5 s" in run(capfd)[1]
    assert time.monotonic() - begin < 20
    count = tmp_path / "count"
    write(f"name: a\nsteps: {{flaky: {{cmd: 'echo x >> {count}; test $(wc -l < {count}) -eq 3; touch a', out: a, retries: 2}}}}\n")
    assert run(capfd)[0] == 0


def test_a_command_dies_with_the_run(write: Write, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    write(f"name: a\nsteps: {{slow: {{cmd: 'sleep 61 & echo $$ $! > {pids}; wait; touch a', out: a}}}}\n")
    going = subprocess.Popen([sys.executable, "-m", "towpath", "run"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 30
    while not (pids.exists() and len(pids.read_text().split()) == 2):
        assert time.monotonic() < until
        time.sleep(0.02)
    going.kill()
    going.wait()
    while any(is_alive(int(pid)) for pid in pids.read_text().split()):
        assert time.monotonic() < until, "a command or its child outlived the run"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z" and os.getpgid(pid) >= 0
    except (FileNotFoundError, ProcessLookupError):
        return False
