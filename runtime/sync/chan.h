// Channels and select as the public headers and the runtime itself use them (Go's chan.go and select.go). Elements are
// moved by the type's own operations, given as a table, so that move-only and throwing types work; plain types are
// copied as bytes. Users' programs include this header, so it brings in nothing of the runtime's inside; the structs
// are in chan_inl.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace runtime {

struct hchan;

// How a channel handles its elements. move and destroy null: bytes (trivially copyable).
//   move(dst, src): move-construct *dst from *src and destroy nothing; must not throw or park.
//   destroy(p):     destroy *p.
// Construction that may throw is done by the typed wrapper in user code, before the value enters the channel.
struct elemtype {
  std::uint32_t size;
  std::uint32_t align;
  void (*move)(void* dst, void* src);
  void (*destroy)(void* p);
  bool noscan = false;  // elements hold no pointers: the collector need not look into the buffer
};

hchan* makechan(const elemtype* t, std::int64_t size) __asm__("runtime.makechan");  // panics as Go on a bad size
// Sends *elem (moved from on success). False only if block is false and nobody takes it. Panics when closed.
bool chansend(hchan* c, void* elem, bool block) __asm__("runtime.chansend");
struct recvresult {
  bool selected, received;
};
// Receives into *elem, which is raw storage: constructed only if received. elem null: the value is dropped.
recvresult chanrecv(hchan* c, void* elem, bool block) __asm__("runtime.chanrecv");
void closechan(hchan* c) __asm__("runtime.closechan");
std::int64_t chanlen(hchan* c) __asm__("runtime.chanlen");
std::int64_t chancap(hchan* c) __asm__("runtime.chancap");
// Channels are garbage collected: a handle is a plain pointer. A channel whose elements have a destructor needs it run
// for what is left in the buffer when the channel is found unreachable; the collector calls chandestroy then. makechan
// announces such channels through chanfinalizerhook (null until a collector with finalizers is there).
void chandestroy(void* c) __asm__("runtime.chandestroy");
extern void (*chanfinalizerhook)(void* obj, void (*fin)(void*)) __asm__("runtime.chanfinalizerhook");

// One case of a select: a send of *elem (moved from if chosen) or a receive into *elem (raw storage).
struct scase {
  hchan* c;  // null: the nil channel, never ready
  void* elem;
  bool send;
};
// Room for selectgo's own use, one for each case. It is the caller's so that a select with many cases takes it from a
// stack that grows.
struct alignas(8) selectroom {
  unsigned char sudog[112];
  std::uint16_t pollorder, lockorder;
};
struct selectresult {
  std::int64_t index;  // the case that ran; -1: none was ready, and block was false
  bool received;       // it was a receive and got a value
};
selectresult selectgo(const scase* cases, selectroom* room, std::int64_t n, bool block) __asm__("runtime.selectgo");
// base/panic.h has it, too; for what the headers find.
[[noreturn]] void panicplain(const char* msg) __asm__("runtime.panicplain");
// select with no case: never returns.
[[noreturn]] void block() __asm__("runtime.block");

}  // namespace runtime
