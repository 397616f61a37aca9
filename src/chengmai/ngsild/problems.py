"""What can be wrong with a context, an entity, a patch or a query.

Invalid
├── ContextInvalid       a JSON-LD context that cannot be processed
├── EntityInvalid        an entity or fragment that breaks a rule of the standard
├── GeometryInvalid      a GeoJSON geometry that is none
├── QueryInvalid         a text in `q`, a type selector, a geo-query or a temporal query that does not parse
TooLarge
└── TooManyResults       an answer that would be larger than any answer may be
NotFound
└── AttributeMissing     the attribute or instance to change or delete is not there
Unavailable
└── ContextNotAvailable  a JSON-LD context that could not be fetched
    └── ContextWanted    one that has not been fetched yet
"""

from __future__ import annotations

from chengmai.kernel.problems import Invalid, NotFound, TooLarge, Unavailable


class ContextInvalid(Invalid):
    code = "context.invalid"
    title = "The JSON-LD context is not valid"


class ContextNotAvailable(Unavailable):
    code = "context.not_available"
    title = "The JSON-LD context is not available"


class ContextWanted(ContextNotAvailable):
    """A document that is not here yet and may be fetched from `url`."""

    code = "context.wanted"

    def __init__(self, url: str) -> None:
        super().__init__(f"the context {url:.200} has not been fetched yet", param="@context")
        self.url = url


class EntityInvalid(Invalid):
    code = "entity.invalid"
    title = "The entity is not valid"


class GeometryInvalid(Invalid):
    code = "geometry.invalid"
    title = "The geometry is not valid"


class QueryInvalid(Invalid):
    code = "query.invalid"
    title = "The query is not valid"


class TooManyResults(TooLarge):
    code = "query.too_many"
    title = "The query asks for more than one answer may hold"


class AttributeMissing(NotFound):
    code = "attribute.not_found"
    title = "The entity has no such attribute"
