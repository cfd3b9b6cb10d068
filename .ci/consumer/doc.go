// Package consumer stands for the modules that use the SDK: it spells out every
// exported name with its exact type, so that a change that would break them
// does not compile here first. It is built by .ci/run, never run.
//
// A change of this package is a change of the exported API: it needs an entry
// in CHANGELOG.md and, unless it only adds a name, a new major version.
package consumer
