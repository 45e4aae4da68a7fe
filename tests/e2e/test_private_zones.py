"""Private hosted zones: VPCs, who may associate what, and who is answered from it."""

import dns.query
import dns.message
import dns.rcode
import pytest

from encrypted import PROTOCOLS, Encrypted
from harness import (
    Zone,
    adopt_successors,
    create,
    delete,
    eventually,
    reference,
    refusal,
    upsert,
)

REGION = "eu-west-1"
# Clients of two VPCs, and one of none.
ONE, TWO, NOBODY = "127.1.0.1", "127.2.0.1", "127.0.0.1"


class Tenants:
    """A server with two accounts, each with a VPC."""

    def __init__(self, server):
        self.server = server
        keys = [server.new_account(name) for name in ("one", "two")]
        self.accounts = [key.account for key in keys]
        self.one, self.two = (server.client(key) for key in keys)
        self.vpc_one = self.vpc("vpc-1", "one", "127.1.0.0/16")
        self.vpc_two = self.vpc("vpc-2", "two", "127.2.0.0/16")

    def vpc(self, id, account, *networks):
        places = [word for network in networks for word in ("--network", network)]
        self.server.admin("vpc", "create", id, "--region", REGION, "--account", account, *places)
        return {"VPCRegion": REGION, "VPCId": id}

    def ask(self, name, client, rtype="A", send=dns.query.udp):
        query = dns.message.make_query(name, rtype)
        address, port = self.server.addresses[0], self.server.dns_port
        return send(query, address, port=port, source=client, timeout=10)

    def values(self, name, client, **how):
        reply = self.ask(name, client, **how)
        return {str(value) for set_ in reply.answer for value in set_}

    def rcode(self, name, client, **how):
        return dns.rcode.to_text(self.ask(name, client, **how).rcode())

    def values_become(self, name, client, expected):
        assert eventually(lambda: self.values(name, client) == expected)


@pytest.fixture
def tenants(start):
    return Tenants(start())


def test_a_private_zone_is_made_as_route_53_makes_it(tenants):
    client = tenants.one
    # Terraform sends the VPC without PrivateZone.
    zone = Zone(client, "made.example", VPC=tenants.vpc_one)
    assert zone.created["VPC"] == tenants.vpc_one
    assert zone.created["HostedZone"]["Config"] == {"PrivateZone": True}
    assert "DelegationSet" not in zone.created
    shown = client.get_hosted_zone(Id=zone.id)
    assert shown["VPCs"] == [tenants.vpc_one]
    assert "DelegationSet" not in shown and "Features" not in shown["HostedZone"]
    ns, soa = zone.sets()
    assert [record["Value"] for record in ns["ResourceRecords"]] == [
        "ns-1536.awsdns-00.co.uk.",
        "ns-0.awsdns-00.com.",
        "ns-1024.awsdns-00.org.",
        "ns-512.awsdns-00.net.",
    ]
    assert soa["ResourceRecords"][0]["Value"].startswith("ns-1536.awsdns-00.co.uk. ")
    Zone(client, "public.example")
    listed = client.list_hosted_zones(HostedZoneType="PrivateHostedZone")["HostedZones"]
    assert [other["Id"] for other in listed] == [f"/hostedzone/{zone.id}"]
    limit = client.get_hosted_zone_limit(HostedZoneId=zone.id, Type="MAX_VPCS_ASSOCIATED_BY_ZONE")
    assert (limit["Limit"]["Value"], limit["Count"]) == (300, 1)


def test_what_makes_no_private_zone(tenants):
    def code(**parameters):
        return refusal(lambda: Zone(tenants.one, "made.example", **parameters))[0]

    config = {"PrivateZone": True}
    assert code(HostedZoneConfig=config) == "InvalidInput"
    unknown = {"VPCRegion": REGION, "VPCId": "vpc-9"}
    assert code(VPC=unknown) == "InvalidVPCId"
    assert code(VPC=tenants.vpc_two) == "InvalidVPCId", "of another account"
    assert code(VPC=tenants.vpc_one | {"VPCRegion": "eu-west-2"}) == "InvalidVPCId"
    assert code(VPC={"VPCRegion": REGION}) == "InvalidInput"
    assert code(VPC=tenants.vpc_one | {"VPCRegion": "moon-1"}) == "InvalidInput"
    made = tenants.one.create_reusable_delegation_set(CallerReference=reference())
    reusable = made["DelegationSet"]["Id"].removeprefix("/delegationset/")
    assert code(VPC=tenants.vpc_one, DelegationSetId=reusable) == "InvalidInput"
    Zone(tenants.one, "made.example", VPC=tenants.vpc_one, HostedZoneConfig=config)
    assert refusal(lambda: Zone(tenants.one, "made.example", VPC=tenants.vpc_one)) == (
        "ConflictingDomainExists",
        "The VPC that you chose, vpc-1 in region eu-west-1, is already associated with another "
        "private hosted zone that has an overlapping name space, made.example..",
    )


def test_a_private_zone_may_have_one_label(tenants):
    """As `local` or `corp`, which many networks have; public ones are the operator's alone."""
    vpc = tenants.server.admin("vpc", "create", "--region", REGION, "--account", "one")["id"]
    vpc = {"VPCRegion": REGION, "VPCId": vpc}
    corp = Zone(tenants.one, "corp", VPC=vpc)
    corp.change(create("www.corp", "A", "192.0.2.1"))
    assert refusal(lambda: Zone(tenants.one, "corp"))[0] == "InvalidDomainName"
    assert refusal(lambda: Zone(tenants.one, ".", VPC=vpc))[0] == "InvalidDomainName"
    corp.change(delete("www.corp", "A", "192.0.2.1"))
    tenants.one.delete_hosted_zone(Id=corp.id)


def test_what_private_zones_cannot_have(tenants):
    zone = Zone(tenants.one, "made.example", VPC=tenants.vpc_one)
    code, text = zone.refused(create("sub.made.example.", "NS", "ns.other.example."))
    assert code == "InvalidChangeBatch" and "cannot delegate" in text
    code, text = refusal(lambda: tenants.one.get_dnssec(HostedZoneId=zone.id))
    assert code == "InvalidArgument" and "Operation is unsupported for private" in text


def test_associations_and_their_refusals(tenants):
    client, zone = tenants.one, Zone(tenants.one, "made.example", VPC=tenants.vpc_one)
    more = [tenants.vpc(f"vpc-a{n}", "one") for n in range(2)]

    def associate(vpc, id=zone.id, client=client):
        return client.associate_vpc_with_hosted_zone(HostedZoneId=id, VPC=vpc, Comment="c")

    def disassociate(vpc, id=zone.id, client=client):
        return client.disassociate_vpc_from_hosted_zone(HostedZoneId=id, VPC=vpc)

    info = associate(more[0])["ChangeInfo"]
    assert (info["Status"], info["Comment"]) == ("PENDING", "c")
    assert client.get_change(Id=info["Id"])["ChangeInfo"]["Id"] == info["Id"]
    assert client.get_hosted_zone(Id=zone.id)["VPCs"] == [tenants.vpc_one, more[0]]

    unknown = {"VPCRegion": REGION, "VPCId": "vpc-9"}
    public = Zone(client, "public.example")
    for call, expected in [
        (lambda: associate(more[0]), "ConflictingDomainExists"),
        (lambda: associate(unknown), "InvalidVPCId"),
        (lambda: associate(more[1], "Z00NOTTHERE"), "NoSuchHostedZone"),
        (lambda: associate(more[1], public.id), "PublicZoneVPCAssociation"),
        (lambda: associate({"VPCRegion": REGION}), "InvalidInput"),
        (lambda: disassociate(more[1]), "VPCAssociationNotFound"),
        (lambda: disassociate(unknown), "InvalidVPCId"),
        (lambda: disassociate(more[0], "Z00NOTTHERE"), "NoSuchHostedZone"),
        (lambda: disassociate({"VPCRegion": REGION}), "InvalidInput"),
    ]:
        assert refusal(call)[0] == expected
    with pytest.raises(client.exceptions.NotAuthorizedException) as refused:
        associate(tenants.vpc_two)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 401
    with pytest.raises(client.exceptions.VPCAssociationNotFound) as refused:
        disassociate(more[1])
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    disassociate(more[0])
    # In the words of the model.
    assert refusal(lambda: disassociate(tenants.vpc_one)) == (
        "LastVPCAssociation",
        "The VPC that you're trying to disassociate from the private hosted zone is the last VPC "
        "that is associated with the hosted zone. Amazon Route 53 doesn't support disassociating "
        "the last VPC from a hosted zone.",
    )
    assert refusal(lambda: associate(more[1], public.id)) == (
        "PublicZoneVPCAssociation",
        "You're trying to associate a VPC with a public hosted zone. Amazon Route 53 doesn't "
        "support associating a VPC with a public hosted zone.",
    )
    tenants.server.admin("quota", "set", "--account", "one", "MAX_VPCS_ASSOCIATED_BY_ZONE", 1)
    assert refusal(lambda: associate(more[1]))[0] == "LimitsExceeded"


def test_authorizations_and_their_pages(tenants):
    client, zone = tenants.one, Zone(tenants.one, "made.example", VPC=tenants.vpc_one)
    vpcs = [tenants.vpc(f"vpc-b{n}", "two") for n in range(5)]

    def authorize(vpc, id=zone.id):
        return client.create_vpc_association_authorization(HostedZoneId=id, VPC=vpc)

    def withdraw(vpc, id=zone.id):
        return client.delete_vpc_association_authorization(HostedZoneId=id, VPC=vpc)

    for vpc in vpcs:
        assert authorize(vpc)["VPC"] == vpc
    authorize(vpcs[0])
    pages = client.get_paginator("list_vpc_association_authorizations").paginate(
        HostedZoneId=zone.id, MaxResults="2"
    )
    pages = [page["VPCs"] for page in pages]
    assert [len(page) for page in pages] == [2, 2, 1] and sum(pages, []) == vpcs
    withdraw(vpcs[0])

    unknown = {"VPCRegion": REGION, "VPCId": "vpc-9"}
    public = Zone(client, "public.example")
    listed = client.list_vpc_association_authorizations
    for call, expected in [
        (lambda: authorize(unknown), "InvalidVPCId"),
        (lambda: authorize(vpcs[0], "Z00NOTTHERE"), "NoSuchHostedZone"),
        (lambda: authorize(vpcs[0], public.id), "InvalidInput"),
        (lambda: withdraw(vpcs[0]), "VPCAssociationAuthorizationNotFound"),
        (lambda: withdraw(unknown), "InvalidVPCId"),
        (lambda: withdraw(vpcs[0], "Z00NOTTHERE"), "NoSuchHostedZone"),
        (lambda: withdraw({"VPCRegion": REGION}), "InvalidInput"),
        (lambda: listed(HostedZoneId="Z00NOTTHERE"), "NoSuchHostedZone"),
        (lambda: listed(HostedZoneId=zone.id, NextToken="x"), "InvalidPaginationToken"),
        (lambda: listed(HostedZoneId=zone.id, MaxResults="0"), "InvalidInput"),
    ]:
        assert refusal(call)[0] == expected
    quota = "MAX_VPC_AUTHORIZATIONS_BY_ZONE"
    tenants.server.admin("quota", "set", "--account", "one", quota, 4)
    assert refusal(lambda: authorize(vpcs[0]))[0] == "TooManyVPCAssociationAuthorizations"


def test_a_zone_of_another_account_is_seen_once_it_is_authorized(tenants):
    zone = Zone(tenants.one, "shared.example", VPC=tenants.vpc_one)
    zone.change(create("www.shared.example.", "A", "192.0.2.1"))
    both = {"HostedZoneId": zone.id, "VPC": tenants.vpc_two}

    def associate():
        return tenants.two.associate_vpc_with_hosted_zone(**both)

    def disassociate(client=tenants.two):
        return client.disassociate_vpc_from_hosted_zone(**both)

    assert refusal(associate)[0] == "NoSuchHostedZone"
    assert refusal(disassociate)[0] == "NoSuchHostedZone"
    tenants.one.create_vpc_association_authorization(**both)
    info = associate()["ChangeInfo"]
    assert tenants.two.get_change(Id=info["Id"])["ChangeInfo"]["Id"] == info["Id"]
    tenants.values_become("www.shared.example.", TWO, {"192.0.2.1"})
    # Nothing else of it is seen.
    assert refusal(lambda: tenants.two.get_hosted_zone(Id=zone.id))[0] == "NoSuchHostedZone"
    seen = tenants.two.list_hosted_zones_by_vpc(VPCId="vpc-2", VPCRegion=REGION)
    assert seen["HostedZoneSummaries"] == [
        {
            "HostedZoneId": zone.id,
            "Name": "shared.example.",
            "Owner": {"OwningAccount": tenants.accounts[0]},
        }
    ]
    # Taking the authorization back leaves the association.
    tenants.one.delete_vpc_association_authorization(**both)
    assert tenants.values("www.shared.example.", TWO) == {"192.0.2.1"}
    disassociate()
    assert eventually(lambda: tenants.rcode("www.shared.example.", TWO) == "REFUSED")
    assert refusal(associate)[0] == "NoSuchHostedZone"


def test_zones_of_a_vpc_are_listed_in_pages(tenants):
    zones = [Zone(tenants.one, f"z{n}.example", VPC=tenants.vpc_one) for n in range(5)]
    listed, token = [], {}
    for _ in range(5):
        page = tenants.one.list_hosted_zones_by_vpc(
            VPCId="vpc-1", VPCRegion=REGION, MaxItems="2", **token
        )
        assert page["MaxItems"] == "2"
        listed += [summary["HostedZoneId"] for summary in page["HostedZoneSummaries"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert listed == sorted(zone.id for zone in zones)

    def code(client=tenants.one, **parameters):
        parameters = {"VPCId": "vpc-1", "VPCRegion": REGION} | parameters
        return refusal(lambda: client.list_hosted_zones_by_vpc(**parameters))[0]

    assert code(VPCId="vpc-9") == "InvalidInput"
    assert code(VPCRegion="eu-west-2") == "InvalidInput"
    assert code(client=tenants.two) == "InvalidInput"
    assert code(NextToken="x") == "InvalidPaginationToken"


def test_split_horizon_follows_associations_and_mappings(tenants):
    """The same name for everybody and for a VPC; nothing of one in the other."""
    adopt_successors()
    server, name = tenants.server, "www.split.example."
    public = Zone(tenants.one, "split.example")
    public.change(create(name, "A", "192.0.2.1"), create("only.split.example.", "A", "192.0.2.2"))
    private = Zone(tenants.one, "split.example", VPC=tenants.vpc_one)
    private.change(create(name, "A", "10.0.0.1"), create("in.split.example.", "A", "10.0.0.2"))
    third = tenants.vpc("vpc-3", "one", "127.3.0.0/16")

    def check():
        for send in (dns.query.udp, dns.query.tcp):
            assert tenants.values(name, NOBODY, send=send) == {"192.0.2.1"}
            assert tenants.values(name, TWO, send=send) == {"192.0.2.1"}
            assert tenants.values(name, ONE, send=send) == {"10.0.0.1"}
            assert tenants.rcode("in.split.example.", NOBODY, send=send) == "NXDOMAIN"
            assert tenants.rcode("only.split.example.", ONE, send=send) == "NXDOMAIN"

    check()
    private.change(upsert(name, "A", "10.0.0.9"))
    assert tenants.values(name, ONE) == {"10.0.0.9"}
    private.change(upsert(name, "A", "10.0.0.1"))
    # The zone comes and goes for a second VPC.
    both = {"HostedZoneId": private.id, "VPC": third}
    tenants.one.associate_vpc_with_hosted_zone(**both)
    tenants.values_become(name, "127.3.0.1", {"10.0.0.1"})
    tenants.one.disassociate_vpc_from_hosted_zone(**both)
    tenants.values_become(name, "127.3.0.1", {"192.0.2.1"})
    # What the VPC is counts at once.
    server.admin("vpc", "set", "vpc-1", "--network", "127.4.0.0/16")
    tenants.values_become(name, ONE, {"192.0.2.1"})
    assert tenants.values(name, "127.4.0.1") == {"10.0.0.1"}
    server.admin("vpc", "set", "vpc-1", "--network", "127.1.0.0/16")
    tenants.values_become(name, ONE, {"10.0.0.1"})
    check()
    server.kill()
    server.start()
    check()
    server.replace()
    check()


def test_who_asks_counts_over_tls_quic_and_https_too(tmp_path):
    with Encrypted(tmp_path / "meridian") as server:
        tenants = Tenants(server)
        Zone(tenants.one, "split.example").change(create("www.split.example.", "A", "192.0.2.1"))
        for name in ("split.example", "in.example"):
            private = Zone(tenants.one, name, VPC=tenants.vpc_one)
            private.change(create(f"www.{name}.", "A", "10.0.0.1"))
        outside = [("NOERROR", {"192.0.2.1"}), ("REFUSED", set())]
        inside = [("NOERROR", {"10.0.0.1"})] * 2
        for protocol in PROTOCOLS:
            for client, expected in ((ONE, inside), (TWO, outside), (NOBODY, outside)):
                heard = []
                for name in ("www.split.example.", "www.in.example."):
                    query = dns.message.make_query(name, "A")
                    reply = server.over(protocol, query, source=client)
                    values = {str(value) for set_ in reply.answer for value in set_}
                    heard.append((dns.rcode.to_text(reply.rcode()), values))
                assert heard == expected, (protocol, client)


def test_operators_describe_vpcs(tenants):
    server = tenants.server

    made = server.admin("vpc", "create", "--region", REGION, "--account", "one")
    assert made["id"].startswith("vpc-") and len(made["id"]) == 21 and made["networks"] == []
    server.admin("vpc", "delete", made["id"])
    listed = server.admin("vpc", "list", "--account", "one")
    assert listed == [
        {
            "id": "vpc-1",
            "region": REGION,
            "account": tenants.accounts[0],
            "networks": ["127.1.0.0/16"],
        }
    ]
    zone = Zone(tenants.one, "made.example", VPC=tenants.vpc_one)
    shown = server.admin("vpc", "show", "vpc-1")
    assert [seen["id"] for seen in shown["zones"]] == [zone.id]
    for arguments in [
        ("create", "vpc-1", "--region", REGION, "--account", "one"),
        ("create", "net-1", "--region", REGION, "--account", "one"),
        ("create", "--region", "moon-1", "--account", "one"),
        ("create", "--region", REGION, "--account", "nobody"),
        ("create", "--region", REGION, "--account", "one", "--network", "127.2.3.0/24"),
        ("set", "vpc-1", "--network", "127.0.0.0/8"),
        ("set", "vpc-9", "--network", "10.0.0.0/8"),
        ("show", "vpc-9"),
        ("delete", "vpc-1"),
    ]:
        assert server.admin("vpc", *arguments, check=False).returncode == 1, arguments
    zone.client.delete_hosted_zone(Id=zone.id)
    server.admin("vpc", "delete", "vpc-1")
    assert [vpc["id"] for vpc in server.admin("vpc", "list")] == ["vpc-2"]
