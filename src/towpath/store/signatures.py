"""Who says so: signatures as Git's own with SSH keys, made and checked by ``ssh-keygen``, which teams with Git have.

The keys that are trusted stand in a file of OpenSSH's form ``allowed_signers`` (see ssh-keygen(1)): a name, options such as
``valid-before``, and a public key a line.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from towpath.errors import UsageError

NAMESPACE = "towpath"  # what else is signed with the same key is no word on an execution
WAIT_S = 20.0  # an agent that asks a person must not hold a run up
_GOOD = re.compile(rb'Good "towpath" signature for (?P<name>.+) with (?P<kind>\S+) key (?P<key>\S+)')


def sign(data: bytes, key: Path) -> str:
    """The signature of ``data`` by the private key in the file ``key``, or by the agent that has the private part of that public key.

    Raises UsageError where it cannot be made without asking a person.
    """
    done = _keygen(["-Y", "sign", "-q", "-n", NAMESPACE, "-f", str(key)], data)
    if done.returncode:
        raise UsageError(
            f"nothing can be signed with the key {key}: {_said(done)}",
            mend="name an SSH key that needs no passphrase, or load it into the agent (`ssh-add`), in TOWPATH_SIGNING_KEY",
        )
    return done.stdout.decode()


@cache
def signer(data: bytes, signature: str, trusted: Path) -> str | None:
    """Whose signature of ``data`` it is, with the key's fingerprint; None where it is of no key in the file ``trusted``, or of other data.

    Raises UsageError where ``ssh-keygen`` is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="towpath-") as folder:
        file = Path(folder, "signature")
        file.write_text(signature)
        names = _keygen(["-Y", "find-principals", "-s", str(file), "-f", str(trusted)], b"").stdout.decode().splitlines()
        for name in names:
            done = _keygen(["-Y", "verify", "-n", NAMESPACE, "-f", str(trusted), "-I", name, "-s", str(file)], data)
            if done.returncode == 0 and (good := _GOOD.search(done.stdout)):
                return f"{good['name'].decode()} ({good['kind'].decode()} {good['key'].decode()})"
    return None


def _keygen(words: list[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        # in a session of its own it has no terminal on which it could ask for a passphrase
        return subprocess.run(["ssh-keygen", *words], input=data, capture_output=True, timeout=WAIT_S, start_new_session=True, check=False)
    except FileNotFoundError:
        raise UsageError("there is no `ssh-keygen` on this machine", mend="install OpenSSH's client, which makes signatures") from None
    except subprocess.TimeoutExpired as late:
        return subprocess.CompletedProcess(late.cmd, 1, b"", b"it did not answer")


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stderr.decode(errors="replace").strip().rpartition("\n")[2] or f"exit code {done.returncode}"
