"""One host of the demo world: its machine (host_init.py) and what runs on it."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import uuid

from files import lock_holder

HERE = pathlib.Path(__file__).resolve().parent


class WorldError(Exception):
    """Something of the world is not as it must be; the message is for people."""


_owner = None  # the pipe that hosts started by this process watch


def die_with_this_process():
    """From now on hosts that this process starts lose their power when it ends, however it ends."""
    global _owner  # pylint: disable=global-statement
    _owner = _owner or os.pipe()


class Host:
    """Speaks to the machine of one host. `description` is its entry in the world's JSON."""

    def __init__(self, name, description, environment, network=None):
        self.name = name
        self.description = description
        self.directory = pathlib.Path(description["directory"])
        self.environment = environment
        self.network = network  # None: this process's own
        self.init = None  # the machine as a child of this process, if this one switched it on

    # --- the machine ---

    def powered(self):
        try:
            self.ask({"op": "list"})
            return True
        except WorldError:
            return False

    def ask(self, request):
        """Sends one request to the machine. Raises WorldError if it is off or says no."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(30)
            try:
                connection.connect(str(self.directory / "init.sock"))
                connection.sendall(json.dumps(request).encode() + b"\n")
                with connection.makefile("rb") as stream:
                    reply = json.loads(stream.readline() or b"{}")
            except (OSError, ValueError) as error:
                raise WorldError(f"host {self.name} is off: {error}") from error
        if "error" in reply:
            raise WorldError(f"host {self.name}: {reply['error']}")
        return reply

    def inside(self, argv):
        """How `argv` is started at the place where this host is."""
        if self.network is None:
            return argv
        return self.network.inside(self.description["site"], argv)

    def power_on(self, same_boot=False):
        """A new boot: a new boot id, nothing runs yet. With `same_boot` the machine was never off,
        all that ran on it was killed."""
        boot_id = pathlib.Path(self.description["boot_id_file"])
        if not same_boot or not boot_id.exists():
            boot_id.write_text(f"{uuid.uuid4()}\n", encoding="ascii")
        owner = _owner[:1] if _owner else ()
        with open(self.directory / "log" / "init.log", "ab") as log:
            self.init = subprocess.Popen(
                self.inside([sys.executable, str(HERE / "host_init.py"), str(self.directory),
                             *map(str, owner)]), pass_fds=owner, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd="/", env=self.environment, start_new_session=True)
        deadline = time.monotonic() + 10
        while not self.powered():
            if self.init.poll() is not None or time.monotonic() > deadline:
                raise WorldError(f"host {self.name} does not start; see {log.name}")
            time.sleep(0.002)

    def power_off(self):
        """Cuts the power: kills every process of the host at once. Returns how many."""
        if not self.powered():
            return 0
        killed = self.ask({"op": "off"})["killed"]
        deadline = time.monotonic() + 10
        while (self.directory / "init.sock").exists() and time.monotonic() < deadline:
            time.sleep(0.002)
        if self.init is not None:
            self.init.wait(timeout=10)
        return killed

    def spawn(self, name, argv, log):
        return self.ask({"op": "spawn", "name": name, "argv": [str(word) for word in argv],
                         "environment": self.environment,
                         "log": str(self.directory / "log" / log)})["pid"]

    def kill(self, name, number=signal.SIGKILL):
        return self.ask({"op": "signal", "name": name, "signal": int(number)})["pid"]

    def pid(self, name):
        """The pid of a process of this host, or None if it does not run."""
        try:
            process = self.ask({"op": "list"})["processes"].get(name)
        except WorldError:
            return None
        return process["pid"] if process and process["exit"] is None else None

    # --- what runs on it ---

    def boot(self, same_boot=False):
        """Power on, then start what an installed host starts by itself: supervisors and agent."""
        self.power_on(same_boot)
        for resource in self.description["resources"]:
            self.start_supervisor(resource)
        if "agent" in self.description:
            self.start_agent()
        if "coordinator" in self.description:
            self.start_coordinator()

    def reboot(self):
        self.power_off()
        self.boot()

    def supervisor_pid(self, resource):
        """Of who looks after that resource now, whoever started it: a direct service's agent does
        too."""
        directory = self.description["resources"][resource]["run_directory"]
        return lock_holder(pathlib.Path(directory) / f"{resource}.supervisor.lock")

    def start_supervisor(self, resource):
        """Leaves one that runs already alone."""
        description = self.description["resources"][resource]
        running = self.supervisor_pid(resource)
        if running is not None:
            return running
        return self.spawn(f"supervisor/{resource}",
                          [self.program("baton-guard"), "run", description["resource_file"]],
                          f"{resource}.log")

    def kill_supervisor(self, resource):
        pid = self.supervisor_pid(resource)
        if pid is None:
            raise WorldError(f"host {self.name}: nobody looks after {resource}")
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while self.supervisor_pid(resource) == pid and time.monotonic() < deadline:
            time.sleep(0.002)

    def start_agent(self):
        return self.spawn("agent", [self.program("baton-agent"), "--config",
                                    self.description["agent"]["config"]], "agent.log")

    def start_coordinator(self):
        return self.spawn("coordinator", [self.program("baton-coordinator"), "--config",
                                          self.description["coordinator"]["config"]],
                          "coordinator.log")

    def program(self, name):
        return os.path.join(self.environment["BATON_PROGRAMS"], name)
