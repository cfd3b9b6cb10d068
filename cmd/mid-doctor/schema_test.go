package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go/internal/contract"
)

// TestSchemas holds what the doctor looks for to the contract: the names, the
// required ones and the inferred ones.
func TestSchemas(t *testing.T) {
	_, text, found := strings.Cut(string(contract.OpenAPI), "\n  schemas:\n")
	require.True(t, found)
	inContract := map[string]string{}
	for _, block := range regexp.MustCompile(`(?m)^    (?P<name>\w+):\n(?:(?:      .*)?\n)+`).FindAllStringSubmatch(text+"\n", -1) {
		inContract[block[1]] = block[0]
	}
	require.Greater(t, len(inContract), 20)

	schemas := []*schema{
		tokenAnswer, authSession, authenticationResult, identityDocument, verification, signingDocument, signingSession,
		eventBody, failureAnswer, successAnswer,
		successAnswer.inner("meta"), failureAnswer.inner("error"), signingSession.inner("signers"),
	}
	for _, s := range schemas {
		block := inContract[s.name]
		require.NotEmpty(t, block, s.name)
		var names, wanted, guessed []string
		for _, p := range s.fields {
			names = append(names, p.name)
			if p.required {
				wanted = append(wanted, p.name)
			}
			if p.inferred {
				guessed = append(guessed, p.name)
			}
		}
		_, properties, _ := strings.Cut(block, "      properties:\n")
		var fields, ofFields []string
		for _, m := range regexp.MustCompile(`(?m)^        (\w+):(.*\n(?:         .*\n)*)`).FindAllStringSubmatch(properties, -1) {
			fields = append(fields, m[1])
			if strings.Contains(block, "\n      x-source: inferred\n") || regexp.MustCompile(`(?m)x-source: inferred\}?$`).MatchString(m[2]) {
				ofFields = append(ofFields, m[1])
			}
		}
		required := regexp.MustCompile(`(?m)^      required: \[(.*)\]$`).FindStringSubmatch(block)
		var needed []string
		if required != nil {
			needed = strings.Split(required[1], ", ")
		}
		assert.ElementsMatch(t, fields, names, s.name)
		assert.ElementsMatch(t, needed, wanted, s.name)
		assert.ElementsMatch(t, ofFields, guessed, s.name)
		delete(inContract, s.name)
	}
	for name := range inContract {
		answers := strings.HasSuffix(name, "Response") || strings.HasSuffix(name, "Request") || name == "Metadata"
		assert.True(t, answers, "%s is not looked at", name)
	}
	known := slices.Collect(maps.Keys(required))
	assert.Subset(t, known, slices.Collect(maps.Keys(inferred)), "each inferred schema is one that is looked at")
}

func (s *schema) inner(name string) *schema {
	return s.fields[slices.IndexFunc(s.fields, partNamed(name))].object
}
