"""The page that an operator saw during a test: what was typed, and all that came of it. Kept."""

import os
import pathlib

import operator_cli

FOLDER = pathlib.Path(os.environ["BATON_DEMO_STATE"]) / "pages"  # tests/e2e/run.sh keeps it


class Page:
    def __init__(self, world, name):
        self.world = world
        FOLDER.mkdir(exist_ok=True)
        self.path = FOLDER / f"{name}.txt"
        self.path.write_text("", encoding="utf-8")

    def note(self, text):
        """What happened besides, in a sentence."""
        self.write(f"# {text}\n\n")

    def baton(self, *words):
        """Types a command; returns the finished process."""
        done = operator_cli.baton(self.world, *words)
        typed = " ".join(f'"{word}"' if " " in word else word for word in words if word != "--yes")
        self.write(f"$ baton {typed}\n{done.stdout}{done.stderr}")
        self.write("\n" if done.returncode == 0 else f"[exit code {done.returncode}]\n\n")
        return done

    def write(self, text):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(text)
