// print, println to standard output, eprint, eprintln to standard error, with fmt's format strings.
//
// The format string is checked against the arguments at compile time. A call formats first and then makes one write, so
// lines of several goroutines do not mix (the kernel keeps a write to a pipe whole up to 4096 bytes). Nothing is
// buffered between calls: what was printed is out, also if the program dies in the next line.
#pragma once

#include <string_view>

#include <fmt/core.h>

namespace boot {

namespace detail {
// Formats, adds a newline if asked to, and writes it all to the descriptor; in print.cpp, so that a call in user code
// is only the packing of its arguments.
void vprint(int fd, bool newline, fmt::string_view f, fmt::format_args args);
}  // namespace detail

template <class... A>
inline void print(fmt::format_string<A...> f, A&&... a) {
  detail::vprint(1, false, f, fmt::make_format_args(a...));
}
template <class... A>
inline void println(fmt::format_string<A...> f, A&&... a) {
  detail::vprint(1, true, f, fmt::make_format_args(a...));
}
template <class... A>
inline void eprint(fmt::format_string<A...> f, A&&... a) {
  detail::vprint(2, false, f, fmt::make_format_args(a...));
}
template <class... A>
inline void eprintln(fmt::format_string<A...> f, A&&... a) {
  detail::vprint(2, true, f, fmt::make_format_args(a...));
}
inline void println() { detail::vprint(1, true, "", {}); }
inline void eprintln() { detail::vprint(2, true, "", {}); }

}  // namespace boot
