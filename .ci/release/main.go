// Release checks that the tree can be released, and tags it:
//
//	go run .        # a dry run: all checks, and nothing is changed
//	go run . -tag   # then makes the tags, and prints how to push them
//
// docs/release.md says what a release is.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

const modulePath = "github.com/mobid-io/mid-go"

// nestedModules are the folders of the modules that are released with the root, all
// with its version. The others are not for users to import.
var nestedModules = []string{"midotel", "midredis", "midsql"}

// commands are what users install.
var commands = []string{"cmd/mid-mock", "cmd/mid-doctor"}

func main() {
	tag := flag.Bool("tag", false, "make the tags after the checks")
	sbom := flag.String("sbom", "", "`file` for the list of what the root is built of (CycloneDX), if it is wanted")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *tag, *sbom)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, tag bool, sbom string) error {
	root, err := output(ctx, ".", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	t := tree{root: root}
	version, err := t.check()
	if err != nil {
		return err
	}
	fmt.Println("release:", version)
	if tag {
		if err := t.clean(ctx, version); err != nil {
			return err
		}
	}
	work, err := os.MkdirTemp("", "mid-release-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	if err := compare(ctx, root, work); err != nil {
		return err
	}
	p, err := newProxy(ctx, root, filepath.Join(work, "proxy"), version)
	if err != nil {
		return err
	}
	if err := p.tryConsumer(ctx, filepath.Join(work, "consumer")); err != nil {
		return err
	}
	if err := p.tryCommands(ctx, filepath.Join(work, "bin")); err != nil {
		return err
	}
	if sbom != "" {
		if err := writeSBOM(ctx, root, version, sbom); err != nil {
			return err
		}
	}
	if !tag {
		fmt.Println("release: a dry run, nothing was changed")
		return nil
	}
	return makeTags(ctx, root, version)
}

// tagsOf are the tags of a version in the order in which they are pushed: the nested
// modules require the root.
func tagsOf(version string) []string {
	tags := []string{version}
	for _, dir := range nestedModules {
		tags = append(tags, dir+"/"+version)
	}
	return tags
}

func makeTags(ctx context.Context, root, version string) error {
	for _, tag := range tagsOf(version) {
		if _, err := output(ctx, root, "git", "tag", "-a", tag, "-m", tag); err != nil {
			return err
		}
	}
	fmt.Println("release: tagged. Push in this order:")
	for _, tag := range tagsOf(version) {
		fmt.Println("    git push origin", tag)
	}
	return nil
}

// output runs a command and returns what it prints, without the space around it.
func output(ctx context.Context, dir string, name string, args ...string) (string, error) {
	return outputEnv(ctx, dir, nil, name, args...)
}

func outputEnv(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out, errs.String())
	}
	return strings.TrimSpace(string(out)), nil
}
