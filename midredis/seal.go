package midredis

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

// markLength is the length of a token's mark, in front of its box. The scripts
// know it.
const markLength = 32

var errSealed = errors.New("the token in Redis is not one that this client secret has sealed")

// seal makes tokens useless to anyone who reads Redis: AES-256-GCM under a key
// that HKDF derives from the client secret.
type seal struct {
	box     cipher.AEAD
	marking []byte // the key of the marks
	id      string // of the secret: processes with another do not open the box
	account string
}

func newSeal(account, secret string) (*seal, error) {
	if secret == "" {
		return nil, &mid.ValidationError{Field: "midredis.NewTokenCache clientSecret", Reason: "is empty"}
	}
	derive := func(use string, length int) ([]byte, error) {
		return hkdf.Key(sha256.New, []byte(secret), []byte(account), "mid-go midredis "+use, length)
	}
	key, err := derive("token encryption", 32)
	if err != nil { // FIPS 140 wants a longer secret
		return nil, fmt.Errorf("mid: deriving a key from the client secret: %w", err)
	}
	marking, err := derive("token mark", 32)
	if err != nil {
		return nil, fmt.Errorf("mid: deriving a key from the client secret: %w", err)
	}
	id, err := derive("key id", 8)
	if err != nil {
		return nil, fmt.Errorf("mid: deriving a key from the client secret: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("mid: %w", err)
	}
	box, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("mid: %w", err)
	}
	return &seal{box: box, marking: marking, id: hex.EncodeToString(id), account: account}, nil
}

// mark tells a token from others, and tells nothing else of it.
func (s *seal) mark(token *oauth2.Token) string {
	mac := hmac.New(sha256.New, s.marking)
	mac.Write([]byte(token.AccessToken))
	return hex.EncodeToString(mac.Sum(nil)[:markLength/2])
}

// sealed is what is in the box. The token's end is the key's: the clocks of two
// machines differ.
type sealed struct {
	AccessToken string        `json:"access_token"`
	TokenType   string        `json:"token_type"`
	Life        time.Duration `json:"life"` // when it was fetched; zero if it does not expire
}

// close returns a token's mark and box.
func (s *seal) close(key string, token *oauth2.Token, life time.Duration) (string, error) {
	text, err := json.Marshal(sealed{AccessToken: token.AccessToken, TokenType: token.TokenType, Life: life})
	if err != nil {
		return "", err
	}
	box := s.box.Seal(nil, nil, text, s.bound(key)) //nolint:gosec // the box makes a nonce of its own
	return s.mark(token) + string(box), nil
}

// open returns what close was given.
func (s *seal) open(key, value string) (*sealed, error) {
	if len(value) < markLength {
		return nil, errSealed
	}
	text, err := s.box.Open(nil, nil, []byte(value[markLength:]), s.bound(key))
	if err != nil {
		return nil, errSealed
	}
	var out sealed
	if err := json.Unmarshal(text, &out); err != nil || out.AccessToken == "" {
		return nil, errSealed
	}
	return &out, nil
}

// bound is what a box is bound to: it opens in no other account and under no
// other key.
func (s *seal) bound(key string) []byte { return []byte(s.account + "\x00" + key) }

// Format writes a fixed text, whatever the verb: the seal holds keys.
func (*seal) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("midredis.seal")) }
