// Package midtest is a fake MID server for tests: the whole API with real
// state, without network, accounts or phones.
//
// [NewServer] starts one and [Server.Client] returns a client of it. To the
// code under test that is MID: tokens expire, the quota is counted, requests
// are checked as strictly as the contract says, sessions expire after five
// minutes, QR codes can be scanned, and events are signed and delivered until
// they are acknowledged.
//
//	srv := midtest.NewServer()
//	defer srv.Close()
//	app := shop.New(srv.Client())
//
// The test plays everyone else.
//
// # The users
//
// [Server.Scan], [Server.Approve] and [Server.Reject] are the phone;
// [Server.UpdateChecks] and [Server.CompleteVerification] are the verifier;
// [Server.Sign] and [Server.Decline] are the signers; [Server.Expire] is time.
// A test that does not know the ids finds them with [Server.AuthSessions],
// [Server.Verifications] and [Server.SigningSessions]. [WithAutoComplete] plays
// all of the users, where it does not matter what each of them does.
//
// # The network and the operators
//
// [Server.Inject] makes coming requests fail: with a status, slowly, half-way
// or without an answer. [WithPlan] and [WithQuota] limit requests as a plan's
// bucket or in fixed windows. [Server.SetQuota] and [Server.RevokeTokens] take
// away what the client counted on.
//
// # The witness
//
// [Server.Requests] and [Server.TokenRequests] report what the code under test
// sent, and [Server.Events] what it was sent, as often as it took.
// [Server.IdentityDocuments] and [Server.SigningDocuments] list what it
// uploaded. The logs keep the newest 10,000 entries, in no more than 32 MiB
// each: the oldest lose their bodies first, and are forgotten if that is not
// enough.
//
// # Webhooks
//
// An event goes to the callback URL that its session or verification was
// created with, wherever that is. [Server.HandleCallbacks] takes all of them to
// a handler in the test instead, and [Server.Redeliver] sends one again, for
// tests of duplicates. [Server.Client] verifies them: its client knows the
// server's webhook secret.
//
// # Other spellings
//
// [WithFieldNames] and [WithEnvelope] have the server speak as the vendor's other
// pages do, in camelCase and with another envelope, for tests of code that must
// read either.
//
// # Demonstrations
//
// [WithListener] serves at an address of your choice, and [Server.HandlePages]
// serves pages beside the API, which may drive the server as a test does. The program cmd/mid-mock is both, ready to run.
//
// # Conformance
//
// [TestEventStore], [TestTokenCache], [TestLimiter] and [TestNotifier] test an
// application's own implementation of an interface of package mid against what
// its documentation promises. They take a function that returns one:
//
//	func TestStore(t *testing.T) {
//		midtest.TestEventStore(t, func(t *testing.T) mid.EventStore {
//			return mystore.New(openDatabase(t))
//		})
//	}
//
// A real database will do, and one that other tests use: ids are unique. They
// take a few seconds, because leases and pauses pass in real time.
//
// # Time
//
// The server has no clock of its own. With [WithInMemory] it runs in a bubble
// of [testing/synctest], where waiting takes no time:
//
//	synctest.Test(t, func(t *testing.T) {
//		srv := midtest.NewServer(midtest.WithInMemory())
//		defer srv.Close()
//		session, err := srv.Client().Authentication.CreateSession(…)
//		time.Sleep(5 * time.Minute)
//		// The session has expired.
//	})
//
// If the test fails with "deadlock: main bubble goroutine has exited but
// blocked goroutines remain", something still runs as the bubble ends: a server
// that was not closed, or the fetch of a token for a call that failed by its
// context. End the test with time.Sleep(time.Minute) for the latter.
package midtest
