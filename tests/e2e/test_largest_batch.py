"""The largest batches that are legal by Route 53's counting."""

import pytest

from harness import Zone, alias, change, create

APEX = "largest.example."
# Characters of names that XML does not take as they are, as many as a name has room for.
TARGET = ".".join(["&" * 63, "&" * 63, "&" * 63, "&" * 40]) + "." + APEX


@pytest.fixture(scope="module")
def zone(route53):
    zone = Zone(route53, APEX)
    zone.change(create(TARGET, "A", "192.0.2.1"))
    return zone


def aliases(zone, letter, identifier):
    """1,000 of them, which are 3.5 MB of XML."""
    names = (f"{letter}{n:03}" + TARGET[4:] for n in range(1000))
    policy = {"SetIdentifier": identifier, "Weight": 1}
    return [change("CREATE", alias(name, TARGET, zone.id, **policy)) for name in names]


def test_a_full_batch_of_long_aliases_was_too_large(meridian, zone):
    zone.change(*aliases(zone, "a", "&" * 128))
    assert meridian.values("a999" + TARGET[4:]) == {"192.0.2.1"}


def test_what_no_entry_of_the_journal_takes_is_said(zone):
    # Four bytes for each character.
    code, text = zone.refused(*aliases(zone, "b", "\U0001f41e" * 128))
    assert code == "RequestEntityTooLarge" and "smaller parts" in text, text
