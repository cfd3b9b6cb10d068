// Package midweb signs people in to a web site by phone: a page shows a QR
// code, the phone approves, and the browser is signed in. A site mounts it as one
// handler.
//
//	signIn, err := midweb.New(client, midweb.Config{
//		Keys: [][]byte{key},
//		SignedIn: func(w http.ResponseWriter, r *http.Request, result *mid.AuthenticationResult) {
//			sessions.Begin(w, result.UserID) // the site's own
//		},
//		CallbackURL: "https://shop.example/mid/events",
//	})
//	if err != nil {
//		return err
//	}
//	mux.Handle("/signin/", signIn)
//	mux.Handle("POST /mid/events", client.Webhooks.Handler(mid.EventHandlers{}))
//	server.RegisterOnShutdown(signIn.Close)
//
// A link to /signin/?next=/orders brings people to the page, and to their
// orders once they are signed in. A form of the site's own that posts to
// /signin/ shows them the code at once.
//
// # Where it is mounted
//
// Any path that ends in a slash will do. Only the last part of the request's
// path counts, and all addresses in the pages are relative, so [http.StripPrefix]
// or a proxy may strip a prefix. The handler sets its own security headers and
// refuses posts of other sites.
//
// On a developer's machine, without TLS, set [Config].Origin to the page's
// origin, such as http://127.0.0.1:8080.
//
// # Several processes
//
// A browser carries its sign-in in a sealed cookie. Any process with the same Keys
// can therefore serve any of its requests, and nothing is lost when a process ends.
// While someone looks at a page, one poller of the process asks MID about the
// session. An event that reaches the client's Webhooks wakes it.
//
// Processes that share an account need two things in common: a
// [mid.WebhookConfig].Notifier, because the event may arrive at any of them, and a
// [Config].Store, because an approval must sign in only once among all.
//
// # Bounds
//
// Anyone may begin a sign-in, and each costs requests of the account's quota.
// [Brake] keeps strangers from using up the quota, and keeps room for people.
// Behind a proxy, set [Brake].TrustedProxies.
//
// # What a server can't close
//
// In QR-jacking, an attacker begins a sign-in and makes a victim approve the
// attacker's code, with a link, a poster, or a page that looks like the site's. No
// server sees the difference, because the approval is real. The page warns people.
// A site can do more:
//
//   - If it knows who signs in, because they have named themselves or confirm a
//     payment within a session, [Person].Recipient lets only that person's phone
//     approve. An attacker then has to go for one person at a time. Take the number
//     from the site's own records, never from the form.
//   - A number in [Person].Metadata, under [MetadataNumber], appears on the page,
//     and on the phone if the app shows metadata. It stops people who approve
//     without looking. It does not stop an attacker who shows the number too.
//   - What the app shows before the approval is the victim's last chance: the
//     site's name, and what Metadata says about the browser, such as its kind and
//     its city.
//   - SignedIn can ask for more when a known user comes from a new place.
//
// # Looks and languages
//
// [Config].Templates and [Config].Texts replace single templates and texts. The
// colours are custom properties of CSS, such as --accent. To change them, link a
// style sheet of the site's own in the template head. The page is in English or
// German, as the browser asks. A site that lets people choose a language sets the
// request's Accept-Language before this handler.
package midweb
