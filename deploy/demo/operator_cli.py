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


def newest_plan_of(world, kind):
    """The newest plan, with its steps, if it is of `kind` ("FAILOVER"); else None."""
    newest = plans(world)[:1]
    if not newest or newest[0]["kind"] != f"PLAN_KIND_{kind}":
        return None
    return show_plan(world, newest[0]["name"].rsplit("/", 1)[-1])


def members(world):
    """What `baton status` shows of each resource."""
    return document(world, "status", world.data["pool"])["pools"][0]["members"]


def roles(world):
    """Resource -> the role that the journal gives it: "hq-sql1/mgc": "writer"."""
    return {f"{member['resource']['host']}/{member['resource']['resource']}": member["assigned"]
            for member in members(world)}


def wait_until_fenced(world, seconds=30):
    """Until nothing is left that was to be fenced at its return."""
    def all_fenced():
        due = [member["resource"] for member in members(world) if member.get("fence_due")]
        if due:
            raise WorldError(f"still to be fenced: {due}")
        return True
    wait_for("everything that came back to be fenced", all_fenced, seconds)


def waits(plan):
    return plan["state"] == "PLAN_STATE_WAITING"


def ended(plan):
    return plan["state"] in ("PLAN_STATE_SUCCEEDED", "PLAN_STATE_UNDONE", "PLAN_STATE_FAILED")


def word(state):
    """"PLAN_STATE_SUCCEEDED" -> "succeeded"."""
    return state.split("_STATE_")[-1].lower()


def moment(text):
    """An RFC 3339 time as seconds since the epoch."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    parsed = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
    return parsed.timestamp() + float(f"0.{fraction or 0}")


def duration(text):
    """"1.5s", as protobuf's JSON writes a duration, in seconds."""
    return float(text.rstrip("s"))


def seconds_between(start, end):
    """Between two RFC 3339 times; None when one is missing."""
    return moment(end) - moment(start) if start and end else None


def steps(plan):
    """The steps that were taken, with what a table wants to know of each."""
    return [{"title": step["title"], "critical": step["critical"], "state": word(step["state"]),
             "documented_as": step["documented_as"], "attempts": step["attempt"],
             "seconds": seconds_between(step.get("start_time"), step.get("end_time"))}
            for step in plan["steps"]
            if step["state"] not in ("STEP_STATE_PENDING", "STEP_STATE_SKIPPED")]


def announced_loss(plan):
    """What a failover said it may lose: everything acknowledged after `point`, on CLOCK_MONOTONIC;
    None when nobody could say."""
    window, point, size = 0.0, None, 0
    for loss in plan.get("losses", []):
        size += int(loss.get("bytes", 0))
        if "window" not in loss:
            window = None
        elif window is not None:
            window = max(window, duration(loss["window"]))
    if window is not None:
        made = moment(plan["create_time"])
        point = made - window - (time.time() - time.monotonic())
    return {"window": window, "point": point, "bytes": size,
            "kept": [loss.get("kept") for loss in plan.get("losses", [])]}


def bring_into_service(world, reason, say):
    """Topology, then protect: from here on the pool serves, and the other site follows."""
    wait_for("the coordinator", lambda: baton(world, "agents").returncode == 0)
    checked(world, "topology", "apply", world.data["topology"], "--reason", reason)
    wait_for_agents(world)
    if not plans(world):
        say("protecting the pool")
        checked(world, "protect", "--yes", world.data["pool"], "--reason", reason)
