#!/usr/bin/env python3
"""Records what PCRE2 answers to random expressions on random subjects.

    python3 record.py SEED COUNT > pcre2.txt

Needs libpcre2-8. A line holds, with tabs between: the option in hex, the
subject in hex, where the search begins, and the places of all groups (lo,hi
with blanks between) or "-" for no match.
"""
import ctypes
import random
import sys

lib = ctypes.CDLL("libpcre2-8.so.0")
lib.pcre2_compile_8.restype = ctypes.c_void_p
lib.pcre2_compile_8.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint32,
                                ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_size_t), ctypes.c_void_p]
lib.pcre2_match_data_create_8.restype = ctypes.c_void_p
lib.pcre2_match_data_create_8.argtypes = [ctypes.c_uint32, ctypes.c_void_p]
lib.pcre2_match_8.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t,
                              ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p]
lib.pcre2_get_ovector_pointer_8.restype = ctypes.POINTER(ctypes.c_size_t)
lib.pcre2_get_ovector_pointer_8.argtypes = [ctypes.c_void_p]
data = lib.pcre2_match_data_create_8(40, None)
FLAGS = {"i": 0x8, "m": 0x400, "s": 0x20, "x": 0x80, "A": 0x80000000, "E": 0x10, "G": 0x40000}
rnd = random.Random(int(sys.argv[1]))

ATOMS = ["a", "b", "c", "A", ".", r"\d", r"\w", r"\s", r"\W", "[ab]", "[^a]", "[a-c]", r"\x41", r"\b", r"\B", "^", "$",
         r"\A", r"\z", r"\Z", "ab", "abc", r"\n", "[[:alpha:]]", "[^[:digit:]b]", r"\h", r"\N", "1", r"\xe9",
         r"[\x80-\xff]", r"\K", r"\G", "-", r"\.", r"\Qa.b\E", r"\x{62}", r"\101"]
BARE = {"^", "$", r"\A", r"\z", r"\Z", r"\b", r"\B", r"\K", r"\G"}
QUANTIFIERS = ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,3}?", "{2,}", "*+", "++", "?+", "{1,}?", "{1,3}+"]
SUBJECT = [b"a", b"b", b"c", b"A", b"B", b"C", b"1", b" ", b"\n", b"\r\n", b"-", b".", b"\xe9", b"ab", b"abc", b"_"]


def expression(depth, groups):
    out = ""
    for _ in range(rnd.randint(1, 4)):
        r = rnd.random()
        if depth <= 0 or r < 0.55:
            item = rnd.choice(ATOMS)
        elif r < 0.72:
            groups.append(0)
            item = "(" + expression(depth - 1, groups) + ")"
        elif r < 0.91:
            item = rnd.choice(["(?:", "(?=", "(?!", "(?>"]) + expression(depth - 1, groups) + ")"
        elif r < 0.94:
            item = rnd.choice(["(?<=", "(?<!"]) + rnd.choice(["a", "ab", "[ab]c", "a|bc", r"\w", "^", "(?:a|b)c"]) + ")"
        elif r < 0.96:
            item = "(?i:" + expression(depth - 1, groups) + ")"
        elif groups and rnd.random() < 0.7:
            n = rnd.randint(1, len(groups))
            item = "\\%d" % n
            if rnd.random() < 0.3:
                item = "(?(%d)%s|%s)" % (n, expression(depth - 2, groups), expression(depth - 2, groups))
        else:
            item = "(?|" + rnd.choice(["a(b)|(c)", "(a)|b(c)"]) + ")"
            groups.append(0)
        if rnd.random() < 0.4 and item not in BARE:
            item += rnd.choice(QUANTIFIERS)
        out += item
    if rnd.random() < 0.25:
        out += "|" + expression(depth - 1, groups)
    return out


def match(code, subject, start):
    rc = lib.pcre2_match_8(code, subject, len(subject), start, 0, data, None)
    if rc == -1:
        return "-"
    if rc < 0:
        return None
    ov = lib.pcre2_get_ovector_pointer_8(data)
    return " ".join("%d,%d" % tuple(-1 if v >= 1 << 63 else v for v in ov[2 * i:2 * i + 2]) for i in range(rc))


count = int(sys.argv[2])
while count > 0:
    text = expression(3, [])
    flags = "".join(f for f in "ismGEA" if rnd.random() < (0.3 if f in "ism" else 0.07))
    options = sum(FLAGS[f] for f in flags)
    err, off = ctypes.c_int(), ctypes.c_size_t()
    raw = text.encode("latin1")
    code = lib.pcre2_compile_8(raw, len(raw), options, ctypes.byref(err), ctypes.byref(off), None)
    if not code or len(raw) > 60:
        continue
    for _ in range(2):
        subject = b"".join(rnd.choice(SUBJECT) for _ in range(rnd.randint(0, 12)))
        start = rnd.choice([0, 0, 0, rnd.randint(0, len(subject))])
        answer = match(code, subject, start)
        if answer is not None:
            print(("/%s/%s" % (text, flags)).encode("latin1").hex(), subject.hex(), start, answer, sep="\t")
            count -= 1
