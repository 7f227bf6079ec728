"""What an operator does to a plan: pause and resume in the middle of a move, retry, skip."""

import contextlib
import pathlib
import unittest

from world_test import REFUSED, EventStream, WorldTest, operator_cli, say

WAITS = 7  # how `baton` ends when the plan that it follows waits


class OperateTest(WorldTest):
    def setUp(self):
        super().setUp()
        self.bring_everything_back()

    def show(self, page):
        """The plan as people see it, and as a document."""
        shown = page.baton("plan", "show", operator_cli.plan_id(self.world)).stdout
        return shown, operator_cli.show_plan(self.world)

    def step(self, plan, title):
        """The forward step of that title: its number, as people count, and what is known of it."""
        return next((number, step) for number, step in enumerate(plan["steps"], 1)
                    if step["title"].startswith(title) and not step["undo"])

    def states(self, plan):
        return [(step["title"], step["state"], step["attempt"]) for step in plan["steps"]]

    def option(self, plan, verb):
        return next(option for option in plan["options"] if option["verb"] == verb)

    def assert_allowed(self, shown, plan, verb, allowed=True):
        """`plan show` says so of the verb, to people and to programs."""
        self.assertIn("What you can do now", shown)
        self.assertRegex(shown, rf"(?m)^ *baton {verb} .* {'yes' if allowed else 'no'} ")
        self.assertEqual(self.option(plan, verb)["allowed"], allowed)
        self.assertTrue(self.option(plan, verb)["effect"], "it says what it would do, or why not")

    @contextlib.contextmanager
    def canary_locked_out(self):
        """The canary's password is not the one that its account has."""
        file = pathlib.Path(self.world.account("canary")["password_file"])
        right = file.read_text(encoding="ascii")
        file.write_text("not-the-one\n", encoding="ascii")
        try:
            yield
        finally:
            file.write_text(right, encoding="ascii")

    def test_pause_in_the_middle_of_a_move_and_resume(self):
        page = self.page("operate-pause")
        talk = self.talk()
        talk.wait_for_more(20)
        with EventStream(self.world) as stream:
            self.start_switchover()
            stream.wait_for_text("STEP_STARTED", "Drain")
            self.databases["dr"].query("SELECT pg_wal_replay_pause()")
            try:
                say(stream.wait_for_text("STEP_STARTED", "Apply"))
                self.assertEqual(self.command("pause", "--no-wait", page=page).returncode, 0)
                shown, plan = self.show(page)
                self.assertTrue(plan["paused"])
                self.assertEqual(self.step(plan, "Apply")[1]["state"], "STEP_STATE_RUNNING",
                                 "what runs ends, it is not cut off")
            finally:
                self.databases["dr"].query("SELECT pg_wal_replay_resume()")
            say(stream.wait_for_text("STEP_SUCCEEDED", "Apply"))
        plan = self.wait_for("the plan to stand still", self.standing_still)
        self.assertEqual(self.command("pause", page=page).returncode, REFUSED, "it is paused")
        shown, plan = self.show(page)
        self.assert_allowed(shown, plan, "resume")
        self.assert_allowed(shown, plan, "abort")
        self.assert_allowed(shown, plan, "pause", allowed=False)
        self.assertIn(self.id(), plan["waiting_for"], "it says why it was paused")
        self.assertEqual(self.step(plan, "Recover")[1]["state"], "STEP_STATE_PENDING")
        self.assertEqual((self.chat_sites(), self.writable_sites()), ([], []))
        goal = self.truth.rounds + 20
        self.wait_for("some looks at both sites", lambda: self.truth.rounds > goal)
        self.assertEqual(self.states(operator_cli.show_plan(self.world)), self.states(plan),
                         "no further step begins")
        done = self.command("resume", page=page)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(operator_cli.show_plan(self.world)["state"], "PLAN_STATE_SUCCEEDED")
        self.assertEqual(self.wait_until_served(), "dr")
        talk.wait_for_more(20)
        self.assertEqual(self.finish_talk(talk)["lost"], 0)

    def standing_still(self):
        plan = operator_cli.show_plan(self.world)
        return plan if operator_cli.waits(plan) else None

    def wait_in_the_canary(self, page):
        """A move whose canary fails, and which waits with its users served. Returns the number of
        that step."""
        done = self.command("switchover", page=page)
        self.assertEqual(done.returncode, WAITS, done.stdout + done.stderr)
        shown, plan = self.show(page)
        number, canary = self.step(plan, "Post a canary")
        self.assertEqual(canary["state"], "STEP_STATE_FAILED")
        self.assertIn("canary", plan["waiting_for"])
        for verb in ("resume", "retry", "skip", "abort"):
            self.assert_allowed(shown, plan, verb)
        self.assertEqual(self.wait_until_served(), "dr", "users do not wait for it")
        return number

    def test_skip_a_canary_that_fails(self):
        page = self.page("operate-skip")
        talk = self.talk()
        talk.wait_for_more(20)
        with self.canary_locked_out():
            number = self.wait_in_the_canary(page)
            talk.wait_for_more(20)
            recover, _ = self.step(operator_cli.show_plan(self.world), "Recover")
            done = self.command("skip", "--step", str(recover), page=page)
            self.assertNotEqual(done.returncode, 0, "safety stands on that one")
            self.assertTrue(operator_cli.waits(operator_cli.show_plan(self.world)))
            done = self.command("skip", "--step", str(number), page=page)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        shown, plan = self.show(page)
        self.assertEqual(plan["state"], "PLAN_STATE_SUCCEEDED")
        self.assertEqual(self.step(plan, "Post a canary")[1]["state"], "STEP_STATE_SKIPPED")
        history = page.baton("history", self.world.data["pool"])
        self.assertEqual(history.returncode, 0, history.stderr)
        events = page.baton("events").stdout
        self.assertIn("skipped: Post a canary", events)
        self.assertIn(self.id(), events, "on whose word, and why, is kept")
        self.wait_until_follows("dr", "hq")
        self.assertEqual(self.finish_talk(talk)["lost"], 0)

    def test_retry_of_a_step_that_failed(self):
        page = self.page("operate-retry")
        talk = self.talk()
        talk.wait_for_more(20)
        with self.canary_locked_out():
            number = self.wait_in_the_canary(page)
            before = self.step(operator_cli.show_plan(self.world), "Post a canary")[1]["attempt"]
            done = self.command("retry", "--step", str(number), page=page)
            self.assertEqual(done.returncode, WAITS, done.stdout + done.stderr)
            _, plan = self.show(page)
            self.assertGreater(self.step(plan, "Post a canary")[1]["attempt"], before)
        page.note("the canary's password is mended")
        done = self.command("retry", page=page)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        _, plan = self.show(page)
        self.assertEqual(plan["state"], "PLAN_STATE_SUCCEEDED")
        self.assertEqual(self.step(plan, "Post a canary")[1]["state"], "STEP_STATE_SUCCEEDED")
        self.wait_until_follows("dr", "hq")
        self.assertEqual(self.finish_talk(talk)["lost"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
