"""Planned moves there and back, while people talk."""

import os
import pathlib
import time
import unittest

from people import outage
from world_test import WorldTest, operator_cli, rounds, say


def resident_megabytes(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


class SwitchoverTest(WorldTest):
    def test_ten_in_a_row_lose_and_double_nothing(self):
        talk = self.talk()
        outages = []
        for number in range(rounds(10)):
            target = "dr" if number % 2 == 0 else "hq"
            source = "hq" if target == "dr" else "dr"
            talk.wait_for_more(20)
            began = time.monotonic()
            plan = self.switch_over()
            ended = time.monotonic()
            self.assertEqual(plan["to_site"], target)
            self.assertEqual(self.wait_until_served(), target)
            self.wait_until_follows(target, source)
            talk.wait_for_more(20)
            outages.append(outage(talk.events(), began, ended)["outage"])
        result = self.finish_talk(talk)
        say("outages: " + ", ".join(f"{seconds * 1000:.0f}" for seconds in outages) + " ms")
        say(f"{result['acknowledged']} messages acknowledged, none lost, none doubled")

    def test_a_share_without_its_marker_stops_a_move_before_it_begins(self):
        site = self.wait_until_served()
        talk = self.talk()
        share = self.world.share(f"{site}-logs", f"{site}-sql1")
        marker = share / ".baton-share"
        marker.rename(share / ".moved-away")
        try:
            done = operator_cli.baton(self.world, "switchover", "--yes", self.world.data["pool"],
                                      "--reason", self.id())
        finally:
            (share / ".moved-away").rename(marker)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(str(share), done.stdout + done.stderr)
        self.assertEqual(self.wait_until_served(), site)
        talk.wait_for_more(20)
        result = self.finish_talk(talk)
        self.assertEqual(result["unacknowledged"], 0, "nobody noticed anything")

    @unittest.skipIf("/asan/" in os.environ.get("BATON_TEST_PROGRAMS", ""), "sanitizers need room")
    def test_the_programs_stay_small(self):
        world = self.world.live()
        agents = [host["agent"]["pid"] for host in world["hosts"].values() if "agent" in host]
        supervisors = [resource["supervisor_pid"] for host in world["hosts"].values()
                       for resource in host["resources"].values()]
        for name, limit, pids in (("agent", 40, agents), ("supervisor", 5, supervisors),
                                  ("coordinator", 80, [world["coordinator"]["pid"]])):
            sizes = [resident_megabytes(pid) for pid in pids]
            say(f"{name}: {max(sizes):.1f} MB resident at most")
            self.assertLessEqual(max(sizes), limit, name)

    def test_a_dry_run_changes_nothing(self):
        site = self.wait_until_served()
        plans = operator_cli.plans(self.world)
        done = operator_cli.baton(self.world, "switchover", "--dry-run", self.world.data["pool"],
                                  "--reason", self.id())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("tail of mgc", done.stdout + done.stderr)
        self.assertEqual(self.wait_until_served(), site)
        self.assertEqual(operator_cli.plans(self.world), plans)

    def test_the_comparison_notices_what_is_lost_or_doubled(self):
        talk = self.talk()
        talk.wait_for_more(10)
        lost, doubled = [event["id"] for event in talk.events()
                         if event["event"] == "acknowledged"][:2]
        with self.databases[self.wait_until_served()].in_database("chat") as chat:
            chat.query(f"DELETE FROM prosodyarchive WHERE value ~ '{lost}[^0-9]'")
            chat.query('INSERT INTO prosodyarchive (host, "user", store, key, "when", "with", type,'
                       ' value) SELECT host, "user", store, key || \'again\', "when", "with", type,'
                       f" value FROM prosodyarchive WHERE value ~ '{doubled}[^0-9]'")
        result = talk.finish()
        self.assertEqual((result["lost_ids"], result["duplicated_ids"]), ([lost], [doubled]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
