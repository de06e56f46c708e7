package talks

import "strings"

// Benign lists conversations that a gateway must not touch: they share words
// and forms with mining, or are what homes are full of.
func Benign() []Talk {
	out := []Talk{
		{Name: "print-farm", Port: 4400, Steps: lines(
			`> {"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"press-2","pass":"x","agent":"PressClient/3.0 (linux)"}}`,
			`< {"id":1,"jsonrpc":"2.0","error":null,"result":{"id":"p2","job":{"job_id":"77c1","document":"poster.pdf","pages":12,"target":"hall"},"status":"OK"}}`,
			`< {"jsonrpc":"2.0","method":"job","params":{"job_id":"77c2","blob":"JVBERi0xLjcK","target":"hall","height":420}}`,
			`> {"id":2,"jsonrpc":"2.0","method":"submit","params":{"job_id":"77c2","nonce":"n-3","result":"printed 12 pages"}}`,
			`< {"id":2,"jsonrpc":"2.0","error":null,"result":{"status":"OK"}}`,
			`> {"id":3,"jsonrpc":"2.0","method":"keepalive","params":{"id":"p2"}}`,
			`< {"id":3,"jsonrpc":"2.0","result":{"status":"alive"}}`,
		)},
		{Name: "build-server", Port: 4401, Steps: lines(
			`> {"id":1,"method":"getjob","params":{"id":"worker-9"},"worker":"worker-9"}`,
			`< {"id":1,"result":{"job_id":"81","blob":"`+strings.Repeat("b", 40)+`","target":"linux/arm64"}}`,
			`> {"id":2,"method":"submit","params":{"job_id":"81","result":"$HASH"},"worker":"worker-9"}`,
			`< {"id":2,"result":true}`,
		)},
		{Name: "wallet", Port: 4402, Steps: lines(
			`> {"jsonrpc":"2.0","method":"server.version","params":["electrum/4.5.8",["1.4","1.4"]],"id":0}`,
			`< {"jsonrpc":"2.0","id":0,"result":["ElectrumX 1.16.0","1.4"]}`,
			`> {"jsonrpc":"2.0","method":"blockchain.headers.subscribe","params":[],"id":1}`,
			`< {"jsonrpc":"2.0","id":1,"result":{"hex":"$HEADER","height":861001}}`,
			`> {"jsonrpc":"2.0","method":"blockchain.scripthash.subscribe","params":["$HASH"],"id":2}`,
			`< {"jsonrpc":"2.0","id":2,"result":"$PREV"}`,
		)},
		{Name: "light-bulb", Port: 4403, Steps: lines(
			`> {"id":1,"method":"set_power","params":["on","smooth",500]}`,
			`< {"id":1,"result":["ok"]}`,
			`< {"method":"props","params":{"power":"on","bright":"80"}}`,
		)},
		{Name: "chat", Port: 4404, Skip: 2, Steps: webSocket("/chat",
			`> {"type":"message","params":{"text":"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"cpuminer/2.5.1\"]} is what my miner says","room":"den"}}`,
			`< {"type":"message","params":{"text":"try port 3333","user":"mining.notify"}}`,
			`> {"type":"leave","params":{"room":"den"}}`,
		)},
		{Name: "node-status", Port: 4405, Steps: []Step{
			post("/", "User-Agent: monitor/1\r\n", `{"id":1,"method":"getmininginfo","params":[]}`),
			answer("", `{"id":1,"result":{"blocks":861001,"difficulty":1.0,"networkhashps":7,"pooledtx":12,"chain":"main"},"error":null}`),
			get("/status", "User-Agent: monitor/1\r\n"),
			answer("", `{"ok":true}`),
		}},
		// CONNECT, CONNACK, PUBLISH of a temperature, PINGREQ, PINGRESP (MQTT 3.1.1).
		{Name: "mqtt", Port: 1883, Steps: raw(
			"> \x10\x13\x00\x04MQTT\x04\x02\x00\x3c\x00\x07sensor1",
			"< \x20\x02\x00\x00",
			"> \x30\x10\x00\x09home/temp21.50",
			"> \xc0\x00",
			"< \xd0\x00",
		)},
	}
	for i := range out {
		out[i].At = -1
	}
	return out
}
