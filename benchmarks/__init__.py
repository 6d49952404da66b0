"""Figures, side by side with others where they are installed. ``python -m benchmarks.NAME [--json]``; ``make bench`` runs all."""
