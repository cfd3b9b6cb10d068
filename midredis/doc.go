// Package midredis makes the processes that use one MID account one client, by
// way of Redis.
package midredis
