"""Which carrier is late most often."""

import polars as pl


def worst(late: pl.DataFrame) -> str:
    """One sentence."""
    first = late.row(0, named=True)
    return f"{first['carrier']} was late on {first['late']:.0%} of {first['flights']} flights"
