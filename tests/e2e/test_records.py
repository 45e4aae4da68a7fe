"""`meridian record`: few words fill in what a change of record sets says, and one batch makes it."""

import uuid

import pytest

from harness import Zone

BALANCERS = ("web-1.us-east-1.elb.amazonaws.com", "net-1.elb.eu-central-1.amazonaws.com")


class Site:
    """A zone that is changed by the command line and seen by the API."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        self.zone = Zone(server.client(), f"{name}.")

    def add(self, name, *words, **how):
        return self.server.admin("record", "add", self.name, name, *words, **how)

    def refusal(self, verb, name, *words):
        refused = self.server.admin("record", verb, self.name, name, *words, check=False)
        assert refused.returncode in (1, 2), refused
        return refused.stderr

    def sets(self, name=None):
        """Without those of the zone itself."""
        sets = [set_ for set_ in self.zone.sets() if set_["Type"] not in ("NS", "SOA")]
        full = f"{name}.{self.name}." if name else f"{self.name}."
        return [set_ for set_ in sets if set_["Name"] == full]


@pytest.fixture
def site(meridian):
    return Site(meridian, f"records-{uuid.uuid4().hex[:8]}.example")


def alias(name, rtype, target, zone="ZEXTERNAL", health=True, **more):
    target = {"HostedZoneId": zone, "DNSName": target, "EvaluateTargetHealth": health}
    return {"Name": name, "Type": rtype, "AliasTarget": target} | more


def test_values_make_the_sets_of_their_types(site):
    added = site.add("www", "--value", "192.0.2.1", "--value", "2001:db8::1", "--value", "192.0.2.2")
    v4 = {"TTL": 300, "ResourceRecords": [{"Value": "192.0.2.1"}, {"Value": "192.0.2.2"}]}
    v6 = {"TTL": 300, "ResourceRecords": [{"Value": "2001:db8::1"}]}
    www = f"www.{site.name}."
    expected = [{"Name": www, "Type": "A"} | v4, {"Name": www, "Type": "AAAA"} | v6]
    assert added["sets"] == expected == site.sets("www")
    assert site.server.admin("record", "list", site.name, "www") == expected
    assert site.zone.client.get_change(Id=added["change"])["ChangeInfo"]["Status"] in (
        "PENDING", "INSYNC",
    )
    assert f"[Tried to create resource record set [name='{www}', type='A'] but it already exists" in (
        site.refusal("add", www, "--value", "192.0.2.1")
    )
    site.add(www, "--value", "192.0.2.9", "--ttl", "60", "--replace")
    assert [set_["TTL"] for set_ in site.sets("www")] == [60, 300]
    site.add("@", "--type", "mx", "--value", "10 mail")
    assert [set_["Type"] for set_ in site.sets()] == ["MX"]
    text = site.server.admin("record", "list", site.name, as_json=False)
    assert [line.split()[1] for line in text.splitlines()] == [
        "type", "MX", "NS", "SOA", "A", "AAAA",
    ]


def test_aliases_have_the_types_of_their_targets(site):
    zone = site.zone.id
    site.add("@", "--alias", "d111111abcdef8.cloudfront.net")
    apex = f"{site.name}."
    cdn = "d111111abcdef8.cloudfront.net."
    assert site.sets() == [alias(apex, "A", cdn), alias(apex, "AAAA", cdn)]
    # That of CloudFront can say nothing of health.
    site.add("@", "--alias", cdn, "--alias-zone", "Z2FDTNDATAQYW2", "--type", "A", "--replace")
    assert site.sets()[0] == alias(apex, "A", cdn, "Z2FDTNDATAQYW2", health=False)
    site.add("www", "--alias", "@")
    www = f"www.{site.name}."
    assert site.sets("www") == [alias(www, "A", apex, zone), alias(www, "AAAA", apex, zone)]
    site.add("web", "--alias", "www", "--type", "AAAA", "--ignore-target-health")
    assert site.sets("web") == [alias(f"web.{site.name}.", "AAAA", www, zone, health=False)]
    assert "that target was not found" in site.refusal("add", "lost", "--alias", "nowhere")
    # Another zone of the account is one by its name.
    other = Zone(site.server.client(), f"other.{site.name}.")
    site.server.admin("record", "add", other.id, "cdn", "--value", "192.0.2.1")
    there = f"cdn.other.{site.name}"
    site.add("far", "--alias", there, "--alias-zone", f"other.{site.name}")
    assert site.sets("far") == [alias(f"far.{site.name}.", "A", f"{there}.", other.id)]
    assert "there is no zone 'ZNOTHERE'" in site.refusal(
        "add", "x", "--alias", there, "--alias-zone", "ZNOTHERE"
    )


def test_the_region_is_filled_in(site):
    for balancer in BALANCERS:
        site.add("api", "--latency", "--alias", balancer, "--type", "A")
    api = f"api.{site.name}."
    assert site.sets("api") == [
        alias(api, "A", f"{balancer}.", Region=region, SetIdentifier=region)
        for region, balancer in sorted(zip(("us-east-1", "eu-central-1"), BALANCERS))
    ]
    # A zone of a service in one region tells it too.
    site.add("zone", "--latency", "--alias", "lb.example.net", "--alias-zone", "Z32O12XQLNTSW2")
    assert {set_["Region"] for set_ in site.sets("zone")} == {"eu-west-1"}
    # What is registered, with its check.
    client = site.zone.client
    check = client.create_health_check(
        CallerReference=str(uuid.uuid4()),
        HealthCheckConfig={"Type": "CALCULATED", "HealthThreshold": 0, "ChildHealthChecks": []},
    )["HealthCheck"]["Id"]
    registered = ("--region", "ap-south-1", "--health-check", check)
    site.server.admin("resource", "add", "192.0.2.77", *registered)
    site.add("direct", "--latency", "--value", "192.0.2.77")
    (direct,) = site.sets("direct")
    assert (direct["Region"], direct["HealthCheckId"]) == ("ap-south-1", check)
    said = ("--latency", "--region", "us-west-2", "--set-identifier", "b", "--value", "192.0.2.78")
    site.add("direct", *said)
    assert {set_["SetIdentifier"]: set_["Region"] for set_ in site.sets("direct")} == {
        "ap-south-1": "ap-south-1", "b": "us-west-2",
    }
    with_latency = ("--latency", "--value", "192.0.2.79")
    bare = site.refusal("add", "bare", *with_latency)
    assert "192.0.2.79 is a bare address, which has no region: say --region" in bare
    assert "meridian resource add 192.0.2.79" in bare
    site.server.admin("resource", "add", "192.0.2.79", "--region", "us-west-2")
    several = site.refusal("add", "bare", *with_latency, "--value", "192.0.2.77")
    assert "the values are in several regions, ap-south-1 and us-west-2" in several
    for words, part in [
        (("--latency", "--alias", "lb.example.net"), "lb.example.net. does not tell its region"),
        (("--latency", "--region", "moon", "--value", "192.0.2.1"), "there is no region 'moon'"),
        (("--latency", "--type", "TXT", "--value", '"x"'), "has no region of its own"),
    ]:
        assert part in site.refusal("add", "bare", *words)
    assert site.sets("bare") == []
    for name in ("192.0.2.77", "192.0.2.79"):
        site.server.admin("resource", "remove", name)


def test_other_policies(site):
    site.add("pair", "--failover", "primary", "--value", "192.0.2.1")
    site.add("pair", "--failover", "secondary", "--value", "192.0.2.2")
    assert [(s["SetIdentifier"], s["Failover"]) for s in site.sets("pair")] == [
        ("primary", "PRIMARY"), ("secondary", "SECONDARY"),
    ]
    site.add("near", "--continent", "EU", "--value", "192.0.2.1")
    site.add("near", "--country", "US", "--subdivision", "CA", "--value", "192.0.2.2")
    assert [s["SetIdentifier"] for s in site.sets("near")] == ["EU", "US-CA"]
    say = "say --set-identifier"
    assert say in site.refusal("add", "mix", "--weight", "3", "--value", "192.0.2.1")
    site.add("mix", "--weight", "3", "--set-identifier", "a", "--value", "192.0.2.1")
    assert [s["Weight"] for s in site.sets("mix")] == [3]
    assert say in site.refusal("add", "many", "--multivalue", "--value", "192.0.2.1")
    site.add("many", "--multivalue", "--set-identifier", "a", "--value", "192.0.2.1")
    assert [s["MultiValueAnswer"] for s in site.sets("many")] == [True]
    near = lambda label: site.sets(label)[0]["GeoProximityLocation"]
    site.add("told", "--geoproximity", "--bias", "-20", "--alias", BALANCERS[0], "--type", "A")
    assert near("told") == {"AWSRegion": "us-east-1", "Bias": -20}
    site.add("said", "--geoproximity", "--near", "-33.9,18.4", "--value", "192.0.2.1")
    assert near("said") == {"Coordinates": {"Latitude": "-33.9", "Longitude": "18.4"}}
    site.add("group", "--geoproximity", "--near", "us-west-2-phx-2", "--value", "192.0.2.1")
    assert near("group") == {"LocalZoneGroup": "us-west-2-phx-2"}
    assert "is a bare address" in site.refusal("add", "bare", "--geoproximity", "--value", "192.0.2.1")
    # A region of one's own is the point where it is.
    own = f"own-{uuid.uuid4().hex[:8]}"
    site.server.admin("region", "add", own, "--latitude", "52.5", "--longitude", "13.4")
    site.add("own", "--geoproximity", "--region", own, "--value", "192.0.2.1")
    site.server.admin("region", "remove", own)
    assert near("own") == {"Coordinates": {"Latitude": "52.5", "Longitude": "13.4"}}
    assert site.sets("own")[0]["SetIdentifier"] == own
    client = site.zone.client
    made = client.create_cidr_collection(Name=own, CallerReference=own)["Collection"]["Id"]
    block = {"LocationName": "office", "Action": "PUT", "CidrList": ["198.51.100.0/24"]}
    client.change_cidr_collection(Id=made, Changes=[block])
    words = ("--cidr-collection", made, "--cidr-location", "office", "--value", "192.0.2.1")
    site.add("in", *words)
    (office,) = site.sets("in")
    assert office["CidrRoutingConfig"] == {"CollectionId": made, "LocationName": "office"}
    assert office["SetIdentifier"] == "office"
    assert "--cidr-location" in site.refusal("add", "in", "--cidr-collection", made, *words[4:])
    assert "cannot be used with" in site.refusal("add", "in", "--weight", "1", *words)
    assert "--near" in site.refusal("add", "x", "--near", "1,1", "--value", "192.0.2.1")
    assert "--region" in site.refusal("add", "x", "--region", own, "--value", "192.0.2.1")
    assert "-100" in site.refusal("add", "x", "--geoproximity", "--bias", "-100", "--value", "192.0.2.1")
    text = site.server.admin("record", "list", site.name, "near", as_json=False)
    assert "geolocation ContinentCode=EU" in text


def test_what_is_taken_away_is_what_was_meant(site):
    site.add("www", "--value", "192.0.2.1", "--value", "2001:db8::1")
    several = site.refusal("remove", "www")
    assert "these are 2 record sets" in several and "or --all" in several
    gone = site.server.admin("record", "remove", site.name, "www", "--type", "AAAA")
    assert [set_["Type"] for set_ in gone["sets"]] == ["AAAA"]
    assert [set_["Type"] for set_ in site.sets("www")] == ["A"]
    text = site.server.admin("record", "remove", site.name, "www", as_json=False)
    assert "192.0.2.1" in text and "taken away by change C" in text
    assert "there is no such record set" in site.refusal("remove", "www")
    # The zone's own stay unless they are meant.
    site.add("@", "--value", "192.0.2.1", "--value", "2001:db8::1")
    site.server.admin("record", "remove", site.name, "@", "--all")
    assert site.sets() == []
    own = site.refusal("remove", "@", "--type", "SOA")
    assert "A HostedZone must contain exactly one SOA record." in own


def test_what_makes_no_sense_is_refused(site):
    for words, part in [
        ((), "--value"),
        (("--value", "x", "--alias", "y"), "cannot be used with"),
        (("--value", "192.0.2.1", "--type", "SPF2"), "it is one of"),
        (("--value", "192.0.2.1", "--weight", "1", "--latency"), "cannot be used with"),
        (("--value", "192.0.2.1", "--region", "us-east-1"), "--latency"),
        (("--value", "host.example.net"), "is no address: say --type"),
        (("--value", "192.0.2.1", "--type", "A", "--type", "TXT"), "values are of one type"),
        (("--alias", "a..b"), "'a..b' is no name"),
        # These were written, and answered nothing.
        (("--alias", "192.0.2.1"), "192.0.2.1 is an address, and an alias leads to a name: say --value"),
        (("--alias", "2001:db8::1"), "2001:db8::1 is an address"),
        (("--alias", "192.0.2.256"), "'192.0.2.256' is no name of a host"),
        (("--alias", "https://cdn.example.net/"), "'https://cdn.example.net/' is no name of a host"),
        (("--alias", "cdn.example.net:443"), "is no name of a host"),
        (("--alias", "*.example.net"), "is no name of a host"),
        (("--alias", "."), "is no name of a host"),
    ]:
        assert part in site.refusal("add", "www", *words), words
    assert "does not lie in the zone" in site.refusal("add", "www.org.", "--value", "192.0.2.1")
    missing = site.server.admin("record", "list", "nowhere.example", check=False)
    assert "there is no zone" in missing.stderr


def test_a_long_list_comes_whole(meridian):
    name = f"long-{uuid.uuid4().hex[:8]}.example"
    site = Site(meridian, name)
    file = meridian.folder / "long.zone"
    file.write_text("".join(f"n{n} 60 A 192.0.2.1\n" for n in range(2100)))
    meridian.admin("zone", "import", str(file), "--zone", name, "--merge")
    listed = meridian.admin("record", "list", name)
    assert len(listed) == 2102 and listed == site.zone.sets()
