package match

// eventNames maps Suricata's names of violations to those of the parsers here
// where they differ. Other names are taken as they are.
var eventNames = map[eventKey][]string{
	{"tls", "invalid_handshake_message"}: {"malformed_client_hello", "malformed_server_hello", "malformed_certificate"},
	{"tls", "invalid_certificate"}:       {"malformed_certificate"},
	{"tls", "handshake_invalid_length"}:  {"handshake_too_long"},

	{"http", "request_too_many_headers"}:                    {"too_many_headers"},
	{"http", "response_too_many_headers"}:                   {"too_many_headers"},
	{"http", "unable_to_match_response_to_request"}:         {"response_without_request"},
	{"http", "request_field_missing_colon"}:                 {"header_without_colon"},
	{"http", "response_field_missing_colon"}:                {"header_without_colon"},
	{"http", "request_line_missing_protocol"}:               {"version_missing"},
	{"http", "response_invalid_protocol"}:                   {"status_line_invalid"},
	{"http", "response_invalid_status"}:                     {"status_line_invalid"},
	{"http", "request_field_too_long"}:                      {"line_too_long"},
	{"http", "response_field_too_long"}:                     {"line_too_long"},
	{"http", "duplicate_content_length_field_in_request"}:   {"content_length_conflict"},
	{"http", "duplicate_content_length_field_in_response"}:  {"content_length_conflict"},
	{"http", "invalid_content_length_field_in_request"}:     {"content_length_invalid"},
	{"http", "invalid_content_length_field_in_response"}:    {"content_length_invalid"},
	{"http", "invalid_request_chunk_len"}:                   {"chunk_length_invalid"},
	{"http", "invalid_response_chunk_len"}:                  {"chunk_length_invalid"},
	{"http", "invalid_transfer_encoding_value_in_request"}:  {"transfer_encoding_invalid"},
	{"http", "invalid_transfer_encoding_value_in_response"}: {"transfer_encoding_invalid"},
	{"http", "response_abnormal_transfer_encoding"}:         {"transfer_encoding_invalid"},
	{"http", "abnormal_ce_header"}:                          {"content_encoding_wrong"},
	{"http", "gzip_decompression_failed"}:                   {"decompression_failed"},
	{"http", "request_body_unexpected"}:                     {"body_not_expected"},
	{"http", "response_body_unexpected"}:                    {"body_not_expected"},
	{"http", "compression_bomb"}:                            {"decompression_limit"},
	{"http2", "invalid_header"}:                             {"header_block_invalid"},
	{"http2", "failed_decompression"}:                       {"header_block_invalid"},
	{"http2", "header_integer_overflow"}:                    {"header_block_invalid"},
	{"http2", "long_frame_data"}:                            {"header_block_too_long"},
	{"ssh", "long_banner"}:                                  {"ssh_banner_too_long"},
	{"smb", "malformed_data"}:                               {"smb_bad_header", "smb_framing_lost", "smb_truncated_words"},
	{"smtp", "max_command_line_len_exceeded"}:               {"smtp_line_too_long"},
	{"smtp", "max_reply_line_len_exceeded"}:                 {"smtp_line_too_long"},
	{"ftp", "request_command_too_long"}:                     {"ftp_line_too_long"},
	{"ftp", "response_command_too_long"}:                    {"ftp_line_too_long"},
}

// eventKeys returns what the parsers call the violation that a rule names.
func eventKeys(app, name string) []eventKey {
	names, known := eventNames[eventKey{app, name}]
	if !known {
		return []eventKey{{app, name}}
	}
	out := make([]eventKey, len(names))
	for i, n := range names {
		out[i] = eventKey{app, n}
	}
	return out
}
