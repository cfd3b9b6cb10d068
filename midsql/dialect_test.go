package midsql_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go/midsql"
)

func TestDocumentedSchema(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	for _, dialect := range []midsql.Dialect{midsql.Postgres, midsql.SQLite} {
		require.NotEmpty(t, dialect.Schema())
		for line := range strings.Lines(dialect.Schema()) {
			assert.Contains(t, string(doc), "//\t"+strings.TrimRight(line, "\n")+"\n", dialect)
		}
	}
	assert.Empty(t, midsql.Dialect("oracle").Schema())
}
