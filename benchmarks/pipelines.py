"""The same chain of steps as a project of each tool: every step reads 1 MiB and writes 1 MiB, and passes on what changed.

Where a tool has a way to declare files of code that a step depends on, they are declared: DVC's stages and Snakemake's rules name both.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from benchmarks import peers
from towpath.store import Execution
from towpath.store.local import LocalStore

HELPER = "def mark(number):\n    return bytes([number % 251])\n"
STEP = (
    "import sys\nfrom helper import mark\nnumber, target, *source = sys.argv[1:]\n"
    "data = open(source[0], 'rb').read() if source else bytes(1 << 20)\n"
    "open(target, 'wb').write(data[1:] + mark(int(number)))\n"
)


@dataclass(frozen=True)
class Tool:
    """How one tool has a chain: its files, for so many steps and with this number for step 5, and the command that runs it."""

    write: Callable[[int, int], Mapping[str, str]]
    command: list[str]
    caches: bool = True
    environ: Mapping[str, str] = field(default_factory=dict)
    git: bool = False
    prepare: tuple[list[str], ...] = ()
    result: Callable[[Path, str], bytes] | None = (
        None  # the last four bytes that a chain of four steps made; of its folder and what was printed
    )


def place(home: Path, tool: Tool, count: int) -> Path:
    """A new project of a tool with ``count`` steps."""
    if home.exists():  # removed, it would make the next tool's files slow: ext4 makes files slowly where many were removed
        home.rename(home.with_name(f"{home.name}-{time.time_ns()}"))
    home.mkdir(parents=True)
    (home / "helper.py").write_text(HELPER)
    change(home, tool, count, 5)
    if tool.git:
        commit(home)
    for words in tool.prepare:
        subprocess.run(words, cwd=home, check=True, capture_output=True)
    return home


def commit(home: Path) -> None:
    """A repository of a folder as it is."""
    for words in (["init", "--quiet"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "start"]):
        subprocess.run(["git", *words], cwd=home, check=True)


def change(home: Path, tool: Tool, count: int, fifth: int) -> None:
    """Write the project with another step 5."""
    for name, text in tool.write(count, fifth).items():
        if not (home / name).exists() or (home / name).read_text() != text:
            (home / name).write_text(text)


def _number(step: int, fifth: int) -> int:
    return fifth if step == 5 else step


def functions(count: int, fifth: int, annotated: str = "") -> str:
    """The chain as functions, each of which takes the one before."""
    takes, gives = (f": {annotated}", f" -> {annotated}") if annotated else ("", "")
    first = f"from helper import mark\n\n\ndef s0(){gives}:\n    return bytes(1 << 20)[1:] + mark(0)\n"
    return first + "".join(
        f"\n\ndef s{n}(s{n - 1}{takes}){gives}:\n    return s{n - 1}[1:] + mark({_number(n, fifth)})\n" for n in range(1, count)
    )


def _printed(home: Path, said: str) -> bytes:
    return bytes.fromhex(said.split()[-1])[-4:]


def _of_file(home: Path, said: str) -> bytes:
    return (home / "o3").read_bytes()[-4:]


def _ours(home: Path, said: str) -> bytes:
    """The latest execution of the last step."""
    store = LocalStore(home / ".towpath/store")
    latest = max((home / ".towpath/store/executions").glob("*/*.json"), key=lambda file: file.stat().st_mtime_ns)
    return store.get(msgspec.json.decode(latest.read_bytes(), type=Execution).output)[-4:]


def ours(program: str) -> Tool:
    """Towpath."""

    def write(count: int, fifth: int) -> dict[str, str]:
        yaml = f"name: chain\npipeline: pipeline.py\nsteps: {{s{count - 1}: {{}}}}\n"
        return {"pipeline.py": functions(count, fifth), "towpath.yaml": yaml, ".gitignore": ".towpath\n"}

    return Tool(write, [program, "run"], git=True, result=_ours)


def dvc() -> Tool:
    """DVC: a process a stage."""
    programs = peers.programs("dvc", "dvc==3.67.1")

    def write(count: int, fifth: int) -> dict[str, str]:
        lines = ["stages:"]
        for n in range(count):
            before = f" o{n - 1}" if n else ""
            deps = "".join(f"      - {name}\n" for name in ("step.py", "helper.py", *([f"o{n - 1}"] if n else [])))
            lines.append(f"  s{n}:\n    cmd: python step.py {_number(n, fifth)} o{n}{before}\n    deps:\n{deps}    outs:\n      - o{n}")
        return {"dvc.yaml": "\n".join(lines) + "\n", "step.py": STEP}

    dvc = str(programs / "dvc")
    path = {"PATH": f"{programs}:/usr/bin:/bin"}
    set_up = ([dvc, "init", "--quiet"], [dvc, "config", "core.analytics", "false"])
    return Tool(write, [dvc, "repro"], environ=path, git=True, prepare=set_up, result=_of_file)


def hamilton() -> Tool:
    """Hamilton with its cache: one process, functions."""
    python = str(peers.programs("hamilton", "sf-hamilton==1.90.0") / "python")
    run = "import pipeline\nfrom hamilton import driver\n"
    run += "made = driver.Builder().with_modules(pipeline).with_cache().build().execute([LAST])[LAST]\nprint(made[-9:].hex())\n"

    def write(count: int, fifth: int) -> dict[str, str]:
        return {"pipeline.py": functions(count, fifth, "bytes"), "run.py": run.replace("LAST", f"'s{count - 1}'")}

    return Tool(write, [python, "run.py"], environ={"HAMILTON_TELEMETRY_ENABLED": "false"}, result=_printed)


def snakemake() -> Tool:
    """Snakemake: a process a rule."""
    programs = peers.programs("snakemake", "snakemake==9.27.1")

    def write(count: int, fifth: int) -> dict[str, str]:
        rules = [f"rule all:\n    input: 'o{count - 1}'\n"]
        for n in range(count):
            source, before = (f", 'o{n - 1}'", f" o{n - 1}") if n else ("", "")
            takes = f"    input: 'step.py', 'helper.py'{source}\n"
            rules.append(f"rule s{n}:\n{takes}    output: 'o{n}'\n    shell: 'python step.py {_number(n, fifth)} o{n}{before}'\n")
        return {"Snakefile": "\n".join(rules), "step.py": STEP}

    command = [str(programs / "snakemake"), "--cores", "2", "--quiet", "all"]
    return Tool(write, command, environ={"PATH": f"{programs}:/usr/bin:/bin"}, result=_of_file)


def metaflow() -> Tool:
    """Metaflow: a process a step; no run takes what another made, unless it is told by hand to `resume` one that failed."""
    python = str(peers.programs("metaflow", "metaflow==2.19.39") / "python")

    def write(count: int, fifth: int) -> dict[str, str]:
        steps = ["from metaflow import FlowSpec, step\nfrom helper import mark\n\n\nclass Chain(FlowSpec):"]
        names = ["start", *(f"s{n}" for n in range(1, count - 1)), "end"]
        for n, name in enumerate(names):
            made = f"self.data[1:] + mark({_number(n, fifth)})" if n else "bytes(1 << 20)[1:] + mark(0)"
            on = f"        self.next(self.{names[n + 1]})\n" if n + 1 < count else ""
            steps.append(f"    @step\n    def {name}(self):\n        self.data = {made}\n{on}")
        return {"flow.py": "\n".join(steps) + "\n\nif __name__ == '__main__':\n    Chain()\n"}

    environ = {"USERNAME": "bench", "METAFLOW_DEFAULT_METADATA": "local", "METAFLOW_DEFAULT_DATASTORE": "local"}
    return Tool(write, [python, "flow.py", "--quiet", "run", "--max-workers", "2"], caches=False, environ=environ)


def prefect() -> Tool:
    """Prefect: tasks whose results are kept by their source and inputs."""
    python = str(peers.programs("prefect", "prefect==3.6.0", "fastapi<0.121") / "python")

    def write(count: int, fifth: int) -> dict[str, str]:
        head = "from prefect import flow, task\nfrom prefect.cache_policies import INPUTS, TASK_SOURCE\nfrom helper import mark\n"
        steps = [head]
        for n in range(count):
            takes, made = ("before", f"before[1:] + mark({_number(n, fifth)})") if n else ("", "bytes(1 << 20)[1:] + mark(0)")
            steps.append(f"\n@task(cache_policy=INPUTS + TASK_SOURCE, persist_result=True)\ndef s{n}({takes}):\n    return {made}\n")
        calls = "".join(f"    made = s{n}({'made' if n else ''})\n" for n in range(count))
        return {"run.py": "".join(steps) + f"\n\n@flow\ndef chain():\n{calls}    return made[-9:].hex()\n\n\nprint(chain())\n"}

    environ = {
        "PREFECT_HOME": ".prefect",
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    return Tool(write, [python, "run.py"], environ=environ, result=_printed)
