package midtest

import (
	"net/http"

	"github.com/mobid-io/mid-go"
)

// newRoutes is the contract: what each operation reads, does and answers.
func newRoutes(names mid.FieldNames, t *tokens, a *authSessions, v *verifications, g *signings) []route {
	const get, post = http.MethodGet, http.MethodPost
	return []route{
		{post, tokenPath, http.StatusOK, true, readJSON(mid.SnakeCase, t.create)},
		{post, "/auth/sessions", http.StatusCreated, false, readJSON(names, a.create)},
		{get, "/auth/sessions/{id}", http.StatusOK, false, readID(a.get)},
		{post, "/auth/verify", http.StatusOK, false, readJSON(names, a.verify)},
		{post, "/identity/documents", http.StatusCreated, false, readForm(identityForm, v.storeDocument)},
		{post, "/identity/verify", http.StatusAccepted, false, readJSON(names, v.create)},
		{get, "/identity/verifications/{id}", http.StatusOK, false, readID(v.get)},
		{post, "/signing/documents", http.StatusCreated, false, readForm(signingForm, g.storeDocument)},
		{post, "/signing/sessions", http.StatusCreated, false, readJSON(names, g.create)},
		{get, "/signing/sessions/{id}", http.StatusOK, false, readID(g.get)},
	}
}
