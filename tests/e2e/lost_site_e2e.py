"""The home site is gone, all of it; the other one takes over; and then the dead come back."""

import pathlib
import time
import unittest

import orphans
import people
from world_test import WorldTest, operator_cli, rounds, say, thorough

QUIET_ROUNDS = 40  # looks at both sites without a second master, where only time can tell
BETWEEN = 10  # such looks between what is started one after the other


class LostSiteTest(WorldTest):
    def setUp(self):
        super().setUp()
        self.bring_everything_back()

    def fail_over(self, talk, *words, page=None):
        """Everything at home dies while people talk. Returns the failover's plan."""
        self.talk_on(talk, 30)
        died = self.lose_site("hq")
        began = time.monotonic()
        plan = self.succeed("failover", "--lost-site", "hq", *words, page=page)
        self.assertEqual(self.wait_until_served(), "dr")
        talk.wait_for_more(20)
        first = people.first_acknowledged(talk.events(), began)
        say(f"command to first message {first - began:.2f} s, {began - died:.2f} s after the loss")
        return plan

    def never_again_at_home(self, looks=QUIET_ROUNDS):
        """From here on no write is accepted at home, for a while."""
        self.truth.last_write.pop("hq", None)
        goal = self.truth.rounds + looks
        while self.truth.rounds < goal:
            time.sleep(0.02)
            self.assertNotEqual(self.databases["hq"].state(), "primary")
        self.assertNotIn("hq", self.truth.last_write)

    def story(self, come_back, name):
        """Loss, failover, `come_back` in some order, failback; what was lost is in quarantine, until
        it is removed."""
        page = self.page(name)
        talk = self.talk()
        page.baton("status", self.world.data["pool"])
        plan = self.fail_over(talk, page=page)
        page.note("the site comes back")
        come_back()
        self.never_again_at_home()
        operator_cli.wait_for_agents(self.world)
        self.wait_until_returned()
        self.never_again_at_home()
        self.assert_returned_fenced(page)
        self.succeed("failback", page=page)
        self.assertEqual(self.wait_until_served(), "hq")
        self.wait_until_follows("hq", "dr")
        talk.wait_for_more(20)
        result = self.finish_talk(talk, plan)
        kept = self.assert_quarantined(page)
        page.baton("status", self.world.data["pool"])
        self.assert_kept(result["lost_ids"])
        self.remove_quarantine(kept, page)

    def assert_returned_fenced(self, page):
        """`status` says so of the old primary, and how much log it holds that nobody else has."""
        def told():
            said = operator_cli.checked(self.world, "status", self.world.data["pool"])
            return "returned, fenced: hq-sql1/mgc holds" in said and "beyond the fork" in said
        self.wait_for("status to tell what the old primary holds", told)
        page.baton("status", self.world.data["pool"])
        member = next(member for member in operator_cli.members(self.world)
                      if member["resource"]["host"] == "hq-sql1")
        self.assertGreater(int(member["orphan_bytes"]), 0)
        fence = member["observation"]["fence"]
        self.assertIn(fence["phase"], ("FENCE_PHASE_CLOSING", "FENCE_PHASE_CLOSED"))
        self.assertTrue(fence["proven"], "nothing that could write lives there")

    def assert_quarantined(self, page):
        """What was moved aside last is listed, and can be looked at. Returns its name."""
        pool = self.world.data["pool"]
        host, entry = orphans.entries(self.world)[0]
        name = entry["name"]
        self.assertEqual(host, "hq-sql1")
        self.assertIn(name, page.baton("quarantine", "list", pool).stdout)
        shown = page.baton("quarantine", "show", pool, "hq-sql1/mgc", name)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        for said in (name, "beyond the fork", "commits there", "baton quarantine remove"):
            self.assertIn(said, shown.stdout)
        self.assertTrue(self.quarantine(name).is_dir())
        return name

    def quarantine(self, name):
        return pathlib.Path(self.world.database("hq")["quarantine_directory"]) / name

    def remove_quarantine(self, name, page):
        pool = self.world.data["pool"]
        done = page.baton("quarantine", "remove", "--yes", pool, "hq-sql1/mgc", name, "--reason",
                          self.id())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertFalse(self.quarantine(name).exists(), "it is gone for good")
        self.wait_for("the list to be without it", lambda: name not in [
            entry["name"] for _, entry in orphans.entries(self.world)])

    def home(self):
        return self.world.hosts_of("hq")

    def start_supervisors(self):
        for host in self.home():
            for resource in host.description["resources"]:
                host.start_supervisor(resource)

    def start_agents(self):
        for host in self.home():
            host.start_agent()

    def power_on(self, same_boot=False):
        for host in self.home():
            host.power_on(same_boot)

    def in_any_order(self):
        """Supervisors and agents of database and chat servers, one after the other, shuffled."""
        same_boot = self.random.random() < 0.5
        self.power_on(same_boot)
        starts = [(f"agent of {host.name}", host.start_agent) for host in self.home()]
        starts += [(f"supervisor of {host.name}", lambda host=host, name=name:
                    host.start_supervisor(name))
                   for host in self.home() for name in host.description["resources"]]
        self.random.shuffle(starts)
        say(f"{'without' if same_boot else 'after'} a reboot: "
            + ", ".join(name for name, _ in starts))
        for _, start in starts:
            start()
            self.never_again_at_home(BETWEEN)

    def test_1_in_any_order(self):
        self.story(self.in_any_order, "dead-site-returns")

    @thorough
    def test_1_all_at_once_after_a_reboot(self):
        self.story(lambda: self.world.bring_back("hq"), "dead-site-returns-at-once")

    def supervisors_first(self, same_boot):
        self.power_on(same_boot)
        self.start_supervisors()
        self.never_again_at_home()
        self.start_agents()

    def test_2_supervisors_first_without_a_reboot(self):
        self.story(lambda: self.supervisors_first(same_boot=True), "dead-site-supervisors-first")

    @thorough
    def test_3_supervisors_first_after_a_reboot(self):
        self.story(lambda: self.supervisors_first(same_boot=False), "dead-site-reboot")

    @thorough
    def test_4_agents_first(self):
        for same_boot in (True, False):
            with self.subTest(same_boot=same_boot):
                def agents_first(same_boot=same_boot):
                    self.power_on(same_boot)
                    self.start_agents()
                    operator_cli.wait_for_agents(self.world)
                    self.start_supervisors()
                self.story(agents_first, "dead-site-agents-first")

    @thorough
    def test_5_while_the_coordinator_is_dead(self):
        def without_coordinator():
            self.world.hosts["co1"].kill("coordinator")
            self.world.bring_back("hq", same_boot=self.random.random() < 0.5)
            self.never_again_at_home()
            self.world.hosts["co1"].start_coordinator()
        self.story(without_coordinator, "dead-site-coordinator-dead")

    @thorough
    def test_6_it_dies_again_while_it_is_fenced(self):
        def twice():
            self.world.bring_back("hq")
            self.world.lose("hq")
            self.world.bring_back("hq", same_boot=True)
        self.story(twice, "dead-site-dies-again")

    def test_7_salvage_from_its_disk_loses_nothing(self):
        talk = self.talk()
        disk = self.world.database("hq")["data_directory"]
        self.fail_over(talk, "--salvage", f"hq-sql1={disk}")
        self.assertEqual(self.finish_talk(talk)["lost"], 0)

    def test_8_false_words_are_refused(self):
        page = self.page("false-words")
        talk = self.talk()
        self.refuse("failover", "--lost-site", "hq", page=page,
                    rules=["LOST_HOST_REACHABLE", "HOME_DATABASE_UP", "baton switchover"])
        self.refuse("failover", "--lost-site", "dr", rules=["LOST_HOST_REACHABLE"], page=page)
        self.refuse("failover", rules=["HOME_DATABASE_UP"], page=page)
        self.talk_on(talk)
        self.lose_site("hq")
        self.refuse("failover", rules=["NO_WORD"], page=page)
        self.refuse("failover", "--lost-host", "hq-chat1", rules=["NO_WORD"], page=page)
        self.refuse("failover", "--lost-site", "dr", rules=["LOST_HOST_REACHABLE"], page=page)
        self.refuse("failover", "--lost-site", "hq", "--max-loss", "1ms",
                    rules=["LOSS_OVER_LIMIT"], page=page)
        plan = self.succeed("failover", "--lost-site", "hq", page=page)
        talk.wait_for_more(20)
        self.finish_talk(talk, plan)

    @thorough
    def test_9_the_other_site_is_lost_while_unprotected(self):
        page = self.page("lost-while-unprotected")
        talk = self.talk()
        plan = self.fail_over(talk)
        self.finish_talk(talk, plan)
        self.world.bring_back("hq")
        self.wait_until_returned()
        self.lose_site("dr")
        self.refuse("failover", "--lost-site", "dr", rules=["UNPROTECTED"], page=page)
        self.succeed("failover", "--lost-site", "dr", "--override-rule", "UNPROTECTED",
                     "--allow-loss", "any", page=page)
        self.assertEqual(self.wait_until_served(), "hq")

    def test_again_and_again(self):
        for _ in range(rounds(0)):
            self.bring_everything_back()
            self.story(self.in_any_order, "dead-site-again")


if __name__ == "__main__":
    unittest.main(verbosity=2)
