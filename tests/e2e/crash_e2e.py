"""Coordinator, agents and hosts that die at any moment of a move, and come back."""

import threading
import time
import unittest

from world_test import WorldError, WorldTest, operator_cli, rounds, say

# How long a move takes from its start to the last step beside the users; a moment is drawn from it.
MOVE_SECONDS = 1.0


class CrashTest(WorldTest):
    def crash(self, what, kill, start, moment):
        """Starts a move, kills something after `moment` seconds, starts it again a little later,
        and demands that the plan can be brought to its end, with chat at exactly one site."""
        self.wait_until_served()
        operator_cli.wait_for_agents(self.world)
        say(f"{what} dies {moment * 1000:.0f} ms after a move began")
        talk = self.talk()
        move = threading.Thread(target=self.start_quietly)
        move.start()
        time.sleep(moment)
        kill()
        self.assert_served_at_one_site_at_most()
        start()
        move.join()
        operator_cli.wait_for_agents(self.world)
        self.bring_home()
        self.wait_until_served()
        talk.wait_for_more(5)
        self.finish_talk(talk)

    def start_quietly(self):
        """The coordinator may die while it is asked; then there is no plan, which is fine too."""
        try:
            self.start_switchover()
        except WorldError as error:
            say(f"the move was not begun: {str(error).splitlines()[-1]}")

    def crash_host_process(self, host, name, start):
        machine = self.world.hosts[host]
        self.crash(f"the {name} of {host}", lambda: machine.kill(name), start,
                   self.random.uniform(0, MOVE_SECONDS))

    def test_the_coordinator_dies_at_any_moment(self):
        for _ in range(rounds(4)):
            with self.subTest():
                self.crash_host_process("co1", "coordinator",
                                        self.world.hosts["co1"].start_coordinator)

    def test_each_agent_dies_at_any_moment(self):
        for _ in range(rounds(1)):
            for host in [name for name, machine in self.world.hosts.items()
                         if "agent" in machine.description]:
                with self.subTest(host=host):
                    self.crash_host_process(host, "agent", self.world.hosts[host].start_agent)

    def test_each_database_host_reboots_at_any_moment(self):
        for _ in range(rounds(2)):
            for host in ("hq-sql1", "dr-sql1"):
                with self.subTest(host=host):
                    machine = self.world.hosts[host]
                    self.crash(host, machine.power_off, machine.boot,
                               self.random.uniform(0, MOVE_SECONDS))


if __name__ == "__main__":
    unittest.main(verbosity=2)
