// Asks Go what it makes of texts in the environment and in a control group's files. Each line of its output, env.txt,
// is a kind, a text, and Go's answer; env_test.cpp and the fuzz targets' driver hold ours against it. In a text, what is
// not plain ASCII is %XX; a text begins with a quote.
//
// The functions asked are inside Go's runtime, so the two files beside this one are laid over its packages. make.py does it.
package main

import (
	"fmt"
	"internal/cpu"
	"internal/runtime/cgroup"
	"math/rand"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		if c := s[i]; c > ' ' && c < 0x7f && c != '%' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

var rnd = rand.New(rand.NewSource(1))

func pick(list []string) string { return list[rnd.Intn(len(list))] }

// A number near a border, a random one, or something like a number.
func number() string {
	borders := []string{"0", "1", "4", "100", "2147483647", "2147483648", "4294967295", "4294967296", "9007199254740992",
		"8589934591", "8589934592", "8388607", "8388608", "9223372036854775807", "9223372036854775808", "18446744073709551615",
		"18446744073709551616", "20496382327982653440", "99999999999999999999", "00000000000000000000000000012"}
	s := pick(borders)
	switch rnd.Intn(4) {
	case 0:
		s = fmt.Sprint(rnd.Int63() >> rnd.Intn(63))
	case 1:
		s = fmt.Sprint(rnd.Int31() >> rnd.Intn(31))
	}
	switch rnd.Intn(8) {
	case 0:
		s = "-" + s
	case 1:
		s = "+" + s
	}
	return s
}

// Sometimes spoils a text by one byte.
func spoil(s string) string {
	if rnd.Intn(4) != 0 {
		return s
	}
	i := rnd.Intn(len(s) + 1)
	bad := []string{"-", "+", "_", " ", "x", "0", "B", "i", "K", "\xd9\xa3", ".", "e", "\t", ":", "/", "cpu", ","}
	switch {
	case rnd.Intn(3) == 0 && i < len(s):
		return s[:i] + s[i+1:]
	case rnd.Intn(2) == 0 && i < len(s):
		return s[:i] + pick(bad) + s[i+1:]
	}
	return s[:i] + pick(bad) + s[i:]
}

var names = []string{"asyncpreemptoff", "clobberfree", "dontfreezetheworld", "gccheckmark", "gcstoptheworld", "gctrace",
	"inittrace", "invalidptr", "madvdontneed", "scavtrace", "scheddetail", "schedtrace", "tracebackancestors"}

func godebug() string {
	var f []string
	for n := rnd.Intn(5); n >= 0; n-- {
		switch rnd.Intn(6) {
		case 0:
			f = append(f, spoil(pick([]string{"", "=", "gctrace", "gctrace=", "=1", "gctrace==1", "nosuchname=1", "gctrace=1=2"})))
		default:
			f = append(f, spoil(pick(names)+"="+number()))
		}
	}
	return strings.Join(f, ",")
}

func cpuOptions() string {
	var f []string
	for n := rnd.Intn(4); n >= 0; n-- {
		f = append(f, spoil("cpu."+pick([]string{"avx2", "erms", "all", "nosuch", ""})+"="+pick([]string{"on", "off", "on", "off", "ON", ""})))
	}
	return strings.Join(f, ",")
}

func selfFile() string {
	s := ""
	for n := rnd.Intn(4); n >= 0; n-- {
		path := pick([]string{"/", "/a", "/a/b c", "/docker/0123456789abcdef", "/a:b", "/../x", "/cpu"})
		line := pick([]string{"0::", "0::", "4:cpu,cpuacct:", "3:cpuset:", "7:cpuacct,cpu:", "1:name=systemd:", "2:cpu:", "12:memory:"}) + path
		if rnd.Intn(10) == 0 {
			line = spoil(line)
		}
		s += line + "\n"
	}
	if rnd.Intn(10) == 0 {
		s = spoil(s)
	}
	return s
}

func unique(n int, fixed []string, make func() string) []string {
	seen := map[string]bool{}
	var out []string
	add := func(s string) {
		if !seen[s] && strings.IndexByte(s, 0) < 0 {
			seen[s] = true
			out = append(out, s)
		}
	}
	for _, s := range fixed {
		add(s)
	}
	for len(out) < n {
		add(make())
	}
	return out
}

func main() {
	debug.SetGCPercent(-1)
	out, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	say := func(kind, s, answer string) { fmt.Fprintln(out, kind, quote(s), answer) }
	fmt.Fprintln(out, "# made by tests/fuzz/oracle/make.py with", runtime.Version())

	odd := []string{"", "-", "+", "+1", "-0", "+0", "--1", "+-1", " 1", "1 ", "0x10", "1_000", "1.0", "1e3", "off", "Off", "OFF", "on"}
	for _, kind := range []string{"GOMAXPROCS", "GOGC"} {
		for _, s := range unique(250, odd, func() string { return spoil(number()) }) {
			say(kind, s, runtime.BootOracle(kind, s))
		}
	}
	sizes := append(odd, "B", "iB", "KiB", "1B", "1iB", "1KiB", "-0KiB", "+1KiB", "1KB", "1K", "1kiB", "1PiB", "1EiB", "8388607TiB",
		"8388608TiB", "8589934591GiB", "8589934592GiB", "9223372036854775807B", "9223372036854775808B", "1 MiB", "1MiB ", "0B", "00TiB")
	for _, s := range unique(450, sizes, func() string { return spoil(number() + pick([]string{"", "", "B", "KiB", "MiB", "GiB", "TiB"})) }) {
		say("GOMEMLIMIT", s, runtime.BootOracle("GOMEMLIMIT", s))
	}
	levels := append(odd, "none", "single", "all", "system", "crash", "wer", "None", "all ", "crashed", "1073741823", "1073741824")
	for _, s := range unique(200, levels, func() string {
		return spoil(pick([]string{number(), number(), "none", "single", "all", "system", "crash"}))
	}) {
		say("GOTRACEBACK", s, runtime.BootOracle("GOTRACEBACK", s))
	}
	for _, s := range unique(500, []string{"", ",", ",,", "=", "gctrace=1", "gctrace=1,gctrace=2", "gctrace=2,gctrace=x",
		"gctrace=1,", ",gctrace=1", "gctrace=+1", "gctrace=-1", "GCTRACE=1", " gctrace=1", "gctrace =1", "gctrace= 1"}, godebug) {
		say("GODEBUG", s, runtime.BootOracle("GODEBUG", s))
	}
	for _, s := range unique(200, []string{"", "cpu.", "cpu.=on", "cpu.avx2=off,cpu.avx2=on", "cpu.all=off", "cpu.all=off,cpu.erms=on",
		"cpu.erms=on,cpu.all=off", "cpu.avx2", "cpu.avx2=", "xcpu.avx2=on", "CPU.avx2=on"}, cpuOptions) {
		say("cpu", s, cpu.BootOracle(s))
	}
	for _, s := range unique(150, []string{"max 100000\n", "200000 100000\n", "200000 100000", "max", "max\n", "", "\n", " \n", "maxx 1\n"}, func() string {
		return spoil(pick([]string{"max", number(), number(), number()}) + " " + pick([]string{"100000", number()}) + "\n")
	}) {
		say("cpu.max", s, cgroup.BootOracle("cpu.max", s))
	}
	for _, s := range unique(100, []string{"-1\n", "100000\n", "100000", "", "\n", "1 \n"}, func() string { return spoil(number() + "\n") }) {
		say("cfs", s, cgroup.BootOracle("cfs", s))
	}
	for _, s := range unique(200, []string{"", "\n", "0::/\n", "0::/a", "0:cpu:/a\n", "4:cpu:/a\n0::/b\n", "0::/b\n4:cpu:/a\n", "4:cpu:/a\n5:cpu:/b\n",
		"0::/a\n0::/b\n", "x\n0::/a\n", "0::a\n", "4:cpu:a\n0::/b\n", "4:xcpu,cpux:/a\n"}, selfFile) {
		say("self", s, cgroup.BootOracle("self", s))
	}
	if err := out.Close(); err != nil {
		panic(err)
	}
}
