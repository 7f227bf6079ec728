"""The chat servers of the demo world: configuration, first start, accounts."""

import pathlib
import signal
import socket
import subprocess
import time

from files import fill_in, write
from host import WorldError
from postgres import CHAT_USER, DATABASE, run

PROSODY = "/usr/bin/prosody"
PROSODYCTL = "/usr/bin/prosodyctl"


def server_command(resource):
    return [PROSODY, "-F", "--config", resource["configuration"]]


def write_configuration(world, resource, template, plugins):
    data = pathlib.Path(resource["data_directory"])
    (data / "certificates").mkdir(exist_ok=True)
    write(resource["configuration"], fill_in(template, {
        "DOMAIN": world["domain"], "MUC_DOMAIN": world["muc_domain"],
        "ADDRESS": resource["address"], "C2S_PORT": resource["port"],
        "CONTROL_PORT": resource["control_port"], "TOKEN_FILE": resource["token_file"],
        "DATABASE_FILE": resource["database_file"], "PLUGIN_DIR": plugins, "DATA_DIR": data,
        "LOG_FILE": resource["chat_log"]}))


def wait_for_port(address, port, process, log):
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection((address, port), timeout=1).close()
            return
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise WorldError(f"the chat server does not start; see {log}") from error
            time.sleep(0.01)


def bootstrap(machine, resource, database, chat_password, accounts, log):
    """Starts Prosody once on `machine` against the bare database, so that it makes its tables, and
    registers `accounts` (user name -> password). Leaves no choice of a database behind: that is PointAt's."""
    write(resource["database_file"], f'''\
sql = {{ driver = "PostgreSQL", host = "{database['address']}", port = {database['port']},
  database = "{DATABASE}", username = "{CHAT_USER}", password = "{chat_password}" }}
baton_instance = "{database['host']}"
''')
    with open(log, "ab") as stream:
        process = subprocess.Popen(machine.inside(server_command(resource)), stdout=stream,
                                   stderr=stream, stdin=subprocess.DEVNULL)
    try:
        wait_for_port(resource["address"], resource["port"], process, resource["chat_log"])
        for name, account in accounts.items():
            user, domain = account["jid"].split("@")
            output = run([PROSODYCTL, "--config", resource["configuration"], "register",
                          user, domain, account["password"]])
            if "error" in output.lower():
                raise WorldError(f"account {name} was not made: {output}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
        pathlib.Path(resource["database_file"]).unlink()
