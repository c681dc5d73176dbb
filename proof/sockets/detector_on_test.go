//go:build race

package sockets_test

// The race detector keeps shadow memory beside every byte.
const detectorFactor = 10
