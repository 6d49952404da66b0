"""A version made again, from what the ledger and the store have of it: to be held against what it was."""
