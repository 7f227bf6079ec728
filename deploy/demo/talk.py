#!/usr/bin/python3
"""The talking client: several people who post numbered messages in several rooms all the time.

Knows the addresses of all chat servers and, while it has no connection, knocks at all of them every
few milliseconds. On SIGTERM or SIGINT (or after --seconds) it stops posting, reads the archives of all
rooms and compares. Its event log has one JSON object a line, each with "time" on CLOCK_MONOTONIC:
talking, online, offline, open (a site accepted a connection after none did), in, out, sent,
acknowledged, result. An acknowledged message that is in no archive is lost; one that was sent and
never acknowledged was never promised to anybody.
"""

import argparse
import asyncio
import collections
import json
import os
import signal
import sys
import time

from talker import Talker, use_quick_scram
from world import World

KNOCK_INTERVAL = 0.010  # seconds between attempts to connect while there is no connection


class Conversation:
    def __init__(self, world, log, interval):
        self.interval = interval
        self.log_file = log
        self.addresses = [(server["address"], server["port"])
                          for _, server in world.resources("chat")]
        self.rooms = [f"{room}@{world.data['muc_domain']}" for room in world.data["rooms"]]
        users = [account for account in world.data["accounts"].values()
                 if "jid" in account and not account["jid"].startswith("canary@")]
        self.talkers = [Talker(account, self.rooms, self.log, self.acknowledge)
                        for account in users]
        self.sent = {}  # id -> room
        self.safe = {}  # id -> when it was acknowledged
        self.prefix = f"{time.time_ns():x}-"  # tells this run's messages from older ones
        self.stopping = asyncio.Event()
        self.posting_stopped = asyncio.Event()
        self.open_at = None  # the address that accepts now, None while it isn't known
        self.looking = asyncio.Lock()

    def log(self, event, **facts):
        self.log_file.write(json.dumps({"time": time.monotonic(), "event": event, **facts}) + "\n")
        self.log_file.flush()

    def acknowledge(self, identifier):
        if identifier in self.sent and identifier not in self.safe:
            self.safe[identifier] = time.monotonic()
            self.log("acknowledged", id=identifier)
            if len({self.sent[known] for known in self.safe}) == len(self.rooms):
                self.announce()

    def announce(self):
        self.log("talking")
        self.announce = lambda: None

    # --- connections ---

    async def knock(self, address):
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(*address), 0.5)
        except (OSError, asyncio.TimeoutError):
            return None
        writer.close()
        return address

    async def find_open_site(self):
        """The address of a site that accepts connections, as soon as there is one."""
        async with self.looking:  # one knocks for all
            if self.open_at and time.monotonic() - self.open_at[1] < 0.2:
                return self.open_at[0]
            self.open_at = None
            while not self.stopping.is_set():
                began = time.monotonic()
                answers = await asyncio.gather(*map(self.knock, self.addresses))
                for address in filter(None, answers):
                    self.open_at = (address, time.monotonic())
                    self.log("open", site=address[0])
                    return address
                await asyncio.sleep(max(0, began + KNOCK_INTERVAL - time.monotonic()))
        return None

    async def keep_online(self, talker):
        while not self.posting_stopped.is_set():
            await talker.lost.wait()
            address = await self.find_open_site()
            if address and not await talker.log_in(address):
                self.open_at = None
                await asyncio.sleep(KNOCK_INTERVAL)

    # --- posting ---

    async def post_all_the_time(self):
        number, started, tick = 0, time.monotonic(), 0
        while not self.stopping.is_set():
            tick += 1
            room = self.rooms[tick % len(self.rooms)]
            present = [talker for talker in self.talkers if room in talker.joined]
            if present:
                number += 1
                identifier = f"{self.prefix}{number}"
                self.sent[identifier] = room
                self.log("sent", id=identifier, room=room)
                present[number % len(present)].post(room, identifier, f"message {number}")
            # Ticks that were missed while the machine was busy are not made up for in one burst.
            now = time.monotonic()
            tick_time = started + tick * self.interval
            if now > tick_time + self.interval:
                started += now - tick_time
            await asyncio.sleep(max(0.0, started + tick * self.interval - now))

    async def settle(self, timeout=3.0):
        """Waits for what is on its way; what a lost connection swallowed never comes."""
        deadline = time.monotonic() + timeout
        last = len(self.safe)
        while len(self.safe) < len(self.sent) and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
            if len(self.safe) > last:
                last, deadline = len(self.safe), time.monotonic() + timeout / 3

    # --- the end ---

    async def compare(self):
        """Reads every room back and holds it against what was acknowledged."""
        archived = collections.Counter()
        for room in self.rooms:
            archived.update(await self.read_back(room))
        mine = {name: count for name, count in archived.items()
                if name and name.startswith(self.prefix)}
        lost = sorted(set(self.safe) - set(mine))
        doubled = sorted(name for name, count in mine.items() if count > 1)
        return {
            "sent": len(self.sent), "acknowledged": len(self.safe), "lost": len(lost),
            "duplicated": len(doubled), "unacknowledged": len(self.sent) - len(self.safe),
            "unacknowledged_but_archived": len(set(mine) - set(self.safe)),
            "lost_ids": lost, "duplicated_ids": doubled,
        }

    async def read_back(self, room):
        last_error = None
        for _ in range(5):
            for talker in self.talkers:
                if talker.online.is_set():
                    try:
                        return await talker.read_archive(room)
                    except Exception as error:  # slixmpp raises many kinds; any of them: again
                        last_error = error
            await asyncio.sleep(0.5)
        raise RuntimeError(f"the archive of {room} could not be read: {last_error!r}")

    async def run(self, seconds):
        keepers = [asyncio.ensure_future(self.keep_online(talker)) for talker in self.talkers]
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        if seconds:
            loop.call_later(seconds, self.stopping.set)
        await self.post_all_the_time()
        await self.settle()
        try:
            result = await self.compare()
        finally:
            self.posting_stopped.set()
            for task in keepers:
                task.cancel()
            for talker in self.talkers:
                talker.leave()
        self.log("result", **result)
        return result


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", required=True, help="the world's directory")
    parser.add_argument("--log", required=True, help="the event log, made anew")
    parser.add_argument("--interval", type=float, default=0.02, help="seconds between messages")
    parser.add_argument("--seconds", type=float, help="stop by itself after that long")
    parser.add_argument("--end-with-stdin", action="store_true",
                        help="end at once, without a result, when standard input ends")
    arguments = parser.parse_args()
    use_quick_scram()
    with open(arguments.log, "w", encoding="utf-8") as log:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        if arguments.end_with_stdin:
            loop.add_reader(sys.stdin.fileno(), os._exit, 1)
        conversation = Conversation(World.load(arguments.world), log, arguments.interval)
        result = loop.run_until_complete(conversation.run(arguments.seconds))
    print(json.dumps(result))
    sys.exit(1 if result["lost"] or result["duplicated"] else 0)


if __name__ == "__main__":
    main()
