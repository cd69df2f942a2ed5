// Inside of panics, shared by panic.cpp (throwing, deferred functions) and unhandled.cpp (the report, Goexit).
#pragma once

#include <cxxabi.h>
#include <unwind.h>

#include <cstdint>
#include <string>
#include <typeinfo>

#include "boot/panic.h"
#include "runtime/diag/traceback.h"
#include "runtime/mem/stack.h"
#include "runtime/sched/proc.h"

namespace boot::detail {

using runtime::uintptr;

// Return addresses kept of a panic: what is shown of them is at most kTracebackMaxFrames, beside what is hidden.
constexpr int kMaxPcs = 4 * runtime::kTracebackMaxFrames;

// The frames from the one that threw on; the unwinder's and the runtime's own way to the throw is left out. The caller
// owns the array.
int throwerpcs(uintptr** pcs, uintptr pc, uintptr sp, uintptr bp);
#define CALLER_PC_SP_BP                                                                                               \
  reinterpret_cast<uintptr>(__builtin_return_address(0)), reinterpret_cast<uintptr>(__builtin_frame_address(0)) + 16, \
      *static_cast<uintptr*>(__builtin_frame_address(0))

// The stack as it was when the unwinder's search found nobody; see keptstack.cpp.
struct keptstack {
  static constexpr int kMostSegs = 24;  // they double in size
  runtime::gobuf at;
  runtime::stack bounds;
  uintptr guard;
  struct {
    runtime::stackseg *s, *outer;
    runtime::stack outerstack;
    uintptr outersp;
  } segs[kMostSegs];
  int nsegs = 0;
  struct {
    uintptr lo, n;
  } parts[kMostSegs + 1];
  int nparts = 0;
  char* memory = nullptr;  // the copy; null: no memory for it
  uintptr bytes = 0;
  bool back = false;
  // What is to be reported then.
  std::string text;
  const uintptr* pcs = nullptr;
  int npcs = 0;

  keptstack() = default;
  keptstack(const keptstack&) = delete;
  keptstack& operator=(const keptstack&) = delete;
  ~keptstack();
};
// False; and once more, true, when goBack has brought the stack and the goroutine back to here.
bool keepStack(runtime::g* gp);
// Returns only if there is nothing to go back to.
void goBack(runtime::g* gp);

// What a goroutine needs beyond its Panic objects while it unwinds: g.unhandled, null as long as nothing does.
struct unwindstate {
  // Of the exception that nobody will catch: the frames that threw it, the exceptions it left catch blocks of
  // ("panic: first [recovered]\n\t"), and the number of uncaught exceptions with it.
  uintptr* pcs = nullptr;
  int npcs = 0;
  std::string recovered;
  faultinfo recoveredFault;
  void* thrown = nullptr;  // the object
  int level = 0;
  // The panics that came out of deferred functions meanwhile, if there is no Panic in flight that could keep them:
  // "panic: second\n\tpanic: third\n". Frames and signal are then those of the last of them.
  std::string chain;
  faultinfo fault;
  // Calls of Goexit on the way, and the uncaught exceptions at the innermost of them.
  int goexits = 0, goexitLevel = 0;
  bool swallow = false;  // the Goexit that a deferred function has called ends where that function does
  keptstack* kept = nullptr;
  bool aborted = false;  // it has taken the place of the exception that is on its way: no report

  static unwindstate* of(runtime::g* gp) { return static_cast<unwindstate*>(gp->unhandled); }
  static unwindstate* need(runtime::g* gp) {
    if (gp->unhandled == nullptr) gp->unhandled = new unwindstate;
    return of(gp);
  }
  static void drop(runtime::g* gp) {
    delete of(gp);
    gp->unhandled = nullptr;
  }
  unwindstate() = default;
  unwindstate(const unwindstate&) = delete;
  unwindstate& operator=(const unwindstate&) = delete;
  ~unwindstate() {
    delete[] pcs;
    delete kept;
  }
};

// libsupc++'s header in front of a thrown object, as far as it is needed to see what a catch block is busy with. Its
// layout is part of the C++ ABI for Itanium, which x86-64 uses.
struct cxaException {
  std::type_info* exceptionType;  // of one that std::rethrow_exception threw: the object itself
  void (*exceptionDestructor)(void*);
  void (*unexpectedHandler)();
  void (*terminateHandler)();
  cxaException* nextException;
  int handlerCount;  // negative while it is rethrown
  int handlerSwitchValue;
  const unsigned char *actionRecord, *languageSpecificData;
  std::uintptr_t catchTemp;
  void* adjustedPtr;
  _Unwind_Exception unwindHeader;

  // The object and its type; false if it is no C++ exception, but a Goexit.
  bool thrown(void** object, std::type_info** type) const {
    constexpr std::uint64_t kGnuCxx = 0x474e5543432b2b00;  // "GNUCC++", and 1 in the last byte if rethrown
    if ((unwindHeader.exception_class & ~std::uint64_t{1}) != kGnuCxx) return false;
    bool dependent = (unwindHeader.exception_class & 1) != 0;
    *object = dependent ? static_cast<void*>(exceptionType) : const_cast<cxaException*>(this) + 1;
    *type = static_cast<cxaException*>(*object)[-1].exceptionType;
    return true;
  }
};
struct cxaGlobals {
  cxaException* caughtExceptions;
  unsigned int uncaughtExceptions;
};
inline cxaGlobals* globals() { return reinterpret_cast<cxaGlobals*>(abi::__cxa_get_globals()); }

// The value of an exception that is none of this library's: Go's text for C++'s own types and string_view, what() of
// one derived from std::exception, "(Type) 0xADDRESS" of others.
std::string objecttext(const std::type_info* type, void* object);

// The exceptions in catch blocks that are open now: "panic: first [recovered]\n\t". What leaves a catch block was
// recovered, and then panicked again. fault: gets their newest signal, if it has none yet.
std::string recoveredTexts(faultinfo* fault);

struct panicaccess {
  static void*& newest() { return runtime::getg()->_panic; }
  // The Panic that is on its way, if that is what unwinds: the newest one may be handled already, with another
  // exception thrown by its catch block.
  static Panic* inFlight();
  static void replace(Panic* first, Panic* second, const char* text, std::any value);
  static void register_(Panic* p);
  static void unregister(Panic* p);
  static void setsignal(Panic* p, runtime::g* gp);
  static void resignal(runtime::g* gp);
  static const std::string& chain(const Panic& p) { return p.chain_; }
  static const std::string& recovered(const Panic& p) { return p.recovered_; }
  // As what(), but it may throw what the value's own text throws.
  // A panic in there asks for the texts of what is in catch blocks, and so for this one again.
  static const std::string& text(const Panic& p) {
    if (p.render_ == nullptr || p.rendering_) return p.text_;
    p.rendering_ = true;
    struct done {
      const Panic& p;
      ~done() { p.rendering_ = false; }
    } guard{p};
    if (std::string s = p.render_(p.value_); s != p.text_) p.text_ = std::move(s);
    return p.text_;
  }
  static faultinfo& fault(Panic& p) { return p.fault_; }
  static void taketrace(Panic* p, uintptr pc, uintptr sp, uintptr bp) { p->npcs_ = throwerpcs(&p->pcs_, pc, sp, bp); }
  static int takepcs(Panic& p, uintptr** pcs) {
    int n = p.npcs_;
    *pcs = p.pcs_;
    p.pcs_ = nullptr;
    p.npcs_ = 0;
    return n;
  }
  static const uintptr* pcs(const Panic& p, int* n) {
    *n = p.npcs_;
    return p.pcs_;
  }
};

}  // namespace boot::detail
