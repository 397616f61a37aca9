"""The composition root: the only place that knows how the parts fit.

A city is built floor by floor, each on those below: `ground` (settings, clock, store), `broker`,
`federation`, `rooms`; `city` sets it going and ends it in order.
"""

from chengmai.app.city import City
from chengmai.app.ground import News

__all__ = ["City", "News"]
