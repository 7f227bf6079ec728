"""The demo world: one pool over two sites on one machine. Starts, breaks and mends it."""

import concurrent.futures
import json
import pathlib
import shutil

from files import write
from host import Host, WorldError
from network import Network

SITES = ("hq", "dr")  # home, backup
WITNESS = "witness"  # where the coordinator is


class World:
    """What `data` (world.json) says, with a handle for each host."""

    def __init__(self, data):
        self.data = data
        self.directory = pathlib.Path(data["directory"])
        self.network = None
        if "network" in data:
            self.network = Network(data["network"], data["environment"])
        self.hosts = {name: Host(name, description, data["environment"], self.network)
                      for name, description in data["hosts"].items()}

    @staticmethod
    def load(directory):
        path = pathlib.Path(directory) / "world.json"
        if not path.exists():
            raise WorldError(f"there is no world in {directory}; 'demo.sh up' makes one")
        return World(json.loads(path.read_text(encoding="utf-8")))

    def save(self):
        write(self.directory / "world.json", json.dumps(self.data, indent=1) + "\n")

    def resources(self, kind):
        """(host name, description) of each resource of `kind`, home site first."""
        return [(name, resource) for name, host in self.data["hosts"].items()
                for resource in host["resources"].values() if resource["kind"] == kind]

    def database(self, site):
        return self.data["hosts"][f"{site}-sql1"]["resources"]["mgc"]

    def chat_servers(self, site):
        """The one that serves when all is well, then the spare."""
        return [resource for _, resource in self.resources("chat")
                if self.data["hosts"][resource["host"]]["site"] == site]

    def account(self, name):
        return self.data["accounts"][name]

    def hosts_of(self, site):
        found = [host for host in self.hosts.values() if host.description["site"] == site]
        if not found:
            raise WorldError(f"there is no site '{site}'; there are {', '.join(SITES)}")
        return found

    # --- power ---

    def boot(self):
        """Starts every host that is off."""
        if self.network is not None:
            self.network.up()
        for host in self.hosts.values():
            if not host.powered():
                host.boot()

    def power_off(self):
        self.kill(self.hosts.values())
        if self.network is not None:
            self.network.down()

    def destroy(self):
        self.power_off()
        shutil.rmtree(self.directory)

    @staticmethod
    def kill(hosts):
        """kill -9 of every process of `hosts`, of all of them at the same time."""
        with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
            return sum(pool.map(Host.power_off, hosts))

    # --- what happens to sites ---

    def lose(self, site):
        """Everything that runs there is killed at once; returns how many processes that were."""
        return self.kill(self.hosts_of(site))

    def bring_back(self, site, same_boot=False):
        """Every host of a lost site starts what it starts by itself."""
        for host in self.hosts_of(site):
            if not host.powered():
                host.boot(same_boot)

    def share(self, name, host):
        """Where `host` has that share."""
        return pathlib.Path(self.data["hosts"][host]["resources"]["mgc"]["shares"][name])

    def hide_share(self, name, *hosts):
        """For `hosts` (none named: for all) it is as if nothing were mounted there."""
        for host in hosts or [host for host, _ in self.resources("database")]:
            self.share(name, host).unlink(missing_ok=True)
            self.share(name, host).mkdir(exist_ok=True)

    def show_shares(self):
        """Undoes every hide_share()."""
        for host, resource in self.resources("database"):
            for name in resource["shares"]:
                if not self.share(name, host).is_symlink():
                    self.share(name, host).rmdir()
                    self.share(name, host).symlink_to(self.data["shares"][name]["path"])

    def wires(self):
        """The network of a world whose sites can be cut apart."""
        if self.network is None:
            raise WorldError("the sites of this world share one network; make it with --network")
        return self.network

    def live(self):
        """The description with what can only be known now: pids, None where nothing runs."""
        data = json.loads(json.dumps(self.data))
        for name, description in data["hosts"].items():
            host = self.hosts[name]
            description["powered"] = host.powered()
            if "agent" in description:
                description["agent"]["pid"] = host.pid("agent")
            if "coordinator" in description:
                data["coordinator"]["pid"] = host.pid("coordinator")
            for resource, entry in description["resources"].items():
                entry["supervisor_pid"] = host.supervisor_pid(resource)
                entry["server_pid"] = server_pid(entry)
        return data


def server_pid(resource):
    """The pid in the server's own pid file, if that process is alive."""
    try:
        pid = int(pathlib.Path(resource["pid_file"]).read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return pid if pathlib.Path(f"/proc/{pid}").exists() else None
