"""What can go wrong between brokers.

Problem
├── LoopDetected          the request has come back to where it was
├── SourceFailed          the source gave no answer that can be used
└── SourceSilent          the source gave no answer in time
Conflict
├── NotOffered            the source that alone holds the data does not offer the operation
└── SourceConflict        the source says that it conflicts
NotFound
└── SourceFoundNothing    the source does not have it
Invalid
└── SourceRefused         the source takes the request for wrong
"""

from __future__ import annotations

from chengmai.kernel.problems import Conflict, Invalid, NotFound, Problem


class LoopDetected(Problem):
    code = "distribution.loop"
    title = "The request goes round in a circle"


class SourceFailed(Problem):
    code = "distribution.source_failed"
    title = "A context source failed"


class SourceSilent(Problem):
    code = "distribution.source_silent"
    title = "A context source did not answer"


class NotOffered(Conflict):
    code = "distribution.not_offered"
    title = "The context source that holds this does not offer it"


class SourceConflict(Conflict):
    code = "distribution.source_conflict"
    title = "A context source reports a conflict"


class SourceFoundNothing(NotFound):
    code = "distribution.source_not_found"
    title = "A context source does not have this"


class SourceRefused(Invalid):
    code = "distribution.source_refused"
    title = "A context source refuses the request"
