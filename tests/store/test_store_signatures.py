"""Signatures by SSH keys: whose is told, and every other is nobody's."""

import shutil
import subprocess

import pytest

from towpath.errors import UsageError
from towpath.store import signatures
from towpath.store.signatures import sign, signer

DATA = b"a batch"


def key(folder, name, passphrase="", kind="ed25519"):
    if shutil.which("ssh-keygen") is None:
        pytest.skip("apt-get install openssh-client")
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", name, "-f", str(folder / name)], check=True)
    return folder / name


def line(key, *options):
    return " ".join([f"{key.name}@example.org", *options, *key.with_suffix(".pub").read_text().split()[:2]]) + "\n"


@pytest.fixture
def ann(tmp_path):
    return key(tmp_path, "ann")


@pytest.fixture
def trusted(tmp_path, ann):
    file = tmp_path / "allowed_signers"
    file.write_text("# who may\n" + line(ann, 'namespaces="towpath"'))
    return file


def test_whose_signature_it_is(ann, trusted):
    said = subprocess.run(["ssh-keygen", "-lf", f"{ann}.pub"], capture_output=True, text=True, check=True).stdout.split()[1]
    assert signer(DATA, sign(DATA, ann), trusted) == f"ann@example.org (ED25519 {said})"


def test_other_keys_and_other_data_are_nobodys(tmp_path, ann, trusted):
    made, eve = sign(DATA, ann), key(tmp_path, "eve")
    assert signer(DATA + b".", made, trusted) is None
    assert signer(DATA, sign(DATA, eve), trusted) is None
    assert signer(DATA, "", trusted) is None
    assert signer(DATA, "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n", trusted) is None
    assert signer(DATA, made[:60] + ("A" if made[60] != "A" else "B") + made[61:], trusted) is None


def test_what_the_same_key_signed_for_something_else_is_nobodys(tmp_path, ann, trusted):
    (tmp_path / "data").write_bytes(DATA)
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", str(ann), str(tmp_path / "data")], check=True)
    assert signer(DATA, (tmp_path / "data.sig").read_text(), trusted) is None


@pytest.mark.parametrize("options", ['valid-before="20200101"', 'namespaces="git"'])
def test_a_key_that_is_over_or_for_something_else_is_not_trusted(tmp_path, ann, options):
    (tmp_path / "signers").write_text(line(ann, options))
    assert signer(DATA, sign(DATA, ann), tmp_path / "signers") is None


def test_one_of_several_keys_and_of_several_names(tmp_path, ann):
    ben = key(tmp_path, "ben", kind="ecdsa")
    (tmp_path / "signers").write_text(line(ben) + line(ann).replace("ann@", "ann,anna@"))
    assert signer(DATA, sign(DATA, ben), tmp_path / "signers").startswith("ben@example.org (ECDSA")
    assert signer(DATA, sign(DATA, ann), tmp_path / "signers")


def test_a_key_that_needs_a_person_is_told_and_does_not_wait_for_one(tmp_path):
    with pytest.raises(UsageError, match=r"nothing can be signed with the key .*locked") as caught:
        sign(DATA, key(tmp_path, "locked", passphrase="sesame"))
    assert "ssh-add" in caught.value.mend
    with pytest.raises(UsageError, match="nothing can be signed"):
        sign(DATA, tmp_path / "no such key")


def test_without_ssh_keygen_it_is_told(ann, trusted, monkeypatch):
    made = sign(DATA, ann)
    monkeypatch.setenv("PATH", "/nonexistent")
    signatures.signer.cache_clear()
    with pytest.raises(UsageError, match="no `ssh-keygen`"):
        signer(DATA, made, trusted)
