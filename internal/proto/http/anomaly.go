package http

import "github.com/yamori-net/yamori/internal/proto"

type anomaly uint8

const (
	anLine anomaly = iota
	anHeaders
	anNoVersion
	anNoColon
	anRequestLine
	anStatusLine
	anUnexpected
	anPending
	anLengths
	anLengthChunked
	anLengthBad
	anCodingTE
	anChunkLen
	anChunkEnd
	anBodyless
	anDecode
	anNotEncoded
	anLayers
	anDecodeLimit
	anManyLayers
)

// Names of the violations; README.md says what each means.
var anomalyNames = [...]string{
	anLine:          "line_too_long",
	anHeaders:       "too_many_headers",
	anNoVersion:     "version_missing",
	anNoColon:       "header_without_colon",
	anRequestLine:   "request_line_invalid",
	anStatusLine:    "status_line_invalid",
	anUnexpected:    "response_without_request",
	anPending:       "too_many_pending_requests",
	anLengths:       "content_length_conflict",
	anLengthChunked: "content_length_with_chunked",
	anLengthBad:     "content_length_invalid",
	anCodingTE:      "transfer_encoding_invalid",
	anChunkLen:      "chunk_length_invalid",
	anChunkEnd:      "chunk_end_invalid",
	anBodyless:      "body_not_expected",
	anDecode:        "decompression_failed",
	anNotEncoded:    "content_encoding_wrong",
	anLayers:        "too_many_content_encodings",
	anDecodeLimit:   "decompression_limit",
	anManyLayers:    "too_many_encoding_layers",
}

// anomaly reports a violation, each kind once a flow.
func (p *parser) anomaly(c *proto.Conn, a anomaly) {
	if p.reported&(1<<a) == 0 {
		p.reported |= 1 << a
		c.Anomaly(anomalyNames[a])
	}
}
