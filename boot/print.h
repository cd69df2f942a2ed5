// print, println to standard output, eprint, eprintln to standard error, with fmt's format strings.
//
// The format string is checked against the arguments at compile time. A call formats first and then makes one write, so
// lines of several goroutines do not mix (the kernel keeps a write to a pipe whole up to 4096 bytes). Nothing is
// buffered between calls: what was printed is out, also if the program dies in the next line. A call returns how many
// bytes were written, or -errno; a standard output that nobody reads any more ends the program, as in Go (os::Write).
#pragma once

#include <cstddef>
#include <string_view>

#include <fmt/core.h>

namespace boot {

namespace detail {
// Formats, adds a newline if asked to, and writes it all to the descriptor; in print.cpp, so that a call in user code
// is only the packing of its arguments.
std::ptrdiff_t vprint(int fd, bool newline, fmt::string_view f, fmt::format_args args);
}  // namespace detail

template <class... A>
inline std::ptrdiff_t print(fmt::format_string<A...> f, A&&... a) {
  return detail::vprint(1, false, f, fmt::make_format_args(a...));
}
template <class... A>
inline std::ptrdiff_t println(fmt::format_string<A...> f, A&&... a) {
  return detail::vprint(1, true, f, fmt::make_format_args(a...));
}
template <class... A>
inline std::ptrdiff_t eprint(fmt::format_string<A...> f, A&&... a) {
  return detail::vprint(2, false, f, fmt::make_format_args(a...));
}
template <class... A>
inline std::ptrdiff_t eprintln(fmt::format_string<A...> f, A&&... a) {
  return detail::vprint(2, true, f, fmt::make_format_args(a...));
}
inline std::ptrdiff_t println() { return detail::vprint(1, true, "", {}); }
inline std::ptrdiff_t eprintln() { return detail::vprint(2, true, "", {}); }

}  // namespace boot
