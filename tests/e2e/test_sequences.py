"""Clients that cannot run here, by the requests they send: Terraform's AWS provider, external-dns and
cert-manager.

All are Go programs: their SDK signs Content-Length too, writes elements in the order of the model
with a namespace on the root, reads answers element by element, and needs what it indexes. The
sequences are written from their documented behaviour.
"""

import re
import urllib.error
import urllib.request
import uuid
import xml.etree.ElementTree as ElementTree

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from harness import eventually, reference

NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
STS = "https://sts.amazonaws.com/doc/2011-06-15/"
XML = f'xmlns="{NAMESPACE}"'


class GoClient:
    """Requests as aws-sdk-go-v2 sends them."""

    def __init__(self, meridian, region="eu-central-1", key=None):
        key = key or meridian.operator()
        self.endpoint, self.region = meridian.endpoint, region
        self.credentials = botocore.credentials.Credentials(key.id, key.secret)

    def send(self, method, path, body=b"", service="route53", content_type=None):
        headers = {
            "User-Agent": "aws-sdk-go-v2/1.41.0 ua/2.1 os/linux lang/go#1.25 api/route53",
            "amz-sdk-invocation-id": str(uuid.uuid4()),
            "amz-sdk-request": "attempt=1; max=25",
            "Accept-Encoding": "gzip",
        }
        if body:
            headers["Content-Length"] = str(len(body))
            headers["Content-Type"] = content_type or "application/xml"
        request = botocore.awsrequest.AWSRequest(
            method=method, url=self.endpoint + path, data=body or None, headers=headers
        )
        botocore.auth.SigV4Auth(self.credentials, service, self.region).add_auth(request)
        sent = urllib.request.Request(
            self.endpoint + path, data=body or None, headers=dict(request.headers), method=method
        )
        try:
            with urllib.request.urlopen(sent, timeout=30) as response:
                return response.status, Answer(response.read())
        except urllib.error.HTTPError as error:
            return error.code, Answer(error.read())

    def call(self, method, path, body=""):
        """A request that must be answered well."""
        status, answer = self.send(method, f"/2013-04-01{path}", body.encode())
        assert status < 300, f"{method} {path}: {status} {answer.text}"
        return answer


class Answer:
    """A document, looked into as generated code does: by the path of the elements."""

    def __init__(self, body):
        self.text = body.decode()
        self.root = ElementTree.fromstring(body)

    def all(self, path):
        namespace = re.match(r"\{(.*)\}", self.root.tag)[1]
        return self.root.findall("/".join(f"{{{namespace}}}{part}" for part in path.split("/")))

    def one(self, path):
        found = self.all(path)
        assert len(found) == 1, f"{len(found)} of {path} in {self.text}"
        return found[0].text or ""


@pytest.fixture
def go(meridian):
    return GoClient(meridian)


def insync(go, change):
    """Waits as Terraform does, which polls GetChange."""
    assert change.startswith("/change/C")
    path = "/change/" + change.removeprefix("/change/")
    done = eventually(lambda: go.call("GET", path).one("ChangeInfo/Status") == "INSYNC")
    assert done, f"{change} is not INSYNC"


# Terraform.


def create_zone(go, name):
    """aws_route53_zone: what `apply` does."""
    created = go.call(
        "POST",
        "/hostedzone",
        f"<CreateHostedZoneRequest {XML}><CallerReference>terraform-{reference()}</CallerReference>"
        "<HostedZoneConfig><Comment>Managed by Terraform</Comment></HostedZoneConfig>"
        f"<Name>{name}</Name></CreateHostedZoneRequest>",
    )
    zone = created.one("HostedZone/Id").removeprefix("/hostedzone/")
    insync(go, created.one("ChangeInfo/Id"))
    go.call(
        "POST",
        f"/tags/hostedzone/{zone}",
        f"<ChangeTagsForResourceRequest {XML}><AddTags><Tag><Key>team</Key><Value>edge</Value></Tag>"
        "</AddTags></ChangeTagsForResourceRequest>",
    )
    return zone


def read_zone(go, zone):
    """aws_route53_zone: `refresh`. Returns the name servers and the tags."""
    got = go.call("GET", f"/hostedzone/{zone}")
    assert got.one("HostedZone/Config/Comment") == "Managed by Terraform"
    tags = go.call("GET", f"/tags/hostedzone/{zone}")
    pairs = zip(
        tags.all("ResourceTagSet/Tags/Tag/Key"), tags.all("ResourceTagSet/Tags/Tag/Value")
    )
    servers = [each.text for each in got.all("DelegationSet/NameServers/NameServer")]
    return servers, {key.text: value.text for key, value in pairs}


def batch(*changes):
    body = "".join(
        f"<Change><Action>{action}</Action>{record}</Change>" for action, record in changes
    )
    return (
        f"<ChangeResourceRecordSetsRequest {XML}><ChangeBatch><Changes>{body}</Changes>"
        "<Comment>Managed by Terraform</Comment></ChangeBatch></ChangeResourceRecordSetsRequest>"
    )


def record(name, rtype, *values, ttl=300, extra=""):
    records = "".join(
        f"<ResourceRecord><Value>{v}</Value></ResourceRecord>" for v in values
    )
    return (
        f"<ResourceRecordSet><Name>{name}</Name>"
        f"<ResourceRecords>{records}</ResourceRecords>{extra}<TTL>{ttl}</TTL><Type>{rtype}</Type>"
        "</ResourceRecordSet>"
    )


def find(go, zone, name, rtype, identifier=None):
    """aws_route53_record: `refresh` asks for the first set from here on, and compares."""
    query = f"?maxitems={100 if identifier else 1}&name={name.replace('*', '%2A')}&type={rtype}"
    listed = go.call("GET", f"/hostedzone/{zone}/rrset{query}")
    for each in listed.all("ResourceRecordSets/ResourceRecordSet"):
        fields = {child.tag.removeprefix(f"{{{NAMESPACE}}}"): child.text for child in each}
        same = fields["Name"].lower().replace(r"\052", "*") == f"{name}."
        if same and fields["Type"] == rtype and fields.get("SetIdentifier") == identifier:
            return each
    return None


def test_terraform_knows_who_it_is(go):
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    kind = "application/x-www-form-urlencoded"
    status, answer = go.send("POST", "/", body, service="sts", content_type=kind)
    assert status == 200, answer.text
    assert answer.root.tag == f"{{{STS}}}GetCallerIdentityResponse"
    assert re.fullmatch(r"\d{12}", answer.one("GetCallerIdentityResult/Account"))
    assert answer.one("GetCallerIdentityResult/Arn").startswith("arn:aws:iam::")
    assert answer.one("GetCallerIdentityResult/UserId")


def test_terraform_applies_refreshes_and_destroys(go, meridian):
    name = "terraform.example"
    zone = create_zone(go, name)
    servers, tags = read_zone(go, zone)
    assert len(servers) == 4 and tags == {"team": "edge"}
    # Records: apply, wait, read back.
    for owner, rtype, values in (
        (f"www.{name}", "A", ["192.0.2.1", "192.0.2.2"]),
        (f"*.{name}", "CNAME", [f"www.{name}"]),
        (f"{name}", "TXT", ['"v=spf1 -all"']),
    ):
        go.call("GET", f"/hostedzone/{zone}")
        changed = go.call(
            "POST", f"/hostedzone/{zone}/rrset/", batch(("CREATE", record(owner, rtype, *values)))
        )
        insync(go, changed.one("ChangeInfo/Id"))
        assert find(go, zone, owner, rtype) is not None
    assert meridian.values(f"www.{name}.") == {"192.0.2.1", "192.0.2.2"}
    # A weighted record, told apart by its identifier; then changed to another policy in one batch.
    weighted = record(
        f"w.{name}", "A", "192.0.2.3", extra="<SetIdentifier>blue</SetIdentifier>"
    ).replace("</ResourceRecordSet>", "<Weight>10</Weight></ResourceRecordSet>")
    go.call("POST", f"/hostedzone/{zone}/rrset/", batch(("CREATE", weighted)))
    assert find(go, zone, f"w.{name}", "A", "blue") is not None
    assert find(go, zone, f"w.{name}", "A", "green") is None
    simple = record(f"w.{name}", "A", "192.0.2.4")
    go.call("POST", f"/hostedzone/{zone}/rrset/", batch(("DELETE", weighted), ("CREATE", simple)))
    assert find(go, zone, f"w.{name}", "A") is not None
    # What exists is not created again, and says so in the words Terraform shows.
    status, answer = go.send(
        "POST", f"/2013-04-01/hostedzone/{zone}/rrset/", batch(("CREATE", simple)).encode()
    )
    assert status == 400 and answer.one("Error/Code") == "InvalidChangeBatch"
    assert "but it already exists" in answer.one("Error/Message")
    # The comment and the tags change.
    go.call(
        "POST",
        f"/hostedzone/{zone}",
        f"<UpdateHostedZoneCommentRequest {XML}><Comment>Managed by Terraform</Comment>"
        "</UpdateHostedZoneCommentRequest>",
    )
    go.call(
        "POST",
        f"/tags/hostedzone/{zone}",
        f"<ChangeTagsForResourceRequest {XML}><AddTags><Tag><Key>env</Key><Value>prod</Value></Tag>"
        "</AddTags><RemoveTagKeys><Key>team</Key></RemoveTagKeys></ChangeTagsForResourceRequest>",
    )
    assert read_zone(go, zone)[1] == {"env": "prod"}
    destroy(go, zone, name)
    assert go.send("GET", f"/2013-04-01/hostedzone/{zone}")[0] == 404
    assert meridian.rcode(f"www.{name}.") == "REFUSED"


def vpc_xml(vpc):
    return f"<VPC><VPCId>{vpc}</VPCId><VPCRegion>eu-west-1</VPCRegion></VPC>"


def associate(go, zone, vpc, verb="Associate"):
    """aws_route53_zone_association, or a further `vpc` block of aws_route53_zone."""
    path, root = {
        "Associate": ("associatevpc", "AssociateVPCWithHostedZoneRequest"),
        "Disassociate": ("disassociatevpc", "DisassociateVPCFromHostedZoneRequest"),
    }[verb]
    body = f"<{root} {XML}>{vpc_xml(vpc)}</{root}>"
    insync(go, go.call("POST", f"/hostedzone/{zone}/{path}", body).one("ChangeInfo/Id"))


def vpcs_of(go, zone):
    found = go.call("GET", f"/hostedzone/{zone}").all("VPCs/VPC")
    return {vpc.find(f"{{{NAMESPACE}}}VPCId").text for vpc in found}


def test_terraform_has_private_zones(meridian):
    """Zones with several VPCs, and one of another account: authorization first, then association."""
    keys = [meridian.new_account(f"terraform-{n}") for n in ("zone", "vpc")]
    go, other = (GoClient(meridian, key=key) for key in keys)
    made = [
        meridian.admin("vpc", "create", "--region", "eu-west-1", "--account", key.account)["id"]
        for key in (keys[0], keys[0], keys[1])
    ]
    name = "private.terraform.example"
    created = go.call(
        "POST",
        "/hostedzone",
        f"<CreateHostedZoneRequest {XML}><CallerReference>terraform-{reference()}</CallerReference>"
        f"<HostedZoneConfig><Comment>Managed by Terraform</Comment></HostedZoneConfig>"
        f"<Name>{name}</Name>{vpc_xml(made[0])}</CreateHostedZoneRequest>",
    )
    assert created.one("HostedZone/Config/PrivateZone") == "true"
    zone = created.one("HostedZone/Id").removeprefix("/hostedzone/")
    insync(go, created.one("ChangeInfo/Id"))
    associate(go, zone, made[1])
    assert vpcs_of(go, zone) == set(made[:2])
    # Where a zone has no delegation set, Terraform takes the servers from its NS set.
    servers = find(go, zone, name, "NS").findall(f".//{{{NAMESPACE}}}Value")
    assert servers[0].text.startswith("ns-")

    root = "CreateVPCAssociationAuthorizationRequest"
    body = f"<{root} {XML}>{vpc_xml(made[2])}</{root}>"
    authorized = go.call("POST", f"/hostedzone/{zone}/authorizevpcassociation", body)
    assert (authorized.one("HostedZoneId"), authorized.one("VPC/VPCId")) == (zone, made[2])
    listed = go.call("GET", f"/hostedzone/{zone}/authorizevpcassociation?maxresults=1")
    assert listed.one("VPCs/VPC/VPCId") == made[2] and not listed.all("NextToken")
    associate(other, zone, made[2])
    query = f"?vpcid={made[2]}&vpcregion=eu-west-1"
    seen = other.call("GET", f"/hostedzonesbyvpc{query}")
    summary = "HostedZoneSummaries/HostedZoneSummary/"
    assert seen.one(f"{summary}HostedZoneId") == zone
    assert seen.one(f"{summary}Owner/OwningAccount") == keys[0].account

    associate(other, zone, made[2], "Disassociate")
    root = "DeleteVPCAssociationAuthorizationRequest"
    body = f"<{root} {XML}>{vpc_xml(made[2])}</{root}>"
    go.call("POST", f"/hostedzone/{zone}/deauthorizevpcassociation", body)
    associate(go, zone, made[1], "Disassociate")
    # force_destroy asks for DNSSEC, and goes on when it hears this.
    status, answer = go.send("GET", f"/2013-04-01/hostedzone/{zone}/dnssec")
    assert (status, answer.one("Error/Code")) == (400, "InvalidArgument")
    assert "Operation is unsupported for private" in answer.one("Error/Message")
    insync(go, go.call("DELETE", f"/hostedzone/{zone}").one("ChangeInfo/Id"))


def test_terraform_has_delegation_sets_comments_and_query_logs(go):
    root = "CreateReusableDelegationSetRequest"
    body = f"<{root} {XML}><CallerReference>{reference()}</CallerReference></{root}>"
    made = go.call("POST", "/delegationset", body)
    set_id = made.one("DelegationSet/Id").removeprefix("/delegationset/")
    assert len(made.all("DelegationSet/NameServers/NameServer")) == 4
    zone = go.call(
        "POST",
        "/hostedzone",
        f"<CreateHostedZoneRequest {XML}><CallerReference>{reference()}</CallerReference>"
        f"<DelegationSetId>{set_id}</DelegationSetId><Name>set.terraform.example</Name>"
        "</CreateHostedZoneRequest>",
    )
    zone = zone.one("HostedZone/Id").removeprefix("/hostedzone/")
    got = go.call("GET", f"/hostedzone/{zone}")
    assert got.one("DelegationSet/Id").removeprefix("/delegationset/") == set_id
    root = "UpdateHostedZoneCommentRequest"
    body = f"<{root} {XML}><Comment>changed</Comment></{root}>"
    updated = go.call("POST", f"/hostedzone/{zone}", body)
    assert updated.one("HostedZone/Config/Comment") == "changed"

    account = go.send("POST", "/", b"Action=GetCallerIdentity&Version=2011-06-15", "sts")[1]
    account = account.one("GetCallerIdentityResult/Account")
    arn = f"arn:aws:logs:us-east-1:{account}:log-group:/aws/route53/set.terraform.example"
    root = "CreateQueryLoggingConfigRequest"
    body = (
        f"<{root} {XML}><CloudWatchLogsLogGroupArn>{arn}</CloudWatchLogsLogGroupArn>"
        f"<HostedZoneId>{zone}</HostedZoneId></{root}>"
    )
    log = go.call("POST", "/queryloggingconfig", body).one("QueryLoggingConfig/Id")
    read = go.call("GET", f"/queryloggingconfig/{log}")
    assert read.one("QueryLoggingConfig/CloudWatchLogsLogGroupArn") == arn
    go.call("DELETE", f"/queryloggingconfig/{log}")
    insync(go, go.call("DELETE", f"/hostedzone/{zone}").one("ChangeInfo/Id"))
    go.call("DELETE", f"/delegationset/{set_id}")
    status, answer = go.send("GET", f"/2013-04-01/delegationset/{set_id}")
    assert (status, answer.one("Error/Code")) == (400, "NoSuchDelegationSet")


def destroy(go, zone, name):
    """aws_route53_zone with force_destroy: all sets but the apex's NS and SOA, then the zone."""
    listed = go.call("GET", f"/hostedzone/{zone}/rrset?maxitems=100")
    assert listed.one("IsTruncated") == "false"
    ElementTree.register_namespace("", NAMESPACE)
    doomed = []
    for each in listed.all("ResourceRecordSets/ResourceRecordSet"):
        owner, rtype = (each.find(f"{{{NAMESPACE}}}{tag}").text for tag in ("Name", "Type"))
        if not (owner == f"{name}." and rtype in ("NS", "SOA")):
            # Exactly as it was listed.
            text = ElementTree.tostring(each, encoding="unicode").replace(f' xmlns="{NAMESPACE}"', "")
            doomed.append(("DELETE", text))
    insync(
        go,
        go.call("POST", f"/hostedzone/{zone}/rrset/", batch(*doomed)).one("ChangeInfo/Id"),
    )
    signing = go.call("GET", f"/hostedzone/{zone}/dnssec")
    assert signing.one("Status/ServeSignature") == "NOT_SIGNING"
    insync(go, go.call("DELETE", f"/hostedzone/{zone}").one("ChangeInfo/Id"))


# external-dns.


def external_dns_zones(go):
    """The ids of all zones, page by page."""
    zones, query = [], ""
    while True:
        page = go.call("GET", f"/hostedzone{query}")
        zones += [each.text.rpartition("/")[2] for each in page.all("HostedZones/HostedZone/Id")]
        if page.one("IsTruncated") == "false":
            return zones
        query = f"?marker={page.one('NextMarker')}"


def external_dns_records(go, zone):
    """All record sets, page by page, as external-dns reads them each minute."""
    sets, query = [], "?maxitems=300"
    while True:
        page = go.call("GET", f"/hostedzone/{zone}/rrset{query}")
        sets += [
            (each.find(f"{{{NAMESPACE}}}Name").text, each.find(f"{{{NAMESPACE}}}Type").text)
            for each in page.all("ResourceRecordSets/ResourceRecordSet")
        ]
        if page.one("IsTruncated") == "false":
            return sets
        query = f"?maxitems=300&name={page.one('NextRecordName')}&type={page.one('NextRecordType')}"


def test_external_dns_owns_its_records(go, meridian):
    """A and TXT of each name in one batch, the TXT saying whose it is; wildcards come as \\052."""
    name = "external.example"
    zone = create_zone(go, name)
    assert zone in external_dns_zones(go)
    go.call("GET", f"/tags/hostedzone/{zone}")
    owner = '"heritage=external-dns,external-dns/owner=k8s,external-dns/resource=ingress/web/site"'
    changes = []
    for host in ("app", "*", "api"):
        changes.append(("CREATE", record(f"{host}.{name}", "A", "192.0.2.80")))
        changes.append(("CREATE", record(f"a-{host}.{name}", "TXT", owner)))
    go.call("POST", f"/hostedzone/{zone}/rrset/", batch(*changes))
    sets = external_dns_records(go, zone)
    assert (rf"\052.{name}.", "A") in sets and (rf"a-\052.{name}.", "TXT") in sets
    assert eventually(lambda: meridian.values(f"any.{name}.") == {"192.0.2.80"})
    # A target moves: UPSERT of both.
    moved = [(a.replace("CREATE", "UPSERT"), r.replace("192.0.2.80", "192.0.2.81")) for a, r in changes]
    go.call("POST", f"/hostedzone/{zone}/rrset/", batch(*moved))
    assert eventually(lambda: meridian.values(f"app.{name}.") == {"192.0.2.81"})
    # One name goes.
    go.call(
        "POST",
        f"/hostedzone/{zone}/rrset/",
        batch(*(("DELETE", r) for _, r in moved[:2])),
    )
    assert (f"app.{name}.", "A") not in external_dns_records(go, zone)
    # A batch with a mistake changes nothing; external-dns halves it and tries again.
    status, answer = go.send(
        "POST",
        f"/2013-04-01/hostedzone/{zone}/rrset/",
        batch(
            ("CREATE", record(f"good.{name}", "A", "192.0.2.1")),
            ("CREATE", record(f"api.{name}", "A", "192.0.2.1")),
        ).encode(),
    )
    assert status == 400 and answer.one("Error/Code") == "InvalidChangeBatch"
    assert re.fullmatch(r"\[.*\]", answer.one("Error/Message"))
    assert (f"good.{name}.", "A") not in external_dns_records(go, zone)


# cert-manager.


def challenge(name, token):
    """A set of its own for each challenge, so that several may wait at one name."""
    extra = f"<MultiValueAnswer>true</MultiValueAnswer><SetIdentifier>&quot;{token}&quot;</SetIdentifier>"
    return record(f"_acme-challenge.{name}.", "TXT", f"&quot;{token}&quot;", ttl=10, extra=extra)


def test_cert_manager_needs_no_more_than_the_acme_policy(go, meridian):
    name = "certificates.example"
    zone = create_zone(go, name)
    account = meridian.operator_account()["id"]
    user = GoClient(meridian, key=meridian.new_user(account, "cert-manager", f"acme={zone}"))
    # It looks for the public zone that has the name.
    found = user.call("GET", f"/hostedzonesbyname?dnsname={name}.")
    zones = found.all("HostedZones/HostedZone")
    first = {child.tag.removeprefix(f"{{{NAMESPACE}}}"): child for child in zones[0]}
    assert first["Name"].text == f"{name}." and first["Id"].text == f"/hostedzone/{zone}"
    # A certificate for the name and for all below it: two challenges at one name.
    for token in ("first", "second"):
        made = user.call(
            "POST", f"/hostedzone/{zone}/rrset/", batch(("UPSERT", challenge(name, token)))
        )
        insync(user, made.one("ChangeInfo/Id"))
    sets = [s for s in external_dns_records(go, zone) if s[0] == f"_acme-challenge.{name}."]
    assert sets == [(f"_acme-challenge.{name}.", "TXT")] * 2
    both = {'"first"', '"second"'}
    assert eventually(lambda: meridian.values(f"_acme-challenge.{name}.", "TXT") == both)
    for token in ("first", "second"):
        gone = user.call(
            "POST", f"/hostedzone/{zone}/rrset/", batch(("DELETE", challenge(name, token)))
        )
        insync(user, gone.one("ChangeInfo/Id"))
    # One that is gone already is no failure to it: it looks for these words.
    status, answer = user.send(
        "POST",
        f"/2013-04-01/hostedzone/{zone}/rrset/",
        batch(("DELETE", challenge(name, "first"))).encode(),
    )
    assert (status, answer.one("Error/Code")) == (400, "InvalidChangeBatch")
    assert "not found" in answer.one("Error/Message")
    # And nothing else is allowed.
    status, answer = user.send(
        "POST",
        f"/2013-04-01/hostedzone/{zone}/rrset/",
        batch(("UPSERT", record(f"www.{name}.", "TXT", "&quot;x&quot;"))).encode(),
    )
    assert (status, answer.one("Error/Code")) == (403, "AccessDenied")
    destroy_empty = go.call("DELETE", f"/hostedzone/{zone}")
    insync(go, destroy_empty.one("ChangeInfo/Id"))
