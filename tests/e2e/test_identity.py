"""Accounts, users, keys and policies: by the command line, and as boto3 and aws cli meet them."""

import itertools
import json
import os
import pathlib
import re
import subprocess

import pytest

import model
from harness import (
    BIN,
    REPO,
    Key,
    Zone,
    adopt_successors,
    create,
    delete,
    eventually,
    refusal,
    upsert,
)

_numbers = itertools.count(1)
DENIED = 4


class Tenant:
    """An account of its own, with a zone."""

    def __init__(self, meridian):
        self.meridian, self.name = meridian, f"tenant{next(_numbers)}"
        self.key = meridian.new_account(self.name)
        self.root = meridian.client(self.key)
        self.zone = Zone(self.root, f"{self.name}.example.")

    def user(self, name, *arguments):
        """Makes a user with these policies; returns a client with its key."""
        self.meridian.admin("user", "create", name, "--account", self.name, *arguments)
        return self.meridian.client(self.user_key(name))

    def user_key(self, name):
        key = self.meridian.admin("key", "create", "--account", self.name, "--user", name)
        return Key(key["access_key_id"], key["secret_access_key"])

    def send(self, client, *changes):
        return client.change_resource_record_sets(
            HostedZoneId=self.zone.id, ChangeBatch={"Changes": list(changes)}
        )

    def refused(self, client, *changes):
        return refusal(lambda: self.send(client, *changes))[0]

    def arn(self, user):
        return f"arn:aws:iam::{self.key.account}:user/{user}"


@pytest.fixture
def tenant(meridian):
    return Tenant(meridian)


def failed(meridian, *arguments):
    """What a command says that must fail."""
    done = meridian.admin(*arguments, check=False, as_json=False)
    assert done.returncode == 1, (done.returncode, done.stdout)
    return done.stderr


def policy_file(folder, *statements, name="own.json"):
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    (folder / name).write_text(json.dumps(document))
    return folder / name


# Rights, as clients meet them.


def test_a_refusal_is_aws_own(tenant):
    ann = tenant.user("ann")
    code, text = refusal(lambda: ann.get_hosted_zone(Id=tenant.zone.id))
    assert (code, text) == (
        "AccessDenied",
        f"User: {tenant.arn('ann')} is not authorized to perform: route53:GetHostedZone on resource: "
        f"arn:aws:route53:::hostedzone/{tenant.zone.id} because no identity-based policy allows the "
        "route53:GetHostedZone action",
    )
    code, text = refusal(ann.list_hosted_zones)
    assert text == (
        f"User: {tenant.arn('ann')} is not authorized to perform: route53:ListHostedZones because no "
        "identity-based policy allows the route53:ListHostedZones action"
    )
    with pytest.raises(ann.exceptions.ClientError) as error:
        ann.list_hosted_zones()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_denial_is_said_to_be_one(tenant, tmp_path):
    file = policy_file(
        tmp_path,
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "route53:Delete*", "Resource": "*"},
    )
    ann = tenant.user("ann", "--policy-file", file)
    code, text = refusal(lambda: ann.delete_hosted_zone(Id=tenant.zone.id))
    assert code == "AccessDenied" and text.endswith(
        f"hostedzone/{tenant.zone.id} with an explicit deny in an identity-based policy"
    )


def test_a_zone_editor_edits_its_zones_only(tenant):
    other = Zone(tenant.root, f"other-{tenant.zone.name}")
    ann = tenant.user("ann", "--policy", f"zone-editor={tenant.zone.id}")
    info = tenant.send(ann, create(f"www.{tenant.zone.name}", "A", "192.0.2.1"))["ChangeInfo"]
    assert ann.get_change(Id=info["Id"])["ChangeInfo"]["Id"] == info["Id"]
    assert len(ann.list_resource_record_sets(HostedZoneId=tenant.zone.id)["ResourceRecordSets"]) == 3
    assert len(ann.list_hosted_zones()["HostedZones"]) == 2
    for call in (
        lambda: ann.get_hosted_zone(Id=other.id),
        lambda: ann.delete_hosted_zone(Id=tenant.zone.id),
        lambda: Zone(ann, "new.example."),
    ):
        assert refusal(call)[0] == "AccessDenied"


def test_the_acme_policy_is_for_challenges(tenant):
    acme = tenant.user("acme", "--policy", f"acme={tenant.zone.id}")
    challenge = f"_acme-challenge.www.{tenant.zone.name}"
    tenant.send(acme, upsert(challenge, "TXT", '"token"'))
    tenant.send(acme, upsert(challenge.upper(), "TXT", '"other"'))
    assert acme.list_hosted_zones_by_name(DNSName=tenant.zone.name)["HostedZones"]
    assert acme.list_resource_record_sets(HostedZoneId=tenant.zone.id)["ResourceRecordSets"]
    allowed = create(f"_acme-challenge.a.{tenant.zone.name}", "TXT", '"x"')
    for wrong in (
        create(challenge, "A", "192.0.2.1"),
        create(f"www.{tenant.zone.name}", "TXT", '"x"'),
        create(f"x.{challenge}", "TXT", '"x"'),
        create(f"\\137acme-challenge-x.{tenant.zone.name}", "TXT", '"x"'),
    ):
        assert tenant.refused(acme, wrong) == "AccessDenied"
        assert tenant.refused(acme, allowed, wrong) == "AccessDenied", "one is enough"
    # An escape that need not be one is the character itself.
    tenant.send(acme, create(f"\\137acme-challenge.b.{tenant.zone.name}", "TXT", '"x"'))
    tenant.send(acme, delete(challenge, "TXT", '"other"'))


def test_conditions_name_records_types_and_actions(tenant, tmp_path):
    change = {"Effect": "Allow", "Action": "route53:ChangeResourceRecordSets", "Resource": "*"}
    key = "route53:ChangeResourceRecordSets"
    file = policy_file(
        tmp_path,
        change
        | {
            "Condition": {
                "ForAllValues:StringEquals": {
                    f"{key}NormalizedRecordNames": [
                        f"\\052.{tenant.zone.name.rstrip('.')}",
                        "${aws:username}." + tenant.zone.name.rstrip("."),
                    ],
                    f"{key}Actions": ["CREATE"],
                },
                "ForAnyValue:StringEquals": {f"{key}RecordTypes": "TXT"},
                "IpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1"]},
            }
        },
    )
    ann = tenant.user("ann", "--policy-file", file)
    text = create(f"ANN.{tenant.zone.name}", "TXT", '"x"')
    address = create(f"ann.{tenant.zone.name}", "A", "192.0.2.1")
    assert tenant.refused(ann, address) == "AccessDenied", "no TXT among the types"
    tenant.send(ann, text, address)
    tenant.send(ann, create(f"*.{tenant.zone.name}", "TXT", '"x"'))
    assert tenant.refused(ann, create(f"bob.{tenant.zone.name}", "TXT", '"x"')) == "AccessDenied"
    gone = delete(f"ann.{tenant.zone.name}", "TXT", '"x"')
    assert tenant.refused(ann, gone) == "AccessDenied"
    tenant.send(tenant.root, gone)


def test_conditions_name_networks(tenant, tmp_path):
    file = policy_file(
        tmp_path,
        {
            "Effect": "Allow",
            "Action": "route53:CreateHostedZone",
            "Resource": "*",
            "Condition": {"StringLike": {"route53:VPCs": "VPCId=vpc-1*,VPCRegion=eu-west-1"}},
        },
    )
    ann = tenant.user("ann", "--policy-file", file)

    def code(**vpc):
        name = f"private-{tenant.zone.name}"
        try:
            Zone(ann, name, **({"VPC": vpc} if vpc else {}))
        except ann.exceptions.ClientError as error:
            return error.response["Error"]["Code"]

    assert code() == "AccessDenied"
    assert code(VPCId="vpc-2", VPCRegion="eu-west-1") == "AccessDenied"
    assert code(VPCId="vpc-12", VPCRegion="us-east-1") == "AccessDenied"
    assert code(VPCId="vpc-12", VPCRegion="eu-west-1") != "AccessDenied"


def test_rights_end_at_the_account(meridian, tenant, tmp_path):
    theirs = Tenant(meridian)
    arn = f"arn:aws:route53:::hostedzone/{theirs.zone.id}"
    file = policy_file(tmp_path, {"Effect": "Allow", "Action": "*", "Resource": ["*", arn]})
    ann = tenant.user("ann", "--policy", "admin", "--policy-file", file)
    assert refusal(lambda: ann.get_hosted_zone(Id=theirs.zone.id))[0] == "NoSuchHostedZone"
    assert theirs.zone.id not in str(ann.list_hosted_zones())
    policy = f"zone-editor={theirs.zone.id}"
    text = failed(meridian, "user", "attach", "ann", "--account", tenant.name, "--policy", policy)
    assert f"has no hosted zone {theirs.zone.id}" in text


def test_policies_come_and_go(meridian, tenant):
    ann = tenant.user("ann")
    who = ("ann", "--account", tenant.name)
    assert refusal(ann.list_hosted_zones)[0] == "AccessDenied"
    shown = meridian.admin("user", "attach", *who, "--policy", "read-only")
    assert shown["policies"] == ["read-only"]
    assert ann.list_hosted_zones()["HostedZones"]
    meridian.admin("user", "detach", *who, "--policy", "read-only")
    assert refusal(ann.list_hosted_zones)[0] == "AccessDenied"
    assert "has no policy" in failed(meridian, "user", "detach", *who, "--policy", "read-only")


def test_aws_cli_hears_the_same(meridian, tenant):
    tenant.user("ann")
    key = tenant.user_key("ann")
    done = subprocess.run(
        ["aws", "route53", "get-hosted-zone", "--id", tenant.zone.id],
        env=meridian.aws_environment()
        | {"AWS_ACCESS_KEY_ID": key.id, "AWS_SECRET_ACCESS_KEY": key.secret},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "(AccessDenied) when calling the GetHostedZone operation" in done.stderr
    assert f"User: {tenant.arn('ann')} is not authorized to perform" in done.stderr


# Keys.


def test_closed_keys_are_unknown(meridian, tenant):
    client = tenant.user("ann", "--policy", "read-only")
    key = meridian.admin("user", "show", "ann", "--account", tenant.name)["access_keys"][0]
    meridian.admin("key", "deactivate", key["access_key_id"])
    code, text = refusal(client.list_hosted_zones)
    assert (code, text) == (
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
    )
    meridian.admin("key", "activate", key["access_key_id"])
    assert client.list_hosted_zones()
    meridian.admin("user", "delete", "ann", "--account", tenant.name)
    assert refusal(client.list_hosted_zones) == (code, text)
    nobody = meridian.client(Key("AKIANOBODY", "secret"))
    assert refusal(nobody.list_hosted_zones) == (code, text)
    with pytest.raises(nobody.exceptions.ClientError) as error:
        nobody.list_hosted_zones()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_key_is_rotated(meridian, tenant):
    old_client = tenant.user("ann", "--policy", "read-only")
    old = meridian.admin("key", "list", "--account", tenant.name)
    old = next(key["access_key_id"] for key in old if key["user"] == "ann")
    said = meridian.admin("key", "rotate", old, as_json=False)
    section = dict(line.split(" = ") for line in said.splitlines() if " = " in line)
    new = Key(section["aws_access_key_id"], section["aws_secret_access_key"])
    assert f"meridian key delete {old}" in said
    assert old_client.list_hosted_zones() and meridian.client(new).list_hosted_zones()
    assert "there are 2 access keys already" in failed(meridian, "key", "rotate", old)
    meridian.admin("key", "deactivate", old)
    meridian.admin("key", "delete", old)
    assert refusal(old_client.list_hosted_zones)[0] == "InvalidClientTokenId"
    assert meridian.admin("key", "rotate", new.id)["replaces"] == new.id


def test_the_last_use_of_a_key_is_kept(start):
    server = start()
    key = server.new_account("one")

    def shown():
        keys = server.admin("key", "list", "--account", "one")
        return next(k for k in keys if k["access_key_id"] == key.id)

    assert shown()["last_used_at"] is None
    assert "last_used_at" in server.admin("key", "list", as_json=False)
    head = server.admin("status")["head"]
    server.client(key).list_hosted_zones()
    used = shown()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", used["last_used_at"])
    assert used["last_used_from"] == "127.0.0.1"
    assert server.admin("status")["head"] == head, "a use writes no entry"
    # A signature that is wrong is no use.
    wrong = server.new_key("one")
    client = server.client(Key(wrong.id, "x" * 40))
    assert refusal(client.list_hosted_zones)[0] == "SignatureDoesNotMatch"
    assert sum(k["last_used_at"] is not None for k in server.admin("key", "list")) == 1
    assert server.stop() == 0
    assert (server.data / "last-used.json").stat().st_mode & 0o777 == 0o600
    server.start()
    assert shown() == used
    adopt_successors()
    server.replace()
    assert shown() == used
    # What cannot be read is nothing to fail for.
    server.stop()
    (server.data / "last-used.json").write_text("{")
    server.start()
    assert shown()["last_used_at"] is None


def test_the_operator_gets_back_in_without_a_key(start):
    server = start()
    key = server.operator()
    server.admin("key", "delete", key.id)
    assert refusal(server.client(key).list_hosted_zones)[0] == "InvalidClientTokenId"
    assert server.client(server.new_key("operator")).list_hosted_zones()


# Accounts and users.


def test_an_account_is_shown_renamed_and_deleted(meridian, tenant):
    tenant.user("ann")
    shown = meridian.admin("account", "show", tenant.name)
    assert shown["id"] == tenant.key.account and not shown["operator"]
    counts = {k: shown[k] for k in ("hosted_zones", "users", "access_keys")}
    assert counts == {"hosted_zones": 1, "users": 1, "access_keys": 2}
    text = failed(meridian, "account", "delete", tenant.name)
    assert "is not empty: it has 1 hosted zone, 1 user, 2 access keys" in text
    meridian.admin("account", "rename", tenant.name, f"{tenant.name}-new")
    assert tenant.root.list_hosted_zones()["HostedZones"]
    assert "there is no account" in failed(meridian, "account", "show", tenant.name)
    tenant.root.delete_hosted_zone(Id=tenant.zone.id)
    meridian.admin("user", "delete", "ann", "--account", f"{tenant.name}-new")
    meridian.admin("key", "delete", tenant.key.id)
    assert meridian.admin("account", "delete", tenant.key.account)["name"] == f"{tenant.name}-new"
    assert tenant.key.account not in str(meridian.admin("account", "list"))
    assert "is the operator's and stays" in failed(meridian, "account", "delete", "operator")
    assert meridian.admin("journal", "verify")["valid"]


def test_a_deleted_users_secrets_are_gone(meridian, tenant):
    tenant.user("ann")
    gone = meridian.admin("user", "delete", "ann", "--account", tenant.name)
    assert len(gone["deleted_access_keys"]) == 1
    assert "has no user 'ann'" in failed(meridian, "user", "show", "ann", "--account", tenant.name)
    # Somebody else of the same name starts with nothing.
    ann = tenant.user("ann")
    assert refusal(ann.list_hosted_zones)[0] == "AccessDenied"


# Policies by the command line.


def test_what_is_not_understood_is_refused_with_its_place(meridian, tenant, tmp_path):
    file = policy_file(
        tmp_path,
        {
            "Effect": "Allow",
            "Action": "*",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        },
    )
    place = "Statement[0].Condition.StringEquals.aws:PrincipalOrgID"
    done = run("check", file)
    assert done.returncode == 1 and place in done.stderr
    create_user = ("user", "create", "ann", "--account", tenant.name, "--policy-file", file)
    assert place in failed(meridian, *create_user)
    assert meridian.admin("user", "list", "--account", tenant.name) == []


def run(*arguments, **options):
    return subprocess.run(
        [str(BIN), "policy", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


def test_ready_made_policies_are_listed_shown_and_valid(tmp_path):
    listed = json.loads(run("list", "--json").stdout)
    names = [each["policy"].split("=")[0] for each in listed]
    assert names == ["admin", "read-only", "zone-editor", "acme"]
    for each in listed:
        text = each["policy"].replace("ZONEID[,ZONEID…]", "Z1,Z2")
        shown = run("show", text)
        assert shown.returncode == 0, shown.stderr
        (tmp_path / "policy.json").write_text(shown.stdout)
        assert run("check", tmp_path / "policy.json").returncode == 0
    assert "is for zones that are named" in run("show", "acme").stderr
    assert "there is no ready-made policy" in run("show", "root").stderr


def test_statements_that_do_nothing_are_pointed_out(tmp_path):
    known = sorted(model.documented())
    assert len(known) == 74

    def warnings(actions):
        deny = {"Effect": "Deny", "Resource": "*"}
        statements = [deny | {"Action": f"route53:{action}"} for action in actions]
        done = run("check", policy_file(tmp_path, *statements), "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["warnings"]

    for start in range(0, len(known), 25):
        assert warnings(known[start : start + 25]) == []
    said = warnings(["Get*", "GetHostedZones", "gethostedzone", "Gets*"])
    assert [text.split(" does nothing here")[0] for text in said] == ["statement 1", "statement 3"]


def test_a_policy_is_asked_without_a_server(tmp_path):
    own = {"Sid": "Own", "Effect": "Allow", "Action": "route53:Get*"}
    own["Resource"] = "arn:aws:route53:::hostedzone/${aws:username}"
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    deny["Condition"] = {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    file = policy_file(tmp_path, own, deny)
    zone = "arn:aws:route53:::hostedzone/Z1"
    question = ("--policy-file", file, "--action", "route53:GetHostedZone", "--resource", zone)
    inside = ("--context", "aws:SourceIp=192.0.2.1")
    done = run("test", *question, *inside, "--user", "Z1", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "action": "route53:GetHostedZone",
        "resource": zone,
        "decision": "allowed",
        "allowed": True,
        "matched_statements": [
            {"policy": "own", "statement": 0, "sid": "Own", "effect": "Allow"}
        ],
        "missing_context": [],
        "odd": None,
    }
    for more, decision in (
        ((*inside, "--user", "Z2"), "implicitDeny"),
        (("--user", "Z1"), "explicitDeny"),
        (("--user", "Z1", "--context", "aws:SourceIp=198.51.100.1"), "explicitDeny"),
    ):
        done = run("test", *question, *more)
        assert done.returncode == DENIED and done.stdout.startswith(decision), done
    said = run("test", *question, "--user", "Z1").stdout
    assert "Allow by own, statement 0 'Own'" in said and "Deny by own, statement 1\n" in said
    assert "not given, and asked for: aws:SourceIp" in said
    said = run("test", "--policy", "read-only", "--action", "route53:GetHostedZone").stdout
    assert "note: route53:GetHostedZone asks for the ARN of a hostedzone" in said
    for wrong in (
        ("--context", "aws:SourceIp"),
        ("--context", "aws:SourceIp=nowhere"),
        ("--context", "aws:unknown=x"),
        ("--policy", "nothing"),
    ):
        done = run("test", *question, *wrong)
        assert done.returncode == 1 and done.stderr, wrong
    assert run("test", "--action", "*").returncode == 1
    assert run("test").returncode == 2


def test_the_simulator_says_what_the_server_does(meridian, tenant):
    acme = tenant.user("acme", "--policy", f"acme={tenant.zone.id}")
    who = ("--account", tenant.name, "--user", "acme")
    shown = ("policy", "show", f"acme={tenant.zone.id}", *who)
    assert "Challenge" in meridian.admin(*shown, as_json=False)
    names = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
    for name, rtype, action in (
        ("_acme-challenge.a", "TXT", "CREATE"),
        ("www", "TXT", "CREATE"),
        ("_acme-challenge.b", "A", "CREATE"),
        ("_acme-challenge.c", "TXT", "UPSERT"),
    ):
        value = '"x"' if rtype == "TXT" else "192.0.2.1"
        set_ = create(f"{name}.{tenant.zone.name}", rtype, value)
        try:
            tenant.send(acme, set_ | {"Action": action})
            happened = 0
        except acme.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDenied"
            happened = DENIED
        context = {
            names: f"{name}.{tenant.zone.name.rstrip('.')}",
            "route53:ChangeResourceRecordSetsRecordTypes": rtype,
            "route53:ChangeResourceRecordSetsActions": action,
        }
        said = meridian.admin(
            "policy",
            "test",
            *who,
            *("--action", "route53:ChangeResourceRecordSets"),
            *("--resource", f"arn:aws:route53:::hostedzone/{tenant.zone.id}"),
            *(word for pair in context.items() for word in ("--context", "=".join(pair))),
            check=False,
        )
        assert said.returncode == happened, said
        assert json.loads(said.stdout)["allowed"] == (happened == 0)
    assert "has no user" in failed(
        meridian, "policy", "test", "--account", tenant.name, "--user", "x", "--action", "*"
    )


def test_the_examples_of_the_manual_work(start, tmp_path):
    """Every block of commands in docs/IDENTITY.md, one after the other in one shell."""
    text = (REPO / "docs/IDENTITY.md").read_text()
    commands = re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M)
    for name, document in re.findall(r"^`([a-z-]+\.json)`:\n\n```json\n(.*?)^```", text, re.S | re.M):
        (tmp_path / name).write_text(document)
    server = start()
    (tmp_path / "meridian.toml").write_text(f'data_dir = "{server.data}"\n')
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "meridian").symlink_to(pathlib.Path(BIN).resolve())
    environment = server.aws_environment()
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input="\n".join([*commands, "echo all of them"]),
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all of them\n") and "(AccessDenied)" in done.stderr
    name = "_acme-challenge.www.example.com."
    assert eventually(lambda: server.values(name, "TXT") == {'"token"'}), done.stdout
