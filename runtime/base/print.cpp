// Printing from inside the runtime (print.h).
//
// fmt formats through an output iterator of ours: it collects in a buffer on the stack and hands it to write(2) when the
// buffer is full and at the end. Only fmt's public interface is used, since what lies under it differs between versions.
// Way not taken: fmt::memory_buffer, which asks operator new for long texts, and the heap may be what is broken.
#include "runtime/base/print.h"

#include "runtime/base/atomic.h"
#include "runtime/base/stubs.h"
#include "runtime/base/syscall.h"

namespace runtime {

void (*writeErrHook)(const char* p, std::size_t n) = nullptr;

namespace {

constexpr int kEINTR = 4, kEAGAIN = 11;
constexpr int kMaxAgain = 100;  // polls of 10 ms: what a non-blocking descriptor 2 with a slow reader gets

void writeAll(const char* p, std::size_t n) {
  int again = 0;
  while (n > 0) {
    long r = syscall6(SYS_write, 2, reinterpret_cast<long>(p), static_cast<long>(n));
    if (r == -kEINTR) continue;
    if (r == -kEAGAIN && again++ < kMaxAgain) {
      struct {
        std::int32_t fd;
        std::int16_t events, revents;
      } pfd{2, 4 /* POLLOUT */, 0};
      syscall6(SYS_poll, reinterpret_cast<long>(&pfd), 1, 10);
      continue;
    }
    if (r <= 0) return;
    p += r;
    n -= static_cast<std::size_t>(r);
  }
}

struct errbuf {
  std::size_t n = 0;
  char buf[kPrintBuf];

  void flush() {
    writeErr(buf, n);
    n = 0;
  }
  void put(char c) {
    if (n == sizeof buf) flush();
    buf[n++] = c;
  }
};

// An output iterator over an errbuf; copies of it share the buffer.
struct errout {
  using iterator_category = std::output_iterator_tag;
  using value_type = void;
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = void;

  errbuf* b;

  errout& operator=(char c) {
    b->put(c);
    return *this;
  }
  errout& operator*() { return *this; }
  errout& operator++() { return *this; }
  errout operator++(int) { return *this; }
};

}  // namespace

void writeErr(const void* p, std::size_t n) {
  auto s = static_cast<const char*>(p);
  if (writeErrHook != nullptr) {
    writeErrHook(s, n);
    // Whoever took it may not live to show it.
    g* gp = getg();
    if (atomic::Load(&panicking) == 0 && gp != nullptr && gp->m->throwing == 0) return;
  }
  writeAll(s, n);
}

void vprintf(fmt::string_view f, fmt::format_args args) {
  errbuf b;
  fmt::vformat_to(errout{&b}, f, args);
  b.flush();
}

std::size_t vsnprint(char* buf, std::size_t n, fmt::string_view f, fmt::format_args args) {
  auto r = fmt::vformat_to_n(buf, n, f, args);
  return r.size < n ? r.size : n;
}

}  // namespace runtime
