"""Servers that any test may ask for."""

from tests.servers import moto, postgres, seaweedfs

__all__ = ["moto", "postgres", "seaweedfs"]
