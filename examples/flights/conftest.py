"""Lets the tests say `from project import ...`, as the project's own code does."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
