"""The differences there may be, one function each; docs/DIFFERENCES.md says why, under its name.

A rule gets a case in which the replies differ and returns the two replies with that difference
taken out, or None where it has nothing to do with it. What still differs after all rules is a
finding. A rule that is wider than its reason hides findings: keep them narrow.
"""

import dataclasses

from differential.zones import is_within, zone_of

ANY_CLASS = 255


@dataclasses.dataclass
class Case:
    """A query, what two servers said, and whom to ask for more."""

    query: object
    peer: str
    theirs: object
    ours: object
    # The zone that Meridian answers from, or None, and all zones.
    zone: object
    zones: list
    # The same question over TCP: to the peer and to Meridian.
    theirs_whole: object
    ours_whole: object


def change(reply, **fields):
    return dataclasses.replace(reply, **fields)


def of_type(records, *types):
    return frozenset(r for r in records if r.rtype in types)


def is_referral(reply):
    return (
        reply.rcode == "NOERROR"
        and not of_type(reply.authority, "SOA")
        and bool(of_type(reply.authority, "NS"))
    )


def case_of_names_in_data(case):
    """Peers compress names in data into the question and take over its capitals."""
    return folded(case.theirs), folded(case.ours)


def folded(reply):
    def fold(section):
        return frozenset(dataclasses.replace(r, data=r.folded) for r in section)

    sections = (reply.answer, reply.authority, reply.additional)
    answer, authority, additional = map(fold, sections)
    return change(reply, answer=answer, authority=authority, additional=additional)


def serial_of_the_soa(case):
    """Meridian counts changes by itself and does not show the serial as submitted."""
    sections = (case.ours.answer, case.ours.authority)
    ours = {r.owner: r.data[-20:-16] for section in sections for r in of_type(section, "SOA")}

    def with_our_serial(record):
        if record.rtype != "SOA" or record.owner not in ours:
            return record
        serial = ours[record.owner]
        return dataclasses.replace(
            record,
            data=record.data[:-20] + serial + record.data[-16:],
            folded=record.folded[:-20] + serial + record.folded[-16:],
        )

    answer, authority = (
        frozenset(map(with_our_serial, section))
        for section in (case.theirs.answer, case.theirs.authority)
    )
    return change(case.theirs, answer=answer, authority=authority), case.ours


def any_is_one_set(case):
    """RFC 8482: Meridian has the smallest set, the peers all or another one."""
    if case.query.rtype != "ANY" or not case.ours.answer or case.ours.authority:
        return None
    sets = {(r.owner, r.rtype) for r in case.ours.answer}
    if len(sets) != 1 or not case.theirs.authoritative or case.theirs.rcode != "NOERROR":
        return None
    return case.ours, case.ours


def truncated_replies_are_empty(case):
    """Peers send what fits, Meridian nothing."""
    if case.theirs.truncated and case.ours.truncated:
        assert not (case.ours.answer or case.ours.authority or case.ours.additional)
        empty = frozenset()
        theirs = change(case.theirs, answer=empty, authority=empty, additional=empty, twice=False)
        return theirs, case.ours
    return None


def one_reply_is_too_long(case):
    """One fits and the other does not: go on with what the longer one would have said."""
    theirs, ours, room = case.theirs, case.ours, case.query.room
    if theirs.truncated == ours.truncated or case.query.tcp:
        return None
    if theirs.truncated:
        whole = folded(case.theirs_whole())
        return (whole, ours) if whole.length > room else None
    whole = folded(case.ours_whole())
    optional = whole.additional - needed_glue(whole)
    if whole.length - sum(12 + len(r.data) for r in optional) > room:
        return theirs, whole
    return None


def needed_glue(reply):
    """The addresses from below the cut that a referral is about."""
    if not is_referral(reply):
        return frozenset()
    cut = next(r.owner for r in reply.authority if r.rtype == "NS")
    return frozenset(r for r in reply.additional if is_within(r.owner, cut))


def glue_that_does_not_fit(case):
    """Glue is left out where all of it is too long: go on as if there were room.

    By us only what lies beside the cut, by the peers any, for RFC 9471 came after them.
    """
    theirs, ours = case.theirs, case.ours
    if case.query.tcp or not is_referral(theirs) or not is_referral(ours):
        return None
    whole = folded(case.theirs_whole())
    if whole.length > case.query.room and theirs.additional <= whole.additional:
        theirs = change(theirs, additional=whole.additional, twice=whole.twice)
    whole = folded(case.ours_whole())
    if whole.length > case.query.room and needed_glue(ours) == needed_glue(whole):
        ours = change(ours, additional=whole.additional)
    return theirs, ours


def glue_from_wildcards(case):
    """Peers make addresses of name servers up from wildcards below the cut."""
    if not is_referral(case.theirs) or case.zone is None:
        return None
    made_up = frozenset(
        r for r in case.theirs.additional - case.ours.additional if is_synthesized(r, case.zone)
    )
    theirs = change(case.theirs, additional=case.theirs.additional - made_up)
    return change(theirs, twice=case.ours.twice), case.ours


def is_synthesized(record, zone):
    """Whether a record is one of a wildcard's, under its own name or one that it covers."""
    name = record.owner
    while name and name[0] != b"*" and not any(is_within(n, name) for n in zone.names):
        name = name[1:]
    star = name if record.owner == name else (b"*", *name)
    return star[:1] == (b"*",) and any(
        (s.name, s.rtype, s.ttl) == (star, record.rtype, record.ttl) for s in zone.sets
    )


def addresses_beside_answers(case):
    """Peers add addresses of the hosts that an answer names."""
    theirs = case.theirs
    extra = of_type(theirs.additional, "A", "AAAA", "SVCB", "HTTPS")
    if not theirs.answer or case.ours.additional or extra != theirs.additional or not extra:
        return None
    if is_referral(case.ours):
        return None
    return change(theirs, additional=frozenset(), twice=False), case.ours


def name_servers_beside_answers(case):
    """NSD adds the zone's NS set to answers."""
    extra = of_type(case.theirs.authority, "NS")
    if case.peer != "nsd" or extra != case.theirs.authority or case.ours.authority:
        return None
    if not case.ours.answer or any(r.owner != case.zone.apex for r in extra):
        return None
    return change(case.theirs, authority=frozenset()), case.ours


def repeated_records(case):
    """Peers send a wildcard's CNAME to itself twice, Knot an address for two records as well."""
    to_itself = any(link.owner == link.target for link in of_type(case.ours.answer, "CNAME"))
    if case.peer == "knot" or to_itself:
        return change(case.theirs, twice=False), case.ours
    return None


def chain_into_another_zone(case):
    """Meridian ends a chain where another zone begins, NSD goes on there, Knot in its own zone."""
    answer = case.ours.answer
    links = of_type(answer, "CNAME")
    if case.ours.authority or links != answer or not answer <= case.theirs.answer:
        return None
    ends = {r.target for r in links} - {r.owner for r in links}
    zone = case.zone
    if case.query.rtype == "DS" and zone and case.query.folded == zone.apex:
        zone = zone_of(zone.apex[1:], case.zones)
    if len(ends) != 1 or zone_of(ends.pop(), case.zones) is zone:
        return None
    return case.ours, case.ours


def names_of_other_zones(case):
    """NSD has one tree of names: one that exists in one zone exists in all that lie above it."""
    if case.peer != "nsd" or case.zone is None or not case.ours.authoritative:
        return None
    apex = case.zone.apex
    others = [n for z in case.zones if z is not case.zone for n in z.names if is_within(n, apex)]
    asked = {case.query.folded} | {r.target for r in of_type(case.ours.answer, "CNAME")}
    for name in asked:
        for depth in range(len(name) - len(apex)):
            above, star = name[depth:], (b"*", *name[depth + 1 :])
            if any(is_within(n, above) for n in case.zone.names):
                break
            if any(is_within(n, above) or is_within(n, star) for n in others):
                return case.ours, case.ours
    return None


def ds_of_an_unknown_child(case):
    """A child whose parent here does not delegate it: Meridian answers from the child."""
    zone = case.zone
    if case.query.rtype != "DS" or zone is None or case.query.folded != zone.apex:
        return None
    parent = zone_of(zone.apex[1:], case.zones)
    if parent is None or case.ours.answer or {r.owner for r in case.ours.authority} != {zone.apex}:
        return None
    cuts = {s.name for s in parent.sets if s.rtype == "NS" and s.name != parent.apex}
    above = [zone.apex[depth:] for depth in range(1, len(zone.apex))]
    if zone.apex in cuts and not cuts.intersection(above):
        return None
    return case.ours, case.ours


def signatures_at_a_cname(case):
    """Knot does not follow a CNAME when RRSIG or NSEC is asked for, which may stand beside it."""
    if case.peer != "knot" or case.query.rtype not in ("RRSIG", "NSEC") or case.theirs.answer:
        return None
    if case.query.folded not in {r.owner for r in of_type(case.ours.answer, "CNAME")}:
        return None
    return case.ours, case.ours


def ds_at_the_end_of_a_chain(case):
    """A CNAME leads to the apex of its zone: Knot stays in the zone, NSD asks its parent."""
    if case.query.rtype != "DS" or case.zone is None:
        return None
    links = of_type(case.ours.answer, "CNAME")
    if case.zone.apex not in {r.target for r in links} or not links <= case.theirs.answer:
        return None
    if links != case.ours.answer or (case.peer == "knot" and case.ours.authority):
        return None
    return case.ours, case.ours


def payload_of_one_byte(case):
    """Knot calls it a format error; less than 512 means 512 (RFC 6891 section 6.2.3)."""
    if case.peer == "knot" and case.query.payload == 1 and case.theirs.rcode == "FORMERR":
        return case.ours, case.ours
    return None


def long_chain(case):
    """Meridian shows at most nine links of a chain, Knot five, NSD more."""
    limits = {"meridian": (case.ours, case.theirs, 9)}
    if case.peer == "knot":
        limits["knot"] = (case.theirs, case.ours, 5)
    for shorter, longer, limit in limits.values():
        links = of_type(shorter.answer, "CNAME")
        if links == shorter.answer and len(links) == limit and not shorter.authority:
            if links <= longer.answer:
                return case.ours, case.ours
    return None


def class_any_is_not_answered(case):
    """By NSD."""
    if case.peer == "nsd" and case.query.rclass == ANY_CLASS:
        return case.ours, case.ours
    return None


def never_answered(query, whole):
    """Whether Knot may go into an endless loop: it repeats a record, which does not fit.

    `whole` is its reply over TCP.
    """
    if query.tcp or isinstance(whole, str):
        return False
    return whole.twice and whole.length > query.room


RULES = [
    class_any_is_not_answered,
    payload_of_one_byte,
    any_is_one_set,
    truncated_replies_are_empty,
    # From here on both replies are whole.
    one_reply_is_too_long,
    serial_of_the_soa,
    case_of_names_in_data,
    signatures_at_a_cname,
    ds_of_an_unknown_child,
    ds_at_the_end_of_a_chain,
    chain_into_another_zone,
    long_chain,
    names_of_other_zones,
    addresses_beside_answers,
    name_servers_beside_answers,
    glue_that_does_not_fit,
    glue_from_wildcards,
    repeated_records,
]


def explain(case):
    """Applies rules as long as the replies differ; returns the rules used and the case left."""
    used = []
    for rule in RULES:
        if case.theirs == case.ours:
            break
        result = rule(case)
        if result and result != (case.theirs, case.ours):
            used.append(rule.__name__)
            case = dataclasses.replace(case, theirs=result[0], ours=result[1])
    return used, case
