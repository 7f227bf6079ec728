"""The share is full, unreachable, or has a gap in the log chain."""

import pathlib
import unittest

import filesystem
from world_test import WorldTest, operator_cli, thorough


class ShareTest(WorldTest):
    apart = True  # as root, in a mount namespace of its own: a share can be made small

    def setUp(self):
        super().setUp()
        self.bring_everything_back()

    def share(self, site):
        return pathlib.Path(self.world.data["shares"][f"{site}-logs"]["path"])

    def log_files(self, site):
        return sorted(path for path in self.share(site).glob("*/*/*/*/*") if len(path.name) == 24)

    def dr_member(self):
        return next(member for member in operator_cli.members(self.world)
                    if member["resource"]["host"] == "dr-sql1")

    def test_1_full(self):
        page = self.page("share-full")
        share = self.share("hq")
        aside = share.with_name("aside")
        share.rename(aside)
        share.mkdir()
        with filesystem.small(share, "64k"):
            (share / ".baton-share").write_text("hq-logs\n", encoding="ascii")
            talk = self.talk()
            self.wait_for("the archiver's failure to be seen", lambda: any(
                member["observation"].get("database", {}).get("archive_failure")
                for member in operator_cli.members(self.world)))
            page.baton("status", self.world.data["pool"])
            done = self.command("switchover", page=page)
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(self.wait_until_served(), "hq")
            talk.wait_for_more(20)
            self.assertEqual(self.finish_talk(talk)["lost"], 0)
        share.rmdir()
        aside.rename(share)
        self.wait_until_follows("hq", "dr")

    def test_2_gone_with_its_site(self):
        page = self.page("share-lost-with-its-site")
        talk = self.talk()
        self.talk_on(talk, 30)
        self.lose_site("hq")
        self.world.hide_share("hq-logs")
        self.wait_for("the share to be missed",
                      lambda: self.dr_member()["observation"]["database"].get("share_problem"))
        self.refuse("failover", "--lost-site", "hq", rules=["SHARE_UNREADABLE"], page=page)
        plan = self.succeed("failover", "--lost-site", "hq", "--override-rule", "SHARE_UNREADABLE",
                            page=page)
        self.assertEqual(self.wait_until_served(), "dr")
        talk.wait_for_more(20)
        self.assertTrue(plan["overrides"])
        self.finish_talk(talk, plan)

    def test_3_a_gap(self):
        page = self.page("share-gap")
        talk = self.talk()
        self.talk_on(talk)
        machine = self.world.hosts["dr-sql1"]
        machine.power_off()
        known = set(self.log_files("hq"))
        self.wait_for("further log files",
                      lambda: talk.acknowledged() and len(self.log_files("hq")) > len(known) + 3)
        missing = [path for path in self.log_files("hq") if path not in known][1]
        missing.unlink()
        machine.boot()
        operator_cli.wait_for_agents(self.world)
        self.wait_for("the gap to be seen",
                      lambda: self.dr_member()["observation"]["database"].get("gap"))
        page.baton("status", self.world.data["pool"])
        self.refuse("switchover", rules=[missing.name], page=page)
        self.lose_site("hq")
        self.refuse("failover", "--lost-site", "hq", rules=["LOG_GAP", missing.name], page=page)
        plan = self.succeed("failover", "--lost-site", "hq", "--override-rule", "LOG_GAP",
                            "--allow-loss", "5m", page=page)
        self.assertEqual(self.wait_until_served(), "dr")
        talk.wait_for_more(20)
        self.finish_talk(talk, plan)

    @thorough
    def test_4_no_room_for_a_quarantine(self):
        page = self.page("quarantine-no-room")
        talk = self.talk()
        self.talk_on(talk, 30)
        self.lose_site("hq")
        plan = self.succeed("failover", "--lost-site", "hq")
        quarantine = pathlib.Path(self.world.database("hq")["quarantine_directory"])
        quarantine.mkdir(exist_ok=True)
        with filesystem.small(quarantine, "1m"):
            self.world.bring_back("hq")
            self.wait_until_returned()
            done = self.command("failback", page=page)
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(self.wait_until_served(), "dr")
            page.baton("plan", "show", operator_cli.plan_id(self.world))
        self.bring_home()
        self.bring_everything_back()
        talk.wait_for_more(20)
        self.assert_kept(self.finish_talk(talk, plan)["lost_ids"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
