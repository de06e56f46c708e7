"""Three miners, a proxy that gathers them and a pool, in CryptoNote's dialect as
xmrig and xmrig-proxy write it. Nothing is mined: shares are made up. The
addresses are those that gather.sh gives to the loopback interface."""
import asyncio, json

POOL, PROXY = "10.77.1.5", "10.77.0.9"
WALLET = "48edfHu7V9Z84YzzMa6fUueoELZ9ZRXq9VetWzYGzKt52XU5xvqgzYnDK9URnRoJMk1j8nLwEVsaSWJ4fhdUyZijBGUicoD"
JOB = {"blob": "1010" + "fa918ed80681" * 12 + "c34f", "job_id": "1", "target": "ffff0000", "algo": "rx/0", "height": 7, "seed_hash": "71a56feffb6f10ea" * 4}


def line(m):
    return (json.dumps(m, separators=(",", ":")) + "\n").encode()


async def pool(r, w):
    while l := await r.readline():
        m = json.loads(l)
        result = {"id": "a", "job": JOB, "status": "OK"} if m["method"] == "login" else {"status": "OK"}
        w.write(line({"id": m["id"], "jsonrpc": "2.0", "error": None, "result": result}))
    w.close()


async def miner(n, shares):
    r, w = await asyncio.open_connection(PROXY, 3333, local_addr=(f"10.77.0.{20 + n}", 0))
    w.write(line({"id": 1, "jsonrpc": "2.0", "method": "login", "params": {"login": f"room{n}", "pass": "x", "agent": "XMRig/6.26.0 (Linux x86_64)", "algo": ["rx/0"]}}))
    await r.readline()
    for i in range(shares):
        await asyncio.sleep(0.7)
        w.write(line({"id": 2 + i, "jsonrpc": "2.0", "method": "submit", "params": {"id": "a", "job_id": "1", "nonce": f"{n}{i:07x}", "result": "c0e67d1fc274309c" * 4}}))
        await r.readline()
    w.close()


async def main():
    up = await asyncio.start_server(pool, POOL, 443)
    r, w = None, None

    async def gather(mr, mw):
        nonlocal r, w
        if w is None:
            r, w = await asyncio.open_connection(POOL, 443, local_addr=(PROXY, 0))
            w.write(line({"id": 1, "jsonrpc": "2.0", "method": "login", "params": {"login": WALLET, "pass": "x", "agent": "xmrig-proxy/6.21.1 (Linux x86_64)", "rigid": "", "algo": ["rx/0"]}}))
            await r.readline()
        while l := await mr.readline():
            m = json.loads(l)
            if m["method"] == "login":
                mw.write(line({"id": m["id"], "jsonrpc": "2.0", "error": None, "result": {"id": "5e0c3f9a1b7d2846", "job": JOB, "extensions": ["algo", "nicehash"], "status": "OK"}}))
                continue
            w.write(l)
            mw.write(line({"id": m["id"], "jsonrpc": "2.0", "error": None, "result": {"status": "OK"}}))
        mw.close()

    down = await asyncio.start_server(gather, PROXY, 3333)
    await miner(0, 1)
    await asyncio.gather(miner(1, 3), miner(2, 3))
    w.close()
    await asyncio.sleep(0.3)
    up.close()
    down.close()


asyncio.run(main())
