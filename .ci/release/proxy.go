package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// proxy serves the released modules from files, as the tags will have them. Other
// modules come from the module cache, or from where the machine has them.
type proxy struct {
	dir     string
	version string
	env     []string
}

func newProxy(ctx context.Context, root, dir, version string) (*proxy, error) {
	cache, err := output(ctx, root, "go", "env", "GOMODCACHE")
	if err != nil {
		return nil, err
	}
	upstream, err := output(ctx, root, "go", "env", "GOPROXY")
	if err != nil {
		return nil, err
	}
	p := &proxy{dir: dir, version: version, env: []string{
		"GOPROXY=file://" + dir + ",file://" + filepath.Join(cache, "cache", "download") + "," + upstream,
		"GONOSUMDB=" + modulePath, "GONOSUMCHECK=1", "GOFLAGS=-mod=mod -modcacherw", "GOWORK=off",
		"GOMODCACHE=" + filepath.Join(filepath.Dir(dir), "modules"),
	}}
	files, err := output(ctx, root, "git", "ls-files", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	if err := p.serve(modulePath, root, "", strings.Split(files, "\n")); err != nil {
		return nil, err
	}
	for _, nested := range nestedModules {
		if err := p.serve(modulePath+"/"+nested, root, nested+"/", strings.Split(files, "\n")); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// serve writes what the module proxy protocol has of one module.
func (p *proxy) serve(path, root, prefix string, files []string) (err error) {
	dir := filepath.Join(p.dir, filepath.FromSlash(path), "@v")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := json.Marshal(map[string]any{"Version": p.version, "Time": time.Now().UTC()})
	if err != nil {
		return err
	}
	mod, err := os.ReadFile(filepath.Join(root, prefix, "go.mod"))
	if err != nil {
		return err
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, p.version+".info"), info, 0o600),
		os.WriteFile(filepath.Join(dir, p.version+".mod"), mod, 0o600),
		os.WriteFile(filepath.Join(dir, "list"), []byte(p.version+"\n"), 0o600))
	if err != nil {
		return err
	}
	out, err := os.Create(filepath.Join(dir, p.version+".zip"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	return zip.Create(out, module.Version{Path: path, Version: p.version}, moduleFiles(root, prefix, files))
}

// moduleFiles are the files of the module in a folder, without those of the modules
// in it. Like the go command, a module without a licence of its own gets the root's.
func moduleFiles(root, prefix string, files []string) (list []zip.File) {
	var others []string
	for _, f := range files {
		if dir, ok := strings.CutSuffix(f, "go.mod"); ok && dir != prefix && strings.HasPrefix(dir, prefix) {
			others = append(others, dir)
		}
	}
	licence := prefix == ""
next:
	for _, f := range files {
		rest, ok := strings.CutPrefix(f, prefix)
		if !ok {
			continue
		}
		for _, other := range others {
			if strings.HasPrefix(f, other) {
				continue next
			}
		}
		licence = licence || rest == "LICENSE"
		list = append(list, file{name: rest, path: filepath.Join(root, filepath.FromSlash(f))})
	}
	if !licence {
		list = append(list, file{name: "LICENSE", path: filepath.Join(root, "LICENSE")})
	}
	return list
}

// tryConsumer builds and tests a module that requires the released ones as any user
// does.
func (p *proxy) tryConsumer(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, text := range consumer(p.version) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	for _, args := range [][]string{{"mod", "tidy"}, {"vet", "./..."}, {"test", "./..."}} {
		if _, err := outputEnv(ctx, dir, p.env, "go", args...); err != nil {
			return fmt.Errorf("a fresh consumer: %w", err)
		}
	}
	fmt.Println("release: a fresh consumer of", strings.Join(append([]string{"the root"}, nestedModules...), ", "), "builds and runs")
	return nil
}

// tryCommands installs what users install, and runs it.
func (p *proxy) tryCommands(ctx context.Context, bin string) error {
	for _, command := range commands {
		if _, err := outputEnv(ctx, os.TempDir(), append(p.env, "GOBIN="+bin, "GOFLAGS=-modcacherw"), "go", "install", modulePath+"/"+command+"@"+p.version); err != nil {
			return err
		}
		// The flag package writes its help to standard error and exits with 0 or 2.
		if _, err := output(ctx, bin, filepath.Join(bin, filepath.Base(command)), "-h"); err != nil && !strings.Contains(err.Error(), "Usage") {
			return err
		}
		fmt.Printf("release: go install %s/%s@%s runs\n", modulePath, command, p.version)
	}
	return nil
}
