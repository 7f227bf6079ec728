"""Writes what the programs of the demo world read: resource files, agents, coordinator, topology."""

import pathlib

import chat
import postgres
from files import write


def write_all(data, installed):
    prosody = (installed / "config" / "prosody.cfg.lua.in").read_text(encoding="utf-8")
    for host, description in data["hosts"].items():
        for name, resource in description["resources"].items():
            if resource["kind"] == "database":
                postgres.write_configuration(resource)
            else:
                chat.write_configuration(data, resource, prosody, installed / "prosody")
            write(resource["resource_file"], resource_file(data, host, name, resource))
        if "agent" in description:
            write(description["agent"]["config"], agent(data, host, description))
    coordinator = data["coordinator"]
    write(coordinator["config"], lines({"listen": "{address}:{port}".format(**coordinator),
                                        "journal": coordinator["journal"]}))
    sample = (installed / "config" / "topology.yaml").read_text(encoding="utf-8")
    data["topology"] = write(pathlib.Path(data["directory"]) / "topology.yaml",
                             sample.replace("/srv/baton/", f"{data['directory']}/shares/"), 0o644)


def agent(data, host, description):
    """What the agent of one host reads; explained in deploy/config/agent.conf."""
    return lines({
        "host": host, "coordinator": "{address}:{port}".format(**data["coordinator"]),
        "ledger": description["agent"]["ledger"],
        "resources": " ".join(resource["resource_file"]
                              for resource in description["resources"].values()),
        "guard": f"{data['programs']}/baton-guard",
    })


def lines(values):
    return "".join(f"{key} = {value}\n" for key, value in values.items())


def resource_file(data, host, name, resource):
    """The text of one resource file; its keys are explained in deploy/config/resource.conf."""
    database = resource["kind"] == "database"
    command = postgres.server_command if database else chat.server_command
    values = {
        "resource": name, "pool": data["pool"], "host": host, "kind": resource["kind"],
        "engine": "postgresql" if database else "prosody", "manager": "direct",
        "command": " ".join(command(resource)),
        "data_directory": resource["data_directory"],
        "run_directory": resource["run_directory"], "fence_file": resource["fence_file"],
        "boot_id_file": data["hosts"][host]["boot_id_file"],
    }
    engine = database_keys if database else chat_keys
    return lines({**values, **engine(data, resource), **data["settings"]})


def database_keys(data, resource):
    return {
        "share": resource["share"],
        **{f"share.{name}": path for name, path in resource["shares"].items()},
        "copy_destination": resource["copy_destination"],
        "postgresql.bin_directory": postgres.BIN, "postgresql.address": resource["address"],
        "postgresql.port": resource["port"], "postgresql.user": postgres.SUPERUSER,
        "postgresql.password_file": data["accounts"]["superuser"]["passfile"],
        "postgresql.database": data["database"],
        "quarantine_directory": resource["quarantine_directory"],
        "postgresql.settings_file": resource["settings_file"],
        **{f"postgresql.instance.{host}": f"{entry['address']}:{entry['port']}"
           for host, entry in databases(data)},
    }


def databases(data):
    """(host name, description) of each database instance."""
    return [(host, entry) for host, description in data["hosts"].items()
            for entry in description["resources"].values() if entry["kind"] == "database"]


def chat_keys(data, resource):
    instances = {
        f"prosody.instance.{host}": f"{entry['address']}:{entry['port']}/{data['database']}"
        for host, entry in databases(data)
    }
    return {
        "prosody.address": resource["address"], "prosody.c2s_port": resource["port"],
        "prosody.domain": data["domain"], "prosody.muc_domain": data["muc_domain"],
        "prosody.control_port": resource["control_port"],
        "prosody.token_file": resource["token_file"],
        "prosody.database_file": resource["database_file"],
        "prosody.database_user": data["accounts"]["chat-database"]["user"],
        "prosody.database_password_file": data["accounts"]["chat-database"]["password_file"],
        **instances,
        "prosody.canary_jid": data["accounts"]["canary"]["jid"],
        "prosody.canary_password_file": data["accounts"]["canary"]["password_file"],
        "prosody.canary_room": f"baton-canary@{data['muc_domain']}",
    }
