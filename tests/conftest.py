"""Servers that any test may ask for."""

from tests.servers import moto, postgres, s3rver, seaweedfs

__all__ = ["moto", "postgres", "s3rver", "seaweedfs"]
