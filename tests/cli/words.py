"""Two steps, one after the other."""

PIPELINE = "def words():\n    return ['lock', 'gate', 'barge']\n\n\ndef longest(words):\n    return max(words, key=len)\n"
