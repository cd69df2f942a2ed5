// RUN: %prog good
// CLAIMS: [C54]
// STDOUT: good
// Explicit memory: everything given back at random, and every kind of wrong free named (see badfree_*.run).
#include <boot/boot.h>

#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

static unsigned long state = 88172645463325252;
static unsigned long rnd() {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

struct Block {
  unsigned char* p;
  std::size_t n;
  unsigned char v;
};

static void good() {
  std::vector<Block> live;
  for (int i = 0; i < 200000; i++) {
    if (live.size() < 1000 || rnd() % 2 == 0) {
      std::size_t n = rnd() % 200 == 0 ? rnd() % 300000 : 1 + rnd() % (rnd() % 10 != 0 ? 300 : 30000);
      std::size_t align = rnd() % 16 == 0 ? std::size_t{16} << (rnd() % 11) : 16;
      bool zero = rnd() % 4 == 0;
      auto p = static_cast<unsigned char*>(zero         ? calloc(n, 1)
                                           : align > 16 ? aligned_alloc(align, (n + align - 1) & ~(align - 1))
                                                        : malloc(n));
      if (zero) align = 16;
      if (reinterpret_cast<std::uintptr_t>(p) % align != 0) boot::panic("alignment");
      for (std::size_t k = 0; zero && k < n; k++)
        if (p[k] != 0) boot::panic("calloc's memory is not zero");
      auto v = static_cast<unsigned char>(rnd());
      memset(p, v, n);
      live.push_back({p, n, v});
    } else {
      std::size_t k = rnd() % live.size();
      Block b = live[k];
      live[k] = live.back();
      live.pop_back();
      for (std::size_t j = 0; j < b.n; j++)
        if (b.p[j] != b.v) boot::panic("a block's contents changed");
      free(b.p);
    }
  }
  for (Block& b : live) free(b.p);
}

// The compiler warns of each of these frees, if it knows what it is.
static void (*volatile give)(void*) = free;

void main_main() {
  std::string_view what = boot::os::Args().size() > 1 ? boot::os::Args()[1] : "";
  static volatile long place[4];
  char* volatile p = static_cast<char*>(malloc(100));
  char* volatile q = p;
  if (what == "good") good();
  if (what == "double") give(p), give(q);
  if (what == "inside") give(p + 16);
  if (what == "foreign") give(const_cast<long*>(&place[2]));
  if (what == "large") {
    p = static_cast<char*>(malloc(1000000));
    q = p;
    give(p);
    give(q);
  }
  if (what == "passed") {  // freed, and freed again when the block has gone through another goroutine's hands
    auto c = boot::make_chan<char*>();
    boot::go([=] {
      char* r = c.recv();
      give(r);
      c.send(r);
    });
    c.send(p);
    give(c.recv());
  }
  boot::println("{}", what);
}
