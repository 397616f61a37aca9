"""Problems of the room.

Invalid
├── SeriesInvalid   the points given are no series
└── StateInvalid    a stored model cannot be read back
"""

from __future__ import annotations

from chengmai.kernel.problems import Invalid


class SeriesInvalid(Invalid):
    code = "forecast.series_invalid"
    title = "Not a series"


class StateInvalid(Invalid):
    code = "forecast.state_invalid"
    title = "Not a stored model"
