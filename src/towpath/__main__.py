"""``python -m towpath``."""

import sys

from towpath.cli import command

sys.exit(command())
