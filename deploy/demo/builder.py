"""Makes a demo world: its folders, accounts and configuration, and the primary's first start."""

import pathlib

import chat
import configuration
import network
import postgres
from files import free_port, network_of, new_password, write
from host import WorldError
from world import SITES, WITNESS, World

POOL = "chat.example.com"
USERS = ("anna", "bela", "cleo")
ROOMS = ("lobby", "plans", "garden", "night-shift")


class Builder:
    """Lays out a new world in an empty directory and does what precedes Baton's first start."""

    def __init__(self, directory, installed, apart, settings):
        self.directory = pathlib.Path(directory)
        self.installed = pathlib.Path(installed)  # bin/ demo/ config/ prosody/
        self.apart = apart
        self.loopback = network_of(directory)
        self.taken = set()
        self.data = {
            "directory": str(self.directory), "pool": POOL, "database": postgres.DATABASE,
            "domain": POOL, "muc_domain": f"rooms.{POOL}", "sites": list(SITES),
            "shares": {}, "accounts": {}, "hosts": {}, "rooms": list(ROOMS),
            "programs": str(self.installed / "bin"), "settings": settings,
        }

    def build(self):
        for path in ("secrets", "shares", "hosts"):
            (self.directory / path).mkdir(mode=0o700)
        self.make_accounts()
        self.make_shares()
        if self.apart:
            self.data["network"] = network.describe(self.directory, (*SITES, WITNESS))
        for site in SITES:
            for number, name in enumerate(("sql1", "chat1", "chat2"), 1):
                self.make_host(f"{site}-{name}", site, number)
            self.lay_out_database(f"{site}-sql1", f"{site}-logs")
            self.lay_out_chat_server(f"{site}-chat1")
            self.lay_out_chat_server(f"{site}-chat2")
        self.make_coordinator()
        self.data["environment"] = {
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8", "HOME": str(self.directory),
            "BATON_PROGRAMS": self.data["programs"],
            "BATON_COORDINATOR": "{address}:{port}".format(**self.data["coordinator"]),
        }
        configuration.write_all(self.data, self.installed)
        world = World(self.data)
        try:
            if world.network is not None:
                world.network.up()
            self.bootstrap(world)
        except BaseException:
            world.power_off()
            raise
        world.save()
        return world

    def make_shares(self):
        """One folder for each; every database host has it at a place of its own, as if mounted.
        All lie on this machine's disk, where only a marker made by hand makes them shares."""
        for site in SITES:
            share = self.directory / "shares" / f"{site}-logs"
            share.mkdir()
            write(share / ".baton-share", f"{share.name}\n", 0o644)
            self.data["shares"][f"{site}-logs"] = {"site": site, "path": str(share)}

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
            "site": site, "address": self.address(site, number), "directory": str(directory),
            "boot_id_file": str(directory / "boot_id"), "resources": {},
        }
        return self.data["hosts"][name]

    def address(self, site, number):
        place = (*SITES, WITNESS).index(site)
        if self.apart:
            return f"{self.data['network'][site]['subnet']}.{number}"
        return f"{self.loopback}.{10 * place + number}"

    def port(self, address):
        return free_port(address, self.taken, probe=not self.apart)

    def lay_out(self, host, resource, kind):
        """What every resource has, with its folders made."""
        description = self.data["hosts"][host]
        directory = pathlib.Path(description["directory"])
        for path in (f"run/{resource}", resource):
            (directory / path).mkdir(mode=0o700)
        entry = {
            "host": host, "kind": kind, "address": description["address"],
            "port": self.port(description["address"]),
            "resource_file": str(directory / "etc" / f"{resource}.conf"),
            "fence_file": str(directory / "run" / f"{resource}.fence"),
            "run_directory": str(directory / "run" / resource),
            "data_directory": str(directory / resource),
            "log": str(directory / "log" / f"{resource}.log"),
            "server_log": str(directory / "run" / resource / f"{resource}.log"),
        }
        description["resources"][resource] = entry
        return directory, entry

    def lay_out_database(self, host, share):
        directory, entry = self.lay_out(host, "mgc", "database")
        for path in ("copies", "shares"):
            (directory / path).mkdir(mode=0o700)
        for name, described in self.data["shares"].items():
            (directory / "shares" / name).symlink_to(described["path"])
        entry.update({
            "configuration": str(directory / "etc" / "postgresql.conf"), "share": share,
            "settings_file": str(directory / "etc" / "shipping.conf"),
            "shares": {name: str(directory / "shares" / name) for name in self.data["shares"]},
            "copy_destination": str(directory / "copies"),
            "quarantine_directory": str(directory / "quarantine"),
            "pid_file": str(directory / "mgc" / "postmaster.pid"),
        })
        self.add_agent(host, directory)

    def lay_out_chat_server(self, host):
        directory, entry = self.lay_out(host, "prosody", "chat")
        entry.update({
            "configuration": str(directory / "etc" / "prosody.cfg.lua"),
            "control_port": self.port("127.0.0.1"),
            "token_file": write(directory / "etc" / "control.token", f"{new_password()}\n"),
            "database_file": str(directory / "etc" / "database.cfg.lua"),
            "chat_log": str(directory / "log" / "prosody.server.log"),
            "pid_file": str(directory / "prosody" / "prosody.pid"),
        })
        self.add_agent(host, directory)

    def add_agent(self, host, directory):
        self.data["hosts"][host]["agent"] = {
            "config": str(directory / "etc" / "agent.conf"),
            "ledger": str(directory / "run" / "ledger.db"),
            "log": str(directory / "log" / "agent.log"),
        }

    def make_coordinator(self):
        description = self.make_host("co1", WITNESS, 1)
        directory = pathlib.Path(description["directory"])
        description["coordinator"] = self.data["coordinator"] = {
            "host": "co1", "address": description["address"],
            "port": self.port(description["address"]),
            "config": str(directory / "etc" / "coordinator.conf"),
            "journal": str(directory / "run" / "journal.db"),
            "log": str(directory / "log" / "coordinator.log"),
        }

    def bootstrap(self, world):
        """First start of the primary and of one chat server, without Baton and before it: a service
        that nobody protects yet. The other site's database host has no data at all."""
        home, other = (world.database(site) for site in SITES)
        machine, chat_machine = world.hosts[f"{SITES[0]}-sql1"], world.hosts[f"{SITES[0]}-chat1"]
        superuser = world.account("superuser")
        chat_password = world.account("chat-database")["password"]
        log = self.directory / "bootstrap.log"
        accounts = {name: account for name, account in self.data["accounts"].items()
                    if "jid" in account}
        postgres.make_cluster(home, superuser["password_file"])
        with postgres.BootstrapServer(machine, home, superuser["password"], log):
            postgres.make_chat_database(home, superuser["password"], chat_password)
            chat.bootstrap(chat_machine, world.chat_servers(SITES[0])[0], home, chat_password,
                           accounts, log)
        pathlib.Path(other["data_directory"]).rmdir()


def create(directory, installed, apart=False, **settings):
    """Makes a world in `directory`, which must not hold one; with `apart`, one whose sites can be
    cut apart. `settings` are further keys of every resource file. No host of it runs afterwards."""
    directory = pathlib.Path(directory)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise WorldError(f"{directory} is not empty; 'demo.sh reset' makes the world anew")
    return Builder(directory, installed, apart, settings).build()
