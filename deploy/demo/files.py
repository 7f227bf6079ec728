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


def lock_holder(path):
    """The pid of the living process that has that file locked (flock), or None."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    name = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    for line in pathlib.Path("/proc/locks").read_text(encoding="ascii").splitlines():
        words = line.split()  # "1: FLOCK ADVISORY WRITE 2316 fe:00:2303501 0 EOF"; who waits has "->"
        if words[1] == "FLOCK" and words[5] == name:
            return int(words[4]) if os.path.exists(f"/proc/{words[4]}") else None
    return None


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
