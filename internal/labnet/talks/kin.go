package talks

// kinTalks lists further coins, and calls of nodes.
func kinTalks() []Talk {
	return []Talk{
		{Name: "nimiq", Dialect: "nimiq", At: 2, Skip: 2, Steps: webSocket("/",
			`> {"message":"register","mode":"nano","address":"$NIM","deviceId":88120,"startDifficulty":1,"deviceData":{"name":"den"},"genesisHash":"Jkqvik+YKKdsVQY12geOtGYwahifzANxC+6fZJyGnRI="}`,
			`< {"message":"registered"}`,
			`< {"message":"settings","address":"$NIM","extraData":"AAAA","target":"57896044618658097711785492504343953926634992332820282019728792003956564819968","targetCompact":520159231,"nonce":512}`,
			`> {"message":"share","block":"AAEA","minerAddrProof":"AA","extraDataProof":"AA","nonce":41}`,
		)},
		{Name: "hathor", Dialect: "stratum-v1", At: 2, Steps: lines(
			`> {"jsonrpc":"2.0","id":"4e6b","method":"subscribe","params":{"address":"HQQJuAjMaGqsMH1C2Z5qJwT4QkVQFuBVfk","mine_txs":false}}`,
			`< {"jsonrpc":"2.0","id":"4e6b","result":"ok"}`,
			`< {"jsonrpc":"2.0","id":"5fd2","method":"job","params":{"data":"$COINB$COINB","job_id":"2f2b1c0f7b1a4c5f8e3d9a6b5c4d3e2f","nonce_size":16,"weight":21.5}}`,
			`> {"jsonrpc":"2.0","id":"77","method":"submit","params":{"job_id":"2f2b1c0f7b1a4c5f8e3d9a6b5c4d3e2f","nonce":"0000000000000000000000000a1b2c3d"}}`,
		)},
		{Name: "tari", Dialect: "cryptonote", At: 1, Steps: lines(
			`> {"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"acct","pass":"x","agent":"own/1","algo":["sha3x"]}}`,
			`< {"id":1,"jsonrpc":"2.0","error":null,"result":{"id":"1","job":{"algo":"sha3x","blob":"$HASH","job_id":"7","target":"a9b3f5c2d4000000","height":7,"difficulty":9000},"status":"OK"}}`,
		)},
		{Name: "epic", Dialect: "cryptonote", Steps: lines(
			`> {"id":"0","jsonrpc":"2.0","method":"login","params":{"login":"me","pass":"x","agent":"epic-miner"}}`,
			`< {"id":"0","jsonrpc":"2.0","method":"login","result":"ok","error":null}`,
			`> {"id":"0","jsonrpc":"2.0","method":"getjobtemplate","params":{"algorithm":"randomx"}}`,
		)},
		{Name: "bytom", Dialect: "cryptonote", At: 1, Steps: lines(
			`> {"method":"login","params":{"login":"acct.den","pass":"x","agent":"own/2"},"id":1}`,
			`< {"id":1,"jsonrpc":"2.0","result":{"id":"antminer","job":{"version":"0100000000000000","height":"0000000000000000","previous_block_hash":"$PREV","timestamp":"e55a685a00000000","transactions_merkle_root":"$HASH","transaction_status_hash":"$SEED","nonce":"0123456789abcdef","bits":"ffff7f0000000020","job_id":"16942","seed":"$SEED","target":"c5a70000"},"status":"OK"},"error":null}`,
		)},
		{Name: "pascalcoin", Dialect: "stratum-v1", Steps: lines(
			`< {"id":null,"method":"miner-notify","params":[{"block":39559,"version":2,"part1":"$COINB","payload_start":"4E6577","part3":"0000000000","target":640000000,"timestamp":1480000000,"target_pow":"$BOUND"}]}`,
			`> {"id":8,"method":"miner-submit","params":[{"payload":"4E6577","timestamp":1480000001,"nonce":1234567}]}`,
		)},
		{Name: "xelis-getwork", Dialect: "xelis", At: 2, Skip: 2, Steps: webSocket("/getwork/lab",
			`< {"new_job":{"algorithm":"xel/v2","topoheight":7,"difficulty":"20000","height":7,"miner_work":"$COINB$COINB"}}`,
			`> {"miner_work":"$COINB$COINB"}`,
		)},
		{Name: "ckb-node", Dialect: "getblocktemplate", At: 1, Steps: lines(
			`> {"id":42,"jsonrpc":"2.0","method":"get_block_template","params":[null,null,null]}`,
			`< {"id":42,"jsonrpc":"2.0","result":{"version":"0x0","compact_target":"0x1e083126","current_time":"0x174c45e17a3","number":"0x401","epoch":"0x7080019000001","parent_hash":"0x$HASH","cycles_limit":"0xd09dc300","bytes_limit":"0x91c08","uncles_count_limit":"0x2","uncles":[],"transactions":[],"proposals":[],"cellbase":{},"work_id":"0x0","dao":"0x00"}}`,
		)},
		{Name: "bsv-candidate", Dialect: "getblocktemplate", At: 1, Steps: lines(
			`> {"id":1,"method":"getminingcandidate","params":[]}`,
			`< {"id":1,"result":{"id":"a5c2","prevhash":"$PREV","coinbase":"$COINB","coinbaseValue":625000000,"version":536870912,"nBits":"1d00ffff","time":1550000000,"height":9,"merkleProof":["$HASH"]},"error":null}`,
		)},
		{Name: "merge-mining", Dialect: "getblocktemplate", At: 1, Steps: lines(
			`> {"id":1,"method":"createauxblock","params":["NAcct"]}`,
			`< {"id":1,"result":{"hash":"$HASH","chainid":1,"previousblockhash":"$PREV","coinbasevalue":5000000000,"bits":"207fffff","height":1,"_target":"$BOUND"},"error":null}`,
		)},
	}
}
