package midweb

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// minKey is the shortest key that a site may seal with, in bytes.
const minKey = 32

// sealer seals what a browser carries for the server, with AES-256-GCM.
type sealer struct {
	aeads []cipher.AEAD // of the keys, in order: the first seals, each opens
}

// newSealer derives its keys from the site's by HKDF (RFC 5869) for one
// purpose, so that the site may use the same keys for other ends.
func newSealer(keys [][]byte, purpose string) (*sealer, error) {
	s := &sealer{}
	for _, key := range keys {
		derived, err := hkdf.Key(sha256.New, key, nil, "midweb 1 "+purpose, 32)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(derived)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		s.aeads = append(s.aeads, aead)
	}
	return s, nil
}

// seal returns v as a text that only a sealer of the same key and purpose
// opens, and that no one can alter.
func (s *sealer) seal(v any) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("midweb: sealing: %w", err)
	}
	sealed := s.aeads[0].Seal(nil, nil, plain, nil) //nolint:gosec // the AEAD makes its own nonce
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// open reads into v what was sealed, and reports whether it was.
func (s *sealer) open(text string, v any) bool {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	for _, aead := range s.aeads {
		if plain, err := aead.Open(nil, nil, sealed, nil); err == nil {
			return json.Unmarshal(plain, v) == nil
		}
	}
	return false
}
