"""The coordinator's events as they happen, to choose the moment at which something dies."""

import json
import os
import selectors
import subprocess
import time

import operator_cli
from host import WorldError


class EventStream:
    """Follows the events of plans that did not exist yet when it was opened."""

    def __init__(self, world):
        self.known = {plan["name"] for plan in operator_cli.plans(world)}
        environment = world.data["environment"]
        self.process = subprocess.Popen(
            [os.path.join(environment["BATON_PROGRAMS"], "baton"), "-o", "json", "events", "-f"],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.selector.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def wait_for(self, count, kinds, seconds=30):
        """Until `count` events of one of `kinds` were seen, or the plan has ended. Returns the
        last one's text."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for event in self.read(deadline):
                if event["plan"] in self.known or event.get("transient"):
                    continue
                ended = event["kind"] in ("PLAN_SUCCEEDED", "PLAN_FAILED", "PLAN_UNDONE")
                count -= event["kind"] in kinds
                if count <= 0 or ended:
                    return f"{event['kind']} {event['text']}"
        raise WorldError(f"waited {seconds} s for the events of a move")

    def wait_for_text(self, kind, text, seconds=30):
        """Until an event of `kind` whose text holds `text`. Returns its text."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for event in self.read(deadline):
                if event["plan"] in self.known or event.get("transient"):
                    continue
                if event["kind"] == kind and text in event["text"]:
                    return event["text"]
        raise WorldError(f"waited {seconds} s for {kind} {text}")

    def read(self, deadline):
        if not self.selector.select(max(0.0, deadline - time.monotonic())):
            return []
        part = os.read(self.process.stdout.fileno(), 65536)
        if not part:
            raise WorldError("the stream of events ended")
        *lines, self.rest = (self.rest + part).split(b"\n")
        return [json.loads(line) for line in lines if line.strip()]
