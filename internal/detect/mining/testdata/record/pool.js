// A pool that hands out CryptoNote jobs and takes every share. It computes
// nothing: jobs are random bytes of the right form. Usage: node pool.js PORT
'use strict';
const net = require('net'), crypto = require('crypto');
const hex = n => crypto.randomBytes(n).toString('hex');
const job = () => ({ blob: '1010' + hex(74), job_id: hex(8), target: 'b88d0600', id: 'w1', algo: 'rx/0', height: 3448500, seed_hash: hex(32) });
net.createServer(c => {
  let rest = '';
  const send = o => c.write(JSON.stringify(Object.assign({ jsonrpc: '2.0' }, o)) + '\n');
  const push = setInterval(() => send({ method: 'job', params: job() }), 1500);
  c.on('data', b => {
    const lines = (rest + b).split('\n');
    rest = lines.pop();
    for (const l of lines) {
      const m = JSON.parse(l);
      if (m.method === 'login') send({ id: m.id, error: null, result: { id: 'w1', job: job(), status: 'OK' } });
      else send({ id: m.id, error: null, result: { status: m.method === 'keepalived' ? 'KEEPALIVED' : 'OK' } });
    }
  });
  c.on('close', () => clearInterval(push));
  c.on('error', () => {});
}).listen(+process.argv[2], '127.0.0.1');
