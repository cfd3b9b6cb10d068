package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// tree is the checkout that is released.
type tree struct{ root string }

var (
	versionLine = regexp.MustCompile(`(?m)^const Version = "([^"]+)"$`)
	releaseLine = regexp.MustCompile(`(?m)^## \[([^\]]+)\] - (\S+)$`)
)

// check returns the version, with its v, if all places agree on it.
func (t tree) check() (string, error) {
	source, err := os.ReadFile(filepath.Join(t.root, "mid.go"))
	if err != nil {
		return "", err
	}
	changes, err := os.ReadFile(filepath.Join(t.root, "CHANGELOG.md"))
	if err != nil {
		return "", err
	}
	version, err := agreed(source, changes)
	if err != nil {
		return "", err
	}
	for _, dir := range append([]string{"."}, nestedModules...) {
		data, err := os.ReadFile(filepath.Join(t.root, dir, "go.mod"))
		if err != nil {
			return "", err
		}
		if err := checkModule(dir, data, version); err != nil {
			return "", err
		}
	}
	return version, nil
}

// agreed returns the version of mid.go if it is the newest of the changelog.
func agreed(source, changes []byte) (string, error) {
	constant, entry := versionLine.FindSubmatch(source), releaseLine.FindSubmatch(changes)
	if constant == nil || entry == nil {
		return "", errors.New("mid.go has no Version, or CHANGELOG.md has no entry like ## [1.2.3] - 2026-01-31")
	}
	if string(constant[1]) != string(entry[1]) {
		return "", fmt.Errorf("mid.go has the version %s, and the first of CHANGELOG.md is %s", constant[1], entry[1])
	}
	version := "v" + string(constant[1])
	if !semver.IsValid(version) || semver.Canonical(version) != version {
		return "", fmt.Errorf("%s is not a version like 1.2.3", constant[1])
	}
	return version, nil
}

// checkModule checks the go.mod of a released module. A consumer ignores what it
// replaces, so what it requires must be right by itself. The root must replace
// nothing, because its commands could not be installed.
func checkModule(dir string, data []byte, version string) error {
	file, err := modfile.Parse(dir+"/go.mod", data, nil)
	if err != nil {
		return err
	}
	if dir == "." {
		if len(file.Replace) > 0 {
			return errors.New("the root's go.mod replaces a module, and go install would refuse its commands")
		}
		return nil
	}
	required := false
	for _, r := range file.Require {
		if r.Mod.Path != modulePath && !isNested(r.Mod.Path) {
			continue
		}
		required = true
		if r.Mod.Version != version {
			return fmt.Errorf("%s/go.mod requires %s, want %s: go -C %s mod edit -require=%s@%s", dir, r.Mod, version, dir, r.Mod.Path, version)
		}
	}
	if !required {
		return fmt.Errorf("%s/go.mod does not require %s", dir, modulePath)
	}
	return nil
}

func isNested(path string) bool {
	for _, dir := range nestedModules {
		if path == modulePath+"/"+dir {
			return true
		}
	}
	return false
}

// clean checks what only a real release needs.
func (t tree) clean(ctx context.Context, version string) error {
	status, err := output(ctx, t.root, "git", "status", "--porcelain")
	if err != nil {
		return err
	}
	if status != "" {
		return fmt.Errorf("the tree has changes that are not committed:\n%s", status)
	}
	changes, err := os.ReadFile(filepath.Join(t.root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	if date := releaseLine.FindSubmatch(changes)[2]; string(date) == "unreleased" {
		return errors.New("CHANGELOG.md calls the version unreleased; put the date in its place")
	}
	for _, tag := range tagsOf(version) {
		if found, err := output(ctx, t.root, "git", "tag", "--list", tag); err != nil || found != "" {
			return fmt.Errorf("the tag %s is there already (%w)", tag, err)
		}
	}
	return nil
}
