// Package midredis makes the processes that use one MID account one client, by
// way of Redis.
//
// Each of its types implements an interface of package mid for all processes that
// name the same account:
//
//   - [EventStore]: a webhook event is handled by one process.
//   - [Notifier]: a webhook that arrives at one process wakes the waits of all.
//   - [TokenCache]: one process fetches the access token for all.
//   - [Limiter]: the processes share the plan's quota, and what the server reports
//     to one of them holds for all.
//
// They share a Redis client, which may be of one node, of Sentinel or of a
// cluster:
//
//	rdb := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
//	store, err := midredis.NewEventStore(rdb, clientID)
//	notifier, err := midredis.NewNotifier(rdb, clientID)
//	tokens, err := midredis.NewTokenCache(rdb, clientID, clientSecret)
//	limiter, err := midredis.NewLimiter(rdb, clientID, mid.PlanStarter)
//
// # While Redis fails
//
// Redis may be slow, full, read-only, failing over or gone. Every command ends
// after half a second, or what [WithTimeout] says. Meanwhile webhooks are answered
// 503, so that MID delivers them again, and each process has a token of its own and
// its part of the plan's rate. Everything recovers by itself. With [WithLogger], the
// limiter and the token cache log when.
//
// # What Redis needs
//
// Redis 6.2 or later. The README lists the keys, and the rights of a user as an
// ACL line.
package midredis
