// Laid over package internal/runtime/cgroup: what its parsers make of a file.
package cgroup

import "internal/strconv"

func num(n int64) string { return string(strconv.AppendInt(nil, n, 10)) }

// Package variables: this package may not allocate.
var (
	rest    []byte
	out     [PathSize]byte
	scratch [ParseSize]byte
)

func read(fd int, b []byte) (int, uintptr) {
	n := copy(b, rest)
	rest = rest[n:]
	return n, 0
}

// CPUs, rounded up; 0 for less than one.
func cpus(limit float64) string {
	if limit > 1<<31-1 {
		return "2147483647"
	}
	if limit < 0 {
		return "negative"
	}
	n := int64(limit)
	if float64(n) < limit {
		n++
	}
	return num(n)
}

func BootOracle(kind, s string) string {
	switch kind {
	case "cpu.max":
		limit, ok, err := parseV2Limit([]byte(s))
		if err != nil {
			return "malformed"
		}
		if !ok {
			return "none"
		}
		return cpus(limit)
	case "cfs":
		n, err := parseV1Number([]byte(s))
		if err != nil {
			return "malformed"
		}
		return num(n)
	case "self":
		rest = []byte(s)
		n, version, err := parseCPUCgroup(0, read, out[:], scratch[:])
		if err == ErrNoCgroup {
			return "none"
		}
		if err != nil {
			return "malformed"
		}
		return "v" + num(int64(version)) + ":" + num(int64(n))
	}
	return "?"
}
