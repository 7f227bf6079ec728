"""A fenced database stays fenced, whatever dies, restarts or is deleted on its host."""

import os
import pathlib
import signal
import subprocess
import unittest

import postgres
from world import server_pid
from world_test import WorldTest, operator_cli


class FenceTest(WorldTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        operator_cli.checked(cls.world, "switchover", "--yes", cls.world.data["pool"], "--reason",
                             "the home site is fenced from here on")
        cls.old = cls.world.hosts["hq-sql1"]
        cls.old_resource = cls.old.description["resources"]["mgc"]

    def kill_server(self, resource):
        pid = self.wait_for("the server's pid", lambda: server_pid(resource))
        os.kill(pid, signal.SIGKILL)
        self.wait_for("another server", lambda: server_pid(resource) not in (None, pid))

    def setUp(self):
        super().setUp()
        self.assert_read_only("hq")

    def test_1_after_a_kill(self):
        self.kill_server(self.old_resource)
        self.assert_read_only("hq")

    def test_2_after_a_reboot(self):
        self.old.reboot()
        self.assert_read_only("hq")

    def test_3_after_the_agents_death(self):
        self.old.kill("agent")
        self.kill_server(self.old_resource)
        self.assert_read_only("hq")
        self.old.start_agent()
        operator_cli.wait_for_agents(self.world)

    def test_4_with_the_ledger_deleted(self):
        self.old.kill("agent")
        for path in pathlib.Path(self.old.description["agent"]["ledger"]).parent.glob("ledger*"):
            path.unlink()
        self.kill_server(self.old_resource)
        self.old.start_agent()
        self.wait_for("the agent to be refused", self.agent_is_refused)
        self.assert_read_only("hq")
        operator_cli.checked(self.world, "agents", "accept", "--yes", "hq-sql1", "--reason", self.id())
        operator_cli.wait_for_agents(self.world)
        self.kill_server(self.old_resource)
        self.assert_read_only("hq")

    def agent_is_refused(self):
        return any(agent["host"] == "hq-sql1" and agent.get("refused")
                   for agent in operator_cli.document(self.world, "agents")["agents"])

    def test_5_with_the_fence_file_deleted(self):
        self.old.kill("agent")
        pathlib.Path(self.old_resource["fence_file"]).unlink()
        os.kill(self.wait_for("the server's pid", lambda: server_pid(self.old_resource)),
                signal.SIGKILL)
        self.assert_stays_down_or_read_only()
        self.old.reboot()
        self.assert_stays_down_or_read_only()
        operator_cli.wait_for_agents(self.world)

    def assert_stays_down_or_read_only(self, rounds=100):
        """Without a fence file the supervisor starts nothing by itself: no proof but time."""
        goal = self.truth.rounds + rounds
        while self.truth.rounds < goal:
            self.assertNotEqual(self.databases["hq"].state(), "primary")
            self.assertFalse(self.databases["hq"].accepts_write())

    def test_6_started_past_the_gate(self):
        self.old.power_off()
        self.old.power_on()
        try:
            self.old.spawn("intruder", postgres.server_command(self.old_resource), "intruder.log")
            self.assert_read_only("hq")
        finally:
            self.old.reboot()
        operator_cli.wait_for_agents(self.world)

    def test_7_baton_guard_alone_stops_a_serving_primary(self):
        self.assertEqual(self.wait_until_served(), "dr")
        host = self.world.hosts["dr-sql1"]
        resource = host.description["resources"]["mgc"]
        epoch = self.fence_epoch(resource)
        host.kill("agent")
        done = subprocess.run([host.program("baton-guard"), "fence", resource["resource_file"],
                               epoch], env=host.environment, capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.wait_for("the database at dr to refuse writes",
                      lambda: not self.databases["dr"].accepts_write())
        self.wait_for("a standstill", lambda: self.databases["dr"].state() != "primary")
        host.reboot()
        self.wait_for("the rebooted host to come up as a standby or not at all",
                      lambda: self.databases["dr"].state() != "primary")
        self.assertFalse(self.databases["dr"].accepts_write())

    @staticmethod
    def fence_epoch(resource):
        """One more than the epoch in the fence file."""
        text = pathlib.Path(resource["fence_file"]).read_text(encoding="utf-8")
        lines = dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)
        generation, counter = lines["fence_epoch"].split(".")
        return f"{generation}.{int(counter) + 1}"


if __name__ == "__main__":
    unittest.main(verbosity=2)
