"""What tenants, and users of one account, must not reach of each other by roundabout ways."""

import json

from harness import Key, Zone, alias, change, create, eventually, refusal

REGION = "eu-west-1"


def user(server, account, *policy):
    """A client of a new user with this policy."""
    server.admin("user", "create", "ann", "--account", account, *policy)
    key = server.admin("key", "create", "--account", account, "--user", "ann")
    return server.client(Key(key["access_key_id"], key["secret_access_key"]))


def test_an_alias_into_a_zone_takes_the_right_to_read_it(meridian):
    owner = meridian.new_account("aliases")
    root = meridian.client(owner)
    mine, other = Zone(root, "mine.example"), Zone(root, "other.example")
    other.change(create("there.other.example.", "TXT", '"x"'))
    acme = f"acme={mine.id}"
    ann = user(
        meridian, owner.account, "--policy", f"zone-editor={mine.id}", "--policy", acme
    )

    def point(target, zone, client=ann, action="CREATE", name="_acme-challenge.mine.example."):
        batch = {"Changes": [change(action, alias(name, target, zone, "TXT"))]}
        return client.change_resource_record_sets(HostedZoneId=mine.id, ChangeBatch=batch)

    # What is there, what is not, and a zone that is not: all the same.
    for target, zone in [
        ("there.other.example.", other.id),
        ("nowhere.other.example.", other.id),
        ("there.other.example.", "Z00NOTTHERE"),
    ]:
        for action in ("CREATE", "UPSERT"):
            code, text = refusal(lambda t=target, z=zone, a=action: point(t, z, action=a))
            assert code == "AccessDenied" and "route53:ListResourceRecordSets" in text
            assert text.split(" because ")[0].endswith(f"hostedzone/{zone}")
    # In the zone itself, and to take away what somebody else made.
    mine.change(create("t.mine.example.", "TXT", '"x"'))
    point("t.mine.example.", mine.id, name="own.mine.example.")
    point("there.other.example.", other.id, client=root)
    point("there.other.example.", other.id, action="DELETE")
    meridian.admin(
        "user", "attach", "ann", "--account", owner.account, "--policy", "read-only"
    )
    point("there.other.example.", other.id)


def test_a_vpc_without_its_region_is_the_same_vpc(meridian, tmp_path):
    owner = meridian.new_account("denied")
    vpc = {"VPCId": "vpc-denied", "VPCRegion": REGION}
    meridian.admin("vpc", "create", "vpc-denied", "--region", REGION, "--account", "denied")
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {
                    "StringEquals": {"route53:VPCs": f"VPCId=vpc-denied,VPCRegion={REGION}"}
                },
            },
        ],
    }
    (tmp_path / "own.json").write_text(json.dumps(document))
    ann = user(meridian, owner.account, "--policy-file", tmp_path / "own.json")
    zone = Zone(meridian.client(owner), "in.example", VPC=vpc)
    for named in (vpc, {"VPCId": "vpc-denied"}):
        both = {"HostedZoneId": zone.id, "VPC": named}
        for call in (
            lambda named=named: Zone(ann, "new.example", VPC=named),
            lambda both=both: ann.associate_vpc_with_hosted_zone(**both),
            lambda both=both: ann.disassociate_vpc_from_hosted_zone(**both),
            lambda both=both: ann.create_vpc_association_authorization(**both),
            lambda both=both: ann.delete_vpc_association_authorization(**both),
        ):
            assert refusal(call)[0] == "AccessDenied", named


def test_no_public_alias_leads_into_a_private_zone(meridian):
    private = meridian.private_zone("hidden.example")
    client = meridian.client()
    batch = {"Changes": [create("www.hidden.example.", "A", "10.0.0.1")]}
    client.change_resource_record_sets(HostedZoneId=private, ChangeBatch=batch)
    public = Zone(client, "shown.example")
    target = alias("www.shown.example.", "www.hidden.example.", private)
    code, text = public.refused(change("CREATE", target))
    assert code == "InvalidChangeBatch" and "in a private hosted zone" in text


def test_what_a_tenant_writes_ends_no_line_and_moves_no_cursor(meridian):
    """Neither in the audit log nor on an operator's terminal."""
    client = meridian.client(meridian.new_account("sly"))
    zone = Zone(client, "sly.example")
    sly = "c\n+ www.bank.example. 300 A 192.0.2.66\x9b2J\x85{}\u2028{}\u202ex"
    batch = {"Comment": sly, "Changes": [create("www.sly.example.", "A", "192.0.2.1")]}
    info = client.change_resource_record_sets(HostedZoneId=zone.id, ChangeBatch=batch)
    assert info["ChangeInfo"]["Comment"] == sly

    def lines():
        """Of whatever some reader takes for a line."""
        return (meridian.data / "audit.log").read_text().splitlines()

    written = eventually(lambda: [line for line in lines() if "www.bank.example" in line])
    assert json.loads(written[0])["requestParameters"]["changeBatch"]["comment"] == sly
    for as_json in (False, True):
        command = ("zone", "history", zone.id)
        printed = meridian.admin(*command, check=False, as_json=as_json).stdout
        assert "www.bank.example" in printed and printed.replace("\n", "").isprintable()
        assert not any(line.startswith("+ www.bank") for line in printed.splitlines())
