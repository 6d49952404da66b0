"""Search: which parameters train the best model, tried one after another or several at a time, and never the same trial twice.

Exported is what needs no library of its own. ``optuna_study`` is an adapter, loaded when a sampler or a pruner needs it.
"""

from towpath.search.port import Budget, Crew, Measured, Objective, Question, Study, Task, Trial
from towpath.search.search import search
from towpath.search.trials import Found, State, Tried

__all__ = [
    "Budget",
    "Crew",
    "Found",
    "Measured",
    "Objective",
    "Question",
    "State",
    "Study",
    "Task",
    "Trial",
    "Tried",
    "search",
]
