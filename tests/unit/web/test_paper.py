"""Reports on paper: a font that cannot be embedded is named, with what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from chengmai.kernel.problems import Invalid
from chengmai.web.cockpit.assess.paper import as_pdf


@pytest.mark.parametrize("body", [b"", b"no font at all", b"ttcf" + b"\0" * 40, None])
def test_a_font_that_cannot_be_embedded_is_refused_by_name(
    tmp_path: Path, body: bytes | None
) -> None:
    font = tmp_path / "font.ttf"
    if body is not None:
        font.write_bytes(body)
    nothing = cast(Any, None)  # it is refused before anything is set
    with pytest.raises(Invalid) as refused:
        as_pdf(nothing, nothing, font=font)
    assert refused.value.code == "report.font"
    assert refused.value.facts == {"font": str(font)}
