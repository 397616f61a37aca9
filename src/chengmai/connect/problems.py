"""Problems of connectors.

NotFound
└── SourceMissing   the files of a feed are not there, or hold no record
Unavailable
└── SourceFailed    a broker, server or file cannot be read now; the feed is tried again
"""

from __future__ import annotations

from chengmai.kernel.problems import NotFound, Unavailable


class SourceMissing(NotFound):
    code = "feed.source_missing"


class SourceFailed(Unavailable):
    code = "feed.source_failed"
