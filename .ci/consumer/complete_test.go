package consumer

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestComplete fails when the SDK exports a name that this package does not
// spell out, so that no name becomes API unnoticed.
func TestComplete(t *testing.T) {
	pinned := map[string]bool{
		// Through the interfaces of fmt, log/slog, encoding/json and errors.
		"Error": true, "Format": true, "LogValue": true, "MarshalJSON": true, "UnmarshalJSON": true, "MarshalText": true,
	}
	for _, file := range parse(t, "*.go") {
		ast.Inspect(file, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				pinned[id.Name] = true
			}
			return true
		})
	}
	for _, file := range parse(t, filepath.Join("..", "..", "*.go")) {
		for _, name := range exported(file) {
			if !pinned[name] {
				t.Errorf("mid exports %s, which .ci/consumer does not use", name)
			}
		}
	}
}

func parse(t *testing.T, pattern string) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: no files, %v", pattern, err)
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// exported returns the names that a file exports: of its declarations, and of
// the fields and methods of its exported types.
func exported(file *ast.File) (names []string) {
	ast.FileExports(file) // leaves the exported declarations, and of types what is exported
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt:
			return false
		case *ast.FuncDecl:
			if n.Recv == nil || ast.IsExported(receiver(n.Recv.List[0].Type)) {
				names = append(names, n.Name.Name)
			}
			return false
		case *ast.TypeSpec:
			names = append(names, n.Name.Name)
		case *ast.ValueSpec:
			for _, id := range n.Names {
				names = append(names, id.Name)
			}
		case *ast.StructType:
			names = append(names, members(n.Fields)...)
		case *ast.InterfaceType:
			names = append(names, members(n.Methods)...)
		}
		return true
	})
	return names
}

func receiver(typ ast.Expr) string {
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if id, ok := typ.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

func members(list *ast.FieldList) (names []string) {
	for _, field := range list.List {
		for _, id := range field.Names {
			names = append(names, id.Name)
		}
	}
	return names
}
