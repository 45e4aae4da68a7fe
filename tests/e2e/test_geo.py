"""Who is where: the countries that come with the program, and files in MaxMind's format that come,
change and go bad. The files are written by mmdb_writer, which knows nothing of ours."""

import os
import re
import signal
import urllib.request

import dns.edns
import dns.message
import dns.query
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from harness import Zone, create, eventually

# Two places of MaxMind's form, as GeoLite2-City has them.
BERKELEY = {
    "city": {"names": {"en": "Berkeley"}},
    "continent": {"code": "NA", "names": {"en": "North America"}},
    "country": {"iso_code": "US", "names": {"en": "United States"}},
    "location": {"latitude": 37.87, "longitude": -122.27, "accuracy_radius": 20},
    "subdivisions": [{"iso_code": "CA", "names": {"en": "California"}}],
}
ISTANBUL = {
    "continent": {"code": "AS", "names": {"en": "Asia"}},
    "country": {"iso_code": "TR", "names": {"en": "Türkiye"}},
    "location": {"latitude": 41.01, "longitude": 28.95},
    "subdivisions": [{"iso_code": "34"}],
}


def write(path, rows, kind="GeoLite2-City"):
    """A file of these networks, put in its place at once."""
    writer = MMDBWriter(6, kind, languages=["en"], ipv4_compatible=True, float_type="f64")
    for network, record in rows.items():
        writer.insert_network(IPSet([network]), record)
    new = path.with_suffix(".new")
    writer.to_db_file(str(new))
    os.replace(new, path)


def place(server, address):
    found = server.admin("geo", "lookup", address)
    point = found["point"] and (found["point"]["latitude"], found["point"]["longitude"])
    return found["continent"], found["country"], found["subdivision"], point


def metrics(server):
    with urllib.request.urlopen(f"http://{server.metrics}/metrics") as page:
        return page.read().decode()


def test_countries_are_known_without_set_up(meridian):
    found = meridian.admin("geo", "lookup", "193.0.6.139")
    assert (found["continent"], found["country"], found["subdivision"]) == ("EU", "NL", None)
    assert found["point"]["of_country"] and 50 < found["point"]["latitude"] < 54
    assert found["source"] == "IPFire Location Database"
    scopes = found["scopes"]
    assert 32 >= scopes["record"] >= scopes["country"] >= scopes["continent"] > 0
    assert found["network"].endswith(f"/{scopes['record']}")
    (source,) = meridian.admin("geo", "status")["sources"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT.*Z", source["made"])
    assert "CC BY-SA 4.0" in source["notice"]
    text = meridian.admin("geo", "status", as_json=False)
    assert "CC BY-SA 4.0" in text and "IPFire" in text
    text = meridian.admin("geo", "lookup", "10.0.0.1", as_json=False)
    assert re.search(r"^country +-$", text, re.MULTILINE)
    refused = meridian.admin("geo", "lookup", "nowhere", check=False)
    assert refused.returncode == 2


def test_files_come_first_and_are_read_again(start, tmp_path):
    city, country = tmp_path / "city.mmdb", tmp_path / "country.mmdb"
    write(city, {"192.0.2.0/25": BERKELEY, "2001:db8:1::/48": ISTANBUL})
    write(country, {"192.0.2.0/24": {"country_code": "DE"}, "203.0.113.0/24": {"country": "JP"}})
    server = start(config=f'[geo]\nfiles = ["{city}", "{country}"]\n')
    berkeley = ("NA", "US", "CA", (37.87, -122.27))
    assert place(server, "192.0.2.1") == berkeley
    # As Route 53 counts continents, whatever the file says.
    assert place(server, "2001:db8:1::1") == ("EU", "TR", "34", (41.01, 28.95))
    assert place(server, "192.0.2.200")[:3] == ("EU", "DE", None)
    assert place(server, "203.0.113.1")[:3] == ("AS", "JP", None)
    assert place(server, "193.0.6.139")[:3] == ("EU", "NL", None)
    assert place(server, "::ffff:192.0.2.1") == place(server, "2002:c000:201::") == berkeley
    assert server.admin("geo", "lookup", "192.0.2.1")["network"] == "192.0.2.0/25"
    names = [source["name"] for source in server.admin("geo", "status")["sources"]]
    assert names == [str(city), str(country), "IPFire Location Database"]
    # A bad file changes nothing, and is told of wherever anybody may look.
    city.write_bytes(b"bad" * 1000)
    server.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: server.admin("geo", "status")["failure"])
    assert "city.mmdb is of no use" in server.admin("geo", "status")["failure"]
    assert place(server, "192.0.2.1") == berkeley
    assert server.health("readyz") == 200 and "city.mmdb" in server.why_not_ready("readyz")
    # It may have been found before the signal came, and once more by it.
    failed = 'meridian_geo_loads_total{outcome="failed"}'
    assert any(f"{failed} {times}\n" in metrics(server) for times in (1, 2))
    # A good one counts, also without a signal.
    write(city, {"192.0.2.0/25": ISTANBUL})
    moved = ("EU", "TR", "34", (41.01, 28.95))
    assert eventually(lambda: place(server, "192.0.2.1") == moved, timeout=15, pause=0.2)
    assert server.admin("geo", "status")["failure"] is None
    assert "city.mmdb" not in server.why_not_ready("readyz")
    assert f'meridian_geo_source_made_seconds{{source="{city}"}}' in metrics(server)


def test_answers_follow_the_files(start, tmp_path):
    city = tmp_path / "city.mmdb"
    write(city, {"192.0.2.0/25": BERKELEY})
    server = start(config=f'[geo]\nfiles = ["{city}"]\n')
    zone = Zone(server.client(), "geo.example.")
    places = {
        "192.0.2.1": {"CountryCode": "US", "SubdivisionCode": "CA"},
        "192.0.2.2": {"CountryCode": "NL"},
        "192.0.2.3": {"ContinentCode": "EU"},
        "192.0.2.9": {"CountryCode": "*"},
    }
    zone.change(*(
        create("www.geo.example.", "A", value, SetIdentifier=value, GeoLocation=where)
        for value, where in places.items()
    ))

    def ask(subnet):
        option = dns.edns.ECSOption(*subnet.split("/")[:1], int(subnet.split("/")[1]))
        query = dns.message.make_query("www.geo.example.", "A", use_edns=0, options=[option])
        reply = dns.query.udp(query, "127.0.0.1", port=server.dns_port, timeout=5)
        (told,) = (o for o in reply.options if o.otype == dns.edns.OptionType.ECS)
        return {rr.to_text() for rr in reply.answer[0]}, told.scopelen

    (values, scope) = ask("192.0.2.0/24")
    assert values == {"192.0.2.1"}
    assert scope == server.admin("geo", "lookup", "192.0.2.0")["scopes"]["subdivision"]
    assert ask("193.0.6.0/24")[0] == {"192.0.2.2"}
    assert ask("131.130.1.0/24")[0] == {"192.0.2.3"}
    assert ask("10.0.0.0/24")[0] == {"192.0.2.9"}
    # Another file moves the clients, and no record has been touched.
    write(city, {"192.0.2.0/25": ISTANBUL})
    server.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: ask("192.0.2.0/24")[0] == {"192.0.2.3"})


def test_a_server_starts_without_its_files(start, tmp_path):
    city = tmp_path / "city.mmdb"
    server = start(config=f'[geo]\nfiles = ["{city}"]\nbuilt_in = false\n')
    assert place(server, "193.0.6.139") == (None, None, None, None)
    assert "cannot read" in server.admin("geo", "status")["failure"]
    assert server.admin("geo", "lookup", "193.0.6.139")["scopes"]["record"] == 0
    write(city, {"193.0.0.0/16": BERKELEY})
    server.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: place(server, "193.0.6.139")[1] == "US")
    # Files that tell nothing of use are none of ours.
    write(city, {"193.0.0.0/16": {"is_anycast": "yes"}}, "GeoIP2-Anycast")
    server.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: "GeoIP2-Anycast" in (server.admin("geo", "status")["failure"] or ""))
    assert place(server, "193.0.6.139")[1] == "US"


def test_files_of_providers_are_for_people(start, tmp_path):
    isp = tmp_path / "isp.mmdb"
    example = {"autonomous_system_number": 64496, "isp": "Example", "organization": "Its customer"}
    write(isp, {"193.0.6.0/24": example}, "GeoIP2-ISP")
    server = start(config=f'[geo]\nfiles = ["{isp}"]\n')
    found = server.admin("geo", "lookup", "193.0.6.139")
    assert (found["asn"], found["operator"], found["country"]) == (64496, "Example", "NL")
    text = server.admin("geo", "lookup", "193.0.6.139", as_json=False)
    assert re.search(r"^operator +Example AS64496$", text, re.MULTILINE)
