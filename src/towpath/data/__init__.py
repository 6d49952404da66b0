"""Data: snapshots, canonical digests, checks and growth."""
