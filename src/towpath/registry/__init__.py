"""The registry: versions and what the gates said of them, folded from the ledger."""

from towpath.registry.versions import Candidate, Registry, Version

__all__ = ["Candidate", "Registry", "Version"]
