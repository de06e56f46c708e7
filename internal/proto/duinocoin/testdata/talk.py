"""A Duino-Coin server and a miner that really finds its numbers, written after
the description in the project's README and its clients' behaviour: talk.py
mine|bare|print PORT. "bare" ends no line of the miner with a newline, as some
clients do. "print" is a print queue whose jobs look like questions for work."""
import hashlib, random, socket, sys, threading, time

what, port = sys.argv[1], int(sys.argv[2])
end = b"" if what == "bare" else b"\n"
listener = socket.create_server(("10.77.0.1", port))
random.seed(3)


def pool(c):
    if what == "print":
        c.sendall(b"1.0\n")
        for n in range(3):
            c.recv(200)
            c.sendall(b"OK,queued %d\n" % n)
        return
    c.sendall(b"4.3\n")
    for n in range(4):
        c.recv(200)
        diff = 6 + n
        last = hashlib.sha1(b"block %d" % n).hexdigest()
        find = random.randrange(100 * diff)
        c.sendall(f"{last},{hashlib.sha1((last + str(find)).encode()).hexdigest()},{diff}\n".encode())
        got = c.recv(200).decode().split(",")
        if n == 2:
            c.sendall(b"BAD,Too fast\n")
        else:
            c.sendall(b"GOOD\n" if int(got[0]) == find else b"BAD,Incorrect result\n")


def serve():
    c, _ = listener.accept()
    pool(c)
    time.sleep(0.3)


t = threading.Thread(target=serve, daemon=True)
t.start()
c = socket.create_connection(("10.77.0.1", port))
c.recv(100)
if what == "print":
    for n in range(3):
        c.sendall(b"JOB,alice,invoice %d.pdf,office-2\n" % n)
        c.recv(100)
else:
    for n in range(4):
        c.sendall(b"JOB,labuser,LOW,None" + end)
        last, want, diff = c.recv(200).decode().strip().split(",")
        begun = time.time()
        for x in range(100 * int(diff) + 1):
            if hashlib.sha1((last + str(x)).encode()).hexdigest() == want:
                break
        time.sleep(0.1)
        rate = x / (time.time() - begun)
        c.sendall(f"{x},{rate:.2f},Official PC Miner 4.3,shed,,1234".encode() + end)
        c.recv(100)
c.close()
t.join(2)
