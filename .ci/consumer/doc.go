// Package consumer stands for the modules that use the SDK. It spells out every
// exported name with its exact type, so a change that would break those modules
// does not compile here. .ci/run builds it and never runs it.
//
// A change of this package is a change of the exported API. It needs an entry in
// CHANGELOG.md and, unless it only adds a name, a new major version.
package consumer
