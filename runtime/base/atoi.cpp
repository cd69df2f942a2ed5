// See atoi.h. No locale, no errno, no whitespace: what is not plainly a number is not one.
#include "runtime/base/atoi.h"

namespace runtime {

bool atoi(std::string_view s, std::int64_t* out) {
  bool neg = !s.empty() && s[0] == '-';
  if (neg || (!s.empty() && s[0] == '+')) s.remove_prefix(1);
  if (s.empty()) return false;
  std::uint64_t un = 0;
  for (char c : s) {
    if (c < '0' || c > '9') return false;
    if (un > UINT64_MAX / 10) return false;
    std::uint64_t next = un * 10 + static_cast<std::uint64_t>(c - '0');
    if (next < un * 10) return false;
    un = next;
  }
  constexpr std::uint64_t kMax = INT64_MAX;
  if (un > kMax + (neg ? 1 : 0)) return false;
  *out = static_cast<std::int64_t>(neg ? 0 - un : un);
  return true;
}

bool atoi32(std::string_view s, std::int32_t* out) {
  std::int64_t n;
  if (!atoi(s, &n) || n != static_cast<std::int32_t>(n)) return false;
  *out = static_cast<std::int32_t>(n);
  return true;
}

bool atoi(const char* s, std::int64_t* out) { return s != nullptr && atoi(std::string_view(s), out); }
bool atoi32(const char* s, std::int32_t* out) { return s != nullptr && atoi32(std::string_view(s), out); }

}  // namespace runtime
