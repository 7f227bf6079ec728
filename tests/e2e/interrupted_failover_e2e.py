"""Coordinator and agents that die in the middle of a failover, and go on."""

import time
import unittest

from world_test import EventStream, WorldTest, operator_cli, rounds, say

STEPS = 10  # of a failover, at least
EVENTS = ("PLAN_ADMITTED", "EPOCH_RAISED", "STEP_STARTED", "STEP_SUCCEEDED")


class InterruptedFailoverTest(WorldTest):
    def interrupt(self, host, name, start):
        """At a random event of a failover one process dies; it starts again, and the failover must
        come to its end, with nothing lost but what it had announced."""
        self.bring_everything_back()
        talk = self.talk()
        self.talk_on(talk, 30)
        machine = self.world.hosts[host]
        self.lose_site("hq")
        with EventStream(self.world) as stream:
            self.start("failover", "--lost-site", "hq")
            moment = stream.wait_for(self.random.randint(1, 2 * STEPS), EVENTS)
        time.sleep(self.random.uniform(0, 0.03))
        machine.kill(name)
        say(f"the {name} of {host} died after: {moment}")
        self.assert_served_at_one_site_at_most()
        start()
        plan = self.bring_home()
        self.assertEqual(plan["state"], "PLAN_STATE_SUCCEEDED")
        self.assertEqual(self.wait_until_served(), "dr")
        talk.wait_for_more(20)
        self.finish_talk(talk, operator_cli.show_plan(self.world))

    def test_the_coordinator_dies(self):
        for _ in range(rounds(1)):
            with self.subTest():
                self.interrupt("co1", "coordinator", self.world.hosts["co1"].start_coordinator)

    def test_an_agent_dies(self):
        hosts = ["dr-sql1", "dr-chat1"]
        for number in range(rounds(1)):
            with self.subTest():
                host = hosts[number % 2]
                self.interrupt(host, "agent", self.world.hosts[host].start_agent)


if __name__ == "__main__":
    unittest.main(verbosity=2)
