// More of who runs when (see sem_turns.cpp): Pool's order, RWMutex's Unlock, close with senders and with values under way,
// late timers, a locked main, pipelines. The expected lines are a Go 1.19 program's, the same in 15 of 15 runs at
// GOMAXPROCS=1.
// PROCS: 1
// REPEAT: 3
// SERIAL: it measures time
// STDOUT: pool: 0 4 3 2 1 nil
// STDOUT: procs same: 7 0 1 2 3 4 5 6
// STDOUT: rw unlock: u r0 r1 r2 r3 r4 w1 w0
// STDOUT: close senders: true2 true1 true0
// STDOUT: send then close: sent closed 1:0false 3:1true 0:2true 2:0false
// STDOUT: buffered wake: len0 1:3true 3:1true 0:2true 2:0false
// STDOUT: afterfunc late: 0 5 4 3 2 1
// STDOUT: sleep late: 0 5 4 3 2 1
// STDOUT: locked main: 3 0 1 2 main
// STDOUT: select send: c0 r0 r1 c1 c2 r2
// STDOUT: token: in3 out3 in3 out3 in0 out0 in0 out0 in1 out1 in1 out1 in2 out2 in2 out2
// STDOUT: pipeline: a0 b1 s0 s1 a1 a2 s2 b2 b3
// STDOUT: cond queue: put0 put1 put2 take1 take2 take0
// STDOUT: once waits: do2 did 2 0 1
// STDOUT: select after: x y z v1
#include <boot/boot.h>

#include "sem_out.h"

using namespace std::chrono_literals;

namespace {

void flush(const char* name) {
  out.pop_back();
  boot::println("{}: {}", name, out);
  out.clear();
}

void locks() {
  {
    boot::sync::Pool<int> p;
    int v[5] = {0, 1, 2, 3, 4};
    for (int& x : v) p.Put(&x);
    for (int i = 0; i < 6; i++) {
      int* x = p.Get();
      put("{} ", x == nullptr ? "nil" : std::to_string(*x));
    }
    flush("pool");
  }
  {
    each(8, [](int i) { put("{} ", i); });
    runtime::GOMAXPROCS(1);
    settle();
    flush("procs same");
  }
  {
    boot::sync::RWMutex mu;
    mu.Lock();
    each(5, [&](int i) {
      mu.RLock();
      put("r{} ", i);
      mu.RUnlock();
    });
    each(2, [&](int i) {
      mu.Lock();
      put("w{} ", i);
      mu.Unlock();
    });
    settle();
    mu.Unlock();
    put("u ");
    settle();
    settle();
    flush("rw unlock");
  }
}

void closes() {
  {
    auto c = boot::make_chan<int>();
    each(3, [=](int i) {
      bool panicked = false;
      try {
        c.send(i);
      } catch (boot::Panic&) {
        panicked = true;
      }
      put("{}{} ", panicked, i);
    });
    settle();
    c.close();
    settle();
    flush("close senders");
  }
  auto receive = [](boot::chan<int> c) {
    each(4, [=](int i) {
      auto [v, ok] = c.recv_ok();
      put("{}:{}{} ", i, v, ok);
    });
    settle();
  };
  {
    auto c = boot::make_chan<int>();
    receive(c);
    c.send(1);
    c.send(2);
    put("sent ");
    c.close();
    put("closed ");
    settle();
    flush("send then close");
  }
  {
    auto c = boot::make_chan<int>(3);
    receive(c);
    for (int i = 1; i <= 3; i++) c.send(i);
    put("len{} ", c.len());
    settle();
    c.close();
    settle();
    flush("buffered wake");
  }
}

void timers() {
  auto spin = [] {
    for (auto t = boot::time::Now(); boot::time::Since(t) < 8ms;) {}
    settle();
    settle();
  };
  for (int i = 0; i < 6; i++) boot::time::AfterFunc((6 - i) * 1ms, [i] { put("{} ", i); });
  spin();
  flush("afterfunc late");
  each(6, [](int i) {
    boot::time::Sleep((6 - i) * 1ms);
    put("{} ", i);
  });
  settle();
  spin();
  flush("sleep late");
}

void channels() {
  {
    runtime::LockOSThread();
    each(4, [](int i) { put("{} ", i); });
    runtime::Gosched();
    put("main ");
    settle();
    runtime::UnlockOSThread();
    flush("locked main");
  }
  {
    auto c = boot::make_chan<int>(), d = boot::make_chan<int>();
    boot::go([=] {
      for (int i = 0; i < 3; i++)
        boot::select(boot::on_send(c, i, [=] { put("c{} ", i); }), boot::on_send(d, i, [=] { put("d{} ", i); }));
      c.close();
    });
    for (int v : c) put("r{} ", v);
    flush("select send");
  }
  {
    boot::sync::WaitGroup wg;
    auto c = boot::make_chan<int>(1);
    wg.Add(4);
    each(4, [&](int i) {
      for (int k = 0; k < 2; k++) {
        c.send(i);
        put("in{} ", i);
        int v = c.recv();
        put("out{} ", v);
      }
      wg.Done();
    });
    wg.Wait();
    flush("token");
  }
  {
    auto a = boot::make_chan<int>(), b = boot::make_chan<int>();
    boot::go([=] {
      for (int v : a) {
        put("a{} ", v);
        b.send(v + 1);
      }
      b.close();
    });
    boot::go([=] {
      for (int i = 0; i < 3; i++) {
        a.send(i);
        put("s{} ", i);
      }
      a.close();
    });
    for (int v : b) put("b{} ", v);
    flush("pipeline");
  }
}

void waits() {
  {
    boot::sync::Mutex mu;
    boot::sync::Cond c(mu);
    int q = 0;
    each(3, [&](int i) {
      mu.Lock();
      while (q == 0) c.Wait();
      q--;
      put("take{} ", i);
      mu.Unlock();
    });
    settle();
    for (int i = 0; i < 3; i++) {
      mu.Lock();
      q++;
      c.Signal();
      mu.Unlock();
      put("put{} ", i);
    }
    settle();
    flush("cond queue");
  }
  {
    boot::sync::Once once;
    boot::sync::WaitGroup wg;
    wg.Add(3);
    each(3, [&](int i) {
      once.Do([&] {
        put("do{} ", i);
        runtime::Gosched();
        put("did ");
      });
      put("{} ", i);
      wg.Done();
    });
    wg.Wait();
    flush("once waits");
  }
  {
    auto c = boot::make_chan<int>();
    boot::go([=] {
      runtime::Gosched();
      put("y ");
      c.send(1);
      put("z ");
    });
    boot::go([] { put("x "); });
    boot::select(boot::on_recv(c, [](int v) { put("v{} ", v); }),
                 boot::on_recv(boot::time::After(1s), [] { put("late "); }));
    settle();
    flush("select after");
  }
}

}  // namespace

void main_main() {
  locks();
  closes();
  timers();
  channels();
  waits();
}
