//go:build !race

package sockets_test

const detectorFactor = 1
