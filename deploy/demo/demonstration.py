"""The demonstration: a world from nothing, people who talk, and all that may befall a pool."""

import shutil
import time

import builder
import operator_cli
import orphans
import world as worlds
from host import die_with_this_process
from people import Talk, summarise_all
from report import print_table

HOME, OTHER = worlds.SITES
TALK = 100  # messages between any two things that happen


class Story:
    """What happens, one thing after the other; each move is a dictionary of the result."""

    def __init__(self, world, talk, say):
        self.world = world
        self.talk = talk
        self.say = say
        self.moves = []
        self.since = 0.0  # when the last move was over and people had talked on

    def ok(self):
        return all(move["exit_code"] == 0 for move in self.moves)

    def move(self, title, *words, **facts):
        """One plan, from the command to its end, with people talking before and after."""
        began = time.monotonic()
        done = operator_cli.baton(self.world, words[0], "--yes", self.world.data["pool"],
                                  "--reason", f"demonstration, {title}", *words[1:])
        ended = time.monotonic()
        move = {"number": len(self.moves) + 1, "kind": words[0], "began": began, "ended": ended,
                "exit_code": done.returncode, "from": "", "to": "", "state": "refused", "steps": [],
                **facts}
        if plan := operator_cli.newest_plan_of(self.world, words[0].upper()):
            move.update({"from": plan["from_site"], "to": plan["to_site"], "plan": plan["name"],
                         "state": operator_cli.word(plan["state"]),
                         "steps": operator_cli.steps(plan)})
            if words[0] == "failover":
                move["announced"] = operator_cli.announced_loss(plan)
        self.moves.append(move)
        self.say(f"{title}: {move['from']} to {move['to']}, {move['state']}, "
                 f"{ended - began:.2f} s in all")
        if done.returncode != 0:
            self.say(done.stdout + done.stderr)
            move["since"], move["until"] = self.since, float("inf")
            return move
        self.talk.wait_for_more(TALK)
        move["since"], move["until"] = self.since, time.monotonic()
        self.since = move["until"]
        return move

    def lose_home(self):
        """kill -9 of everything there, then the operator's word for it."""
        died = time.monotonic()
        killed = self.world.lose(HOME)
        self.say(f"{HOME} is gone: {killed} processes were killed")
        hosts = {host.name for host in self.world.hosts_of(HOME)}
        operator_cli.wait_for(f"the coordinator to miss {HOME}",
                              lambda: not operator_cli.connected_agents(self.world) & hosts)
        self.move("failover", "failover", "--lost-site", HOME, died=died)

    def bring_home_back(self):
        self.world.bring_back(HOME)
        operator_cli.wait_for_agents(self.world)
        operator_cli.wait_until_fenced(self.world)
        self.say(f"{HOME} is back, and fenced")
        self.talk.wait_for_more(TALK)

    def run(self, switchovers):
        for number in range(1, switchovers + 1):
            self.talk.wait_for_more(TALK)
            self.move(f"switchover {number}", "switchover")
            if not self.ok():
                return
        self.lose_home()
        if not self.ok():
            return
        self.bring_home_back()
        self.move("failback", "failback")


def protect(world, say):
    """From a bare primary to a protected pool in service."""
    began = time.monotonic()
    operator_cli.bring_into_service(world, "demonstration", say)
    return {"seconds": time.monotonic() - began,
            "steps": operator_cli.steps(operator_cli.show_plan(world))}


def find_orphans(world, lost):
    """What is in quarantine, and how many of the lost messages are still there."""
    found = []
    missing = set(lost)
    for host, entry in orphans.entries(world):
        missing -= orphans.message_ids(world, host, entry)
        found.append({"host": host, "name": entry["name"], "commits": entry.get("commits", "not known how many"),
                      "disk_bytes": int(entry["disk_bytes"])})
    return {"entries": found, "lost_messages": len(lost), "of_them_kept": len(lost) - len(missing)}


def tell(world, copy, switchovers, log, say):
    """The whole story. Returns the moves, what the talking client found, the orphans, and every
    resource's role before and after."""
    before = operator_cli.roles(world)
    talk = Talk(world, copy, log)
    story = Story(world, talk, say)
    try:
        talk.wait_until_talking()
        say("people talk")
        story.run(switchovers)
        say("people stop; reading the archives of all rooms")
        result = talk.finish()
    finally:
        talk.kill()
    events = talk.events()
    summarise_all(story.moves, events, result)
    lost = [name for move in story.moves for name in move.get("measured", {}).get("lost_ids", [])]
    kept = find_orphans(world, lost) if story.ok() else {}
    return story.moves, result, kept, {"before": before, "after": operator_cli.roles(world)}


def complaints(moves, result, kept, roles, switchovers):
    """What is not as it must be, a line each: all moves succeed, and nothing is lost but what the
    failover had announced, with a bound, and that is kept; in the end every role is as at first."""
    found = [f"move {move['number']}, {move['kind']}, ended with {move['exit_code']}"
             for move in moves if move["exit_code"] != 0]
    if len(moves) != switchovers + 2:
        found.append(f"{len(moves)} moves, wanted {switchovers + 2}")
    failovers = [move for move in moves if "announced" in move]
    if not failovers or any(move["announced"]["point"] is None for move in failovers):
        found.append("the failover announced no point from which on messages may be lost")
    allowed = sum(move.get("measured", {}).get("after_announced_point", 0) for move in moves)
    if result["lost"] != allowed:
        found.append(f"{result['lost']} acknowledged messages lost, {allowed} of them announced")
    if result["duplicated"] != 0:
        found.append(f"{result['duplicated']} messages duplicated")
    if kept.get("of_them_kept") != kept.get("lost_messages"):
        found.append(f"{kept['of_them_kept']} of {kept['lost_messages']} lost messages are kept")
    found += [f"{name} is {roles['after'].get(name, 'gone')}, was {role} at the start"
              for name, role in roles["before"].items() if roles["after"].get(name) != role]
    return found


def run(directory, copy, switchovers, say):
    """Makes, moves and removes; returns the result as a dictionary."""
    started = time.monotonic()
    ok = interrupted = False
    die_with_this_process()
    try:
        say("making two sites")
        world = builder.create(directory, copy)
        world.boot()
        protection = protect(world, say)
        moves, result, kept, roles = tell(world, copy, switchovers, directory / "talk.log", say)
        wrong = complaints(moves, result, kept, roles, switchovers)
        ok = not wrong
    except KeyboardInterrupt:
        interrupted = True
        raise
    finally:
        tear_down(directory, keep_logs=not (ok or interrupted), say=say)
    totals = {key: result[key] for key in
              ("sent", "acknowledged", "lost", "duplicated", "unacknowledged")}
    outcome = {"ok": ok, "complaints": wrong, "seconds": time.monotonic() - started,
               "protect": protection, "moves": moves, "messages": totals, "orphans": kept,
               "roles": roles}
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
