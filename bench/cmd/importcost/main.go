// Command importcost measures what importing a library costs a program.
//
// Each programs/NAME/main.go, which makes one call, gets a module of its own
// that requires what main.go imports, at the versions of this module's go.mod,
// and nothing else, so that no library pays for another's requirements. Names
// as arguments select programs.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// programs that import no peer come first, the least first.
var plain = []string{"empty", "raw", "mid"}

func main() {
	timed := flag.Bool("time", false, "also time a build with an empty build cache but for the standard library")
	most := flag.Float64("most", 0, "fail if mid's binary has more bytes than this many million; 0: don't")
	flag.Parse()
	if err := run(flag.Args(), *timed, *most); err != nil {
		fmt.Fprintln(os.Stderr, "importcost:", err)
		os.Exit(1)
	}
}

func run(names []string, timed bool, most float64) error {
	tmp, err := os.MkdirTemp("", "importcost")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	if len(names) == 0 {
		if names, err = programs(); err != nil {
			return err
		}
	}
	std := ""
	if timed {
		std = filepath.Join(tmp, "std")
		if _, err := build(".", std, "std"); err != nil {
			return err
		}
	}
	fmt.Println("| program | binary bytes | more than `raw` | packages | not std | neither std nor of an imported module | modules linked | modules in the graph | lines not std | build, CPU s |")
	fmt.Println("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	var floor int64
	for _, name := range names {
		c, err := measure(name, filepath.Join(tmp, name), std)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if name == "raw" {
			floor = c.bytes
		}
		over := ""
		if floor > 0 {
			over = fmt.Sprintf("%+d", c.bytes-floor)
		}
		fmt.Printf("| %s | %d | %s | %d | %d | %d | %d | %d | %d | %s |\n",
			name, c.bytes, over, c.packages, c.notStd, c.foreign, c.linked, c.graph, c.lines, c.cpu)
		if name == "mid" && most > 0 && float64(c.bytes) > most*1e6 {
			return fmt.Errorf("mid: the binary has %d bytes", c.bytes)
		}
	}
	return nil
}

func programs() ([]string, error) {
	mains, err := filepath.Glob("programs/*/main.go")
	var names []string
	for _, m := range mains {
		if name := filepath.Base(filepath.Dir(m)); !slices.Contains(plain, name) {
			names = append(names, name)
		}
	}
	return slices.Concat(plain, names), err
}

// cost is what one program pays.
type cost struct {
	bytes                     int64
	packages, notStd, foreign int
	linked, graph, lines      int
	cpu                       string
}

func measure(name, dir, std string) (c cost, err error) {
	imported, err := isolate(name, dir)
	if err != nil {
		return c, err
	}
	deps, err := list(dir, ".")
	if err != nil {
		return c, err
	}
	c.packages = len(deps)
	modules := map[string]bool{}
	for _, p := range deps {
		if p.Standard || p.Module == nil || p.Module.Main {
			continue
		}
		c.notStd++
		modules[p.Module.Path] = true
		if !slices.Contains(imported, p.Module.Path) {
			c.foreign++
		}
		for _, file := range p.GoFiles {
			source, err := os.ReadFile(filepath.Join(p.Dir, file))
			if err != nil {
				return c, err
			}
			c.lines += bytes.Count(source, []byte("\n"))
		}
	}
	c.linked = len(modules)
	graph, err := command(dir, "", "list", "-m", "all")
	if err != nil {
		return c, err
	}
	c.graph = bytes.Count(graph.output, []byte("\n")) - 1 // without its own

	cache := ""
	if std != "" {
		cache = filepath.Join(dir, "cache")
		if err := os.CopyFS(cache, os.DirFS(std)); err != nil {
			return c, err
		}
	}
	built, err := build(dir, cache, "-o", "program", ".")
	if err != nil {
		return c, err
	}
	if std != "" {
		c.cpu = strconv.FormatFloat(built.cpu.Seconds(), 'f', 1, 64)
	}
	info, err := os.Stat(filepath.Join(dir, "program"))
	if err != nil {
		return c, err
	}
	c.bytes = info.Size()
	return c, nil
}

// isolate makes a module of one program in dir and returns the paths of the
// modules that it imports.
func isolate(name, dir string) ([]string, error) {
	here := filepath.Join("programs", name)
	if err := os.CopyFS(dir, os.DirFS(here)); err != nil {
		return nil, err
	}
	deps, err := list(".", "./"+here)
	if err != nil {
		return nil, err
	}
	var paths []string
	var mod strings.Builder
	mod.WriteString("module program\n\ngo 1.26.0\n")
	program := deps[len(deps)-1]
	for _, p := range deps {
		m := p.Module
		if m == nil || m.Main || !slices.Contains(program.Imports, p.ImportPath) || slices.Contains(paths, m.Path) {
			continue
		}
		paths = append(paths, m.Path)
		fmt.Fprintf(&mod, "\nrequire %s %s\n", m.Path, m.Version)
		if m.Replace != nil {
			fmt.Fprintf(&mod, "\nreplace %s => %s\n", m.Path, m.Replace.Dir)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod.String()), 0o644); err != nil {
		return nil, err
	}
	_, err = command(dir, "", "mod", "tidy")
	return paths, err
}

type listed struct {
	ImportPath, Dir  string
	Standard         bool
	GoFiles, Imports []string
	Module           *module
}

type module struct {
	Path, Version, Dir string
	Main               bool
	Replace            *module
}

// list returns a package, which comes last, and all that it needs.
func list(dir, pkg string) ([]listed, error) {
	out, err := command(dir, "", "list", "-deps", "-json=ImportPath,Dir,Standard,GoFiles,Imports,Module", pkg)
	if err != nil {
		return nil, err
	}
	var all []listed
	decoder := json.NewDecoder(bytes.NewReader(out.output))
	for {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
}

func build(dir, cache string, args ...string) (result, error) {
	return command(dir, cache, append([]string{"build", "-trimpath", "-ldflags=-s -w"}, args...)...)
}

type result struct {
	output []byte
	cpu    time.Duration // that of the compilers and the linker included
}

func command(dir, cache string, args ...string) (result, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
	if cache != "" {
		abs, err := filepath.Abs(cache)
		if err != nil {
			return result{}, err
		}
		cmd.Env = append(cmd.Env, "GOCACHE="+abs)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return result{}, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return result{out, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}, nil
}
