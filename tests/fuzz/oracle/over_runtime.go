// Laid over package runtime: what its readers of the environment make of a text.
package runtime

import (
	"internal/strconv"
	"math"
)

func num(n int64) string { return string(strconv.AppendInt(nil, n, 10)) }

func BootOracle(kind, s string) string {
	saved := envs
	defer func() { envs = saved }()
	envs = []string{kind + "=" + s}
	switch kind {
	case "GOMAXPROCS": // schedinit's line
		if n, err := strconv.ParseInt(gogetenv("GOMAXPROCS"), 10, 32); err == nil && n > 0 {
			return num(n)
		}
		return "0"
	case "GOGC":
		return num(int64(readGOGC()))
	case "GOMEMLIMIT":
		if s != "" && s != "off" {
			if _, ok := parseByteCount(s); !ok {
				return "malformed"
			}
		}
		n := readGOMEMLIMIT()
		if n == math.MaxInt64 && (s == "" || s == "off") {
			return "none"
		}
		return num(n)
	case "GOTRACEBACK":
		cache, env := traceback_cache, traceback_env
		traceback_env = 0
		setTraceback(s)
		t := traceback_cache
		traceback_cache, traceback_env = cache, env
		return num(int64(t))
	case "GODEBUG":
		const unset = -77
		var old []int32
		for _, v := range dbgvars {
			if v.value != nil {
				old = append(old, *v.value)
				*v.value = unset
			}
		}
		rate := MemProfileRate
		parsegodebug(s, nil)
		MemProfileRate = rate
		var out string
		i := 0
		for _, v := range dbgvars {
			if v.value == nil {
				continue
			}
			if *v.value != unset {
				if out != "" {
					out += ","
				}
				out += v.name + "=" + num(int64(*v.value))
			}
			*v.value = old[i]
			i++
		}
		if out == "" {
			return "-"
		}
		return out
	}
	return "?"
}
