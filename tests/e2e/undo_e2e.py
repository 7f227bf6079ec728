"""Each step of a planned move is made to fail for real: chat is served where it was, nothing lost.
Past the point of no return the move waits visibly, and goes on once the fault is mended."""

import contextlib
import os
import pathlib
import shutil
import signal
import unittest

import postgres
from world_test import REFUSED, EventStream, WorldTest, operator_cli, say, thorough

ENDS = ("PLAN_SUCCEEDED", "PLAN_UNDONE", "PLAN_FAILED")
ABORTED = 1  # how `baton abort` ends where nothing is taken back


@contextlib.contextmanager
def read_only(*folders):
    """Nobody can make or remove a file there."""
    for folder in folders:
        folder.chmod(0o500)
    try:
        yield
    finally:
        for folder in folders:
            folder.chmod(0o700)


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


class UndoTest(WorldTest):
    settings = {"stop_timeout": "5s"}

    def setUp(self):
        super().setUp()
        self.bring_everything_back()

    def epoch_of(self, epoch):
        return int(epoch["generation"]), int(epoch["counter"])

    def epoch(self):
        return self.epoch_of(self.pool()["epoch"])

    def move_that_fails(self, failing_step, fault, after="Drain", event="STEP_STARTED",
                        moved=True):
        """Begins a switchover; `fault` (a context manager) is there from the first `event` with
        `after` in its text (None: from before the move) until the plan takes itself back, which it
        must do because of `failing_step`. Not `moved`: it must end before anything is moved."""
        page = self.page(f"undo-{failing_step.lower().replace(' ', '-').replace('/', '-')}")
        talk = self.talk()
        talk.wait_for_more(20)
        before = self.epoch()
        with EventStream(self.world) as stream, contextlib.ExitStack() as stack:
            if after is None:
                stack.enter_context(fault)
            self.start_switchover()
            if after is not None:
                say(stream.wait_for_text(event, after))
                stack.enter_context(fault)
            ended = stream.wait_for(1, ("UNDO_STARTED", *ENDS), seconds=150)
            say(f"the fault ends: {ended}")
        self.bring_home(seconds=150)
        page.baton("plan", "show", operator_cli.plan_id(self.world))
        plan = operator_cli.show_plan(self.world)
        if moved:
            self.assert_undone(plan)
        else:
            self.assert_nothing_moved(plan, before)
        self.assertEqual(self.wait_until_served(), "hq", "chat is back where it was")
        talk.wait_for_more(20)
        result = self.finish_talk(talk)
        self.assertEqual(result["lost"], 0)
        if not moved:
            self.assertEqual(result["unacknowledged"], 0, "nobody noticed anything")
        self.assertIn(failing_step, ended)
        self.wait_until_follows("hq", "dr")

    def assert_undone(self, plan):
        """The right was given back under an epoch above the one that the move had taken."""
        self.assertEqual(plan["state"], "PLAN_STATE_UNDONE", plan["end_text"])
        back = self.epoch_of(plan["undo_epoch"])
        self.assertGreater(back, self.epoch_of(plan["epoch"]))
        self.assertGreater(self.epoch_of(plan["epoch"]), self.epoch_of(plan["epoch_before"]))
        self.assertEqual(self.epoch(), back, "the pool is under the epoch of the undo")

        def serves_under_it():
            fence = next(member["observation"]["fence"]
                         for member in operator_cli.members(self.world)
                         if member["resource"]["host"] == "hq-chat1")
            return (fence["phase"] == "FENCE_PHASE_OPEN"
                    and self.epoch_of(fence["fence_epoch"]) == back)
        self.wait_for("chat to be seen to serve under the epoch of the undo", serves_under_it)

    def assert_nothing_moved(self, plan, before):
        self.assertEqual(plan["state"], "PLAN_STATE_FAILED", plan["end_text"])
        self.assertIn("nothing was moved", plan["end_text"])
        self.assertEqual(self.epoch(), before)
        self.assertEqual([step["title"] for step in plan["steps"]
                          if step["raises_epoch"] and step["attempt"]], [])

    def move_that_waits(self, failing_step, page, fault, inside):
        """Begins a switchover that must wait because of `failing_step`: past the point of no
        return. It happens while `fault` is there; `inside` goes on once that holds."""
        talk = self.talk()
        talk.wait_for_more(20)
        with EventStream(self.world) as stream, contextlib.ExitStack() as stack:
            self.start_switchover()
            inside(stream, lambda: stack.enter_context(fault))
            waits = stream.wait_for(1, ("PLAN_WAITING", "UNDO_STARTED", *ENDS), seconds=150)
            say(waits)
            self.assertTrue(waits.startswith("PLAN_WAITING"), waits)
            self.assertIn(failing_step, waits)
            plan = operator_cli.show_plan(self.world)
            self.assertEqual(plan["state"], "PLAN_STATE_WAITING")
            self.assertIn(f"baton resume {self.world.data['pool']}", plan["waiting_for"])
            shown = page.baton("plan", "show", operator_cli.plan_id(self.world)).stdout
            self.assertIn(failing_step, shown)
            self.assertRegex(shown, r"(?m)^ *baton resume .* yes ")
            self.assert_served_at_one_site_at_most()
            self.assertEqual(self.chat_sites(), [], "nobody serves beside the plan")
        page.note("the fault is mended")
        done = self.command("resume", page=page)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        plan = operator_cli.show_plan(self.world)
        self.assertEqual(plan["state"], "PLAN_STATE_SUCCEEDED")
        self.assertEqual(self.pool()["epoch"], plan["epoch"], "no other epoch was needed")
        self.assertEqual(self.wait_until_served(), "dr")
        talk.wait_for_more(20)
        self.assertEqual(self.finish_talk(talk)["lost"], 0)

    def folder(self, host, resource, key):
        return pathlib.Path(self.world.data["hosts"][host]["resources"][resource][key])

    def archive(self):
        """The folder that home ships its log to now."""
        share = pathlib.Path(self.world.data["shares"]["hq-logs"]["path"])
        return max((path for path in share.glob("*/*/*/*") if path.is_dir()),
                   key=lambda path: path.stat().st_mtime)

    def backend(self, site, kind):
        return self.databases[site].query(
            f"SELECT pid FROM pg_stat_activity WHERE backend_type = '{kind}'")[0][0]

    @contextlib.contextmanager
    def replay_paused(self):
        # Another connection: the fault begins in the middle of other looks at the database.
        self.databases["dr"].query("SELECT pg_wal_replay_pause()")
        try:
            yield
        finally:
            self.databases["dr"].query("SELECT pg_wal_replay_resume()")

    @contextlib.contextmanager
    def held_before_recover(self, stream):
        """The tail is shipped, and not applied to its end at the other site before this ends."""
        say(stream.wait_for_text("STEP_STARTED", "Drain"))
        with self.replay_paused():
            say(stream.wait_for_text("STEP_STARTED", "Apply"))
            yield

    @contextlib.contextmanager
    def stubborn_session(self, site):
        """A session of that database that does not end, whoever tells it to."""
        password = self.world.account("superuser")["password"]
        connection = postgres.connect(self.world.database(site), password)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid = cursor.fetchone()[0]
        with stopped(pid):
            yield
        connection.close()

    @thorough
    def test_check_of_the_database(self):
        self.move_that_fails("Check that hq-sql1 serves", stopped(self.backend("hq", "archiver")),
                             after=None, moved=False)

    @thorough
    def test_check_of_a_chat_server(self):
        @contextlib.contextmanager
        def unreadable(file):
            file.chmod(0o000)
            try:
                yield
            finally:
                file.chmod(0o600)
        self.move_that_fails("Check dr-chat1/prosody",
                             unreadable(self.folder("dr-chat1", "prosody", "token_file")),
                             after=None, moved=False)

    @thorough
    def test_end_connections(self):
        self.move_that_fails("End the connections", self.stubborn_session("hq"), after=None)

    def test_recover(self):
        """It cannot write down that it may write."""
        run = self.folder("dr-sql1", "mgc", "fence_file").parent

        def before_recover(stream, begin_fault):
            with self.held_before_recover(stream):
                begin_fault()
        self.move_that_waits("Recover", self.page("wait-recover"), read_only(run), before_recover)

    def test_activate(self):
        run = self.folder("dr-chat1", "prosody", "fence_file").parent

        def from_drain_on(stream, begin_fault):
            say(stream.wait_for_text("STEP_STARTED", "Drain"))
            begin_fault()
        self.move_that_waits("Activate", self.page("wait-activate"), read_only(run), from_drain_on)

    @thorough
    def test_the_old_primary_cannot_start_again(self):
        """Its disk dies after the tail was shipped, and the move fails: nobody has its right."""
        page = self.page("undo-old-primary-dead")
        pool = self.world.data["pool"]
        data = self.folder("hq-sql1", "mgc", "data_directory")
        talk = self.talk()
        talk.wait_for_more(20)
        with EventStream(self.world) as stream:
            self.start_switchover()
            with self.held_before_recover(stream):
                data.rename(data.with_name("unusable"))
                failed = stream.wait_for(1, ("UNDO_STARTED", *ENDS), seconds=150)
                say(failed)
                self.assertTrue(failed.startswith("UNDO_STARTED"), failed)
            say(stream.wait_for(1, ("PLAN_WAITING", *ENDS), seconds=150))
        plan = operator_cli.show_plan(self.world)
        page.baton("plan", "show", operator_cli.plan_id(self.world))
        self.assertEqual(plan["state"], "PLAN_STATE_WAITING")
        self.assertIn("mgc on hq-sql1", plan["waiting_for"])
        self.assertIn(f"baton abort {pool}", plan["waiting_for"])
        self.assertIn(f"baton failover {pool}", plan["waiting_for"])
        self.assertIn("loses nothing", plan["waiting_for"], "it states the loss")
        self.assertEqual((self.chat_sites(), self.writable_sites()), ([], []))
        page.note("what it says is done")
        self.assertEqual(self.command("abort", page=page).returncode, ABORTED)
        tried = page.baton("failover", pool, "--dry-run")
        self.assertEqual(tried.returncode, 0, tried.stdout + tried.stderr)
        plan = self.succeed("failover", page=page)
        self.assertTrue(all(loss["nothing"] for loss in plan["losses"]), plan["losses"])
        self.assertEqual(self.wait_until_served(), "dr")
        talk.wait_for_more(20)
        self.assertEqual(self.finish_talk(talk)["lost"], 0, "as it said")
        page.note("a new disk, empty")
        shutil.rmtree(data.with_name("unusable"))
        self.succeed("failback", page=page)
        self.wait_until_served("hq")

    def test_ship_tail(self):
        """After the fence: the old primary takes its right back from its own log."""
        self.move_that_fails("Ship the tail", read_only(self.archive()))

    @thorough
    def test_point_at(self):
        file = self.folder("dr-chat1", "prosody", "database_file")
        file.unlink(missing_ok=True)  # of an earlier move: it may say so already
        archiver = self.backend("hq", "archiver")

        @contextlib.contextmanager
        def fault():
            with read_only(file.parent):
                os.kill(archiver, signal.SIGCONT)
                yield
        # The check of the database does not end before the fault is there.
        with stopped(archiver):
            self.move_that_fails("Point dr-chat1", fault(), after="Check dr-chat1/prosody",
                                 event="STEP_SUCCEEDED", moved=False)

    @thorough
    def test_drain(self):
        chat = self.world.chat_servers("hq")[0]
        pid = int(pathlib.Path(chat["pid_file"]).read_text(encoding="ascii"))
        self.move_that_fails("Drain", stopped(pid), after="", event="EPOCH_RAISED")

    @thorough
    def test_deactivate(self):
        # It cannot write its fence file.
        self.move_that_fails("Deactivate", read_only(self.folder("hq-chat1", "prosody",
                                                                 "fence_file").parent))

    @thorough
    def test_end_connections_and_fence(self):
        # Connections are still made; the clean stop waits for a checkpoint that never comes.
        self.move_that_fails("Fence", stopped(self.backend("hq", "checkpointer")))

    @thorough
    def test_copy_pending_logs(self):
        self.move_that_fails("Copy", read_only(self.folder("dr-sql1", "mgc", "fence_file").parent),
                             after="Ship the tail")

    @thorough
    def test_apply_pending_logs(self):
        self.move_that_fails("Apply", self.replay_paused())

    @thorough
    def test_the_backup_is_dead_when_the_tail_is_shipped(self):
        @contextlib.contextmanager
        def off():
            self.world.hosts["dr-sql1"].power_off()
            yield
            self.world.hosts["dr-sql1"].boot()
        self.move_that_fails("on dr-sql1", off(), after="Fence")

    @thorough
    def test_an_operator_aborts_in_the_middle(self):
        for step in ("Drain", "Fence", "Ship the tail", "Apply"):
            with self.subTest(step=step):
                self.bring_everything_back()
                talk = self.talk()
                talk.wait_for_more(20)
                with EventStream(self.world) as stream:
                    self.start_switchover()
                    stream.wait_for_text("STEP_STARTED", step)
                    done = operator_cli.baton(self.world, "abort", "--yes",
                                              self.world.data["pool"], "--reason", self.id())
                say(done.stdout.strip().splitlines()[-1:] or done.stderr)
                if self.bring_home()["state"] == "PLAN_STATE_FAILED":
                    self.give_the_right_to_somebody()
                self.wait_until_served()
                talk.wait_for_more(20)
                self.assertEqual(self.finish_talk(talk)["lost"], 0)

    def give_the_right_to_somebody(self):
        """Too late to go back: the plan names two ways on. Once it is seen that the other site was
        promoted, the one that is refused names the other."""
        failover = f"baton failover {self.world.data['pool']}"

        def told():
            done = self.command("adopt")
            said = done.stdout + done.stderr
            return done if done.returncode != REFUSED or failover in said else None
        done = self.wait_for("a way on", told)
        if done.returncode == REFUSED:
            plan = self.succeed("failover")
            self.assertTrue(all(loss["nothing"] for loss in plan["losses"]), plan["losses"])
        else:
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
