// GOMAXPROCS, GOGC, GOMEMLIMIT, GOTRACEBACK and GODEBUG, against readings that go by what the text looks like.
// SOURCES: runtime/os/envvars.cpp runtime/base/atoi.cpp
#include <map>

#include "runtime/os/envvars.h"
#include "tests/fuzz/fuzz.h"

using namespace runtime;

namespace {

using wide = __int128;
constexpr wide kNoNumber = static_cast<wide>(1) << 100, kHuge = static_cast<wide>(1) << 99;

// A sign or none, then digits; beyond all bounds it is kHuge.
wide number(std::string_view s) {
  bool neg = !s.empty() && s[0] == '-';
  if (neg || (!s.empty() && s[0] == '+')) s.remove_prefix(1);
  if (s.empty() || s.find_first_not_of("0123456789") != s.npos) return kNoNumber;
  wide v = 0;
  for (char c : s) v = v > kHuge / 16 ? kHuge : v * 10 + (c - '0');
  return neg ? -v : v;
}
bool in(wide v, wide lo, wide hi) { return v >= lo && v <= hi; }

bool endsWith(std::string_view s, std::string_view end) {
  return s.size() >= end.size() && s.substr(s.size() - end.size()) == end;
}

wide bytesOf(std::string_view s) {
  static constexpr std::pair<std::string_view, int> units[] = {
      {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}, {"B", 0}};
  for (auto [unit, shift] : units) {
    if (!endsWith(s, unit)) continue;
    wide v = number(s.substr(0, s.size() - unit.size()));
    return v == kNoNumber || v > INT64_MAX ? v : v * (static_cast<wide>(1) << shift);
  }
  return number(s);
}

}  // namespace

FUZZ(env) {
  int kind = in.get<std::uint8_t>() % 6;
  std::string s = in.text();
  wide v = number(s);
  switch (kind) {
    case 0:
      FUZZ_RULE(parseGOMAXPROCS(s.c_str()) == (::in(v, 1, INT32_MAX) ? v : 0));
      break;
    case 1:
      FUZZ_RULE(parseGOGC(s.c_str()) == (s == "off" ? -1 : ::in(v, INT32_MIN, INT32_MAX) ? v : 100));
      break;
    case 2: {
      std::int64_t got;
      bool ok = parseGOMEMLIMIT(s.c_str(), &got);
      wide want = s.empty() || s == "off" ? INT64_MAX : bytesOf(s);
      FUZZ_RULE(ok == ::in(want, 0, INT64_MAX));
      FUZZ_RULE(!ok || got == want);
      break;
    }
    case 3: {
      std::uint32_t t = parseGOTRACEBACK(s.c_str());
      static const std::map<std::string, std::uint32_t> words{{"", 4},    {"none", 0},    {"single", 4},
                                                              {"all", 6}, {"system", 10}, {"crash", 11}};
      auto w = words.find(s);
      std::uint32_t level = ::in(v, 0, UINT32_MAX) ? static_cast<std::uint32_t>(v) << 2 : 0;
      FUZZ_RULE(t == (w != words.end() ? w->second : level | 2));
      break;
    }
    case 4: {
      debugvars d{};
      constexpr std::int32_t kUnset = -12345;
      d.gctrace = kUnset;
      std::int32_t want = kUnset;
      eachGODEBUG(s, [&](std::string_view key, std::string_view value) {
        FUZZ_RULE(key.find(',') == key.npos && key.find('=') == key.npos && value.find(',') == value.npos);
        setDebugVar(&d, key, value);
      });
      // From the right: the last that is a number.
      for (std::string_view left = s; want == kUnset;) {
        std::size_t c = left.rfind(',');
        std::string_view field = c == left.npos ? left : left.substr(c + 1);
        if (field.substr(0, 8) == "gctrace=" && ::in(number(field.substr(8)), INT32_MIN, INT32_MAX))
          want = static_cast<std::int32_t>(number(field.substr(8)));
        if (c == left.npos) break;
        left = left.substr(0, c);
      }
      FUZZ_RULE(d.gctrace == want);
      break;
    }
    default: {
      cpuOption o[] = {{"avx2", nullptr, false, false}, {"erms", nullptr, false, false}};
      parseCPUOptions(s, o, 2, [](cpuComplaint, std::string_view name, std::string_view value) {
        FUZZ_RULE(name.find(',') == name.npos && value.find(',') == value.npos);
      });
      std::string_view last;
      for (std::string_view left = s;;) {
        std::size_t c = left.rfind(',');
        std::string_view field = c == left.npos ? left : left.substr(c + 1);
        for (std::string_view word : {"cpu.avx2=on", "cpu.avx2=off", "cpu.all=on", "cpu.all=off"})
          if (last.empty() && field == word) last = word;
        if (c == left.npos) break;
        left = left.substr(0, c);
      }
      FUZZ_RULE(o[0].specified == !last.empty());
      FUZZ_RULE(last.empty() || o[0].enable == endsWith(last, "=on"));
    }
  }
}
