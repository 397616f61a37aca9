"""Problems of connectors.

NotFound
└── SourceMissing   the files of a feed are not there, or hold no record
Invalid
├── CredentialsMissing  a feed names credentials that the city's settings do not hold
└── ExtraMissing    a library that the feed's format needs is not installed
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


class ExtraMissing(Invalid):
    code = "feed.extra_missing"

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} is not installed",
            fix=f"pip install 'chengmai[{extra}]', then start the city again",
        )
