// Command inlinebench measures what inspecting in line costs: throughput,
// latency and processor time through a router in network namespaces, plain,
// with the gateway, and with Suricata without rules beside it. It needs root,
// iperf3 and ethtool; without Suricata that line is left out.
//
//	go run ./internal/tools/inlinebench -seconds 4 -rounds 3
//	go build ./cmd/yamori && go run ./internal/tools/inlinebench -program ./yamori
package main
