#!/usr/bin/env python3
"""Adds Suricata's answers to suricata.txt.

    go test ./internal/match/inspect -run TestSuricata -update
    python3 record.py suricata.txt

Every rule watches a UDP port of its own; every payload is one datagram to it.
A rule that Suricata refuses gets "?", and so does one whose answer Suricata's
prefilter decides against the inspection: when all contents are negated, or
when a plain negated content stands before a relative one (it then counts the
length of the negated content into the place of the next). The pattern matcher
"ac" is used because hyperscan refuses some of the places computed like that.
"""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

rules = []
for line in open(sys.argv[1]):
    part = line.rstrip("\n").split("\t")
    if part[0] == "R":
        rules.append((part[1], []))
    else:
        rules[-1][1].append(bytes.fromhex(part[1]))


def frame(sport, dport, payload):
    udp = struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, b"\x0a\0\0\1", b"\x0a\0\0\2")
    return bytes(12) + b"\x08\0" + ip + udp


def excluded(text):
    contents = re.findall(r'content:(!?)"[^"]*"; ([^"]*?)(?=content:|$)', text)
    if all(neg for neg, _ in contents):
        return True
    own = [(neg, re.match(r"(?:(?:nocase|offset|depth|distance|within|startswith|endswith)[^;]*; )*", mods).group())
           for neg, mods in contents]
    for i, (neg, mods) in enumerate(own):
        if neg and not re.search("offset|depth|distance|within|startswith", mods):
            if any(re.search("distance|within", m) for _, m in own[i + 1:]):
                return True
    return False


with tempfile.TemporaryDirectory() as d:
    with open(d + "/t.rules", "w") as f:
        for i, (text, _) in enumerate(rules):
            f.write('alert udp any any -> any %d (msg:"x"; %s sid:%d;)\n' % (10000 + i, text, i + 1))
    with open(d + "/t.pcap", "wb") as f:
        f.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i, (_, payloads) in enumerate(rules):
            for j, payload in enumerate(payloads):
                data = frame(20000 + j, 10000 + i, payload)
                f.write(struct.pack("<IIII", 1700000000 + i, j, len(data), len(data)) + data)
    run = subprocess.run(["suricata", "-r", d + "/t.pcap", "-S", d + "/t.rules", "-l", d, "-k", "none",
                          "--runmode", "single", "--set", "mpm-algo=ac"], capture_output=True, text=True)
    log = run.stdout + run.stderr
    if os.path.exists(d + "/suricata.log"):
        log += open(d + "/suricata.log").read()
    refused = {int(n) for n in re.findall(r"error parsing signature.*?sid:(\d+);", log)}
    hits = set()
    for line in open(d + "/eve.json"):
        e = json.loads(line)
        if e["event_type"] == "alert":
            hits.add((e["dest_port"] - 10000, e["src_port"] - 20000))

with open(sys.argv[1], "w") as f:
    for i, (text, payloads) in enumerate(rules):
        f.write("R\t%s\n" % text)
        for j, payload in enumerate(payloads):
            answer = "?" if i + 1 in refused or excluded(text) else str((i, j) in hits).lower()
            f.write("P\t%s\t%s\n" % (payload.hex(), answer))
