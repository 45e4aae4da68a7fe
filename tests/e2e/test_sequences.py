"""Clients that cannot run here, by the requests they send: Terraform's AWS provider and external-dns.

Both are Go programs: their SDK signs Content-Length too, writes elements in the order of the model
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

    def __init__(self, meridian, region="eu-central-1"):
        key = meridian.operator()
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
