// Goroutine ids: main is 1, and ids of goroutines that follow each other count up without gaps.
// PROCS: 1
// REPEAT: 5
// STDOUT: main 1, then 40 ids in a row
#include <boot/boot.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace {

int id() {  // "goroutine 7 [running]:..."
  std::vector<char> b(256);
  auto n = runtime::Stack(b, false);
  std::string s(b.data(), static_cast<std::size_t>(n));
  return std::atoi(s.c_str() + sizeof "goroutine");
}

}  // namespace

void main_main() {
  auto ch = boot::make_chan<int>();
  int me = id();
  int last = 0;
  for (int i = 0; i < 40; i++) {
    boot::go([=] { ch.send(id()); });
    int x = ch.recv();
    if (i != 0 && x != last + 1) boot::println("{} after {}", x, last);
    last = x;
  }
  boot::println("main {}, then 40 ids in a row", me);
}
