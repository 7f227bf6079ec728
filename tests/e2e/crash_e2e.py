"""Coordinator, agents and hosts that die at any moment of a move, and come back."""

import time
import unittest

from world_test import EventStream, WorldTest, operator_cli, rounds, say

STEPS = 17  # of a switchover, undo aside
STEP_ENDS = ("STEP_SUCCEEDED",)
STEP_EVENTS = ("PLAN_ADMITTED", "EPOCH_RAISED", "STEP_STARTED", "STEP_SUCCEEDED")


class CrashTest(WorldTest):
    def crash(self, what, kill, start, events, kinds, delay=0.0):
        """Starts a move, kills something after so many of its events and a little later, starts it
        again, and demands that the plan can be brought to its end, with chat at exactly one site
        and nothing lost."""
        self.wait_until_served()
        operator_cli.wait_for_agents(self.world)
        talk = self.talk()
        try:
            with EventStream(self.world) as stream:
                self.start_switchover()
                moment = stream.wait_for(events, kinds)
            time.sleep(delay)
            kill()
            say(f"{what} died {delay * 1000:.0f} ms after event {events}: {moment}")
            self.assert_served_at_one_site_at_most()
            start()
            operator_cli.wait_for_agents(self.world)
            self.bring_home()
            self.wait_until_served()
            talk.wait_for_more(5)
            self.finish_talk(talk)
        finally:
            talk.kill()

    def crash_process(self, host, name, start):
        """At a random event of the move, up to 30 ms later."""
        machine = self.world.hosts[host]
        self.crash(f"the {name} of {host}", lambda: machine.kill(name), start,
                   self.random.randint(1, 2 * STEPS), STEP_EVENTS, self.random.uniform(0, 0.03))

    def test_the_coordinator_dies_at_any_moment(self):
        for _ in range(rounds(3)):
            with self.subTest():
                self.crash_process("co1", "coordinator", self.world.hosts["co1"].start_coordinator)

    def test_each_agent_dies_at_any_moment(self):
        for _ in range(rounds(1)):
            for host, machine in self.world.hosts.items():
                if "agent" in machine.description:
                    with self.subTest(host=host):
                        self.crash_process(host, "agent", machine.start_agent)

    def test_each_database_host_reboots_between_two_steps(self):
        # With as many rounds as there are steps: between any two of them.
        gaps = self.random.sample(range(1, STEPS), min(rounds(2), STEPS - 1))
        for gap in gaps:
            for host in ("hq-sql1", "dr-sql1"):
                with self.subTest(host=host, gap=gap):
                    machine = self.world.hosts[host]
                    self.crash(host, machine.power_off, machine.boot, gap, STEP_ENDS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
