"""The demonstration: a world from nothing, people who talk, moves there and back, a table."""

import json
import shutil
import subprocess
import sys
import time

import builder
import operator_cli
import world as worlds
from host import WorldError, die_with_this_process


class Talk:
    """The talking client as a child process."""

    def __init__(self, world, copy, log, interval=0.02):
        self.log = log
        self.process = subprocess.Popen(
            [sys.executable, str(copy / "demo" / "talk.py"), "--world", str(world.directory),
             "--log", str(log), "--interval", str(interval), "--end-with-stdin"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)

    def events(self):
        try:
            text = self.log.read_text(encoding="utf-8")
        except OSError:
            return []
        return [json.loads(line) for line in text.splitlines(keepends=True)
                if line.endswith("\n")]

    def acknowledged(self):
        return sum(event["event"] == "acknowledged" for event in self.events())

    def wait_until_talking(self):
        def talking():
            if self.process.poll() is not None:
                raise WorldError(f"the talking client ended with {self.process.returncode}")
            return any(event["event"] == "talking" for event in self.events())
        operator_cli.wait_for("an acknowledged message in every room", talking)

    def wait_for_more(self, count, seconds=30):
        """Until `count` further messages are safe."""
        goal = self.acknowledged() + count
        operator_cli.wait_for(f"{count} further acknowledged messages",
                              lambda: self.acknowledged() >= goal, seconds)

    def finish(self, seconds=60):
        """Ends the talk and returns what the comparison with the archives gave."""
        self.process.terminate()
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise WorldError("the talking client could not read the archives back") from error
        self.process.stdin.close()
        results = [event for event in self.events() if event["event"] == "result"]
        if not results:
            raise WorldError(f"the talking client ended with {self.process.returncode} and "
                             "without a result")
        return results[-1]

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()


def outage(events, began, ended):
    """The longest time without an acknowledgement in a stretch of time, and how it came about.

    Times are seconds on CLOCK_MONOTONIC. `client` is the client's own part: from the moment a
    site accepted its connection to its first acknowledged message."""
    safe = [event["time"] for event in events if event["event"] == "acknowledged"]
    gaps = [(after - before, before, after) for before, after in zip(safe, safe[1:])
            if after >= began and before <= ended]
    if not gaps:
        return {"outage": None, "client": None}
    length, before, after = max(gaps)
    opened = [event["time"] for event in events
              if event["event"] == "open" and before <= event["time"] <= after]
    return {"outage": length, "client": after - opened[-1] if opened else None}


def summarise(move, events, result):
    """Adds to `move` what the people saw of it."""
    move.update(outage(events, move["began"], move["ended"]))
    sent = {event["id"]: event["time"] for event in events if event["event"] == "sent"}
    during = {name for name, time_sent in sent.items() if move["since"] <= time_sent < move["until"]}
    safe = {event["id"] for event in events if event["event"] == "acknowledged"}
    move["acknowledged"] = len(during & safe)
    move["lost"] = len(during & set(result["lost_ids"]))
    move["duplicated"] = len(during & set(result["duplicated_ids"]))


def switch_over(world, number, say):
    """One planned move; returns when it began and ended, and its plan."""
    began = time.monotonic()
    done = operator_cli.baton(world, "switchover", "--yes", world.data["pool"], "--reason",
                              f"demonstration, move {number}")
    ended = time.monotonic()
    plan = operator_cli.show_plan(world)
    state = operator_cli.word(plan["state"])
    say(f"switchover {number}: {plan['from_site']} to {plan['to_site']}, {state}, "
        f"{ended - began:.2f} s in all")
    if done.returncode != 0:
        say(done.stdout + done.stderr)
    return {"number": number, "began": began, "ended": ended, "exit_code": done.returncode,
            "from": plan["from_site"], "to": plan["to_site"], "state": state,
            "plan": plan["name"], "steps": operator_cli.steps(plan)}


def move_while_talking(world, copy, moves, log, say):
    talk = Talk(world, copy, log)
    try:
        talk.wait_until_talking()
        say("people talk")
        done = []
        since = 0.0
        for number in range(1, moves + 1):
            talk.wait_for_more(100)
            move = switch_over(world, number, say)
            done.append(move)
            if move["exit_code"] != 0:
                break
            talk.wait_for_more(100)
            move["since"], move["until"] = since, time.monotonic()
            since = move["until"]
        say("people stop; reading the archives of all rooms")
        result = talk.finish()
    finally:
        talk.kill()
    events = talk.events()
    for move in done:
        move.setdefault("since", since)
        move.setdefault("until", float("inf"))
        summarise(move, events, result)
    return done, result


def run(directory, copy, moves, say):
    """Makes, moves and removes; returns the result as a dictionary."""
    started = time.monotonic()
    ok = interrupted = False
    die_with_this_process()
    try:
        say("making two sites")
        world = builder.create(directory, copy)
        world.boot()
        operator_cli.bring_into_service(world, "demonstration", say)
        done, result = move_while_talking(world, copy, moves, directory / "talk.log", say)
        ok = (len(done) == moves and all(move["exit_code"] == 0 for move in done)
              and result["lost"] == 0 and result["duplicated"] == 0)
    except KeyboardInterrupt:
        interrupted = True
        raise
    finally:
        tear_down(directory, keep_logs=not (ok or interrupted), say=say)
    totals = {key: result[key] for key in
              ("sent", "acknowledged", "lost", "duplicated", "unacknowledged")}
    outcome = {"ok": ok, "seconds": time.monotonic() - started, "moves": done, "messages": totals}
    print_table(outcome)
    return outcome


def tear_down(directory, keep_logs, say):
    """Cuts every host's power and removes the world; with `keep_logs` only what isn't a log."""
    if not (directory / "world.json").exists():
        return
    world = worlds.World.load(directory)
    world.power_off()
    if keep_logs:
        kept = directory.with_name("failed")
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
        for log in [*directory.glob("hosts/**/*.log"), *directory.glob("*.log")]:
            target = "-".join(log.relative_to(directory).parts).replace("hosts-", "", 1)
            shutil.copy(log, kept / target)
        say(f"the logs of what went wrong are in {kept}")
    world.destroy()


def milliseconds(seconds):
    return "–" if seconds is None else f"{seconds * 1000:.0f} ms"


def print_table(outcome):
    for move in outcome["moves"]:
        print(f"\nMove {move['number']}: {move['from']} to {move['to']}, {move['state']}")
        print(f"  outage as the people saw it  {milliseconds(move['outage'])} (of it until they were "
              f"logged in again {milliseconds(move['client'])})")
        print(f"  messages acknowledged        {move['acknowledged']}")
        print(f"  lost, duplicated             {move['lost']}, {move['duplicated']}")
        print("  step                                                         took")
        for step in move["steps"]:
            mark = "*" if step["critical"] else " "
            print(f"  {mark} {step['title']:<58} {milliseconds(step['seconds']):>8}  {step['state']}")
        print("  * = the users wait for it")
    totals = outcome["messages"]
    print(f"\n{len(outcome['moves'])} moves, {totals['acknowledged']} messages acknowledged, "
          f"{totals['lost']} lost, {totals['duplicated']} duplicated "
          f"({totals['unacknowledged']} sent and never acknowledged); "
          f"{outcome['seconds']:.1f} s in all")
    print("Nothing was lost." if outcome["ok"] else "NOT as it must be.")
