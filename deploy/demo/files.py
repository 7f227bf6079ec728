"""Small files that are written whole, and the free ports that go into them."""

import hashlib
import os
import pathlib
import random
import secrets
import socket


def write(path, text, mode=0o600):
    """Replaces a file at once: a reader sees the old text or the new one, never a part."""
    path = pathlib.Path(path)
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)
    return str(path)


def fill_in(template, values):
    """Replaces each @NAME@ of `values`; a placeholder that stays is an error."""
    for name, value in values.items():
        template = template.replace(f"@{name}@", str(value))
    for line in template.splitlines():
        if not line.lstrip().startswith(("#", "--")) and "@" in line:
            raise ValueError(f"a placeholder is left in: {line}")
    return template


def new_password():
    return secrets.token_hex(16)


def network_of(directory):
    """Three octets of a loopback network for the world in `directory`, e.g. "127.83.201"."""
    digest = hashlib.sha256(str(directory).encode()).digest()
    return f"127.{64 + digest[0] % 128}.{1 + digest[1] % 254}"


def free_port(address, taken, probe=True):
    """A port that nothing listens on at `address`, below the range of outgoing connections. Without
    `probe` the address is one that nobody else can have."""
    generator = random.SystemRandom()
    for _ in range(1000):
        port = generator.randrange(15000, 30000)
        if port in taken or (probe and not can_listen(address, port)):
            continue
        taken.add(port)
        return port
    raise OSError(f"no free port at {address}")


def can_listen(address, port):
    with socket.socket() as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
