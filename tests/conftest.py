"""Servers and programs that any test may ask for."""

from tests.beside_dvc import dvc, program
from tests.servers import moto, postgres, s3rver, seaweedfs

__all__ = ["dvc", "moto", "postgres", "program", "s3rver", "seaweedfs"]
