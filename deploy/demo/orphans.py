"""Reads messages out of data that Baton keeps in quarantine, without changing it."""

import pathlib
import re
import shutil

import operator_cli
import postgres
from files import write
from host import WorldError

ID = re.compile(r"""\bid=['"]([0-9a-f]+-[0-9]+)['"]""")


def entries(world):
    """(host, entry) of everything in quarantine, newest first."""
    pools = operator_cli.document(world, "quarantine", "list", world.data["pool"]).get("pools", [])
    return [(member["resource"]["host"], entry) for pool in pools for member in pool["members"]
            for entry in member["observation"]["database"]["quarantine"]]


def message_ids(world, host, entry):
    """Ids of the talkers' messages in one entry: a copy of its data is started, alone and read-only
    for everybody but us, as any PostgreSQL administrator would do it."""
    resource = world.data["hosts"][host]["resources"]["mgc"]
    kept = pathlib.Path(resource["quarantine_directory"]) / entry["name"] / "data"
    if not kept.is_dir():
        raise WorldError(f"{kept} is not there, though quarantine list names {entry['name']}")
    copy = world.directory / "orphans"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(kept, copy / "data", symlinks=True)
    for name in ("postmaster.pid", "standby.signal", "recovery.signal"):
        (copy / "data" / name).unlink(missing_ok=True)
    (copy / "data").chmod(0o700)
    reader = {**resource, "data_directory": str(copy / "data"),
              "configuration": str(copy / "postgresql.conf"),
              "settings_file": str(copy / "none.conf"), "port": resource["port"] + 1}
    write(copy / "pg_hba.conf", postgres.ACCESS)
    write(copy / "pg_ident.conf", "")
    write(reader["configuration"], postgres.configuration_text(reader, copy))
    password = world.account("superuser")["password"]
    try:
        with postgres.BootstrapServer(world.hosts[host], reader, password, copy / "log"):
            connection = postgres.connect(reader, password, database=world.data["database"])
            with connection.cursor() as cursor:
                cursor.execute("SELECT value FROM prosodyarchive")
                return {name for (value,) in cursor.fetchall() for name in ID.findall(value)}
    finally:
        shutil.rmtree(copy, ignore_errors=True)
