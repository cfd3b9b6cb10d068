package browser_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// axe is the source of the accessibility checker, installed and read once.
var axe struct {
	once   sync.Once
	source string
	err    error
}

// withAxe ends the test if the checker is missing and can't be installed.
func withAxe(t *testing.T) {
	t.Helper()
	file := filepath.Join("axe", "node_modules", "axe-core", "axe.min.js")
	if _, err := os.Stat(file); err != nil {
		tool(t, "npm", "apt-get install nodejs npm")
	}
	axe.once.Do(func() {
		source, err := os.ReadFile(file)
		if err != nil {
			if axe.err = installAxe(); axe.err != nil {
				return
			}
			source, err = os.ReadFile(file)
		}
		axe.source, axe.err = string(source), err
	})
	if axe.err != nil {
		missing(t, "axe-core", "npm ci in e2e/browser/axe failed: "+axe.err.Error())
	}
}

// installAxe installs what axe/package-lock.json names.
func installAxe() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = "axe"
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.WaitDelay = 5 * time.Second
	return cmd.Run()
}

// violation is a rule of axe that a page breaks.
type violation struct {
	ID     string
	Impact string
	Help   string
	Nodes  []struct {
		HTML           string
		FailureSummary string
	}
}

func (v violation) String() string {
	var b strings.Builder
	b.WriteString(v.Impact + ": " + v.ID + ": " + v.Help)
	for _, node := range v.Nodes {
		b.WriteString("\n  " + node.HTML + "\n    " + strings.ReplaceAll(node.FailureSummary, "\n", "\n    "))
	}
	return b.String()
}

// violations are those of the page as it is, the serious and critical ones.
func (tb *tab) violations() []string {
	tb.t.Helper()
	if !ask[bool](tb, `typeof axe === "object"`) {
		ask[bool](tb, axe.source+"\ntrue")
	}
	text := ask[string](tb, `axe.run(document, {resultTypes: ["violations"]}).then((r) => JSON.stringify(r.violations))`)
	var all []violation
	require.NoError(tb.t, json.Unmarshal([]byte(text), &all))
	var bad []string
	for _, v := range all {
		if v.Impact == "serious" || v.Impact == "critical" {
			bad = append(bad, v.String())
		} else {
			tb.t.Log(v)
		}
	}
	return bad
}
