"""The pipeline: a graph of steps from their signatures, executed once and reused by fingerprint."""
