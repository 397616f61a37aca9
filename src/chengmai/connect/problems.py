"""Problems of connectors.

NotFound
└── SourceMissing   the files of a feed are not there, or hold no record
Invalid
└── CredentialsMissing  a feed names credentials that the city's settings do not hold
Unavailable
└── SourceFailed    a broker, server or file cannot be read now; the feed is tried again
"""

from __future__ import annotations

from chengmai.kernel.problems import Invalid, NotFound, Unavailable


class SourceMissing(NotFound):
    code = "feed.source_missing"


class SourceFailed(Unavailable):
    code = "feed.source_failed"


class CredentialsMissing(Invalid):
    code = "feed.credentials_missing"
