"""``python -m towpath``."""

import sys

from towpath.cli import main

sys.exit(main())
