"""What tests of clones do again and again: Git, a command about data with its answer, a commit."""

import json
import subprocess

AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")


def git(folder, *words, code=0):
    done = subprocess.run(["git", *AUTHOR, *words], cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def told(run, *words, cwd):
    said = run("data", *words, "--json", cwd=cwd)
    assert said.code == 0, said.err
    return json.loads(said.out)


def commit(folder, subject):
    git(folder, "add", "--all")
    git(folder, "commit", "-qm", subject)
