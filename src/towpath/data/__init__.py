"""Data: snapshots of datasets, canonical digests of tables, checks, growth."""

from towpath.data.checks import judge
from towpath.data.growth import Growth, growth, peek
from towpath.data.index import Index
from towpath.data.snapshot import FileEntry, Part, Snapshot, Taken, load, look, manifest, take

__all__ = ["FileEntry", "Growth", "Index", "Part", "Snapshot", "Taken", "growth", "judge", "load", "look", "manifest", "peek", "take"]
