"""What every e2e test has: a world of its own, adopted, with people who talk and a ground truth."""

import os
import pathlib
import random
import sys
import time
import unittest

import builder
import network
import operator_cli
import orphans
import people
from event_stream import EventStream
from ground_truth import Database, GroundTruth, chat_serves
from host import WorldError, die_with_this_process
from page import Page

STATE = pathlib.Path(os.environ["BATON_DEMO_STATE"])
REFUSED = 3  # how `baton` ends when a rule forbids what was asked
COPY = pathlib.Path(os.environ["BATON_DEMO_COPY"])


def rounds(default):
    """How often a test repeats itself; BATON_TEST_ROUNDS says otherwise."""
    return int(os.environ.get("BATON_TEST_ROUNDS", default))


# What takes long, or is one more case of the same kind: only when asked for.
thorough = unittest.skipUnless("BATON_TEST_ROUNDS" in os.environ, "BATON_TEST_ROUNDS is not set")


def say(text):
    print(f"    {text}", file=sys.stderr, flush=True)


class WorldTest(unittest.TestCase):
    """One world for all tests of a class, in the order of their names."""

    apart = False  # True: its sites can be cut apart
    settings = {}  # further keys of every resource file
    talks = 0  # how many there have been: each has a log of its own

    @classmethod
    def setUpClass(cls):
        if cls.apart and not network.possible():
            raise unittest.SkipTest("only root can make sites that can be cut apart")
        die_with_this_process()
        cls.world = builder.create(STATE / cls.__name__, COPY, apart=cls.apart, **cls.settings)
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

    def talk_on(self, talk, count=20):
        """People talk, and what they said has reached the other site."""
        talk.wait_for_more(count)
        self.wait_until_follows("hq", "dr")

    def finish_talk(self, talk, *failovers):
        """Nothing acknowledged may be lost but what `failovers` (plans) had announced, and nothing
        doubled. The ids of what was lost are in the result."""
        result = talk.finish()
        self.assertGreater(result["acknowledged"], 0)
        self.assertEqual(result["duplicated"], 0, result)
        times = people.acknowledged_times(talk.events())
        points = [operator_cli.announced_loss(plan)["point"] for plan in failovers]
        self.assertNotIn(None, points, "the loss was announced with a bound")
        promised = [name for name in result["lost_ids"]
                    if times[name] < min(points, default=float("inf"))]
        self.assertEqual(promised, [], "acknowledged before the announced point, or in a planned "
                         "move, and lost")
        say(f"{result['acknowledged']} messages acknowledged, {result['lost']} lost"
            f"{' as announced' if result['lost'] else ''}, none doubled")
        return result

    def assert_kept(self, lost_ids):
        """Each of the lost messages can be read in quarantine."""
        found = set()
        for host, entry in orphans.entries(self.world):
            found |= orphans.message_ids(self.world, host, entry)
        self.assertEqual(set(lost_ids) - found, set(), "lost, and not in quarantine either")

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
        return self.succeed("switchover")

    def page(self, name):
        """What an operator sees from here on is kept under this name."""
        return Page(self.world, name)

    def command(self, verb, *words, page=None):
        """`baton VERB POOL ...` with a reason, without questions. Returns the finished process."""
        typed = (verb, "--yes", self.world.data["pool"], *words, "--reason", self.id())
        return page.baton(*typed) if page else operator_cli.baton(self.world, *typed)

    def succeed(self, verb, *words, page=None):
        """A plan that must succeed. Returns it."""
        done = self.command(verb, *words, page=page)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return operator_cli.show_plan(self.world)

    def refuse(self, verb, *words, rules, page=None):
        """A plan that must be refused by these rules, and leave no trace. Returns what was said."""
        before = operator_cli.plans(self.world)
        done = self.command(verb, *words, page=page)
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, REFUSED, said)
        for rule in rules:
            self.assertIn(rule, said)
        self.assertEqual(operator_cli.plans(self.world), before)
        return said

    def start(self, verb, *words):
        """Begins a plan, as soon as the pool is ready for one: what was rebooted may still start."""
        def begun():
            done = self.command(verb, *words, "--no-wait")
            if done.returncode not in (0, REFUSED):
                raise AssertionError(done.stdout + done.stderr)
            return done.returncode == 0
        self.wait_for("the pool to be ready for a move", begun, seconds=60)

    def start_switchover(self):
        self.start("switchover")

    # --- losses and returns ---

    def lose(self, *hosts):
        """kill -9 of everything on these hosts; returns when, once the coordinator has noticed."""
        died = time.monotonic()
        self.world.kill(self.world.hosts[host] for host in hosts)
        self.wait_until_missed(*hosts)
        return died

    def lose_site(self, site):
        return self.lose(*(host.name for host in self.world.hosts_of(site)))

    def wait_until_missed(self, *hosts, seconds=30):
        self.wait_for(f"the coordinator to miss {hosts}",
                      lambda: not operator_cli.connected_agents(self.world) & set(hosts), seconds)

    def wait_until_returned(self):
        """Every agent is there, and nothing is left to be fenced."""
        operator_cli.wait_for_agents(self.world)
        operator_cli.wait_until_fenced(self.world)

    def bring_everything_back(self):
        """Roles as at the start: served at home, the other site follows."""
        self.world.show_shares()
        self.world.boot()
        self.wait_until_returned()
        if self.wait_until_served() != "hq":
            self.succeed("failback")
        elif not self.pool()["protected"]:
            self.succeed("protect")
        self.wait_until_served("hq")
        self.wait_until_follows("hq", "dr")

    def pool(self):
        return operator_cli.document(self.world, "status", self.world.data["pool"])["pools"][0]

    def newest_plan(self):
        return operator_cli.plans(self.world)[0]

    def bring_home(self, seconds=60):
        """Waits until the newest plan ends, resuming it whenever it waits for that. Returns its
        state."""
        resumed = 0

        def ended():
            nonlocal resumed
            plan = self.newest_plan()
            if operator_cli.waits(plan):
                self.assertTrue(plan.get("waiting_for"), "a plan that waits says what for")
                self.assert_served_at_one_site_at_most()
                if "goes on by itself" in plan["waiting_for"]:
                    return None
                self.assertLess(resumed, 60, f"the plan still waits: {plan['waiting_for']}")
                operator_cli.baton(self.world, "resume", "--yes", self.world.data["pool"],
                                   "--reason", f"{self.id()} {resumed}")
                resumed += 1
                return None
            return plan if operator_cli.ended(plan) else None
        plan = self.wait_for("the plan to end", ended, seconds, interval=0.2)
        say(f"the plan ended as {plan['state']}, resumed {resumed} times")
        return plan


__all__ = ["WorldTest", "WorldError", "EventStream", "operator_cli", "rounds", "say", "thorough",
           "STATE", "COPY"]
