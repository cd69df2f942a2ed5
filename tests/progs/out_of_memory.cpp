// RUN: ulimit -v 2000000; exec %prog heap
// CLAIMS: [C54]
// TIMEOUT: 60
// EXIT: 2
// STDERR-MATCH: ^runtime: out of memory: cannot allocate [0-9]+-byte block \([0-9]+ in use\)$
// STDERR-MATCH: ^fatal error: out of memory$
// When the address space is used up, the heap and the stacks say so in Go's words (see out_of_memory_stacks.run).
#include <boot/boot.h>

#include <new>
#include <string_view>

void main_main() {
  std::string_view what = boot::os::Args()[1];
  if (what == "new") {  // operator new reports it to the program
    try {
      for (;;) *static_cast<volatile char*>(::operator new(10 << 20)) = 1;
    } catch (std::bad_alloc& e) {
      boot::println("{}", e.what());
    }
    return;
  }
  auto c = boot::make_chan<int>();
  for (;;) {
    if (what == "stacks") boot::go([=] { c.recv(); });
    // A channel's buffer is garbage collected memory, and these are all kept alive by goroutines.
    if (what == "heap") {
      auto big = boot::make_chan<long>(1 << 20);
      boot::go([=] { big.recv(); });
    }
  }
}
