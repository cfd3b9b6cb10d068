package main

import (
	"strings"
	"testing"
)

func TestAgreed(t *testing.T) {
	const source = "package mid\n\nconst Version = \"1.2.0\"\n"
	for name, tt := range map[string]struct{ changes, want, err string }{
		"agree":        {"# Changelog\n\n## [1.2.0] - 2026-01-31\n\n## [1.1.0] - 2025-01-31\n", "v1.2.0", ""},
		"unreleased":   {"## [1.2.0] - unreleased\n", "v1.2.0", ""},
		"an older one": {"## [1.1.0] - 2026-01-31\n", "", "the version 1.2.0, and the first of CHANGELOG.md is 1.1.0"},
		"no entry":     {"# Changelog\n", "", "no entry"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := agreed([]byte(source), []byte(tt.changes))
			check(t, err, tt.err)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	_, err := agreed([]byte("const Version = \"1.2\"\n"), []byte("## [1.2] - unreleased\n"))
	check(t, err, "not a version")
}

func TestCheckModule(t *testing.T) {
	for name, tt := range map[string]struct{ dir, mod, err string }{
		"right":              {"midsql", "module x\nrequire github.com/mobid-io/mid-go v1.2.0\nreplace github.com/mobid-io/mid-go => ../\n", ""},
		"another version":    {"midsql", "module x\nrequire github.com/mobid-io/mid-go v1.1.0\n", "want v1.2.0: go -C midsql mod edit"},
		"another module's":   {"midsql", "module x\nrequire github.com/mobid-io/mid-go v1.2.0\nrequire github.com/mobid-io/mid-go/midredis v1.1.0\n", "midredis"},
		"nothing required":   {"midsql", "module x\n", "does not require"},
		"the root":           {".", "module github.com/mobid-io/mid-go\n", ""},
		"a root's replace":   {".", "module github.com/mobid-io/mid-go\nreplace a.example/b => ../b\n", "go install"},
		"what is not a file": {"midsql", "modul x\n", "midsql/go.mod"},
	} {
		t.Run(name, func(t *testing.T) {
			check(t, checkModule(tt.dir, []byte(tt.mod), "v1.2.0"), tt.err)
		})
	}
}

// The nested modules require the root, so that its tag must be there first.
func TestRootIsTaggedFirst(t *testing.T) {
	tags := tagsOf("v1.2.0")
	if tags[0] != "v1.2.0" || len(tags) != 1+len(nestedModules) {
		t.Error(tags)
	}
	for i, dir := range nestedModules {
		if tags[i+1] != dir+"/v1.2.0" {
			t.Error(tags)
		}
	}
}

func TestModuleFiles(t *testing.T) {
	files := []string{"LICENSE", "go.mod", "mid.go", "midsql/go.mod", "midsql/store.go", "midsql/deep/go.mod", "midsql/deep/x.go", "cmd/x/main.go"}
	for prefix, want := range map[string]string{
		"":        "LICENSE go.mod mid.go cmd/x/main.go",
		"midsql/": "go.mod store.go LICENSE",
	} {
		var got []string
		for _, f := range moduleFiles("/root", prefix, files) {
			got = append(got, f.Path())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: got %v, want %s", prefix, got, want)
		}
	}
}

func TestNewBOM(t *testing.T) {
	b := newBOM("v1.2.0", "github.com/mobid-io/mid-go \na.example/b v0.1.0\n\na.example/b v0.1.0\nc.example/d v2.0.0\n")
	if len(b.Components) != 2 || b.Components[1].PURL != "pkg:golang/c.example/d@v2.0.0" || b.Metadata.Component.Version != "v1.2.0" {
		t.Errorf("%+v", b)
	}
}

func TestWithoutVersion(t *testing.T) {
	const version, other = "- Version: value changed from \"1.0.0\" to \"1.1.0\"", "- File: removed"
	for report, want := range map[string]string{"": "", version: "", version + "\n" + other: other, other: other} {
		if got := withoutVersion(report); got != want {
			t.Errorf("%q: got %q, want %q", report, got, want)
		}
	}
}

func check(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("the error is %v, want one with %q", err, want)
	}
}
