package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// compare has the exported API compared with that of the last release. Within a major
// version nothing may be taken away or changed.
func compare(ctx context.Context, root, work string) error {
	tags, err := output(ctx, root, "git", "tag", "--list", "v*", "--sort=-version:refname", "--merged")
	if err != nil {
		return err
	}
	last, _, _ := strings.Cut(tags, "\n")
	if !semver.IsValid(last) {
		fmt.Println("release: nothing was released before, so no API is compared")
		return nil
	}
	old := filepath.Join(work, "last")
	if _, err := output(ctx, root, "git", "worktree", "add", "--detach", old, last); err != nil {
		return err
	}
	defer func() { _, _ = output(context.WithoutCancel(ctx), root, "git", "worktree", "remove", "--force", old) }()
	for _, dir := range append([]string{"."}, nestedModules...) {
		if _, err := os.Stat(filepath.Join(old, dir, "go.mod")); err != nil {
			fmt.Println("release:", dir, "is new since", last)
			continue
		}
		report, err := differences(ctx, root, filepath.Join(old, dir), filepath.Join(root, dir), work)
		if err != nil {
			return err
		}
		if report != "" {
			return fmt.Errorf("the API of %s has changed since %s as no minor version may:\n%s", dir, last, report)
		}
	}
	fmt.Println("release: the API is compatible with", last)
	return nil
}

// differences returns what a new version of a module has changed in its API
// incompatibly. The command apidiff reports it in words only.
func differences(ctx context.Context, root, from, to, work string) (string, error) {
	apidiff := filepath.Join(work, "apidiff")
	if _, err := outputEnv(ctx, filepath.Join(root, ".ci", "release"), []string{"GOWORK=off"}, "go", "build", "-o", apidiff, "golang.org/x/exp/cmd/apidiff"); err != nil {
		return "", err
	}
	var exports []string
	for i, dir := range []string{from, to} {
		path, err := outputEnv(ctx, dir, []string{"GOWORK=off"}, "go", "list", "-m")
		if err != nil {
			return "", err
		}
		export := filepath.Join(work, fmt.Sprintf("%d.export", i))
		if _, err := outputEnv(ctx, dir, []string{"GOWORK=off"}, apidiff, "-m", "-w", export, path); err != nil {
			return "", err
		}
		exports = append(exports, export)
	}
	report, err := outputEnv(ctx, work, nil, apidiff, "-m", "-incompatible", exports[0], exports[1])
	return withoutVersion(report), err
}

// withoutVersion takes the line out that says that the constant Version has another
// value, as it must have.
func withoutVersion(report string) string {
	lines := slices.DeleteFunc(strings.Split(report, "\n"), func(line string) bool {
		return strings.HasPrefix(line, "- Version: value changed")
	})
	return strings.Join(lines, "\n")
}
