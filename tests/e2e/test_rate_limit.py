"""Response rate limiting as clients meet it: dropped, slipped, and asked again over TCP."""

import dns.flags
import dns.message
import dns.query

from harness import Zone, create

LIMITED = """
[dns.rate_limit]
responses_per_second = 1
slip = 2
exempt = ["127.0.0.64/26"]
"""


def flood(server, name, source, times=20):
    """Sends queries at once; the replies that came, whole ones and those with TC."""
    query = dns.message.make_query(name, "A")
    address = (server.addresses[0], server.dns_port)
    with dns.query.make_socket(dns.query.socket.AF_INET, dns.query.socket.SOCK_DGRAM) as socket:
        socket.bind((source, 0))
        socket.setblocking(True)
        for _ in range(times):
            socket.sendto(query.to_wire(), address)
        # Replies keep the order of queries. Of two more, in another class, one at least is
        # answered, be it with TC.
        marker = dns.message.make_query("outside.invalid.", "A")
        for _ in range(2):
            socket.sendto(marker.to_wire(), address)
        socket.settimeout(5)
        replies = []
        while not replies or replies[-1].id != marker.id:
            replies.append(dns.message.from_wire(socket.recv(4096)))
    replies.pop()
    cut = [reply for reply in replies if reply.flags & dns.flags.TC]
    return [reply for reply in replies if reply not in cut], cut


def test_a_flood_is_held_back_and_a_real_client_asks_over_tcp(start):
    server = start(config=LIMITED)
    zone = Zone(server.client(), "limited.example.")
    zone.change(create("www.limited.example.", "A", "192.0.2.1"))

    # A slow machine may earn a reply or two more in the meantime.
    whole, cut = flood(server, "www.limited.example.", "127.0.0.1")
    assert 1 <= len(whole) <= 3
    assert 8 <= len(cut) <= 10
    assert all(not reply.answer and len(reply.question) == 1 for reply in cut)
    # dig takes TC for what it is.
    answer = server.dig("+tries=20", "+timeout=1", "www.limited.example.", "A", "+short")
    assert "192.0.2.1" in answer

    # A flood of names that do not exist is another class; each /24 has its own.
    whole, cut = flood(server, "nothing.limited.example.", "127.0.0.1")
    assert 1 <= len(whole) <= 3
    assert 8 <= len(cut) <= 10
    whole, _ = flood(server, "www.limited.example.", "127.0.1.1")
    assert 1 <= len(whole) <= 3

    whole, cut = flood(server, "www.limited.example.", "127.0.0.65")
    assert (len(whole), len(cut)) == (20, 0)
    for _ in range(20):
        assert server.values("www.limited.example.", tcp=True) == {"192.0.2.1"}


def test_without_a_setting_nothing_is_held_back(start):
    server = start()
    whole, cut = flood(server, "meridian.internal.", "127.0.0.1", times=200)
    assert (len(whole), len(cut)) == (200, 0)
