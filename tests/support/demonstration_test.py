"""The demonstration's verdict and its page: what they must catch, and what they tell of each move."""

import contextlib
import copy
import io
import unittest

import report
from demonstration import complaints

ROLES = {"hq-sql1/mgc": "writer", "dr-sql1/mgc": "standby", "hq-chat1/prosody": "active"}
POINT = 41.5  # what was acknowledged after it may be lost


def story():
    """Of one switchover, a failover that lost two messages as announced, and the way back."""
    steps = [{"title": "Fence mgc on hq-sql1", "critical": True, "documented_as": "",
              "state": "succeeded", "seconds": 0.1}]
    moves = [{"number": number, "kind": kind, "from": "hq", "to": "dr", "state": "succeeded",
              "exit_code": 0, "lost": 0, "duplicated": 0, "acknowledged": 100, "outage": 0.5,
              "client": 0.1, "steps": steps}
             for number, kind in enumerate(("switchover", "failover", "failback"), 1)]
    moves[1].update({
        "lost": 2, "announced": {"window": 1.5, "point": POINT}, "command_to_first_message": 0.3,
        "measured": {"before_announced_point": 0, "after_announced_point": 2,
                     "oldest_before_the_loss": 0.8, "lost_ids": ["a", "b"]}})
    kept = {"entries": [{"host": "hq-sql1", "name": "20261124-102113-78ed", "commits": 3,
                         "disk_bytes": 43_300_000}], "lost_messages": 2, "of_them_kept": 2}
    result = {"lost": 2, "duplicated": 0}
    return moves, result, kept, {"before": dict(ROLES), "after": dict(ROLES)}


class VerdictTest(unittest.TestCase):
    def complaints(self, change=lambda moves, result, kept, roles: None):
        told = copy.deepcopy(story())
        change(*told)
        return complaints(*told, switchovers=1)

    def assert_complains(self, of, change):
        found = self.complaints(change)
        self.assertEqual(len(found), 1, found)
        self.assertIn(of, found[0])

    def test_a_loss_as_announced_that_is_kept_is_as_it_must_be(self):
        self.assertEqual(self.complaints(), [])

    def test_another_role_in_the_end_is_caught(self):
        self.assert_complains("hq-sql1/mgc is standby, was writer", lambda moves, result, kept, roles:
                              roles["after"].update({"hq-sql1/mgc": "standby"}))

    def test_a_resource_that_is_gone_in_the_end_is_caught(self):
        self.assert_complains("hq-chat1/prosody is gone", lambda moves, result, kept, roles:
                              roles["after"].pop("hq-chat1/prosody"))

    def test_a_failover_that_announced_no_point_is_caught(self):
        self.assert_complains("announced no point", lambda moves, result, kept, roles:
                              moves[1]["announced"].update({"window": None, "point": None}))

    def test_a_loss_that_was_not_announced_is_caught(self):
        self.assert_complains("3 acknowledged messages lost", lambda moves, result, kept, roles:
                              result.update({"lost": 3}))

    def test_a_loss_that_nobody_keeps_is_caught(self):
        self.assert_complains("1 of 2 lost messages are kept", lambda moves, result, kept, roles:
                              kept.update({"of_them_kept": 1}))

    def test_a_message_that_is_doubled_is_caught(self):
        self.assert_complains("duplicated", lambda moves, result, kept, roles:
                              result.update({"duplicated": 1}))

    def test_a_move_that_failed_is_caught(self):
        self.assert_complains("move 3, failback, ended with 7", lambda moves, result, kept, roles:
                              moves[2].update({"exit_code": 7}))

    def test_a_move_that_was_not_made_is_caught(self):
        self.assert_complains("2 moves, wanted 3", lambda moves, result, kept, roles: moves.pop())


class PageTest(unittest.TestCase):
    def page(self, ok=True):
        moves, result, kept, roles = story()
        outcome = {"ok": ok, "complaints": [] if ok else ["hq-sql1/mgc is gone"], "seconds": 9.0,
                   "protect": {"seconds": 3.0, "steps": []}, "moves": moves, "roles": roles,
                   "messages": {"acknowledged": 300, "unacknowledged": 1, **result},
                   "orphans": kept}
        with contextlib.redirect_stdout(io.StringIO()) as page:
            report.print_table(outcome)
        return page.getvalue()

    def rows(self, title):
        """What stands beside `title`, of each move."""
        return [line.split(title)[1].strip() for line in self.page().splitlines()
                if line.strip().startswith(title)]

    def test_every_move_tells_what_it_announced(self):
        self.assertEqual(self.rows("loss announced"), [
            "nothing", "what the last 1.50 s before the plan brought", "nothing"])

    def test_every_move_tells_what_was_lost(self):
        self.assertEqual(self.rows("loss measured"), [
            "0 messages", "2 messages: 0 from before that, 2 after it, the oldest 0.80 s before the "
            "site was gone", "0 messages"])

    def test_every_move_tells_its_orphans(self):
        self.assertEqual(self.rows("orphans"), [
            "–", "2 of the 2 lost messages can be read in quarantine", "–"])
        self.assertIn("hq-sql1: 20261124-102113-78ed, 3 transactions", self.page())

    def test_what_is_not_as_it_must_be_stands_last(self):
        self.assertEqual(self.page(ok=False).splitlines()[-2:],
                         ["NOT as it must be:", "  hq-sql1/mgc is gone"])


if __name__ == "__main__":
    unittest.main()
