package ike

// attributes1 are the classes of RFC 2409 appendix A, under Suricata's names.
var attributes1 = [...]struct{ name, raw string }{
	1: {"alg_enc", "alg_enc_raw"}, 2: {"alg_hash", "alg_hash_raw"}, 3: {"alg_auth", "alg_auth_raw"}, 4: {"alg_dh", "alg_dh_raw"},
	5: {"sa_group_type", "sa_group_type_raw"}, 11: {"sa_life_type", "sa_life_type_raw"}, 12: {"sa_life_duration", "sa_life_duration_raw"},
	13: {"alg_prf", "alg_prf_raw"}, 14: {"sa_key_length", "sa_key_length_raw"}, 15: {"sa_field_size", "sa_field_size_raw"},
}

func attributeName(typ uint16) string {
	if int(typ) < len(attributes1) && attributes1[typ].name != "" {
		return attributes1[typ].name
	}
	return "unknown"
}

func rawName(typ uint16) string { return attributes1[typ].raw }

// values1 are the values that have names, by class: RFC 2409 appendix A, RFC
// 3602, 4312 and 3526.
var values1 = [...]map[uint32]string{
	1: {1: "EncDesCbc", 2: "EncIdeaCbc", 3: "EncBlowfishCbc", 4: "EncRc5R16B64Cbc", 5: "EncTripleDesCbc", 6: "EncCastCbc", 7: "EncAesCbc", 8: "EncCamelliaCbc"},
	2: {1: "HashMd5", 2: "HashSha", 3: "HashTiger", 4: "HashSha2_256", 5: "HashSha2_384", 6: "HashSha2_512"},
	3: {1: "AuthPreSharedKey", 2: "AuthDssSignatures", 3: "AuthRsaSignatures", 4: "AuthEncryptionWithRsa", 5: "AuthRevisedEncryptionWithRsa"},
	4: {1: "GroupDefault768BitModp", 2: "GroupAlternate1024BitModpGroup", 3: "GroupEc2nOnGp2p155", 4: "GroupEc2nOnGp2p185", 5: "Group1536BitModpGroup",
		14: "Group2048BitModpGroup", 15: "Group3072BitModpGroup", 16: "Group4096BitModpGroup", 17: "Group6144BitModpGroup", 18: "Group8192BitModpGroup",
		19: "Group256BitRandomEcpGroup", 20: "Group384BitRandomEcpGroup", 21: "Group521BitRandomEcpGroup"},
	11: {1: "LifeTypeSeconds", 2: "LifeTypeKilobytes"},
}

func valueName(a Attribute) string {
	if int(a.Type) < len(values1) {
		if s := values1[a.Type][a.Value]; s != "" {
			return s
		}
	}
	return "Unknown"
}

// payloads1 are the types of RFC 2408 section 3.1 and RFC 3947 section 3.2.
var payloads1 = map[int]string{
	0: "None", 1: "SecurityAssociation", 2: "Proposal", 3: "Transform", 4: "KeyExchange", 5: "Identification", 6: "Certificate", 7: "CertificateRequest",
	8: "Hash", 9: "Signature", 10: "Nonce", 11: "Notification", 12: "Delete", 13: "VendorID", 20: "NatDiscovery", 21: "NatOriginalAddress",
}

// payloads2 are the types of RFC 7296 section 3.2.
var payloads2 = map[int]string{
	0: "NoNextPayload", 33: "SecurityAssociation", 34: "KeyExchange", 35: "IDInitiator", 36: "IDResponder", 37: "Certificate", 38: "CertificateRequest",
	39: "Authentication", 40: "Nonce", 41: "Notify", 42: "Delete", 43: "VendorID", 44: "TSInitiator", 45: "TSResponder", 46: "EncryptedAndAuthenticated",
	47: "Configuration", 48: "ExtensibleAuthentication",
}

// Names of the IANA registry "IKEv2 Parameters".
var (
	encryptions2 = map[int]string{0: "ENCR_NULL", 1: "ENCR_DES_IV64", 2: "ENCR_DES", 3: "ENCR_3DES", 4: "ENCR_RC5", 5: "ENCR_IDEA", 6: "ENCR_CAST", 7: "ENCR_BLOWFISH",
		11: "ENCR_NULL", 12: "ENCR_AES_CBC", 13: "ENCR_AES_CTR", 14: "ENCR_AES_CCM_8", 15: "ENCR_AES_CCM_12", 16: "ENCR_AES_CCM_16", 18: "ENCR_AES_GCM_8",
		19: "ENCR_AES_GCM_12", 20: "ENCR_AES_GCM_16", 23: "ENCR_CAMELLIA_CBC", 28: "ENCR_CHACHA20_POLY1305"}
	prfs2        = map[int]string{0: "PRF_NULL", 1: "PRF_HMAC_MD5", 2: "PRF_HMAC_SHA1", 3: "PRF_HMAC_TIGER", 4: "PRF_AES128_XCBC", 5: "PRF_HMAC_SHA2_256", 6: "PRF_HMAC_SHA2_384", 7: "PRF_HMAC_SHA2_512", 8: "PRF_AES128_CMAC"}
	integrities2 = map[int]string{0: "NONE", 1: "AUTH_HMAC_MD5_96", 2: "AUTH_HMAC_SHA1_96", 3: "AUTH_DES_MAC", 4: "AUTH_KPDK_MD5", 5: "AUTH_AES_XCBC_96",
		12: "AUTH_HMAC_SHA2_256_128", 13: "AUTH_HMAC_SHA2_384_192", 14: "AUTH_HMAC_SHA2_512_256"}
	groups2 = map[int]string{0: "None", 1: "Modp768", 2: "Modp1024", 5: "Modp1536", 14: "Modp2048", 15: "Modp3072", 16: "Modp4096", 17: "Modp6144", 18: "Modp8192",
		19: "Ecp256", 20: "Ecp384", 21: "Ecp521", 22: "Modp1024s160", 23: "Modp2048s224", 24: "Modp2048s256", 31: "Curve25519", 32: "Curve448"}
	esns2     = map[int]string{0: "NoESN", 1: "ESN"}
	notifies2 = map[int]string{1: "UNSUPPORTED_CRITICAL_PAYLOAD", 4: "INVALID_IKE_SPI", 5: "INVALID_MAJOR_VERSION", 7: "INVALID_SYNTAX", 9: "INVALID_MESSAGE_ID",
		11: "INVALID_SPI", 14: "NO_PROPOSAL_CHOSEN", 17: "INVALID_KE_PAYLOAD", 24: "AUTHENTICATION_FAILED", 43: "TEMPORARY_FAILURE", 44: "CHILD_SA_NOT_FOUND",
		16384: "INITIAL_CONTACT", 16388: "NAT_DETECTION_SOURCE_IP", 16389: "NAT_DETECTION_DESTINATION_IP", 16390: "COOKIE", 16391: "USE_TRANSPORT_MODE",
		16404: "MULTIPLE_AUTH_SUPPORTED", 16406: "REDIRECT_SUPPORTED", 16430: "IKEV2_FRAGMENTATION_SUPPORTED", 16431: "SIGNATURE_HASH_ALGORITHMS"}
)
