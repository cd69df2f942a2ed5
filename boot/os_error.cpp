// The kernel's error numbers as text, and the exceptions that carry them.
//
// The texts are those that Go prints: C's with a small first letter. The table is our own, since a pure program has no
// libc to ask.
#include "boot/os.h"

namespace boot::os {

namespace {

struct errtext {
  int no;
  const char* text;
};
constexpr errtext kErrors[] = {
#define E(no, text) {no, text},
#include "runtime/cxx/errtexts.inc"
#undef E
};

std::string join(std::string_view a, std::string_view b, int err) {
  std::string s(a);
  if (!b.empty()) s.append(" ").append(b);
  return s.append(": ").append(Strerror(err));
}

}  // namespace

std::string Strerror(int err) {
  for (const errtext& e : kErrors) {
    if (e.no != err) continue;
    std::string s = e.text;
    bool acronym = s.size() > 1 && s[1] >= 'A' && s[1] <= 'Z';  // "RFS specific error"
    if (!acronym && s[0] >= 'A' && s[0] <= 'Z') s[0] = static_cast<char>(s[0] - 'A' + 'a');
    return s;
  }
  return "errno " + std::to_string(err);
}

SyscallError::SyscallError(std::string_view call, int e) : std::runtime_error(join(call, "", e)), err(e) {}
PathError::PathError(std::string_view op, std::string_view path, int e)
    : std::runtime_error(join(op, path, e)), err(e) {}

}  // namespace boot::os
