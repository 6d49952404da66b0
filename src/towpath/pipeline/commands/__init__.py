"""Steps that are commands, in any language."""
