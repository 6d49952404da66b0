"""Gates: rules as people write them, and what they say of a candidate.

Exported here is the grammar, which needs no numeric library; ``judge`` is imported by its own module.
"""

from towpath.gates.grammar import parse
from towpath.gates.rules import Against, Each, Fixed, Reference, Rule, Sense, Word

__all__ = ["Against", "Each", "Fixed", "Reference", "Rule", "Sense", "Word", "parse"]
