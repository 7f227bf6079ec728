"""The checkers of the e2e tests can fail: each is shown what it must catch and what it must not."""

import unittest

from ground_truth import SHORTEST_MOVE, Alternation
from people import outage, summarise, summarise_all


class AlternationTest(unittest.TestCase):
    def sightings(self, *sequence):
        alternation = Alternation("writes accepted")
        for site, now in sequence:
            alternation.sight(site, now)
        return alternation.violations

    def test_one_site_alone_is_fine(self):
        self.assertEqual(self.sightings(("hq", 1.0), ("hq", 1.01), ("hq", 9.0)), [])

    def test_a_move_is_fine(self):
        self.assertEqual(self.sightings(("hq", 1.0), ("dr", 1.05), ("dr", 1.06)), [])

    def test_a_move_there_and_back_is_fine(self):
        self.assertEqual(self.sightings(("hq", 1.0), ("dr", 1.2), ("dr", 3.0), ("hq", 3.3)), [])

    def test_two_at_once_are_caught(self):
        self.assertEqual(len(self.sightings(("hq", 1.0), ("dr", 1.01), ("hq", 1.02))), 1)

    def test_two_at_once_after_a_long_time_are_caught(self):
        found = self.sightings(("hq", 1.0), ("hq", 50.0), ("dr", 50.01), ("hq", 50.02))
        self.assertEqual(len(found), 1)

    def test_the_limit_is_the_shortest_move(self):
        late = 1.0 + SHORTEST_MOVE
        self.assertEqual(self.sightings(("hq", 1.0), ("dr", 1.01), ("hq", late)), [])


class OutageTest(unittest.TestCase):
    EVENTS = [
        {"event": "sent", "id": "a", "time": 0.9}, {"event": "acknowledged", "id": "a", "time": 1.0},
        {"event": "sent", "id": "b", "time": 1.9}, {"event": "acknowledged", "id": "b", "time": 2.0},
        {"event": "open", "time": 2.3}, {"event": "sent", "id": "c", "time": 2.35},
        {"event": "acknowledged", "id": "c", "time": 2.4},
        {"event": "acknowledged", "id": "d", "time": 2.5},
    ]

    def test_is_the_longest_silence_of_the_move(self):
        found = outage(self.EVENTS, 2.05, 2.6)
        self.assertAlmostEqual(found["outage"], 0.4)
        self.assertAlmostEqual(found["client"], 0.1)

    def test_counts_a_silence_that_began_before(self):
        self.assertAlmostEqual(outage(self.EVENTS, 2.39, 2.39)["outage"], 0.4)

    def test_is_unknown_when_nothing_came_back(self):
        self.assertIsNone(outage(self.EVENTS, 3.0, 4.0)["outage"])

    def test_losses_go_to_the_move_during_which_they_were_acknowledged(self):
        move = {"began": 1.95, "ended": 2.6, "since": 1.5, "until": 9.0}
        summarise(move, self.EVENTS, {"lost_ids": ["a", "b"], "duplicated_ids": ["c"]})
        self.assertEqual((move["acknowledged"], move["lost"], move["duplicated"]), (3, 1, 1))


class LossTest(unittest.TestCase):
    EVENTS = OutageTest.EVENTS + [{"event": "sent", "id": "never", "time": 2.0}]

    def failover(self, point, lost):
        move = {"died": 2.1, "began": 2.15, "ended": 2.6, "since": 0.0, "until": 9.0,
                "announced": {"point": point}}
        summarise(move, self.EVENTS, {"lost_ids": lost, "duplicated_ids": []})
        return move

    def test_what_was_acknowledged_after_the_announced_point_may_be_lost(self):
        measured = self.failover(1.5, ["b"])["measured"]
        self.assertEqual((measured["before_announced_point"], measured["after_announced_point"]),
                         (0, 1))
        self.assertAlmostEqual(measured["oldest_before_the_loss"], 0.1)

    def test_what_was_acknowledged_before_it_may_not(self):
        measured = self.failover(1.5, ["a", "b"])["measured"]
        self.assertEqual((measured["before_announced_point"], measured["after_announced_point"]),
                         (1, 1))

    def test_what_was_never_acknowledged_is_no_loss(self):
        move = self.failover(1.5, [])
        self.assertEqual((move["lost"], move["unacknowledged"]), (0, 1))

    def test_the_first_message_counts_from_the_command(self):
        self.assertAlmostEqual(self.failover(1.5, [])["command_to_first_message"], 0.25)

    def test_what_was_announced_is_not_the_loss_of_the_move_before(self):
        moves = [{"began": 0.5, "ended": 0.6, "since": 0.0, "until": 2.05},
                 {"died": 2.1, "began": 2.15, "ended": 2.6, "since": 2.05, "until": 9.0,
                  "announced": {"point": 1.5}}]
        summarise_all(moves, self.EVENTS, {"lost_ids": ["a", "b"], "duplicated_ids": []})
        self.assertEqual([move["lost"] for move in moves], [1, 1])
        self.assertEqual(moves[1]["measured"]["after_announced_point"], 1)

    def test_an_unannounced_loss_has_no_bound(self):
        self.assertEqual(self.failover(None, ["a"])["measured"]["before_announced_point"], 0)


if __name__ == "__main__":
    unittest.main()
