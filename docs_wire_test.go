package mid_test

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go/internal/contract"
)

// TestWireDocument compares docs/wire.md with the contract: the tables have
// every operation, schema, parameter and field with the contract's x-source, and
// nothing else.
func TestWireDocument(t *testing.T) {
	page, err := os.ReadFile("docs/wire.md")
	require.NoError(t, err)
	c := readContract(contract.OpenAPI)

	operations, schemas, fields, parameters := map[string]string{}, map[string]string{}, map[string]string{}, map[string]string{}
	var inferred []string
	for path, id := range c.named("operationId") {
		request := "POST to your callback_url"
		if path[0] == "paths" {
			request = strings.ToUpper(path[2]) + " " + path[1]
		}
		operations[id+" "+request] = c.source(path)
	}
	for _, path := range c.under("components", "schemas") {
		name := path[2]
		schemas[name] = c.source(path)
		if schemas[name] == "" {
			schemas[name] = "envelope"
		}
		for _, field := range c.fields(path) {
			source := c.source(field)
			if source != "" {
				fields[dotted(field)] = source
			}
			if source != "inferred" && (schemas[name] != "inferred" || source != "") {
				continue
			}
			inferred = append(inferred, dotted(field))
			for _, part := range c.fields(append(slices.Clone(field), "items")) {
				inferred = append(inferred, dotted(part))
			}
		}
	}
	for _, path := range c.under("components", "parameters") {
		if source := c.source(path); source != "" {
			parameters[c.values[strings.Join(append(path, "name"), "\t")]] = source
		}
	}
	for _, path := range c.under("components", "headers") {
		name := regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(path[2], "$1-$2")
		parameters["X-"+strings.Replace(name, "Rate-Limit", "RateLimit", 1)] = c.source(path)
	}
	require.NotEmpty(t, operations)
	require.NotEmpty(t, schemas)

	table := func(heading string, column ...int) map[string]string {
		found := map[string]string{}
		for _, row := range rows(t, string(page), heading) {
			var key []string
			for _, i := range column {
				key = append(key, row[i])
			}
			source := row[len(column)]
			found[strings.Join(key, " ")] = source
			if row[len(row)-1] != "not read" {
				for file := range strings.SplitSeq(row[len(row)-1], ", ") {
					if strings.HasSuffix(file, ".go") {
						assert.FileExists(t, file, heading)
					}
				}
			}
		}
		return found
	}
	assert.Equal(t, operations, table("## Operations", 0, 1))
	assert.Equal(t, schemas, table("## Schemas", 0))
	assert.Equal(t, fields, table("## Fields with a source of their own", 0))
	assert.Equal(t, parameters, table("## Parameters and headers", 0))

	var listed []string
	for _, row := range rows(t, string(page), "## What to check against the live API") {
		listed = append(listed, row[0])
		if row[2] == "not read" {
			continue
		}
		name := row[0][strings.LastIndexByte(row[0], '.')+1:]
		code, err := os.ReadFile(row[2])
		require.NoError(t, err)
		assert.Regexp(t, `json:"`+name+`[",]`, string(code), "%s is not in %s", row[0], row[2])
	}
	assert.ElementsMatch(t, inferred, listed)
}

// rows returns the cells of the first table below a heading, without its head
// and without backquotes.
func rows(t *testing.T, page, heading string) (rows [][]string) {
	t.Helper()
	_, rest, found := strings.Cut(page, heading+"\n")
	require.True(t, found, "no heading %q", heading)
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "|") {
			if len(rows) > 0 {
				break
			}
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(strings.TrimSpace(line), "|"), "|") {
			cells = append(cells, strings.TrimSpace(strings.ReplaceAll(cell, "`", "")))
		}
		rows = append(rows, cells)
	}
	require.Greater(t, len(rows), 2, "no table below %q", heading)
	return rows[2:]
}

// contractLines is the part of the contract's YAML that this test needs: the
// paths of its keys in their order, and the plain values.
type contractLines struct {
	keys   [][]string
	values map[string]string // by the path, joined with tabs
}

var (
	keyLine  = regexp.MustCompile(`^( *)(?:- )?([\w./{}$'-]+):(?: (.*))?$`)
	inlineIn = regexp.MustCompile(`[{,] *(x-source): (\w+)`)
)

func readContract(yaml []byte) contractLines {
	c := contractLines{values: map[string]string{}}
	var path []string
	var indents []int
	for line := range bytes.Lines(yaml) {
		m := keyLine.FindStringSubmatch(strings.TrimRight(string(line), "\n"))
		if m == nil {
			continue
		}
		for len(indents) > 0 && indents[len(indents)-1] >= len(m[1]) {
			path, indents = path[:len(path)-1], indents[:len(indents)-1]
		}
		path, indents = append(path, m[2]), append(indents, len(m[1]))
		key := slices.Clone(path)
		c.keys = append(c.keys, key)
		c.values[strings.Join(key, "\t")] = m[3]
		if inline := inlineIn.FindStringSubmatch(m[3]); inline != nil {
			c.values[strings.Join(append(key, inline[1]), "\t")] = inline[2]
		}
	}
	return c
}

func (c contractLines) source(path []string) string {
	return c.values[strings.Join(path, "\t")+"\tx-source"]
}

// under returns the paths of the keys right below a path.
func (c contractLines) under(path ...string) (below [][]string) {
	for _, key := range c.keys {
		if len(key) == len(path)+1 && slices.Equal(key[:len(path)], path) {
			below = append(below, key)
		}
	}
	return below
}

func (c contractLines) fields(path []string) [][]string {
	return c.under(append(slices.Clone(path), "properties")...)
}

// named returns the values of the keys with the given name, by their parents.
func (c contractLines) named(name string) func(yield func([]string, string) bool) {
	return func(yield func([]string, string) bool) {
		for _, key := range c.keys {
			if key[len(key)-1] == name && !yield(key[:len(key)-1], c.values[strings.Join(key, "\t")]) {
				return
			}
		}
	}
}

// dotted writes the path of a field like Error.details.field.
func dotted(path []string) string {
	var names []string
	for _, name := range path[2:] {
		if name != "properties" && name != "items" {
			names = append(names, name)
		}
	}
	return strings.Join(names, ".")
}
