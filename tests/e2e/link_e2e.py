"""The link between the sites is cut and both sides live: the dangerous one."""

import time
import unittest

from world_test import WorldTest, operator_cli, say


class LinkTest(WorldTest):
    apart = True

    def setUp(self):
        super().setUp()
        self.mend_all()
        self.bring_everything_back()
        self.addCleanup(self.mend_all)

    def mend_all(self):
        for pair in (("hq", "dr"), ("hq", "witness"), ("dr", "witness")):
            self.world.wires().mend(*pair)

    def cut_sites_apart(self):
        """Each site loses sight of the other, its share included."""
        self.world.wires().cut("hq", "dr")
        self.world.hide_share("hq-logs", "dr-sql1")
        self.world.hide_share("dr-logs", "hq-sql1")

    def test_1_the_coordinator_sees_both(self):
        page = self.page("link-cut-coordinator-sees-both")
        talk = self.talk()
        self.talk_on(talk)
        self.cut_sites_apart()
        page.note("the link between hq and dr is cut; the coordinator sees both sites")
        self.refuse("failover", "--lost-site", "hq", page=page,
                    rules=["LOST_HOST_REACHABLE", "HOME_DATABASE_UP"])
        page.baton("switchover", self.world.data["pool"], "--dry-run")
        page.baton("status", self.world.data["pool"])
        self.assertEqual(self.wait_until_served(), "hq")
        self.assertEqual(self.finish_talk(talk)["unacknowledged"], 0, "nobody noticed anything")

    def test_2_a_false_word_and_the_first_contact(self):
        page = self.page("link-cut-false-word")
        talk = self.talk()
        self.talk_on(talk)
        self.cut_sites_apart()
        self.world.wires().cut("hq", "witness")
        page.note("hq is cut off from dr and from the coordinator, and still serves its people")
        self.wait_until_missed(*(host.name for host in self.world.hosts_of("hq")))
        page.baton("status", self.world.data["pool"])
        self.refuse("failover", rules=["NO_WORD"], page=page)
        self.assertEqual(self.chat_sites(), ["hq"], "it serves, whoever sees it")
        began = time.monotonic()
        page.note("somebody says that hq is lost. It is not")
        self.refuse("failover", "--lost-site", "hq", rules=["SHARE_UNREADABLE"], page=page)
        plan = self.succeed("failover", "--lost-site", "hq", "--override-rule", "SHARE_UNREADABLE",
                            page=page)
        self.assertEqual(sorted(self.writable_sites()), ["dr", "hq"], "a false word has its price")
        page.baton("status", self.world.data["pool"])
        page.note("the link is mended")
        self.world.show_shares()
        mended = time.monotonic()
        self.mend_all()
        self.wait_until_returned()
        fenced = time.monotonic()
        self.truth.allowed = (began, fenced)
        self.assert_nothing_at_home_since(fenced)
        first = self.truth.last_write["hq"]
        say(f"two masters from the false word until {first - mended:.2f} s after the first contact "
            f"was possible; all fenced after {fenced - mended:.2f} s")
        page.baton("status", self.world.data["pool"])
        self.assertEqual(self.wait_until_served(), "dr")
        talk.wait_for_more(20)
        self.succeed("failback", page=page)
        talk.wait_for_more(20)
        page.baton("quarantine", "list", self.world.data["pool"])
        result = self.finish_talk(talk, plan)
        self.assert_kept(result["lost_ids"])

    def assert_nothing_at_home_since(self, moment):
        goal = self.truth.rounds + 40
        while self.truth.rounds < goal:
            time.sleep(0.02)
            self.assertNotEqual(self.databases["hq"].state(), "primary")
        self.assertLess(self.truth.last_write["hq"], moment)

    def test_3_one_way_between_the_sites(self):
        talk = self.talk()
        self.talk_on(talk)
        self.world.wires().cut("hq", "dr", one_way=True)
        plan = self.succeed("switchover")
        self.assertEqual(plan["to_site"], "dr", "shares and coordinator are all that a move needs")
        self.assertEqual(self.finish_talk(talk)["lost"], 0)

    def test_4_one_way_to_the_coordinator_in_the_middle_of_a_move(self):
        for source, target in (("hq", "witness"), ("witness", "dr")):
            with self.subTest(source=source, target=target):
                talk = self.talk()
                self.start_switchover()
                self.world.wires().cut(source, target, one_way=True)
                time.sleep(self.random.uniform(0, 0.2))
                self.assert_served_at_one_site_at_most()
                self.mend_all()
                operator_cli.wait_for_agents(self.world)
                self.bring_home()
                self.wait_until_served()
                self.finish_talk(talk)


if __name__ == "__main__":
    unittest.main(verbosity=2)
