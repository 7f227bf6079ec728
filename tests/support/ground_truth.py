"""Looks at both sites past Baton, all the time, and remembers every moment of two masters.

Each round tries a write at both databases and a login stream at all chat servers. Two in a row at
different places are a move; X, Y and X again within less time than any move takes mean that both were
serving at once.
"""

import socket
import threading
import time

import psycopg2

import postgres

SHORTEST_MOVE = 0.08  # seconds from the last write at one site to the first at the other and back


def chat_serves(address, port, timeout=2.0):
    """True if a client is offered a login there."""
    try:
        with socket.create_connection((address, port), timeout=timeout) as connection:
            connection.sendall(b"<?xml version='1.0'?><stream:stream to='chat.example.com' "
                               b"version='1.0' xmlns='jabber:client' "
                               b"xmlns:stream='http://etherx.jabber.org/streams'>")
            answer = b""
            while b"</stream:features>" not in answer:
                part = connection.recv(4096)
                if not part:
                    return False
                answer += part
            return b"SCRAM" in answer
    except OSError:
        return False


class Database:
    """One site's database; a connection is kept while it lasts."""

    def __init__(self, resource, password, name="postgres"):
        self.resource = resource
        self.password = password
        self.name = name
        self.connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def in_database(self, name):
        """The same server, another of its databases."""
        return Database(self.resource, self.password, name)

    def query(self, text):
        """The rows, or None when there are none. Raises psycopg2.Error."""
        try:
            if self.connection is None:
                self.connection = postgres.connect(self.resource, self.password,
                                                   database=self.name, timeout=2)
            with self.connection.cursor() as cursor:
                cursor.execute(text)
                return cursor.fetchall() if cursor.description else None
        except psycopg2.Error:
            if self.connection is not None and self.connection.closed:
                self.connection = None
            raise

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def prepare(self):
        self.query("CREATE TABLE IF NOT EXISTS ground_truth (seen timestamptz)")

    def accepts_write(self):
        try:
            self.query("INSERT INTO ground_truth VALUES (now())")
            return True
        except psycopg2.Error:
            return False

    def state(self):
        """primary, standby or down."""
        try:
            return "standby" if self.query("SELECT pg_is_in_recovery()")[0][0] else "primary"
        except psycopg2.Error:
            return "down"


class Alternation:
    """Notices when two sites served at once, from a sequence of sightings."""

    def __init__(self, what):
        self.what = what
        self.seen = []  # the last three changes of site: [site, first time, last time]
        self.violations = []  # (time, text)

    def sight(self, site, now):
        if self.seen and self.seen[-1][0] == site:
            self.seen[-1][2] = now
            return
        self.seen = (self.seen + [[site, now, now]])[-3:]
        if len(self.seen) == 3 and self.seen[0][0] == site:
            if now - self.seen[0][2] < SHORTEST_MOVE:
                self.violations.append(
                    (now, f"{self.what} at {site} and {self.seen[1][0]} within "
                     f"{(now - self.seen[0][2]) * 1000:.0f} ms, at {now:.3f}"))


class GroundTruth(threading.Thread):
    """Runs until stop(), which returns all violations but those within a time that was allowed.
    Times are CLOCK_MONOTONIC. Not to be shared between threads."""

    def __init__(self, world, interval=0.01):
        super().__init__(name="ground truth", daemon=True)
        self.world = world
        self.interval = interval
        self.ended = threading.Event()
        self.writes = Alternation("writes accepted")
        self.logins = Alternation("logins offered")
        self.rounds = 0
        self.last_write = {}  # site -> when its database last accepted one
        self.allowed = (0.0, 0.0)  # when two may serve at once: someone's word was false

    def run(self):
        password = self.world.account("superuser")["password"]
        databases = {site: Database(self.world.database(site), password)
                     for site in self.world.data["sites"]}
        while not self.ended.wait(self.interval):
            self.rounds += 1
            for site, database in databases.items():
                if database.accepts_write():
                    self.last_write[site] = time.monotonic()
                    self.writes.sight(site, self.last_write[site])
            if self.rounds % 4 == 0:
                for name, chat in self.world.resources("chat"):
                    if chat_serves(chat["address"], chat["port"], timeout=0.5):
                        self.logins.sight(name, time.monotonic())
        for database in databases.values():
            database.close()

    def seen_at_once(self):
        """(time, text) of each moment at which two served."""
        return self.writes.violations + self.logins.violations

    def violations(self):
        begin, end = self.allowed
        return [text for moment, text in self.seen_at_once() if not begin <= moment <= end]

    def stop(self):
        self.ended.set()
        self.join(timeout=30)
        return self.violations()
