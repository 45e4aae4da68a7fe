"""Traffic policies by the API, and documents checked on the command line."""

import concurrent.futures
import json
import re
import subprocess

import pytest
from botocore.exceptions import ClientError

from harness import BIN, Key, reference, refusal

UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
NOBODYS = "00000000-0000-4000-8000-000000000000"


def document(rtype="A", value="192.0.2.1", **rest):
    """A document of one endpoint, unless told otherwise."""
    return json.dumps(
        {
            "AWSPolicyFormatVersion": "2015-10-01",
            "RecordType": rtype,
            "StartEndpoint": "one",
            "Endpoints": {"one": {"Type": "value", "Value": value}},
        }
        | rest
    )


def routed(rules, **endpoints):
    """A document that begins with rule `r`."""
    endpoints = {"one": "192.0.2.1", "two": "192.0.2.2"} | endpoints
    return json.dumps(
        {
            "AWSPolicyFormatVersion": "2015-10-01",
            "RecordType": "A",
            "StartRule": "r",
            "Endpoints": {
                name: {"Type": "value", "Value": value} for name, value in endpoints.items()
            },
            "Rules": rules,
        }
    )


class Owner:
    """An account with a client."""

    def __init__(self, server):
        self.key = server.new_account(f"policies-{reference()}")
        self.client = server.client(self.key)

    def make(self, name=None, text=None, **rest):
        """A new policy; the answer is kept."""
        self.answer = self.client.create_traffic_policy(
            Name=name or reference(), Document=text or document(), **rest
        )
        return self.answer["TrafficPolicy"]

    def next(self, policy, text=None, **rest):
        """The next version of a policy."""
        self.answer = self.client.create_traffic_policy_version(
            Id=policy["Id"], Document=text or document(), **rest
        )
        return self.answer["TrafficPolicy"]

    def get(self, policy, version=1):
        return self.client.get_traffic_policy(Id=policy["Id"], Version=version)["TrafficPolicy"]

    def listed(self):
        return self.client.list_traffic_policies()["TrafficPolicySummaries"]

    def versions(self, policy):
        listed = self.client.list_traffic_policy_versions(Id=policy["Id"])
        return [each["Version"] for each in listed["TrafficPolicies"]]

    def location(self):
        return self.answer["ResponseMetadata"]["HTTPHeaders"]["location"]


@pytest.fixture
def owner(meridian):
    return Owner(meridian)


def test_a_policy_is_made_read_and_commented(owner):
    text = document("TXT", '"a <b> & \\"c\\""')
    made = owner.make("web <1>", text, Comment="first")
    assert UUID.fullmatch(made["Id"])
    assert owner.location().endswith(f"/2013-04-01/trafficpolicy/{made['Id']}/1")
    assert made == {
        "Id": made["Id"],
        "Version": 1,
        "Name": "web <1>",
        "Type": "TXT",
        "Document": text,
        "Comment": "first",
    }
    assert owner.get(made) == made
    update = lambda text: owner.client.update_traffic_policy_comment(
        Id=made["Id"], Version=1, Comment=text
    )["TrafficPolicy"]
    assert update("second") == made | {"Comment": "second"} == owner.get(made)
    assert update("").get("Comment") is None
    assert "Comment" not in owner.get(made)


def test_versions_stand_beside_each_other(owner):
    made = owner.make(Comment="first")
    second = owner.next(made, document("AAAA", "2001:db8::1"))
    assert owner.location().endswith(f"/2013-04-01/trafficpolicy/{made['Id']}/2")
    assert (second["Version"], second["Type"], second["Name"]) == (2, "AAAA", made["Name"])
    assert "Comment" not in second
    assert owner.get(made) == made and owner.get(made, 2) == second
    assert owner.versions(made) == [1, 2]
    assert owner.listed() == [
        {
            "Id": made["Id"],
            "Name": made["Name"],
            "Type": "AAAA",
            "LatestVersion": 2,
            "TrafficPolicyCount": 2,
        }
    ]


def test_what_is_deleted_can_be_read_and_nothing_else(owner):
    made = owner.make("name")
    for _ in range(2):
        owner.next(made)
    delete = lambda version: owner.client.delete_traffic_policy(Id=made["Id"], Version=version)
    delete(3)
    missing = lambda version: (
        "NoSuchTrafficPolicy",
        f"No traffic policy exists with ID: {made['Id']} and version: {version}",
    )
    assert owner.get(made, 3)["Version"] == 3
    assert refusal(lambda: delete(3)) == missing(3)
    comment = lambda: owner.client.update_traffic_policy_comment(
        Id=made["Id"], Version=3, Comment="c"
    )
    assert refusal(comment) == missing(3)
    assert owner.versions(made) == [1, 2]
    assert [each["LatestVersion"] for each in owner.listed()] == [2]
    # Its number stays used.
    assert owner.next(made)["Version"] == 4
    for version in (1, 2, 4):
        delete(version)
    assert owner.listed() == []
    gone = ("NoSuchTrafficPolicy", f"No traffic policy exists with ID: {made['Id']}")
    assert refusal(lambda: owner.versions(made)) == gone
    assert refusal(lambda: owner.next(made)) == gone
    assert owner.get(made) == made
    # Its name does not.
    assert owner.make("name")["Id"] != made["Id"]


def test_documents_of_what_was_deleted_long_ago_are_forgotten(owner):
    made = owner.make()
    for _ in range(102):
        owner.next(made)
    for version in range(1, 102):
        owner.client.delete_traffic_policy(Id=made["Id"], Version=version)
    # A hundred are kept: those that were deleted last.
    missing = f"No traffic policy exists with ID: {made['Id']} and version: 1"
    assert refusal(lambda: owner.get(made, 1)) == ("NoSuchTrafficPolicy", missing)
    assert [owner.get(made, version)["Version"] for version in (2, 101)] == [2, 101]
    owner.client.delete_traffic_policy(Id=made["Id"], Version=103)
    assert refusal(lambda: owner.get(made, 2))[0] == "NoSuchTrafficPolicy"
    assert owner.get(made, 3)["Version"] == 3
    # What is not deleted stays, and no number comes again.
    assert owner.versions(made) == [102] and owner.next(made)["Version"] == 104


def test_names_are_one_policys_in_an_account(owner, meridian):
    owner.make("taken")
    again = lambda: owner.make("taken")
    assert refusal(again) == (
        "TrafficPolicyAlreadyExists",
        "A traffic policy with the name 'taken' already exists.",
    )
    with pytest.raises(ClientError) as error:
        again()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    assert Owner(meridian).make("taken")["Name"] == "taken"


def test_documents_are_refused_with_all_their_faults(owner):
    made = owner.make()
    wrong = routed(
        {
            "r": {
                "RuleType": "weighted",
                "Items": [
                    {"EndpointReference": "no", "Weight": "1"},
                    {"RuleReference": "r", "Weight": 256},
                ],
            }
        },
        three="2001:db8::1",
    )
    expected = (
        "InvalidTrafficPolicyDocument",
        "Endpoints.three.Value: is no value of type A: ARRDATAIllegalIPv4Address "
        "(Value is not a valid IPv4 address) encountered with '2001:db8::1';"
        "Rules.r.Items[0].EndpointReference: there is no endpoint 'no';"
        "Rules.r.Items[1].Weight: '256' is not a whole number from 0 to 255;"
        "Rules.r: it leads back to itself: r → r",
    )
    assert refusal(lambda: owner.make(text=wrong)) == expected
    assert refusal(lambda: owner.next(made, wrong)) == expected
    assert owner.versions(made) == [1] and len(owner.listed()) == 1
    for text in ("", "no JSON", "[]", document(AWSPolicyFormatVersion="2012-10-17")):
        call = lambda: owner.client.create_traffic_policy(Name="x", Document=text)
        assert refusal(call)[0] == "InvalidTrafficPolicyDocument", text


def test_regions_of_the_operators_own_may_be_named(owner, meridian):
    region = f"policies-{reference()[-8:].lower()}"
    text = routed(
        {"r": {"RuleType": "latency", "Regions": [{"EndpointReference": "one", "Region": region}]}}
    )
    assert refusal(lambda: owner.make(text=text)) == (
        "InvalidTrafficPolicyDocument",
        f"Rules.r.Regions[0].Region: there is no region '{region}'",
    )
    meridian.admin("region", "add", region, "--latitude", "50", "--longitude", "8")
    assert owner.make(text=text)["Type"] == "A"
    meridian.admin("region", "remove", region)


def test_limits_on_policies_and_versions(owner, meridian):
    quota = lambda limit: meridian.admin(
        "quota", "set", "--account", owner.key.account, "MAX_TRAFFIC_POLICIES_BY_OWNER", str(limit)
    )
    limit = lambda: owner.client.get_account_limit(Type="MAX_TRAFFIC_POLICIES_BY_OWNER")
    assert (limit()["Limit"]["Value"], limit()["Count"]) == (50, 0)
    quota(1)
    made = owner.make()
    assert (limit()["Limit"]["Value"], limit()["Count"]) == (1, 1)
    assert refusal(owner.make) == (
        "TooManyTrafficPolicies",
        "Limits Exceeded: MAX_TRAFFIC_POLICIES_BY_OWNER - Cannot create more traffic policies.",
    )
    assert owner.next(made)["Version"] == 2
    for version in (1, 2):
        owner.client.delete_traffic_policy(Id=made["Id"], Version=version)
    assert limit()["Count"] == 0 and owner.make()["Version"] == 1


# Each is an entry of its own on the disk.
@pytest.mark.timeout(600)
def test_a_policy_has_a_thousand_versions(owner):
    made = owner.make()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        versions = pool.map(lambda _: owner.next(made)["Version"], range(999))
        assert sorted(versions) == list(range(2, 1001))
    assert refusal(lambda: owner.next(made)) == (
        "TooManyTrafficPolicyVersionsForCurrentPolicy",
        "The traffic policy has had as many versions as there can be, 1000: create a new traffic "
        "policy.",
    )
    # Deleted ones count: numbers are never used again.
    owner.client.delete_traffic_policy(Id=made["Id"], Version=1000)
    code = refusal(lambda: owner.next(made))[0]
    assert code == "TooManyTrafficPolicyVersionsForCurrentPolicy"
    first = owner.client.list_traffic_policy_versions(Id=made["Id"])
    assert len(first["TrafficPolicies"]) == 100 and first["MaxItems"] == "100"
    last = owner.client.list_traffic_policy_versions(
        Id=made["Id"], TrafficPolicyVersionMarker="950"
    )
    assert [each["Version"] for each in last["TrafficPolicies"]] == list(range(950, 1000))
    assert not last["IsTruncated"] and last["TrafficPolicyVersionMarker"] == ""


def test_policies_are_listed_as_they_were_made(owner, meridian):
    made = [owner.make(name)["Id"] for name in "dbeca"]
    page = owner.client.list_traffic_policies(MaxItems="2")
    seen = []
    while True:
        seen += [each["Id"] for each in page["TrafficPolicySummaries"]]
        assert page["MaxItems"] == "2"
        if not page["IsTruncated"]:
            break
        marker = page["TrafficPolicyIdMarker"]
        assert marker == made[len(seen)]
        page = owner.client.list_traffic_policies(MaxItems="2", TrafficPolicyIdMarker=marker)
    assert seen == made and page["TrafficPolicyIdMarker"] == ""
    # One that went in between keeps its place.
    owner.client.delete_traffic_policy(Id=made[2], Version=1)
    rest = owner.client.list_traffic_policies(TrafficPolicyIdMarker=made[2])
    assert [each["Id"] for each in rest["TrafficPolicySummaries"]] == made[3:]
    list_ = lambda marker: lambda: owner.client.list_traffic_policies(TrafficPolicyIdMarker=marker)
    foreign = Owner(meridian).make()["Id"]
    for marker in ("x", NOBODYS, foreign):
        assert refusal(list_(marker)) == ("InvalidInput", f"Invalid marker: {marker}")
    size = lambda: owner.client.list_traffic_policies(MaxItems="0")
    assert refusal(size)[0] == "InvalidInput"


def test_versions_are_listed_in_pages(owner):
    made = owner.make()
    for _ in range(4):
        owner.next(made)
    owner.client.delete_traffic_policy(Id=made["Id"], Version=3)
    list_ = lambda **what: owner.client.list_traffic_policy_versions(Id=made["Id"], **what)
    first = list_(MaxItems="2")
    assert [each["Version"] for each in first["TrafficPolicies"]] == [1, 2]
    assert first["IsTruncated"] and first["TrafficPolicyVersionMarker"] == "4"
    rest = list_(TrafficPolicyVersionMarker="3")
    assert [each["Version"] for each in rest["TrafficPolicies"]] == [4, 5]
    for marker in ("0", "x", "1001"):
        code = refusal(lambda: list_(TrafficPolicyVersionMarker=marker))[0]
        assert code == "InvalidInput"


def test_pages_of_versions_end_by_what_their_documents_come_to(owner):
    text = document().ljust(102_400)
    made = owner.make(text=text)
    for _ in range(11):
        owner.next(made, text)
    first = owner.client.list_traffic_policy_versions(Id=made["Id"])
    assert [each["Version"] for each in first["TrafficPolicies"]] == list(range(1, 12))
    assert first["IsTruncated"] and first["TrafficPolicyVersionMarker"] == "12"
    rest = owner.client.list_traffic_policy_versions(
        Id=made["Id"], TrafficPolicyVersionMarker="12"
    )
    assert [each["Version"] for each in rest["TrafficPolicies"]] == [12]
    assert not rest["IsTruncated"]


def test_other_accounts_policies_are_not_there(owner, meridian):
    made = owner.make()
    other = Owner(meridian).client
    calls = {
        "get": lambda id_: other.get_traffic_policy(Id=id_, Version=1),
        "delete": lambda id_: other.delete_traffic_policy(Id=id_, Version=1),
        "comment": lambda id_: other.update_traffic_policy_comment(
            Id=id_, Version=1, Comment="c"
        ),
        "next": lambda id_: other.create_traffic_policy_version(Id=id_, Document=document()),
        "versions": lambda id_: other.list_traffic_policy_versions(Id=id_),
    }
    for name, call in calls.items():
        said = [refusal(lambda: call(id_)) for id_ in (made["Id"], NOBODYS, "x")]
        assert {code for code, _ in said} == {"NoSuchTrafficPolicy"}, name
        assert said[0][1].replace(made["Id"], NOBODYS) == said[1][1]
    assert other.list_traffic_policies()["TrafficPolicySummaries"] == []
    assert owner.get(made) == made


def test_what_is_no_version_or_too_long_is_no_input(owner, meridian):
    loose = meridian.client(owner.key, parameter_validation=False)
    made = owner.make()
    for version in (0, 1001, "one"):
        for call in (loose.get_traffic_policy, loose.delete_traffic_policy):
            assert refusal(lambda: call(Id=made["Id"], Version=version))[0] == "InvalidInput"
        comment = lambda: loose.update_traffic_policy_comment(
            Id=made["Id"], Version=version, Comment="c"
        )
        assert refusal(comment)[0] == "InvalidInput"
    for rest in (
        {"Name": ""},
        {"Name": "n" * 513},
        {"Comment": "c" * 1025},
        {"Document": document("TXT", '"a"') + " " * 102_400},
    ):
        request = {"Name": "n", "Document": document()} | rest
        assert refusal(lambda: loose.create_traffic_policy(**request))[0] == "InvalidInput"
    rest = {"Name": "n" * 512, "Comment": "c" * 1024}
    longest = document()
    longest += " " * (102_400 - len(longest))
    assert loose.create_traffic_policy(Document=longest, **rest)["TrafficPolicy"]["Version"] == 1


def test_rights_are_asked_of_the_policy(owner, meridian, tmp_path):
    made, other = owner.make(), owner.make()
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": "route53:GetTrafficPolicy",
            "Resource": f"arn:aws:route53:::trafficpolicy/{made['Id']}",
        },
    }
    (tmp_path / "one.json").write_text(json.dumps(policy))
    account = ("--account", owner.key.account)
    meridian.admin("user", "create", "reader", *account)
    meridian.admin(
        "user", "attach", "reader", *account, "--policy-file", tmp_path / "one.json"
    )
    key = meridian.admin("key", "create", *account, "--user", "reader")
    reader = meridian.client(Key(key["access_key_id"], key["secret_access_key"]))
    assert reader.get_traffic_policy(Id=made["Id"], Version=1)["TrafficPolicy"] == made
    for denied in (
        lambda: reader.get_traffic_policy(Id=other["Id"], Version=1),
        lambda: reader.delete_traffic_policy(Id=made["Id"], Version=1),
        lambda: reader.list_traffic_policies(),
    ):
        assert refusal(denied)[0] == "AccessDenied"


def test_an_account_with_policies_is_not_removed(owner, meridian):
    made = owner.make()
    code, told = refused_removal(owner, meridian)
    assert code == 1 and "1 traffic policy" in told
    owner.client.delete_traffic_policy(Id=made["Id"], Version=1)
    assert "traffic polic" not in refused_removal(owner, meridian)[1]


def refused_removal(owner, meridian):
    """What the server says to an account's removal, whose key is there in any case."""
    done = meridian.admin("account", "delete", owner.key.account, check=False, as_json=False)
    return done.returncode, done.stderr


def check(path, *arguments):
    done = subprocess.run(
        [BIN, "policy-document", "check", path, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.returncode, done.stdout, done.stderr


def test_documents_are_checked_without_a_server(tmp_path):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    weighted = lambda *items: {"r": {"RuleType": "weighted", "Items": list(items)}}
    good.write_text(routed(weighted({"EndpointReference": "one", "Weight": 1})))
    code, out, err = check(good)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "warning: Endpoints.two: nothing leads to it",
        f"{good} is a valid traffic policy document: type A, format 2015-10-01, "
        "2 endpoints, 1 rule",
    ]
    code, out, _ = check(good, "--json")
    assert code == 0 and json.loads(out) == {
        "valid": True,
        "file": str(good),
        "format": "2015-10-01",
        "type": "A",
        "endpoints": 2,
        "rules": 1,
        "health_checks": [],
        "faults": [],
        "warnings": ["Endpoints.two: nothing leads to it"],
    }
    bad.write_text(routed(weighted({"EndpointReference": "no"})))
    code, out, err = check(bad)
    assert code == 4
    assert out.splitlines() == [
        "Rules.r.Items[0].EndpointReference: there is no endpoint 'no'",
        "Rules.r.Items[0].Weight: is missing",
        f"{bad} is not a valid traffic policy document: 2 faults",
    ]
    code, out, err = check(bad, "--json")
    answer = json.loads(out)
    assert code == 4 and answer["valid"] is False
    assert answer["faults"][1] == {"path": "Rules.r.Items[0].Weight", "text": "is missing"}
    code, _, err = check(tmp_path / "none.json")
    assert code == 1 and "none.json" in err
