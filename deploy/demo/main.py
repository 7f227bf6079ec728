#!/usr/bin/python3
"""What deploy/demo.sh does once it runs as the world's user; its --help is the documentation."""

import argparse
import fcntl
import json
import os
import pathlib
import shutil
import signal
import sys

import builder
import demonstration
import operator_cli
import world as worlds
from host import WorldError

STATE = pathlib.Path(os.environ["BATON_DEMO_STATE"])
COPY = pathlib.Path(os.environ["BATON_DEMO_COPY"])
KEPT = STATE / "world"  # what `up` makes
ONCE = STATE / "once"  # the world of one demonstration


def say(text):
    print(text, file=sys.stderr, flush=True)


# --- a world that stays ---


def up(arguments):
    if (KEPT / "world.json").exists():
        world = worlds.World.load(KEPT)
        if world.data["programs"] != str(COPY / "bin"):
            raise WorldError(f"the world in {KEPT} belongs to another copy of Baton; 'reset' it")
    else:
        remove_unfinished(KEPT)
        say(f"making a world in {KEPT}")
        world = builder.create(KEPT, COPY, arguments.network)
    world.boot()
    if not arguments.bare:
        operator_cli.bring_into_service(world, "the demo world starts", say)
    say("the world is up; 'demo.sh world' describes it, 'demo.sh baton status' looks at it")


def remove_unfinished(directory):
    """A world whose making was interrupted has no description, and nothing of it runs."""
    if directory.exists():
        shutil.rmtree(directory)


def down(_arguments):
    worlds.World.load(KEPT).power_off()


def remove(_arguments):
    if (KEPT / "world.json").exists():
        worlds.World.load(KEPT).destroy()
    else:
        remove_unfinished(KEPT)


def reset(arguments):
    remove(arguments)
    up(arguments)


def show(arguments):
    value = worlds.World.load(KEPT).live()
    for key in arguments.path.split(".") if arguments.path else []:
        if not isinstance(value, dict) or key not in value:
            known = ", ".join(value) if isinstance(value, dict) else "nothing below it"
            raise WorldError(f"'{key}' of '{arguments.path}' is not there; there is {known}")
        value = value[key]
    print(value if isinstance(value, str) else json.dumps(value, indent=2))


# --- what can be done to it ---


def pick_host(name):
    hosts = worlds.World.load(KEPT).hosts
    if name not in hosts:
        raise WorldError(f"there is no host '{name}'; there are {', '.join(hosts)}")
    return hosts[name]


def pick_resource(host, name):
    resources = host.description["resources"]
    if name not in resources:
        raise WorldError(f"{host.name} has no resource '{name}'; it has {', '.join(resources)}")
    return resources[name]


def host(arguments):
    machine = pick_host(arguments.host)
    {"off": machine.power_off, "boot": machine.boot, "reboot": machine.reboot}[arguments.action]()


def agent(arguments):
    machine = pick_host(arguments.host)
    if "agent" not in machine.description:
        raise WorldError(f"{machine.name} has no agent")
    machine.kill("agent") if arguments.action == "kill" else machine.start_agent()


def coordinator(arguments):
    machine = pick_host("co1")
    machine.kill("coordinator") if arguments.action == "kill" else machine.start_coordinator()


def cut(arguments):
    worlds.World.load(KEPT).wires().cut(arguments.site, arguments.other, arguments.one_way)


def mend(arguments):
    worlds.World.load(KEPT).wires().mend(arguments.site, arguments.other)


def lose(arguments):
    killed = worlds.World.load(KEPT).lose(arguments.site)
    say(f"everything at {arguments.site} is dead: {killed} processes were killed")


def bring_back(arguments):
    worlds.World.load(KEPT).bring_back(arguments.site)


def supervisor(arguments):
    machine = pick_host(arguments.host)
    pick_resource(machine, arguments.resource)
    if arguments.action == "kill":
        machine.kill_supervisor(arguments.resource)
    else:
        machine.start_supervisor(arguments.resource)


def baton(arguments):
    environment = worlds.World.load(KEPT).data["environment"]
    program = os.path.join(environment["BATON_PROGRAMS"], "baton")
    os.execve(program, [program, *arguments.words], {**os.environ, **environment})


def guard(arguments):
    machine = pick_host(arguments.host)
    resource = pick_resource(machine, arguments.resource)
    program = machine.program("baton-guard")
    words = [program, arguments.verb, resource["resource_file"], *arguments.words]
    os.execve(program, words, machine.environment)


def psql(arguments):
    world = worlds.World.load(KEPT)
    database, superuser = world.database(arguments.site), world.account("superuser")
    os.execve("/usr/bin/psql", [
        "psql", "-h", database["address"], "-p", str(database["port"]), "-U", superuser["user"],
        "-d", world.data["database"], *arguments.words,
    ], {**os.environ, "PGPASSFILE": superuser["passfile"]})


def talk(arguments):
    words = [sys.executable, str(COPY / "demo" / "talk.py"), "--world", str(KEPT),
             "--log", arguments.log or str(STATE / "talk.log")]
    if arguments.seconds:
        words += ["--seconds", str(arguments.seconds)]
    os.execv(sys.executable, words)


# --- the demonstration ---


def demo(arguments):
    """One world from nothing to nothing. Its logs stay when something went wrong."""
    with open(STATE / "once.lock", "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise WorldError(f"a demonstration runs already (lock {lock.name})") from error
        if (ONCE / "world.json").exists():
            worlds.World.load(ONCE).destroy()  # somebody killed the last one
        remove_unfinished(ONCE)
        shutil.rmtree(ONCE.with_name("failed"), ignore_errors=True)
        result = demonstration.run(ONCE, COPY, arguments.moves, say)
    if arguments.json:
        print(json.dumps(result, indent=2))
    return 0 if result["ok"] else 1


NAMES = {show: "world", bring_back: "return"}  # commands whose function is not called like them


def parse(words):
    parser = argparse.ArgumentParser(prog="demo.sh", usage="see deploy/demo.sh --help")
    commands = parser.add_subparsers(dest="command", required=True)
    words_left = ("words", {"nargs": "*"})

    def command(function, *positional):
        # What is passed on is not ours to read: nothing of it looks like an option to us.
        passes_on = words_left in positional
        entry = commands.add_parser(NAMES.get(function, function.__name__), add_help=not passes_on,
                                    prefix_chars="\0" if passes_on else "-")
        entry.set_defaults(run=function)
        for name, options in positional:
            entry.add_argument(name, **options)
        return entry

    kill_start = ("action", {"choices": ["kill", "start"]})
    for function in (up, reset):
        entry = command(function)
        entry.add_argument("--bare", action="store_true")
        entry.add_argument("--network", action="store_true")
    command(down)
    command(remove)
    command(show, ("path", {"nargs": "?"}))
    command(host, ("host", {}), ("action", {"choices": ["off", "boot", "reboot"]}))
    command(agent, ("host", {}), kill_start)
    command(coordinator, kill_start)
    site = {"choices": list(worlds.SITES)}
    command(lose, ("site", site))
    command(bring_back, ("site", site))
    entry = command(cut, ("site", {}), ("other", {}))
    entry.add_argument("--one-way", action="store_true")
    command(mend, ("site", {}), ("other", {}))
    command(supervisor, ("host", {}), ("resource", {}), kill_start)
    command(baton, words_left)
    command(guard, ("host", {}), ("resource", {}), ("verb", {}), words_left)
    command(psql, ("site", site), words_left)
    entry = command(talk)
    entry.add_argument("--seconds", type=float)
    entry.add_argument("--log")
    entry = command(demo)
    entry.add_argument("--json", action="store_true")
    entry.add_argument("--moves", type=int, choices=range(0, 1000, 2), default=2)
    if not words or words[0].startswith("-"):
        words = ["demo", *words]
    return parser.parse_args(words)


def interrupted(number, _frame):
    raise KeyboardInterrupt(signal.Signals(number).name)


def main():
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    arguments = parse(sys.argv[1:])
    try:
        return arguments.run(arguments) or 0
    except WorldError as error:
        say(f"demo.sh: {error}")
        return 1
    except KeyboardInterrupt:
        say("demo.sh: interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main())
