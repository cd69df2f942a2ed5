// select takes one of the ready cases at random, each as often as the others and independently of the last choice.
// The bounds are six standard deviations of the binomial distribution: a fair select misses them once in 10^8 runs.
// PROCS: 1 2
// REPEAT: 3
// STDOUT: fair
#include <boot/boot.h>

#include <array>
#include <cstdlib>

namespace {

bool near(int got, int expected, int deviation) { return std::abs(got - expected) <= 6 * deviation; }

// Two channels: how often each, and how often the choice changed.
bool two() {
  auto a = boot::make_chan<int>(1), b = boot::make_chan<int>(1);
  int na = 0, nb = 0, runs = 0, last = -1;
  auto count = [&](int& n, int which) {
    n++;
    if (last != which) runs++;
    last = which;
  };
  for (int i = 0; i < 10000; i++) {
    if (a.len() == 0) a.send(1);
    if (b.len() == 0) b.send(1);
    boot::select(boot::on_recv(a, [&] { count(na, 0); }), boot::on_recv(b, [&] { count(nb, 1); }));
  }
  return na + nb == 10000 && near(na, 5000, 50) && near(runs, 5000, 50);
}

bool five() {
  std::array<boot::chan<int>, 5> c;
  std::array<int, 5> n{};
  for (auto& x : c) {
    x = boot::make_chan<int>(1);
    x.send(1);
  }
  auto ran = [&](std::size_t i) {
    return [&, i] {
      n[i]++;
      c[i].send(1);
    };
  };
  for (int i = 0; i < 10000; i++) {
    std::size_t place =
        boot::select(boot::on_recv(c[0], ran(0)), boot::on_recv(c[1], ran(1)), boot::on_recv(c[2], ran(2)),
                     boot::on_recv(c[3], ran(3)), boot::on_recv(c[4], ran(4)));
    if (place >= 5) return false;
  }
  for (int x : n)
    if (!near(x, 2000, 40)) return false;
  return true;
}

// The same channel twice, and the select has to wait: each case as often as the other.
bool repeated() {
  auto c = boot::make_chan<int>();
  auto done = boot::make_chan<bool>();
  boot::go([=] {
    for (int i = 0; i < 10000; i++) c.send(i);
    done.send(true);
  });
  int first = 0;
  for (int i = 0; i < 10000; i++)
    if (boot::select(boot::on_recv(c), boot::on_recv(c)) == 0) first++;
  done.recv();
  return near(first, 5000, 50);
}

}  // namespace

void main_main() {
  if (!two())
    boot::println("two channels: not fair");
  else if (!five())
    boot::println("five channels: not fair");
  else if (!repeated())
    boot::println("one channel twice: not fair");
  else
    boot::println("fair");
}
