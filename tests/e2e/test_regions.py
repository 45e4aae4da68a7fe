"""Regions of the operator's own, which latency records may name beside those of AWS."""

import re

from harness import Zone, create, delete, eventually, upsert

# Addresses of Dutch and Japanese networks, as the countries that come with the server have it.
AMSTERDAM, TOKYO = "193.0.6.0/24", "202.12.27.0/24"


def add(server, name, latitude, longitude, **how):
    place = ("--latitude", str(latitude), "--longitude", str(longitude))
    return server.admin("region", "add", name, *place, **how)


def in_region(region):
    return {"SetIdentifier": region, "Region": region}


def answer(server, subnet):
    said = server.dig("fast.regions.example", "A", f"+subnet={subnet}", "+short")
    return said.split()


def test_records_name_own_regions(start):
    server = start()
    zone = Zone(server.client(), "regions.example.")
    home = create("fast.regions.example", "A", "192.0.2.1", **in_region("home-1"))
    code, text = zone.refused(home)
    assert code == "InvalidInput" and "Value 'home-1' is not facet-valid" in text
    assert re.search(r"enumeration '\[us-east-1, .*, us-gov-west-1\]'", text)
    assert add(server, "home-1", "52.37", "4.90") == [
        {"name": "home-1", "latitude": "52.37", "longitude": "4.90"}
    ]
    zone.change(home, create("fast.regions.example", "A", "192.0.2.2", **in_region("eu-south-1")))
    zone.change(create("fast.regions.example", "A", "192.0.2.3", **in_region("ap-northeast-1")))
    assert {set_["Region"] for set_ in zone.sets(own=True)} == {
        "home-1", "eu-south-1", "ap-northeast-1",
    }
    assert answer(server, AMSTERDAM) == ["192.0.2.1"]
    assert answer(server, TOKYO) == ["192.0.2.3"]
    at = server.admin("explain", "fast.regions.example", "--at", "home-1", as_json=False)
    assert "192.0.2.1" in at
    # It moves, and clients with it.
    add(server, "home-1", "35.68", "139.65")
    assert eventually(lambda: answer(server, AMSTERDAM) == ["192.0.2.2"])
    server.stop()
    server.start()
    assert answer(server, AMSTERDAM) == ["192.0.2.2"]
    # Without a place it is chosen when nothing else is there, and can still be taken away.
    assert server.admin("region", "remove", "home-1") == []
    assert answer(server, TOKYO) == ["192.0.2.3"]
    again = upsert("fast.regions.example", "A", "192.0.2.9", **in_region("home-1"))
    assert zone.refused(again)[0] == "InvalidInput"
    zone.change(delete("fast.regions.example", "A", "192.0.2.1", **in_region("home-1")))


def test_what_cannot_be_a_region_is_refused(meridian):
    for name, latitude, part in [
        ("Home", 1, "no name of a region"),
        ("eu-west-1", 1, "AWS's own"),
        ("home", 91, "latitude"),
        ("home", "1.234", "two decimals"),
    ]:
        refused = add(meridian, name, latitude, -1, check=False)
        assert refused.returncode == 1 and part in refused.stderr, refused
    refused = meridian.admin("region", "remove", "home", check=False)
    assert "there is no region 'home'" in refused.stderr
    assert meridian.admin("region", "list", as_json=False) == "none\n"
