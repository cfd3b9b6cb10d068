package main

// The names of the checks. Those of operations are the names of [mid.Operation].
const (
	checkReach  = "reach"
	checkClock  = "clock"
	checkToken  = "token"
	checkLimits = "rate limits"

	opCreateAuthSession = "auth.sessions.create"
	opGetAuthSession    = "auth.sessions.get"
	opVerifyAuth        = "auth.verify"

	opUploadIdentityDocument = "identity.documents.upload"
	opStartVerification      = "identity.verifications.start"
	opGetVerification        = "identity.verifications.get"

	opUploadSigningDocument = "signing.documents.upload"
	opCreateSigningSession  = "signing.sessions.create"
	opGetSigningSession     = "signing.sessions.get"

	checkNotFound = "an unknown id"
	checkRefused  = "a wrong field"
	checkEvent    = "webhook event"
)

var (
	identityChecks = []string{opUploadIdentityDocument, opStartVerification, opGetVerification}
	signingChecks  = []string{opUploadSigningDocument, opCreateSigningSession, opGetSigningSession}
)
