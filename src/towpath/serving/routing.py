"""Which versions a worker has ready, and who gets a request."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from towpath.release.policy import arm
from towpath.serving.challenger import Challenger
from towpath.serving.model import Model
from towpath.serving.port import Assignment, Served


@dataclass(frozen=True, slots=True)
class Champion:
    """A version in this process: loaded, warm, and right on its golden rows."""

    served: Served
    model: Model


@dataclass(frozen=True, slots=True)
class Routing:
    """One moment's routing; a request keeps the one it began with. ``notes`` say what is not as it was told to be."""

    assignment: Assignment
    champion: Champion | None = None
    challenger: Challenger | None = None
    notes: dict[str, str] = field(default_factory=dict)

    def to_challenger(self, id: str) -> bool:
        """Whether the challenger is assigned the request: by its id, so that every worker and a restart say the same."""
        now = self.assignment
        return self.challenger is not None and not now.shadow and now.share > 0 and arm(now.salt, id, now.share)

    def with_note(self, subject: str, note: str) -> Routing:
        """The same routing with a note, or without it when ``note`` is empty."""
        others = {name: text for name, text in self.notes.items() if name != subject}
        return replace(self, notes={**others, subject: note} if note else others)
