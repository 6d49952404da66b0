"""What people read of the ledger."""
