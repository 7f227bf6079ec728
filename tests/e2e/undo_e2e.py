"""Each step of a planned move is made to fail for real: chat is served where it was, nothing lost."""

import contextlib
import os
import pathlib
import signal
import unittest

from world_test import EventStream, WorldTest, operator_cli, say, thorough

BOTH_WAYS = ("PLAN_UNDONE", "PLAN_FAILED")


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
        os.kill(pid, signal.SIGCONT)


class UndoTest(WorldTest):
    settings = {"stop_timeout": "5s"}

    def setUp(self):
        super().setUp()
        self.bring_everything_back()

    def move_that_fails(self, failing_step, fault, after="Drain", event="STEP_STARTED"):
        """Begins a switchover; `fault` (a context manager) is there from the first `event` with
        `after` in its text (None: from before the move) until the plan takes itself back, which it
        must do because of `failing_step`."""
        page = self.page(f"undo-{failing_step.split()[0].lower()}")
        talk = self.talk()
        talk.wait_for_more(20)
        with EventStream(self.world) as stream, contextlib.ExitStack() as stack:
            if after is None:
                stack.enter_context(fault)
            self.start_switchover()
            if after is not None:
                say(stream.wait_for_text(event, after))
                stack.enter_context(fault)
            ended = stream.wait_for(1, ("UNDO_STARTED", *BOTH_WAYS), seconds=150)
            say(f"the fault ends: {ended}")
        plan = self.bring_home(seconds=150)
        page.baton("plan", "show", operator_cli.plan_id(self.world))
        self.assertIn(plan["state"], ("PLAN_STATE_UNDONE", "PLAN_STATE_FAILED"))
        self.assertEqual(self.wait_until_served(), "hq", "chat is back where it was")
        talk.wait_for_more(20)
        self.assertEqual(self.finish_talk(talk)["lost"], 0)
        self.assertIn(failing_step, ended)
        self.wait_until_follows("hq", "dr")

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

    def test_ship_tail(self):
        """After the fence: the old primary takes its right back from its own log."""
        self.move_that_fails("Ship the tail", read_only(self.archive()))

    @thorough
    def test_point_at(self):
        self.move_that_fails("dr-chat1", read_only(self.folder("dr-chat1", "prosody",
                             "database_file").parent), after=None)

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
    def test_the_backup_dies_after_the_tail(self):
        @contextlib.contextmanager
        def off():
            self.world.hosts["dr-sql1"].power_off()
            yield
            self.world.hosts["dr-sql1"].boot()
        self.move_that_fails("on dr-sql1", off(), after="Ship the tail")

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
                    # Too late to go back: the plan says that somebody has to have the right again.
                    self.succeed("adopt")
                self.wait_until_served()
                talk.wait_for_more(20)
                self.assertEqual(self.finish_talk(talk)["lost"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
