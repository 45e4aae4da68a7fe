"""Writers who know exactly what each of their batches leaves behind."""

import botocore.exceptions
import botocore.parsers

from harness import LONG, Zone, create, delete, rrset, upsert

# So many that most of their batches share an entry of the journal; no more than may wait in the
# line of one account.
CROWD = 48 if LONG else 24
# A batch adds to this many newest names and takes away the oldest.
WINDOW = 40


class Writer:
    """Sends batch after batch to a zone of its own; knows exactly what each one leaves behind."""

    def __init__(self, client, number):
        self.zone = Zone(client, f"writer{number}.example.")
        self.acknowledged = 0
        self.error = None

    def batch(self, n):
        z = self.zone.name
        changes = [upsert(f"same{i}.{z}", "TXT", f'"{n}"') for i in range(3)]
        changes += [create(f"n{n}-{i}.{z}", "A", f"192.0.2.{n % 256}") for i in range(2)]
        if n > WINDOW:
            old = n - WINDOW
            changes += [delete(f"n{old}-{i}.{z}", "A", f"192.0.2.{old % 256}") for i in range(2)]
        return changes

    def content(self, n):
        """All own sets of the zone after batch `n`, in no order."""
        if n == 0:
            return set()
        z = self.zone.name
        sets = [rrset(f"same{i}.{z}", "TXT", f'"{n}"') for i in range(3)]
        for k in range(max(1, n - WINDOW + 1), n + 1):
            sets += [rrset(f"n{k}-{i}.{z}", "A", f"192.0.2.{k % 256}") for i in range(2)]
        return {repr(sorted(s.items())) for s in sets}

    def run(self, killed):
        """Writes until the server is gone."""
        try:
            while True:
                self.zone.send(*self.batch(self.acknowledged + 1))
                self.acknowledged += 1
        except (
            botocore.exceptions.HTTPClientError,
            botocore.exceptions.ConnectionError,
            botocore.parsers.ResponseParserError,
            KeyError,  # a reply cut off behind its head: boto3 finds no ChangeInfo in it
        ) as error:
            if not killed.is_set():
                self.error = error
        except Exception as error:
            self.error = error

    def check(self):
        """The zone is as after the last acknowledged batch, or the one that was on its way."""
        found = {repr(sorted(s.items())) for s in self.zone.sets(own=True)}
        for n in (self.acknowledged, self.acknowledged + 1):
            if found == self.content(n):
                self.acknowledged = n
                return
        missing, extra = (
            self.content(self.acknowledged) - found,
            found - self.content(self.acknowledged),
        )
        raise AssertionError(
            f"{self.zone.name} after batch {self.acknowledged} was acknowledged: "
            f"missing {sorted(missing)[:5]}, unexpected {sorted(extra)[:5]}"
        )

    def check_answers(self, server):
        """DNS says what the API says."""
        z, n = self.zone.name, self.acknowledged
        if n == 0:
            return
        for i in range(3):
            assert server.values(f"same{i}.{z}", "TXT") == {f'"{n}"'}
        for i in range(2):
            assert server.values(f"n{n}-{i}.{z}") == {f"192.0.2.{n % 256}"}
            assert server.rcode(f"n{n + 1}-{i}.{z}") == "NXDOMAIN"
            if n > WINDOW:
                assert server.rcode(f"n{n - WINDOW}-{i}.{z}") == "NXDOMAIN"
