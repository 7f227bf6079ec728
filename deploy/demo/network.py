"""Sites that can be cut apart: each in a network namespace of its own, joined by a router.

Needs root, which deploy/demo.sh uses to enter a new namespace with just the right to make more. That
one is the router: this process, the people and the operator are there and reach every site, whatever
is cut. What runs at a site has no rights but the world's user's.
"""

import os
import pathlib
import subprocess

from host import Host, WorldError

NO_RIGHTS = ["/usr/bin/setpriv", "--inh-caps=-all", "--ambient-caps=-all"]
CAP_NET_ADMIN = 12


def possible():
    """True if this process may make networks: deploy/demo.sh says when it starts one that may."""
    status = pathlib.Path("/proc/self/status").read_text(encoding="ascii")
    effective = int(status.split("CapEff:")[1].split()[0], 16)
    return bool(effective >> CAP_NET_ADMIN & 1) and os.environ.get("BATON_DEMO_NETWORK") == "1"


def subnet(number):
    """Of loopback addresses, since Baton's programs speak to nobody beyond: inside the world they
    are routed from site to site like any others."""
    return f"127.77.{number}"


def describe(directory, sites):
    """The entry of a world's JSON for a network of `sites`; nothing is made."""
    directory = pathlib.Path(directory) / "network"
    segments = {"router": {"directory": str(directory / "router")}}
    for number, site in enumerate(sites, 1):
        segments[site] = {"directory": str(directory / site), "subnet": subnet(number)}
    for segment in segments.values():
        (pathlib.Path(segment["directory"]) / "log").mkdir(mode=0o700, parents=True)
        segment["boot_id_file"] = segment["directory"] + "/boot_id"
    return segments


class Segment(Host):
    """The namespace of one site. A process that does nothing keeps it; it goes with that process."""

    def inside(self, argv):
        """How `argv` is started in it, without the rights of who starts it."""
        return [*self.prefix(), *NO_RIGHTS, *argv]

    def prefix(self):
        pid = self.ask({"op": "list"})["self"]
        return ["/usr/bin/nsenter", f"--net=/proc/{pid}/ns/net", "--"]


class NewSegment(Segment):
    """One that has no namespace yet: its first process makes it."""

    def prefix(self):
        return ["/usr/bin/unshare", "--net", "--"]


class Router(Segment):
    """Keeps the namespace that this process is in."""

    def prefix(self):
        return []


class Network:
    def __init__(self, segments, environment):
        self.sites = {name: segment for name, segment in segments.items() if name != "router"}
        self.segments = {name: Segment(f"network of {name}", segment, environment)
                         for name, segment in self.sites.items()}
        self.router = Router("router", segments["router"], environment)

    def inside(self, site, argv):
        return self.segments[site].inside(argv)

    def up(self):
        """Makes what is not there. Nothing is cut afterwards that wasn't."""
        if self.router.powered():
            return
        if not possible():
            raise WorldError("sites with a network of their own need root and --network")
        self.router.power_on()
        pid = self.router.ask({"op": "list"})["self"]
        pid_file = pathlib.Path(self.router.description["directory"]) / "pid"
        pid_file.write_text(f"{pid}\n", encoding="ascii")
        route_loopback([])
        run("/usr/sbin/sysctl", "-qw", "net.ipv4.ip_forward=1")
        for number, name in enumerate(self.sites, 1):
            self.join(name, f"site{number}")

    def join(self, name, link):
        segment, network = self.segments[name], self.sites[name]["subnet"]
        new = NewSegment(segment.name, segment.description, segment.environment)
        new.power_on()
        segment.init = new.init
        pid = segment.ask({"op": "list"})["self"]
        ip("link", "add", link, "type", "veth", "peer", "name", "uplink", "netns", str(pid))
        ip("address", "add", f"{network}.254/24", "scope", "global", "dev", link)
        ip("link", "set", link, "up")
        here = segment.prefix()
        route_loopback(here)
        for number in range(1, 10):  # one for each host that may be there
            ip("address", "add", f"{network}.{number}/24", "scope", "global", "dev", "uplink",
               prefix=here)
        ip("link", "set", "uplink", "up", prefix=here)
        ip("route", "add", "default", "via", f"{network}.254", prefix=here)

    def down(self):
        for segment in (*self.segments.values(), self.router):
            segment.power_off()

    def rule(self, verb, source, target):
        for site in (source, target):
            if site not in self.sites:
                raise WorldError(f"there is no site '{site}'; there are {', '.join(self.sites)}")
        return ip("rule", verb, "from", f"{self.sites[source]['subnet']}.0/24", "to",
                  f"{self.sites[target]['subnet']}.0/24", "blackhole", check=False)

    def cut(self, source, target, one_way=False):
        """From now on no packet from `source` arrives at `target`, nor, by default, the other way."""
        for pair in [(source, target)] if one_way else [(source, target), (target, source)]:
            while self.rule("del", *pair) == 0:  # never twice: one mend mends it
                pass
            if self.rule("add", *pair) != 0:
                raise WorldError(f"the link from {pair[0]} to {pair[1]} cannot be cut")

    def mend(self, source, target):
        for pair in [(source, target), (target, source)]:
            while self.rule("del", *pair) == 0:
                pass


def route_loopback(prefix):
    """In the namespace that `prefix` leads to, only 127.0.0.1 stays at home."""
    run("/usr/sbin/sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1", prefix=prefix)
    ip("link", "set", "lo", "up", prefix=prefix)
    ip("address", "replace", "127.0.0.1/32", "dev", "lo", prefix=prefix)
    ip("address", "delete", "127.0.0.1/8", "dev", "lo", prefix=prefix)


def ip(*words, prefix=(), check=True):
    return run("/usr/sbin/ip", *words, prefix=prefix, check=check)


def run(*words, prefix=(), check=True):
    """Returns the exit code."""
    done = subprocess.run([*prefix, *words], text=True, check=False, stdin=subprocess.DEVNULL,
                          capture_output=True)
    if check and done.returncode != 0:
        raise WorldError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.returncode
