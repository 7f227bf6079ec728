"""Single hosts are lost: chat servers, whose work a spare does, or the database's host alone."""

import unittest

from world_test import WorldTest, operator_cli


class LostHostsTest(WorldTest):
    def setUp(self):
        super().setUp()
        self.bring_everything_back()

    def tearDown(self):
        self.world.boot()
        self.wait_until_returned()

    def test_all_chat_servers_of_home_and_the_first_choice_elsewhere(self):
        page = self.page("chat-servers-lost")
        talk = self.talk()
        self.talk_on(talk)
        self.lose("hq-chat1", "hq-chat2", "dr-chat1")
        self.refuse("switchover", rules=["hq-chat1"], page=page)
        plan = self.succeed("switchover", "--lost-host", "hq-chat1", "--lost-host", "hq-chat2",
                            page=page)
        self.assertEqual(self.wait_until_served(), "dr")
        serving = [member["resource"]["host"] for member in operator_cli.members(self.world)
                   if member["assigned"] == "active"]
        self.assertEqual(serving, ["dr-chat2"])
        self.assertIn("dr-chat1", " ".join(plan["explanation"]), "it says why not the other one")
        talk.wait_for_more(20)
        page.baton("plan", "show", operator_cli.plan_id(self.world))
        self.assertEqual(self.finish_talk(talk)["lost"], 0, "a planned move loses nothing")
        self.world.boot()
        self.wait_until_returned()
        page.baton("status", self.world.data["pool"])

    def test_the_database_host_alone(self):
        page = self.page("database-host-lost")
        talk = self.talk()
        self.talk_on(talk)
        self.lose("hq-sql1")
        self.refuse("switchover", rules=["hq-sql1"], page=page)
        self.refuse("failover", rules=["NO_WORD"], page=page)
        self.refuse("failover", "--lost-site", "hq", rules=["LOST_HOST_REACHABLE"], page=page)
        plan = self.succeed("failover", "--lost-host", "hq-sql1", page=page)
        self.assertEqual(self.wait_until_served(), "dr")
        talk.wait_for_more(20)
        page.baton("plan", "show", operator_cli.plan_id(self.world))
        self.world.hosts["hq-sql1"].boot()
        self.wait_until_returned()
        page.baton("status", self.world.data["pool"])
        self.succeed("failback", page=page)
        self.assertEqual(self.wait_until_served(), "hq")
        talk.wait_for_more(20)
        result = self.finish_talk(talk, plan)
        self.assert_kept(result["lost_ids"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
