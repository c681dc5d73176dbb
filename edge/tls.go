package edge

import (
	"crypto/tls"

	"aver/edge/certificate"
)

// TLSConfig is Mozilla's intermediate profile, version 6.0: TLS 1.2 and 1.3, ephemeral elliptic-curve key exchange
// only, authenticated encryption only (promises enc-2 and enc-3). The suites of TLS 1.3 are not ours to choose; Go has
// exactly the three of RFC 8446 §9.1 and of the same kind.
func TLSConfig(source *certificate.Source) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		CurvePreferences: []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384},
		GetCertificate:   source.Get,
		NextProtos:       append([]string{"h2", "http/1.1"}, source.Protocols()...),
	}
}
