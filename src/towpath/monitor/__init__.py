"""Monitoring: what production looks like beside what the model was trained on, and how right the model still is.

Exported here is what needs no numeric library; ``profile``, ``drift`` and ``performance`` are imported by their own module.
"""

from towpath.monitor.findings import Finding, Findings

__all__ = ["Finding", "Findings"]
