"""The query path never waits for resolvers: dnsperf asks the same of aliases and plain names while
all targets answer, while nothing is said of any, and while all that is said is that it failed."""

import re
import statistics
import subprocess
from concurrent.futures import ThreadPoolExecutor

import dns.rcode

from elsewhere import Scripted
from harness import Meridian, Zone, alias, change, create, eventually

OURS = "ours.example"
PLAIN, KNOWN, NEVER = ([f"{kind}{n}.{OURS}" for n in range(30)] for kind in ("plain", "known", "never"))
# Whoever waited for a resolver would wait that long for its first silence, and longer for the next.
TIMEOUT_MS = 2_000
# No answer takes so long, busy as the machine may be.
SLOWEST_S = 1.5
# On average answers may be so much later than while all was well.
LATER_S = 0.2
# So much later than those to plain names, which are asked in between, may those to aliases be: 95 of
# 100, and the slowest. A machine that stalls does so for all of them.
LATER_THAN_PLAIN_S = 0.1, 0.5
# By either protocol, in each phase: as many as this, evenly over two seconds.
QUERIES, PER_SECOND = 1_800, 900


def target(name):
    return f"at-{name}"


def dnsperf(server, questions, mode):
    """Asks all of them as often as each other; the seconds that each answer took, by kind of name."""
    command = ["dnsperf", "-s", server.addresses[0], "-p", server.dns_port, "-d", questions, "-v", "-W"]
    command += ["-m", mode, "-c", 4, "-q", 1000, "-t", 20]
    command += ["-n", QUERIES // (len(PLAIN) + len(KNOWN) + len(NEVER)), "-Q", PER_SECOND]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=90)
    printed = done.stdout + done.stderr
    summary = printed[printed.find("\nStatistics:") :]
    assert done.returncode == 0, summary
    for line in (
        rf"Queries sent: +{QUERIES}",
        rf"Queries completed: +{QUERIES} \(100\.00%\)",
        r"Queries lost: +0 \(0\.00%\)",
    ):
        assert re.search(f"{line}$", summary, re.MULTILINE), summary
    took = {}
    for code, kind, seconds in re.findall(r"^> (\w+) ([a-z]+)\d+\.\S+ A ([\d.]+)$", printed, re.MULTILINE):
        assert code == ("SERVFAIL" if kind == "never" else "NOERROR"), (kind, code)
        took.setdefault(kind, []).append(float(seconds))
    assert {kind: len(all_of_it) for kind, all_of_it in took.items()} == dict.fromkeys(
        ("plain", "known", "never"), QUERIES // 3
    )
    return took


def measured(server, questions, phase):
    """The same load over UDP and TCP at once: protocol and kind of name → mean, 95 of 100, slowest."""
    with ThreadPoolExecutor() as pool:
        both = dict(zip(("udp", "tcp"), pool.map(lambda m: dnsperf(server, questions, m), ("udp", "tcp"))))
    found = {}
    for mode, kinds in both.items():
        for kind, took in kinds.items():
            late = statistics.quantiles(took, n=20)[-1]
            found[mode, kind] = statistics.mean(took), late, max(took)
            said = ", ".join(f"{1000 * seconds:.2f}" for seconds in found[mode, kind])
            print(f"{phase}: {kind} over {mode}: {said} ms (mean, 95 of 100, slowest)")
    return found


def test_latency_is_the_same_while_targets_fail(tmp_path):
    questions = tmp_path / "questions"
    # Kinds take turns, so that what one waits for the others have to, too.
    names = [name for each in zip(PLAIN, KNOWN, NEVER) for name in each]
    questions.write_text("".join(f"{name} A\n" for name in names))
    says = {target(name): ["192.0.2.2"] for name in KNOWN}

    def say(question, _):
        return says.get(question.name.to_text(omit_final_dot=True))

    with Scripted(say, ttl=1) as resolver:
        config = f'[targets]\nresolvers = ["{resolver.address}"]\nmin_ttl_s = 1\ntimeout_ms = {TIMEOUT_MS}\n'
        with Meridian(tmp_path / "server", config=config) as server:
            zone = Zone(server.client(), OURS)
            zone.change(
                *(create(name, "A", "192.0.2.1") for name in PLAIN),
                *(change("CREATE", alias(n, target(n), "ZEXTERNAL")) for n in KNOWN + NEVER),
            )
            assert all(eventually(lambda n=n: server.values(n) == {"192.0.2.2"}) for n in KNOWN)
            well = measured(server, questions, "all is well")

            known = set(says)
            says.clear()
            before = len(resolver.asked)
            # All of them wait for a reply now.
            assert eventually(lambda: known <= names_of(resolver.asked[before:]), 10)
            silent = measured(server, questions, "silence")

            # Of every other one it is said that it failed, and of the rest nothing still.
            failing = {target(name) for name in KNOWN[::2]}
            says.update(dict.fromkeys(failing, dns.rcode.SERVFAIL))
            servfail = "the resolver answers SERVFAIL"
            assert eventually(lambda: errors(server, servfail) == failing, 30), errors(server, servfail)
            mixed = measured(server, questions, "SERVFAIL and silence")
            assert errors(server, servfail) == failing
    for phase, found in {"silence": silent, "SERVFAIL and silence": mixed}.items():
        for (mode, kind), (mean, late, slowest) in found.items():
            told = f"{kind} over {mode}: {found} in {phase}, {well} while all was well"
            assert slowest < SLOWEST_S, told
            assert mean < well[mode, kind][0] + LATER_S, told
            _, late_plain, slowest_plain = found[mode, "plain"]
            assert late < late_plain + LATER_THAN_PLAIN_S[0], told
            assert slowest < slowest_plain + LATER_THAN_PLAIN_S[1], told


def names_of(asked):
    return {name.rstrip(".") for name, _ in asked}


def errors(server, text):
    """The targets whose last error was this one."""
    listed = server.admin("target", "list")
    return {each["name"].rstrip(".") for each in listed if each["last_error"] == text}
