"""Data: versions of datasets, canonical digests of tables, checks, growth."""
