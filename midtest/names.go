package midtest

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/mobid-io/mid-go"
)

const metadataName = "metadata" // what is in it belongs to the caller

// spelled is a name of the contract, as it is spelled with these names.
func spelled(names mid.FieldNames, name string) string {
	if names == mid.CamelCase {
		return camelCase(name)
	}
	return name
}

// misspelled is the name in the other spelling, or empty if there is only one.
func misspelled(names mid.FieldNames, name string) string {
	camel := camelCase(name)
	switch {
	case camel == name:
		return ""
	case names == mid.CamelCase:
		return name
	}
	return camel
}

// camelCase turns document_front_id into documentFrontId.
func camelCase(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

// marshal is json.Marshal of what has the contract's names.
func marshal(names mid.FieldNames, v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil || names != mid.CamelCase {
		return text, err
	}
	tree, err := parse(text)
	if err != nil {
		return nil, err
	}
	return json.Marshal(renamed(tree))
}

// marshalResource is marshal of a resource. In camelCase its id is called after
// its kind, as the vendor's other pages have it.
func marshalResource(names mid.FieldNames, v any) (json.RawMessage, error) {
	text, err := marshal(names, v)
	alias := idName(v)
	if err != nil || names != mid.CamelCase || alias == "" {
		return text, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	members[alias] = members["id"]
	delete(members, "id")
	return json.Marshal(members)
}

// idName is what the vendor calls the id of a kind of resource.
func idName(resource any) string {
	switch resource.(type) {
	case mid.AuthSession:
		return "sessionId"
	case mid.Verification:
		return "verificationId"
	case mid.SigningSession:
		return "signatureRequestId"
	case mid.IdentityDocument, mid.SigningDocument:
		return "documentId"
	}
	return ""
}

// parse keeps numbers as they are written.
func parse(text []byte) (tree any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&tree)
	return tree, err
}

// renamed gives the members of all objects their names in camelCase, except in
// metadata.
func renamed(tree any) any {
	switch v := tree.(type) {
	case map[string]any:
		members := make(map[string]any, len(v))
		for name, member := range v {
			if name != metadataName {
				member = renamed(member)
			}
			members[camelCase(name)] = member
		}
		return members
	case []any:
		for i := range v {
			v[i] = renamed(v[i])
		}
	}
	return tree
}
