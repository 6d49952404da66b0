"""Where the files of a dataset are read from."""

from towpath.data.sources.port import Look, Origin, Source, marked

__all__ = ["Look", "Origin", "Source", "marked"]
