package mid

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go/internal/contract"
)

// The operations are the contract's, and what their answers must have is required
// there, and exists.
func TestOperationsAreTheContracts(t *testing.T) {
	document := string(contract.OpenAPI)
	schema := func(name string) string {
		block := regexp.MustCompile(`(?m)^    ` + name + `:\n(?:      .*\n|\n)+`).FindString(document)
		require.NotEmpty(t, block, name)
		return block
	}
	operations := []operation{
		opToken, opCreateAuthSession, opGetAuthSession, opVerifyAuth,
		opUploadIdentityDocument, opStartVerification, opGetVerification,
		opUploadSigningDocument, opCreateSigningSession, opGetSigningSession,
	}
	for _, op := range operations {
		path := regexp.MustCompile(`(?m)^  ` + regexp.QuoteMeta(op.path) + `:\n(?:    .*\n|\n)+`).FindString(document)
		_, method, found := strings.Cut(path, "\n    "+strings.ToLower(op.method)+":\n")
		require.True(t, found, op.name)
		answer := regexp.MustCompile(`schemas/(\w+Response)'`).FindStringSubmatch(method)
		require.NotNil(t, answer, op.name)
		if op == opToken {
			continue // its answer is read by package credentials
		}
		data := regexp.MustCompile(`data: \{\$ref: '#/components/schemas/(\w+)'\}`).FindStringSubmatch(schema(answer[1]))
		require.NotNil(t, data, op.name)
		required := regexp.MustCompile(`(?m)^      required: \[(.*)\]$`).FindStringSubmatch(schema(data[1]))
		require.NotNil(t, required, data[1])
		require.NotEmpty(t, needs[op.answers], op.name)
		require.Subset(t, strings.Split(required[1], ", "), needs[op.answers], op.name)
		if strings.Contains(required[1], "status") {
			require.Contains(t, needs[op.answers], "status", op.name)
		}
	}
	paths, _, _ := strings.Cut(document, "\nwebhooks:\n") // what follows is sent by MID
	require.Len(t, operations, strings.Count(paths, "operationId: "), "an operation of the contract has no entry")
}
