// Package contract carries the wire contract that the SDK speaks and that its
// fake server serves.
package contract

import _ "embed"

// OpenAPI is the contract as an OpenAPI 3.1 document in YAML.
//
//go:embed openapi.yaml
var OpenAPI []byte
