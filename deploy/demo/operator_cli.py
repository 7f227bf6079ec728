"""The operator: drives Baton through its command line, as a person would."""

import datetime
import json
import os
import re
import subprocess
import time

from host import WorldError


def baton(world, *words, timeout=120):
    """Runs `baton WORDS`; returns the finished process, whatever its exit code."""
    environment = world.data["environment"]
    program = os.path.join(environment["BATON_PROGRAMS"], "baton")
    try:
        return subprocess.run([program, *words], env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise WorldError(f"baton {' '.join(words)} did not end within {timeout} s: "
                         f"{(error.stdout or b'')!r} {(error.stderr or b'')!r}") from error


def checked(world, *words, timeout=120):
    """Like baton(), but an exit code other than 0 is a WorldError. Returns its output."""
    done = baton(world, *words, timeout=timeout)
    if done.returncode != 0:
        raise WorldError(f"baton {' '.join(words)} ended with {done.returncode}:\n"
                         f"{done.stdout}{done.stderr}")
    return done.stdout


def document(world, *words):
    """The JSON that `baton WORDS -o json` prints."""
    return snake_case(json.loads(checked(world, "-o", "json", *words)))


def snake_case(value):
    """Protobuf's JSON writes waitingFor; everything here says waiting_for."""
    if isinstance(value, list):
        return [snake_case(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {re.sub("(?<=[a-z])([A-Z])", lambda found: "_" + found[1].lower(), key):
            snake_case(item) for key, item in value.items()}


def wait_for(what, condition, seconds=30, interval=0.05):
    """Polls until `condition` gives something true, and returns that."""
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        try:
            last = condition()
            if last:
                return last
        except WorldError as error:
            last = error
        time.sleep(interval)
    raise WorldError(f"waited {seconds} s for {what}; last seen: {last}")


def connected_agents(world):
    return {agent["host"] for agent in document(world, "agents").get("agents", [])
            if agent.get("connected")}


def wait_for_agents(world, seconds=30):
    wanted = {name for name, host in world.data["hosts"].items() if "agent" in host}
    wait_for(f"the agents of {', '.join(sorted(wanted))}",
             lambda: connected_agents(world) >= wanted, seconds)


def plans(world):
    """All plans, newest first, without their steps."""
    return document(world, "plan", "list").get("plans", [])


def plan_id(world):
    """The id of the newest plan."""
    return plans(world)[0]["name"].rsplit("/", 1)[-1]


def show_plan(world, plan=None):
    """One plan with its steps; the newest if none is named."""
    return document(world, "plan", "show", plan or plan_id(world))


def waits(plan):
    return plan["state"] == "PLAN_STATE_WAITING"


def ended(plan):
    return plan["state"] in ("PLAN_STATE_SUCCEEDED", "PLAN_STATE_UNDONE", "PLAN_STATE_FAILED")


def word(state):
    """"PLAN_STATE_SUCCEEDED" -> "succeeded"."""
    return state.split("_STATE_")[-1].lower()


def seconds_between(start, end):
    """Between two RFC 3339 times; None when one is missing."""
    if not start or not end:
        return None
    def parse(text):
        whole, _, fraction = text.rstrip("Z").partition(".")
        moment = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
        return moment.timestamp() + float(f"0.{fraction or 0}")
    return parse(end) - parse(start)


def steps(plan):
    """The steps that were taken, with what a table wants to know of each."""
    return [{"title": step["title"], "critical": step["critical"], "state": word(step["state"]),
             "documented_as": step["documented_as"], "attempts": step["attempt"],
             "seconds": seconds_between(step.get("start_time"), step.get("end_time"))}
            for step in plan["steps"]
            if step["state"] not in ("STEP_STATE_PENDING", "STEP_STATE_SKIPPED")]


def bring_into_service(world, reason, say):
    """Topology, then adopt: from here on the pool serves."""
    wait_for("the coordinator", lambda: baton(world, "agents").returncode == 0)
    checked(world, "topology", "apply", world.data["topology"], "--reason", reason)
    wait_for_agents(world)
    if not plans(world):
        say("adopting the pool")
        checked(world, "adopt", "--yes", world.data["pool"], "--reason", reason)
