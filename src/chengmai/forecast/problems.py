"""Problems of the room.

Invalid
└── SeriesInvalid   the points given are no series
"""

from __future__ import annotations

from chengmai.kernel.problems import Invalid


class SeriesInvalid(Invalid):
    code = "forecast.series_invalid"
    title = "Not a series"
