#!/usr/bin/python3
"""The init process of one host of the demo world.

All hosts of the world share one kernel. This process stands for "the machine": every process of a
host descends from it, and it is their subreaper, so that whatever loses its parent stays here, is
reaped at once, and dies with the host when its power is cut.

Usage: host_init.py DIRECTORY [FD]. FD is the reading end of a pipe: when its other end closes, because
whoever made this world died, the power is cut. It listens on DIRECTORY/init.sock for one JSON request a connection:
  {"op": "spawn", "name": N, "argv": [...], "environment": {...}, "log": FILE}   -> {"pid": P}
  {"op": "signal", "name": N, "signal": 9}   answers once the process is gone, for SIGKILL
  {"op": "list"}            -> {"processes": {N: {"pid", "exit"}}, "all": [pids], "self": pid}
  {"op": "off"}                              kills everything of this host, then ends itself
An answer is one JSON line; {"error": TEXT} when the request could not be done.
"""

import ctypes
import json
import os
import selectors
import signal
import socket
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


def descendants(root):
    """Pids below `root`, as /proc shows them now; dead ones that nobody reaped yet are left out."""
    children = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if fields[0] not in (b"Z", b"X"):
            children.setdefault(int(fields[1]), []).append(int(name))
    found, queue = [], [root]
    while queue:
        for pid in children.get(queue.pop(), []):
            found.append(pid)
            queue.append(pid)
    return found


class Host:
    def __init__(self):
        self.pids = {}  # name -> pid of the last process spawned under it
        self.exits = {}  # pid -> how it ended

    def reap(self):
        """Takes note of whatever ended. True when no child is left, not even a dead one."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            if pid in self.pids.values():
                self.exits[pid] = os.waitstatus_to_exitcode(status)

    def alive(self, name):
        self.reap()
        return name in self.pids and self.pids[name] not in self.exits

    def spawn(self, request):
        name = request["name"]
        if self.alive(name):
            return {"error": f"{name} runs already (pid {self.pids[name]})"}
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            pid = os.fork()
            if pid == 0:
                self.become(request, log)
        finally:
            os.close(log)
        self.pids[name] = pid
        return {"pid": pid}

    @staticmethod
    def become(request, log):
        try:
            os.setsid()
            null = os.open("/dev/null", os.O_RDONLY)
            os.dup2(null, 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.closerange(3, 256)
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            os.execve(request["argv"][0], request["argv"], request["environment"])
        except BaseException as error:  # the parent's stack must never unwind in the child
            os.write(2, f"cannot start {request['argv']}: {error}\n".encode())
        os._exit(127)

    def signal(self, request):
        name, number = request["name"], request["signal"]
        if not self.alive(name):
            return {"error": f"{name} does not run"}
        pid = self.pids[name]
        os.kill(pid, number)
        deadline = time.monotonic() + (10 if number == signal.SIGKILL else 0)
        while time.monotonic() < deadline and self.alive(name):
            time.sleep(0.001)
        return {"pid": pid}

    def list(self, _request):
        self.reap()
        processes = {
            name: {"pid": pid, "exit": self.exits.get(pid)} for name, pid in self.pids.items()
        }
        return {"processes": processes, "all": descendants(os.getpid()), "self": os.getpid()}

    def off(self, _request):
        deadline = time.monotonic() + 20
        killed = 0
        while time.monotonic() < deadline:
            if self.reap():
                return {"killed": killed}
            for pid in descendants(os.getpid()):
                try:
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    pass
            time.sleep(0.002)
        return {"error": f"processes that no signal ends: {descendants(os.getpid())}"}

    def answer(self, request):
        operations = {
            "spawn": self.spawn, "signal": self.signal, "list": self.list, "off": self.off,
        }
        operation = operations.get(request.get("op"))
        if operation is None:
            return {"error": f"unknown operation; one of {sorted(operations)} is wanted"}
        try:
            return operation(request)
        except (OSError, KeyError, TypeError) as error:
            return {"error": f"{type(error).__name__}: {error}"}


def receive_line(connection):
    data = b""
    while not data.endswith(b"\n"):
        part = connection.recv(65536)
        if not part:
            break
        data += part
    return data


def serve(listener, owner, host):
    """Answers requests until one asks to switch off, or the owner is gone."""
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(reader, selectors.EVENT_READ)
    if owner is not None:
        selector.register(owner, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj == owner:
                host.off(None)
                return
            if key.fileobj == reader:
                os.read(reader, 4096)
                host.reap()
                continue
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(5)
                try:
                    request = json.loads(receive_line(connection))
                    reply = host.answer(request)
                    connection.sendall(json.dumps(reply).encode() + b"\n")
                except (OSError, ValueError):
                    continue
                if request.get("op") == "off" and "error" not in reply:
                    return


def main():
    directory = sys.argv[1]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        sys.exit("prctl(PR_SET_CHILD_SUBREAPER) failed")
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    path = os.path.join(directory, "init.sock")
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    listener.bind(path)
    os.chmod(path, 0o600)
    listener.listen(64)
    try:
        serve(listener, int(sys.argv[2]) if len(sys.argv) > 2 else None, Host())
    finally:
        os.unlink(path)


if __name__ == "__main__":
    main()
