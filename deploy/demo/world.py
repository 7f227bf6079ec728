"""The demo world: one pool over two sites on loopback. Makes it, remembers it, finds it again."""

import json
import pathlib
import shutil

import chat
import postgres
from files import free_port, network_of, new_password, write
from host import Host, WorldError

POOL = "chat.example.com"
SITES = ("hq", "dr")
USERS = ("anna", "bela", "cleo")
ROOMS = ("lobby", "plans", "garden", "night-shift")


class World:
    """What `data` (world.json) says, with a handle for each host."""

    def __init__(self, data):
        self.data = data
        self.directory = pathlib.Path(data["directory"])
        self.hosts = {name: Host(name, description, data["environment"])
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

    def chat_server(self, site):
        return self.data["hosts"][f"{site}-chat1"]["resources"]["prosody"]

    def account(self, name):
        return self.data["accounts"][name]

    def boot(self):
        """Starts every host that is off."""
        for host in self.hosts.values():
            if not host.powered():
                host.boot()

    def power_off(self):
        for host in self.hosts.values():
            host.power_off()

    def destroy(self):
        self.power_off()
        shutil.rmtree(self.directory)

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
                entry["supervisor_pid"] = host.pid(f"supervisor/{resource}")
                entry["server_pid"] = server_pid(entry)
        return data


def server_pid(resource):
    """The pid in the server's own pid file, if that process is alive."""
    try:
        pid = int(pathlib.Path(resource["pid_file"]).read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return pid if pathlib.Path(f"/proc/{pid}").exists() else None


# --- making one ---


class Builder:
    """Lays out a new world in an empty directory and does what precedes Baton's first start."""

    def __init__(self, directory, installed):
        self.directory = pathlib.Path(directory)
        self.installed = pathlib.Path(installed)  # bin/ demo/ config/ prosody/
        self.network = network_of(directory)
        self.taken = set()
        self.data = {
            "directory": str(self.directory), "pool": POOL, "database": postgres.DATABASE,
            "domain": POOL, "muc_domain": f"rooms.{POOL}", "sites": list(SITES),
            "shares": {}, "accounts": {}, "hosts": {}, "rooms": list(ROOMS),
            "programs": str(self.installed / "bin"),
        }

    def build(self):
        for path in ("secrets", "shares", "hosts"):
            (self.directory / path).mkdir(mode=0o700)
        self.make_accounts()
        for site in SITES:
            share = self.directory / "shares" / f"{site}-logs"
            share.mkdir()
            write(share / ".baton-share", f"{site}-logs\n", 0o644)
            self.data["shares"][f"{site}-logs"] = {"site": site, "path": str(share)}
        number = 1
        for site in SITES:
            self.make_host(f"{site}-sql1", site, number)
            self.make_host(f"{site}-chat1", site, number + 1)
            number += 2
        for site in SITES:
            self.lay_out_database(site)
        for site in SITES:
            self.lay_out_chat_server(site)
        self.make_coordinator(number)
        self.data["environment"] = {
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8", "HOME": str(self.directory),
            "BATON_PROGRAMS": self.data["programs"],
            "BATON_COORDINATOR": "{address}:{port}".format(**self.data["coordinator"]),
        }
        self.write_configuration()
        world = World(self.data)
        self.bootstrap(world)
        world.save()
        return world

    def make_accounts(self):
        def account(name, **facts):
            password = new_password()
            path = write(self.directory / "secrets" / f"{name}.password", f"{password}\n")
            self.data["accounts"][name] = {**facts, "password": password, "password_file": path}

        account("superuser", user=postgres.SUPERUSER)
        account("chat-database", user=postgres.CHAT_USER)
        account("canary", jid=f"canary@{POOL}")
        for user in USERS:
            account(user, jid=f"{user}@{POOL}")
        superuser = self.data["accounts"]["superuser"]
        superuser["passfile"] = write(self.directory / "secrets" / "superuser.passfile",
                                      f"*:*:*:{postgres.SUPERUSER}:{superuser['password']}\n")

    def make_host(self, name, site, number):
        directory = self.directory / "hosts" / name
        for path in (directory, directory / "etc", directory / "log", directory / "run"):
            path.mkdir(mode=0o700)
        self.data["hosts"][name] = {
            "site": site, "address": f"{self.network}.{number}", "directory": str(directory),
            "boot_id_file": str(directory / "boot_id"), "resources": {},
        }
        return self.data["hosts"][name]

    def lay_out(self, host, resource, kind):
        """What every resource has, with its folders made."""
        description = self.data["hosts"][host]
        directory = pathlib.Path(description["directory"])
        for path in (f"run/{resource}", resource):
            (directory / path).mkdir(mode=0o700)
        entry = {
            "host": host, "kind": kind, "address": description["address"],
            "port": free_port(description["address"], self.taken),
            "resource_file": str(directory / "etc" / f"{resource}.conf"),
            "fence_file": str(directory / "run" / f"{resource}.fence"),
            "run_directory": str(directory / "run" / resource),
            "data_directory": str(directory / resource),
            "log": str(directory / "log" / f"{resource}.log"),
            "server_log": str(directory / "run" / resource / f"{resource}.log"),
        }
        description["resources"][resource] = entry
        return directory, entry

    def lay_out_database(self, site):
        directory, entry = self.lay_out(f"{site}-sql1", "mgc", "database")
        (directory / "copies").mkdir(mode=0o700)
        entry.update({
            "configuration": str(directory / "etc" / "postgresql.conf"), "share": f"{site}-logs",
            "copy_destination": str(directory / "copies"),
            "pid_file": str(directory / "mgc" / "postmaster.pid"),
        })
        self.add_agent(f"{site}-sql1", directory)

    def lay_out_chat_server(self, site):
        directory, entry = self.lay_out(f"{site}-chat1", "prosody", "chat")
        entry.update({
            "configuration": str(directory / "etc" / "prosody.cfg.lua"),
            "control_port": free_port("127.0.0.1", self.taken),
            "token_file": write(directory / "etc" / "control.token", f"{new_password()}\n"),
            "database_file": str(directory / "etc" / "database.cfg.lua"),
            "chat_log": str(directory / "log" / "prosody.server.log"),
            "pid_file": str(directory / "prosody" / "prosody.pid"),
        })
        self.add_agent(f"{site}-chat1", directory)

    def add_agent(self, host, directory):
        self.data["hosts"][host]["agent"] = {
            "config": str(directory / "etc" / "agent.conf"),
            "ledger": str(directory / "run" / "ledger.db"),
            "log": str(directory / "log" / "agent.log"),
        }

    def make_coordinator(self, number):
        description = self.make_host("co1", "witness", number)
        directory = pathlib.Path(description["directory"])
        description["coordinator"] = self.data["coordinator"] = {
            "host": "co1", "address": description["address"],
            "port": free_port(description["address"], self.taken),
            "config": str(directory / "etc" / "coordinator.conf"),
            "journal": str(directory / "run" / "journal.db"),
            "log": str(directory / "log" / "coordinator.log"),
        }

    def write_configuration(self):
        import configuration  # pylint: disable=import-outside-toplevel
        configuration.write_all(self.data, self.installed)

    def bootstrap(self, world):
        """First start of the databases and of one chat server, without Baton and before it."""
        home, other = (world.database(site) for site in SITES)
        superuser = world.account("superuser")
        chat_password = world.account("chat-database")["password"]
        log = self.directory / "bootstrap.log"
        accounts = {name: account for name, account in self.data["accounts"].items()
                    if "jid" in account}
        postgres.make_cluster(home, superuser["password_file"])
        with postgres.BootstrapServer(home, superuser["password"], log):
            postgres.make_chat_database(home, superuser["password"], chat_password)
            chat.bootstrap(world.chat_server(SITES[0]), home, chat_password, accounts, log)
        with postgres.BootstrapServer(home, superuser["password"], log, keep_log=True):
            postgres.copy_to_standby(home, other, superuser["passfile"])


def create(directory, installed):
    """Makes a world in `directory`, which must not hold one. Nothing of it runs afterwards."""
    directory = pathlib.Path(directory)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise WorldError(f"{directory} is not empty; 'demo.sh reset' makes the world anew")
    return Builder(directory, installed).build()
