// Collections in the execution trace: each has its four phases in order, one inside the other's end, and the stop of the
// world that belongs to it; the heap is told before and after. And a goroutine that waits knows since when.
// PROCS: 1 2
// RUN: GODEBUG=exectrace=%tmp/t.json %prog && python3 %root/tests/gdb/read_trace.py %tmp/t.json --gc
// STDOUT: collected
// STDOUT: the trace is sound
#include <boot/boot.h>

struct Node {
  Node* next;
  char room[56];
};

void main_main() {
  for (int round = 0; round < 3; round++) {
    Node* list = nullptr;
    for (int i = 0; i < 1000; i++) {
      Node* n = boot::New<Node>();
      n->next = list;
      list = n;
    }
    runtime::GC();
  }
  boot::println("collected");
}
