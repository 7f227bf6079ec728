"""One person in the rooms: logs in wherever chat is served, posts, and notes what was acknowledged.

A message counts as acknowledged only when it came back with a <stanza-id> made by the room: only
then is it in the room's archive. No message is ever sent twice.
"""

import asyncio
import functools
import hashlib
import logging
import time
import xml.etree.ElementTree as ElementTree

logging.getLogger("slixmpp").setLevel(logging.CRITICAL)  # refused connections are no news here

import slixmpp  # pylint: disable=wrong-import-position
from slixmpp.util.sasl import mechanisms
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

MUC_USER = "{http://jabber.org/protocol/muc#user}"
STANZA_ID = "{urn:xmpp:sid:0}stanza-id"


@functools.lru_cache(maxsize=64)
def salted_password(hash_name, password, salt, iterations):
    return hashlib.pbkdf2_hmac(hash_name, password, salt, iterations)


def use_quick_scram():
    """slixmpp salts the password in Python, which takes longer than a whole move: use OpenSSL's,
    once per password, as clients that come back do."""
    def quick(self, text, salt, iterations):
        hash_name = self.hash_name.lower().replace("sha-", "sha")
        return salted_password(hash_name, bytes(text), bytes(salt), iterations)
    mechanisms.SCRAM.Hi = quick


class Talker(slixmpp.ClientXMPP):
    """A user's connection. `log(event, **facts)` is told what happens; `acknowledged(id)` of each
    message that is safe."""

    def __init__(self, account, rooms, log, acknowledged):
        super().__init__(account["jid"], account["password"])
        self.user = account["jid"].split("@")[0]
        self.rooms = rooms
        self.log = log
        self.acknowledged = acknowledged
        self.joined = set()
        self.lost = asyncio.Event()  # set while there is no connection
        self.lost.set()
        self.online = asyncio.Event()  # logged in
        self.pages = {}  # id of an archive query -> ids of messages so far
        self.end_session_on_disconnect = True
        self.add_event_handler("session_start", self.on_session)
        self.add_event_handler("disconnected", self.on_disconnected)
        self.add_event_handler("connection_failed", self.on_disconnected)
        self.register_handler(Callback("talker presence", MatchXPath("{jabber:client}presence"),
                                       self.on_presence_stanza))
        self.register_handler(Callback("talker message", MatchXPath("{jabber:client}message"),
                                       self.on_message_stanza))

    async def log_in(self, address):
        """Tries one login at `address`; true when it worked."""
        self.lost.clear()
        self.connect(address, use_ssl=False, force_starttls=False, disable_starttls=True)
        waiters = [asyncio.ensure_future(event.wait()) for event in (self.online, self.lost)]
        _, unfinished = await asyncio.wait(waiters, timeout=5,
                                           return_when=asyncio.FIRST_COMPLETED)
        for waiter in unfinished:
            waiter.cancel()
        if self.online.is_set():
            return True
        self.cancel_connection_attempt()
        self.abort()
        self.lost.set()
        return False

    def on_session(self, _event):
        self.online.set()
        self.log("online", user=self.user, site=self.address[0])
        for room in self.rooms:
            self.send_raw(f"<presence to='{room}/{self.user}'>"
                          "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>"
                          "</presence>")

    def on_disconnected(self, reason):
        # slixmpp's own next attempt would come a second later or more.
        self.cancel_connection_attempt()
        if self.online.is_set():
            self.log("offline", user=self.user, reason=str(reason or ""))
        self.online.clear()
        self.joined.clear()
        self.lost.set()

    def on_presence_stanza(self, stanza):
        xml = stanza.xml
        room, _, nick = xml.get("from", "").partition("/")
        if nick != self.user or room not in self.rooms:
            return
        if xml.get("type") in ("unavailable", "error"):
            self.joined.discard(room)
            self.log("out", user=self.user, room=room)
        elif any(status.get("code") == "110" for status in xml.iter(f"{MUC_USER}status")):
            self.joined.add(room)
            self.log("in", user=self.user, room=room)

    def leave(self):
        """Ends everything that slixmpp runs for this user."""
        self.abort()
        if self._run_out_filters is not None:
            self._run_out_filters.cancel()

    def post(self, room, identifier, text):
        self.send_raw(f"<message to='{room}' type='groupchat' id='{identifier}'>"
                      f"<body>{text}</body></message>")

    def on_message_stanza(self, stanza):
        xml = stanza.xml
        room, _, nick = xml.get("from", "").partition("/")
        result = xml.find("{urn:xmpp:mam:2}result")
        if result is not None:
            message = result.find("{urn:xmpp:forward:0}forwarded/{jabber:client}message")
            if message is not None and result.get("queryid") in self.pages:
                self.pages[result.get("queryid")].append(message.get("id"))
        elif xml.get("type") == "groupchat" and nick == self.user:
            mark = xml.find(STANZA_ID)
            if mark is not None and mark.get("by") == room:
                self.acknowledged(xml.get("id"))

    async def read_archive(self, room, page=500):
        """Ids of all messages in the room's archive, in its order."""
        identifiers, after = [], ""
        while True:
            query = f"q{len(identifiers)}-{time.monotonic_ns()}"
            self.pages[query] = []
            iq = self.make_iq_set(ito=room)
            iq.append(ElementTree.fromstring(
                f"<query xmlns='urn:xmpp:mam:2' queryid='{query}'>"
                "<set xmlns='http://jabber.org/protocol/rsm'>"
                f"<max>{page}</max>{after}</set></query>"))
            reply = await iq.send(timeout=30)
            identifiers += self.pages.pop(query)
            finished = reply.xml.find("{urn:xmpp:mam:2}fin")
            last = finished.find(".//{http://jabber.org/protocol/rsm}last")
            if finished.get("complete") == "true" or last is None:
                return identifiers
            after = f"<after>{last.text}</after>"
