package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// bom is a list of components as CycloneDX 1.6 has it.
type bom struct {
	Format      string      `json:"bomFormat"`
	SpecVersion string      `json:"specVersion"`
	Version     int         `json:"version"`
	Metadata    metadata    `json:"metadata"`
	Components  []component `json:"components"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl"`
}

func newComponent(path, version string) component {
	return component{Type: "library", Name: path, Version: version, PURL: "pkg:golang/" + path + "@" + version}
}

// writeSBOM lists the modules that a program with the root is linked with.
func writeSBOM(ctx context.Context, root, version, name string) error {
	list, err := outputEnv(ctx, root, []string{"GOWORK=off"}, "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", "./...")
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(newBOM(version, list), "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(name, append(data, '\n'), 0o600); err != nil {
		return err
	}
	fmt.Println("release: wrote", name)
	return nil
}

// newBOM is made of lines that have a module's path and its version. The root itself
// has no version there.
func newBOM(version, list string) bom {
	b := bom{Format: "CycloneDX", SpecVersion: "1.6", Version: 1, Metadata: metadata{newComponent(modulePath, version)}, Components: []component{}}
	seen := map[string]bool{}
	for line := range strings.Lines(list) {
		path, version, ok := strings.Cut(strings.TrimSpace(line), " ")
		if ok && !seen[path] {
			seen[path] = true
			b.Components = append(b.Components, newComponent(path, version))
		}
	}
	return b
}
