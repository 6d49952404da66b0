"""Where the files of a dataset are read from."""

from towpath.data.sources.port import Look, Origin, Source, address, marked

__all__ = ["Look", "Origin", "Source", "address", "marked"]
