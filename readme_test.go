package mid_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDocumentedCode builds every piece of Go code in the documentation: in
// README.md, in docs and in the package comment. Programs are built as they are.
// Fragments get imports, and the variables that the text around them introduces.
// Nothing is written into the repository.
func TestDocumentedCode(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	root, err := os.Getwd()
	require.NoError(t, err)

	blocks := packageCode(t, "mid.go")
	for _, page := range append(pages, "README.md") {
		blocks = append(blocks, fencedCode(t, page)...)
	}
	require.NotEmpty(t, blocks)

	// With the overlay, each block is a package of this module.
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	build := []string{"build", "-overlay", filepath.Join(t.TempDir(), "overlay.json"), "-o", os.DevNull}
	for i, b := range blocks {
		source := buildable(t, b)
		written := filepath.Join(t.TempDir(), "block.go")
		require.NoError(t, os.WriteFile(written, source, 0o600))
		dir := fmt.Sprintf("documented%d", i)
		overlay.Replace[filepath.Join(root, dir, "block.go")] = written
		build = append(build, "./"+dir)
	}
	list, err := json.Marshal(overlay)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(build[2], list, 0o600))

	out, err := exec.CommandContext(t.Context(), "go", build...).CombinedOutput()
	assert.NoError(t, err, "%s", out)
}

// TestDocumentedLinks follows the links of all pages that stay in the repository.
func TestDocumentedLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]+)`)
	found := 0
	for _, pattern := range []string{"*.md", "*/*.md", "*/*/*.md"} {
		pages, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, page := range pages {
			text, err := os.ReadFile(page)
			require.NoError(t, err)
			for _, match := range link.FindAllStringSubmatch(withoutCode(string(text)), -1) {
				if strings.HasPrefix(match[1], "https://") {
					continue
				}
				found++
				_, err := os.Stat(filepath.Join(filepath.Dir(page), match[1]))
				assert.NoError(t, err, page)
			}
		}
	}
	assert.Greater(t, found, 20)
}

func withoutCode(page string) string {
	return regexp.MustCompile("(?s)\n```.*?\n```").ReplaceAllString(page, "")
}

// TestFirstProgramIsShort keeps the README's first program one that is read in
// one go.
func TestFirstProgramIsShort(t *testing.T) {
	first := fencedCode(t, "README.md")[0].code
	assert.Contains(t, first, "package main")
	assert.Less(t, strings.Count(first, "\n"), 25, "lines of the README's first program")
}

type block struct {
	file string
	line int
	code string
}

func fencedCode(t *testing.T, path string) (blocks []block) {
	t.Helper()
	page, err := os.ReadFile(path)
	require.NoError(t, err)
	var current *block
	number := 0
	for line := range strings.Lines(string(page)) {
		number++
		switch fence := strings.TrimSpace(line); {
		case current == nil && fence == "```go":
			current = &block{file: path, line: number + 1}
		case current != nil && fence == "```":
			blocks = append(blocks, *current)
			current = nil
		case current != nil:
			current.code += line
		}
	}
	require.Nil(t, current, "%s: a code block does not end", path)
	return blocks
}

func packageCode(t *testing.T, path string) (blocks []block) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.PackageClauseOnly)
	require.NoError(t, err)
	for _, part := range new(comment.Parser).Parse(file.Doc.Text()).Content {
		if code, ok := part.(*comment.Code); ok {
			first, _, _ := strings.Cut(code.Text, "\n")
			source, err := os.ReadFile(path)
			require.NoError(t, err)
			before, _, _ := bytes.Cut(source, []byte("//\t"+first))
			blocks = append(blocks, block{file: path, line: bytes.Count(before, []byte("\n")) + 1, code: code.Text})
		}
	}
	return blocks
}

// introduced are the variables that the text around a fragment introduces.
const introduced = `
var (
	ctx                              = context.Background()
	clientID, clientSecret, id       string
	client                           *mid.Client
	session                          *mid.AuthSession
	selfie                           *mid.IdentityDocument
	document                         *mid.SigningDocument
	signing                          *mid.SigningSession
	cert                             tls.Certificate
	logger                           *slog.Logger
	tokenCache                       mid.TokenCache
	limiter                          mid.Limiter
	eventStore                       mid.EventStore
	notifier                         mid.Notifier
	cases                            []string
	verify                           func(ctx context.Context, id string) error
	key                              []byte
	beginSession                     func(w http.ResponseWriter, userID string)
	err                              error
)
`

var importPaths = map[string]string{
	"context":  "context",
	"errors":   "errors",
	"fmt":      "fmt",
	"http":     "net/http",
	"io":       "io",
	"log":      "log",
	"mid":      "github.com/mobid-io/mid-go",
	"midtest":  "github.com/mobid-io/mid-go/midtest",
	"midweb":   "github.com/mobid-io/mid-go/midweb",
	"os":       "os",
	"rand":     "crypto/rand",
	"slog":     "log/slog",
	"sync":     "sync",
	"synctest": "testing/synctest",
	"testing":  "testing",
	"time":     "time",
	"tls":      "crypto/tls",
}

// buildable makes a file of a block.
func buildable(t *testing.T, b block) []byte {
	t.Helper()
	formatted, err := format.Source([]byte(b.code))
	if assert.NoError(t, err, "%s:%d", b.file, b.line) {
		assert.Equal(t, string(formatted), b.code, "%s:%d is not formatted", b.file, b.line)
	}
	origin := fmt.Sprintf("//line %s:%d\n", b.file, b.line)
	if strings.Contains("\n"+b.code, "\npackage ") {
		return []byte(origin + b.code)
	}
	body := origin + b.code
	if _, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+b.code, 0); err != nil {
		body = "func _() error {\n" + origin + b.code + "\nreturn nil\n}\n"
	}
	body = introduced + body
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+body, 0)
	require.NoError(t, err, "%s:%d", b.file, b.line)

	var imports []string
	for _, id := range unresolved(file) {
		if path, ok := importPaths[id]; ok {
			imports = append(imports, fmt.Sprintf("import %s %q\n", id, path))
		}
	}
	return []byte("package p\n" + strings.Join(imports, "") + body)
}

func unresolved(file *ast.File) []string {
	var names []string
	for _, id := range file.Unresolved {
		names = append(names, id.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
