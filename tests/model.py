"""The SDKs' own model of the API as a judge: what a response must look like, and what a request may.

botocore reads answers leniently: an element it does not know, a missing one or a wrong order passes
unnoticed until another SDK, or a script, falls over it. Here nothing passes.
"""

import datetime
import json
import os
import pathlib
import re
import uuid
import xml.etree.ElementTree as ElementTree

NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

# What every operation may answer beside the errors it declares, with the status that goes with it.
COMMON_ERRORS = {
    "AccessDenied": 403,
    "ExpiredToken": 403,
    "InternalFailure": 500,
    "InvalidClientTokenId": 403,
    "InvalidSignatureException": 403,
    "MalformedInput": 400,
    "MissingAuthenticationToken": 403,
    "NotImplemented": 501,
    "RequestEntityTooLarge": 413,
    "RequestTimeout": 408,
    "ServiceUnavailable": 503,
    "SignatureDoesNotMatch": 403,
    "Throttling": 400,
}


API_DOCUMENT = pathlib.Path(__file__).resolve().parent.parent / "docs/API.md"


def documented():
    """What docs/API.md says of each operation: name → whether it is there."""
    rows = re.findall(
        r"^\| ([A-Z]\w+) \| (yes|not yet)\b.*\|$", API_DOCUMENT.read_text(), re.MULTILINE
    )
    return {name: state == "yes" for name, state in rows}


class Violation(AssertionError):
    """A response is not what the model says."""


def check(condition, text):
    if not condition:
        raise Violation(text)


def check_response(operation, response):
    """Checks a raw response of this operation (botocore's OperationModel); returns its error code."""
    status, headers, body = response["status_code"], response["headers"], response["body"]
    where = f"{operation.name} {status} {body!r}"
    request_id = headers.get("x-amzn-requestid")
    check(request_id and uuid.UUID(request_id), f"no request id: {where}")
    check(headers.get("content-length") == str(len(body)), f"Content-Length: {where}")
    if status >= 300:
        return check_error(operation, status, body, request_id, where)
    shape = operation.output_shape
    check(status == operation.http.get("responseCode", 200), f"status: {where}")
    for name, member in shape.members.items():
        if member.serialization.get("location") == "header":
            header = headers.get(member.serialization["name"])
            check(header or name not in shape.required_members, f"no header {name}: {where}")
    check(headers.get("content-type") == "text/xml", f"Content-Type: {where}")
    root = parse(body, where)
    check(root.tag == f"{{{NAMESPACE}}}{shape.name}", f"root {root.tag}: {where}")
    check_structure(root, shape, where)
    return None


def check_error(operation, status, body, request_id, where):
    root = parse(body, where)
    check(root.tag == f"{{{NAMESPACE}}}ErrorResponse", f"root {root.tag}: {where}")
    check([bare(child) for child in root] == ["Error", "RequestId"], f"envelope: {where}")
    error, echoed = root
    check(echoed.text == request_id, f"the two request ids differ: {where}")
    tags = [bare(child) for child in error]
    check(tags[:3] == ["Type", "Code", "Message"], f"envelope: {where}")
    kind, code, message = (child.text for child in error[:3])
    check(kind == ("Sender" if status < 500 else "Receiver"), f"Type: {where}")
    check(message, f"no message: {where}")
    declared = {shape.name: shape for shape in operation.error_shapes}
    if code not in declared:
        check(code in COMMON_ERRORS, f"{code} is not declared: {where}")
        check(status == COMMON_ERRORS[code], f"status: {where}")
        check(tags == ["Type", "Code", "Message"], f"envelope: {where}")
        return code
    shape = declared[code]
    expected = shape.metadata.get("error", {}).get("httpStatusCode", 400)
    check(status == expected, f"{code} has status {expected}: {where}")
    members = {key: member for key, member in shape.members.items() if key.lower() != "message"}
    for child in error[3:]:
        check(bare(child) in members, f"{code} has no {bare(child)}: {where}")
        check_value(child, members[bare(child)], where)
    return code


def parse(body, where):
    try:
        return ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise Violation(f"not XML ({error}): {where}") from None


def bare(element):
    check(element.tag.startswith(f"{{{NAMESPACE}}}"), f"namespace of {element.tag}")
    return element.tag.removeprefix(f"{{{NAMESPACE}}}")


def check_structure(element, shape, where):
    members = {
        member.serialization.get("name", name): (name, member)
        for name, member in shape.members.items()
        if member.serialization.get("location") is None
        and not member.serialization.get("xmlAttribute")
    }
    check(not (element.text or "").strip(), f"text in <{shape.name}>: {where}")
    order = list(members)
    present = []
    for child in element:
        tag = bare(child)
        check(tag in members, f"<{shape.name}> has no <{tag}>: {where}")
        present.append(tag)
        # The model requires this marker where there is no further page, too, and one character of it.
        empty = (shape.name, tag) == ("ListTrafficPoliciesResponse", "TrafficPolicyIdMarker") and (
            not child.text and element.findtext(f"{{{NAMESPACE}}}IsTruncated") == "false"
        )
        if not empty:
            check_value(child, members[tag][1], where)
    check(len(set(present)) == len(present), f"repeated in <{shape.name}>: {present}: {where}")
    check(present == sorted(present, key=order.index), f"order in <{shape.name}>: {where}")
    for tag, (name, _) in members.items():
        required = name in shape.required_members
        # The model requires what Route 53 leaves out of its answer about a private zone.
        private = (shape.name, tag) == ("CreateHostedZoneResponse", "DelegationSet") and (
            "VPC" in present
        )
        lacks = f"<{shape.name}> lacks <{tag}>: {where}"
        check(not required or tag in present or private, lacks)


# What operators may have answered beyond the model: intervals of 1 to 5 seconds, and regions of
# their own, which tests call so.
BEYOND = {"RequestInterval": set("12345"), "ResourceRecordSetRegion": {"home-1"}}


def check_value(element, shape, where):
    if shape.type_name == "structure":
        check_structure(element, shape, where)
        return
    if shape.type_name == "list":
        wanted = shape.member.serialization.get("name", "member")
        for child in element:
            check(bare(child) == wanted, f"<{bare(child)}> in <{shape.name}>: {where}")
            check_value(child, shape.member, where)
        return
    check(len(element) == 0, f"elements in {shape.name}: {where}")
    if (element.text or "") in BEYOND.get(shape.name, ()):
        return
    problem = scalar_problem(shape, element.text or "")
    check(problem is None, f"{bare(element)}: {problem}: {where}")


def scalar_problem(shape, text):
    """Why a text is no value of this shape; None if it is."""
    kind, limits = shape.type_name, shape.metadata
    if kind in ("integer", "long"):
        if not re.fullmatch("-?[0-9]+", text):
            return f"{text!r} is no number"
        return None if in_range(limits, int(text)) else f"{text} is out of range"
    if kind == "boolean":
        return None if text in ("true", "false") else f"{text!r} is no boolean"
    if kind == "timestamp":
        if not TIMESTAMP.fullmatch(text):
            return f"{text!r} is no timestamp"
        datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
        return None
    if not in_range(limits, len(text)):
        return f"{text!r} has the wrong length"
    if "enum" in limits and text not in limits["enum"]:
        return f"{text!r} is not one of {limits['enum']}"
    if "pattern" in limits and not matches(limits["pattern"], text):
        return f"{text!r} does not match {limits['pattern']}"
    return None


def matches(pattern, text):
    """Whether a pattern of the model, which is Java's, matches the whole text."""
    return re.fullmatch(pattern.replace(r"\p{ASCII}", r"[\x00-\x7f]"), text) is not None


def in_range(limits, number):
    return limits.get("min", number) <= number <= limits.get("max", number)


class Record:
    """What the whole run has seen: files whose tests ran, operations that were answered, their errors.

    Where several processes run the tests, each keeps its own, and may add what others have kept.
    """

    def __init__(self):
        self.files, self.answered, self.errors = set(), set(), {}

    def keep(self, folder):
        kept = {
            "files": sorted(self.files),
            "answered": sorted(self.answered),
            "errors": {operation: sorted(codes) for operation, codes in self.errors.items()},
        }
        (pathlib.Path(folder) / f"{os.getpid()}.json").write_text(json.dumps(kept))

    def add_kept(self, folder):
        for path in pathlib.Path(folder).glob("*.json"):
            kept = json.loads(path.read_text())
            self.files.update(kept["files"])
            self.answered.update(kept["answered"])
            for operation, codes in kept["errors"].items():
                self.errors.setdefault(operation, set()).update(codes)

    def attach(self, client):
        """Checks every response that this boto3 client gets from now on."""
        client.meta.events.register("before-parse.route-53", self.see)
        client.meta.events.register("before-parse.route53", self.see)

    def see(self, operation_model, response_dict, **_):
        code = check_response(operation_model, response_dict)
        if code is None:
            self.answered.add(operation_model.name)
        else:
            self.errors.setdefault(operation_model.name, set()).add(code)


# Violations of a request: every way in which a valid one can be made invalid by the model's words.


def violations(shape, value, path=()):
    """Yields (description, changed value) for each constraint that can be broken in `value`."""
    kind = shape.type_name
    if kind == "structure":
        yield from structure_violations(shape, value, path)
    elif kind == "list":
        for index, item in enumerate(value[:1]):
            for text, changed in violations(shape.member, item, (*path, str(index))):
                yield text, [*value[:index], changed, *value[index + 1 :]]
        if "max" in shape.metadata and value:
            yield f"{'.'.join(path)}: too many", value[:1] * (shape.metadata["max"] + 1)
        if shape.metadata.get("min"):
            yield f"{'.'.join(path)}: too few", []
    else:
        for changed in scalar_violations(shape):
            yield f"{'.'.join(path)}: {str(changed)[:30]!r}", changed


def structure_violations(shape, value, path):
    for name, member in shape.members.items():
        if name not in value:
            continue
        location = member.serialization.get("location")
        if name in shape.required_members and location != "uri":
            yield (
                f"{'.'.join((*path, name))}: absent",
                {key: each for key, each in value.items() if key != name},
            )
        for text, changed in violations(member, value[name], (*path, name)):
            if location in ("uri", "querystring") and changed == "":
                continue  # There is no such path; an empty parameter is an absent one.
            yield text, value | {name: changed}


def scalar_violations(shape):
    limits = shape.metadata
    if shape.type_name == "string":
        if "max" in limits:
            yield "a" * (limits["max"] + 1)
        if limits.get("min"):
            yield ""
        if "enum" in limits:
            yield "Nonsense"
        if "pattern" in limits:
            for text in ("", "\u00e4 !", "a" * 70):
                if not matches(limits["pattern"], text) and in_range(limits, len(text)):
                    yield text
    elif shape.type_name in ("integer", "long"):
        for key, step in (("min", -1), ("max", 1)):
            if key in limits:
                yield limits[key] + step


# The other side of each edge: what the model just allows.


def edges(shape, value, path=()):
    """Yields (description, changed value) for each bound in `value` that can be reached."""
    kind, limits, where = shape.type_name, shape.metadata, ".".join(path)
    if kind == "structure":
        for name, member in shape.members.items():
            for text, changed in edges(member, value[name], (*path, name)) if name in value else ():
                yield text, value | {name: changed}
    elif kind == "list" and value:
        for text, changed in edges(shape.member, value[0], (*path, "0")):
            yield text, [changed, *value[1:]]
        for size in {limits[key] for key in ("min", "max") if limits.get(key)}:
            yield f"{where}: {size} items", (value * size)[:size]
    elif "enum" in limits:
        for word in limits["enum"]:
            yield f"{where}: {word}", word
    elif kind == "boolean":
        yield f"{where}: {not value}", not value
    else:
        for bound in {limits[key] for key in ("min", "max") if key in limits}:
            at_edge = [bound] if kind != "string" else long_texts(shape, str(value), bound)
            for changed in at_edge[:1]:
                yield f"{where}: {bound}", changed


def long_texts(shape, value, length):
    """Texts of this length that the shape allows. There is none of no length in a path."""
    if length == 0:
        return []
    texts = ("A" * length, "a" * length, (value * length)[:length])
    return [text for text in texts if scalar_problem(shape, text) is None]
