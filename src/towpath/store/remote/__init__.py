"""What a team shares: objects in packs in a bucket, with indices that say what is where."""

from towpath.store.remote.bucket import Bucket, Stored, prove
from towpath.store.remote.plan import Collected
from towpath.store.remote.progress import Moved, Progress
from towpath.store.remote.remote import Remote
from towpath.store.remote.verify import Verified

__all__ = ["Bucket", "Collected", "Moved", "Progress", "Remote", "Stored", "Verified", "prove"]
