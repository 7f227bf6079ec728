"""The operator: drives Baton through its command line, as a person would."""

import json
import os
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
    return json.loads(checked(world, *words, "-o", "json"))


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


def bring_into_service(world, reason, say):
    """Topology, then adopt: from here on the pool serves."""
    wait_for("the coordinator", lambda: baton(world, "agents").returncode == 0)
    checked(world, "topology", "apply", world.data["topology"])
    wait_for_agents(world)
    if not plans(world):
        say("adopting the pool")
        checked(world, "adopt", world.data["pool"], "--reason", reason)
