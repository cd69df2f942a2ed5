// What boot/README.md's table "From Go to here" says, line by line: it compiles and does the same.
// PROCS: 1 2
// TIMEOUT: 20
// STDOUT: go 1
// STDOUT: make 0 3
// STDOUT: recv 7 true
// STDOUT: closed 0 false
// STDOUT: range 0 1 2
// STDOUT: views 5
// STDOUT: select recv 8
// STDOUT: select send
// STDOUT: select default
// STDOUT: recovered boom
// STDOUT: deferred
// STDOUT: locked 1
// STDOUT: slept true
// STDOUT: after true
// STDOUT: memory 3 0 4
// STDOUT: args 1
// STDOUT: file true
// STDOUT: notified true
// STDOUT: procs true
// STDOUT: blocked 9
#include <boot/boot.h>

#include <chrono>
#include <mutex>
#include <string>

using namespace std::chrono_literals;

namespace {

struct Point {
  int x, y;
};

void first(boot::chan<int> c, int x) { c.send(x); }

void channels() {
  auto done = boot::make_chan<int>();
  boot::go(first, done, 1);
  boot::println("go {}", done.recv());
  auto c = boot::make_chan<int>(3);
  boot::println("make {} {}", c.len(), c.cap());
  c.send(7);
  auto [v, ok] = c.recv_ok();
  boot::println("recv {} {}", v, ok);
  c.close();
  auto [w, still] = c.recv_ok();
  boot::println("closed {} {}", w, still);
  auto three = boot::make_chan<int>(3);
  for (int i = 0; i < 3; i++) three.send(i);
  three.close();
  std::string all = "range";
  for (auto each : three) all += " " + std::to_string(each);
  boot::println("{}", all);
  auto both = boot::make_chan<int>(1);
  boot::send_chan<int> in = both;
  boot::recv_chan<int> out = both;
  in.send(5);
  boot::println("views {}", out.recv());
}

void choice() {
  auto a = boot::make_chan<int>(1), b = boot::make_chan<int>(1);
  auto once = [&] {
    boot::select(boot::on_recv(a, [&](int v) { boot::println("select recv {}", v); }),
                 boot::on_send(b, 1, [&] { boot::println("select send"); }),
                 boot::on_default([&] { boot::println("select default"); }));
  };
  a.send(8);
  b.send(0);
  once();  // only a has something
  b.recv();
  once();  // only b has room
  once();  // neither
}

void panics() {
  try {
    boot::defer d{[&] { boot::println("recovered boom"); }};
    boot::panic("boom");
  } catch (boot::Panic& p) {
    if (std::string(p.what()) == "boom") boot::println("deferred");
  }
}

}  // namespace

void main_main() {
  channels();
  choice();
  panics();
  boot::sync::Mutex mu;
  int n = 0;
  {
    std::lock_guard hold(mu);
    n++;
  }
  boot::println("locked {}", n);
  auto begin = boot::time::Now();
  boot::time::Sleep(10ms);
  boot::println("slept {}", boot::time::Since(begin) >= 10ms);
  boot::time::After(1ms).recv();
  boot::println("after {}", boot::time::Since(begin) >= 11ms);
  Point* p = boot::New<Point>(3, 0);
  boot::println("memory {} {} {}", p->x, p->y, boot::make_slice<int>(4).size());
  boot::println("args {}", boot::os::Args().size());
  boot::println("file {}", boot::os::ReadFile("/proc/self/stat").size() > 10);
  auto c = boot::make_chan<boot::os::Signal>(1);
  boot::os::signal::Notify(c, boot::os::Interrupt);
  boot::os::signal::Stop(c);
  boot::println("notified {}", c.len() == 0);
  runtime::Gosched();
  boot::println("procs {}", runtime::GOMAXPROCS(0) >= 1);
  boot::println("blocked {}", boot::blocking([&] { return 9; }));
}
