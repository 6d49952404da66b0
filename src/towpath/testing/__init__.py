"""What the ports promise, as test suites: whoever writes an adapter subclasses one, gives its fixture, and knows."""

from towpath.testing.buckets import BucketContract
from towpath.testing.executions import ExecutionsContract
from towpath.testing.executors import ExecutorContract, WorkersContract
from towpath.testing.ledgers import LedgerContract
from towpath.testing.stores import StoreContract

__all__ = ["BucketContract", "ExecutionsContract", "ExecutorContract", "LedgerContract", "StoreContract", "WorkersContract"]
