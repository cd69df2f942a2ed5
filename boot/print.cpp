// The formatting behind print and println.
//
// Invariants
//   - A line that fits the buffer on the goroutine's stack allocates nothing. A longer one is formatted twice, the second
//     time on the heap, where its length is known.
//   - An exception of a user's formatter leaves nothing written.
// Only fmt's core is used: its formatters are compiled once, in runtime/cxx/fmt_exc.cpp.
#include "boot/print.h"

#include <algorithm>
#include <memory>

#include "boot/os.h"

namespace boot::detail {

// The buffer is small: a goroutine's stack has room for it without growing.
constexpr std::size_t kLine = 512;

std::ptrdiff_t vprint(int fd, bool newline, fmt::string_view f, fmt::format_args args) {
  char line[kLine];
  std::unique_ptr<char[]> heap;
  char* p = line;
  std::size_t room = kLine - 1;  // one for the newline
  std::size_t n = fmt::vformat_to_n(p, room, f, args).size;
  if (n > room) {
    room = n;
    heap = std::make_unique_for_overwrite<char[]>(room + 1);
    p = heap.get();
    // Fewer or more if somebody changed an argument meanwhile.
    n = std::min(room, static_cast<std::size_t>(fmt::vformat_to_n(p, room, f, args).size));
  }
  if (newline) p[n++] = '\n';
  return os::Write(fd, p, n);
}

}  // namespace boot::detail
