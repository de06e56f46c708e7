// Speaks as the Coinhive script in a page does, without mining: it sends a
// made-up share for each job. Usage: node browser.js ws://HOST:PORT/ [SECONDS]
// With a third argument "chat" it talks about mining instead, in messages of a
// JSON chat: a look-alike.
'use strict';
const WebSocket = require('ws'), crypto = require('crypto');
const [url, seconds, chat] = process.argv.slice(2);
const w = new WebSocket(url);
const send = o => w.send(JSON.stringify(o));
const wallet = '4' + '8edfHu7V9Z84YzzMa6fUueoELZ9ZRXq9VetWzYGzKt52XU5xvqgzYnDK9URnRoJMk1j8nLwEVsaSWJ4fhdUyZijBGUicoD';
w.on('open', () => {
  if (!chat) return send({ type: 'auth', params: { site_key: wallet, type: 'anonymous', user: null, goal: 0 } });
  const says = ['has anybody tried mining.subscribe?', JSON.stringify({ id: 1, method: 'mining.subscribe', params: ['cpuminer/2.5.1'] }),
    JSON.stringify({ id: 1, method: 'login', params: { login: wallet, pass: 'x', agent: 'XMRig/6.26.0', algo: ['rx/0'] } }),
    JSON.stringify({ type: 'auth', params: { site_key: 'k', type: 'anonymous', goal: 0 } }), 'the pool answers {"status":"KEEPALIVED"}'];
  let id = 0;
  send({ id: ++id, method: 'join', params: { room: 'miners', login: 'hanako', pass: 'x' } });
  const t = setInterval(() => says.length ? send({ id: ++id, method: 'say', params: { room: 'miners', text: says.shift() } }) : clearInterval(t), 200);
});
w.on('message', d => {
  const m = JSON.parse(d);
  if (!chat && m.type === 'job') setTimeout(() => send({ type: 'submit', params: { version: 7, job_id: m.params.job_id, nonce: crypto.randomBytes(4).toString('hex'), result: crypto.randomBytes(32).toString('hex') } }), 300);
});
setTimeout(() => process.exit(0), 1000 * (+seconds || 5));
