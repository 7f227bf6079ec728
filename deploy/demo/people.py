"""The people in the rooms: the talking client as a process, and what they saw of a move."""

import json
import subprocess
import sys

import operator_cli
from host import WorldError


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


def acknowledged_times(events):
    """Message id -> when it was acknowledged, on CLOCK_MONOTONIC."""
    return {event["id"]: event["time"] for event in events if event["event"] == "acknowledged"}


def first_acknowledged(events, since):
    """The time of the first acknowledgement after `since`; None if there was none."""
    return min((event["time"] for event in events
                if event["event"] == "acknowledged" and event["time"] >= since), default=None)


def summarise_all(moves, events, result):
    """Adds to each move what the people saw of it. What a failover had announced is its own loss,
    even if it was acknowledged while the move before was the last one."""
    announced = set()
    times = acknowledged_times(events)
    for move in moves:
        if "announced" in move:
            point = move["announced"]["point"]
            announced |= {name for name in result["lost_ids"] if point is not None
                          and point <= times[name] < move["until"]}
    for move in moves:
        summarise(move, events, result, announced)


def summarise(move, events, result, announced=frozenset()):
    """Adds to `move` what the people saw of it. A message belongs to the move during which it was
    acknowledged: from then on it was a promise. `announced` are lost messages of failovers."""
    move.update(outage(events, move.get("died", move["began"]), move["ended"]))
    times = acknowledged_times(events)
    sent = {event["id"]: event["time"] for event in events if event["event"] == "sent"}

    def during(moments):
        return {name for name, moment in moments.items()
                if move["since"] <= moment < move["until"]}
    lost = during(times) & set(result["lost_ids"]) - announced
    if "announced" in move:
        lost |= announced
    move["acknowledged"] = len(during(times))
    move["unacknowledged"] = len(during(sent) - set(times))
    move["lost"] = len(lost)
    move["duplicated"] = len(during(sent) & set(result["duplicated_ids"]))
    if "announced" in move:
        move["measured"] = measured_loss(move, lost, times)
        first = first_acknowledged(events, move["began"])
        move["command_to_first_message"] = None if first is None else first - move["began"]


def measured_loss(move, lost, times):
    """Of the acknowledged messages that a failover lost: what was announced, and what was not."""
    point = move["announced"]["point"]
    before = sorted(name for name in lost if point is not None and times[name] < point)
    oldest = min((times[name] for name in lost), default=None)
    return {
        "before_announced_point": len(before), "after_announced_point": len(lost) - len(before),
        "oldest_before_the_loss": None if oldest is None else move["died"] - oldest,
        "lost_ids": sorted(lost),
    }
