"""What no SDK sends: broken, deep, large and forged requests get a clear refusal, soon."""

import datetime
import hashlib
import hmac
import http.client
import re
import socket
import time

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from harness import Zone, upsert

NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
CREATE, BATCH = "CreateHostedZoneRequest", "ChangeResourceRecordSetsRequest"
# However bad it is, it is told within this time. A debug build is slow, and a disk may be.
SOON = 9.0


def sign(meridian, method, path, body=b"", headers=(), region="us-east-1"):
    key = meridian.operator()
    request = botocore.awsrequest.AWSRequest(
        method, meridian.endpoint + path, data=body, headers=dict(headers)
    )
    credentials = botocore.credentials.Credentials(key.id, key.secret)
    botocore.auth.SigV4Auth(credentials, "route53", region).add_auth(request)
    return dict(request.headers)


def send(meridian, method, path, body=b"", headers=(), change=lambda headers: None):
    """Sends a signed request; `change` is what happens to its headers afterwards."""
    signed = sign(meridian, method, path, body, headers)
    change(signed)
    started = time.monotonic()
    status, text = fetch(meridian, method, path, body or None, signed)
    assert time.monotonic() - started < SOON, text[:200]
    # Strangers are told what is wrong twenty times a second.
    while "<Code>Throttling</Code>" in text:
        time.sleep(0.1)
        status, text = fetch(meridian, method, path, body or None, signed)
    return status, text


def fetch(meridian, method, path, body=None, headers=()):
    connection = http.client.HTTPConnection(meridian.api, timeout=10)
    connection.request(method, path, body=body, headers=dict(headers))
    response = connection.getresponse()
    return response.status, response.read().decode()


def told(answer):
    """Status, code and text of a refusal, whose envelope is whole."""
    status, text = answer
    assert re.search(f'<ErrorResponse xmlns="{NAMESPACE}">', text), text[:300]
    assert "<RequestId>" in text
    message = re.search("<Message>(.*?)</Message>", text, re.DOTALL)[1]
    return status, re.search("<Code>(.*?)</Code>", text)[1], message.replace("&quot;", '"')


def document(root, inner, namespace=NAMESPACE):
    return f'<{root} xmlns="{namespace}">{inner}</{root}>'.encode()


def batch(set_, action="UPSERT"):
    return document(
        BATCH,
        f"<ChangeBatch><Changes><Change><Action>{action}</Action><ResourceRecordSet>{set_}"
        f"</ResourceRecordSet></Change></Changes></ChangeBatch>",
    )


def a_record(ttl="60", value="192.0.2.1", more=""):
    return (
        f"<Name>www.hostile.example</Name><Type>A</Type><TTL>{ttl}</TTL><ResourceRecords>"
        f"<ResourceRecord><Value>{value}</Value></ResourceRecord></ResourceRecords>{more}"
    )


def is_expected(*names):
    return "One of '{" + ", ".join(f'"{NAMESPACE}":{name}' for name in names) + "}' is expected."


@pytest.fixture(scope="module")
def zone(meridian):
    return Zone(meridian.client(), "hostile.example")


ATTRIBUTES = " ".join(f'a{n}=""' for n in range(50_000))

MALFORMED = {
    "nothing": b"",
    "no xml": b"{}",
    "wrong root": document("CreateHostedZoneRequest", "<Name>a</Name>"),
    "unfinished": batch(a_record())[:-5],
    "two roots": batch(a_record()) * 2,
    "text behind": batch(a_record()) + b"x",
    "wrong namespace": document(BATCH, "<ChangeBatch/>", "https://example.com/"),
    "unbound prefix": f"<r:{BATCH}><ChangeBatch/></r:{BATCH}>".encode(),
    "deep": b"<a>" * 200_000,
    "deep and closed": document(BATCH, "<a>" * 1000 + "</a>" * 1000),
    "many elements": document(BATCH, "<a/>" * 200_000),
    "many attributes": f"<{BATCH} {ATTRIBUTES}/>".encode(),
    "attribute twice": f'<{BATCH} a="1" a="2"/>'.encode(),
    "dtd": f'<!DOCTYPE {BATCH} SYSTEM "file:///etc/passwd"><{BATCH}/>'.encode(),
    "entities": (
        f'<!DOCTYPE a [<!ENTITY a "{"a" * 1000}"><!ENTITY b "{"&a;" * 1000}">]><{BATCH}>&b;</{BATCH}>'
    ).encode(),
    "unknown entity": document(BATCH, "<ChangeBatch>&x;</ChangeBatch>"),
    "forbidden character": batch(a_record(value="192.0.2.1\x01")),
    "forbidden reference": batch(a_record(value="&#1;")),
    "zero": batch(a_record(value="&#0;")),
    "not utf-8": batch(a_record()).replace(b"www", b"\xff\xfe"),
    "utf-16": batch(a_record()).decode().encode("utf-16"),
    "latin-1": b'<?xml version="1.0" encoding="ISO-8859-1"?>' + batch(a_record()),
    "endless comment": document(BATCH, "<!--" + "x" * 500_000),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_no_request_is_malformed_input(meridian, zone, case):
    path = f"/2013-04-01/hostedzone/{zone.id}/rrset/"
    status, code, text = told(send(meridian, "POST", path, MALFORMED[case]))
    assert (status, code) == (400, "MalformedInput"), text
    if case in ("nothing", "wrong root"):
        assert text == f"ChangeBatch is not valid, expected {BATCH}"
    # Nothing that was sent comes back in length.
    assert len(text) < 1000 and "root:" not in text


SCHEMA = {
    "element twice": (
        a_record(more="<TTL>60</TTL>"),
        "cvc-complex-type.2.4.a: Invalid content was found starting with element 'TTL'.",
    ),
    "unknown element": (a_record(more="<Wieght>1</Wieght>"), "starting with element 'Wieght'."),
    "mixed content": (a_record() + "text", "cvc-complex-type.2.3: Element 'ResourceRecordSet'"),
    "foreign namespace": (a_record(more='<Weight xmlns="urn:x">1</Weight>'), "cvc-elt.1"),
    "element in a value": (a_record(value="<b>x</b>"), "cvc-type.3.1.2: Element 'Value'"),
    "no type": ("<Name>a</Name>", "is not complete. " + is_expected("Type")),
    "unknown type": ("<Name>a</Name><Type>X</Type>", "cvc-enumeration-valid: Value 'X' is not"),
    "TTL too large": (a_record("2147483648"), "cvc-maxInclusive-valid: Value '2147483648'"),
    "TTL below zero": (a_record("-1"), "cvc-minInclusive-valid: Value '-1'"),
    "TTL beyond all": (a_record("9" * 500), "is not a valid value for 'integer'"),
    "TTL no number": (a_record("0x10"), "'0x10' is not a valid value for 'integer'"),
    "weight too large": (
        a_record(more="<SetIdentifier>a</SetIdentifier><Weight>256</Weight>"),
        "cvc-maxInclusive-valid: Value '256'",
    ),
    "identifier too long": (
        a_record(more=f"<SetIdentifier>{'x' * 129}</SetIdentifier>"),
        "with length = '129' is not facet-valid with respect to maxLength '128'",
    ),
}


@pytest.mark.parametrize("case", SCHEMA)
def test_what_breaks_the_schema_is_told_as_xerces_does(meridian, zone, case):
    set_, words = SCHEMA[case]
    path = f"/2013-04-01/hostedzone/{zone.id}/rrset/"
    status, code, text = told(send(meridian, "POST", path, batch(set_)))
    assert (status, code) == (400, "InvalidInput"), text
    assert text.startswith("Invalid XML ; cvc-") and words in text, text
    assert len(text) < 2500


def test_bad_actions_are_told_word_by_word(meridian, zone):
    path = f"/2013-04-01/hostedzone/{zone.id}/rrset/"
    _, _, text = told(send(meridian, "POST", path, batch(a_record(), "REPLACE")))
    assert text == (
        "Invalid XML ; cvc-enumeration-valid: Value 'REPLACE' is not facet-valid with respect to "
        "enumeration '[CREATE, DELETE, UPSERT]'. It must be a value from the enumeration."
    )
    body = document(BATCH, "<ChangeBatch><Changes/></ChangeBatch>")
    _, code, text = told(send(meridian, "POST", path, body))
    assert code == "InvalidInput" and text.endswith(is_expected("Change"))


@pytest.mark.parametrize(
    "body",
    [
        batch(a_record()).replace(f' xmlns="{NAMESPACE}"'.encode(), b""),
        b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?>\r\n" + batch(a_record()) + b"\n\n",
        batch(a_record(value="<![CDATA[192.0.2.1]]>")),
        batch(a_record(value="192&#46;0.2.&#x31;")),
        b"<?pi any thing?><!-- > --> " + batch(a_record("\n60\n", more="<?pi?><!-- x -->")),
        batch(a_record()).replace(b"<", b"<r:").replace(b"<r:/", b"</r:").replace(b"xmlns", b"xmlns:r"),
        batch(a_record(more="<SetIdentifier/><Weight> </Weight><HealthCheckId></HealthCheckId>")),
    ],
    ids=["no namespace", "BOM", "CDATA", "references", "instructions", "prefix", "blank"],
)
def test_what_is_unusual_and_right_is_taken(meridian, zone, body):
    path = f"/2013-04-01/hostedzone/{zone.id}/rrset/"
    status, text = send(meridian, "POST", path, body)
    assert status == 200, text
    assert zone.sets(own=True)[0]["ResourceRecords"] == [{"Value": "192.0.2.1"}]


def test_thousands_of_changes_are_counted_not_choked_on(meridian, zone):
    one = (
        "<Change><Action>UPSERT</Action><ResourceRecordSet><Name>n{}.hostile.example</Name>"
        "<Type>A</Type><TTL>1</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value>"
        "</ResourceRecord></ResourceRecords></ResourceRecordSet></Change>"
    )
    changes = "".join(one.format(n) for n in range(4000))
    path = f"/2013-04-01/hostedzone/{zone.id}/rrset/"
    body = document(BATCH, f"<ChangeBatch><Changes>{changes}</Changes></ChangeBatch>")
    status, code, text = told(send(meridian, "POST", path, body))
    assert (status, code) == (400, "InvalidChangeBatch")
    assert "Number of records limit of 1000 exceeded." in text


@pytest.mark.parametrize("chunked", [False, True])
def test_more_than_eight_mebibytes_are_too_much(meridian, chunked):
    with socket.create_connection(meridian.api.split(":"), timeout=10) as connection:
        length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 8388609"
        head = f"POST /2013-04-01/hostedzone HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n"
        connection.sendall(head.encode())
        answer = b""
        try:
            # It may answer before it has seen all of it.
            for _ in range(129):
                part = b"x" * 65536
                connection.sendall(b"10000\r\n" + part + b"\r\n" if chunked else part)
        except OSError:
            pass
        try:
            answer = connection.recv(4096)
        except ConnectionResetError:
            pass
    assert answer.startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 400 ")), answer[:200]
    assert b"RequestEntityTooLarge" in answer or b"Throttling" in answer


def test_floods_of_headers_are_refused(meridian):
    for lines in (
        [f"x-{n}: y" for n in range(5000)],
        ["x: " + "y" * 200_000],
        ["x" * 100_000 + ": y"],
    ):
        with socket.create_connection(meridian.api.split(":"), timeout=10) as connection:
            head = "\r\n".join(["GET /2013-04-01/hostedzone HTTP/1.1", "Host: x", *lines, "", ""])
            try:
                connection.sendall(head.encode())
                answer = connection.recv(4096)
            except OSError:
                continue
            assert answer == b"" or re.match(rb"HTTP/1\.1 4\d\d ", answer), answer[:100]
    assert "HostedZones" in meridian.client().list_hosted_zones()


# Signatures.

LIST = "/2013-04-01/hostedzone"


def test_regions_are_free_and_scopes_are_not(meridian):
    assert send(meridian, "GET", LIST)[0] == 200

    def other(old, new):
        def change(headers):
            headers["Authorization"] = headers["Authorization"].replace(old, new)

        return change

    for old, new, words in [
        ("/route53/", "/s3/", "scoped to correct service: 'route53'"),
        ("aws4_request", "aws5_request", "valid terminator"),
        ("/us-east-1/", "/us-east-1/x/", "exactly 5 slash-delimited elements"),
        ("SignedHeaders=host;", "SignedHeaders=", "'Host' must be a 'SignedHeader'"),
        ("SignedHeaders=host;x-amz-date", "SignedHeaders=x-amz-date;host", "sorted"),
        ("Signature=", "Signatur=", "requires 'Signature' parameter"),
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", "Unsupported AWS 'algorithm'"),
    ]:
        status, code, text = told(send(meridian, "GET", LIST, change=other(old, new)))
        assert words in text.replace("&apos;", "'"), (new, text)
        assert (status, code) in ((403, "SignatureDoesNotMatch"), (400, "IncompleteSignature"))


def test_headers_that_matter_have_to_be_signed(meridian):
    """What is added on the way must not change what a request means."""
    for name, value in [("x-amz-security-token", "x"), ("x-amz-target", "x"), ("x-amz-foo", "x")]:
        answer = send(meridian, "GET", LIST, change=lambda h, n=name, v=value: h.update({n: v}))
        status, code, text = told(answer)
        assert status == 403 and code in ("SignatureDoesNotMatch", "InvalidClientTokenId"), text
    # One that means nothing may be added, as proxies do.
    status, _ = send(meridian, "GET", LIST, change=lambda h: h.update({"x-forwarded-for": "1.1.1.1"}))
    assert status == 200


def test_session_tokens_are_refused(meridian):
    """There are no temporary credentials: a token is wrong, signed or not."""
    answer = send(meridian, "GET", LIST, headers={"x-amz-security-token": "token"})
    assert told(answer)[:2] == (403, "InvalidClientTokenId")


def test_bodies_have_to_be_signed_as_they_are(meridian, zone):
    path = f"/2013-04-01/hostedzone/{zone.id}/rrset/"
    body = batch(a_record())
    # Signed with the hash of what is sent, whatever the header says about it.
    for declared in ("UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"):
        answer = send(meridian, "POST", path, body, {"x-amz-content-sha256": declared})
        assert told(answer)[:2] == (403, "SignatureDoesNotMatch"), declared
    right = {"x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
    assert send(meridian, "POST", path, body, right)[0] == 200
    signed = sign(meridian, "POST", path, body)
    _, text = fetch(meridian, "POST", path, body.replace(b"192.0.2.1", b"192.0.2.9"), signed)
    assert "SignatureDoesNotMatch" in text or "Throttling" in text


def test_a_chunked_body_is_one_body(meridian, zone):
    path, body = f"/2013-04-01/hostedzone/{zone.id}/rrset/", batch(a_record())
    signed = sign(meridian, "POST", path, body)
    connection = http.client.HTTPConnection(meridian.api, timeout=10)
    connection.request("POST", path, iter([body[:100], body[100:]]), signed, encode_chunked=True)
    assert connection.getresponse().status == 200


def presigned(meridian, expires, age_s=0, changed=""):
    """A presigned list of zones, made by hand: botocore does not sign nonsense."""
    key = meridian.operator()
    now = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=age_s)
    date = now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{date[:8]}/us-east-1/route53/aws4_request"
    query = "&".join([
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        f"X-Amz-Credential={key.id}%2F{scope.replace('/', '%2F')}",
        f"X-Amz-Date={date}",
        f"X-Amz-Expires={expires}",
        "X-Amz-SignedHeaders=host",
    ])
    empty = hashlib.sha256(b"").hexdigest()
    canonical = f"GET\n{LIST}\n{query}\nhost:{meridian.api}\n\nhost\n{empty}"
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    secret = f"AWS4{key.secret}".encode()
    for part in scope.split("/"):
        secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
    path = f"{LIST}?{query}&X-Amz-Signature={signature}{changed}"
    answer = fetch(meridian, "GET", path)
    while "<Code>Throttling</Code>" in answer[1]:
        time.sleep(0.1)
        answer = fetch(meridian, "GET", path)
    return answer


def test_presigned_requests_last_as_long_as_they_say(meridian):
    assert presigned(meridian, 60)[0] == 200
    assert presigned(meridian, 604_800, age_s=600_000)[0] == 200
    status, code, text = told(presigned(meridian, 60, age_s=120))
    assert (status, code) == (403, "SignatureDoesNotMatch") and "expired" in text
    for expires in ("0", "604801", "-1", "1e3", ""):
        assert told(presigned(meridian, expires))[:2] == (400, "IncompleteSignature"), expires
    assert told(presigned(meridian, 60, age_s=-1200))[1] == "SignatureDoesNotMatch"
    assert told(presigned(meridian, 60, changed="&maxitems=1"))[1] == "SignatureDoesNotMatch"
    assert told(presigned(meridian, 60, changed="&X-Amz-Date=x"))[1] == "IncompleteSignature"


def test_after_all_that_it_works(meridian, zone):
    zone.change(upsert("after.hostile.example", "A", "192.0.2.7"))
    assert meridian.values("after.hostile.example") == {"192.0.2.7"}
    assert meridian.health("readyz/changes") == 200
