"""Names in Via headers: read, written, and one's own known again."""

from __future__ import annotations

import pytest

from chengmai.broker.distribution.asked import MOST_WARNINGS
from chengmai.broker.distribution.loops import HostAlias, via_entries, via_header
from chengmai.broker.distribution.problems import LoopDetected
from tests.unit.broker.distribution.builders import TellingSources, a_forwarder, asked


def test_an_alias_is_the_same_every_time_and_another_for_every_tenant() -> None:
    alias = HostAlias("here", "city")
    assert alias.of("city") == "here"
    assert alias.of("north") == HostAlias("here", "city").of("north")
    assert len({alias.of("city"), alias.of("north"), alias.of("south")}) == 3


def test_aliases_are_read_from_a_header_in_the_order_of_the_hops() -> None:
    header = "1.1 first, HTTP/1.1 second (a comment),third,, "
    assert via_entries(header) == ("first", "second", "third")


def test_a_header_that_was_written_is_read_again() -> None:
    assert via_entries(via_header(("a", "b-1"))) == ("a", "b-1")


def test_a_request_that_came_through_this_tenant_is_a_loop() -> None:
    forwarder = a_forwarder(TellingSources())
    with pytest.raises(LoopDetected):
        forwarder.check_loop("city", ("other", "here"))
    forwarder.check_loop("north", ("other", "here"))


def test_a_warning_is_plain_ascii_whatever_a_source_says() -> None:
    one = asked()
    one.warn(299, "urn:x:a b", 'it "said"\r\nSet-Cookie: 北京')
    assert one.warnings == ['299 urn:x:a_b "it  said   Set-Cookie:"']


def test_the_same_warning_is_given_once_and_their_number_is_bounded() -> None:
    one = asked()
    for number in range(100):
        one.warn(199, f"urn:{number // 2}", "no answer")
    assert len(one.warnings) == MOST_WARNINGS
    assert len(set(one.warnings)) == MOST_WARNINGS
