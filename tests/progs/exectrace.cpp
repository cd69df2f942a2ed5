// Under GODEBUG=exectrace=FILE a run leaves a file that is JSON, says what ran where and why it stopped, and whose slices
// on one P do not overlap. (C56: the reader's own goroutine is among what ran.)
// CLAIMS: [C56]
// PROCS: 1 2 4
// RUN: GODEBUG=exectrace=%tmp/t.json %prog && python3 %root/tests/gdb/read_trace.py %tmp/t.json
// STDOUT: done
// STDOUT: the trace is sound
#include <boot/boot.h>

#include <chrono>

#include "boot/time.h"

using namespace std::chrono_literals;

void main_main() {
  auto c = boot::make_chan<int>();
  auto done = boot::make_chan<int>();
  for (int i = 0; i < 4; i++)
    boot::go([=] {
      int sum = 0;
      for (int v : c) sum += v;
      done.send(sum);
    });
  for (int i = 0; i < 2000; i++) c.send(i);
  c.close();
  int sum = 0;
  for (int i = 0; i < 4; i++) sum += done.recv();
  boot::time::Sleep(1ms);
  runtime::Gosched();
  boot::println("{}", sum == 1999000 ? "done" : "wrong");
}
