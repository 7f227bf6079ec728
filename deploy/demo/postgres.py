"""The databases of the demo world: configuration and first start.

All of this happens once, before any gate exists. From then on only baton-guard starts a database.
"""

import pathlib
import subprocess
import time

import psycopg2

from files import write
from host import WorldError

BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
SUPERUSER = "baton"
CHAT_USER = "prosody"
DATABASE = "chat"

# The same on both sides: which role a cluster has is standby.signal and the fence file alone, so a
# move changes no configuration.
CONFIGURATION = """\
data_directory = '{data}'
hba_file = '{etc}/pg_hba.conf'
ident_file = '{etc}/pg_ident.conf'
listen_addresses = '{address}'
port = {port}
unix_socket_directories = ''
max_connections = 50
shared_buffers = 32MB
min_wal_size = 16MB
max_wal_size = 256MB
password_encryption = scram-sha-256

log_line_prefix = '%m [%p] '
log_checkpoints = off

# Written by Baton when it protects the database.
include_if_exists = '{settings_file}'
"""

ACCESS = f"""\
# who may come from where; there are no Unix sockets
host all {SUPERUSER} 127.0.0.0/8 scram-sha-256
host replication {SUPERUSER} 127.0.0.0/8 scram-sha-256
host {DATABASE} {CHAT_USER} 127.0.0.0/8 scram-sha-256
"""


def run(argv, **options):
    done = subprocess.run([str(word) for word in argv], text=True, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        raise WorldError(f"{argv[0]} ended with {done.returncode}: {done.stdout.strip()}")
    return done.stdout


def server_command(resource):
    """How the server of a resource is started, as an argument vector."""
    return [str(BIN / "postgres"), "-D", resource["data_directory"],
            "-c", f"config_file={resource['configuration']}"]


def connect(resource, password, user=SUPERUSER, database="postgres", timeout=3):
    connection = psycopg2.connect(host=resource["address"], port=resource["port"], user=user,
                                  password=password, dbname=database, connect_timeout=timeout,
                                  application_name="demo")
    connection.autocommit = True
    return connection


def configuration_text(resource, etc):
    """The server's own configuration; `etc` holds who may come from where."""
    return CONFIGURATION.format(
        data=resource["data_directory"], etc=etc, address=resource["address"],
        port=resource["port"], settings_file=resource["settings_file"])


def write_configuration(resource):
    etc = pathlib.Path(resource["configuration"]).parent
    write(resource["configuration"], configuration_text(resource, etc))
    write(etc / "pg_hba.conf", ACCESS)
    write(etc / "pg_ident.conf", "")


class BootstrapServer:
    """A database that runs without Baton, before Baton or apart from it: nothing is shipped."""

    def __init__(self, machine, resource, password, log):
        self.machine = machine
        self.resource = resource
        self.password = password
        self.log = log
        self.settings = ["-c", "fsync=off", "-c", "archive_mode=off"]
        self.process = None

    def __enter__(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.machine.inside(server_command(self.resource) + self.settings),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while True:
            try:
                connect(self.resource, self.password).close()
                return self
            except psycopg2.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise WorldError(f"the database does not start; see {self.log}") from error
                time.sleep(0.01)

    def __exit__(self, *_):
        self.process.send_signal(2)  # SIGINT: sessions are ended, the stop is clean
        self.process.wait(timeout=60)


def make_cluster(resource, password_file):
    run([BIN / "initdb", "-D", resource["data_directory"], "-U", SUPERUSER, "--wal-segsize=1",
         "--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C",
         "--no-sync"])


def make_chat_database(resource, superuser_password, chat_password):
    """The chat server's role and database, in the running `resource`."""
    connection = connect(resource, superuser_password)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {CHAT_USER} LOGIN PASSWORD %s", (chat_password,))
        cursor.execute(f"CREATE DATABASE {DATABASE} OWNER {CHAT_USER}")
    connection.close()
