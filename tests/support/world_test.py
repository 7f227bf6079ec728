"""What every e2e test has: a world of its own, adopted, with people who talk and a ground truth."""

import os
import pathlib
import random
import sys
import time
import unittest

import builder
import operator_cli
import people
from ground_truth import Database, GroundTruth, chat_serves
from host import WorldError, die_with_this_process

STATE = pathlib.Path(os.environ["BATON_DEMO_STATE"])
REFUSED = 3  # how `baton` ends when a rule forbids what was asked
COPY = pathlib.Path(os.environ["BATON_DEMO_COPY"])


def rounds(default):
    """How often a test repeats itself; BATON_TEST_ROUNDS says otherwise."""
    return int(os.environ.get("BATON_TEST_ROUNDS", default))


def say(text):
    print(f"    {text}", file=sys.stderr, flush=True)


class WorldTest(unittest.TestCase):
    """One world for all tests of a class, in the order of their names."""

    apart = False  # True: its sites can be cut apart
    talks = 0  # how many there have been: each has a log of its own

    @classmethod
    def setUpClass(cls):
        die_with_this_process()
        cls.world = builder.create(STATE / cls.__name__, COPY, apart=cls.apart)
        cls.addClassCleanup(cls.world.power_off)
        cls.world.boot()
        operator_cli.bring_into_service(cls.world, "end-to-end test", say)
        password = cls.world.account("superuser")["password"]
        cls.databases = {site: Database(cls.world.database(site), password)
                         for site in cls.world.data["sites"]}
        cls.databases["hq"].prepare()
        seed = int(os.environ.get("BATON_TEST_SEED", time.time_ns() % 1_000_000))
        say(f"BATON_TEST_SEED={seed}")
        cls.random = random.Random(seed)

    def setUp(self):
        self.truth = GroundTruth(self.world)
        self.truth.start()
        self.addCleanup(self.check_truth)

    def check_truth(self):
        self.assertEqual(self.truth.stop(), [])
        self.assertGreater(self.truth.rounds, 0)

    # --- people ---

    def talk(self):
        """People talk until the test ends; finish_talk() says whether all was kept."""
        WorldTest.talks += 1
        talk = people.Talk(self.world, COPY, STATE / f"{WorldTest.talks}.talk.log")
        self.addCleanup(talk.kill)
        talk.wait_until_talking()
        return talk

    def finish_talk(self, talk):
        result = talk.finish()
        self.assertGreater(result["acknowledged"], 0)
        self.assertEqual((result["lost"], result["duplicated"]), (0, 0), result)
        return result

    # --- the pool ---

    def sites_with(self, looks):
        return [site for site in self.world.data["sites"] if looks(site)]

    def chat_sites(self):
        def serves(site):
            return any(chat_serves(chat["address"], chat["port"])
                       for chat in self.world.chat_servers(site))
        return self.sites_with(serves)

    def writable_sites(self):
        return self.sites_with(lambda site: self.databases[site].state() == "primary")

    def wait_for(self, what, condition, seconds=30, interval=0.02):
        return operator_cli.wait_for(what, condition, seconds, interval)

    def wait_until_served(self, site=None, seconds=30):
        """Exactly one site serves chat, at the writable database; `site` if given. Returns it."""
        def served():
            chat, writable = self.chat_sites(), self.writable_sites()
            right = len(chat) == 1 and chat == writable and site in (None, chat[0])
            return chat[0] if right else None
        return self.wait_for(f"chat to be served at {site or 'one site'}", served, seconds)

    def assert_served_at_one_site_at_most(self):
        self.assertLessEqual(len(self.writable_sites()), 1)
        self.assertLessEqual(len(self.chat_sites()), 1)

    def assert_read_only(self, site):
        """The site's database comes up and refuses writes."""
        database = self.databases[site]
        self.wait_for(f"the database at {site} to answer", lambda: database.state() != "down")
        self.assertEqual(database.state(), "standby")
        self.assertFalse(database.accepts_write())

    def wait_until_follows(self, source, target, seconds=30):
        """What was written at `source` before the call has reached `target`."""
        position = self.databases[source].query("SELECT pg_current_wal_insert_lsn()")[0][0]
        self.databases[source].accepts_write()

        def there():
            if self.databases[target].state() != "standby":
                return False
            return self.databases[target].query(
                f"SELECT pg_last_wal_replay_lsn() >= '{position}'")[0][0]
        self.wait_for(f"the database at {target} to follow {source}", there, seconds)

    # --- plans ---

    def switch_over(self):
        """A planned move that must succeed. Returns the plan."""
        done = operator_cli.baton(self.world, "switchover", "--yes", self.world.data["pool"],
                                  "--reason", self.id())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return operator_cli.show_plan(self.world)

    def start_switchover(self):
        """Begins a move, as soon as the pool is ready for one: what was rebooted may still start."""
        def begun():
            done = operator_cli.baton(self.world, "switchover", "--yes", "--no-wait",
                                      self.world.data["pool"], "--reason", self.id())
            if done.returncode not in (0, REFUSED):
                raise AssertionError(done.stdout + done.stderr)
            return done.returncode == 0
        self.wait_for("the pool to be ready for a move", begun, seconds=60)

    def newest_plan(self):
        return operator_cli.plans(self.world)[0]

    def bring_home(self, seconds=60):
        """Waits until the newest plan ends, resuming it whenever it waits. Returns its state."""
        resumed = 0

        def ended():
            nonlocal resumed
            plan = self.newest_plan()
            if operator_cli.waits(plan):
                self.assertTrue(plan.get("waiting_for"), "a plan that waits says what for")
                self.assert_served_at_one_site_at_most()
                self.assertLess(resumed, 60, f"the plan still waits: {plan['waiting_for']}")
                operator_cli.baton(self.world, "resume", "--yes", self.world.data["pool"],
                                   "--reason", f"{self.id()} {resumed}")
                resumed += 1
                return None
            return plan if operator_cli.ended(plan) else None
        plan = self.wait_for("the plan to end", ended, seconds, interval=0.2)
        say(f"the plan ended as {plan['state']}, resumed {resumed} times")
        return plan


__all__ = ["WorldTest", "WorldError", "operator_cli", "rounds", "say", "STATE", "COPY"]
