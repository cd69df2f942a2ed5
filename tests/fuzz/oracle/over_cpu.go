// Laid over package internal/cpu: what "cpu.NAME=on|off" asks for.
package cpu

func BootOracle(s string) string {
	saved := append([]option(nil), options...)
	features := make([]bool, len(options))
	for i := range options {
		features[i] = *options[i].Feature
		options[i].Specified, options[i].Enable = false, false
	}
	processOptions(s)
	out := ""
	for i, o := range options {
		if o.Specified && (o.Name == "avx2" || o.Name == "erms") {
			if out != "" {
				out += ","
			}
			out += o.Name
			if o.Enable {
				out += "=on"
			} else {
				out += "=off"
			}
		}
		*o.Feature = features[i]
	}
	copy(options, saved)
	if out == "" {
		return "-"
	}
	return out
}
