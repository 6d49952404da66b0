"""Alerts: what people and systems outside are told, from the ledger, at least once."""

from towpath.monitor.alerts.message import cloud_event, is_told
from towpath.monitor.alerts.outbox import Delivery, deliver, pending, places
from towpath.monitor.alerts.port import Target

__all__ = ["Delivery", "Target", "cloud_event", "deliver", "is_told", "pending", "places"]
