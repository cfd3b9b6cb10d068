package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func runs(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestRun(t *testing.T) {
	a := newAccount(t, midtest.WithFieldNames(mid.CamelCase), midtest.WithPlan(mid.PlanSandbox))
	report := filepath.Join(t.TempDir(), "report.md")
	code, stdout, stderr := runs(t, "-report", report)
	assert.Equal(t, exitReadable, code, stdout)
	assert.Empty(t, stderr)
	assert.Contains(t, stdout, "  client, err := mid.NewClientFromEnv(\n  \tmid.WithFieldNames(mid.CamelCase),\n  \tmid.WithPlan(mid.PlanSandbox),\n  )\n")
	assert.Contains(t, stdout, "created_at as createdAt")
	text, err := os.ReadFile(report)
	require.NoError(t, err)
	assert.Contains(t, string(text), "| `created_at` | time | in another spelling | as createdAt |")
	info, err := os.Stat(report)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	code, stdout, _ = runs(t, "-json")
	assert.Equal(t, exitReadable, code)
	var got diagnosis
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	assert.Equal(t, []string{"mid.WithFieldNames(mid.CamelCase)", "mid.WithPlan(mid.PlanSandbox)"}, got.Options)

	a.Inject(midtest.Fault{Path: "/auth/verify", Times: -1, Status: 404})
	code, stdout, _ = runs(t)
	assert.Equal(t, exitBad, code)
	assert.Contains(t, stdout, "One check failed")
}

func TestUsage(t *testing.T) {
	newAccount(t)
	for _, args := range [][]string{{"-nonsense"}, {"argument"}, {"-callback-url", "https://example.com/"}, {"-wait", "0s"}} {
		code, stdout, stderr := runs(t, args...)
		assert.Equal(t, exitUsage, code, args)
		assert.Empty(t, stdout, args)
		assert.Contains(t, stderr, "-h for help", args)
	}
	code, stdout, _ := runs(t, "-h")
	assert.Equal(t, exitReadable, code)
	assert.Contains(t, stdout, "-write")
	code, stdout, _ = runs(t, "-version")
	assert.Equal(t, exitReadable, code)
	assert.Equal(t, "mid-doctor "+mid.Version+"\n", stdout)

	code, _, stderr := runs(t, "-report", filepath.Join(t.TempDir(), "none", "report.md"))
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "report.md")
}

func TestEnvironment(t *testing.T) {
	for _, name := range []string{"MID_CLIENT_ID", "MID_CLIENT_SECRET"} {
		newAccount(t)
		t.Setenv(name, "")
		code, stdout, stderr := runs(t)
		assert.Equal(t, exitUsage, code)
		assert.Empty(t, stdout)
		assert.Equal(t, "mid-doctor: "+name+" is not set in the environment\n", stderr)
	}
	newAccount(t)
	t.Setenv("MID_BASE_URL", "http://api.example.com/v1")
	code, _, stderr := runs(t)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "MID_BASE_URL refuses plain http")
}

// The sandbox is asked, unless something says otherwise.
func TestAPI(t *testing.T) {
	got, options := settings{}.api("")
	assert.Equal(t, api{sandbox, []string{"mid.WithSandbox()"}}, got)
	assert.Equal(t, "mid.Client{"+mid.SandboxURL+"}", asked(t, options))
	got, options = settings{production: true}.api(mid.SandboxURL)
	assert.Equal(t, api{name: production}, got)
	assert.Equal(t, "mid.Client{"+mid.ProductionURL+"}", asked(t, options))
	for baseURL, want := range map[string]string{
		mid.SandboxURL + "/": sandbox, mid.ProductionURL: production, "https://inside.example.com/v1": "the API at MID_BASE_URL",
	} {
		got, options = settings{}.api(baseURL)
		assert.Equal(t, api{name: want}, got)
		assert.Empty(t, options)
	}
}

func asked(t *testing.T, options []mid.Option) string {
	t.Helper()
	client, err := mid.NewClient("id", "secret", options...)
	require.NoError(t, err)
	return fmt.Sprint(client)
}
