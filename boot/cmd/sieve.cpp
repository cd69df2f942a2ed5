// sieve N: the first N primes, by a chain of goroutines. Each filters the multiples of one prime out of the stream of
// numbers that runs through the channels; what comes out at the end of the chain is the next prime.
#include <boot/boot.h>

#include <charconv>
#include <string>
#include <string_view>

namespace {

void generate(boot::chan<int> out) {
  for (int i = 2;; i++) out.send(i);
}

void filter(boot::chan<int> in, boot::chan<int> out, int prime) {
  for (;;) {
    int i = in.recv();
    if (i % prime != 0) out.send(i);
  }
}

[[noreturn]] void usage() {
  boot::eprintln("usage: sieve N    prints the first N primes (0 <= N <= 100000)");
  boot::os::Exit(2);
}

}  // namespace

void main_main() {
  auto args = boot::os::Args();
  if (args.size() != 2) usage();
  std::string_view s = args[1];
  int n = 0;
  auto [end, err] = std::from_chars(s.data(), s.data() + s.size(), n);
  if (err != std::errc() || end != s.data() + s.size() || n < 0 || n > 100000) {
    boot::eprintln("sieve: \"{}\" is not a number from 0 to 100000", s);
    boot::os::Exit(2);
  }
  auto ch = boot::make_chan<int>();
  boot::go(generate, ch);
  for (int i = 0; i < n; i++) {
    int prime = ch.recv();
    boot::println("{}", prime);
    auto next = boot::make_chan<int>();
    boot::go(filter, ch, next, prime);
    ch = next;
  }
}
