"""Reads lines `TYPE<TAB>Route 53 value<TAB>wire data in hex` and compares with dnspython.

Run by the Rust test beside it; prints every disagreement and then exits with 1.
"""

import re
import sys

import dns.rdata
import dns.rdataclass
import dns.rdatatype

ESCAPE = re.compile(r"\\(?:([0-7]{3})|(.))")


def decimal(match):
    octal, other = match.groups()
    return "\\%03d" % int(octal, 8) if octal else "\\" + other


def main():
    counts, wrong = {}, 0
    for line in sys.stdin.read().splitlines():
        mnemonic, value, expected = line.split("\t")
        rdtype = dns.rdatatype.from_text(mnemonic)
        text = ESCAPE.sub(decimal, value)
        try:
            rdata = dns.rdata.from_text(dns.rdataclass.IN, rdtype, text)
            found = rdata.to_wire().hex()
        except Exception as error:
            found = "%s: %s" % (type(error).__name__, error)
        counts[mnemonic] = counts.get(mnemonic, 0) + 1
        if found != expected:
            wrong += 1
            print("%s %s\n  ours      %s\n  dnspython %s" % (mnemonic, text, expected, found))
    print("dnspython compared", sum(counts.values()), "values,", wrong, "differ")
    sys.exit(1 if wrong or len(counts) != 17 else 0)


main()
