"""A miner and a pool that speak Stratum V2 to each other, written from the
specification (https://github.com/stratum-mining/sv2-spec, sections 3, 5 and
8): talk.py clear|noise|likeness PORT. Nothing is mined: shares are made up.
In "noise" the bytes are random and have the lengths of section 4; "likeness"
is a conversation of random bytes with other lengths (as BIP 324 begins)."""
import os, socket, struct, sys, threading, time


def text(s):
    return bytes([len(s)]) + s


def frame(kind, body, channel=False):
    return struct.pack("<HB", 0x8000 if channel else 0, kind) + struct.pack("<I", len(body))[:3] + body


SETUP = struct.pack("<BHHI", 0, 2, 2, 1) + text(b"pool.lab.example") + struct.pack("<H", 34254) + text(b"Lab Instruments") + text(b"L-1") + text(b"lab 0.1") + text(b"s/n 7")
OPEN = struct.pack("<I", 1) + text(b"someone.shed") + struct.pack("<f", 1.2e12) + b"\xff" * 32
TARGET = b"\x00" * 24 + b"\xff\xff\x01\x00" + b"\x00" * 4
OPENED = struct.pack("<II", 1, 5) + TARGET + text(b"\x01\x02\x03\x04") + struct.pack("<I", 9)
JOB = struct.pack("<II", 5, 1) + b"\x00" + struct.pack("<I", 0x20000000) + os.urandom(32)
PREV = struct.pack("<II", 5, 1) + os.urandom(26) + b"\x00" * 6 + struct.pack("<II", 1767225600, 0x17034219)


def share(n):
    return struct.pack("<IIIIII", 5, n, 1, 77 * n, 1767225600 + n, 0x20000000 | n << 13)


def clear_pool(c):
    take(c, len(frame(0, SETUP)))
    c.sendall(frame(1, struct.pack("<HI", 2, 0)))
    take(c, len(frame(0x10, OPEN)))
    c.sendall(frame(0x11, OPENED) + frame(0x15, JOB, True) + frame(0x20, PREV, True))
    for n in range(1, 7):
        take(c, 30)
        if n == 4:
            c.sendall(frame(0x1D, struct.pack("<II", 5, n) + text(b"stale-share"), True))
        else:
            c.sendall(frame(0x1C, struct.pack("<IIIQ", 5, n, 1, 8192), True))


def clear_miner(c):
    c.sendall(frame(0, SETUP))
    take(c, 12)
    c.sendall(frame(0x10, OPEN))
    take(c, len(frame(0x11, OPENED) + frame(0x15, JOB) + frame(0x20, PREV)))
    for n in range(1, 7):
        time.sleep(0.2)
        c.sendall(frame(0x1A, share(n), True))
        take(c, 26 if n != 4 else 26)


def take(c, n):
    while n > 0:
        b = c.recv(n)
        if not b:
            sys.exit(0)
        n -= len(b)


def turns(c, mine, lengths):
    for who, n in lengths:
        if who == mine:
            c.sendall(os.urandom(n))
            time.sleep(0.05)
        else:
            take(c, n)


NOISE = [("m", 64), ("p", 234), ("m", 38 + len(SETUP)), ("p", 44), ("m", 38 + len(OPEN)), ("p", 38 + len(OPENED) + 38 + 45 + 38 + 48)] + [("m", 62), ("p", 58)] * 4
LIKE = [("m", 64), ("p", 64 + 170), ("m", 36 + 40), ("p", 36 + 61), ("m", 21 + 20), ("p", 300)] + [("m", 62), ("p", 58)] * 3
what, port = sys.argv[1], int(sys.argv[2])
l = socket.create_server(("10.77.0.1", port))


def serve():
    c, _ = l.accept()
    clear_pool(c) if what == "clear" else turns(c, "p", NOISE if what == "noise" else LIKE)
    time.sleep(0.3)


t = threading.Thread(target=serve, daemon=True)
t.start()
c = socket.create_connection(("10.77.0.1", port))
c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
clear_miner(c) if what == "clear" else turns(c, "m", NOISE if what == "noise" else LIKE)
c.close()
t.join(2)
